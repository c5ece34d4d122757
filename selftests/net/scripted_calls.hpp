// A system in which a test says what recv() and watch() do. Nothing else is there.
#pragma once

#include <lockstep/system/calls.hpp>

#include <cerrno>
#include <functional>

namespace lockstep {

class scripted_calls : public system_calls {
 public:
  std::function<std::int64_t()> on_recv = [] { return -EAGAIN; };
  int watch_result = 0;
  // Null if no watch is on; at most one may be.
  readiness_watch* watching() const noexcept { return watching_; }

  std::int64_t recv(int, void*, std::size_t, int) override { return on_recv(); }
  int watch(int, unsigned, readiness_watch& by) override {
    if (watch_result == 0) watching_ = &by;
    return watch_result;
  }
  void unwatch(readiness_watch&) noexcept override { watching_ = nullptr; }
  int close(int) override { return 0; }

  std::int64_t read(int, void*, std::size_t) override { return -ENOSYS; }
  std::int64_t write(int, const void*, std::size_t) override { return -ENOSYS; }
  std::int64_t readv(int, const iovec*, int) override { return -ENOSYS; }
  std::int64_t writev(int, const iovec*, int) override { return -ENOSYS; }
  int dup(int) override { return -ENOSYS; }
  int dup3(int, int, int) override { return -ENOSYS; }
  int fcntl(int, int, std::int64_t) override { return -ENOSYS; }
  int ioctl(int, unsigned long, void*) override { return -ENOSYS; }
  int pipe2(int*, int) override { return -ENOSYS; }
  int eventfd(unsigned, int) override { return -ENOSYS; }
  int timerfd_create(int, int) override { return -ENOSYS; }
  int timerfd_settime(int, int, const itimerspec*, itimerspec*) override { return -ENOSYS; }
  int timerfd_gettime(int, itimerspec*) override { return -ENOSYS; }
  int poll(pollfd*, nfds_t) override { return -ENOSYS; }
  int epoll_create1(int) override { return -ENOSYS; }
  int epoll_ctl(int, int, int, epoll_event*) override { return -ENOSYS; }
  int epoll_wait(int, epoll_event*, int) override { return -ENOSYS; }
  int socket(int, int, int) override { return -ENOSYS; }
  int socketpair(int, int, int, int*) override { return -ENOSYS; }
  int bind(int, const sockaddr*, socklen_t) override { return -ENOSYS; }
  int listen(int, int) override { return -ENOSYS; }
  int accept4(int, sockaddr*, socklen_t*, int) override { return -ENOSYS; }
  int connect(int, const sockaddr*, socklen_t) override { return -ENOSYS; }
  std::int64_t recvmsg(int, msghdr*, int) override { return -ENOSYS; }
  std::int64_t sendmsg(int, const msghdr*, int) override { return -ENOSYS; }
  std::int64_t send(int, const void*, std::size_t, int) override { return -ENOSYS; }
  int shutdown(int, int) override { return -ENOSYS; }
  int getsockname(int, sockaddr*, socklen_t*) override { return -ENOSYS; }
  int getpeername(int, sockaddr*, socklen_t*) override { return -ENOSYS; }
  int getsockopt(int, int, int, void*, socklen_t*) override { return -ENOSYS; }
  int setsockopt(int, int, int, const void*, socklen_t) override { return -ENOSYS; }

 private:
  readiness_watch* watching_ = nullptr;
};

}  // namespace lockstep
