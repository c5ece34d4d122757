// A socket of any family, as the calls on sockets see it. Results are the calls', errors minus the error number.
#pragma once

#include <lockstep/net/endpoint.hpp>
#include <lockstep/sim/open_file.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstddef>

namespace lockstep {
struct socket_status;
}

namespace lockstep::sim {

// Whether there may be so much memory.
constexpr bool is_memory(std::size_t size) noexcept { return size <= SSIZE_MAX; }
// Minus the error number of a call with such pieces, or 0. Source: import_iovec() of lib/iov_iter.c.
inline int refuse_pieces(const iovec* pieces, int count, int too_many) noexcept {
  if (count < 0 || count > IOV_MAX) return -too_many;
  return std::all_of(pieces, pieces + count, [](const iovec& each) { return is_memory(each.iov_len); }) ? 0 : -EINVAL;
}

// The bytes of all pieces together; 0 where there are too many.
inline std::size_t size_of(const iovec* pieces, int count) noexcept {
  if (count > IOV_MAX) return 0;
  std::size_t size = 0;
  for (int i = 0; i < count; ++i) size += pieces[i].iov_len;
  return size;
}

class socket : public open_file {
 public:
  virtual int bind(const sockaddr* address, socklen_t size) = 0;
  virtual int listen(int backlog) = 0;
  // The accepted socket is in `made`.
  virtual int accept(file_reference& made) = 0;
  virtual int connect(const sockaddr* address, socklen_t size) = 0;
  // `rest` has the address and control data; null for none of either.
  virtual std::int64_t receive(const iovec* into, int count, int flags, msghdr* rest) = 0;
  virtual std::int64_t send(const iovec* from, int count, int flags, const msghdr* rest) = 0;
  virtual int shutdown(int how) = 0;
  virtual int local_name(sockaddr* address, socklen_t* size) const = 0;
  virtual int peer_name(sockaddr* address, socklen_t* size) const = 0;
  // Of the one that accept() has just made: its peer may have gone already.
  virtual int accepted_name(sockaddr* address, socklen_t* size) const { return peer_name(address, size); }
  virtual int get_option(int level, int name, void* value, socklen_t* size) = 0;
  virtual int set_option(int level, int name, const void* value, socklen_t size) = 0;

  // For netstat: all but where it is.
  virtual void show(socket_status& as) const = 0;

  // -- for faults -------------------------------------------------------------------------------------------------

  // Whether a call would have to wait: one that reads or accepts for POLLIN, one that writes for POLLOUT.
  virtual bool would_wait(unsigned event) const noexcept { return (ready() & (event | POLLERR | POLLHUP)) == 0; }
  // Where it is, and where its peer is; nowhere if that has no address.
  endpoint local() const { return named(&socket::local_name); }
  virtual endpoint peer() const { return named(&socket::peer_name); }
  // Whether it asks for faults of connect() by itself.
  virtual bool connects_in_time() const noexcept { return false; }
  virtual bool has_datagrams() const noexcept { return false; }
  // Whether it has a connection that an error can end; and ends it with that.
  virtual bool is_connected() const noexcept { return false; }
  virtual void break_off(int /*error*/) {}

  std::int64_t read(const iovec* into, int count) override {
    return size_of(into, count) == 0 ? 0 : receive(into, count, 0, nullptr);
  }
  std::int64_t write(const iovec* from, int count) override { return send(from, count, MSG_NOSIGNAL, nullptr); }

  // Whoever watches is woken.
  // Source: sock_def_wakeup() and sk_state_change of Linux's net/core/sock.c.
  void state_changed() noexcept { notify(POLLIN | POLLOUT | POLLRDHUP | POLLERR | POLLHUP); }

 protected:
  socket(identity id, int status_flags) noexcept : open_file(id, status_flags, true) {}

 private:
  endpoint named(int (socket::*name)(sockaddr*, socklen_t*) const) const {
    sockaddr_storage stored{};
    socklen_t size = sizeof stored;
    auto* const address = reinterpret_cast<sockaddr*>(&stored);
    return (this->*name)(address, &size) == 0 ? endpoint::from(address, size).value_or(endpoint()) : endpoint();
  }
};

inline socket* open_file::as_socket() noexcept { return is_socket_ ? static_cast<socket*>(this) : nullptr; }

}  // namespace lockstep::sim
