#include <lockstep/testing/crash_sweep.hpp>

#include "setting_file.hpp"

#include <lockstep/lockstep.hpp>
#include <lockstep/sim/fault.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/system/current.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace lockstep {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

task<void> renames_without_a_sync() {
  write_all("/setting.new", "new", false);
  current_system().renameat2(AT_FDCWD, "/setting.new", AT_FDCWD, "/setting", 0);
  co_return;
}

task<void> renames_after_a_sync() {
  write_all("/setting.new", "new", true);
  current_system().renameat2(AT_FDCWD, "/setting.new", AT_FDCWD, "/setting", 0);
  co_return;
}

task<void> does_nothing() { co_return; }

TEST(CrashSweepTest, FindsAFileThatIsOverwritten) {
  const testing::AssertionResult result = crash_sweep(overwrites, is_old_or_new, with_setting);
  EXPECT_FALSE(result);
  EXPECT_THAT(result.message(), HasSubstr("behind change 1 (setting is resized to 0), in the model process_crash"));
}

// Ext4 keeps no such rename without the data; what promises less does.
TEST(CrashSweepTest, FindsARenameWithoutASync) {
  const testing::AssertionResult result = crash_sweep(renames_without_a_sync, is_old_or_new, with_setting);
  EXPECT_FALSE(result);
  EXPECT_THAT(result.message(),
              testing::StartsWith("the check fails where the power is cut behind change 3 (setting.new is renamed to "
                                  "setting), in the model ext3_writeback; lost:\n"
                                  "  write 3 at 0 to /setting, of which 3 at 0\nand then (check "));
  EXPECT_THAT(result.message(), HasSubstr("setting_file.hpp"));
  crash_sweep_options on_ext4 = with_setting;
  on_ext4.models = {sim::ext4_ordered};
  EXPECT_TRUE(crash_sweep(renames_without_a_sync, is_old_or_new, on_ext4));
}

// But for a disk on which a rename is not one.
TEST(CrashSweepTest, PassesTheRightWayToReplaceAFile) {
  crash_sweep_options where_renames_are_atomic = with_setting;
  for (sim::crash_model& each : where_renames_are_atomic.models) each.rename_is_atomic = true;
  const testing::AssertionResult result = crash_sweep(renames_after_a_sync, is_old_or_new, where_renames_are_atomic);
  EXPECT_TRUE(result) << result.message();
  EXPECT_THAT(result.message(), HasSubstr("after 4 changes"));
  EXPECT_THAT(crash_sweep(renames_after_a_sync, is_old_or_new, with_setting).message(),
              AllOf(HasSubstr("in the model weakest"), HasSubstr("name setting in /")));
}

// As much as a page cache would have written to the disk by then.
TEST(CrashSweepTest, FindsALargeFileThatIsRenamedWithoutASync) {
  static constexpr std::int64_t large = 5'000'000;
  const auto renames_a_large_one = []() -> task<void> {
    write_all("/setting.new", std::string(static_cast<std::size_t>(large), 'x'), false);
    current_system().renameat2(AT_FDCWD, "/setting.new", AT_FDCWD, "/setting", 0);
    co_return;
  };
  const auto is_old_or_large = []() -> task<void> {
    struct stat found {};
    current_system().fstatat(AT_FDCWD, "/setting", &found, 0);
    EXPECT_THAT(found.st_size, testing::AnyOf(3, large));
    co_return;
  };
  crash_sweep_options in_any_order = with_setting;
  in_any_order.models = {sim::weakest};
  EXPECT_FALSE(crash_sweep(renames_a_large_one, is_old_or_large, in_any_order));
}

// A log on a disk of its own: what is on the one is durable before it is in the other, or the other way round.
TEST(CrashSweepTest, CutsThePowerOfAllDisks) {
  crash_sweep_options with_a_log{.models = {sim::ext4_ordered}};
  with_a_log.prepare = [](sim::world& of) {
    of.fs().write_file("/data", "0");
    of.fs().make_directory("/log");
    of.fs().mount("/log").write_file("/entries", "");
  };
  const auto enters = [](bool log_is_synced) -> task<void> {
    write_all("/log/entries", "1", log_is_synced);
    system_calls& system = current_system();
    const int fd = system.openat(AT_FDCWD, "/data", O_WRONLY, 0);
    system.write(fd, "1", 1);
    system.fsync(fd);
    system.close(fd);
    co_return;
  };
  const auto is_in_the_log_first = []() -> task<void> {
    EXPECT_TRUE(read_all("/data") == "0" || read_all("/log/entries") == "1");
    co_return;
  };
  const testing::AssertionResult right = crash_sweep([&] { return enters(true); }, is_in_the_log_first, with_a_log);
  EXPECT_TRUE(right) << right.message();
  EXPECT_THAT(crash_sweep([&] { return enters(false); }, is_in_the_log_first, with_a_log).message(),
              HasSubstr("behind change 3 (1 bytes are written at 0 to data), in the model ext4_ordered; lost:\n"
                        "  write 1 at 0 to /entries on /log\nand then"));
}

TEST(CrashSweepTest, LetsOneDiskLoseAllAndTheOthersNothing) {
  crash_sweep_options how{.models = {sim::strict_sync, sim::weakest}, .images = 2};
  how.prepare = [](sim::world& of) {
    of.fs().make_directory("/other");
    of.fs().mount("/other");
  };
  const auto makes_two = []() -> task<void> {
    write_all("/1", "x", false);
    write_all("/other/2", "x", false);
    co_return;
  };
  std::set<std::string> found;
  const auto looks = [&found]() -> task<void> {
    found.insert(read_all("/1") + " " + read_all("/other/2"));
    co_return;
  };
  EXPECT_TRUE(crash_sweep(makes_two, looks, how));
  EXPECT_THAT(found, testing::IsSupersetOf({"none none", "x none", "none x", "x x"}));
}

TEST(CrashSweepTest, RefusesADiskThatIsNotMountedForBoth) {
  const auto mounts = []() -> task<void> {
    world().fs().make_directory("/data");
    world().fs().mount("/data");
    write_all("/setting", "x", true);
    co_return;
  };
  EXPECT_THAT(crash_sweep(mounts, is_old_or_new, with_setting).message(),
              HasSubstr("the workload has mounted a disk: mount it in `prepare`"));
  bool is_first = true;
  crash_sweep_options once = with_setting;
  once.prepare = [&is_first](sim::world& of) {
    of.fs().make_directory("/data");
    if (std::exchange(is_first, false)) of.fs().mount("/data");
  };
  EXPECT_THAT(crash_sweep(overwrites, does_nothing, once).message(),
              HasSubstr("`prepare` has made other hosts or disks than for the workload"));
}

// So no file is of the future.
TEST(CrashSweepTest, LetsTheClockOfTheCheckGoOnFromTheCut) {
  const auto writes_after_an_hour = []() -> task<void> {
    co_await sleep_for(std::chrono::hours(1));
    shift_wall_clock(std::chrono::hours(5));
    write_all("/late", "x", true);
    sync_root();
  };
  bool is_there = false;
  const auto looks = [&is_there]() -> task<void> {
    struct stat found {};
    if (current_system().fstatat(AT_FDCWD, "/late", &found, 0) != 0) co_return;
    is_there = true;
    EXPECT_EQ(found.st_mtim.tv_sec, wall_now().time_since_epoch() / std::chrono::seconds(1));
    EXPECT_EQ(now().time_since_epoch(), std::chrono::hours(1));
  };
  const testing::AssertionResult result = crash_sweep(writes_after_an_hour, looks);
  EXPECT_TRUE(result) << result.message();
  EXPECT_TRUE(is_there);
}

// A service that works on a host of its own.
TEST(CrashSweepTest, CutsThePowerOfAllHosts) {
  crash_sweep_options with_a_database{.models = {sim::process_crash, sim::ext4_ordered}};
  with_a_database.prepare = [](sim::world& of) { of.host("db"); };
  const auto saves_there = [](bool synced) -> task<void> {
    const auto saves = [](bool with_sync) -> task<void> {
      write_all("/saved", "all", with_sync);
      co_return;
    };
    co_await world().network().at("db").spawn(saves(synced)).join();
  };
  const auto is_none_or_whole = []() -> task<void> {
    const sim::plain_files files = world().fs("db");
    EXPECT_TRUE(!files.exists("/saved") || files.read_file("/saved") != "");
    co_return;
  };
  EXPECT_THAT(crash_sweep([&] { return saves_there(true); }, is_none_or_whole, with_a_database).message(),
              HasSubstr("behind change 1 (saved is made of host \"db\"), in the model process_crash"));
  with_a_database.models = {sim::ext4_ordered};
  EXPECT_THAT(crash_sweep([&] { return saves_there(false); }, does_nothing, with_a_database).message(),
              HasSubstr("after 2 changes"));
  const auto has_both_or_none = []() -> task<void> {
    EXPECT_EQ(read_all("/here") == "x", world().fs("db").exists("/there"));
    co_return;
  };
  const auto saves_on_both = []() -> task<void> {
    world().fs("db").write_file("/there", "x");
    write_all("/here", "x", true);
    sync_root();
    co_return;
  };
  EXPECT_THAT(crash_sweep(saves_on_both, has_both_or_none, with_a_database).message(), HasSubstr("behind change 1"));
  const auto loses_nothing = [&saves_there]() -> task<void> {
    co_await saves_there(false);
    write_all("/here", "x", false);
  };
  const auto has_all_there_is_here = []() -> task<void> {
    const bool is_whole = world().fs("db").exists("/saved") && world().fs("db").read_file("/saved") == "all";
    EXPECT_TRUE(read_all("/here") == "none" || is_whole);
    co_return;
  };
  EXPECT_THAT(crash_sweep(loses_nothing, has_all_there_is_here, with_a_database).message(),
              HasSubstr("write 3 at 0 to /saved of host \"db\"\nand then"));
}

TEST(CrashSweepTest, RefusesAHostWithFilesThatIsNotThereForBoth) {
  const auto saves_on_a_new_host = []() -> task<void> {
    world().host("db");
    world().fs("db").write_file("/saved", "x");
    co_return;
  };
  EXPECT_THAT(crash_sweep(saves_on_a_new_host, does_nothing).message(),
              HasSubstr("the workload has made host \"db\", and files on it: make the host in `prepare`"));
  const auto makes_one_without_files = []() -> task<void> {
    world().host("web");
    write_all("/setting", "x", true);
    co_return;
  };
  EXPECT_TRUE(crash_sweep(makes_one_without_files, does_nothing));
}

// As the machine that comes back is the same.
TEST(CrashSweepTest, PreparesTheWorldOfTheCheckAsWell) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "crash_sweep_test_fixture";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "defaults") << "new";
  crash_sweep_options how{.models = {sim::ext4_ordered}};
  how.prepare = [&folder](sim::world& of) {
    of.fs().write_file("/setting", "old");
    of.fs().mount_fixture("/defaults", folder.string());
    of.host("other");
    of.network().first_host().run_as(1000, 1000);
  };
  const auto copies = []() -> task<void> {
    world().fs().write_file("/setting", read_all("/defaults/defaults"));
    co_return;
  };
  bool is_new = false;
  const auto looks = [&is_new]() -> task<void> {
    EXPECT_EQ(read_all("/defaults/defaults"), "new");
    world().fs("other").write_file("/a", "");
    is_new = is_new || read_all("/setting") == "new";
    EXPECT_EQ(current_system().openat(AT_FDCWD, "/setting", O_WRONLY, 0), -EACCES);
    co_return;
  };
  const testing::AssertionResult result = crash_sweep(copies, looks, how);
  EXPECT_TRUE(result) << result.message();
  EXPECT_TRUE(is_new) << "what is left takes the place of what was prepared";
  std::filesystem::remove_all(folder);
}

TEST(CrashSweepTest, LeavesASectorUnreadableThatHasGoneBad) {
  const auto meets_a_bad_sector = []() -> task<void> {
    const fault bad = on(op::file_read).to("/setting").latent_error();
    EXPECT_EQ(read_all("/setting"), "");
    write_all("/other", "x", true);
    co_return;
  };
  bool is_bad = false;
  const auto looks = [&is_bad]() -> task<void> {
    is_bad = is_bad || read_all("/setting").empty();
    co_return;
  };
  EXPECT_TRUE(crash_sweep(meets_a_bad_sector, looks, with_setting));
  EXPECT_TRUE(is_bad);
}

// A sector that is old or new needs no checksum; one that may be garbage does.
TEST(CrashSweepTest, FindsGarbageOnlyWhereTheModelLeavesSome) {
  const auto writes_in_place = []() -> task<void> {
    system_calls& system = current_system();
    const int fd = system.openat(AT_FDCWD, "/setting", O_WRONLY, 0);
    EXPECT_EQ(system.pwrite(fd, "new", 3, 0), 3);
    EXPECT_EQ(system.fsync(fd), 0);
    system.close(fd);
    co_return;
  };
  EXPECT_TRUE(crash_sweep(writes_in_place, is_old_or_new, with_setting));
  crash_sweep_options damaging = with_setting;
  for (sim::crash_model& each : damaging.models) each.leaves_garbage = true;
  EXPECT_THAT(crash_sweep(writes_in_place, is_old_or_new, damaging).message(),
              HasSubstr("write 3 at 0 to /setting, of which 3 at 0 as garbage"));
}

// -- what is a change -------------------------------------------------------------------------------------------------

task<void> changes_in_other_ways() {
  system_calls& system = current_system();
  const int fd = system.openat(AT_FDCWD, "/setting", O_RDWR, 0);
  EXPECT_EQ(system.fallocate(fd, 0, 0, 100), 0);
  EXPECT_EQ(system.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 10), 0);
  EXPECT_EQ(system.fchmod(fd, S_IRUSR), 0);
  system.close(fd);
  co_return;
}

TEST(CrashSweepTest, CutsBehindEachChangeOfAFile) {
  EXPECT_THAT(crash_sweep(
                  changes_in_other_ways, []() -> task<void> { co_return; }, with_setting)
                  .message(),
              HasSubstr("after 3 changes"));
}

// -- what was promised ------------------------------------------------------------------------------------------------

TEST(CrashSweepTest, ShowsTheCheckWhatWasPromisedByThen) {
  int promised = 0;
  const auto put_two = [&promised](bool with_sync) -> task<void> {
    for (const char* each : {"/1", "/2"}) {
      write_all(each, "x", true);
      if (with_sync) sync_root();
      ++promised;
    }
    co_return;
  };
  const auto are_there = [&promised]() -> task<void> {
    for (int i = 0; i < promised; ++i) EXPECT_EQ(read_all(i == 0 ? "/1" : "/2"), "x");
    co_return;
  };
  const testing::AssertionResult right = crash_sweep([&] { return put_two(true); }, are_there);
  EXPECT_TRUE(right) << right.message();
  promised = 0;
  EXPECT_THAT(crash_sweep([&] { return put_two(false); }, are_there).message(),
              AllOf(HasSubstr("in the model strict_sync"), HasSubstr("name 1 in /")));
  promised = 0;
  EXPECT_THAT(crash_sweep([&] { return put_two(false); }, are_there, {.models = {sim::weakest}}).message(),
              AllOf(HasSubstr("name 1 in /"), Not(HasSubstr("name 2"))));
}

TEST(CrashSweepTest, AsksForWhatIsPromisedBehindTheLastChange) {
  bool promised = false;
  const auto put_one = [&promised]() -> task<void> {
    write_all("/1", "x", false);
    promised = true;
    co_return;
  };
  const auto is_there = [&promised]() -> task<void> {
    EXPECT_EQ(promised, promised && read_all("/1") == "x");
    co_return;
  };
  EXPECT_THAT(crash_sweep(put_one, is_there).message(),
              HasSubstr("where the power is cut at the end of the workload, in the model data_journal"));
}

// -- misuse -----------------------------------------------------------------------------------------------------------

TEST(CrashSweepTest, RefusesOptionsByWhichNothingIsTried) {
  const auto message = [](const crash_sweep_options& how) {
    const testing::AssertionResult result = crash_sweep(overwrites, is_old_or_new, how);
    EXPECT_FALSE(result);
    return std::string(result.message());
  };
  EXPECT_THAT(message({.models = {}, .prepare = prepare_setting}),
              HasSubstr("the sweep tests nothing: `models` is empty; leave it out for all models"));
  sim::crash_model of_nothing = sim::ext4_ordered;
  of_nothing.whole_bytes = 0;
  EXPECT_THAT(message({.models = {of_nothing}, .prepare = prepare_setting}),
              HasSubstr("the sweep tests nothing: `whole_bytes` of the model \"ext4_ordered\" is 0; make it"));
  EXPECT_THAT(message({.images = 0, .prepare = prepare_setting}),
              HasSubstr("the sweep tests nothing: `images` is 0; leave it out for 12, or make it 1 at least"));
  EXPECT_THAT(message({.operations_max = 0, .prepare = prepare_setting}),
              HasSubstr("the sweep tests nothing: `operations_max` is 0; leave it out"));
}

TEST(CrashSweepTest, SaysWhatKeepsItFromTesting) {
  EXPECT_THAT(crash_sweep(does_nothing, does_nothing).message(), HasSubstr("the workload changes no file"));
  const auto fails = []() -> task<void> {
    ADD_FAILURE() << "by itself";
    co_return;
  };
  EXPECT_THAT(crash_sweep(fails, does_nothing).message(),
              AllOf(HasSubstr("the workload fails without a power cut"), HasSubstr("by itself")));
  EXPECT_THAT(crash_sweep(overwrites, does_nothing, {.operations_max = 2}).message(), HasSubstr("more than 2 changes"));
}

}  // namespace
}  // namespace lockstep
