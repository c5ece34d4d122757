// A program on files, cancelled at each of its awaits, with each allocation failing, and torn down at each step:
// nothing stays open. And calls that allocate nothing.
#include "in_each_world.hpp"

#include <lockstep/sim/host.hpp>
#include <lockstep/sim/plain_files.hpp>
#include <lockstep/testing/failing_new.hpp>
#include <lockstep/testing/testing.hpp>

#include <array>
#include <span>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

constexpr open_options shared_file{.read = true, .write = true, .create = true};

task<void> reads_some(file& from) {
  std::array<char, 3> bytes;
  for (int i = 0; i < 3; ++i) co_await from.read_some(bytes);
}

task<void> writes_under_lock(std::string path) {
  file to = co_await open(path, shared_file);
  const file_lock held = co_await to.lock();
  co_await to.append("xyz");
  co_await to.sync();
}

task<void> uses_files(std::string folder) {
  co_await write_file_atomically(folder + "/a", "hello, world");
  file it = co_await open(folder + "/a");
  co_await when_all(reads_some(it), reads_some(it), writes_under_lock(folder + "/a"), writes_under_lock(folder + "/a"));
  co_await create_directories(folder + "/x/y");
  const temporary_file made = co_await create_temporary_file(folder + "/x");
  const std::uint64_t copied = co_await copy_file(folder + "/a", folder + "/b");
  EXPECT_EQ(copied, 18U);
  std::size_t found = 0;
  auto all = walk(folder);
  while (co_await all.next() != nullptr) ++found;
  EXPECT_EQ(found, 5U);
  auto text = lines(it);
  while (co_await text.next() != nullptr) {
  }
  co_await it.close();
  co_await remove_all(folder + "/x");
}

// What it leaves open, the world tells.
CO_TEST(DisturbedFiles, OnASimulatedDiskLeakNothing, .cancel_every = true, .fail_alloc_every = true,
        .destroy_every = true) {
  co_await uses_files("/tmp");
}

CO_TEST(DisturbedFiles, OnASlowSimulatedDiskLeakNothing, .cancel_every = true, .destroy_every = true) {
  sim::plain_files disk(dynamic_cast<sim::host&>(current_system()), source::current());
  disk.pace({.read = 1ms, .write = 1ms, .sync = 10ms, .names = 1ms, .calls_per_second = 1000});
  co_await uses_files("/tmp");
}

CO_TEST(DisturbedFiles, AreReadInAnyOrder, .schedule = schedule::random, .runs = 50) { co_await uses_files("/tmp"); }

task<void> writes_its_half(file& to, std::string text, std::uint64_t offset) {
  co_await to.write_at(text, offset);
  co_await to.sync();
}

// All orders are tried, and none is missed: which of two comes first is seen in the file.
CO_TEST(DisturbedFiles, AreWrittenInEveryOrder, explore()) {
  file it = co_await open("/tmp/a", shared_file);
  co_await when_all(writes_its_half(it, "ab", 0), writes_its_half(it, "cd", 2), reads_some(it));
  const std::string all = co_await read_file("/tmp/a");
  EXPECT_EQ(all, "abcd");
}

// What it leaves open, the destructor tells.
class DisturbedMachineFiles : public testing::Test {
 protected:
  ~DisturbedMachineFiles() override { EXPECT_EQ(files_->open_files, 0); }

  task<void> use(std::shared_ptr<machine_files> files) {
    files_ = files;
    co_await on_system(files, uses_files(folder_.path()));
  }

 private:
  folder_on_machine folder_;
  std::shared_ptr<machine_files> files_ = std::make_shared<machine_files>();
};

CO_TEST_F(DisturbedMachineFiles, WithASlowDiskLeakNothing, .cancel_every = true, .destroy_every = true) {
  co_await use(std::make_shared<machine_files>(false, 1ms));
}

CO_TEST_F(DisturbedMachineFiles, WithWorkersLeakNothing, .cancel_every = true, .destroy_every = true) {
  co_await use(std::make_shared<machine_files>(true));
}

// -- allocations ------------------------------------------------------------------------------------------------------

// Within it each allocation fails.
class no_memory {
 public:
  no_memory() : by_(disturbance_kind::fail_alloc, 1) { detail::here().fails = &by_; }
  no_memory(const no_memory&) = delete;
  no_memory& operator=(const no_memory&) = delete;
  ~no_memory() { detail::here().fails = nullptr; }

 private:
  disturbance by_;
};

task<void> needs_no_memory(std::string folder) {
  file it = co_await open(folder + "/a", shared_file);
  std::array<std::byte, 4096> page{};
  co_await it.write_at(page, 0);
  {
    const no_memory scope;
    for (std::uint64_t i = 0; i < 100; ++i) {
      const std::size_t count = co_await it.read_at(page, 0);
      EXPECT_EQ(count, page.size());
      co_await it.write_at(page, 0);
      co_await it.sync_data();
      co_await it.seek(0);
      co_await it.write(page);
    }
  }
}

TEST(FileCallTest, NeedsNoMemoryWhereCallsDoNotWait) {
  run_with_disk(0ms, needs_no_memory);
  run_with_disk(1ms, needs_no_memory);
}

}  // namespace
}  // namespace lockstep
