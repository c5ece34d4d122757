// Each allocation of each call on files fails once: then nothing has changed, neither in the tree nor in what is
// counted, and the log of changes says what memory says. In a binary of its own, with the allocation functions of
// failing_new.hpp.
#include "all_images.hpp"

#include <lockstep/fs/whole_files.hpp>
#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/sim/plain_files.hpp>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <functional>
#include <new>
#include <string>
#include <vector>

namespace lockstep::sim {
namespace {

// While it lives, the allocation after `before` others fails.
class failing_allocation {
 public:
  explicit failing_allocation(std::uint64_t before) : by_(disturbance_kind::fail_alloc, before + 1) {
    detail::here().fails = &by_;
  }
  failing_allocation(const failing_allocation&) = delete;
  failing_allocation& operator=(const failing_allocation&) = delete;
  ~failing_allocation() { detail::here().fails = nullptr; }

 private:
  disturbance by_;
};

struct disk_state {
  std::string tree;  // with the content
  std::uint64_t pages;
  std::uint64_t inodes;
  bool operator==(const disk_state&) const = default;
};

class short_of_memory {
 public:
  explicit short_of_memory(bool log_is_of_memory = true) : log_is_of_memory_(log_is_of_memory) {}

  // The call `what` succeeds once it has all the memory that it needs. It returns an error, or what is not negative.
  // Where it `may_be_done`, it may fail after the change.
  void call(const char* what, const std::function<std::int64_t()>& made, bool may_be_done = false) {
    constexpr std::uint64_t many = 100;
    const disk_state before = state();
    for (std::uint64_t allocations = 0; allocations < many; ++allocations) {
      try {
        std::int64_t result = 0;
        {
          const failing_allocation memory(allocations);
          result = made();
        }
        EXPECT_GE(result, 0) << what;
        expect_log_of_memory(what);
        return;
      } catch (const std::bad_alloc&) {
        ++failed_;
      }
      if (!may_be_done) {
        const disk_state now = state();
        EXPECT_EQ(now.tree, before.tree) << what << ", allocation " << allocations;
        EXPECT_TRUE(now == before) << what << ", allocation " << allocations << ": " << now.pages << " pages of "
                                   << before.pages << ", " << now.inodes << " inodes of " << before.inodes;
      }
      expect_log_of_memory(what);
    }
    ADD_FAILURE() << what << " never succeeds";
  }

  disk_state state() const {
    const file_system& disk = here().files().disk();
    return {disk.image().fingerprint(), disk.pages_used(), disk.inodes_used()};
  }

  // Where nothing is lost, what a power cut leaves is what is in memory.
  void expect_log_of_memory(const char* after) const {
    const file_system& disk = here().files().disk();
    EXPECT_FALSE(plain_files(here(), source::current()).crash_images(3).empty());
    if (!log_is_of_memory_) return;
    for (const crash_model* const each : {&weakest, &ext4_ordered}) {
      const disk_image left = disk.image_after_power_cut(*each, nothing_lost, nullptr);
      EXPECT_EQ(left.difference(disk.image()), "") << each->name << " after " << after;
    }
  }

  int failed() const noexcept { return failed_; }

 private:
  bool log_is_of_memory_;
  int failed_ = 0;
};

constexpr const char* first_name = "/a directory with a long name/a file with a long name";
constexpr const char* second_name = "/a directory with a long name/another file with a long name";
constexpr const char* elsewhere = "/another directory with a long name/a file with a long name";

void change_what_is_in_files(system_calls& system, short_of_memory& short_of) {
  const int fd = system.openat(AT_FDCWD, first_name, O_RDWR, 0);
  const std::string text(5 * page_bytes, 'x');
  const auto write = [&](const char* what, std::size_t size, std::int64_t offset) {
    short_of.call(what, [&] { return system.pwrite(fd, text.data(), size, offset); });
  };
  write("a first write", 10, 0);
  write("a write behind it", 300, 10);
  write("a write behind the end", 100, 600 * page_bytes);
  write("a large write", 3 * page_bytes, 5'000);
  write("an overwrite of a part", 2'000, 6'000);
  write("a write over pages and behind them", 2 * page_bytes + 100, 3 * page_bytes);
  short_of.call(
      "a write of two pieces, of which one may be written",
      [&] {
        std::string piece(page_bytes, 'y');
        const std::array<iovec, 2> pieces{iovec{piece.data(), 10}, iovec{piece.data(), piece.size()}};
        return system.pwritev(fd, pieces.data(), pieces.size(), 100);
      },
      true);
  const auto allocate = [&](const char* what, int mode, std::int64_t offset, std::int64_t size) {
    short_of.call(what, [&] { return system.fallocate(fd, mode, offset, size); });
  };
  allocate("setting space aside", 0, 700 * page_bytes, 10 * page_bytes);
  allocate("a hole", FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 5'100, 2 * page_bytes);
  allocate("zeros", FALLOC_FL_ZERO_RANGE, 6'100, 1'500 * page_bytes);
  allocate("a hole in a page", FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 3 * page_bytes + 10, 10);
  short_of.call("a truncation", [&] { return system.ftruncate(fd, 5'100); });
  short_of.call("a truncation that grows", [&] { return system.ftruncate(fd, 50'000); });
  short_of.call("a sync of data", [&] { return system.fdatasync(fd); });
  write("a write after that", 10, 0);
  short_of.call("a sync", [&] { return system.fsync(fd); });
  short_of.call("a mode", [&] { return system.fchmod(fd, S_IRWXU); });
  short_of.call("an owner", [&] { return system.fchown(fd, 7, 7); });
  const std::array<timespec, 2> times{timespec{1, 0}, timespec{2, 0}};
  short_of.call("times", [&] { return system.utimensat(AT_FDCWD, first_name, times.data(), 0); });
  system.close(fd);
}

void change_names(system_calls& system, short_of_memory& short_of) {
  const auto link = [&](const char* what, const char* name) {
    short_of.call(what, [&] { return system.linkat(AT_FDCWD, first_name, AT_FDCWD, name, 0); });
  };
  const auto rename = [&](const char* what, const char* from, const char* to, unsigned flags = 0) {
    short_of.call(what, [&] { return system.renameat2(AT_FDCWD, from, AT_FDCWD, to, flags); });
  };
  link("a second name", second_name);
  link("a third name elsewhere", elsewhere);
  rename("a rename", second_name, "/a name in the root that is long");
  rename("a rename over another", "/a name in the root that is long", "/tmp/a file that is replaced");
  rename("a rename of a directory", "/a directory with a long name", "/tmp/a directory with a long name");
  rename("and back", "/tmp/a directory with a long name", "/a directory with a long name");
  rename("an exchange", "/a directory with a long name", "/another directory with a long name", RENAME_EXCHANGE);
  rename("and back", "/a directory with a long name", "/another directory with a long name", RENAME_EXCHANGE);
  short_of.call("a symbolic link", [&] { return system.symlinkat(first_name, AT_FDCWD, "/a link with a long name"); });
  rename("a rename of it", "/a link with a long name", "/tmp/a link with a long name");
  for (int i = 0; i < 20; ++i) {
    const std::string path = "/tmp/many names of which each is long " + std::to_string(i);
    short_of.call("one of many", [&] { return system.linkat(AT_FDCWD, first_name, AT_FDCWD, path.c_str(), 0); });
    if (i % 4 != 0) short_of.call("one less", [&] { return system.unlinkat(AT_FDCWD, path.c_str(), 0); });
  }
  short_of.call("a sync of all", [&] {
    system.sync();
    return 0;
  });
  const int nameless = system.openat(AT_FDCWD, "/tmp", O_RDWR | O_TMPFILE, S_IRWXU);
  short_of.call("a name for a file without one",
                [&] { return system.linkat(nameless, "", AT_FDCWD, "/tmp/a file that had no name", AT_EMPTY_PATH); });
  system.close(nameless);
}

void change_all(system_calls& system, short_of_memory& short_of) {
  for (const char* const each : {"/a directory with a long name", "/another directory with a long name"}) {
    short_of.call("a directory", [&] { return system.mkdirat(AT_FDCWD, each, S_IRWXU); });
  }
  int fd = -1;
  short_of.call("a file", [&] { return fd = system.openat(AT_FDCWD, first_name, O_RDWR | O_CREAT, S_IRWXU); });
  system.close(fd);
  write_file("/tmp/a file that is replaced", "x");
  change_what_is_in_files(system, short_of);
  change_names(system, short_of);
  short_of.call("a truncation by an open",
                [&] { return fd = system.openat(AT_FDCWD, first_name, O_RDWR | O_TRUNC, 0); });
  system.close(fd);
}

void expect_all_or_nothing_of_changes(system_calls& system) {
  short_of_memory short_of;
  const std::uint64_t pages = short_of.state().pages;
  change_all(system, short_of);
  EXPECT_GT(short_of.failed(), 50);
  plain_files files(here(), source::current());
  for (const char* const each : {"/a directory with a long name", "/another directory with a long name", "/tmp"}) {
    files.remove(each);
  }
  EXPECT_EQ(short_of.state().pages, pages);
  EXPECT_EQ(files.tree(), "");
  system.sync();
  EXPECT_EQ(files.durable_image().tree(), "");
}

TEST(DiskWithoutMemory, DoesAllOrNothing) {
  in_world([](system_calls& system) { expect_all_or_nothing_of_changes(system); });
}

TEST(DiskWithoutMemory, DoesAllOrNothingWhileItWritesBack) {
  in_world([](system_calls& system) {
    log_here().set_changes_max(2);
    expect_all_or_nothing_of_changes(system);
  });
  in_world([](system_calls& system) {
    log_here().set_bytes_max(page_bytes);
    expect_all_or_nothing_of_changes(system);
  });
}

// Of that the disk has something else than memory.
TEST(DiskWithoutMemory, DoesAllOrNothingOfWhatASyncHasFailedToWrite) {
  in_world([](system_calls& system) {
    short_of_memory short_of(false);
    write_file("/a", std::string(3 * page_bytes, 'x'));
    sync_path("/");
    const int fd = system.openat(AT_FDCWD, "/a", O_RDWR, 0);
    inode_reference file;
    ASSERT_EQ(here().files().find_file(here().files().disk().root(), "/a", true, file), 0);
    file->on().fail_to_write_back(*file, EIO);
    const std::string text(2 * page_bytes, 'y');
    short_of.call("a write", [&] { return system.pwrite(fd, text.data(), 10, 5); });
    short_of.call("a larger one", [&] { return system.pwrite(fd, text.data(), text.size(), page_bytes + 5); });
    EXPECT_EQ(system.fsync(fd), -EIO);
    EXPECT_EQ(system.fsync(fd), 0);
    EXPECT_EQ(log_here().durable().difference(here().files().disk().image()), "");
    system.close(fd);
  });
}

TEST(DiskWithoutMemory, TellsWhoWatches) {
  in_world([](system_calls& system) {
    const int watches = system.inotify_init1(IN_NONBLOCK);
    ASSERT_EQ(system.inotify_add_watch(watches, "/tmp", IN_ALL_EVENTS), 1);
    short_of_memory short_of;
    for (const char* const each : {"/tmp/a directory with a long name", "/tmp/a directory with another name"}) {
      short_of.call("a directory", [&] { return system.mkdirat(AT_FDCWD, each, S_IRWXU); });
    }
    EXPECT_GT(short_of.failed(), 0);
    const std::string events = read_text(system, watches, 9'999);
    EXPECT_EQ(events.find("a directory with a long name"), sizeof(inotify_event));
    const std::size_t second = events.find("a directory with another name");
    EXPECT_EQ(second, events.size() / 2 + sizeof(inotify_event)) << "each is told of once";
    system.close(watches);
  });
}

struct expects_old_or_new {
  expects_old_or_new() = default;
  expects_old_or_new(const expects_old_or_new&) = delete;
  expects_old_or_new& operator=(const expects_old_or_new&) = delete;
  ~expects_old_or_new() {
    const sparing_allocations of_the_test;
    for (const crash_image& each : lockstep::world().fs().crash_images(9)) {
      const std::string found = each.disk.text_of("/tmp/score");
      EXPECT_TRUE(found == "100" || found == "200") << found;
    }
  }
};

CO_TEST(DiskWithoutMemory, HasOneOfTwoContentsThatAreWrittenAtomically, .fail_alloc_every = true) {
  lockstep::world().fs().write_file("/tmp/score", "100");
  const expects_old_or_new at_the_end;
  co_await write_file_atomically("/tmp/score", "200");
}

}  // namespace
}  // namespace lockstep::sim
