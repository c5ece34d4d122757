#include <lockstep/real/linux_calls.hpp>

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <new>

namespace lockstep::real {

namespace {

constexpr std::uint32_t always_told = EPOLLERR | EPOLLHUP;

template <class Result>
Result or_error(Result result) noexcept {
  return result < 0 ? static_cast<Result>(-errno) : result;
}

// O_NONBLOCK changes nothing about them.
bool is_on_disk(int fd) noexcept {
  struct stat is {};
  return ::fstat(fd, &is) == 0 && (S_ISREG(is.st_mode) || S_ISDIR(is.st_mode));
}

// As long as it lives, no call on the descriptor waits. Of what is on a disk, on which several threads may be at work
// at once, the flags are left alone.
class without_waiting {
 public:
  explicit without_waiting(int fd) noexcept : fd_(fd), flags_(::fcntl(fd, F_GETFL)) {
    must_change_ = flags_ >= 0 && (flags_ & O_NONBLOCK) == 0 && !is_on_disk(fd);
    if (must_change_) ::fcntl(fd_, F_SETFL, flags_ | O_NONBLOCK);
  }
  without_waiting(const without_waiting&) = delete;
  without_waiting& operator=(const without_waiting&) = delete;
  ~without_waiting() {
    if (!must_change_) return;
    const int error = errno;
    ::fcntl(fd_, F_SETFL, flags_);
    errno = error;
  }

 private:
  int fd_;
  int flags_;
  bool must_change_ = false;
};

// As long as it lives, this thread gets no SIGPIPE.
class without_sigpipe {
 public:
  without_sigpipe() noexcept {
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    if (was_pending_) return;
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  without_sigpipe(const without_sigpipe&) = delete;
  without_sigpipe& operator=(const without_sigpipe&) = delete;
  ~without_sigpipe() {
    if (was_pending_) return;
    const int error = errno;
    if (error == EPIPE) {
      const timespec at_once{};
      while (sigtimedwait(&sigpipe_, nullptr, &at_once) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = error;
  }

 private:
  sigset_t sigpipe_;
  sigset_t before_;
  bool was_pending_;
};

}  // namespace

linux_calls::~linux_calls() {
  if (epoll_ >= 0) ::close(epoll_);
}

// -- descriptors ------------------------------------------------------------------------------------------------------

std::int64_t linux_calls::read(int fd, void* into, std::size_t size) {
  const without_waiting scope(fd);
  return or_error(::read(fd, into, size));
}

std::int64_t linux_calls::write(int fd, const void* from, std::size_t size) {
  const without_waiting scope(fd);
  const without_sigpipe quietly;
  errno = 0;
  return or_error(::write(fd, from, size));
}

std::int64_t linux_calls::readv(int fd, const iovec* into, int count) {
  const without_waiting scope(fd);
  return or_error(::readv(fd, into, count));
}

std::int64_t linux_calls::writev(int fd, const iovec* from, int count) {
  const without_waiting scope(fd);
  const without_sigpipe quietly;
  errno = 0;
  return or_error(::writev(fd, from, count));
}

int linux_calls::close(int fd) {
  if (fd >= 0 && fd == epoll_) return -EBADF;
  forget(fd);
  return or_error(::close(fd));
}

int linux_calls::dup(int fd) { return or_error(::dup(fd)); }

int linux_calls::dup3(int fd, int as, int flags) {
  if (fd != as && ::fcntl(fd, F_GETFD) >= 0) forget(as);
  return or_error(::dup3(fd, as, flags));
}

int linux_calls::fcntl(int fd, int command, std::int64_t argument) {
  if (command == F_SETLKW) command = F_SETLK;
  if (command == F_OFD_SETLKW) command = F_OFD_SETLK;
  return or_error(::fcntl(fd, command, static_cast<long>(argument)));
}

int linux_calls::ioctl(int fd, unsigned long request, void* argument) {
  return or_error(::ioctl(fd, request, argument));
}

int linux_calls::pipe2(int fds[2], int flags) { return or_error(::pipe2(fds, flags)); }

int linux_calls::eventfd(unsigned value, int flags) { return or_error(::eventfd(value, flags)); }

int linux_calls::timerfd_create(int clock, int flags) { return or_error(::timerfd_create(clock, flags)); }

int linux_calls::timerfd_settime(int fd, int flags, const itimerspec* value, itimerspec* before) {
  return or_error(::timerfd_settime(fd, flags, value, before));
}

int linux_calls::timerfd_gettime(int fd, itimerspec* value) { return or_error(::timerfd_gettime(fd, value)); }

// -- readiness --------------------------------------------------------------------------------------------------------

int linux_calls::poll(pollfd* fds, nfds_t count) { return or_error(::poll(fds, count, 0)); }

int linux_calls::epoll_create1(int flags) { return or_error(::epoll_create1(flags)); }

int linux_calls::epoll_ctl(int epoll, int operation, int fd, epoll_event* event) {
  return or_error(::epoll_ctl(epoll, operation, fd, event));
}

int linux_calls::epoll_wait(int epoll, epoll_event* events, int events_max) {
  return or_error(::epoll_wait(epoll, events, events_max, 0));
}

static_assert(EPOLLIN == POLLIN && EPOLLOUT == POLLOUT && EPOLLPRI == POLLPRI && EPOLLERR == POLLERR &&
                  EPOLLHUP == POLLHUP && EPOLLRDHUP == POLLRDHUP,
              "poll() and epoll have the same names for what is ready");

// A number may stand for another descriptor than the one epoll was told of, if that was closed behind our back.
int linux_calls::ask(int fd, watched& of, std::uint32_t events) noexcept {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  int result = ::epoll_ctl(epoll_, of.asked == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
  if (result < 0 && errno == ENOENT) result = ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  if (result < 0) return -errno;
  of.asked = events;
  return 0;
}

// The end if there is no memory for it.
auto linux_calls::entry_of(int fd) noexcept -> entries::iterator {
  try {
    return watched_.try_emplace(fd).first;
  } catch (const std::bad_alloc&) {
    return watched_.end();
  }
}

int linux_calls::watch(int fd, unsigned events, readiness_watch& by) {
  if (epoll_ < 0) {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ < 0) return -errno;
  }
  const auto at = entry_of(fd);
  if (at == watched_.end()) return -ENOMEM;
  watched& of = at->second;
  const std::uint32_t wanted = events | always_told;
  if (of.watches.empty() || (of.asked & wanted) != wanted) {
    if (const int error = ask(fd, of, of.asked | wanted); error != 0) {
      if (of.watches.empty()) watched_.erase(at);
      return error;
    }
  }
  by.set_events(events);
  of.watches.push_back(by);
  ++watches_;
  return 0;
}

void linux_calls::unwatch(readiness_watch& watch) noexcept {
  watch.unlink();
  --watches_;
}

void linux_calls::deliver() noexcept {
  if (!watching()) return;
  constexpr int at_once = 64;
  epoll_event events[at_once];
  const int count = ::epoll_wait(epoll_, events, at_once, 0);
  for (int i = 0; i < count; ++i) tell(events[i].data.fd, events[i].events);
}

// Those that were on before, in their order. Whoever is told may take off itself and others, put on others and close
// the descriptor.
void linux_calls::tell(int fd, std::uint32_t events) noexcept {
  const auto found = watched_.find(fd);
  if (found == watched_.end()) return;
  watched& of = found->second;
  if (of.watches.empty()) {
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
    watched_.erase(found);
    return;
  }
  std::uint32_t wanted = always_told;
  for (const readiness_watch& each : of.watches) wanted |= each.events();
  if ((events & ~wanted) != 0) ask(fd, of, wanted);
  class end_of_those_before final : public readiness_watch {
    void may_be_ready() noexcept override {}
    void was_closed() noexcept override {}
  } end;
  of.watches.push_back(end);
  ++watches_;
  while (end.linked() && &of.watches.front() != &end) {
    readiness_watch& next = of.watches.pop_front();
    of.told.push_back(next);
    if ((events & (next.events() | always_told)) != 0) next.may_be_ready();
  }
  if (!end.linked()) return;  // the descriptor was closed
  unwatch(end);
  of.told.splice_back(of.watches);
  of.watches.splice_back(of.told);
}

void linux_calls::forget(int fd) noexcept {
  const auto found = watched_.find(fd);
  if (found == watched_.end()) return;
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  const auto closed = watched_.extract(found);
  watched::list& left = closed.mapped().told;
  left.splice_back(closed.mapped().watches);
  while (!left.empty()) {
    readiness_watch& next = left.pop_front();
    --watches_;
    next.was_closed();
  }
}

// -- sockets ----------------------------------------------------------------------------------------------------------

int linux_calls::socket(int domain, int type, int protocol) { return or_error(::socket(domain, type, protocol)); }

int linux_calls::socketpair(int domain, int type, int protocol, int fds[2]) {
  return or_error(::socketpair(domain, type, protocol, fds));
}

int linux_calls::bind(int fd, const sockaddr* address, socklen_t size) { return or_error(::bind(fd, address, size)); }

int linux_calls::listen(int fd, int backlog) { return or_error(::listen(fd, backlog)); }

int linux_calls::accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
  const without_waiting scope(fd);
  return or_error(::accept4(fd, address, size, flags));
}

int linux_calls::connect(int fd, const sockaddr* address, socklen_t size) {
  const without_waiting scope(fd);
  return or_error(::connect(fd, address, size));
}

std::int64_t linux_calls::recvmsg(int fd, msghdr* message, int flags) {
  return or_error(::recvmsg(fd, message, flags | MSG_DONTWAIT));
}

std::int64_t linux_calls::sendmsg(int fd, const msghdr* message, int flags) {
  return or_error(::sendmsg(fd, message, flags | MSG_DONTWAIT | MSG_NOSIGNAL));
}

std::int64_t linux_calls::recv(int fd, void* into, std::size_t size, int flags) {
  return or_error(::recv(fd, into, size, flags | MSG_DONTWAIT));
}

std::int64_t linux_calls::send(int fd, const void* from, std::size_t size, int flags) {
  return or_error(::send(fd, from, size, flags | MSG_DONTWAIT | MSG_NOSIGNAL));
}

int linux_calls::shutdown(int fd, int how) { return or_error(::shutdown(fd, how)); }

int linux_calls::getsockname(int fd, sockaddr* address, socklen_t* size) {
  return or_error(::getsockname(fd, address, size));
}

int linux_calls::getpeername(int fd, sockaddr* address, socklen_t* size) {
  return or_error(::getpeername(fd, address, size));
}

int linux_calls::getsockopt(int fd, int level, int name, void* value, socklen_t* size) {
  return or_error(::getsockopt(fd, level, name, value, size));
}

int linux_calls::setsockopt(int fd, int level, int name, const void* value, socklen_t size) {
  return or_error(::setsockopt(fd, level, name, value, size));
}

}  // namespace lockstep::real
