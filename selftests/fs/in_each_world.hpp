// What the tests of files are made of. Their bodies use the system of the running task, so that they run on any.
#pragma once

#include "machine_files.hpp"

#include <lockstep/explore/strategy.hpp>
#include <lockstep/lockstep.hpp>
#include <lockstep/real/world.hpp>
#include <lockstep/sim/world.hpp>
#include <lockstep/system/current.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace lockstep {

// A directory of the machine, while it lives: in memory, where there is such a place, so that no disk is waited for.
class folder_on_machine {
 public:
  folder_on_machine() : path_(place() + "lockstep-fs-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "no " << path_;
  }
  folder_on_machine(const folder_on_machine&) = delete;
  folder_on_machine& operator=(const folder_on_machine&) = delete;
  ~folder_on_machine() { std::filesystem::remove_all(path_); }
  const std::string& path() const noexcept { return path_; }

 private:
  static std::string place() {
    const std::string in_memory = "/dev/shm/";
    return ::access(in_memory.c_str(), W_OK) == 0 ? in_memory : testing::TempDir();
  }

  std::string path_;
};

// The body of a test, which is given a directory of its own.
using body_with_folder = task<void> (*)(std::string);

inline task<void> on_system(std::shared_ptr<system_calls> system, task<void> body) {
  const scoped_value here = detail::system_of_task.bind(system.get(), source::current());
  co_await std::move(body);
}

inline task<void> in_simulated_folder(body_with_folder body) {
  co_await create_directories("/tmp/in");
  co_await body("/tmp/in");
}

inline void judge(const base_world& world, const std::string& which) {
  for (const verdict& each : world.verdicts()) {
    ADD_FAILURE() << name_of(each.kind) << ": " << each.message << " " << which;
  }
}

// In a simulation, on the machine's files.
inline void run_on_machine_files(body_with_folder body, const std::shared_ptr<machine_files>& files,
                                 const std::string& which) {
  const folder_on_machine folder;
  sim::world world;
  world.run(on_system(files, body(folder.path())));
  judge(world, which);
  EXPECT_EQ(files->open_files, 0) << which;
}

inline void run_in_simulation(body_with_folder body) {
  sim::world world;
  world.run(in_simulated_folder(body));
  judge(world, "on the simulated kernel");
}

// How many descriptors this process has.
inline std::size_t descriptors_of_machine() {
  std::size_t count = 0;
  for (int fd = 0; fd < 1024; ++fd) count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

// On the machine's own kernel, by threads.
inline void run_on_machine(body_with_folder body) {
  const folder_on_machine folder;
  const std::size_t before = descriptors_of_machine();
  {
    real::world world;
    real::world_options how;
    how.clock.exact = true;
    world.run(body(folder.path()), how);
    judge(world, "on the machine");
  }
  EXPECT_EQ(descriptors_of_machine(), before);
}

// Runs it on the simulated kernel and on the machine, and in a simulation on the machine's files: with calls that are
// made at once, with a disk that takes its time, and with virtual workers. Expects that nothing is wrong with it, and
// that all is closed.
inline void run_in_each_world(body_with_folder body) {
  using namespace std::chrono_literals;
  run_in_simulation(body);
  run_on_machine(body);
  run_on_machine_files(body, std::make_shared<machine_files>(), "at once");
  run_on_machine_files(body, std::make_shared<machine_files>(false, 1ms), "with a slow disk");
  run_on_machine_files(body, std::make_shared<machine_files>(true), "with virtual workers");
}

// In a simulation with that disk.
inline void run_with_disk(duration each_takes, body_with_folder body) {
  run_on_machine_files(body, std::make_shared<machine_files>(false, each_takes), "with a slow disk");
}

inline machine_files& files_here() { return dynamic_cast<machine_files&>(current_system()); }

// The text of the system's error that `work` comes to; empty if it succeeds.
template <class T>
task<std::string> text_of_error(task<T> work) {
  const result<T> came_to = co_await as_result(std::move(work));
  if (came_to) co_return std::string();
  try {
    std::rethrow_exception(came_to.error());
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().category(), std::system_category());
    co_return error.what();
  } catch (const std::exception& error) {
    co_return error.what();
  }
}
// Of an operation, where it is made.
template <operation_of_ours Operation>
  requires(!std::is_reference_v<Operation>)
task<std::string> text_of_error(Operation&& work) { return text_of_error(detail::performing(work)); }

}  // namespace lockstep
