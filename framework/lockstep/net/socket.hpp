// What the sockets of this module are made of: one that is open, and the awaits of calls on it. Users see the classes
// that are built on it, such as tcp_stream.
//
// An await makes its call at once. If the system says EAGAIN, the descriptor is watched, and the call is made again as
// soon as it may be possible, there and then; so who waits longest gets what has come. A call that was made is not
// taken back: a cancellation that comes after it is delivered at the next await. So no byte and no connection is lost
// by cancellation, nor by a timeout.
#pragma once

#include <lockstep/net/endpoint.hpp>
#include <lockstep/runtime/primitive.hpp>
#include <lockstep/system/calls.hpp>
#include <lockstep/system/read_errors.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::detail {

[[noreturn]] void throw_system_error(int error, const std::string& deed);
// The result, or throws the error that it is: std::system_error of std::system_category(), whose text begins with
// `deed`.
inline int checked(int result, const std::string& deed) {
  if (result < 0) [[unlikely]]
    throw_system_error(-result, deed);
  return result;
}

class socket_wait;

// As the system's calls take it; of no bytes for none.
struct socket_address {
  sockaddr_storage stored{};
  socklen_t size = 0;
};

// Owns a descriptor. Requires that no task waits for it when it dies; misuse otherwise. Its awaits refer to it, so it
// does not move.
class open_socket final : public object {
 public:
  // That is yet to be opened. `remote` is its peer, where it has one.
  open_socket(std::string_view noun, std::shared_ptr<system_calls> calls, std::optional<endpoint> remote);
  ~open_socket();
  std::string_view noun() const noexcept override { return noun_; }

  // Takes the descriptor over, which was opened at `where`, unless it is an error number. Once.
  void hold(int fd, const source& where) noexcept;
  system_calls& calls() const noexcept { return *calls_; }
  const std::shared_ptr<system_calls>& shared_calls() const noexcept { return calls_; }
  // -1 if it is closed; then every call fails with EBADF.
  int fd() const noexcept { return fd_; }
  // It is about to be awaited that something `deed`, such as "was read from"; or this is done now.
  void begin(const char* deed, const source& where) { enter(deed, where); }
  void change(const char* deed, const source& where) { enter_if_used(deed, where); }
  void look_at(const char* deed, const source& where) const { look(deed, where); }

  // Who waits for it gets ECANCELED. Does nothing if it is closed.
  void close() noexcept;

  endpoint local() const;
  const std::optional<endpoint>& remote() const noexcept { return remote_; }
  int option(int level, int name) const;
  void set_option(int level, int name, int value);
  // "tcp_stream 10.0.0.1:40000 -> 10.0.0.2:80".
  std::string described_with_ends() const;

 private:
  friend class socket_wait;
  friend class stream_read;
  friend class datagram_read;
  friend class accepting_socket;
  friend class descriptor_read;

  struct connection {
    int fd;
    std::optional<endpoint> remote;
  };

  struct datagram {
    std::vector<std::byte> bytes;
    socket_address from;
    bool truncated = false;
  };

  // What was taken for those that were cancelled, and comes before all else.
  struct returns {
    std::vector<std::byte> bytes;
    std::vector<connection> connections;
    std::vector<datagram> datagrams;
  };

  // Throws std::bad_alloc.
  returns& make_returns() {
    if (returned_ == nullptr) returned_ = std::make_unique<returns>();
    return *returned_;
  }
  // Null if there are none.
  std::vector<connection>* returned_connections() noexcept {
    return returned_ == nullptr || returned_->connections.empty() ? nullptr : &returned_->connections;
  }
  // What a reader that was cancelled had read, which is read again before all else.
  std::size_t take_returned(std::span<std::byte> into) noexcept {
    return returned_ == nullptr ? 0 : take_from(returned_->bytes, into);
  }
  static std::size_t take_from(std::vector<std::byte>& bytes, std::span<std::byte> into) noexcept;
  bool make_room_for_returns(std::size_t bytes) noexcept;
  // False if it is closed, or there is no memory for it.
  bool give_back(std::span<const std::byte> bytes) noexcept;
  bool give_back(const connection& accepted) noexcept;
  bool give_back(std::span<const std::byte> bytes, const socket_address& from, bool truncated) noexcept;
  // The first that waits to make such a call; null if nobody does.
  socket_wait* first_waiter(operation_kind of) noexcept;
  // Something has come back: those that wait for it are told.
  void tell_waiters(operation_kind of) noexcept;
  std::size_t returned_count() const noexcept {
    if (returned_ == nullptr) return 0;
    return returned_->bytes.size() + returned_->connections.size() + returned_->datagrams.size();
  }

  std::string_view noun_;
  std::shared_ptr<system_calls> calls_;
  int fd_ = -1;
  wait_list waiters_;
  std::size_t handed_ = 0;  // awaits that were granted, and have not returned
  std::unique_ptr<returns> returned_;
  std::optional<endpoint> remote_;
};

// Owns the socket of a stream, a listener or the like.
class socket_owner {
 public:
  bool is_open() const noexcept { return socket_ != nullptr && socket_->fd() >= 0; }
  // Closes it, if that was not done. A task that waits for it gets ECANCELED.
  void close(source where = source::current());
  // For calls that this class has no name for; -1 if it is closed.
  int native_handle() const noexcept { return socket_ != nullptr ? socket_->fd() : -1; }

 protected:
  explicit socket_owner(std::unique_ptr<open_socket> owned) noexcept : socket_(std::move(owned)) {}
  ~socket_owner() = default;
  socket_owner(socket_owner&&) noexcept = default;
  socket_owner& operator=(socket_owner&&) noexcept = default;

  // It is about to be awaited, or changed, at that line.
  open_socket& awaited(const char* deed, const source& where) const {
    open_socket& found = owned(deed, where);
    found.begin(deed, where);
    return found;
  }
  open_socket& changed(const char* deed, const source& where) const {
    open_socket& found = owned(deed, where);
    found.change(deed, where);
    return found;
  }
  const open_socket& looked_at(const char* deed, const source& where) const {
    open_socket& found = owned(deed, where);
    found.look_at(deed, where);
    return found;
  }

 private:
  open_socket& owned(const char* deed, const source& where) const {
    if (socket_ == nullptr) [[unlikely]]
      refuse_moved(deed, where);
    return *socket_;
  }
  [[noreturn]] static void refuse_moved(const char* deed, const source& where);

  std::unique_ptr<open_socket> socket_;
};

// As for operation.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

// An await of a call: what it has in common with others.
class socket_wait : public operation, private readiness_watch {
 public:
  // "read from tcp_stream 10.0.0.1:40000 -> 10.0.0.2:80".
  std::string describe() const override;
  // Makes the call; false if it would have to wait, as it has where somebody waits to make the same.
  bool try_now() noexcept { return !others_wait() && make_call(); }

 protected:
  // Waits for those events, as poll() names them.
  socket_wait(operation_kind kind, open_socket& of, unsigned events) noexcept;
  ~socket_wait() = default;

  // Its result, or minus an error number; -EAGAIN if it is to be made again.
  virtual std::int64_t call() noexcept = 0;
  // What the last call came to; throws its error. Once, when the await returns.
  std::int64_t outcome();

  open_socket& socket() const noexcept { return subject<open_socket>(); }
  // Puts what the call came to back into the socket; false if that cannot be.
  virtual bool give_back() noexcept { return false; }

  void enqueue() noexcept override;
  void withdraw() noexcept override;
  bool revoke() noexcept override;

 private:
  friend class open_socket;

  void may_be_ready() noexcept override;
  void was_closed() noexcept override;
  bool others_wait() const noexcept;
  bool make_call() noexcept;
  void end(std::int64_t outcome) noexcept;
  void note_return() noexcept;

  std::int64_t outcome_ = 0;
  bool handed_ = false;   // granted, and has not returned
  bool calling_ = false;  // within the call
  bool again_ = false;    // which is to be made again, as something came meanwhile
};

// -- streams ----------------------------------------------------------------------------------------------------------

class stream_read : public socket_wait {
 protected:
  stream_read(open_socket& from, std::span<std::byte> into, bool exactly) noexcept;
  ~stream_read() = default;

  std::int64_t call() noexcept override;
  bool give_back() noexcept override;
  void withdraw() noexcept override;

  std::span<std::byte> into_;
  std::size_t filled_ = 0;

 private:
  std::int64_t fill() noexcept;

  bool exactly_;
};

class stream_write : public socket_wait {
 protected:
  stream_write(open_socket& to, std::span<const std::byte> from, bool all) noexcept;
  ~stream_write() = default;

  std::int64_t call() noexcept override;

 private:
  std::span<const std::byte> from_;
  std::size_t written_ = 0;
  bool all_;
};

class reading_some final : public primitive<reading_some, stream_read> {
 public:
  reading_some(open_socket& from, std::span<std::byte> into) noexcept : primitive(from, into, false) {}
  std::size_t result() { return static_cast<std::size_t>(outcome()); }
};

class reading_exactly final : public primitive<reading_exactly, stream_read> {
 public:
  reading_exactly(open_socket& from, std::span<std::byte> into) noexcept : primitive(from, into, true) {}
  void result();
};

class writing_some final : public primitive<writing_some, stream_write> {
 public:
  writing_some(open_socket& to, std::span<const std::byte> from) noexcept : primitive(to, from, false) {}
  std::size_t result() { return static_cast<std::size_t>(outcome()); }
};

class writing_all final : public primitive<writing_all, stream_write> {
 public:
  writing_all(open_socket& to, std::span<const std::byte> from) noexcept : primitive(to, from, true) {}
  void result() { outcome(); }
};

// -- datagrams --------------------------------------------------------------------------------------------------------

class datagram_read : public socket_wait {
 protected:
  datagram_read(open_socket& from, std::span<std::byte> into) noexcept;
  ~datagram_read() = default;

  std::int64_t call() noexcept override;
  bool give_back() noexcept override;

  std::span<std::byte> into_;
  std::size_t size_ = 0;
  socket_address from_;
  bool truncated_ = false;
};

class receiving_datagram final : public primitive<receiving_datagram, datagram_read> {
 public:
  receiving_datagram(open_socket& from, std::span<std::byte> into) noexcept : primitive(from, into) {}
  std::size_t result() {
    outcome();
    return size_;
  }
};

class datagram_write : public socket_wait {
 protected:
  datagram_write(open_socket& by, std::span<const std::byte> from, const socket_address& to) noexcept;
  ~datagram_write() = default;

  std::int64_t call() noexcept override;

 private:
  std::span<const std::byte> from_;
  socket_address to_;
};

class sending_datagram final : public primitive<sending_datagram, datagram_write> {
 public:
  sending_datagram(open_socket& by, std::span<const std::byte> from, const socket_address& to = {}) noexcept
      : primitive(by, from, to) {}
  void result() { outcome(); }
};

// -- connections ------------------------------------------------------------------------------------------------------

// What accept() and connect() have in common with those of other kinds of sockets.
class accepting_socket : public socket_wait {
 protected:
  accepting_socket(open_socket& listener, const source& where) noexcept;
  ~accepting_socket();

  std::int64_t call() noexcept override;
  bool give_back() noexcept override;
  // The connection, as a socket that reports call `noun`. Throws the error of the call.
  std::unique_ptr<open_socket> accepted(std::string_view noun);

 private:
  std::shared_ptr<system_calls> calls_;
  source where_;
  int fd_ = -1;
  std::optional<endpoint> remote_;
};

class connecting_socket : public socket_wait {
 protected:
  // Fails with `error` if that is not 0.
  connecting_socket(std::unique_ptr<open_socket> made, const endpoint& to, int error) noexcept;
  ~connecting_socket() = default;

  std::int64_t call() noexcept override;
  std::unique_ptr<open_socket> connected();

 private:
  std::unique_ptr<open_socket> made_;
  endpoint to_;
  int error_;
  bool begun_ = false;
};

#pragma GCC diagnostic pop

}  // namespace lockstep::detail
