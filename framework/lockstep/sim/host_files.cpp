#include <lockstep/sim/epoll.hpp>
#include <lockstep/sim/event_files.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/pipe.hpp>
#include <lockstep/sim/unix_socket.hpp>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include <limits>
#include <memory>

namespace lockstep::sim {

int host::add_pair(const file_reference& first, const file_reference& second, bool closes_on_exec, int fds[2]) {
  const int one = table_.add(first, closes_on_exec);
  if (one < 0) return one;
  const int other = table_.add(second, closes_on_exec);
  if (other < 0) {
    table_.remove(one);
    return other;
  }
  fds[0] = one;
  fds[1] = other;
  return 0;
}

// -- pipes, events and timers -----------------------------------------------------------------------------------------

int host::pipe2(int fds[2], int flags) {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT)) != 0) return -EINVAL;
  if (const int none = table_.lacks_room(2); none != 0) return none;
  const identity both = network_->owner().identity_of_new();
  const auto between = std::make_shared<pipe_buffers>(network_->memory());
  const file_reference reader = new pipe_end(both, between, O_RDONLY | (flags & O_NONBLOCK));
  const file_reference writer = new pipe_end(both, between, O_WRONLY | (flags & (O_NONBLOCK | O_DIRECT)));
  return add_pair(reader, writer, (flags & O_CLOEXEC) != 0, fds);
}

int host::eventfd(unsigned value, int flags) {
  if ((flags & ~(EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK)) != 0) return -EINVAL;
  if (const int none = table_.lacks_room(); none != 0) return none;
  const file_reference made = new event_file(network_->owner().identity_of_new(), value, (flags & EFD_SEMAPHORE) != 0,
                                             O_RDWR | (flags & EFD_NONBLOCK));
  return table_.add(made, (flags & EFD_CLOEXEC) != 0);
}

int host::timerfd_create(int clock, int flags) {
  const bool known = clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME ||
                     clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM;
  if ((flags & ~(TFD_CLOEXEC | TFD_NONBLOCK)) != 0 || !known) return -EINVAL;
  if (!privileged_ && (clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM)) return -EPERM;
  if (const int none = table_.lacks_room(); none != 0) return none;
  const file_reference made =
      new timer_file(*this, network_->owner().identity_of_new(), clock, O_RDWR | (flags & TFD_NONBLOCK));
  return table_.add(made, (flags & TFD_CLOEXEC) != 0);
}

int host::timerfd_settime(int fd, int flags, const itimerspec* value, itimerspec* before) {
  open_file* const file = table_.find(fd);
  if (file == nullptr) return -EBADF;
  timer_file* const found = file->as_timer();
  return found == nullptr ? -EINVAL : found->set(flags, *value, before);
}

int host::timerfd_gettime(int fd, itimerspec* value) {
  open_file* const file = table_.find(fd);
  if (file == nullptr) return -EBADF;
  timer_file* const found = file->as_timer();
  return found == nullptr ? -EINVAL : found->get(*value);
}

void host::add(timer_file& made) noexcept { timer_files_.push_back(made); }

// -- epoll ------------------------------------------------------------------------------------------------------------

int host::epoll_create1(int flags) {
  if ((flags & ~EPOLL_CLOEXEC) != 0) return -EINVAL;
  if (const int none = table_.lacks_room(); none != 0) return none;
  const file_reference made = new sim::epoll(network_->owner().identity_of_new(), O_RDWR);
  return table_.add(made, (flags & EPOLL_CLOEXEC) != 0);
}

int host::epoll_ctl(int epoll, int operation, int fd, epoll_event* event) {
  if (event == nullptr && operation != EPOLL_CTL_DEL) return -EFAULT;
  open_file* const by = table_.find(epoll);
  open_file* const file = table_.find(fd);
  if (by == nullptr || file == nullptr) return -EBADF;
  if (!file->can_be_polled()) return -EPERM;
  if (by == file || by->as_epoll() == nullptr) return -EINVAL;
  return by->as_epoll()->control_item(operation, fd, *file, event);
}

int host::epoll_wait(int epoll, epoll_event* events, int events_max) {
  open_file* const by = table_.find(epoll);
  if (by == nullptr) return -EBADF;
  constexpr int most = std::numeric_limits<int>::max() / static_cast<int>(sizeof(epoll_event));
  if (events_max <= 0 || events_max > most || by->as_epoll() == nullptr) return -EINVAL;
  return by->as_epoll()->wait(events, events_max);
}

// -- Unix sockets and names -------------------------------------------------------------------------------------------

ucred host::credentials() const noexcept {
  constexpr unsigned somebody = 1000;
  if (files_ != nullptr) return {1, files_->who().user, files_->who().group};
  return {1, privileged_ ? 0 : somebody, privileged_ ? 0 : somebody};
}

namespace {

// The type of Unix socket that is meant, or why there is none.
int unix_type(int type, int protocol) noexcept {
  constexpr int types = 11;
  const int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (kind < 0 || kind >= types) return -EINVAL;
  if (protocol != 0 && protocol != PF_UNIX) return -EPROTONOSUPPORT;
  if (kind == SOCK_RAW) return SOCK_DGRAM;
  return kind == SOCK_STREAM || kind == SOCK_DGRAM || kind == SOCK_SEQPACKET ? kind : -ESOCKTNOSUPPORT;
}

int unix_flags(int type) noexcept { return O_RDWR | ((type & SOCK_NONBLOCK) != 0 ? O_NONBLOCK : 0); }

}  // namespace

int host::unix_socket_of(int type, int protocol) {
  const int kind = unix_type(type, protocol);
  if (kind < 0) return kind;
  if (const int none = table_.lacks_room(); none != 0) return none;
  const file_reference made = new unix_socket(*this, network_->owner().identity_of_new(), kind, unix_flags(type));
  return table_.add(made, (type & SOCK_CLOEXEC) != 0);
}

int host::socketpair(int domain, int type, int protocol, int fds[2]) {
  if (domain == AF_INET || domain == AF_INET6) return -EOPNOTSUPP;
  if (domain != AF_UNIX) return -EAFNOSUPPORT;
  const int kind = unix_type(type, protocol);
  if (kind < 0) return kind;
  if (const int none = table_.lacks_room(2); none != 0) return none;
  auto* const one = new unix_socket(*this, network_->owner().identity_of_new(), kind, unix_flags(type));
  const file_reference first = one;
  auto* const other = new unix_socket(*this, network_->owner().identity_of_new(), kind, unix_flags(type));
  const file_reference second = other;
  unix_socket::pair(*one, *other);
  return add_pair(first, second, (type & SOCK_CLOEXEC) != 0, fds);
}

}  // namespace lockstep::sim
