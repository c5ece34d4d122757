// LevelDB's way to the operating system, over the system calls of lockstep: on the simulated disk of a host in a test.
// It does what LevelDB's own does on Linux (util/env_posix.cc), call by call: what is written is buffered up to 64 KiB,
// a sync is fdatasync(), and of a manifest the directory is synced before.
//
//   stored::leveldb_env env;
//   leveldb::Options options;
//   options.env = &env;
//
// A call is made at once, so LevelDB is never interrupted by another task; its background work is a task of its own,
// see background_work.hpp. To sleep is to let that go on. Lifetime: beyond the stores that were opened with it, which
// belong into a task of the host: when its power is cut, they are destroyed with the task, and what they ask of the
// system then is not done. Source: LevelDB 1.23.
#pragma once

#include "background_work.hpp"

#include <lockstep/system/calls.hpp>
#include <lockstep/system/current.hpp>

#include <leveldb/env.h>

#include <cstdint>
#include <string>
#include <vector>

namespace stored {

// Who sees to it that the names of new and renamed files are durable.
enum class names_are_synced : std::uint8_t {
  by_the_file_system,  // as LevelDB's own does it, which syncs a directory only before a manifest
  by_the_env,          // each before the call returns that makes it
};

class leveldb_env final : public leveldb::Env {
 public:
  // By default on the system of the running task.
  explicit leveldb_env(names_are_synced names = names_are_synced::by_the_file_system,
                       lockstep::system_calls& system = lockstep::current_system()) noexcept
      : system_(system), names_(names) {}

  leveldb::Status NewSequentialFile(const std::string& name, leveldb::SequentialFile** file) override;
  leveldb::Status NewRandomAccessFile(const std::string& name, leveldb::RandomAccessFile** file) override;
  leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** file) override;
  leveldb::Status NewAppendableFile(const std::string& name, leveldb::WritableFile** file) override;
  leveldb::Status NewLogger(const std::string& name, leveldb::Logger** logger) override;

  bool FileExists(const std::string& name) override;
  leveldb::Status GetChildren(const std::string& folder, std::vector<std::string>* names) override;
  leveldb::Status RemoveFile(const std::string& name) override;
  leveldb::Status CreateDir(const std::string& folder) override;
  leveldb::Status RemoveDir(const std::string& folder) override;
  leveldb::Status GetFileSize(const std::string& name, std::uint64_t* bytes) override;
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
  leveldb::Status LockFile(const std::string& name, leveldb::FileLock** lock) override;
  leveldb::Status UnlockFile(leveldb::FileLock* lock) override;
  leveldb::Status GetTestDirectory(std::string* folder) override;

  void Schedule(void (*function)(void*), void* argument) override { work_.schedule(function, argument); }
  void StartThread(void (*function)(void*), void* argument) override { work_.schedule(function, argument); }
  background_work& work() noexcept { return work_; }
  // Of virtual time.
  std::uint64_t NowMicros() override;
  void SleepForMicroseconds(int micros) override;

 private:
  int open(const std::string& name, int flags);
  leveldb::Status new_file(const std::string& name, int flags, leveldb::WritableFile** file);
  // Of what the name is in, if that is the env's to see to.
  leveldb::Status sync_folder_of(const std::string& name);

  lockstep::system_calls& system_;
  names_are_synced names_;
  background_work work_;
};

}  // namespace stored
