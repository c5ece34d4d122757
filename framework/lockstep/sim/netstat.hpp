// The sockets of all hosts, as ss(8) shows those of one.
//
//   std::cout << world().netstat();
//   EXPECT_EQ(world().netstat().count("tcp", "ESTAB"), 2u);
//
// What is closed and yet there is among them: a connection that has not said all, a port in TIME-WAIT.
#pragma once

#include <lockstep/base/source.hpp>

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep {

namespace sim {
class network;
}

struct socket_status {
  std::string host;
  int descriptor = -1;              // the lowest; -1 for none
  std::string protocol{};           // "tcp", "udp"; of Unix sockets "u_str", "u_dgr" and "u_seq"
  std::string state{};              // of TCP as ss calls it, "ESTAB", "CLOSE-WAIT"; else "ESTAB", "LISTEN" or "UNCONN"
  std::uint64_t receive_queue = 0;  // bytes that nobody has read; of a listener, connections that wait for accept()
  std::uint64_t send_queue = 0;     // bytes that the peer has not taken; of a listener, its backlog
  std::string local{};              // "10.0.0.2:80", a path, "@name", or "*"
  std::string peer{};
  source opened_at{};  // by whom; without a line if that is not known
};

// As it was when it was made.
class netstat {
 public:
  explicit netstat(sim::network& of);

  // By host, in the order in which these were made, then by descriptor; those without one are last.
  const std::vector<socket_status>& sockets() const& noexcept { return sockets_; }
  std::vector<socket_status> sockets() && noexcept { return std::move(sockets_); }
  // Of that protocol, and in that state if one is given.
  std::size_t count(std::string_view protocol, std::string_view state = {}) const noexcept;
  // A table, a line for each.
  std::string text() const;

  friend std::ostream& operator<<(std::ostream& out, const netstat& shown);

 private:
  std::vector<socket_status> sockets_;
};

}  // namespace lockstep
