#include <lockstep/sim/host.hpp>

#include <lockstep/net/name_query.hpp>
#include <lockstep/sim/disk_file.hpp>
#include <lockstep/sim/fault_list.hpp>
#include <lockstep/sim/name_service.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/tcp_socket.hpp>
#include <lockstep/sim/udp_socket.hpp>

#include <fmt/format.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include <filesystem>
#include <optional>
#include <string>

namespace lockstep::sim {

// -- descriptors ------------------------------------------------------------------------------------------------------

namespace {

// -- calls in words ---------------------------------------------------------------------------------------------------

std::string text_of_address(const sockaddr* address, socklen_t size) {
  if (const std::optional<endpoint> name = endpoint::from(address, size)) return name->text();
  if (size <= sizeof(sa_family_t) || address->sa_family != AF_UNIX) return "?";
  const auto* const path = reinterpret_cast<const char*>(address) + sizeof(sa_family_t);
  const std::string name(path, size - sizeof(sa_family_t));
  return name[0] == '\0' ? "@" + name.substr(1) : name.substr(0, name.find('\0'));
}

std::string text_of_kind(int domain, int type) {
  constexpr int kinds = 0xF;
  const int kind = type & kinds;
  const char* const family = domain == AF_INET ? "AF_INET" : domain == AF_INET6 ? "AF_INET6" : "AF_UNIX";
  const char* const what = kind == SOCK_STREAM ? "SOCK_STREAM" : kind == SOCK_DGRAM ? "SOCK_DGRAM" : "SOCK_SEQPACKET";
  return fmt::format("{}, {}", family, what);
}

// Those that are common in words.
std::string text_of_option(int level, int name) {
  if (level == SOL_SOCKET) {
    switch (name) {
      case SO_ERROR: return "SOL_SOCKET, SO_ERROR";
      case SO_REUSEADDR: return "SOL_SOCKET, SO_REUSEADDR";
      case SO_REUSEPORT: return "SOL_SOCKET, SO_REUSEPORT";
      case SO_KEEPALIVE: return "SOL_SOCKET, SO_KEEPALIVE";
      case SO_LINGER: return "SOL_SOCKET, SO_LINGER";
      case SO_SNDBUF: return "SOL_SOCKET, SO_SNDBUF";
      case SO_RCVBUF: return "SOL_SOCKET, SO_RCVBUF";
      case SO_BROADCAST: return "SOL_SOCKET, SO_BROADCAST";
      default: return fmt::format("SOL_SOCKET, {}", name);
    }
  }
  if (level == IPPROTO_TCP && name == TCP_NODELAY) return "IPPROTO_TCP, TCP_NODELAY";
  if (level == IPPROTO_TCP && name == TCP_USER_TIMEOUT) return "IPPROTO_TCP, TCP_USER_TIMEOUT";
  if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY) return "IPPROTO_IPV6, IPV6_V6ONLY";
  return fmt::format("{}, {}", level, name);
}

const char* text_of_how(int how) noexcept {
  return how == SHUT_RD ? "SHUT_RD" : how == SHUT_WR ? "SHUT_WR" : "SHUT_RDWR";
}

}  // namespace

template <class F, class Text>
auto host::traced(const F& call, const Text& text) {
  traffic_tap* const tap = network_ != nullptr ? network_->tap() : nullptr;
  if (tap == nullptr) [[likely]]
    return call();
  tap->tell_begin();
  decltype(call()) result = -ENOMEM;
  try {
    result = call();
  } catch (...) {
    tap->tell({this, text(), result});
    throw;
  }
  tap->tell({this, text(), result});
  return result;
}

template <class F>
auto host::with_socket(int fd, const F& call) {
  open_file* const file = table_.find(fd);
  sim::socket* const found = file == nullptr ? nullptr : file->as_socket();
  if (found != nullptr) [[likely]]
    return call(*found);
  return static_cast<decltype(call(*found))>(file == nullptr ? -EBADF : -ENOTSOCK);
}

template <class F>
auto host::with_file(int fd, const F& call) {
  open_file* const found = table_.find(fd);
  return found == nullptr ? static_cast<decltype(call(*found))>(-EBADF) : call(*found);
}

// What is bound to every address is at the host's first.
endpoint host::named_by_host(const endpoint& bound) const noexcept {
  return bound.address().is_any() ? endpoint(address(), bound.port()) : bound;
}

int host::fault_of(attempted_call call) {
  call.target_host = call.target.address().is_loopback() ? this : network_->host_of(call.target.address().unmapped());
  return -network_->faults().ask(call).error;
}

int host::fault_of(op what, sim::socket& of, unsigned event, std::size_t bytes) {
  if (event != 0 && of.would_wait(event)) return 0;
  attempted_call call{what, *this};
  const bool is_of_peer = what == op::read || what == op::write;
  call.bytes = bytes;
  call.connected = of.is_connected();
  call.of_datagrams = of.has_datagrams();
  if (of.as_unix() == nullptr) {
    call.target = is_of_peer ? of.peer() : named_by_host(of.local());
    return fault_of(call);
  }
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  auto* const written = reinterpret_cast<sockaddr*>(&name);
  // A server's end has the name of its listener, and its peer mostly none.
  const auto has_name = [&] { return size > sizeof(sa_family_t); };
  if (!is_of_peer || of.peer_name(written, &size) != 0 || !has_name()) {
    size = sizeof name;
    of.local_name(written, &size);
  }
  return fault_of_unix(call, has_name() ? text_of_address(written, size) : "");
}

// By the path to where its name leads, and as it is written.
int host::fault_of_unix(attempted_call call, const std::string& name) {
  call.of_unix = true;
  if (!name.starts_with('@') && !name.empty()) {
    file_names& all = files();
    const std::filesystem::path begin = all.text_of(all.working_directory());
    const std::string spelled = (begin / name).lexically_normal().string();
    const std::string found = all.path_to(all.working_directory(), name.c_str(), true);
    call.name = found.empty() ? spelled : found;
    call.spelled = spelled;
    return fault_of(call);
  }
  call.name = name;
  return fault_of(call);
}

bool host::is_socket(int fd) const noexcept {
  open_file* const file = table_.find(fd);
  return file != nullptr && file->as_socket() != nullptr;
}

// Bytes to or from a socket, unless a fault comes in between.
template <class F>
std::int64_t host::transfer(op what, int fd, std::size_t bytes, int flags, const F& call) {
  return with_socket(fd, [&](sim::socket& of) -> std::int64_t {
    if (network_->faults().any_on(what) && (flags & MSG_PEEK) == 0) [[unlikely]] {
      const int error = fault_of(what, of, what == op::read ? POLLIN : POLLOUT, bytes);
      const bool ends = error == -ECONNRESET || error == -EPIPE || error == -ETIMEDOUT || error == -EHOSTUNREACH ||
                        error == -ENETUNREACH;
      if (error != 0 && !(ends && of.is_connected())) return error;
      if (error != 0) of.break_off(-error);  // and the call finds that out
    }
    return call(of);
  });
}

std::int64_t host::read(int fd, void* into, std::size_t size) {
  return traced(
      [&]() -> std::int64_t {
        const iovec piece{into, size};
        const auto call = [&](open_file& file) { return is_memory(size) ? file.read(&piece, 1) : -EFAULT; };
        if (network_->faults().any_on(op::read) && is_socket(fd)) return transfer(op::read, fd, size, 0, call);
        return with_file(fd, call);
      },
      [&] { return fmt::format("read({}, {} bytes)", fd, size); });
}

std::int64_t host::write(int fd, const void* from, std::size_t size) {
  return traced(
      [&]() -> std::int64_t {
        const iovec piece{const_cast<void*>(from), size};
        const auto call = [&](open_file& file) { return is_memory(size) ? file.write(&piece, 1) : -EFAULT; };
        if (network_->faults().any_on(op::write) && is_socket(fd)) return transfer(op::write, fd, size, 0, call);
        return with_file(fd, call);
      },
      [&] { return fmt::format("write({}, {} bytes)", fd, size); });
}

std::int64_t host::readv(int fd, const iovec* into, int count) {
  return traced(
      [&]() -> std::int64_t {
        const auto call = [&](open_file& file) -> std::int64_t {
          if (const int refused = refuse_pieces(into, count, EINVAL); refused != 0) return refused;
          return size_of(into, count) == 0 ? 0 : file.read(into, count);
        };
        if (network_->faults().any_on(op::read) && is_socket(fd))
          return transfer(op::read, fd, size_of(into, count), 0, call);
        return with_file(fd, call);
      },
      [&] { return fmt::format("readv({}, {} bytes)", fd, size_of(into, count)); });
}

std::int64_t host::writev(int fd, const iovec* from, int count) {
  return traced(
      [&]() -> std::int64_t {
        const auto call = [&](open_file& file) -> std::int64_t {
          if (const int refused = refuse_pieces(from, count, EINVAL); refused != 0) return refused;
          // Unlike write(), which sends an empty message.
          return file.as_socket() != nullptr && size_of(from, count) == 0 ? 0 : file.write(from, count);
        };
        if (network_->faults().any_on(op::write) && is_socket(fd))
          return transfer(op::write, fd, size_of(from, count), 0, call);
        return with_file(fd, call);
      },
      [&] { return fmt::format("writev({}, {} bytes)", fd, size_of(from, count)); });
}

int host::close(int fd) {
  return traced(
      [&]() -> int {
        const file_reference closed = table_.remove(fd);
        if (!closed) return -EBADF;
        drop_locks(closed);
        if (!network_->faults().any_on(op::close)) [[likely]]
          return 0;
        if (disk_file* const file = closed->as_disk_file()) return fault_in_memory(op::close, file->file());
        return closed->as_socket() != nullptr ? fault_of(op::close, *closed->as_socket(), 0, 0) : 0;
      },
      [&] { return fmt::format("close({})", fd); });
}

int host::dup(int fd) {
  return with_file(fd, [&](open_file& file) { return table_.add(&file, false); });
}

int host::dup3(int fd, int as, int flags) {
  if ((flags & ~O_CLOEXEC) != 0 || fd == as) return -EINVAL;
  if (as < 0 || static_cast<std::size_t>(as) >= table_.limit()) return -EBADF;
  return with_file(fd, [&](open_file& file) {
    drop_locks(table_.find(as));
    table_.put(as, &file, (flags & O_CLOEXEC) != 0);
    return as;
  });
}

int host::fcntl(int fd, int command, std::int64_t argument) {
  descriptor_table::slot* const slot = table_.find_slot(fd);
  if (slot == nullptr) return -EBADF;
  open_file& file = *slot->file;
  constexpr int changeable = O_APPEND | O_ASYNC | O_DIRECT | O_NOATIME | O_NONBLOCK;
  switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
      if (argument < 0 || static_cast<std::size_t>(argument) >= table_.limit()) return -EINVAL;
      return table_.add(&file, command == F_DUPFD_CLOEXEC, static_cast<int>(argument));
    case F_GETFD: return slot->closes_on_exec ? FD_CLOEXEC : 0;
    case F_SETFD: slot->closes_on_exec = (argument & FD_CLOEXEC) != 0; return 0;
    case F_GETFL: return file.status_flags();
    case F_SETFL:
      if ((file.status_flags() & O_PATH) != 0) return -EBADF;
      detail::touch(file.id(), access::write);
      file.set_status_flags((file.status_flags() & ~changeable) | (static_cast<int>(argument) & changeable));
      return 0;
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
      return file.as_disk_file() == nullptr ? lock_of_no_file(command, argument)
                                            : lock(*file.as_disk_file(), command, argument);
    default: return file.control(command, argument);
  }
}

int host::ioctl(int fd, unsigned long request, void* argument) {
  descriptor_table::slot* const slot = table_.find_slot(fd);
  if (slot == nullptr) return -EBADF;
  open_file& file = *slot->file;
  switch (request) {
    case FIOCLEX: slot->closes_on_exec = true; return 0;
    case FIONCLEX: slot->closes_on_exec = false; return 0;
    case FIONBIO:
      file.set_status_flags((file.status_flags() & ~O_NONBLOCK) | (*static_cast<int*>(argument) != 0 ? O_NONBLOCK : 0));
      return 0;
    default: return file.ioctl(request, argument);
  }
}

// -- readiness --------------------------------------------------------------------------------------------------------

int host::poll(pollfd* fds, nfds_t count) {
  int ready = 0;
  for (nfds_t i = 0; i < count; ++i) {
    pollfd& each = fds[i];
    each.revents = 0;
    if (each.fd < 0) continue;
    const open_file* const file = table_.find(each.fd);
    const auto wanted = static_cast<unsigned>(static_cast<unsigned short>(each.events)) | POLLERR | POLLHUP;
    each.revents = static_cast<short>(file == nullptr ? POLLNVAL : file->ready() & wanted);
    if (file != nullptr) detail::touch(file->touched_id(), access::read);
    if (each.revents != 0) ++ready;
  }
  return ready;
}

int host::watch(int fd, unsigned events, readiness_watch& by) {
  return with_file(fd, [&](open_file& file) {
    by.set_events(events);
    file.watch(by);
    if ((file.ready() & (events | POLLERR | POLLHUP)) != 0) by.may_be_ready();
    return 0;
  });
}

void host::opened_at(int fd, const source& where) noexcept {
  if (open_file* const file = table_.find(fd)) file->set_opened_at(where);
}

// -- sockets ----------------------------------------------------------------------------------------------------------

int host::socket(int domain, int type, int protocol) {
  return traced(
      [&]() -> int {
        constexpr int kinds = 0xF;
        constexpr int protocol_max = 262;
        const int kind = type & kinds;
        if ((type & ~(kinds | SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0) return -EINVAL;
        if (domain == AF_UNIX) return unix_socket_of(type, protocol);
        if (domain != AF_INET && domain != AF_INET6) return -EAFNOSUPPORT;
        if (protocol < 0 || protocol > protocol_max) return -EINVAL;
        if (kind != SOCK_STREAM && kind != SOCK_DGRAM) return -ESOCKTNOSUPPORT;
        if (protocol != 0 && protocol != (kind == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP)) return -EPROTONOSUPPORT;
        if (!network_->faults().empty()) [[unlikely]] {
          if (const int error = fault_of({op::socket, *this}); error != 0) return error;
        }
        if (const int none = table_.lacks_room(); none != 0) return none;
        const int flags = O_RDWR | ((type & SOCK_NONBLOCK) != 0 ? O_NONBLOCK : 0);
        const identity id = network_->owner().identity_of_new();
        file_reference made;
        if (kind == SOCK_STREAM) {
          made = new tcp_socket(*this, id, domain == AF_INET6, flags);
        } else {
          made = new udp_socket(*this, id, domain == AF_INET6, flags);
        }
        return table_.add(made, (type & SOCK_CLOEXEC) != 0);
      },
      [&] { return fmt::format("socket({})", text_of_kind(domain, type)); });
}

int host::bind(int fd, const sockaddr* address, socklen_t size) {
  return traced(
      [&]() -> int {
        return with_socket(fd, [&](sim::socket& of) {
          if (!network_->faults().empty()) [[unlikely]] {
            attempted_call call{op::bind, *this};
            call.target = named_by_host(endpoint::from(address, size).value_or(endpoint()));
            const bool is_unix = of.as_unix() != nullptr;
            const int error = is_unix ? fault_of_unix(call, text_of_address(address, size)) : fault_of(call);
            if (error != 0) return error;
          }
          return of.bind(address, size);
        });
      },
      [&] { return fmt::format("bind({}, {})", fd, text_of_address(address, size)); });
}

int host::listen(int fd, int backlog) {
  return traced(
      [&]() -> int {
        return with_socket(fd, [&](sim::socket& of) {
          const int error = !network_->faults().any_on(op::listen) ? 0 : fault_of(op::listen, of, 0, 0);
          return error != 0 ? error : of.listen(backlog);
        });
      },
      [&] { return fmt::format("listen({}, {})", fd, backlog); });
}

int host::accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  return traced(
      [&]() -> int {
        if ((flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0) return -EINVAL;
        return with_socket(fd, [&](sim::socket& of) {
          if (const int none = table_.lacks_room(); none != 0) return none;
          file_reference made;
          const int error = !network_->faults().any_on(op::accept) ? 0 : fault_of(op::accept, of, POLLIN, 0);
          if (error != 0 && error != -ECONNABORTED) return error;
          if (const int failed = of.accept(made); failed != 0) return failed;
          if (error != 0) {  // it has gone before it was taken
            if (made->as_socket()->is_connected()) made->as_socket()->break_off(ECONNRESET);
            return error;
          }
          if ((flags & SOCK_NONBLOCK) != 0) made->set_status_flags(O_RDWR | O_NONBLOCK);
          if (address != nullptr && made->as_socket()->accepted_name(address, size) != 0) *size = 0;
          return table_.add(made, (flags & SOCK_CLOEXEC) != 0);
        });
      },
      [&] { return fmt::format("accept({})", fd); });
}

int host::connect(int fd, const sockaddr* address, socklen_t size) {
  return traced(
      [&]() -> int {
        return with_socket(fd, [&](sim::socket& of) {
          if (!network_->faults().empty() && !of.connects_in_time()) [[unlikely]] {
            attempted_call call{op::connect, *this};
            call.of_datagrams = of.has_datagrams();
            call.target = endpoint::from(address, size).value_or(endpoint());
            const bool is_unix = of.as_unix() != nullptr;
            const int error = is_unix ? fault_of_unix(call, text_of_address(address, size)) : fault_of(call);
            if (error != 0) return error;
          }
          return of.connect(address, size);
        });
      },
      [&] { return fmt::format("connect({}, {})", fd, text_of_address(address, size)); });
}

std::int64_t host::recvmsg(int fd, msghdr* message, int flags) {
  return traced(
      [&]() -> std::int64_t {
        const auto count = static_cast<int>(message->msg_iovlen);
        return transfer(op::read, fd, size_of(message->msg_iov, count), flags, [&](sim::socket& of) -> std::int64_t {
          const int refused = refuse_pieces(message->msg_iov, count, EMSGSIZE);
          return refused != 0 ? refused : of.receive(message->msg_iov, count, flags, message);
        });
      },
      [&] {
        return fmt::format("recvmsg({}, {} bytes)", fd,
                           size_of(message->msg_iov, static_cast<int>(message->msg_iovlen)));
      });
}

std::int64_t host::sendmsg(int fd, const msghdr* message, int flags) {
  return traced(
      [&]() -> std::int64_t {
        const auto count = static_cast<int>(message->msg_iovlen);
        return transfer(op::write, fd, size_of(message->msg_iov, count), flags, [&](sim::socket& of) -> std::int64_t {
          const int refused = refuse_pieces(message->msg_iov, count, EMSGSIZE);
          return refused != 0 ? refused : of.send(message->msg_iov, count, flags, message);
        });
      },
      [&] {
        return fmt::format("sendmsg({}, {} bytes)", fd,
                           size_of(message->msg_iov, static_cast<int>(message->msg_iovlen)));
      });
}

std::int64_t host::recv(int fd, void* into, std::size_t size, int flags) {
  return traced(
      [&]() -> std::int64_t {
        const iovec piece{into, size};
        return transfer(op::read, fd, size, flags,
                        [&](sim::socket& of) { return of.receive(&piece, 1, flags, nullptr); });
      },
      [&] { return fmt::format("recv({}, {} bytes)", fd, size); });
}

std::int64_t host::send(int fd, const void* from, std::size_t size, int flags) {
  return traced(
      [&]() -> std::int64_t {
        const iovec piece{const_cast<void*>(from), size};
        return transfer(op::write, fd, size, flags,
                        [&](sim::socket& of) { return of.send(&piece, 1, flags, nullptr); });
      },
      [&] { return fmt::format("send({}, {} bytes)", fd, size); });
}

int host::shutdown(int fd, int how) {
  return traced([&]() -> int { return with_socket(fd, [&](sim::socket& of) { return of.shutdown(how); }); },
                [&] { return fmt::format("shutdown({}, {})", fd, text_of_how(how)); });
}

int host::getsockname(int fd, sockaddr* address, socklen_t* size) {
  return with_socket(fd, [&](sim::socket& of) { return of.local_name(address, size); });
}

int host::getpeername(int fd, sockaddr* address, socklen_t* size) {
  return with_socket(fd, [&](sim::socket& of) { return of.peer_name(address, size); });
}

int host::getsockopt(int fd, int level, int name, void* value, socklen_t* size) {
  return traced(
      [&]() -> int {
        return with_socket(fd, [&](sim::socket& of) { return of.get_option(level, name, value, size); });
      },
      [&] { return fmt::format("getsockopt({}, {})", fd, text_of_option(level, name)); });
}

int host::setsockopt(int fd, int level, int name, const void* value, socklen_t size) {
  return traced(
      [&]() -> int {
        return with_socket(fd, [&](sim::socket& of) { return of.set_option(level, name, value, size); });
      },
      [&] { return fmt::format("setsockopt({}, {})", fd, text_of_option(level, name)); });
}

int host::look_up(name_query& asked) {
  return traced(
      [&]() -> int {
        if (!network_->faults().empty()) [[unlikely]] {
          attempted_call call{op::resolve, *this};
          call.name = asked.name();
          if (const int error = -fault_of(call); error != 0) {
            asked.answer({error, 0, {}});
            return 0;
          }
        }
        return network_->dns().look_up(*this, asked);
      },
      [&] { return fmt::format("look_up({})", asked.name()); });
}

}  // namespace lockstep::sim
