// UDP: datagrams, each sent and received as a whole, if it arrives.
//
//   udp_socket here = udp_socket::bind("0.0.0.0:53");
//   std::array<std::byte, 512> query;
//   const received_datagram got = co_await here.receive_from(query);
//   co_await here.send_to(std::span(query).first(got.size), got.from);
//
// Awaits, errors, misuse and threads are as those of tcp.hpp. A cancellation loses none: a datagram that was received
// for a task that has not seen it is there for the next that asks.
// Source: udp(7), ip(7) and socket(7).
#pragma once

#include <lockstep/net/endpoint.hpp>
#include <lockstep/net/socket.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace lockstep {

namespace detail {
class receiving_udp;
}  // namespace detail

// What receive_from() gives.
struct received_datagram {
  std::size_t size = 0;    // bytes that are in the buffer
  bool truncated = false;  // there were more, which are gone
  endpoint from;
};

struct udp_options {
  // Whether several may have one address.
  bool reuse_address = false;
  bool reuse_port = false;
  // Whether one at an IPv6 address leaves IPv4 alone; otherwise that of [::] takes both.
  bool only_v6 = false;
  // Whether it may send to broadcast addresses.
  bool broadcast = false;
  // How much the system holds in either direction; Linux takes twice that.
  std::optional<int> receive_buffer_bytes;
  std::optional<int> send_buffer_bytes;
};

// Closes when it dies. Requires that buffers outlive the await.
class [[nodiscard("a socket that nobody keeps is closed at once")]] udp_socket : public detail::socket_owner {
 public:
  // A socket at that address, which says of which family it is; port 0 is one that is free, which local() tells. Never
  // waits.
  // Errors: EADDRINUSE, if somebody has it; EADDRNOTAVAIL, if the host has no such address; EACCES, for a port that
  // needs privileges.
  // Source: socket(2) and bind(2).
  static udp_socket bind(const endpoint& at = {}, const udp_options& how = {}, source where = source::current());
  // From now on it sends to that peer, and receives from it alone. Never waits, as nobody is asked.
  // Errors: ENETUNREACH and EHOSTUNREACH, if there is no way; EACCES, for a broadcast address.
  // Source: connect(2).
  void connect(const endpoint& to, source where = source::current());

  // Sends one datagram, waiting while the system's buffer is full. Whether it arrives, nobody says.
  // Errors: EMSGSIZE, if it is too large, above 65,507 bytes for IPv4; ENETUNREACH and EHOSTUNREACH, if there is no
  // way; EACCES, for a broadcast address; ECONNREFUSED once, of a connected socket, if the peer's host has said that
  // nobody is there.
  // Source: sendto(2).
  LOCKSTEP_AWAIT_IT detail::sending_datagram send_to(std::span<const std::byte> from, const endpoint& to,
                                                     source where = source::current());
  LOCKSTEP_AWAIT_IT detail::sending_datagram send_to(std::string_view from, const endpoint& to,
                                                     source where = source::current()) {
    return send_to(std::as_bytes(std::span(from)), to, where);
  }
  // The same to the peer that it is connected to.
  // Errors: EDESTADDRREQ, without one; those of send_to().
  LOCKSTEP_AWAIT_IT detail::sending_datagram send(std::span<const std::byte> from, source where = source::current()) {
    return {awaited("was sent from", where), from};
  }
  LOCKSTEP_AWAIT_IT detail::sending_datagram send(std::string_view from, source where = source::current()) {
    return send(std::as_bytes(std::span(from)), where);
  }

  // Waits for a datagram and takes it. Those that are empty come too.
  // Errors: ECONNREFUSED, as of send_to().
  // Source: recvmsg(2).
  LOCKSTEP_AWAIT_IT detail::receiving_udp receive_from(std::span<std::byte> into, source where = source::current());
  LOCKSTEP_AWAIT_IT detail::receiving_udp receive_from(std::span<char> into, source where = source::current());
  // The same, and returns how many bytes are in the buffer.
  LOCKSTEP_AWAIT_IT detail::receiving_datagram receive(std::span<std::byte> into, source where = source::current()) {
    return {awaited("was received from", where), into};
  }
  LOCKSTEP_AWAIT_IT detail::receiving_datagram receive(std::span<char> into, source where = source::current()) {
    return receive(std::as_writable_bytes(into), where);
  }

  // The address that it has on its host. Throws std::system_error if it is closed.
  endpoint local(source where = source::current()) const {
    return looked_at("was asked for its address", where).local();
  }

 private:
  using socket_owner::socket_owner;
};

namespace detail {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

class receiving_udp final : public primitive<receiving_udp, datagram_read> {
 public:
  receiving_udp(open_socket& from, std::span<std::byte> into) noexcept : primitive(from, into) {}
  received_datagram result();
};

#pragma GCC diagnostic pop

}  // namespace detail

inline detail::receiving_udp udp_socket::receive_from(std::span<std::byte> into, source where) {
  return {awaited("was received from", where), into};
}

inline detail::receiving_udp udp_socket::receive_from(std::span<char> into, source where) {
  return receive_from(std::as_writable_bytes(into), where);
}

}  // namespace lockstep
