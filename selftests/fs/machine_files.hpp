// The files of the machine, as a system of a test's own, which says how they take their time. Nothing else is there.
#pragma once

#include "../net/scripted_calls.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>

namespace lockstep {

class machine_files final : public scripted_calls {
 public:
  // Whether calls are made on threads, and how long the disk takes for each where they are not.
  explicit machine_files(bool waits = false, duration each_takes = {}) : waits_(waits), each_takes_(each_takes) {}

  bool wait_for_disk() const noexcept override { return waits_; }
  duration take_disk_time() noexcept override {
    const duration length = each_takes_ * calls.exchange(0);
    return length;
  }

  void account(disk_time how) noexcept override { spent_ = how == disk_time::spent; }
  duration time_of_sync(int /*fd*/) override { return each_takes_; }

  std::atomic<int> calls = 0;       // since the disk's time was asked for
  std::atomic<int> open_files = 0;  // opened, and not closed
  std::atomic<int> fail_with = 0;   // what the next call that changes or reads anything fails with
  std::atomic<int> fail_after = 0;  // which of them fails with EIO; 0 for none
  std::atomic<int> pieces_of = 0;   // how many bytes are read or written at once at most; 0 for all

  int openat(int at, const char* path, int flags, mode_t mode) override {
    if (const int error = begin()) return error;
    const int fd = made(::openat(at, path, flags, mode));
    if (fd >= 0) ++open_files;
    return fd;
  }
  int close(int fd) override {
    const int result = made(::close(fd));
    if (result == 0) --open_files;
    return result;
  }
  std::int64_t read(int fd, void* into, std::size_t size) override {
    if (const int error = begin()) return error;
    return made(::read(fd, into, piece(size)));
  }
  std::int64_t write(int fd, const void* from, std::size_t size) override {
    if (const int error = begin()) return error;
    return made(::write(fd, from, piece(size)));
  }
  std::int64_t pread(int fd, void* into, std::size_t size, std::int64_t offset) override {
    if (const int error = begin()) return error;
    return made(::pread(fd, into, piece(size), offset));
  }
  std::int64_t pwrite(int fd, const void* from, std::size_t size, std::int64_t offset) override {
    if (const int error = begin()) return error;
    return made(::pwrite(fd, from, piece(size), offset));
  }
  std::int64_t lseek(int fd, std::int64_t offset, int whence) override { return made(::lseek(fd, offset, whence)); }
  int fstatat(int at, const char* path, struct stat* into, int flags) override {
    return made(::fstatat(at, path, into, flags));
  }
  int fstat(int fd, struct stat* into) override { return made(::fstat(fd, into)); }
  int mkdirat(int at, const char* path, mode_t mode) override { return made(::mkdirat(at, path, mode)); }
  int unlinkat(int at, const char* path, int flags) override { return made(::unlinkat(at, path, flags)); }
  int renameat2(int from_at, const char* from, int to_at, const char* to, unsigned flags) override {
    if (const int error = begin()) return error;
    return made(::renameat2(from_at, from, to_at, to, flags));
  }
  int linkat(int from_at, const char* from, int to_at, const char* to, int flags) override {
    return made(::linkat(from_at, from, to_at, to, flags));
  }
  int symlinkat(const char* target, int at, const char* path) override { return made(::symlinkat(target, at, path)); }
  std::int64_t readlinkat(int at, const char* path, char* into, std::size_t size) override {
    return made(::readlinkat(at, path, into, size));
  }
  int fchmodat(int at, const char* path, mode_t mode) override { return made(::fchmodat(at, path, mode, 0)); }
  int fchmod(int fd, mode_t mode) override { return made(::fchmod(fd, mode)); }
  int truncate(const char* path, std::int64_t size) override { return made(::truncate(path, size)); }
  int ftruncate(int fd, std::int64_t size) override { return made(::ftruncate(fd, size)); }
  int fallocate(int fd, int mode, std::int64_t offset, std::int64_t size) override {
    return made(::fallocate(fd, mode, offset, size));
  }
  std::int64_t getdents64(int fd, void* into, std::size_t size) override {
    return made(::syscall(SYS_getdents64, fd, into, size));
  }
  int flock(int fd, int operation) override { return made(::flock(fd, operation)); }
  int fsync(int fd) override {
    if (const int error = begin()) return error;
    return fdatasync(fd);
  }
  // No test is about what stays after a crash of the machine, nor waits for its disk.
  int fdatasync(int fd) override { return made(::fcntl(fd, F_GETFD) < 0 ? -1 : 0); }

 private:
  int begin() noexcept {
    if (fail_after != 0 && --fail_after == 0) return -EIO;
    return -fail_with.exchange(0);
  }
  std::size_t piece(std::size_t size) const noexcept {
    const auto most = static_cast<std::size_t>(pieces_of.load());
    return most != 0 && most < size ? most : size;
  }
  template <class Result>
  Result made(Result result) noexcept {
    if (!spent_) ++calls;
    return result < 0 ? static_cast<Result>(-errno) : result;
  }

  bool waits_;
  duration each_takes_;
  std::atomic<bool> spent_ = false;  // what is called takes no more of it
};

}  // namespace lockstep
