// Sockets of the Unix domain: connections and datagrams between the programs of one machine.
//
//   unix_listener listener = unix_listener::bind("/run/cache");
//   unix_stream client = connect_unix("/run/cache");
//   unix_stream server = co_await listener.accept();
//
// An address is a path of the file system, which the one who binds it makes and somebody must remove; or an abstract
// name, which is gone with its socket. What is sent arrives at once and is never lost.
// Awaits, errors, misuse and threads are as those of tcp.hpp.
// Source: unix(7).
#pragma once

#include <lockstep/net/stream.hpp>
#include <lockstep/system/calls.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace lockstep {

namespace detail {
class accepting_unix;
class receiving_unix;
class receiving_descriptor;
class sending_descriptor;
}  // namespace detail

// A path, an abstract name, or that of a socket that has none. They compare by value.
class unix_address {
 public:
  // Of a socket that has none.
  unix_address() = default;
  // Throws std::invalid_argument for a path that is empty, holds a zero byte, or is longer than 107 bytes.
  unix_address(std::string_view path);
  unix_address(const char* path) : unix_address(std::string_view(path)) {}
  unix_address(const std::string& path) : unix_address(std::string_view(path)) {}
  // Any bytes, up to 107; std::invalid_argument for more.
  static unix_address abstract(std::string_view name);

  bool is_unnamed() const noexcept { return bytes_.empty(); }
  bool is_abstract() const noexcept { return !bytes_.empty() && bytes_.front() == '\0'; }
  // The path, or the abstract name; empty for none.
  std::string_view name() const noexcept { return std::string_view(bytes_).substr(is_abstract() ? 1 : 0); }
  // The path, "@name" for an abstract one, "" for none.
  std::string text() const;

  // As endpoint::to(). An unnamed one is what bind() takes for a free abstract name.
  socklen_t to(sockaddr_storage& into) const noexcept;
  // What the system's calls have written; unnamed if it is of another family.
  static unix_address from(const sockaddr_storage& address, socklen_t size);

  friend auto operator<=>(const unix_address&, const unix_address&) = default;
  friend std::ostream& operator<<(std::ostream& out, const unix_address& shown);

 private:
  std::string bytes_;  // an abstract name behind a zero byte
};

namespace detail {

// What sockets of this domain have in common.
unix_address local_of(const open_socket& of);
unix_address peer_of(const open_socket& of);

}  // namespace detail

// Owns a descriptor that came over a unix_stream: closes it when it dies.
class [[nodiscard("a descriptor that nobody keeps is closed at once")]] passed_descriptor {
 public:
  passed_descriptor(std::shared_ptr<system_calls> calls, int fd) noexcept : calls_(std::move(calls)), fd_(fd) {}
  passed_descriptor(passed_descriptor && other) noexcept
      : calls_(std::move(other.calls_)), fd_(std::exchange(other.fd_, -1)) {}
  passed_descriptor& operator=(passed_descriptor&& other) noexcept {
    std::swap(calls_, other.calls_);
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~passed_descriptor() {
    if (fd_ >= 0) calls_->close(fd_);
  }

  int native_handle() const noexcept { return fd_; }
  // It is the caller's to close, such as by tcp_stream::adopt().
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  std::shared_ptr<system_calls> calls_;
  int fd_;
};

// One end of a connection. Closes it when it dies; if the peer has sent what nobody has read, it gets ECONNRESET.
class [[nodiscard("a connection that nobody keeps is closed at once")]] unix_stream : public detail::stream_socket {
 public:
  // Two that are connected with each other, and have no address. Never waits.
  // Source: socketpair(2).
  static std::pair<unix_stream, unix_stream> pair(source where = source::current());

  // -- passing descriptors ------------------------------------------------------------------------------------------

  // Sends a descriptor, which the sender still has too, with one byte in the stream, 0. Whoever reads that byte by
  // another call than receive_descriptor() drops it.
  // Errors: EBADF, if there is none of that number; ETOOMANYREFS, if too many are under way; those of write_some().
  // Source: SCM_RIGHTS of unix(7).
  LOCKSTEP_AWAIT_IT detail::sending_descriptor send_descriptor(int fd, source where = source::current());
  // Waits for a descriptor that the peer has sent where the stream is now, and takes it; nothing at the end of the
  // stream. A cancellation loses none: it is there for the next that asks.
  // Errors: EBADMSG, if there is a byte without one, or with one for which there was no number left; the byte is gone.
  // Those of read_some().
  LOCKSTEP_AWAIT_IT detail::receiving_descriptor receive_descriptor(source where = source::current());

  // -- names ----------------------------------------------------------------------------------------------------------

  // Unnamed for the one that has connected. Throws std::system_error if it is closed.
  unix_address local(source where = source::current()) const {
    return detail::local_of(looked_at("was asked for its address", where));
  }
  unix_address remote(source where = source::current()) const {
    return detail::peer_of(looked_at("was asked for its peer", where));
  }

 private:
  friend class detail::accepting_unix;
  friend unix_stream connect_unix(const unix_address& to, source where);
  using stream_socket::stream_socket;
};

// Connects to the listener at that address. Never waits: the connection is there when the listener's queue has it.
// Errors: ENOENT, if there is no such path; ECONNREFUSED, if nobody listens there; EAGAIN, if the queue is full;
// EPROTOTYPE, if the path is one of datagrams; EACCES.
// Source: connect(2).
unix_stream connect_unix(const unix_address& to, source where = source::current());

// Takes connections at one address. Those that nobody has accepted are reset when it dies. The path stays.
class [[nodiscard("a listener that nobody keeps is closed at once")]] unix_listener : public detail::socket_owner {
 public:
  // A listener at that address; at a free abstract name, if it is unnamed. It keeps so many connections that nobody has
  // accepted; Linux one more. Never waits.
  // Errors: EADDRINUSE, if the path or the name is there; ENOENT and ENOTDIR, if the path leads nowhere; EACCES.
  // Source: socket(2), bind(2) and listen(2).
  static unix_listener bind(const unix_address& at, int backlog = 128, source where = source::current());

  // Waits for a connection and takes it. The peer may have gone since: the first read tells.
  // Errors: EMFILE and ENFILE, if there are too many descriptors; the connection is kept for the next.
  // Source: accept(2).
  LOCKSTEP_AWAIT_IT detail::accepting_unix accept(source where = source::current());
  // Throws std::system_error if it is closed.
  unix_address local(source where = source::current()) const {
    return detail::local_of(looked_at("was asked for its address", where));
  }

 private:
  using socket_owner::socket_owner;
};

// What unix_datagram::receive_from() gives.
struct received_unix_datagram {
  std::size_t size = 0;    // bytes that are in the buffer
  bool truncated = false;  // there were more, which are gone
  unix_address from;       // unnamed, if the sender has no address
};

// Datagrams, which arrive as a whole, all of them, and in their order. Closes when it dies; the path stays.
class [[nodiscard("a socket that nobody keeps is closed at once")]] unix_datagram : public detail::socket_owner {
 public:
  // Errors: those of unix_listener::bind().
  static unix_datagram bind(const unix_address& at, source where = source::current());
  // One without an address, to which nobody can send.
  static unix_datagram unnamed(source where = source::current());
  // Two that are connected with each other.
  static std::pair<unix_datagram, unix_datagram> pair(source where = source::current());
  // From now on it sends to that peer, and receives from it alone. Never waits.
  // Errors: ENOENT, if there is no such path; ECONNREFUSED, if nobody is there; EPROTOTYPE, if the path is
  // one of streams.
  void connect(const unix_address& to, source where = source::current());

  // Sends one datagram to the peer that it is connected to, waiting while that has as many as it may: 11 on Linux, and
  // of a pair as many as the buffer takes.
  // Errors: ENOTCONN, without one; EMSGSIZE, if it is too large; ECONNREFUSED, if the peer has gone.
  LOCKSTEP_AWAIT_IT detail::sending_datagram send(std::span<const std::byte> from, source where = source::current()) {
    return {awaited("was sent from", where), from};
  }
  LOCKSTEP_AWAIT_IT detail::sending_datagram send(std::string_view from, source where = source::current()) {
    return send(std::as_bytes(std::span(from)), where);
  }
  // The same to another, but never waits, as Linux does not tell when that has room again: false if it has none.
  bool try_send_to(std::span<const std::byte> from, const unix_address& to, source where = source::current());
  bool try_send_to(std::string_view from, const unix_address& to, source where = source::current()) {
    return try_send_to(std::as_bytes(std::span(from)), to, where);
  }

  // Waits for a datagram and takes it.
  LOCKSTEP_AWAIT_IT detail::receiving_unix receive_from(std::span<std::byte> into, source where = source::current());
  LOCKSTEP_AWAIT_IT detail::receiving_unix receive_from(std::span<char> into, source where = source::current());
  // The same, and returns how many bytes are in the buffer.
  LOCKSTEP_AWAIT_IT detail::receiving_datagram receive(std::span<std::byte> into, source where = source::current()) {
    return {awaited("was received from", where), into};
  }
  LOCKSTEP_AWAIT_IT detail::receiving_datagram receive(std::span<char> into, source where = source::current()) {
    return receive(std::as_writable_bytes(into), where);
  }

  // Throws std::system_error if it is closed.
  unix_address local(source where = source::current()) const {
    return detail::local_of(looked_at("was asked for its address", where));
  }

 private:
  using socket_owner::socket_owner;
};

namespace detail {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

class accepting_unix final : public primitive<accepting_unix, accepting_socket> {
 public:
  accepting_unix(open_socket& listener, const source& where) noexcept : primitive(listener, where) {}
  unix_stream result() { return unix_stream(accepted("unix_stream")); }
};

class receiving_unix final : public primitive<receiving_unix, datagram_read> {
 public:
  receiving_unix(open_socket& from, std::span<std::byte> into) noexcept : primitive(from, into) {}
  received_unix_datagram result() {
    outcome();
    return {size_, truncated_, unix_address::from(from_.stored, from_.size)};
  }
};

class sending_descriptor final : public primitive<sending_descriptor, socket_wait> {
 public:
  sending_descriptor(open_socket& by, int sent) noexcept
      : primitive(operation_kind::write_socket, by, POLLOUT), sent_(sent) {}
  void result() { outcome(); }

 private:
  std::int64_t call() noexcept override;

  int sent_;
};

class descriptor_read : public socket_wait {
 protected:
  explicit descriptor_read(open_socket& from) noexcept;
  ~descriptor_read();

  std::int64_t call() noexcept override;
  bool give_back() noexcept override;
  std::optional<passed_descriptor> received();

 private:
  std::shared_ptr<system_calls> calls_;
  int fd_ = -1;
};

class receiving_descriptor final : public primitive<receiving_descriptor, descriptor_read> {
 public:
  explicit receiving_descriptor(open_socket& from) noexcept : primitive(from) {}
  std::optional<passed_descriptor> result() { return received(); }
};

#pragma GCC diagnostic pop

}  // namespace detail

inline detail::sending_descriptor unix_stream::send_descriptor(int fd, source where) {
  return {awaited("was written to", where), fd};
}

inline detail::receiving_descriptor unix_stream::receive_descriptor(source where) {
  return detail::receiving_descriptor(awaited("was read from", where));
}

inline detail::accepting_unix unix_listener::accept(source where) { return {awaited("was accepted at", where), where}; }

inline detail::receiving_unix unix_datagram::receive_from(std::span<std::byte> into, source where) {
  return {awaited("was received from", where), into};
}

inline detail::receiving_unix unix_datagram::receive_from(std::span<char> into, source where) {
  return receive_from(std::as_writable_bytes(into), where);
}

}  // namespace lockstep
