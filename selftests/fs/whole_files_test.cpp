#include <lockstep/fs/whole_files.hpp>

#include "in_each_world.hpp"

#include <lockstep/sim/crash_model.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/plain_files.hpp>
#include <lockstep/system/read_errors.hpp>

#include <cerrno>
#include <cstring>
#include <set>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

task<void> reads_what_was_written(std::string folder) {
  const std::string path = folder + "/a";
  co_await write_file(path, "hello");
  EXPECT_EQ(co_await read_file(path), "hello");
  co_await write_file(path, "bye");
  EXPECT_EQ(co_await read_file(path), "bye");
  co_await append_file(path, ", now");
  co_await append_file(folder + "/new", "x");
  EXPECT_EQ(co_await read_file(path), "bye, now");
  EXPECT_EQ(co_await read_file(folder + "/new"), "x");
  const std::vector<std::byte> bytes = co_await read_bytes(path);
  EXPECT_EQ(bytes.size(), 8U);
  co_await write_file(folder + "/bytes", bytes);
  EXPECT_EQ(co_await read_file(folder + "/bytes"), "bye, now");
  co_await write_file(path, "");
  EXPECT_EQ(co_await read_file(path), "");
  EXPECT_EQ(co_await text_of_error(read_file(folder + "/none")),
            "open \"" + folder + "/none\": No such file or directory");
  EXPECT_EQ(co_await text_of_error(read_file(folder)), "read \"" + folder + "\": Is a directory");
}

TEST(WholeFilesTest, ReadWhatWasWritten) { run_in_each_world(reads_what_was_written); }

task<void> reads_much(std::string folder) {
  std::string all;
  for (int i = 0; i < 100'000; ++i) all += std::to_string(i);
  co_await write_file(folder + "/a", all);
  EXPECT_EQ(co_await read_file(folder + "/a"), all);
  EXPECT_EQ(co_await copy_file(folder + "/a", folder + "/b"), all.size());
  EXPECT_EQ(co_await read_file(folder + "/b"), all);
}

TEST(WholeFilesTest, ReadWhatIsLarge) { run_in_each_world(reads_much); }

task<void> stops_at_the_limit(std::string folder) {
  co_await write_file(folder + "/a", "0123456789");
  EXPECT_EQ(co_await read_file(folder + "/a", 10), "0123456789");
  EXPECT_EQ(co_await text_of_error(read_file(folder + "/a", 9)), "10 bytes have come, and at most 9 may");
}

TEST(WholeFilesTest, ReadNoMoreThanTheLimit) { run_in_each_world(stops_at_the_limit); }

// Whose size says nothing.
task<void> reads_what_has_no_size(std::string) {
  const std::string text = co_await read_file("/proc/self/status");
  EXPECT_THAT(text, testing::StartsWith("Name:"));
  EXPECT_GT(text.size(), 500U);
}

TEST(WholeFilesTest, ReadWhatHasNoSize) { run_with_disk(0ms, reads_what_has_no_size); }

// -- atomically -------------------------------------------------------------------------------------------------------

task<void> replaces(std::string folder) {
  const std::string path = folder + "/a";
  co_await write_file_atomically(path, "one", 0600);
  EXPECT_EQ(co_await read_file(path), "one");
  EXPECT_EQ((co_await status(path)).permissions, 0600U);
  co_await permissions(path, 0666);
  const file_status before = co_await status(path);
  co_await write_file_atomically(path, "two");
  EXPECT_EQ(co_await read_file(path), "two");
  const file_status after = co_await status(path);
  EXPECT_EQ(after.permissions, 0666U);
  EXPECT_FALSE(before.is_same_file_as(after));
  const std::vector<std::byte> bytes(3, std::byte{'x'});
  co_await write_file_atomically(path, bytes);
  EXPECT_EQ(co_await read_file(path), "xxx");
  EXPECT_EQ((co_await list_directory(folder)).size(), 1U);
  EXPECT_EQ(co_await text_of_error(write_file_atomically(folder + "/none/a", "x")),
            "open \"" + folder + "/none\": No such file or directory");
  EXPECT_EQ(co_await text_of_error(write_file_atomically(folder + "/", "x")),
            "write \"" + folder + "/\": Is a directory");
}

TEST(AtomicWriteTest, Replaces) { run_in_each_world(replaces); }

// Each call that can fail does, once: what is there is the old or the new, and nothing else.
task<void> fails_anywhere(std::string folder) {
  const std::string path = folder + "/a";
  co_await write_file(path, "old");
  machine_files& files = files_here();
  int failed = 0;
  for (int nth = 1;; ++nth) {
    files.fail_after = nth;
    const auto came_to = co_await as_result(write_file_atomically(path, "new"));
    const bool fired = files.fail_after == 0;
    files.fail_after = 0;
    if (!fired) {
      EXPECT_TRUE(came_to.has_value());
      break;
    }
    ++failed;
    EXPECT_EQ(detail::error_number(came_to.error()), EIO);
    const std::string there = co_await read_file(path);
    EXPECT_TRUE(there == "old" || there == "new") << there;
    EXPECT_EQ((co_await list_directory(folder)).size(), 1U) << "after failure " << nth;
  }
  EXPECT_EQ(failed, 6);  // open twice, write, sync, rename, sync
  EXPECT_EQ(co_await read_file(path), "new");
}

TEST(AtomicWriteTest, LeavesTheOldOrTheNewWhenItFails) { run_with_disk(0ms, fails_anywhere); }

task<void> is_cancelled_anywhere(std::string folder) {
  const std::string path = folder + "/a";
  co_await write_file(path, "old");
  bool done = false;
  for (int steps = 0; !done; ++steps) {
    auto writer = spawn(write_file_atomically(path, "new"), "writer");
    for (int i = 0; i < steps; ++i) co_await sleep_for(1ms);
    done = !writer.cancel();
    static_cast<void>(co_await as_result(writer.join()));
    const std::string there = co_await read_file(path);
    EXPECT_TRUE(there == "old" || there == "new") << there;
    EXPECT_EQ((co_await list_directory(folder)).size(), 1U) << "after " << steps << " ms";
    if (!done) co_await write_file(path, "old");
  }
  EXPECT_EQ(co_await read_file(path), "new");
}

TEST(AtomicWriteTest, LeavesTheOldOrTheNewWhenItIsCancelled) { run_with_disk(1ms, is_cancelled_anywhere); }

// -- on the simulated disk --------------------------------------------------------------------------------------------

sim::plain_files disk_here() { return {dynamic_cast<sim::host&>(current_system()), source::current()}; }

// The power may be cut at each moment of it, and what is on the disk then is picked.
task<void> survives_power_cuts(std::string) {
  const std::string path = "/data/a";
  sim::plain_files disk = disk_here();
  disk.write_file(path, "old");
  disk.pace({.read = 2ms, .write = 2ms, .sync = 2ms, .names = 2ms});
  sim::crash_model model = sim::weakest;
  model.rename_is_atomic = true;  // which is all that it needs
  disk.crash_model(model);
  std::set<std::string> found;
  auto writer = spawn(write_file_atomically(path, "new"), "writer");
  while (!writer.done()) {
    for (int i = 0; i < 5; ++i) found.insert(disk.image_after_power_cut().text_of(path));
    co_await sleep_for(1ms);
  }
  co_await writer.join();
  for (const std::string& each : found) EXPECT_TRUE(each == "old" || each == "new") << "\"" << each << "\"";
  EXPECT_EQ(disk.durable_image().text_of(path), "new");
  EXPECT_GE(now().time_since_epoch(), 14ms);
}

TEST(AtomicWriteTest, LeavesTheOldOrTheNewWhenThePowerIsCut) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const std::unique_ptr<oracle> choices = make_oracle(schedule::random, seed);
    sim::world world;
    sim::world_options how;
    how.choices = choices.get();
    world.run(in_simulated_folder(survives_power_cuts), how);
    judge(world, "with seed " + std::to_string(seed));
  }
}

// The same without a sync may leave anything, which shows that the test above can fail.
task<void> is_lost(std::string) {
  const std::string path = "/data/a";
  sim::plain_files disk = disk_here();
  disk.write_file(path, "old");
  disk.crash_model(sim::weakest);
  co_await write_file(path, "new");
  EXPECT_NE(disk.durable_image().text_of(path), "new");
}

TEST(WholeFilesTest, MayBeLostWhenThePowerIsCut) { run_in_simulation(is_lost); }

// -- copying ----------------------------------------------------------------------------------------------------------

task<void> copies(std::string folder) {
  const std::string from = folder + "/from";
  const std::string to = folder + "/to";
  co_await write_file(from, "hello");
  co_await permissions(from, 0751);
  EXPECT_EQ(co_await copy_file(from, to), 5U);
  EXPECT_EQ(co_await read_file(to), "hello");
  EXPECT_EQ((co_await status(to)).permissions, 0751U);
  EXPECT_EQ(co_await text_of_error(copy_file(from, to)), "open \"" + to + "\": File exists");
  co_await write_file(from, "bye");
  EXPECT_EQ(co_await copy_file(from, to, {.replace = true, .sync = true}), 3U);
  EXPECT_EQ(co_await read_file(to), "bye");
  EXPECT_EQ(co_await text_of_error(copy_file(from, from, {.replace = true})),
            "copy \"" + from + "\" to \"" + from + "\": Invalid argument");
  EXPECT_EQ(co_await read_file(from), "bye");
}

TEST(CopyFileTest, CopiesWhatIsInItAndItsPermissions) { run_in_each_world(copies); }

task<void> refuses_a_directory(std::string folder) {
  co_await create_directory(folder + "/d");
  co_await write_file(folder + "/old", "kept");
  EXPECT_EQ(co_await text_of_error(copy_file(folder + "/d", folder + "/old", {.replace = true})),
            "copy \"" + folder + "/d\" to \"" + folder + "/old\": Is a directory");
  EXPECT_EQ(co_await read_file(folder + "/old"), "kept");
}

TEST(CopyFileTest, LeavesWhatIsThereWhereItCopiesNoFile) { run_in_each_world(refuses_a_directory); }

task<void> replaces_a_long_name(std::string folder) {
  const std::string path = folder + "/" + std::string(255, 'n');
  co_await write_file_atomically(path, "new");
  EXPECT_EQ(co_await read_file(path), "new");
}

TEST(WriteFileAtomicallyTest, TakesTheLongestName) { run_in_each_world(replaces_a_long_name); }

}  // namespace
}  // namespace lockstep
