// TCP: tcp_listener takes connections, connect_tcp() makes them, and tcp_stream is one end of one.
//
//   task<void> echo(tcp_stream peer) {
//     std::array<std::byte, 4096> buffer;
//     while (const std::size_t count = co_await peer.read_some(buffer)) {
//       co_await peer.write(std::span(buffer).first(count));
//     }
//   }
//
// They run on the system of the task that makes them: on the host of a simulation, or on the machine.
// Every await is a cancel point, and other tasks may run first even if it need not wait. A cancellation or a timeout
// loses nothing: what was read or accepted for a task that has not seen it is there for the next that asks; if it was
// sent or connected, the await returns, and the cancellation is delivered at the next.
// `co_await as_result(...)` returns what otherwise is thrown.
// Errors are std::system_error, with the code of the operating system, and an error of the connection is told once; see
// each function. An object that was closed fails with EBADF; one that is closed while a task waits for it, there with
// ECANCELED. To use one that was moved from is misuse, and so is one that dies while a task waits for it.
// Threads: those of the run in which it was made.
// Source: tcp(7), ip(7) and socket(7).
#pragma once

#include <lockstep/net/endpoint.hpp>
#include <lockstep/net/socket.hpp>
#include <lockstep/net/stream.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

namespace lockstep {

namespace detail {

class accepting_tcp;
class connecting_tcp;

}  // namespace detail

// One end of a connection. Closes it when it dies; what the peer has sent and nobody has read makes that a reset.
// Requires that buffers outlive the await. One task may read while another writes; of several that read, the one that
// has waited longest gets what comes.
class [[nodiscard("a connection that nobody keeps is closed at once")]] tcp_stream : public detail::stream_socket {
 public:
  // Takes over a descriptor of the running task's system, such as one that came over a unix_stream.
  // Errors: EBADF, ENOTSOCK; it is still the caller's then.
  static tcp_stream adopt(int fd, source where = source::current());

  // -- ending -----------------------------------------------------------------------------------------------------

  // Closes it at once: what the peer has not got is dropped, and it gets ECONNRESET. Never waits.
  // Source: SO_LINGER of socket(7), with a time of 0.
  void reset(source where = source::current());

  // The address that it has on its host. Throws std::system_error if it is closed.
  endpoint local(source where = source::current()) const {
    return looked_at("was asked for its address", where).local();
  }
  // The peer; that of a connection that is over as well.
  const endpoint& remote(source where = source::current()) const;

  // -- options ----------------------------------------------------------------------------------------------------

  // Whether small pieces are sent at once, and not held back until the peer has acknowledged what came before.
  // Default: false.
  // Source: TCP_NODELAY of tcp(7).
  void no_delay(bool on, source where = source::current());
  bool no_delay(source where = source::current()) const;
  // Whether a peer that is silent for long is asked if it is still there. Default: false.
  // Source: SO_KEEPALIVE of socket(7).
  void keep_alive(bool on, source where = source::current());
  bool keep_alive(source where = source::current()) const;
  // How much the system holds in either direction. Linux takes twice what it is given, within its limits, and returns
  // that.
  // Source: SO_RCVBUF and SO_SNDBUF of socket(7).
  void receive_buffer_bytes(int bytes, source where = source::current());
  int receive_buffer_bytes(source where = source::current()) const;
  void send_buffer_bytes(int bytes, source where = source::current());
  int send_buffer_bytes(source where = source::current()) const;
  // How long what was sent may stay unacknowledged before the connection is given up with ETIMEDOUT; 0 for as long as
  // the system likes, which is the default.
  // Source: TCP_USER_TIMEOUT of tcp(7).
  void user_timeout(std::chrono::milliseconds limit, source where = source::current());
  std::chrono::milliseconds user_timeout(source where = source::current()) const;

 private:
  friend class detail::accepting_tcp;
  friend class detail::connecting_tcp;
  explicit tcp_stream(std::unique_ptr<detail::open_socket> owned) noexcept : stream_socket(std::move(owned)) {}
};

// How to listen.
struct listen_options {
  // Whether an address that connections of the past still use may be taken.
  bool reuse_address = true;
  // Whether several may listen at one address, which then share the connections.
  bool reuse_port = false;
  // Whether a listener at an IPv6 address leaves IPv4 alone; otherwise that of [::] takes both.
  bool only_v6 = false;
  // How many connections the system keeps that nobody has accepted. At least 0; Linux keeps one more.
  int backlog = 128;
};

// Takes connections at one address. Those that nobody has accepted are reset when it dies.
class [[nodiscard("a listener that nobody keeps is closed at once")]] tcp_listener : public detail::socket_owner {
 public:
  // A listener at that address; port 0 is one that is free, which local() tells. Never waits.
  // Errors: EADDRINUSE, if somebody has it; EADDRNOTAVAIL, if the host has no such address; EACCES, for a port that
  // needs privileges.
  // Source: socket(2), bind(2) and listen(2).
  static tcp_listener bind(const endpoint& at, const listen_options& how = {}, source where = source::current());

  // Waits for a connection and takes it. The peer may have gone since: the first read tells.
  // Errors: EMFILE and ENFILE, if there are too many descriptors; the connection is kept for the next.
  // Source: accept(2).
  LOCKSTEP_AWAIT_IT detail::accepting_tcp accept(source where = source::current());
  // The address that it has on its host. Throws std::system_error if it is closed.
  endpoint local(source where = source::current()) const {
    return looked_at("was asked for its address", where).local();
  }

 private:
  using socket_owner::socket_owner;
};

// How to connect.
struct connect_options {
  // The address to come from; otherwise the system picks one.
  std::optional<endpoint> from;
  // Of the stream; these have to be known when it connects.
  std::optional<int> receive_buffer_bytes;
  std::optional<int> send_buffer_bytes;
};

// Connects to a listener at that address and returns the stream. Cancelled while it waits, it gives up.
// Errors: ECONNREFUSED, if nobody listens there; ENETUNREACH and EHOSTUNREACH, if there is no way; ETIMEDOUT, if nobody
// answers; EADDRNOTAVAIL and EADDRINUSE, if the address to come from is not to be had.
// Source: connect(2).
LOCKSTEP_AWAIT_IT detail::connecting_tcp connect_tcp(const endpoint& to, const connect_options& how = {},
                                                     source where = source::current());

namespace detail {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

class accepting_tcp final : public primitive<accepting_tcp, accepting_socket> {
 public:
  accepting_tcp(open_socket& listener, const source& where) noexcept : primitive(listener, where) {}
  tcp_stream result() { return tcp_stream(accepted("tcp_stream")); }
};

class connecting_tcp final : public primitive<connecting_tcp, connecting_socket> {
 public:
  connecting_tcp(std::unique_ptr<open_socket> made, const endpoint& to, int error) noexcept
      : primitive(std::move(made), to, error) {}
  tcp_stream result() { return tcp_stream(connected()); }
};

#pragma GCC diagnostic pop

}  // namespace detail

inline detail::accepting_tcp tcp_listener::accept(source where) { return {awaited("was accepted at", where), where}; }

}  // namespace lockstep
