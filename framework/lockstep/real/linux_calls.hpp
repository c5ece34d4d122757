// The system calls of the machine: each is passed on to Linux. What waits for a descriptor is told by deliver(), which
// the driver calls when descriptor() has become readable.
//
// No call waits, also not on a descriptor that is without O_NONBLOCK or for a lock of a file, and none raises SIGPIPE.
// Two kinds may take long all the same: close() of a socket with SO_LINGER, and what has to do with the disk, which is
// why wait_for_disk() says so. What epoll cannot watch, such as a regular file or a directory, is refused with EPERM,
// as epoll does.
//
// Lifetime: it may outlive its driver, so that a socket can be closed after the run; nothing is told then.
// Threads: that of the loop; any for those of file_calls, and for reads and writes of regular files and directories.
// close(), dup3() and what has to do with watches stay on that of the loop.
// Source: epoll(7), and the manual page of each call.
#pragma once

#include <lockstep/system/calls.hpp>

#include <cstddef>
#include <cstdint>
#include <map>

namespace lockstep::real {

class linux_calls final : public system_calls {
 public:
  linux_calls() = default;
  // Requires that nothing is watched.
  ~linux_calls() override;

  // Becomes readable when what is watched has become ready; -1 as long as nothing has ever been watched.
  int descriptor() const noexcept { return epoll_; }
  // Whether a watch is on, which deliver() may tell something.
  bool watching() const noexcept { return watches_ != 0; }
  // Tells the watches of what is ready now, and does not wait. What stays ready is told again the next time.
  void deliver() noexcept;

  std::int64_t read(int fd, void* into, std::size_t size) override;
  std::int64_t write(int fd, const void* from, std::size_t size) override;
  std::int64_t readv(int fd, const iovec* into, int count) override;
  std::int64_t writev(int fd, const iovec* from, int count) override;
  int close(int fd) override;
  int dup(int fd) override;
  int dup3(int fd, int as, int flags) override;
  int fcntl(int fd, int command, std::int64_t argument) override;
  int ioctl(int fd, unsigned long request, void* argument) override;
  int pipe2(int fds[2], int flags) override;
  int eventfd(unsigned value, int flags) override;
  int timerfd_create(int clock, int flags) override;
  int timerfd_settime(int fd, int flags, const itimerspec* value, itimerspec* before) override;
  int timerfd_gettime(int fd, itimerspec* value) override;

  int poll(pollfd* fds, nfds_t count) override;
  int epoll_create1(int flags) override;
  int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) override;
  int epoll_wait(int epoll, epoll_event* events, int events_max) override;
  int watch(int fd, unsigned events, readiness_watch& by) override;
  void unwatch(readiness_watch& watch) noexcept override;

  int socket(int domain, int type, int protocol) override;
  int socketpair(int domain, int type, int protocol, int fds[2]) override;
  int bind(int fd, const sockaddr* address, socklen_t size) override;
  int listen(int fd, int backlog) override;
  int accept4(int fd, sockaddr* address, socklen_t* size, int flags) override;
  int connect(int fd, const sockaddr* address, socklen_t size) override;
  std::int64_t recvmsg(int fd, msghdr* message, int flags) override;
  std::int64_t sendmsg(int fd, const msghdr* message, int flags) override;
  std::int64_t recv(int fd, void* into, std::size_t size, int flags) override;
  std::int64_t send(int fd, const void* from, std::size_t size, int flags) override;
  int shutdown(int fd, int how) override;
  int getsockname(int fd, sockaddr* address, socklen_t* size) override;
  int getpeername(int fd, sockaddr* address, socklen_t* size) override;
  int getsockopt(int fd, int level, int name, void* value, socklen_t* size) override;
  int setsockopt(int fd, int level, int name, const void* value, socklen_t size) override;

  // In linux_file_calls.cpp.
  bool wait_for_disk() const noexcept override { return true; }
  int openat(int at, const char* path, int flags, mode_t mode) override;
  int fstatat(int at, const char* path, struct stat* into, int flags) override;
  int mkdirat(int at, const char* path, mode_t mode) override;
  int unlinkat(int at, const char* path, int flags) override;
  int renameat2(int from_at, const char* from, int to_at, const char* to, unsigned flags) override;
  int linkat(int from_at, const char* from, int to_at, const char* to, int flags) override;
  int symlinkat(const char* target, int at, const char* path) override;
  std::int64_t readlinkat(int at, const char* path, char* into, std::size_t size) override;
  int faccessat(int at, const char* path, int mode, int flags) override;
  int fchmodat(int at, const char* path, mode_t mode) override;
  int fchownat(int at, const char* path, uid_t user, gid_t group, int flags) override;
  int utimensat(int at, const char* path, const timespec* times, int flags) override;
  int truncate(const char* path, std::int64_t size) override;
  int statfs(const char* path, struct statfs* into) override;
  int chdir(const char* path) override;
  int fchdir(int fd) override;
  std::int64_t getcwd(char* into, std::size_t size) override;
  mode_t umask(mode_t mask) override;

  int fstat(int fd, struct stat* into) override;
  std::int64_t lseek(int fd, std::int64_t offset, int whence) override;
  std::int64_t pread(int fd, void* into, std::size_t size, std::int64_t offset) override;
  std::int64_t pwrite(int fd, const void* from, std::size_t size, std::int64_t offset) override;
  std::int64_t preadv(int fd, const iovec* into, int count, std::int64_t offset) override;
  std::int64_t pwritev(int fd, const iovec* from, int count, std::int64_t offset) override;
  int ftruncate(int fd, std::int64_t size) override;
  int fallocate(int fd, int mode, std::int64_t offset, std::int64_t size) override;
  std::int64_t getdents64(int fd, void* into, std::size_t size) override;
  int fchmod(int fd, mode_t mode) override;
  int fchown(int fd, uid_t user, gid_t group) override;
  int fstatfs(int fd, struct statfs* into) override;
  int flock(int fd, int operation) override;

  int fsync(int fd) override;
  int fdatasync(int fd) override;
  int syncfs(int fd) override;
  void sync() override;
  int sync_file_range(int fd, std::int64_t offset, std::int64_t size, unsigned flags) override;

  int inotify_init1(int flags) override;
  int inotify_add_watch(int fd, const char* path, std::uint32_t events) override;
  int inotify_rm_watch(int fd, int watch) override;

 private:
  // A descriptor that epoll was told of. It stays so when its last watch is taken off, as most are watched again;
  // should it become ready before that, epoll is told to forget it.
  struct watched {
    using list = intrusive_list<readiness_watch, readiness_watch>;
    list watches;
    list told;                // while they are told: those who were
    std::uint32_t asked = 0;  // of epoll
  };

  using entries = std::map<int, watched>;

  entries::iterator entry_of(int fd) noexcept;
  int ask(int fd, watched& of, std::uint32_t events) noexcept;
  void tell(int fd, std::uint32_t events) noexcept;
  // The descriptor is closed: forgets it and tells its watches.
  void forget(int fd) noexcept;

  int epoll_ = -1;
  std::size_t watches_ = 0;
  entries watched_;
};

}  // namespace lockstep::real
