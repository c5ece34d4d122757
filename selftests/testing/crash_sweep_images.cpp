// Which images of a power cut a sweep looks at.
#include "setting_file.hpp"

#include <lockstep/sim/fault.hpp>

#include <fmt/format.h>

#include <set>
#include <string>

namespace lockstep {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

task<void> overwrites_two_pages() {
  system_calls& system = current_system();
  const int fd = system.openat(AT_FDCWD, "/pages", O_WRONLY, 0);
  system.write(fd, std::string(8'192, 'n').data(), 8'192);
  system.close(fd);
  co_return;
}

TEST(CrashSweepTest, TearsTheLastWriteAtEitherEnd) {
  crash_sweep_options how{.models = {sim::ext4_ordered}};
  how.prepare = [](sim::world& of) { of.fs().write_file("/pages", std::string(8'192, 'o')); };
  const auto sees = [](char first, char last) {
    const std::string pages = world().fs().read_file("/pages");
    EXPECT_FALSE(pages.front() == first && pages.back() == last);
  };
  const auto sees_the_first = [&sees]() -> task<void> {
    sees('n', 'o');
    co_return;
  };
  const auto sees_the_last = [&sees]() -> task<void> {
    sees('o', 'n');
    co_return;
  };
  EXPECT_THAT(crash_sweep(overwrites_two_pages, sees_the_first, how).message(), HasSubstr("of which 4096 at 4096"));
  EXPECT_THAT(crash_sweep(overwrites_two_pages, sees_the_last, how).message(), HasSubstr("of which 4096 at 0"));
}

task<void> makes_three() {
  for (const char* each : {"/1", "/2", "/3"}) write_all(each, "x", true);
  co_return;
}

TEST(CrashSweepTest, KeepsTheLastChangeAloneAndLosesTheOldestAlone) {
  const auto last_alone = []() -> task<void> {
    EXPECT_TRUE(read_all("/3") == "none" || read_all("/1") != "none" || read_all("/2") != "none");
    co_return;
  };
  const auto not_the_oldest = []() -> task<void> {
    EXPECT_TRUE(read_all("/3") == "none" || read_all("/2") == "none" || read_all("/1") != "none");
    co_return;
  };
  const crash_sweep_options how{.models = {sim::weakest}, .images = 9};
  EXPECT_THAT(crash_sweep(makes_three, last_alone, how).message(),
              AllOf(HasSubstr("name 1 in"), HasSubstr("name 2 in")));
  EXPECT_THAT(crash_sweep(makes_three, not_the_oldest, how).message(), HasSubstr("lost:\n  name 1 in /\nand then"));
}

// Whichever of them it is, and whatever has become of the others: there are no more images than are looked at.
TEST(CrashSweepTest, LooksAtAllImagesWhereThereAreFew) {
  const auto overwrites_three = []() -> task<void> {
    for (const char* each : {"/1", "/2", "/3"}) write_all(each, "new", false);
    co_return;
  };
  crash_sweep_options how{.models = {sim::weakest}, .images = 1'000};
  how.prepare = [](sim::world& of) {
    for (const char* each : {"/1", "/2", "/3"}) of.fs().write_file(each, "old");
  };
  std::set<std::string> seen;
  const auto note = [&seen]() -> task<void> {
    seen.insert(fmt::format("{} {} {}", read_all("/1"), read_all("/2"), read_all("/3")));
    co_return;
  };
  EXPECT_TRUE(crash_sweep(overwrites_three, note, how));
  for (const char* one : {"old", "", "new"})
    for (const char* two : {"old", "", "new"})
      for (const char* three : {"old", "", "new"}) EXPECT_EQ(seen.count(fmt::format("{} {} {}", one, two, three)), 1u);
}

TEST(CrashSweepTest, LosesEachOfAFewChangesAlone) {
  static constexpr int few = 5;
  const auto path_of = [](int i) { return fmt::format("/{}", i); };
  bool ended = false;
  const auto overwrites_few = [path_of, &ended]() -> task<void> {
    system_calls& system = current_system();
    for (int i = 0; i < few; ++i) {
      const int fd = system.openat(AT_FDCWD, path_of(i).c_str(), O_WRONLY, 0);
      EXPECT_EQ(system.write(fd, "new", 3), 3);
      system.close(fd);
    }
    ended = true;
    co_return;
  };
  crash_sweep_options how;
  how.prepare = [path_of](sim::world& of) {
    for (int i = 0; i < few; ++i) of.fs().write_file(path_of(i), "old");
  };
  for (int alone = 0; alone < few; ++alone) {
    ended = false;
    const auto is_not_lost_alone = [=, &ended]() -> task<void> {
      int others = 0;
      for (int i = 0; i < few; ++i) others += i != alone && read_all(path_of(i).c_str()) == "new" ? 1 : 0;
      EXPECT_FALSE(ended && others == few - 1 && read_all(path_of(alone).c_str()) == "old");
      co_return;
    };
    EXPECT_THAT(crash_sweep(overwrites_few, is_not_lost_alone, how).message(),
                HasSubstr(fmt::format("lost:\n  write 3 at 0 to /{}\nand then", alone)));
  }
}

// Of many changes that could be lost the one that matters, and what goes with it.
TEST(CrashSweepTest, NamesTheOneOfManyChangesThatMatters) {
  static constexpr int many = 300;
  bool ended = false;
  const auto makes_many = [&ended]() -> task<void> {
    for (int i = 1; i <= many; ++i) current_system().mkdirat(AT_FDCWD, fmt::format("/{}", i).c_str(), S_IRWXU);
    ended = true;
    co_return;
  };
  const auto lost_without = [&](const sim::crash_model& model, int needed) {
    const auto has_it = [&ended, needed]() -> task<void> {
      EXPECT_TRUE(!ended || world().fs().exists(fmt::format("/{}", needed)));
      co_return;
    };
    ended = false;
    const std::string text = crash_sweep(makes_many, has_it, {.models = {model}, .images = 1}).message();
    const std::size_t begin = text.find("lost:\n") + 6;
    return text.substr(begin, text.find("and then") - begin);
  };
  EXPECT_EQ(lost_without(sim::weakest, 1), "  name 1 in /\n");
  EXPECT_EQ(lost_without(sim::weakest, 200), "  name 200 in /\n");
  EXPECT_EQ(lost_without(sim::ext4_ordered, 299), "  name 299 in /\n  name 300 in /\n") << "the second with the first";
}

// Images 3 and 5 lose names alone, and all but a piece of the last write.
TEST(CrashSweepTest, LosesNamesAloneAndTheLastWriteAlone) {
  const auto makes_and_overwrites = []() -> task<void> {
    write_all("/made", "", false);
    system_calls& system = current_system();
    for (const char* each : {"/one", "/other"}) {
      const int fd = system.openat(AT_FDCWD, each, O_WRONLY, 0);
      EXPECT_EQ(system.pwrite(fd, std::string(1024, 'n').data(), 1024, 0), 1024);
      system.close(fd);
    }
    co_return;
  };
  const auto no_name_is_lost_alone = []() -> task<void> {
    const bool is_new = read_all("/one").front() == 'n' && read_all("/other").front() == 'n';
    EXPECT_TRUE(!is_new || read_all("/made") != "none");
    co_return;
  };
  const auto no_write_is_torn_alone = []() -> task<void> {
    const std::string one = world().fs().read_file("/one");
    const std::string other = world().fs().read_file("/other");
    EXPECT_FALSE(one == std::string(1024, 'n') && other.front() == 'o' && other.back() == 'n');
    co_return;
  };
  crash_sweep_options how{.models = {sim::weakest}, .images = 4};
  how.prepare = [](sim::world& of) {
    for (const char* each : {"/one", "/other"}) of.fs().write_file(each, std::string(1024, 'o'));
  };
  EXPECT_THAT(crash_sweep(makes_and_overwrites, no_name_is_lost_alone, how).message(), HasSubstr("name made in /"));
  how.images = 6;
  EXPECT_THAT(crash_sweep(makes_and_overwrites, no_write_is_torn_alone, how).message(),
              HasSubstr("lost:\n  write 1024 at 0 to /other, of which 512 at 0\nand then"));
}

TEST(CrashSweepTest, CutsBeforeTheFirstChangeAndChecksNoImageTwice) {
  const auto is_new = []() -> task<void> {
    EXPECT_EQ(read_all("/setting"), "new");
    co_return;
  };
  EXPECT_THAT(crash_sweep(overwrites, is_new, with_setting).message(), HasSubstr("is cut before the first change"));
  const auto passes = []() -> task<void> { co_return; };
  crash_sweep_options how = with_setting;
  how.models = {sim::data_journal};
  how.operations_max = 3;
  EXPECT_THAT(crash_sweep(overwrites, passes, how).message(), HasSubstr("8 checks passed, after 3 changes"))
      << "of one image before, two, three and one behind them, and one at the end";
}

// However little the disk takes into memory, nothing is durable but by a sync.
TEST(CrashSweepTest, LosesWhatAPageCacheWouldHaveWritten) {
  const auto writes_twice = []() -> task<void> {
    write_all("/setting", "new", false);
    write_all("/other", "new", false);
    co_return;
  };
  const auto is_as_before = []() -> task<void> {
    EXPECT_EQ(read_all("/setting"), "old");
    co_return;
  };
  crash_sweep_options how = with_setting;
  how.models = {sim::strict_sync};
  how.prepare = [](sim::world& of) {
    prepare_setting(of);
    of.fs().page_cache(1);
  };
  EXPECT_TRUE(crash_sweep(writes_twice, is_as_before, how));
}

TEST(CrashSweepTest, TellsOfFilesByTheirWholePaths) {
  const auto moves = []() -> task<void> {
    system_calls& system = current_system();
    for (const char* each : {"/one/log", "/other/log"}) write_all(each, "new", false);
    EXPECT_EQ(system.mkdirat(AT_FDCWD, "/other/old", S_IRWXU), 0);
    EXPECT_EQ(system.renameat2(AT_FDCWD, "/one/log", AT_FDCWD, "/other/old/log.1", 0), 0);
    co_return;
  };
  const auto all_is_there = []() -> task<void> {
    EXPECT_TRUE(!world().fs().exists("/other/old/log.1") || read_all("/other/old/log.1") == "new");
    co_return;
  };
  crash_sweep_options how{.models = {sim::ext3_writeback}};
  how.prepare = [](sim::world& of) {
    for (const char* each : {"/one", "/other"}) of.fs().make_directory(each);
    for (const char* each : {"/one/log", "/other/log"}) of.fs().write_file(each, "old");
  };
  EXPECT_THAT(crash_sweep(moves, all_is_there, how).message(), HasSubstr("lost:\n  write 3 at 0 to /other/old/log.1"));
}

}  // namespace
}  // namespace lockstep
