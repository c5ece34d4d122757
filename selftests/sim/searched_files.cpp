// Whether a search that knows what calls on files touch comes to all that one comes to which tries every order.
#include "../explore/explored.hpp"
#include "in_world.hpp"

#include <lockstep/lockstep.hpp>
#include <lockstep/sim/file_names.hpp>
#include <lockstep/sim/plain_files.hpp>

#include <fmt/format.h>

#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/statfs.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {
namespace {

// Two descriptors of /d/f, one of which has it locked; one of /d, two of other files, and perhaps a watch, by which
// calls meet that do not meet otherwise. Four pages are left.
class files_in_use {
 public:
  explicit files_in_use(bool watched) {
    system_.mkdirat(AT_FDCWD, "/d", S_IRWXU);
    fd_ = opened("/d/f", O_RDWR | O_CREAT);
    write_text(system_, fd_, "old");
    system_.lseek(fd_, 0, SEEK_SET);
    locked_ = opened("/d/f", O_RDWR);
    system_.flock(locked_, LOCK_EX);
    directory_ = opened("/d", O_RDONLY | O_DIRECTORY);
    one_ = opened("/1", O_RDWR | O_CREAT);
    other_ = opened("/2", O_RDWR | O_CREAT);
    watch_ = system_.inotify_init1(IN_NONBLOCK);
    if (watched) system_.inotify_add_watch(watch_, "/d", IN_ALL_EVENTS);
    sim::file_system& disk = here().files().disk();
    disk.limits().pages_max = disk.pages_used() + 4;
  }
  files_in_use(const files_in_use&) = delete;
  files_in_use& operator=(const files_in_use&) = delete;
  ~files_in_use() {
    for (int fd = 3; fd < 32; ++fd) system_.close(fd);
  }

  // Any of them, and what it came to.
  std::string call(std::size_t which) {
    struct stat found {};
    switch (which) {
      case 0: return at_offset();
      case 1: return fmt::format("{}", opened("/d/f", O_WRONLY | O_TRUNC) >= 0);
      case 2: return fmt::format("{}", system_.pwrite(fd_, "newer", 5, 0));
      case 3: return fmt::format("{} {}", system_.fstat(fd_, &found), text_of(found));
      case 4: return fmt::format("{}", system_.unlinkat(AT_FDCWD, "/d/f", 0));
      case 5: return fmt::format("{}", system_.fchmodat(AT_FDCWD, "/d/f", S_IRUSR));
      case 6: return listed();
      case 7: return fmt::format("{}", opened("/d/new", O_RDWR | O_CREAT) >= 0);
      case 8: return fmt::format("{}", system_.flock(fd_, LOCK_EX | LOCK_NB));
      case 9: return fmt::format("{}", system_.close(locked_));
      case 10: return fmt::format("{}", read_text(system_, watch_, 4096).size());
      case 11: return fmt::format("{}", system_.pwrite(one_, three_pages_.data(), three_pages_.size(), 0));
      case 12: return fmt::format("{}", system_.pwrite(other_, three_pages_.data(), three_pages_.size(), 0));
      case 13: return read_text(system_, fd_, 1);
      case 14: return fmt::format("{}", system_.lseek(fd_, 1, SEEK_SET));
      case 15: return fmt::format("{}", system_.linkat(AT_FDCWD, "/d/f", AT_FDCWD, "/d/l", 0));
      case 16: return fmt::format("{}", system_.fcntl(fd_, F_SETFL, O_APPEND));
      case 17: return fmt::format("{}", write_text(system_, fd_, "Z"));
      case 18: return fmt::format("{}", system_.ftruncate(one_, 0));
      case 19: return room();
      case 20: return fmt::format("{} {}", system_.fstatat(AT_FDCWD, "/d/f", &found, 0), text_of(found));
      case 21: return fmt::format("{}", system_.truncate("/d/f", 1));
      case 22: return ranges_locked();
      case 23: return fmt::format("{}", system_.fchmod(fd_, S_IRUSR | S_IRGRP));
      default: return fmt::format("{}", system_.renameat2(AT_FDCWD, "/1", AT_FDCWD, "/d/f", 0));
    }
  }
  static constexpr std::size_t calls = 25;

  std::string content() { return at_offset(); }

 private:
  int opened(const char* path, int flags) { return system_.openat(AT_FDCWD, path, flags, S_IRUSR | S_IWUSR); }
  std::string at_offset() {
    std::string text(16, '\0');
    text.resize(static_cast<std::size_t>(std::max<std::int64_t>(system_.pread(fd_, text.data(), text.size(), 0), 0)));
    return text;
  }
  static std::string text_of(const struct stat& found) {
    return fmt::format("{} {} {:o}", found.st_size, found.st_nlink, found.st_mode & S_IRWXU);
  }
  std::string listed() {
    std::array<char, 4096> entries;
    system_.lseek(directory_, 0, SEEK_SET);
    return fmt::format("{}", system_.getdents64(directory_, entries.data(), entries.size()));
  }
  std::string room() {
    struct statfs found {};
    system_.statfs("/", &found);
    return fmt::format("{}", found.f_bfree);
  }
  std::string ranges_locked() {
    struct flock range {};
    range.l_type = F_WRLCK;
    return fmt::format("{}", system_.fcntl(fd_, F_OFD_SETLK, reinterpret_cast<std::int64_t>(&range)));
  }

  system_calls& system_ = current_system();
  std::string three_pages_ = std::string(3 * sim::page_bytes, 'x');
  int fd_ = -1;
  int locked_ = -1;
  int directory_ = -1;
  int one_ = -1;
  int other_ = -1;
  int watch_ = -1;
};

// Two tasks, each of which does that.
task<void> both(std::function<void()> one, std::function<void()> other) {
  const auto work = [](const std::function<void()>& call) -> task<void> {
    co_await yield();
    call();
  };
  auto first = spawn(work(one));
  auto second = spawn(work(other));
  co_await first.join();
  co_await second.join();
}

// How many outcomes there are.
std::size_t expect_all_found(const searched_program& program) {
  sim::world world;
  const explored all = explore_all(world, program, {.reduced_by = reduction::none, .values_max = 1});
  const explored some = explore_all(world, program, {.all_shared_declared = true, .values_max = 1});
  EXPECT_TRUE(all.complete && some.complete);
  EXPECT_EQ(some.outcomes, all.outcomes);
  EXPECT_LE(some.runs, all.runs);
  return all.outcomes.size();
}

class SearchedFiles : public testing::TestWithParam<bool> {};

TEST_P(SearchedFiles, ComeToAllThatTheOrdersOfTwoCallsComeTo) {
  const bool watched = GetParam();
  std::size_t several = 0;
  for (std::size_t one = 0; one < files_in_use::calls; ++one) {
    for (std::size_t other = one; other < files_in_use::calls; ++other) {
      SCOPED_TRACE(fmt::format("call {} with {}", one, other));
      const searched_program program = [=](std::string& outcome) -> task<void> {
        files_in_use files(watched);
        std::array<std::string, 2> came_to;
        co_await both([&] { came_to[0] = files.call(one); }, [&] { came_to[1] = files.call(other); });
        outcome = fmt::format("{} / {} / {}", came_to[0], came_to[1], files.content());
      };
      if (expect_all_found(program) > 1) ++several;
    }
  }
  EXPECT_GT(several, watched ? 45u : 30u);
}

INSTANTIATE_TEST_SUITE_P(WithAWatch, SearchedFiles, testing::Bool());

// Which a power cut shows, where the disk gets changes in the order of the program.
// Set up and looked at by the test, while tasks are at work.
TEST(SearchedPlainFiles, AreInTheWayOfEachCall) {
  const searched_program program = [](std::string& outcome) -> task<void> {
    system_calls& system = current_system();
    world().fs().write_file("/1", "old");
    const int fd = system.openat(AT_FDCWD, "/1", O_WRONLY, 0);
    co_await both([&] { outcome = world().fs().read_file("/1"); }, [&] { system.pwrite(fd, "new", 3, 0); });
    system.close(fd);
  };
  EXPECT_EQ(expect_all_found(program), 2u);
}

TEST(SearchedPlainFiles, SeeInWhichOrderTheDiskGetsChanges) {
  const searched_program program = [](std::string& outcome) -> task<void> {
    sim::plain_files files = world().fs();
    files.write_file("/1", "old");
    files.write_file("/2", "old");
    files.crash_model(sim::data_journal);
    system_calls& system = current_system();
    const int one = system.openat(AT_FDCWD, "/1", O_WRONLY, 0);
    const int other = system.openat(AT_FDCWD, "/2", O_WRONLY, 0);
    co_await both([&] { system.pwrite(one, "new", 3, 0); }, [&] { system.pwrite(other, "new", 3, 0); });
    system.close(one);
    system.close(other);
    std::set<std::string> left;
    for (const sim::crash_image& each : files.crash_images(9)) {
      left.insert(each.disk.text_of("/1") + '+' + each.disk.text_of("/2") + ' ');
    }
    for (const std::string& each : left) outcome += each;
  };
  EXPECT_EQ(expect_all_found(program), 2u);
}

}  // namespace
}  // namespace lockstep
