// A socket that the simulation itself has on a host, as its name server and its resolvers do: it is no descriptor, no
// task waits for it, and whoever derives from this is told when there may be something to do.
//
// What it is told of may end it: may_be_ready() touches nothing of it afterwards.
#pragma once

#include <lockstep/net/endpoint.hpp>
#include <lockstep/sim/open_file.hpp>
#include <lockstep/sim/socket.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lockstep::sim {

class own_socket : public readiness_watch {
 public:
  // `events` are those of poll() that it is told of.
  own_socket(file_reference file, unsigned events);
  own_socket(const own_socket&) = delete;
  own_socket& operator=(const own_socket&) = delete;
  ~own_socket();

  void was_closed() noexcept override {}

  socket& get() const noexcept { return *file_->as_socket(); }
  // As the calls of those names: 0 or the error, or how many bytes.
  int bind(const endpoint& to);
  int connect(const endpoint& to);
  std::int64_t send(std::span<const std::byte> message, const endpoint* to = nullptr);
  // One datagram, or what has come of a stream, of so many bytes at most.
  std::int64_t receive(std::vector<std::byte>& message, std::size_t bytes_max, endpoint* from = nullptr);

 private:
  file_reference file_;
};

// DNS over a stream: messages, each with its length before it.
class dns_stream {
 public:
  void add(std::span<const std::byte> come) { come_.insert(come_.end(), come.begin(), come.end()); }
  // The next one that has come as a whole, and takes it out; false if there is none.
  bool take(std::vector<std::byte>& message);
  static std::vector<std::byte> framed(std::span<const std::byte> message);

 private:
  std::vector<std::byte> come_;
};

}  // namespace lockstep::sim
