// Disks that are mounted on directories of others: what is busy, and where they are after a power cut or another
// content of the disk below. And who uses a file of the content that was there.
#include "all_images.hpp"

#include <lockstep/sim/file_names.hpp>
#include <lockstep/sim/plain_files.hpp>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>

namespace lockstep::sim {
namespace {

using testing::HasSubstr;

plain_files disk_at_root() { return {here(), source::current()}; }

int rename_here(const char* from, const char* to, unsigned flags = 0) {
  return current_system().renameat2(AT_FDCWD, from, AT_FDCWD, to, flags);
}

// "-2" for an error.
std::string cwd_here() {
  std::array<char, 64> path{};
  const std::int64_t got = current_system().getcwd(path.data(), path.size());
  return got < 0 ? std::to_string(got) : std::string(path.data());
}

// -- what is busy -----------------------------------------------------------------------------------------------------

TEST(MountedDisks, KeepTheirDirectory) {
  in_world([](system_calls& system) {
    plain_files files = disk_at_root();
    files.make_directory("/a/on");
    files.make_directory("/empty");
    files.write_file("/file", "");
    files.mount("/a/on").write_file("/inner", "x");
    EXPECT_EQ(system.unlinkat(AT_FDCWD, "/a/on", AT_REMOVEDIR), -EBUSY);
    EXPECT_EQ(system.unlinkat(AT_FDCWD, "/a/on", 0), -EISDIR);
    EXPECT_EQ(rename_here("/a/on", "/b"), -EBUSY);
    EXPECT_EQ(rename_here("/empty", "/a/on"), -EBUSY);
    EXPECT_EQ(rename_here("/file", "/a/on"), -EISDIR);
    EXPECT_EQ(rename_here("/a/on", "/file"), -ENOTDIR);
    EXPECT_EQ(rename_here("/a/on", "/empty", RENAME_EXCHANGE), -EBUSY);
    EXPECT_EQ(rename_here("/file", "/a/on", RENAME_EXCHANGE), -EBUSY);
    EXPECT_EQ(rename_here("/a/on", "/a/on/b"), -EXDEV);
    EXPECT_EQ(rename_here("/a/on", "/a/on"), 0);
    EXPECT_EQ(system.unlinkat(AT_FDCWD, "/a", AT_REMOVEDIR), -ENOTEMPTY);
    EXPECT_EQ(rename_here("/a", "/c"), 0);
    EXPECT_EQ(files.read_file("/c/on/inner"), "x");
  });
}

TEST(MountedDisks, AreBusyOnlyForWhoMayRemoveTheirDirectory) {
  in_world([](system_calls& system) {
    plain_files files = disk_at_root();
    files.make_directory("/a/on");
    files.make_directory("/tmp/on");
    files.mount("/a/on");
    files.mount("/tmp/on");
    EXPECT_EQ(system.fchownat(AT_FDCWD, "/tmp/on", 7, 7, 0), 0) << "the root of the disk, not what it is mounted on";
    here().run_as(7, 7);
    EXPECT_EQ(system.unlinkat(AT_FDCWD, "/a/on", AT_REMOVEDIR), -EACCES);
    EXPECT_EQ(rename_here("/a/on", "/a/b"), -EACCES);
    EXPECT_EQ(system.unlinkat(AT_FDCWD, "/tmp/on", AT_REMOVEDIR), -EPERM);
  });
}

TEST(MountedDisks, AreNotRemovedByATestsSetUp) {
  for (const char* const path : {"/a/on", "/a"}) {
    EXPECT_THAT(text_of_misuse([path] {
                  plain_files files = disk_at_root();
                  files.make_directory("/a/on");
                  files.mount("/a/on").write_file("/inner", "x");
                  files.remove(path);
                }),
                HasSubstr("/a/on: Device or resource busy"));
  }
}

// -- where they are afterwards ----------------------------------------------------------------------------------------

TEST(MountedDisks, StayAboveThoseThatWereThereBefore) {
  in_world([](system_calls&) {
    plain_files files = disk_at_root();
    files.make_directory("/on");
    plain_files lower = files.mount("/on");
    lower.write_file("/lower", "");
    plain_files upper = files.mount("/on");
    upper.write_file("/upper", "");
    const auto expect_upper = [&](const char* after) {
      EXPECT_TRUE(files.exists("/on/upper")) << after;
      EXPECT_FALSE(files.exists("/on/lower")) << after;
      EXPECT_TRUE(files.exists("/on/../tmp")) << after;
    };
    for (int i = 0; i < 2; ++i) {
      here().files().lose_power(nothing_lost, nullptr);
      expect_upper("a power cut");
    }
    for (plain_files* const each : {&files, &lower, &upper}) {
      each->restore(each->image());
      expect_upper("another content");
    }
    lower.crash_model(process_crash);
    here().files().lose_power(nothing_lost, nullptr);
    expect_upper("a power cut that one of them stands");
  });
}

TEST(MountedDisks, StayWhereTheirDirectoryIsWhileTheSystemLives) {
  in_world([](system_calls&) {
    plain_files files = disk_at_root();
    files.make_directory("/a/on");
    files.make_directory("/other");
    plain_files disk = files.mount("/a/on");
    disk.write_file("/inner", "x");
    plain_files other = files.mount("/other");
    ASSERT_EQ(rename_here("/a", "/b"), 0);
    other.restore(other.image());
    disk.restore(disk.image());
    EXPECT_EQ(files.read_file("/b/on/inner"), "x") << "what is below it is as it was";
    files.crash_model(process_crash);
    here().files().lose_power(nothing_lost, nullptr);
    EXPECT_EQ(files.read_file("/b/on/inner"), "x");
    files.make_directory("/a/on");
    EXPECT_FALSE(files.exists("/a/on/inner"));
  });
}

TEST(MountedDisks, AreMountedByWhoMayDoThat) {
  in_world([](system_calls& system) {
    plain_files files = disk_at_root();
    files.make_directory("/private/on");
    ASSERT_EQ(system.fchmodat(AT_FDCWD, "/private", S_IRWXU), 0);
    files.mount("/private/on").write_file("/inner", "x");
    here().run_as(7, 7);
    here().files().lose_power(nothing_lost, nullptr);
    EXPECT_TRUE(files.exists("/private/on/inner"));
  });
}

TEST(MountedDisks, WaitForTheirDirectory) {
  in_world([](system_calls&) {
    plain_files files = disk_at_root();
    const disk_image empty = files.image();
    files.make_directory("/on");
    files.mount("/on").write_file("/inner", "x");
    const disk_image with_it = files.image();
    files.restore(empty);
    files.write_file("/on", "a file");
    files.restore(files.image());
    EXPECT_EQ(files.read_file("/on"), "a file");
    files.restore(with_it);
    EXPECT_EQ(files.read_file("/on/inner"), "x");
  });
}

// -- who uses what was there ------------------------------------------------------------------------------------------

TEST(MountedDisks, LeaveWhoStandsInADirectoryWithoutAName) {
  in_world([](system_calls& system) {
    plain_files files = disk_at_root();
    files.write_file("/a/b/file", "old");
    ASSERT_EQ(system.chdir("/a/b"), 0);
    files.restore(files.image());
    EXPECT_EQ(cwd_here(), "-2");
    EXPECT_EQ(system.openat(AT_FDCWD, "file", O_RDONLY, 0), -ENOENT);
    EXPECT_EQ(system.mkdirat(AT_FDCWD, "new", S_IRWXU), -ENOENT);
    EXPECT_EQ(system.mkdirat(AT_FDCWD, "../../new", S_IRWXU), -ENOENT);
    EXPECT_EQ(system.fchmodat(AT_FDCWD, ".", S_IRWXU), 0);
    EXPECT_EQ(files.read_file("/a/b/file"), "old");
    ASSERT_EQ(system.chdir("/a/b"), 0);
    EXPECT_EQ(cwd_here(), "/a/b");
    files.restore(files.image());
    ASSERT_EQ(system.chdir("../.."), 0);
    EXPECT_EQ(cwd_here(), "-2") << "the root that was";
    EXPECT_EQ(system.chdir("/"), 0);
  });
}

TEST(MountedDisks, HaveNoPathWithoutADirectory) {
  in_world([](system_calls& system) {
    plain_files files = disk_at_root();
    const disk_image empty = files.image();
    files.make_directory("/on");
    files.mount("/on").write_file("/d/file", "x");
    ASSERT_EQ(system.chdir("/on/d"), 0);
    const int fd = system.openat(AT_FDCWD, "file", O_RDONLY, 0);
    files.restore(empty);
    EXPECT_EQ(cwd_here(), "-2");
    inode_reference file;
    ASSERT_EQ(here().files().find_file(here().files().working_directory(), "file", true, file), 0);
    EXPECT_THAT(here().files().text_of(*file), HasSubstr("without a name"));
    EXPECT_EQ(read_text(system, fd, 9), "x");
    EXPECT_EQ(system.chdir(".."), 0);
    EXPECT_EQ(cwd_here(), "-2");
    system.close(fd);
  });
}

// Its number is that of a file that is on the disk now; what is done to it is not done to that.
TEST(MountedDisks, KeepFilesThatAreOpenApart) {
  in_world([](system_calls& system) {
    plain_files files = disk_at_root();
    files.write_file("/d/file", "old");
    const disk_image before = files.image();
    const std::uint64_t pages = here().files().disk().pages_used();
    const int fd = system.openat(AT_FDCWD, "/d/file", O_RDWR, 0);
    const int nameless = system.openat(AT_FDCWD, "/d/other", O_RDWR | O_CREAT, S_IRWXU);
    const int directory = system.openat(AT_FDCWD, "/d", O_RDONLY | O_DIRECTORY, 0);
    std::array<char, 32> names{};
    EXPECT_GT(system.getdents64(directory, names.data(), names.size()), 0);
    ASSERT_EQ(system.unlinkat(AT_FDCWD, "/d/other", 0), 0);
    files.restore(before);
    EXPECT_EQ(system.pwrite(fd, "new", 3, 0), 3);
    EXPECT_EQ(system.pwrite(nameless, "new", 3, 5'000), 3);
    EXPECT_EQ(system.fsync(fd), 0);
    EXPECT_EQ(system.ftruncate(nameless, 1), 0);
    EXPECT_EQ(system.fsync(directory), 0);
    EXPECT_EQ(system.getdents64(directory, names.data(), names.size()), -ENOENT);
    EXPECT_EQ(system.linkat(directory, "file", AT_FDCWD, "/file", 0), -ENOENT);
    EXPECT_EQ(files.read_file("/d/file"), "old");
    EXPECT_EQ(files.image().difference(before), "");
    EXPECT_EQ(files.durable_image().difference(before), "");
    EXPECT_EQ(files.crash_images(9).size(), 1u) << "none of that comes to the disk";
    for (const int each : {fd, nameless, directory}) system.close(each);
    EXPECT_EQ(here().files().disk().pages_used(), pages);
    EXPECT_EQ(files.image().difference(before), "");
  });
}

TEST(MountedDisks, TellNoWatchOfWhatIsThereNow) {
  in_world([](system_calls& system) {
    plain_files files = disk_at_root();
    files.write_file("/d/file", "old");
    const int fd = system.openat(AT_FDCWD, "/d/file", O_WRONLY, 0);
    const int watches = system.inotify_init1(IN_NONBLOCK);
    ASSERT_EQ(system.inotify_add_watch(watches, "/d", IN_ALL_EVENTS), 1);
    files.restore(files.image());
    files.write_file("/d/other", "");
    EXPECT_EQ(read_text(system, watches, 999), "-11");
    system.close(fd);
    system.close(watches);
  });
}

}  // namespace
}  // namespace lockstep::sim
