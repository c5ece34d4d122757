// The Unix sockets of a host: their abstract names, and which of them nobody can reach any more.
//
// A descriptor that is in a message holds its file. Sockets whose only holders are messages in each other's queues
// would stay for ever: they are found when another one is closed, and when the run ends, and their messages go.
// Source: unix(7); Linux's net/unix/af_unix.c, garbage.c.
#pragma once

#include <lockstep/base/intrusive_list.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace lockstep::sim {

class unix_socket;

class unix_space {
 public:
  using socket_list = intrusive_list<unix_socket, unix_space>;

  // Gives `who` the abstract name, which begins with a zero. Names of sockets of different types do not meet. Returns 0
  // or -EADDRINUSE.
  int bind(int type, const std::string& name, unix_socket& who);
  void unbind(int type, const std::string& name) noexcept;
  // Null if nobody has it.
  unix_socket* find(int type, const std::string& name) const noexcept;
  // A free name of five digits, as for who binds without saying where.
  std::string free_name(int type);

  socket_list& sockets() noexcept { return sockets_; }
  // Messages with descriptors that are in queues.
  void count_flight(int by) noexcept { in_flight_ += by; }
  int in_flight() const noexcept { return in_flight_; }
  // Drops the messages of the sockets that nobody can reach.
  void collect() noexcept;

 private:
  std::map<std::pair<int, std::string>, unix_socket*> abstract_;
  socket_list sockets_;
  std::uint32_t next_name_ = 0;
  int in_flight_ = 0;
};

}  // namespace lockstep::sim
