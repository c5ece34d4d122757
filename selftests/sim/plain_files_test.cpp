#include "all_images.hpp"

#include <lockstep/sim/fault.hpp>
#include <lockstep/sim/plain_files.hpp>

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace lockstep::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

plain_files files_here() { return {here(), source::current()}; }

TEST(PlainFilesTest, AreWrittenReadAndRemoved) {
  in_world([](system_calls&) {
    plain_files files = files_here();
    files.write_file("/etc/app/app.conf", "limit = 5\n");
    files.write_file("/etc/app/app.conf", "limit = 6\n");
    files.make_directory("/var/lib");
    files.make_link("/etc/link", "app/app.conf");
    EXPECT_EQ(files.read_file("/etc/link"), "limit = 6\n");
    EXPECT_EQ(files.tree(),
              "/etc/\n/etc/app/\n/etc/app/app.conf 10 bytes\n/etc/link -> app/app.conf\n/tmp/\n/var/\n/var/lib/\n");
    EXPECT_EQ(files.durable_image().tree(), files.tree());
    files.remove("/etc");
    EXPECT_EQ(files.durable_image().tree(), files.tree());
    files.remove("/etc");
    EXPECT_FALSE(files.exists("/etc/link"));
    EXPECT_TRUE(files.exists("/var/lib"));
  });
}

TEST(PlainFilesTest, AskForNobodysPermission) {
  in_world([](system_calls& system) {
    here().files().who().user = 1000;
    files_here().write_file("/private/secret", "x");
    EXPECT_EQ(system.openat(AT_FDCWD, "/private/secret", O_WRONLY, 0), -EACCES);
    EXPECT_EQ(here().files().who().user, 1000u);
  });
}

// Its pages are of two worlds, both of which are gone.
TEST(PlainFilesTest, AreInImagesThatOutliveTheirWorlds) {
  std::optional<disk_image> image;
  in_world([&](system_calls&) {
    files_here().write_file("/first", "one");
    image.emplace(files_here().image());
  });
  in_world([&](system_calls&) {
    files_here().restore(*image);
    files_here().write_file("/second", "two");
    image.emplace(files_here().image_after_power_cut());
  });
  EXPECT_EQ(image->text_of("/first") + image->text_of("/second"), "onetwo");
  image.reset();
}

TEST(PlainFilesTest, KeepTheirMountsOverAPowerCut) {
  in_world([](system_calls& system) {
    plain_files files = files_here();
    files.make_directory("/a");
    files.make_directory("/data");
    files.mount("/data");
    ASSERT_EQ(system.mkdirat(AT_FDCWD, "/data/on it", 0755), 0);
    system.sync();
    for (int i = 0; i < 2; ++i) {
      here().files().lose_power(nothing_lost, nullptr);
      EXPECT_TRUE(files.exists("/data/on it"));
      EXPECT_FALSE(files.exists("/a/on it"));
    }
    files.restore(files.image());
    EXPECT_TRUE(files.exists("/data/on it"));
  });
}

// Its directory is lost with the power.
TEST(PlainFilesTest, LoseAMountWithItsDirectory) {
  in_world([](system_calls& system) {
    plain_files files = files_here();
    files.crash_model(strict_sync);
    ASSERT_EQ(system.mkdirat(AT_FDCWD, "/data", 0755), 0);
    files.mount("/data");
    for (int i = 0; i < 2; ++i) {
      here().files().lose_power([](std::string_view, std::uint64_t) { return std::uint64_t{1}; }, nullptr);
      EXPECT_FALSE(files.exists("/data"));
    }
  });
}

TEST(PlainFilesTest, AreDurableAtOnceWhereTheyAreOpenedForThat) {
  in_world([](system_calls& system) {
    for (const int flag : {O_DSYNC, O_SYNC}) {
      files_here().write_file("/file", "old");
      const int fd = system.openat(AT_FDCWD, "/file", O_WRONLY | flag, 0);
      EXPECT_EQ(system.pwrite(fd, "new", 3, 0), 3);
      EXPECT_EQ(files_here().durable_image().text_of("/file"), "new");
      const fault failing = on(op::sync).to("/file").fail(EIO);
      EXPECT_EQ(system.pwrite(fd, "wow", 3, 0), -EIO) << "as a sync of it would";
      EXPECT_EQ(files_here().durable_image().text_of("/file"), "new");
      system.close(fd);
    }
  });
}

TEST(PlainFilesTest, AreKnownByANameThatIsLeft) {
  in_world([](system_calls& system) {
    files_here().write_file("/a/one", "");
    ASSERT_EQ(system.linkat(AT_FDCWD, "/a/one", AT_FDCWD, "/a/two", 0), 0);
    ASSERT_EQ(system.unlinkat(AT_FDCWD, "/a/one", 0), 0);
    const int fd = system.openat(AT_FDCWD, "/a/two", O_WRONLY, 0);
    inode_reference there;
    ASSERT_EQ(here().files().find_file(here().files().disk().root(), "/a/two", true, there), 0);
    EXPECT_EQ(here().files().text_of(*there), "/a/two");
    system.close(fd);
  });
}

TEST(PlainFilesTest, RefuseWhatCannotBeDone) {
  EXPECT_THAT(text_of_misuse([] { files_here().read_file("/none"); }),
              HasSubstr("files of host \"client\": /none: No such file or directory"));
  EXPECT_THAT(text_of_misuse([] { files_here().read_file("/tmp"); }), HasSubstr("Is a directory"));
  EXPECT_THAT(text_of_misuse([] {
                files_here().capacity(page_bytes);
                files_here().write_file("/a", std::string(page_bytes + 1, 'x'));
              }),
              HasSubstr("/a: No space left on device"));
}

TEST(PlainFilesTest, AreInADurableImageOnlyWithAName) {
  in_world([](system_calls&) {
    write_file("/a", "x", 0, true);
    EXPECT_EQ(log_here().durable().files().size(), 3u);
    EXPECT_EQ(files_here().durable_image().files().size(), 2u);
  });
}

// Unless a descriptor of it is closed by which it is read or written.
TEST(PlainFilesTest, StayLockedWhereTheyWereOnlyFound) {
  in_world([](system_calls& system) {
    const int fd = make_file("/a");
    struct flock all {};
    all.l_type = F_WRLCK;
    EXPECT_EQ(system.fcntl(fd, F_SETLK, reinterpret_cast<std::int64_t>(&all)), 0);
    system.close(system.openat(AT_FDCWD, "/a", O_PATH, 0));
    const int other = make_file("/a");
    all.l_type = F_WRLCK;
    EXPECT_EQ(system.fcntl(other, F_OFD_GETLK, reinterpret_cast<std::int64_t>(&all)), 0);
    EXPECT_EQ(all.l_type, F_WRLCK);
    system.close(fd);
    system.close(other);
  });
}

TEST(PlainFilesTest, SetWhatTheDiskIs) {
  in_world([](system_calls& system) {
    plain_files files = files_here();
    files.capacity(8192);
    const int fd = system.openat(AT_FDCWD, "/a", O_WRONLY | O_CREAT, S_IRUSR);
    const std::string text(10'000, 'x');
    EXPECT_EQ(write_text(system, fd, text), 8192);
    EXPECT_EQ(write_text(system, fd, text), -ENOSPC);
    system.close(fd);
    files.read_only(true);
    EXPECT_EQ(system.unlinkat(AT_FDCWD, "/a", 0), -EROFS);
    files.read_only(false);
    files.make_directory("/mnt");
    files.mount("/mnt");
    EXPECT_EQ(system.renameat2(AT_FDCWD, "/a", AT_FDCWD, "/mnt/a", 0), -EXDEV);
  });
}

// -- power cuts -------------------------------------------------------------------------------------------------------

// Writes "old", synced, and then "new"; the power of the host is cut. What it has afterwards goes to `found`.
task<void> writes_and_loses_power(std::set<std::string>& found) {
  host& db = lockstep::world().host("db");
  const auto writes = []() -> task<void> {
    system_calls& system = current_system();
    const int fd = system.openat(AT_FDCWD, "/a", O_RDWR | O_CREAT, S_IRUSR | S_IWUSR);
    system.pwrite(fd, "old", 3, 0);
    system.fsync(fd);
    system.pwrite(fd, "new", 3, 0);
    event never;
    co_await never.wait();
  };
  auto writer = db.spawn(writes());
  co_await sleep_for(std::chrono::seconds(1));
  db.crash();
  EXPECT_THROW(co_await writer.join(), cancelled);
  const auto nothing = []() -> task<void> { co_return; };
  co_await db.restart(nothing).join();
  found.insert(lockstep::world().fs("db").read_file("/a"));
}

std::set<std::string> found_in_runs(task<void> (*run)(std::set<std::string>&)) {
  std::set<std::string> found;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto choices = make_oracle(schedule::random, seed);
    world in;
    world_options options;
    options.choices = seed == 0 ? nullptr : choices.get();
    in.run(run(found), options);
    EXPECT_THAT(in.verdicts(), testing::IsEmpty());
    if (seed == 0) {
      EXPECT_THAT(found, ElementsAre("new")) << "the plain run loses nothing";
    }
  }
  return found;
}

TEST(PowerCutTest, LosesWhatWasNotSynced) {
  EXPECT_THAT(found_in_runs(writes_and_loses_power), UnorderedElementsAre("old", "new"));
}

task<void> writes_and_is_killed(std::set<std::string>& found) {
  host& db = lockstep::world().host("db");
  const auto writes = []() -> task<void> {
    system_calls& system = current_system();
    const int fd = system.openat(AT_FDCWD, "/a", O_RDWR | O_CREAT, S_IRUSR | S_IWUSR);
    system.pwrite(fd, "new", 3, 0);
    event never;
    co_await never.wait();
  };
  auto writer = db.spawn(writes());
  co_await sleep_for(std::chrono::seconds(1));
  db.kill();
  EXPECT_THROW(co_await writer.join(), cancelled);
  found.insert(lockstep::world().fs("db").read_file("/a"));
}

TEST(PowerCutTest, IsNotWhatKillsAProcess) {
  EXPECT_THAT(found_in_runs(writes_and_is_killed), UnorderedElementsAre("new"));
}

TEST(PowerCutTest, IsLookedAtWhileTheRunGoesOn) {
  std::set<std::string> found;
  in_random_worlds(1000, [&found](system_calls& system) {
    plain_files files = files_here();
    files.crash_model(ext3_writeback);
    files.write_file("/a", "");
    const int fd = system.openat(AT_FDCWD, "/a", O_WRONLY, 0);
    write_text(system, fd, "xy");
    found.insert(files.image_after_power_cut().text_of("/a"));
    EXPECT_EQ(files.read_file("/a"), "xy");
    system.close(fd);
  });
  EXPECT_THAT(found, testing::SizeIs(4)) << "nothing, all, zeros, garbage";
}

}  // namespace
}  // namespace lockstep::sim
