#include <lockstep/real/linux_calls.hpp>

#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <dirent.h>
#include <stdio.h>

#include <cerrno>

namespace lockstep::real {

namespace {

template <class Result>
Result told(Result result) noexcept {
  return result < 0 ? static_cast<Result>(-errno) : result;
}

}  // namespace

// -- names ------------------------------------------------------------------------------------------------------------

int linux_calls::openat(int at, const char* path, int flags, mode_t mode) {
  return told(::openat(at, path, flags, mode));
}

int linux_calls::fstatat(int at, const char* path, struct stat* into, int flags) {
  return told(::fstatat(at, path, into, flags));
}

int linux_calls::mkdirat(int at, const char* path, mode_t mode) { return told(::mkdirat(at, path, mode)); }

int linux_calls::unlinkat(int at, const char* path, int flags) { return told(::unlinkat(at, path, flags)); }

int linux_calls::renameat2(int from_at, const char* from, int to_at, const char* to, unsigned flags) {
  return told(::renameat2(from_at, from, to_at, to, flags));
}

int linux_calls::linkat(int from_at, const char* from, int to_at, const char* to, int flags) {
  return told(::linkat(from_at, from, to_at, to, flags));
}

int linux_calls::symlinkat(const char* target, int at, const char* path) { return told(::symlinkat(target, at, path)); }

std::int64_t linux_calls::readlinkat(int at, const char* path, char* into, std::size_t size) {
  return told(::readlinkat(at, path, into, size));
}

int linux_calls::faccessat(int at, const char* path, int mode, int flags) {
  return told(::faccessat(at, path, mode, flags));
}

int linux_calls::fchmodat(int at, const char* path, mode_t mode) { return told(::fchmodat(at, path, mode, 0)); }

int linux_calls::fchownat(int at, const char* path, uid_t user, gid_t group, int flags) {
  return told(::fchownat(at, path, user, group, flags));
}

// The C library refuses a null path, although Linux takes it.
int linux_calls::utimensat(int at, const char* path, const timespec* times, int flags) {
  if (path != nullptr) return told(::utimensat(at, path, times, flags));
  return flags != 0 ? -EINVAL : told(::futimens(at, times));
}

int linux_calls::truncate(const char* path, std::int64_t size) { return told(::truncate(path, size)); }

int linux_calls::statfs(const char* path, struct statfs* into) { return told(::statfs(path, into)); }

int linux_calls::chdir(const char* path) { return told(::chdir(path)); }

int linux_calls::fchdir(int fd) { return told(::fchdir(fd)); }

// The C library's gives no size, and looks for itself where Linux has no path.
std::int64_t linux_calls::getcwd(char* into, std::size_t size) {
  return told(static_cast<std::int64_t>(::syscall(SYS_getcwd, into, size)));
}

mode_t linux_calls::umask(mode_t mask) { return ::umask(mask); }

// -- open files -------------------------------------------------------------------------------------------------------

int linux_calls::fstat(int fd, struct stat* into) { return told(::fstat(fd, into)); }

std::int64_t linux_calls::lseek(int fd, std::int64_t offset, int whence) { return told(::lseek(fd, offset, whence)); }

std::int64_t linux_calls::pread(int fd, void* into, std::size_t size, std::int64_t offset) {
  return told(::pread(fd, into, size, offset));
}

std::int64_t linux_calls::pwrite(int fd, const void* from, std::size_t size, std::int64_t offset) {
  return told(::pwrite(fd, from, size, offset));
}

std::int64_t linux_calls::preadv(int fd, const iovec* into, int count, std::int64_t offset) {
  return told(::preadv(fd, into, count, offset));
}

std::int64_t linux_calls::pwritev(int fd, const iovec* from, int count, std::int64_t offset) {
  return told(::pwritev(fd, from, count, offset));
}

int linux_calls::ftruncate(int fd, std::int64_t size) { return told(::ftruncate(fd, size)); }

int linux_calls::fallocate(int fd, int mode, std::int64_t offset, std::int64_t size) {
  return told(::fallocate(fd, mode, offset, size));
}

std::int64_t linux_calls::getdents64(int fd, void* into, std::size_t size) {
  return told(::getdents64(fd, into, size));
}

int linux_calls::fchmod(int fd, mode_t mode) { return told(::fchmod(fd, mode)); }

int linux_calls::fchown(int fd, uid_t user, gid_t group) { return told(::fchown(fd, user, group)); }

int linux_calls::fstatfs(int fd, struct statfs* into) { return told(::fstatfs(fd, into)); }

int linux_calls::flock(int fd, int operation) { return told(::flock(fd, operation | LOCK_NB)); }

// -- what is to stay --------------------------------------------------------------------------------------------------

int linux_calls::fsync(int fd) { return told(::fsync(fd)); }

int linux_calls::fdatasync(int fd) { return told(::fdatasync(fd)); }

int linux_calls::syncfs(int fd) { return told(::syncfs(fd)); }

void linux_calls::sync() { ::sync(); }

int linux_calls::sync_file_range(int fd, std::int64_t offset, std::int64_t size, unsigned flags) {
  return told(::sync_file_range(fd, offset, size, flags));
}

// -- changes of files -------------------------------------------------------------------------------------------------

int linux_calls::inotify_init1(int flags) { return told(::inotify_init1(flags)); }

int linux_calls::inotify_add_watch(int fd, const char* path, std::uint32_t events) {
  return told(::inotify_add_watch(fd, path, events));
}

int linux_calls::inotify_rm_watch(int fd, int watch) { return told(::inotify_rm_watch(fd, watch)); }

}  // namespace lockstep::real
