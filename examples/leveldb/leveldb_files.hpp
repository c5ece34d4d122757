// The open files that leveldb_env hands out. Each has a descriptor of a system, which it closes.
// Source: LevelDB 1.23, util/env_posix.cc.
#pragma once

#include <lockstep/system/calls.hpp>

#include <leveldb/env.h>

#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace stored {

// What Linux's -`error` is to LevelDB.
leveldb::Status status_of(const std::string& name, std::int64_t error);
// What a call has returned is to LevelDB: all is well unless it is less than 0.
leveldb::Status status_or_ok(const std::string& name, std::int64_t result);

// Makes the names durable that are in the directory which `name` is in.
leveldb::Status sync_folder(lockstep::system_calls& system, const std::string& name);

class open_descriptor {
 public:
  open_descriptor(lockstep::system_calls& system, int fd) noexcept : system_(system), fd_(fd) {}
  open_descriptor(const open_descriptor&) = delete;
  open_descriptor& operator=(const open_descriptor&) = delete;
  ~open_descriptor() { close(); }

  lockstep::system_calls& system() const noexcept { return system_; }
  int fd() const noexcept { return fd_; }
  bool is_open() const noexcept { return fd_ >= 0; }
  // 0, or minus an error.
  int close();
  // All of it; 0, or minus an error.
  std::int64_t write(std::string_view text);

 private:
  lockstep::system_calls& system_;
  int fd_;
};

class sequential_file final : public leveldb::SequentialFile {
 public:
  sequential_file(lockstep::system_calls& system, int fd, std::string name)
      : file_(system, fd), name_(std::move(name)) {}

  leveldb::Status Read(std::size_t size, leveldb::Slice* found, char* scratch) override;
  leveldb::Status Skip(std::uint64_t bytes) override;

 private:
  open_descriptor file_;
  std::string name_;
};

class random_access_file final : public leveldb::RandomAccessFile {
 public:
  random_access_file(lockstep::system_calls& system, int fd, std::string name)
      : file_(system, fd), name_(std::move(name)) {}

  leveldb::Status Read(std::uint64_t offset, std::size_t size, leveldb::Slice* found, char* scratch) const override;

 private:
  open_descriptor file_;
  std::string name_;
};

class writable_file final : public leveldb::WritableFile {
 public:
  writable_file(lockstep::system_calls& system, int fd, std::string name) : file_(system, fd), name_(std::move(name)) {}
  ~writable_file() override;

  leveldb::Status Append(const leveldb::Slice& data) override;
  leveldb::Status Close() override;
  leveldb::Status Flush() override;
  leveldb::Status Sync() override;

 private:
  leveldb::Status write(std::string_view text);
  leveldb::Status sync_directory_of_manifest();

  static constexpr std::size_t buffer_bytes = 65'536;

  open_descriptor file_;
  std::string name_;
  std::string buffer_;
};

class locked_file final : public leveldb::FileLock {
 public:
  locked_file(lockstep::system_calls& system, int fd) : file_(system, fd) {}

 private:
  open_descriptor file_;
};

// A line for each message, with the microseconds before it.
class line_logger final : public leveldb::Logger {
 public:
  line_logger(lockstep::system_calls& system, int fd, leveldb::Env& clock) : file_(system, fd), clock_(clock) {}

  void Logv(const char* format, std::va_list arguments) override;

 private:
  open_descriptor file_;
  leveldb::Env& clock_;
};

}  // namespace stored
