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

// What a task has not synced stays so, and what it has made on the way to the file is durable with it.
TEST(PlainFilesTest, MakeNothingDurableButWhatTheyWrite) {
  for (const crash_model* each : crash_models()) {
    if (each->keeps == crash_model::unsynced::all) continue;
    in_world([each](system_calls& system) {
      plain_files files = files_here();
      files.crash_model(*each);
      write_file("/before", "x");
      make_directory("/d");
      write_file("/d/theirs", "x");
      files.write_file("/d/mine", "y");
      files.write_file("/before", "overwritten");
      files.make_link("/d/link", "mine");
      files.make_directory("/e/f");
      write_file("/e/f/gone", "");
      files.remove("/e/f/gone");
      const crash_image lost = files.crash_images(1).front();
      EXPECT_EQ(text_of(lost.disk), "/before=overwritten /d/ /d/link= /d/mine=y /e/ /e/f/") << each->name;
      EXPECT_THAT(lost.lost, HasSubstr("name theirs in /d")) << each->name;
      system.sync();
      EXPECT_THAT(files.crash_images(5), testing::SizeIs(1)) << each->name;
    });
  }
}

TEST(PlainFilesTest, AreThoseOfADiskThatIsMounted) {
  in_world([](system_calls& system) {
    plain_files files = files_here();
    plain_files data = files.mount("/data");  // which makes the directory
    data.write_file("/logs/old", "x");
    data.make_link("/link", "logs/old");
    EXPECT_EQ(files.read_file("/data/logs/old"), "x");
    EXPECT_EQ(data.read_file("link"), "x");
    EXPECT_EQ(data.tree(), "/link -> logs/old\n/logs/\n/logs/old 1 bytes\n");
    EXPECT_EQ(files.tree(), "/data/\n/tmp/\n");
    data.remove("/link");
    EXPECT_FALSE(files.exists("/data/link"));
    EXPECT_TRUE(data.exists("/"));
    data.capacity(8192);
    files.mounted("/data").crash_model(strict_sync);
    write_file("/data/new", std::string(4096, 'n'));
    write_file("/new", "n");
    EXPECT_EQ(system.mkdirat(AT_FDCWD, "/data/d", 0700), 0);
    EXPECT_EQ(system.openat(AT_FDCWD, "/data/logs/more", O_CREAT | O_WRONLY, 0600), 3);
    EXPECT_EQ(write_text(system, 3, "x"), -ENOSPC);
    system.close(3);
    EXPECT_EQ(data.durable_image().difference(data.image()), "+ /d/\n+ /logs/more 0 bytes\n+ /new 4096 bytes\n");
    EXPECT_EQ(data.image_after_power_cut().tree(), "/logs/\n/logs/old 1 bytes\n");
    EXPECT_TRUE(files.image_after_power_cut().find("/new") != nullptr) << "that of the other is ext4_ordered";
    data.restore(data.durable_image());
    EXPECT_EQ(files.read_file("/data/logs/old"), "x");
    EXPECT_FALSE(files.exists("/data/new"));
    write_file("/data/new", "n");
    here().files().lose_power(nothing_lost, nullptr);
    EXPECT_FALSE(files.exists("/data/new"));
    EXPECT_TRUE(files.exists("/new")) << "each in its model";
    data.make_directory("/inner");
    data.mount("/inner").write_file("/a", "a");
    EXPECT_EQ(files.read_file("/data/inner/a"), "a");
  });
  const auto is_refused = [](const auto& call) {
    return text_of_misuse([&call] {
      plain_files files = files_here();
      files.make_directory("/data");
      call(files, files.mount("/data"));
    });
  };
  EXPECT_THAT(is_refused([](const plain_files&, const plain_files& data) { data.read_file("/none"); }),
              HasSubstr("files of host \"client\" on /data: /none: No such file"));
  EXPECT_THAT(is_refused([](const plain_files& files, const plain_files&) { files.mounted("/tmp"); }),
              HasSubstr("files of host \"client\": /tmp: Invalid argument"));
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
    files_here().crash_model(strict_sync);
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

// Though this is the plain run.
TEST(PowerCutTest, LeavesManyImagesWhileTheRunGoesOn) {
  std::vector<std::string> twice;
  for (int i = 0; i < 2; ++i) {
    in_world([&twice](system_calls& system) {
      plain_files files = files_here();
      files.crash_model(btrfs_like);
      files.write_file("/a", "old");
      write_file("/a", std::string(100'000, 'n'));
      write_file("/b", std::string(100'000, 'n'));
      std::string all;
      std::set<std::string> prints;
      for (const crash_image& each : here().crash_images(30)) {
        prints.insert(each.disk.fingerprint());
        all += each.lost + each.disk.tree();
      }
      EXPECT_THAT(prints, testing::SizeIs(30));
      EXPECT_EQ(files.crash_images(1).front().disk.tree(), files.durable_image().tree());
      EXPECT_EQ(files.crash_images(2).back().lost, "") << "in the second nothing is";
      EXPECT_THAT(all, HasSubstr("\nname b in /\n"));
      EXPECT_EQ(files.read_file("/a").size(), 100'000u);
      EXPECT_EQ(system.unlinkat(AT_FDCWD, "/b", 0), 0);
      twice.push_back(all);
    });
  }
  EXPECT_EQ(twice.front(), twice.back());
}

task<std::string> recovers_on(const disk_image& left) {
  lockstep::world().fs().restore(left);
  co_await sleep_for(std::chrono::seconds(1));
  write_file("/recovered", "x");
  co_return text_of(files_here().image());
}

TEST(PowerCutTest, LeavesImagesOnWhichOtherWorldsRun) {
  in_world([](system_calls&) {
    files_here().write_file("/a", "old");
    write_file("/a", "new");
    std::set<std::string> found;
    world next_life;
    for (const crash_image& each : here().crash_images(9)) found.insert(next_life.run(recovers_on(each.disk)));
    EXPECT_THAT(found, UnorderedElementsAre("/a=new /recovered=x", "/a=old /recovered=x"));
    EXPECT_FALSE(files_here().exists("/recovered"));
  });
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

// However large it is.
TEST(PlainFilesTest, MakeNothingElseDurable) {
  in_world([](system_calls&) {
    plain_files files = files_here();
    write_file("/a", "not synced");
    files.write_file("/large", std::string(std::size_t{5} << 20, 'l'));
    EXPECT_EQ(files.durable_image().text_of("/a"), "");
    EXPECT_EQ(files.durable_image().text_of("/large").size(), std::size_t{5} << 20);
  });
}

// In ext4 a sync of a new file keeps its name as well.
TEST(PlainFilesTest, ShowWhatIsLeftWhereAllIsLostThatMayBe) {
  in_world([](system_calls&) {
    plain_files files = files_here();
    write_file("/a", "x", 0, true);
    EXPECT_EQ(text_of(files.durable_image()), "/a=x");
    files.crash_model(weakest);
    EXPECT_EQ(text_of(files.durable_image()), "");
    files.crash_model(process_crash);
    EXPECT_EQ(text_of(files.durable_image()), "/a=x");
  });
}

}  // namespace
}  // namespace lockstep::sim
