#include "leveldb_env.hpp"

#include "leveldb_files.hpp"

#include <lockstep/runtime/sleep.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <memory>

namespace stored {

using leveldb::Status;

namespace {

constexpr mode_t mode_of_files = 0644;
constexpr mode_t mode_of_folders = 0755;

// The names in records of linux_dirent64, as getdents64(2) says.
void add_names(const char* records, std::size_t size, std::vector<std::string>& names) {
  constexpr std::size_t offset_of_size = 16;
  constexpr std::size_t offset_of_name = 19;
  for (std::size_t at = 0; at + offset_of_name < size;) {
    unsigned short record_size = 0;
    std::memcpy(&record_size, records + at + offset_of_size, sizeof record_size);
    names.emplace_back(records + at + offset_of_name);
    at += record_size;
  }
}

}  // namespace

int leveldb_env::open(const std::string& name, int flags) {
  return system_.openat(AT_FDCWD, name.c_str(), flags | O_CLOEXEC, mode_of_files);
}

// -- files ------------------------------------------------------------------------------------------------------------

Status leveldb_env::NewSequentialFile(const std::string& name, leveldb::SequentialFile** file) {
  const int fd = open(name, O_RDONLY);
  *file = fd < 0 ? nullptr : new sequential_file(system_, fd, name);
  return status_or_ok(name, fd);
}

Status leveldb_env::NewRandomAccessFile(const std::string& name, leveldb::RandomAccessFile** file) {
  const int fd = open(name, O_RDONLY);
  *file = fd < 0 ? nullptr : new random_access_file(system_, fd, name);
  return status_or_ok(name, fd);
}

Status leveldb_env::new_file(const std::string& name, int flags, leveldb::WritableFile** file) {
  *file = nullptr;
  const int fd = open(name, flags | O_WRONLY | O_CREAT);
  if (fd < 0) return status_of(name, fd);
  auto made = std::make_unique<writable_file>(system_, fd, name);
  if (Status synced = sync_folder_of(name); !synced.ok()) return synced;
  *file = made.release();
  return Status::OK();
}

Status leveldb_env::NewWritableFile(const std::string& name, leveldb::WritableFile** file) {
  return new_file(name, O_TRUNC, file);
}

Status leveldb_env::NewAppendableFile(const std::string& name, leveldb::WritableFile** file) {
  return new_file(name, O_APPEND, file);
}

Status leveldb_env::NewLogger(const std::string& name, leveldb::Logger** logger) {
  const int fd = open(name, O_TRUNC | O_WRONLY | O_CREAT);
  *logger = fd < 0 ? nullptr : new line_logger(system_, fd, *this);
  return status_or_ok(name, fd);
}

// -- names ------------------------------------------------------------------------------------------------------------

bool leveldb_env::FileExists(const std::string& name) {
  return system_.faccessat(AT_FDCWD, name.c_str(), F_OK, 0) == 0;
}

Status leveldb_env::GetChildren(const std::string& folder, std::vector<std::string>* names) {
  names->clear();
  const int fd = open(folder, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return status_of(folder, fd);
  const open_descriptor opened(system_, fd);
  std::array<char, 4096> records;
  while (true) {
    const std::int64_t size = system_.getdents64(fd, records.data(), records.size());
    if (size < 0) return status_of(folder, size);
    if (size == 0) return Status::OK();
    add_names(records.data(), static_cast<std::size_t>(size), *names);
  }
}

Status leveldb_env::RemoveFile(const std::string& name) {
  return status_or_ok(name, system_.unlinkat(AT_FDCWD, name.c_str(), 0));
}

Status leveldb_env::CreateDir(const std::string& folder) {
  const int failed = system_.mkdirat(AT_FDCWD, folder.c_str(), mode_of_folders);
  return failed < 0 ? status_of(folder, failed) : sync_folder_of(folder);
}

Status leveldb_env::RemoveDir(const std::string& folder) {
  return status_or_ok(folder, system_.unlinkat(AT_FDCWD, folder.c_str(), AT_REMOVEDIR));
}

Status leveldb_env::GetFileSize(const std::string& name, std::uint64_t* bytes) {
  struct stat found {};
  const int failed = system_.fstatat(AT_FDCWD, name.c_str(), &found, 0);
  *bytes = failed < 0 ? 0 : static_cast<std::uint64_t>(found.st_size);
  return status_or_ok(name, failed);
}

Status leveldb_env::RenameFile(const std::string& from, const std::string& to) {
  const int failed = system_.renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), 0);
  return failed < 0 ? status_of(from, failed) : sync_folder_of(to);
}

Status leveldb_env::sync_folder_of(const std::string& name) {
  return names_ == names_are_synced::by_the_env ? sync_folder(system_, name) : Status::OK();
}

// -- locks ------------------------------------------------------------------------------------------------------------

// A lock of the open file, which meets another one of this process too; LevelDB's own keeps a table for that.
Status leveldb_env::LockFile(const std::string& name, leveldb::FileLock** lock) {
  *lock = nullptr;
  const int fd = open(name, O_RDWR | O_CREAT);
  if (fd < 0) return status_of(name, fd);
  auto made = std::make_unique<locked_file>(system_, fd);
  const int failed = system_.flock(fd, LOCK_EX | LOCK_NB);
  if (failed < 0) return status_of("lock " + name, failed);
  *lock = made.release();
  return Status::OK();
}

Status leveldb_env::UnlockFile(leveldb::FileLock* lock) {
  delete lock;  // which closes it
  return Status::OK();
}

Status leveldb_env::GetTestDirectory(std::string* folder) {
  *folder = "/tmp/leveldbtest";
  const int failed = system_.mkdirat(AT_FDCWD, folder->c_str(), mode_of_folders);
  return failed == -EEXIST ? Status::OK() : status_or_ok(*folder, failed);
}

// -- time -------------------------------------------------------------------------------------------------------------

std::uint64_t leveldb_env::NowMicros() {
  const lockstep::duration since = lockstep::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(since).count());
}

// Its calls wait for no clock, so that time does not pass.
void leveldb_env::SleepForMicroseconds(int) { work_.do_oldest(); }

}  // namespace stored
