#include "in_world.hpp"

#include <lockstep/sim/disk_file.hpp>
#include <lockstep/sim/file_names.hpp>
#include <lockstep/sim/plain_files.hpp>

#include <sys/file.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <string>
#include <vector>

namespace lockstep::sim {
namespace {

int open_here(const char* path, int flags) { return here().openat(AT_FDCWD, path, flags, S_IRUSR | S_IWUSR); }

std::string text_at(int fd, std::size_t size, std::int64_t offset) {
  std::string text(size, '?');
  const std::int64_t got = here().pread(fd, text.data(), size, offset);
  text.resize(static_cast<std::size_t>(std::max<std::int64_t>(got, 0)));
  return text;
}

// The names in a directory, as they come.
std::vector<std::string> names_of(const char* path) {
  const int fd = open_here(path, O_RDONLY | O_DIRECTORY);
  std::vector<std::string> names;
  char bytes[64];
  for (;;) {
    const std::int64_t got = here().getdents64(fd, bytes, sizeof bytes);
    EXPECT_GE(got, 0);
    if (got <= 0) break;
    constexpr std::size_t of_size = 16;
    constexpr std::size_t of_name = 19;
    for (std::int64_t at = 0; at < got;) {
      std::uint16_t size = 0;
      std::memcpy(&size, bytes + at + of_size, sizeof size);
      names.emplace_back(bytes + at + of_name);
      at += size;
    }
  }
  here().close(fd);
  return names;
}

TEST(DiskFileTest, HasAnOffsetThatDuplicatesShare) {
  in_world([](system_calls& system) {
    const int fd = open_here("/tmp/a", O_RDWR | O_CREAT);
    EXPECT_EQ(write_text(system, fd, "hello"), 5);
    const int same = system.dup(fd);
    const int other = open_here("/tmp/a", O_RDONLY);
    EXPECT_EQ(system.lseek(same, 1, SEEK_SET), 1);
    EXPECT_EQ(read_text(system, fd, 2), "el");
    EXPECT_EQ(read_text(system, other, 2), "he");
    EXPECT_EQ(text_at(fd, 10, 3), "lo");
    for (const int each : {fd, same, other}) system.close(each);
  });
}

TEST(DiskFileTest, AppendsWhereverItIsToldToWrite) {
  in_world([](system_calls& system) {
    const int fd = open_here("/tmp/a", O_RDWR | O_CREAT | O_APPEND);
    write_text(system, fd, "one");
    EXPECT_EQ(system.pwrite(fd, "two", 3, 0), 3);
    EXPECT_EQ(text_at(fd, 10, 0), "onetwo");
    system.close(fd);
  });
}

TEST(DiskFileTest, IsWrittenPastTheCacheInUnitsOfItsDisk) {
  in_world([](system_calls& system) {
    alignas(page_bytes) static char bytes[2 * page_bytes];
    const int fd = open_here("/tmp/a", O_RDWR | O_CREAT | O_DIRECT);
    EXPECT_EQ(system.pwrite(fd, bytes + 512, 512, 512), 512);
    EXPECT_EQ(system.pwrite(fd, bytes + 256, 512, 512), -EINVAL);
    plain_files(here(), source::current()).direct_unit(page_bytes);
    EXPECT_EQ(system.pwrite(fd, bytes, page_bytes, page_bytes), static_cast<std::int64_t>(page_bytes));
    EXPECT_EQ(system.pwrite(fd, bytes + 512, page_bytes, 0), -EINVAL) << "where the memory begins";
    EXPECT_EQ(system.pwrite(fd, bytes, page_bytes, 512), -EINVAL);
    EXPECT_EQ(system.pread(fd, bytes, 512, 0), -EINVAL);
    system.close(fd);
  });
  EXPECT_THAT(text_of_misuse([] { plain_files(here(), source::current()).direct_unit(1000); }),
              testing::HasSubstr("1000 bytes are no unit of a disk"));
  EXPECT_THAT(text_of_misuse([] {
                crash_model of_nothing = ext4_ordered;
                of_nothing.whole_bytes = 0;
                plain_files(here(), source::current()).crash_model(of_nothing);
              }),
              testing::HasSubstr("`whole_bytes` of the model \"ext4_ordered\" is 0"));
}

TEST(DiskFileTest, GivesNamesInTheOrderInWhichTheyWereMadeAtFirst) {
  in_world([](system_calls& system) {
    for (const char* each : {"/tmp/c", "/tmp/a", "/tmp/b"}) system.close(open_here(each, O_WRONLY | O_CREAT));
    EXPECT_EQ(names_of("/tmp"), (std::vector<std::string>{".", "..", "c", "a", "b"}));
  });
}

TEST(DiskFileTest, GivesNamesInAnyOrderWithAnOracle) {
  std::set<std::vector<std::string>> orders;
  in_random_worlds(40, [&orders](system_calls& system) {
    for (const char* each : {"/tmp/c", "/tmp/a", "/tmp/b"}) system.close(open_here(each, O_WRONLY | O_CREAT));
    orders.insert(names_of("/tmp"));
  });
  EXPECT_EQ(orders.size(), 6u);
  for (const auto& each : orders) EXPECT_EQ(each.size(), 5u);
}

TEST(DiskFileTest, IsNamedInReports) {
  in_world([](system_calls& system) {
    const int fd = open_here("/tmp/a", O_RDWR | O_CREAT);
    const int directory = open_here("/tmp", O_RDONLY);
    EXPECT_EQ(here().descriptors().find(fd)->described(), "file /tmp/a");
    EXPECT_EQ(here().descriptors().find(directory)->described(), "directory /tmp");
    system.unlinkat(AT_FDCWD, "/tmp/a", 0);
    EXPECT_THAT(here().descriptors().find(fd)->described(), testing::HasSubstr("file without a name"));
    system.close(fd);
    system.close(directory);
  });
}

TEST(DiskFileTest, IsAVerdictIfItIsLeftOpen) {
  world in;
  const auto main = []() -> task<void> {
    open_here("/tmp/a", O_RDWR | O_CREAT);
    co_return;
  };
  in.run(main());
  ASSERT_EQ(in.verdicts().size(), 1u);
  EXPECT_THAT(in.verdicts()[0].message, testing::HasSubstr("file /tmp/a"));
  EXPECT_THAT(in.verdicts()[0].message, testing::HasSubstr("disk_file_test.cpp"));
}

TEST(DiskFileTest, LosesTheLocksOfTheProcessWithAnyDescriptor) {
  in_world([](system_calls& system) {
    const int fd = open_here("/tmp/a", O_RDWR | O_CREAT);
    const int other = open_here("/tmp/a", O_RDWR);
    struct flock range {};
    range.l_type = F_WRLCK;
    EXPECT_EQ(system.fcntl(fd, F_SETLK, reinterpret_cast<std::intptr_t>(&range)), 0);
    range.l_type = F_WRLCK;
    EXPECT_EQ(system.fcntl(other, F_OFD_GETLK, reinterpret_cast<std::intptr_t>(&range)), 0);
    EXPECT_EQ(range.l_type, F_WRLCK);
    EXPECT_EQ(range.l_pid, 1);
    system.close(open_here("/tmp/a", O_RDONLY));
    range = {};
    range.l_type = F_WRLCK;
    EXPECT_EQ(system.fcntl(other, F_OFD_GETLK, reinterpret_cast<std::intptr_t>(&range)), 0);
    EXPECT_EQ(range.l_type, F_UNLCK);
    EXPECT_EQ(system.flock(fd, LOCK_EX), 0);
    EXPECT_EQ(system.flock(other, LOCK_EX), -EWOULDBLOCK);
    system.close(fd);
    EXPECT_EQ(system.flock(other, LOCK_EX), 0);
    system.close(other);
  });
}

TEST(DiskFileTest, ChangesNothingOnADiskThatHasBecomeReadOnly) {
  in_world([](system_calls& system) {
    const int fd = open_here("/a", O_RDWR | O_CREAT);
    plain_files files(here(), source::current());
    files.read_only(true);
    EXPECT_EQ(system.write(fd, "abc", 3), -EROFS);
    EXPECT_EQ(system.write(fd, "", 0), 0);
    EXPECT_EQ(system.ftruncate(fd, 1), -EROFS);
    EXPECT_EQ(system.fallocate(fd, 0, 0, 4096), -EROFS);
    EXPECT_EQ(system.fchmod(fd, 0600), -EROFS);
    files.read_only(false);
    EXPECT_EQ(system.write(fd, "abc", 3), 3);
    int left = 0;
    EXPECT_EQ(system.lseek(fd, 10, SEEK_SET), 10);
    EXPECT_EQ(system.ioctl(fd, FIONREAD, &left), 0);
    EXPECT_EQ(left, -7) << "as on Linux";
    system.close(fd);
  });
}

TEST(DiskFileTest, HasTheGroupOfItsDirectoryWhereThatPassesItOn) {
  in_world([](system_calls& system) {
    EXPECT_EQ(system.mkdirat(AT_FDCWD, "/d", S_IRWXU), 0);
    EXPECT_EQ(system.fchownat(AT_FDCWD, "/d", 0, 7, 0), 0);
    EXPECT_EQ(system.fchmodat(AT_FDCWD, "/d", S_IRWXU | S_ISGID), 0);
    struct stat found {};
    EXPECT_EQ(system.symlinkat("x", AT_FDCWD, "/d/l"), 0);
    EXPECT_EQ(system.fstatat(AT_FDCWD, "/d/l", &found, AT_SYMLINK_NOFOLLOW), 0);
    EXPECT_EQ(found.st_gid, 7u);
    const int fd = open_here("/d", O_RDWR | O_TMPFILE);
    EXPECT_EQ(system.fstat(fd, &found), 0);
    EXPECT_EQ(found.st_gid, 7u);
    system.close(fd);
  });
}

}  // namespace
}  // namespace lockstep::sim
