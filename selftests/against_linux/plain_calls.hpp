// The system calls of this machine, without anything between: what the simulated kernel is compared with.
#pragma once

#include <lockstep/system/calls.hpp>

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>

namespace lockstep::against_linux {

// Each call as it is, but for locks, which nobody waits for. What it opens is closed at the end.
class plain_calls final : public system_calls {
 public:
  ~plain_calls() override {
    for (const int each : open_) ::close(each);
  }

  std::int64_t read(int fd, void* into, std::size_t size) override { return result_of(::read(fd, into, size)); }
  std::int64_t write(int fd, const void* from, std::size_t size) override { return result_of(::write(fd, from, size)); }
  std::int64_t readv(int fd, const iovec* into, int count) override { return result_of(::readv(fd, into, count)); }
  std::int64_t writev(int fd, const iovec* from, int count) override { return result_of(::writev(fd, from, count)); }
  int close(int fd) override {
    open_.erase(fd);
    return result_of(::close(fd));
  }
  int dup(int fd) override { return opened(::dup(fd)); }
  int dup3(int fd, int as, int flags) override { return opened(::dup3(fd, as, flags)); }
  int fcntl(int fd, int command, std::int64_t argument) override {
    if (command == F_SETLKW) command = F_SETLK;
    if (command == F_OFD_SETLKW) command = F_OFD_SETLK;
    const int returned = ::fcntl(fd, command, argument);
    return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? opened(returned) : result_of(returned);
  }
  int ioctl(int fd, unsigned long request, void* argument) override {
    return result_of(::ioctl(fd, request, argument));
  }
  int pipe2(int fds[2], int flags) override { return opened(::pipe2(fds, flags), fds); }
  int eventfd(unsigned value, int flags) override { return opened(::eventfd(value, flags)); }
  int timerfd_create(int clock, int flags) override { return opened(::timerfd_create(clock, flags)); }
  int timerfd_settime(int fd, int flags, const itimerspec* value, itimerspec* before) override {
    return result_of(::timerfd_settime(fd, flags, value, before));
  }
  int timerfd_gettime(int fd, itimerspec* value) override { return result_of(::timerfd_gettime(fd, value)); }

  int poll(pollfd* fds, nfds_t count) override { return result_of(::poll(fds, count, 0)); }
  int epoll_create1(int flags) override { return opened(::epoll_create1(flags)); }
  int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) override {
    return result_of(::epoll_ctl(epoll, operation, fd, event));
  }
  int epoll_wait(int epoll, epoll_event* events, int events_max) override {
    return result_of(::epoll_wait(epoll, events, events_max, 0));
  }
  int watch(int, unsigned, readiness_watch&) override { return -ENOSYS; }
  void unwatch(readiness_watch&) noexcept override {}

  int socket(int domain, int type, int protocol) override { return opened(::socket(domain, type, protocol)); }
  int socketpair(int domain, int type, int protocol, int fds[2]) override {
    return opened(::socketpair(domain, type, protocol, fds), fds);
  }
  int bind(int fd, const sockaddr* address, socklen_t size) override { return result_of(::bind(fd, address, size)); }
  int listen(int fd, int backlog) override { return result_of(::listen(fd, backlog)); }
  int accept4(int fd, sockaddr* address, socklen_t* size, int flags) override {
    return opened(::accept4(fd, address, size, flags));
  }
  int connect(int fd, const sockaddr* address, socklen_t size) override {
    return result_of(::connect(fd, address, size));
  }
  std::int64_t recvmsg(int fd, msghdr* message, int flags) override {
    const std::int64_t result = result_of(::recvmsg(fd, message, flags));
    if (result >= 0) note_received(*message);
    return result;
  }
  std::int64_t sendmsg(int fd, const msghdr* message, int flags) override {
    return result_of(::sendmsg(fd, message, flags));
  }
  std::int64_t recv(int fd, void* into, std::size_t size, int flags) override {
    return result_of(::recv(fd, into, size, flags));
  }
  std::int64_t send(int fd, const void* from, std::size_t size, int flags) override {
    return result_of(::send(fd, from, size, flags));
  }
  int shutdown(int fd, int how) override { return result_of(::shutdown(fd, how)); }
  int getsockname(int fd, sockaddr* address, socklen_t* size) override {
    return result_of(::getsockname(fd, address, size));
  }
  int getpeername(int fd, sockaddr* address, socklen_t* size) override {
    return result_of(::getpeername(fd, address, size));
  }
  int getsockopt(int fd, int level, int name, void* value, socklen_t* size) override {
    return result_of(::getsockopt(fd, level, name, value, size));
  }
  int setsockopt(int fd, int level, int name, const void* value, socklen_t size) override {
    return result_of(::setsockopt(fd, level, name, value, size));
  }

  int openat(int at, const char* path, int flags, mode_t mode) override {
    return opened(::openat(at, path, flags, mode));
  }
  int fstatat(int at, const char* path, struct stat* into, int flags) override {
    return result_of(::fstatat(at, path, into, flags));
  }
  int mkdirat(int at, const char* path, mode_t mode) override { return result_of(::mkdirat(at, path, mode)); }
  int unlinkat(int at, const char* path, int flags) override { return result_of(::unlinkat(at, path, flags)); }
  int renameat2(int from_at, const char* from, int to_at, const char* to, unsigned flags) override {
    return result_of(::renameat2(from_at, from, to_at, to, flags));
  }
  int linkat(int from_at, const char* from, int to_at, const char* to, int flags) override {
    return result_of(::linkat(from_at, from, to_at, to, flags));
  }
  int symlinkat(const char* target, int at, const char* path) override {
    return result_of(::symlinkat(target, at, path));
  }
  std::int64_t readlinkat(int at, const char* path, char* into, std::size_t size) override {
    return result_of(::readlinkat(at, path, into, size));
  }
  int faccessat(int at, const char* path, int mode, int flags) override {
    return result_of(::faccessat(at, path, mode, flags));
  }
  int fchmodat(int at, const char* path, mode_t mode) override { return result_of(::fchmodat(at, path, mode, 0)); }
  int fchownat(int at, const char* path, uid_t user, gid_t group, int flags) override {
    return result_of(::fchownat(at, path, user, group, flags));
  }
  // The C library takes no null path.
  int utimensat(int at, const char* path, const timespec* times, int flags) override {
    return result_of(static_cast<int>(::syscall(SYS_utimensat, at, path, times, flags)));
  }
  int truncate(const char* path, std::int64_t size) override { return result_of(::truncate(path, size)); }
  int statfs(const char* path, struct statfs* into) override { return result_of(::statfs(path, into)); }
  int chdir(const char* path) override { return result_of(::chdir(path)); }
  int fchdir(int fd) override { return result_of(::fchdir(fd)); }
  std::int64_t getcwd(char* into, std::size_t size) override {
    return result_of(static_cast<std::int64_t>(::syscall(SYS_getcwd, into, size)));
  }
  mode_t umask(mode_t mask) override { return ::umask(mask); }
  int fstat(int fd, struct stat* into) override { return result_of(::fstat(fd, into)); }
  std::int64_t lseek(int fd, std::int64_t offset, int whence) override {
    return result_of(::lseek(fd, offset, whence));
  }
  std::int64_t pread(int fd, void* into, std::size_t size, std::int64_t offset) override {
    return result_of(::pread(fd, into, size, offset));
  }
  std::int64_t pwrite(int fd, const void* from, std::size_t size, std::int64_t offset) override {
    return result_of(::pwrite(fd, from, size, offset));
  }
  std::int64_t preadv(int fd, const iovec* into, int count, std::int64_t offset) override {
    return result_of(::preadv(fd, into, count, offset));
  }
  std::int64_t pwritev(int fd, const iovec* from, int count, std::int64_t offset) override {
    return result_of(::pwritev(fd, from, count, offset));
  }
  int ftruncate(int fd, std::int64_t size) override { return result_of(::ftruncate(fd, size)); }
  int fallocate(int fd, int mode, std::int64_t offset, std::int64_t size) override {
    return result_of(::fallocate(fd, mode, offset, size));
  }
  std::int64_t getdents64(int fd, void* into, std::size_t size) override {
    return result_of(::getdents64(fd, into, size));
  }
  int fchmod(int fd, mode_t mode) override { return result_of(::fchmod(fd, mode)); }
  int fchown(int fd, uid_t user, gid_t group) override { return result_of(::fchown(fd, user, group)); }
  int fstatfs(int fd, struct statfs* into) override { return result_of(::fstatfs(fd, into)); }
  int flock(int fd, int operation) override { return result_of(::flock(fd, operation | LOCK_NB)); }
  int fsync(int fd) override { return result_of(::fsync(fd)); }
  int fdatasync(int fd) override { return result_of(::fdatasync(fd)); }
  int syncfs(int fd) override { return result_of(::syncfs(fd)); }
  void sync() override { ::sync(); }
  int sync_file_range(int fd, std::int64_t offset, std::int64_t size, unsigned flags) override {
    return result_of(::sync_file_range(fd, offset, size, flags));
  }
  int inotify_init1(int flags) override { return opened(::inotify_init1(flags)); }
  int inotify_add_watch(int fd, const char* path, std::uint32_t events) override {
    return result_of(::inotify_add_watch(fd, path, events));
  }
  int inotify_rm_watch(int fd, int watch) override { return result_of(::inotify_rm_watch(fd, watch)); }

 private:
  static std::int64_t result_of(std::int64_t returned) { return returned < 0 ? -errno : returned; }
  static int result_of(int returned) { return returned < 0 ? -errno : returned; }
  int opened(int returned) {
    const int result = result_of(returned);
    if (result >= 0) open_.insert(result);
    return result;
  }
  int opened(int returned, const int fds[2]) {
    const int result = result_of(returned);
    if (result >= 0) open_.insert({fds[0], fds[1]});
    return result;
  }
  void note_received(msghdr& message) {
    for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr; each = CMSG_NXTHDR(&message, each)) {
      if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) continue;
      const std::size_t count = (each->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(each) + i * sizeof fd, sizeof fd);
        open_.insert(fd);
      }
    }
  }

  std::set<int> open_;
};

}  // namespace lockstep::against_linux
