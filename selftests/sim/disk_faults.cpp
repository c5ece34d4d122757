// Faults of the calls on files.
#include "all_images.hpp"

#include <lockstep/sim/fault.hpp>
#include <lockstep/sim/plain_files.hpp>

#include <sys/file.h>
#include <sys/inotify.h>

#include <string>
#include <vector>

namespace lockstep::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

int open_to_write(const char* path) { return here().openat(AT_FDCWD, path, O_RDWR | O_CREAT, S_IRUSR | S_IWUSR); }

TEST(DiskFaultsTest, AreOfAPathOrOfAPattern) {
  in_world([](system_calls& system) {
    const fault broken = on(op::open).to("/tmp/*.log").forever().fail(EIO);
    EXPECT_EQ(open_to_write("/tmp/a.log"), -EIO);
    EXPECT_EQ(open_to_write("tmp/a.log"), -EIO);
    EXPECT_EQ(open_to_write("/tmp/../tmp//./a.log"), -EIO);
    const int fd = open_to_write("/tmp/a.txt");
    EXPECT_GE(fd, 0);
    system.mkdirat(AT_FDCWD, "/tmp/d", S_IRWXU);
    EXPECT_EQ(system.close(open_to_write("/tmp/d/a.log")), 0) << "a star stands for no slash";
    EXPECT_EQ(broken.fired(), 3u);
    EXPECT_EQ(system.close(fd), 0);
  });
}

// Whichever it was opened by, and in whatever directories they are.
TEST(DiskFaultsTest, AreOfAnOpenFileByAnyOfItsNames) {
  in_world([](system_calls& system) {
    system.mkdirat(AT_FDCWD, "/d", S_IRWXU);
    const int fd = open_to_write("/a");
    write_text(system, fd, "text");
    for (const char* each : {"/b", "/d/c"}) EXPECT_EQ(system.linkat(AT_FDCWD, "/a", AT_FDCWD, each, 0), 0);
    const int by_another = open_to_write("/d/c");
    for (const char* name : {"/a", "/b", "/d/c", "/d/*"}) {
      for (const int each : {fd, by_another}) {
        struct stat found {};
        const fault read = on(op::file_read).to(name).fail(EIO);
        EXPECT_EQ(read_text(system, each, 1), "-5") << name;
        const fault written = on(op::file_write).to(name).fail(EIO);
        EXPECT_EQ(system.pwrite(each, "T", 1, 0), -EIO) << name;
        const fault looked_at = on(op::stat).to(name).fail(EIO);
        EXPECT_EQ(system.fstat(each, &found), -EIO) << name;
        EXPECT_EQ(system.pwrite(each, "T", 1, 0), 1);
        const fault of_one = on(op::sync).to(name).fail(EIO);
        EXPECT_EQ(system.fsync(each), -EIO) << name;
        EXPECT_EQ(system.fsync(fd) + system.fsync(by_another), -EIO) << "the other hears of it as well";
      }
    }
    system.pwrite(fd, "T", 1, 0);
    const fault of_all = on(op::sync).to("/b").fail(EIO);
    EXPECT_EQ(system.syncfs(fd), -EIO);
    const fault gone = on(op::file_read).to("/b").may_not_fire().fail(EIO);
    EXPECT_EQ(system.unlinkat(AT_FDCWD, "/b", 0), 0);
    EXPECT_EQ(read_text(system, fd, 1), "");
    for (const int each : {fd, by_another}) system.close(each);
  });
}

TEST(DiskFaultsTest, AreOfAPathThatIsNamedByALinkOrWithASlash) {
  in_world([](system_calls& system) {
    plain_files files(here(), source::current());
    files.write_file("/data/logs/a", "");
    files.make_link("/link", "data/logs/a");
    files.make_link("/logs", "/data/logs");
    const auto is_met = [&](const char* path, const auto& call) {
      const fault met = on(op::open).to(path).may_not_fire().fail(EIO);
      const int got = call();
      if (got >= 0) system.close(got);
      return got == -EIO;
    };
    const auto open = [&](const char* path, int flags = O_RDONLY) {
      return [=, &system] { return system.openat(AT_FDCWD, path, flags, S_IRUSR); };
    };
    EXPECT_TRUE(is_met("/data/logs/a", open("/link")));
    EXPECT_TRUE(is_met("/link", open("/link"))) << "by the name of the call as well";
    EXPECT_TRUE(is_met("/link", open("link", O_PATH | O_NOFOLLOW)));
    EXPECT_FALSE(is_met("/data/logs/a", open("/link", O_PATH | O_NOFOLLOW)));
    EXPECT_TRUE(is_met("/data/logs/*", open("/logs/../logs/new", O_WRONLY | O_CREAT)));
    EXPECT_TRUE(is_met("/data/logs", open("/logs/", O_RDONLY | O_DIRECTORY)));
    EXPECT_TRUE(is_met("/logs", open("/logs/.", O_RDONLY | O_DIRECTORY)));
    EXPECT_TRUE(is_met("/none/a", open("/none/a/")));
    EXPECT_FALSE(is_met("/data/logs/a", open("/data/logs/b", O_WRONLY | O_CREAT)));
    const fault making = on(op::link).to("/data/logs/d").fail(ENOSPC);
    EXPECT_EQ(system.mkdirat(AT_FDCWD, "/logs/d/", 0700), -ENOSPC);
    const fault removing = on(op::remove).to("/link").fail(EIO);
    EXPECT_EQ(system.unlinkat(AT_FDCWD, "/link", 0), -EIO) << "it is the link that goes";
  });
}

TEST(DiskFaultsTest, AreOfARangeOfBytes) {
  in_world([](system_calls& system) {
    const int fd = open_to_write("/tmp/a");
    const fault torn = on(op::file_write).to("/tmp/a").bytes(100, 200).fail(ENOSPC);
    EXPECT_EQ(system.pwrite(fd, "x", 1, 99), 1);
    EXPECT_EQ(system.pwrite(fd, "xy", 2, 99), -ENOSPC);
    EXPECT_EQ(system.pwrite(fd, "xy", 2, 99), 2) << "once";
    EXPECT_EQ(torn.matched(), 2u);
    system.close(fd);
  });
}

TEST(DiskFaultsTest, MakeCallsShort) {
  in_world([](system_calls& system) {
    const int fd = open_to_write("/tmp/a");
    const fault little = on(op::file_write).shorten(2);
    const fault less = on(op::file_read).nth(2).shorten(1);
    EXPECT_EQ(write_text(system, fd, "hello"), 2);
    EXPECT_EQ(write_text(system, fd, "llo"), 3);
    system.lseek(fd, 0, SEEK_SET);
    EXPECT_EQ(read_text(system, fd, 3), "hel");
    EXPECT_EQ(read_text(system, fd, 3), "l");
    system.close(fd);
  });
}

TEST(DiskFaultsTest, AreOfEachKindOfCall) {
  in_world([](system_calls& system) {
    const int fd = open_to_write("/tmp/a");
    const int directory = system.openat(AT_FDCWD, "/tmp", O_RDONLY, 0);
    struct stat found {};
    char names[1000];
    const auto fails = [](op what, const auto& call) {
      const fault once = on(what).to(what == op::list ? "/tmp" : "/tmp/*").fail(EIO);
      EXPECT_EQ(call(), -EIO) << name_of(what);
      EXPECT_GE(call(), 0) << name_of(what);
    };
    fails(op::resize, [&] { return system.ftruncate(fd, 5); });
    fails(op::resize, [&] { return system.truncate("/tmp/a", 6); });
    fails(op::resize, [&] { return system.fallocate(fd, 0, 0, 7); });
    fails(op::stat, [&] { return system.fstat(fd, &found); });
    fails(op::stat, [&] { return system.fstatat(AT_FDCWD, "/tmp/a", &found, 0); });
    fails(op::list, [&] { return system.getdents64(directory, names, sizeof names); });
    fails(op::link, [&] { return system.mkdirat(AT_FDCWD, "/tmp/d", S_IRWXU); });
    fails(op::link, [&] { return system.symlinkat("a", AT_FDCWD, "/tmp/s"); });
    fails(op::link, [&] { return system.linkat(AT_FDCWD, "/tmp/a", AT_FDCWD, "/tmp/l", 0); });
    fails(op::rename, [&] { return system.renameat2(AT_FDCWD, "/tmp/l", AT_FDCWD, "/tmp/m", 0); });
    fails(op::remove, [&] { return system.unlinkat(AT_FDCWD, "/tmp/m", 0); });
    fails(op::remove, [&] { return system.unlinkat(AT_FDCWD, "/tmp/d", AT_REMOVEDIR); });
    system.close(fd);
    system.close(directory);
  });
}

// A sync that waits first asks the slow ones how long, and the others when it is made.
TEST(DiskFaultsTest, AreAskedInTwoPartsByASyncThatWaitsFirst) {
  in_world([](system_calls& system) {
    const int fd = open_to_write("/tmp/a");
    const fault slow = on(op::sync).forever().slow(std::chrono::seconds(3));
    const fault second = on(op::sync).nth(2).fail(EIO);
    const auto sync = [&] {
      system.account(system_calls::disk_time::awaited);
      EXPECT_EQ(system.time_of_sync(fd), std::chrono::seconds(3));
      system.account(system_calls::disk_time::spent);
      const int result = system.fsync(fd);
      system.account(system_calls::disk_time::blocks);
      return result;
    };
    EXPECT_EQ(sync(), 0);
    EXPECT_EQ(sync(), -EIO);
    EXPECT_EQ(slow.matched(), 2u);
    EXPECT_EQ(second.matched(), 2u);
    EXPECT_EQ(now(), time_point{});
    EXPECT_EQ(system.time_of_sync(fd + 1), duration::zero());
    system.close(fd);
  });
}

TEST(DiskFaultsTest, TakeTheDisksTime) {
  in_world([](system_calls& system) {
    const int fd = open_to_write("/tmp/a");
    system.account(system_calls::disk_time::awaited);
    EXPECT_EQ(system.take_disk_time(), duration::zero());
    {
      const fault slow = on(op::sync).slow(std::chrono::seconds(3));
      EXPECT_EQ(system.fsync(fd), 0);
      EXPECT_EQ(system.take_disk_time(), std::chrono::seconds(3));
    }
    plain_files(here(), source::current()).pace({.write = std::chrono::milliseconds(2)});
    write_text(system, fd, "x");
    EXPECT_EQ(system.take_disk_time(), std::chrono::milliseconds(2));
    system.account(system_calls::disk_time::blocks);
    write_text(system, fd, "x");
    EXPECT_EQ(system.take_disk_time(), duration::zero());
    EXPECT_EQ(now(), time_point(std::chrono::milliseconds(2))) << "everybody has waited";
    system.close(fd);
  });
}

// -- syncs ------------------------------------------------------------------------------------------------------------

TEST(DiskFaultsTest, LetASyncLie) {
  in_world([](system_calls& system) {
    plain_files(here(), source::current()).write_file("/a", "old");
    const int fd = open_to_write("/a");
    write_text(system, fd, "new");
    const fault lying = on(op::sync).lie();
    EXPECT_EQ(system.fsync(fd), 0);
    EXPECT_THAT(all_images(log_here(), strict_sync), ElementsAre("/a=old"));
    EXPECT_EQ(system.fsync(fd), 0);
    EXPECT_THAT(all_images(log_here(), strict_sync), ElementsAre("/a=new"));
    system.close(fd);
  });
}

// The page is taken for clean: the next sync succeeds, and what was written is gone all the same.
TEST(DiskFaultsTest, LoseWhatASyncHasFailedToWrite) {
  in_world([](system_calls& system) {
    plain_files(here(), source::current()).write_file("/a", "old");
    const int fd = open_to_write("/a");
    write_text(system, fd, "new");
    const fault failing = on(op::sync).to("/a").fail(EIO);
    EXPECT_EQ(system.fsync(fd), -EIO);
    EXPECT_EQ(system.fsync(fd), 0);
    std::string text(3, '?');
    EXPECT_EQ(system.pread(fd, text.data(), 3, 0), 3);
    EXPECT_EQ(text, "new") << "as long as it is in memory";
    EXPECT_THAT(all_images(log_here(), ext4_ordered), ElementsAre("/a=old"));
    system.pwrite(fd, "N", 1, 0);
    EXPECT_EQ(system.fsync(fd), 0);
    EXPECT_THAT(all_images(log_here(), ext4_ordered), ElementsAre("/a=New"))
        << "the page is written as it is in memory";
    const fault again = on(op::sync).fail(EIO);
    system.pwrite(fd, "even newer", 10, 0);
    EXPECT_EQ(system.fsync(fd), -EIO);
    system.pwrite(fd, "E", 1, 0);
    EXPECT_EQ(system.fsync(fd), 0);
    EXPECT_EQ(log_here().durable().text_of("/a"), "Even newer") << "without a sync in between";
    system.close(fd);
  });
}

// As Linux has it: each open file hears of it once, and who comes later only if nobody has heard.
TEST(DiskFaultsTest, FailASyncOfEachOpenFileOnce) {
  in_world([](system_calls& system) {
    const int one = open_to_write("/a");
    const int other = open_to_write("/a");
    const int copy = system.dup(other);
    const int elsewhere = open_to_write("/b");
    write_text(system, one, "new");
    const fault failing = on(op::sync).to("/a").fail(EIO);
    EXPECT_EQ(system.fsync(one), -EIO);
    EXPECT_EQ(system.fsync(one), 0);
    EXPECT_EQ(system.fdatasync(copy), -EIO);
    EXPECT_EQ(system.fsync(other), 0) << "a duplicate is the same open file";
    EXPECT_EQ(system.fsync(elsewhere), 0);
    EXPECT_EQ(system.syncfs(elsewhere), -EIO) << "the disk has failed";
    EXPECT_EQ(system.syncfs(elsewhere), 0);
    for (const int fd : {one, other, copy, elsewhere}) system.close(fd);
    const int later = open_to_write("/a");
    EXPECT_EQ(system.fsync(later), 0) << "somebody has heard";
    EXPECT_EQ(system.syncfs(later), 0);
    system.close(later);
  });
}

// Of syncfs() and sync(): a disk as a whole, by its path, or a file that has something to write.
TEST(DiskFaultsTest, AreOfSyncsOfAWholeDisk) {
  in_world([](system_calls& system) {
    plain_files files(here(), source::current());
    const auto durable = [&files] { return text_of(files.durable_image()); };
    write_file("/a", "a");
    make_directory("/d");
    write_file("/d/b", "b");
    const int fd = make_file("/d/b");
    const fault lying = on(op::sync).lie();
    EXPECT_EQ(system.syncfs(fd), 0);
    EXPECT_EQ(durable(), "");
    const fault lying_of_one = on(op::sync).to("/d/*").lie();
    system.sync();
    EXPECT_EQ(durable(), "/a=a /d/ /d/b=") << "its name is in its directory";
    {
      const fault interrupted = on(op::sync).may_not_fire().fail(EINTR);
      EXPECT_EQ(system.syncfs(fd), 0) << "which no signal interrupts";
      EXPECT_EQ(interrupted.matched(), 0u);
    }
    EXPECT_EQ(durable(), "/a=a /d/ /d/b=b");

    write_file("/a", "A");
    system.pwrite(fd, "B", 1, 0);
    const fault failing_of_one = on(op::sync).to("/d/b").fail(ENOSPC);
    EXPECT_EQ(system.syncfs(fd), -ENOSPC);
    EXPECT_EQ(durable(), "/a=A /d/ /d/b=b");
    EXPECT_EQ(system.fsync(fd), -ENOSPC);
    EXPECT_EQ(system.fsync(fd), 0) << "the page is taken for clean";
    EXPECT_EQ(durable(), "/a=A /d/ /d/b=b");

    write_file("/a", "2");
    const fault failing = on(op::sync).to("/").fail(EIO);
    system.sync();
    EXPECT_EQ(system.syncfs(fd), -EIO) << "sync() itself tells nobody";
    EXPECT_EQ(durable(), "/a=A /d/ /d/b=b");
    files.pace({.sync = std::chrono::milliseconds(5)});
    EXPECT_EQ(system.syncfs(fd), 0);
    EXPECT_EQ(now(), time_point(std::chrono::milliseconds(5)));
    system.close(fd);
  });
}

TEST(DiskFaultsTest, AreOfADiskThatIsMounted) {
  in_world([](system_calls& system) {
    plain_files files(here(), source::current());
    files.make_directory("/m");
    const plain_files mounted = files.mount("/m");
    write_file("/m/a", "a");
    write_file("/b", "b");
    const fault lying = on(op::sync).to("/m").lie();
    system.sync();
    EXPECT_EQ(text_of(mounted.durable_image()), "");
    EXPECT_EQ(text_of(files.durable_image()), "/b=b /m/");
    const fault of_file = on(op::sync).to("/m/a").lie();
    system.sync();
    EXPECT_EQ(text_of(mounted.durable_image()), "/a=");
  });
}

TEST(DiskFaultsTest, LetAWriteFailBehindTheCall) {
  in_world([](system_calls& system) {
    plain_files(here(), source::current()).write_file("/a", "old");
    int fd = open_to_write("/a");
    const fault behind = on(op::file_write).to("/a").fail_later(ENOSPC);
    EXPECT_EQ(write_text(system, fd, "new"), 3);
    EXPECT_EQ(system.close(fd), 0);
    fd = open_to_write("/a");
    EXPECT_EQ(read_text(system, fd, 3), "new");
    EXPECT_EQ(system.fsync(fd), -ENOSPC) << "nobody had heard";
    EXPECT_EQ(system.fsync(fd), 0);
    EXPECT_THAT(all_images(log_here(), ext4_ordered), ElementsAre("/a=old"));
    system.close(fd);
    fd = open_to_write("/a");
    EXPECT_EQ(system.fsync(fd), 0);
    system.close(fd);
  });
}

TEST(DiskFaultsTest, ShowWhatIsOnTheDiskAgainWhereAFailedSyncReverts) {
  in_world([](system_calls& system) {
    plain_files files(here(), source::current());
    files.write_file("/a", "old");
    files.failed_sync_reverts(true);
    const int fd = open_to_write("/a");
    write_text(system, fd, "newer");
    EXPECT_EQ(system.fchmod(fd, S_IRUSR), 0);
    const int made = open_to_write("/b");
    write_text(system, made, std::string(10'000, 'b'));
    const fault failing = on(op::sync).times(2).fail(EIO);
    EXPECT_EQ(system.fsync(fd), -EIO);
    EXPECT_EQ(system.fsync(made), -EIO);
    EXPECT_EQ(files.read_file("/a"), "old");
    EXPECT_EQ(files.read_file("/b"), "");
    EXPECT_EQ(system.fsync(fd), 0);
    EXPECT_EQ(files.read_file("/a"), "old");
    EXPECT_EQ(text_of(image_left(process_crash)), "/a=old /b=");
    EXPECT_EQ(log_here().durable().find("/a")->attributes.mode, mode_t{S_IFREG | S_IRUSR}) << "that was not written";
    write_text(system, fd, "est");
    EXPECT_EQ(system.fsync(fd), 0);
    EXPECT_EQ(log_here().durable().text_of("/a"), std::string("old\0\0est", 8))
        << "behind what was written, as the offset knows of nothing";
    struct statfs room {};
    system.statfs("/", &room);
    EXPECT_EQ(room.f_blocks - room.f_bfree, 1u);
    system.close(fd);
    system.close(made);
  });
}

// Nothing was tried yet.
TEST(DiskFaultsTest, InterruptASync) {
  in_world([](system_calls& system) {
    plain_files(here(), source::current()).write_file("/a", "old");
    const int fd = open_to_write("/a");
    write_text(system, fd, "new");
    const fault interrupting = on(op::sync).fail(EINTR);
    EXPECT_EQ(system.fsync(fd), -EINTR);
    EXPECT_EQ(system.fsync(fd), 0);
    EXPECT_EQ(log_here().durable().text_of("/a"), "new");
    system.close(fd);
  });
}

TEST(DiskFaultsTest, ShowWhatWasLostByASyncThatFailed) {
  in_world([](system_calls& system) {
    const int fd = open_to_write("/a");
    write_text(system, fd, "new");
    const fault failing = on(op::sync).fail(EIO);
    EXPECT_EQ(system.fsync(fd), -EIO);
    std::vector<std::string> lost;
    log_here().image(ext4_ordered, nothing_lost, &lost);
    EXPECT_THAT(lost, ElementsAre("write 3 at 0 to /a, of which all, as its sync had failed"));
    system.close(fd);
  });
}

// The system takes it for written, and so the second call has nothing to do.
TEST(DiskFaultsTest, ShowWhatWasLostWhereASyncThatFailedIsTriedAgain) {
  in_world([](system_calls& system) {
    const int fd = open_to_write("/a");
    write_text(system, fd, std::string(10'000, 'x'));
    EXPECT_EQ(system.fsync(fd), 0);
    EXPECT_EQ(system.pwrite(fd, "new", 3, 5'000), 3);
    const fault failing = on(op::sync).fail(EIO);
    EXPECT_EQ(system.fsync(fd), -EIO);
    EXPECT_EQ(system.fsync(fd), 0);
    const auto lost = [] {
      std::vector<std::string> all;
      log_here().image(ext4_ordered, nothing_lost, &all);
      return all;
    };
    EXPECT_THAT(lost(), ElementsAre("what was written to /a from 4096 to 8192, as its sync had failed"));
    EXPECT_EQ(system.pwrite(fd, "newer", 5, 5'000), 5);
    EXPECT_EQ(system.fsync(fd), 0);
    EXPECT_THAT(lost(), ElementsAre());
    system.close(fd);
  });
}

TEST(DiskFaultsTest, AreCountedByEachRule) {
  in_world([](system_calls& system) {
    const int fd = open_to_write("/a");
    const auto write = [&] { return system.write(fd, "abcde", 5); };
    {
      const fault slow = on(op::file_write).forever().slow(1s);
      const fault third = on(op::file_write).nth(3).fail(EIO);
      const time_point before = now();
      EXPECT_EQ(write(), 5);
      EXPECT_EQ(write(), 5);
      EXPECT_EQ(write(), -EIO);
      EXPECT_EQ(now() - before, 3s) << "it is slow as well";
    }
    const fault first = on(op::file_write).shorten(3);
    const fault second = on(op::file_write).nth(2).fail(ENOSPC);
    EXPECT_EQ(write(), 3);
    EXPECT_EQ(write(), -ENOSPC);
    EXPECT_EQ(write(), 5);
    system.close(fd);
  });
}

TEST(DiskFaultsTest, AreOfClosingModesLocksAndWatches) {
  in_world([](system_calls& system) {
    write_file("/d.txt", "x");
    const int fd = system.openat(AT_FDCWD, "/d.txt", O_RDWR, 0);
    const int watches = system.inotify_init1(IN_NONBLOCK);
    struct flock range {};
    range.l_type = F_WRLCK;
    const auto set_lock = [&] { return system.fcntl(fd, F_SETLK, reinterpret_cast<std::int64_t>(&range)); };
    {
      const fault closing = on(op::close).to("/*.txt").fail(EIO);
      const fault of_mode = on(op::chmod).to("/d.txt").times(5).fail(EROFS);
      const fault locking = on(op::lock).to("/d.txt").times(2).fail(ENOLCK);
      const fault watching = on(op::watch).to("/d.txt").fail(ENOSPC);
      const fault writing = on(op::file_write).to("/d.txt").fail(EROFS);
      const fault syncing = on(op::sync).to("/d.txt").fail(EROFS);
      EXPECT_EQ(system.close(system.openat(AT_FDCWD, "/d.txt", O_RDONLY, 0)), -EIO);
      EXPECT_EQ(system.fchmodat(AT_FDCWD, "/d.txt", 0600), -EROFS);
      EXPECT_EQ(system.fchmod(fd, 0600), -EROFS);
      EXPECT_EQ(system.fchownat(AT_FDCWD, "/d.txt", 0, 0, 0), -EROFS);
      EXPECT_EQ(system.fchown(fd, 0, 0), -EROFS);
      EXPECT_EQ(system.utimensat(AT_FDCWD, "/d.txt", nullptr, 0), -EROFS);
      EXPECT_EQ(system.flock(fd, LOCK_UN), 0) << "to give it back does not fail";
      EXPECT_EQ(system.flock(fd, LOCK_EX), -ENOLCK);
      EXPECT_EQ(set_lock(), -ENOLCK);
      EXPECT_EQ(system.inotify_add_watch(watches, "/d.txt", IN_MODIFY), -ENOSPC);
      EXPECT_EQ(system.write(fd, "y", 1), -EROFS);
      EXPECT_EQ(system.fsync(fd), -EROFS);
    }
    EXPECT_EQ(system.flock(fd, LOCK_EX), 0);
    EXPECT_EQ(set_lock(), 0);
    EXPECT_EQ(system.fchmod(fd, 0600), 0);
    EXPECT_GT(system.inotify_add_watch(watches, "/d.txt", IN_MODIFY), 0);
    EXPECT_EQ(system.close(watches), 0);
    EXPECT_EQ(system.close(fd), 0);
  });
}

TEST(DiskFaultsTest, AreNoPaceOfADisk) {
  const auto text_of_pace = [](const disk_pace& pace) {
    return text_of_misuse([&pace] { plain_files(here(), source::current()).pace(pace); });
  };
  EXPECT_THAT(text_of_pace({.write = -std::chrono::milliseconds(5)}),
              HasSubstr("a disk cannot take -5 ms for `write`; leave it out for no time"));
  EXPECT_THAT(text_of_pace({.stall = std::chrono::seconds(10), .stall_every = std::chrono::seconds(1)}),
              HasSubstr("a disk that stalls for 10 s every 1 s does nothing else; make `stall_every` longer"));
}

TEST(DiskFaultsTest, AreRefusedWhereLinuxHasNone) {
  EXPECT_THAT(text_of_misuse([] { const fault wrong = on(op::file_read).fail(ENOSPC); }),
              HasSubstr("file_read does not fail with ENOSPC on Linux: it may with EIO, EINTR"));
  EXPECT_THAT(text_of_misuse([] { const fault wrong = on(op::open).to("a.log").fail(EIO); }),
              HasSubstr("a path of a fault begins at the root, unlike \"a.log\""));
  EXPECT_THAT(text_of_misuse([] { const fault wrong = on(op::open).lie(); }),
              HasSubstr("open cannot lie, as sync can"));
  EXPECT_THAT(text_of_misuse([] { const fault wrong = on(op::file_write).fail_later(EINTR); }),
              HasSubstr("file_write cannot fail later with EINTR, as file_write can with EIO, ENOSPC and EDQUOT"));
  EXPECT_THAT(text_of_misuse([] { const fault wrong = on(op::open).shorten(5); }),
              HasSubstr("open cannot be shortened to 5 bytes"));
  EXPECT_THAT(text_of_misuse([] { const fault wrong = on(op::file_read).bytes(5, 5).fail(EIO); }),
              HasSubstr("bytes 5 to 5 of file_read"));
}

}  // namespace
}  // namespace lockstep::sim
