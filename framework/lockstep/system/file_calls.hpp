// The calls of an operating system on files, as Linux has them: by name, and on descriptors of regular files and
// directories. Part of system_calls.
//
// `at` is the descriptor of the directory that a relative path begins at, or AT_FDCWD for the working directory.
// Results are Linux's, but for errors, which are minus the error number. On the real system they may take as long as
// the disk does; there they may be made on any thread. Source: the manual page of each call, section 2.
#pragma once

#include <lockstep/time/clock.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace lockstep {

class file_calls {
 public:
  // Whether they wait for the disk, so that a task makes them on a thread.
  virtual bool wait_for_disk() const noexcept { return false; }
  // Where they do not, who lets the time pass that the disk takes: `blocks`, everybody, as a thread does that waits for
  // the disk; `awaited`, whoever makes the calls, and asks behind them how long that is; `spent`, nobody, as it has
  // passed before.
  enum class disk_time : std::uint8_t { blocks, awaited, spent };
  virtual void account(disk_time /*how*/) noexcept {}
  // For how long whoever has made some awaited calls is to wait now. It is told of each call once.
  virtual duration take_disk_time() noexcept { return {}; }
  // For how long the disk will work if that file is synced now. It is asked as `awaited`; who has waited for so long
  // makes the call as `spent`, so that nothing is durable because of a sync that has not returned.
  virtual duration time_of_sync(int /*fd*/) { return {}; }

  // -- names ------------------------------------------------------------------------------------------------------

  virtual int openat(int /*at*/, const char* /*path*/, int /*flags*/, mode_t /*mode*/) { return -ENOSYS; }
  // AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH.
  virtual int fstatat(int /*at*/, const char* /*path*/, struct stat* /*into*/, int /*flags*/) { return -ENOSYS; }
  virtual int mkdirat(int /*at*/, const char* /*path*/, mode_t /*mode*/) { return -ENOSYS; }
  // AT_REMOVEDIR.
  virtual int unlinkat(int /*at*/, const char* /*path*/, int /*flags*/) { return -ENOSYS; }
  // RENAME_NOREPLACE and RENAME_EXCHANGE.
  virtual int renameat2(int /*from_at*/, const char* /*from*/, int /*to_at*/, const char* /*to*/, unsigned /*flags*/) {
    return -ENOSYS;
  }
  // AT_SYMLINK_FOLLOW and AT_EMPTY_PATH.
  virtual int linkat(int /*from_at*/, const char* /*from*/, int /*to_at*/, const char* /*to*/, int /*flags*/) {
    return -ENOSYS;
  }
  virtual int symlinkat(const char* /*target*/, int /*at*/, const char* /*path*/) { return -ENOSYS; }
  virtual std::int64_t readlinkat(int /*at*/, const char* /*path*/, char* /*into*/, std::size_t /*size*/) {
    return -ENOSYS;
  }
  // AT_EACCESS and AT_SYMLINK_NOFOLLOW.
  virtual int faccessat(int /*at*/, const char* /*path*/, int /*mode*/, int /*flags*/) { return -ENOSYS; }
  virtual int fchmodat(int /*at*/, const char* /*path*/, mode_t /*mode*/) { return -ENOSYS; }
  // AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH; -1 leaves a number as it is.
  virtual int fchownat(int /*at*/, const char* /*path*/, uid_t /*user*/, gid_t /*group*/, int /*flags*/) {
    return -ENOSYS;
  }
  // Null for now, twice. A null path is the file of `at`.
  virtual int utimensat(int /*at*/, const char* /*path*/, const timespec* /*times*/, int /*flags*/) { return -ENOSYS; }
  virtual int truncate(const char* /*path*/, std::int64_t /*size*/) { return -ENOSYS; }
  virtual int statfs(const char* /*path*/, struct statfs* /*into*/) { return -ENOSYS; }
  virtual int chdir(const char* /*path*/) { return -ENOSYS; }
  virtual int fchdir(int /*fd*/) { return -ENOSYS; }
  // How many bytes, with the 0 behind them.
  virtual std::int64_t getcwd(char* /*into*/, std::size_t /*size*/) { return -ENOSYS; }
  // What it was.
  virtual mode_t umask(mode_t /*mask*/) { return 0; }

  // -- open files -------------------------------------------------------------------------------------------------

  virtual int fstat(int /*fd*/, struct stat* /*into*/) { return -ENOSYS; }
  virtual std::int64_t lseek(int /*fd*/, std::int64_t /*offset*/, int /*whence*/) { return -ENOSYS; }
  virtual std::int64_t pread(int /*fd*/, void* /*into*/, std::size_t /*size*/, std::int64_t /*offset*/) {
    return -ENOSYS;
  }
  virtual std::int64_t pwrite(int /*fd*/, const void* /*from*/, std::size_t /*size*/, std::int64_t /*offset*/) {
    return -ENOSYS;
  }
  virtual std::int64_t preadv(int /*fd*/, const iovec* /*into*/, int /*count*/, std::int64_t /*offset*/) {
    return -ENOSYS;
  }
  virtual std::int64_t pwritev(int /*fd*/, const iovec* /*from*/, int /*count*/, std::int64_t /*offset*/) {
    return -ENOSYS;
  }
  virtual int ftruncate(int /*fd*/, std::int64_t /*size*/) { return -ENOSYS; }
  // FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE and FALLOC_FL_ZERO_RANGE.
  virtual int fallocate(int /*fd*/, int /*mode*/, std::int64_t /*offset*/, std::int64_t /*size*/) { return -ENOSYS; }
  // Records of linux_dirent64, as many as there is room for; how many bytes.
  virtual std::int64_t getdents64(int /*fd*/, void* /*into*/, std::size_t /*size*/) { return -ENOSYS; }
  virtual int fchmod(int /*fd*/, mode_t /*mode*/) { return -ENOSYS; }
  virtual int fchown(int /*fd*/, uid_t /*user*/, gid_t /*group*/) { return -ENOSYS; }
  virtual int fstatfs(int /*fd*/, struct statfs* /*into*/) { return -ENOSYS; }
  // It never waits: without LOCK_NB as well it fails with EWOULDBLOCK.
  virtual int flock(int /*fd*/, int /*operation*/) { return -ENOSYS; }

  // -- what is to stay --------------------------------------------------------------------------------------------

  virtual int fsync(int /*fd*/) { return -ENOSYS; }
  virtual int fdatasync(int /*fd*/) { return -ENOSYS; }
  virtual int syncfs(int /*fd*/) { return -ENOSYS; }
  virtual void sync() {}
  // SYNC_FILE_RANGE_WRITE and the two that wait. Nothing is durable by it.
  virtual int sync_file_range(int /*fd*/, std::int64_t /*offset*/, std::int64_t /*size*/, unsigned /*flags*/) {
    return -ENOSYS;
  }

  // -- changes of files -------------------------------------------------------------------------------------------

  virtual int inotify_init1(int /*flags*/) { return -ENOSYS; }
  virtual int inotify_add_watch(int /*fd*/, const char* /*path*/, std::uint32_t /*events*/) { return -ENOSYS; }
  virtual int inotify_rm_watch(int /*fd*/, int /*watch*/) { return -ENOSYS; }

 protected:
  file_calls() = default;
  ~file_calls() = default;
};

}  // namespace lockstep
