// The calls of an operating system, as Linux has them: sim::host answers them from its kernel, real::linux_calls passes
// them on. What is built on them, the coroutine face in `net`, runs on either.
//
// Each call is made at once and never waits: where Linux would block it fails with EAGAIN, or EINPROGRESS for
// connect(), as on a descriptor with O_NONBLOCK. Who wants to wait has the descriptor watched, and makes the call
// again. Results are Linux's, but for errors, which are minus the error number: there is no errno. Threads: those of
// the loop whose system this is. Source: the manual page of each call, section 2.
#pragma once

#include <lockstep/base/intrusive_list.hpp>
#include <lockstep/base/source.hpp>
#include <lockstep/system/file_calls.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>

struct epoll_event;

namespace lockstep {

class name_query;

// Waits for a descriptor to become ready. In one list at most; it must be taken off before it dies.
class readiness_watch : public list_hook<readiness_watch> {
 public:
  // What it waits for may have come: the call is to be made again. It goes on watching; it may take off itself and
  // others.
  virtual void may_be_ready() noexcept = 0;
  // Nothing more comes, as the descriptor is closed. It has been taken off.
  virtual void was_closed() noexcept = 0;

  // As poll() takes them; POLLERR and POLLHUP are always waited for.
  unsigned events() const noexcept { return events_; }
  void set_events(unsigned events) noexcept { events_ = events; }

 protected:
  readiness_watch() noexcept { mark_unlinked(); }
  ~readiness_watch() = default;

 private:
  unsigned events_ = 0;
};

class system_calls : public file_calls, public std::enable_shared_from_this<system_calls> {
 public:
  system_calls() = default;
  system_calls(const system_calls&) = delete;
  system_calls& operator=(const system_calls&) = delete;
  virtual ~system_calls() = default;

  // -- descriptors ------------------------------------------------------------------------------------------------

  virtual std::int64_t read(int fd, void* into, std::size_t size) = 0;
  virtual std::int64_t write(int fd, const void* from, std::size_t size) = 0;
  virtual std::int64_t readv(int fd, const iovec* into, int count) = 0;
  virtual std::int64_t writev(int fd, const iovec* from, int count) = 0;
  virtual int close(int fd) = 0;
  virtual int dup(int fd) = 0;
  virtual int dup3(int fd, int as, int flags) = 0;
  virtual int fcntl(int fd, int command, std::int64_t argument) = 0;
  virtual int ioctl(int fd, unsigned long request, void* argument) = 0;
  virtual int pipe2(int fds[2], int flags) = 0;
  virtual int eventfd(unsigned value, int flags) = 0;
  virtual int timerfd_create(int clock, int flags) = 0;
  virtual int timerfd_settime(int fd, int flags, const itimerspec* value, itimerspec* before) = 0;
  virtual int timerfd_gettime(int fd, itimerspec* value) = 0;

  // -- readiness --------------------------------------------------------------------------------------------------

  // What is ready now.
  virtual int poll(pollfd* fds, nfds_t count) = 0;
  virtual int epoll_create1(int flags) = 0;
  virtual int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) = 0;
  virtual int epoll_wait(int epoll, epoll_event* events, int events_max) = 0;
  // `by` is told, until it is taken off, whenever one of those events may have come since. Requires that it is off.
  virtual int watch(int fd, unsigned events, readiness_watch& by) = 0;
  // Requires that it is on.
  virtual void unwatch(readiness_watch& watch) noexcept = 0;
  // For reports: whoever opened the descriptor stood at that line.
  virtual void opened_at(int /*fd*/, const source& /*where*/) noexcept {}
  // Likewise of the lock that it has.
  virtual void locked_at(int /*fd*/, const source& /*where*/) noexcept {}

  // -- sockets ----------------------------------------------------------------------------------------------------

  virtual int socket(int domain, int type, int protocol) = 0;
  virtual int socketpair(int domain, int type, int protocol, int fds[2]) = 0;
  virtual int bind(int fd, const sockaddr* address, socklen_t size) = 0;
  virtual int listen(int fd, int backlog) = 0;
  virtual int accept4(int fd, sockaddr* address, socklen_t* size, int flags) = 0;
  virtual int connect(int fd, const sockaddr* address, socklen_t size) = 0;
  virtual std::int64_t recvmsg(int fd, msghdr* message, int flags) = 0;
  virtual std::int64_t sendmsg(int fd, const msghdr* message, int flags) = 0;
  // The same without an address, of one piece.
  virtual std::int64_t recv(int fd, void* into, std::size_t size, int flags) = 0;
  virtual std::int64_t send(int fd, const void* from, std::size_t size, int flags) = 0;
  virtual int shutdown(int fd, int how) = 0;
  virtual int getsockname(int fd, sockaddr* address, socklen_t* size) = 0;
  virtual int getpeername(int fd, sockaddr* address, socklen_t* size) = 0;
  virtual int getsockopt(int fd, int level, int name, void* value, socklen_t* size) = 0;
  virtual int setsockopt(int fd, int level, int name, const void* value, socklen_t size) = 0;

  // -- names ------------------------------------------------------------------------------------------------------

  // Begins to look up what the query is for (net/name_query.hpp), which is answered when that is known. -ENOSYS where
  // names are found by getaddrinfo() alone, which waits.
  virtual int look_up(name_query& /*asked*/) { return -ENOSYS; }
};

}  // namespace lockstep
