// When the bytes that are written take the disk's time, and whose: those of a page cache, and past it.
#include "in_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>

#include <chrono>
#include <string>
#include <vector>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kib = 1024;

// A disk of 1 MiB a second, with room for 64 KiB in the page cache.
struct slow_disk {
  explicit slow_disk(system_calls& of) : system(of), files(here(), source::current()) {
    files.pace({.bytes_per_second = 1024 * kib});
    files.page_cache(64 * kib);
    system.account(system_calls::disk_time::awaited);
  }
  int opened(const char* path, int flags = 0) const {
    return system.openat(AT_FDCWD, path, O_RDWR | O_CREAT | flags, 0600);
  }
  // How long what it returns takes.
  template <class F>
  duration time_of(const F& call) const {
    system.take_disk_time();
    EXPECT_GE(call(), 0);
    const duration taken = system.take_disk_time();
    consume(taken);
    return taken;
  }
  duration write(int fd, std::uint64_t bytes, std::uint64_t offset = 0) const {
    alignas(4096) static char all[256 * kib];
    return time_of([&] { return system.pwrite(fd, all, bytes, static_cast<std::int64_t>(offset)); });
  }

  system_calls& system;
  plain_files files;
};

// So long it takes to write them.
constexpr duration of(std::uint64_t kibibytes) {
  return duration(static_cast<std::int64_t>(kibibytes) * 1'000'000'000 / 1024);
}

TEST(DiskTimeTest, IsTakenByASyncAndNotByAWrite) {
  in_world([](system_calls& system) {
    const slow_disk disk(system);
    const int one = disk.opened("/one");
    const int other = disk.opened("/other");
    EXPECT_EQ(disk.write(one, 16 * kib), 0ns);
    EXPECT_EQ(disk.write(one, 16 * kib), 0ns) << "the same pages";
    EXPECT_EQ(disk.write(other, 1), 0ns);
    EXPECT_EQ(disk.time_of([&] { return system.fsync(one); }), of(16));
    EXPECT_EQ(disk.time_of([&] { return system.fsync(one); }), 0ns);
    EXPECT_EQ(disk.time_of([&] { return system.syncfs(one); }), of(4)) << "a page of the other";
    EXPECT_EQ(disk.time_of([&] { return system.pread(one, std::vector<char>(8 * kib).data(), 8 * kib, 0); }), of(8));
    system.close(one);
    system.close(other);
  });
}

TEST(DiskTimeTest, IsTakenByAWriteThatFindsThePageCacheFull) {
  in_world([](system_calls& system) {
    const slow_disk disk(system);
    const int fd = disk.opened("/a");
    EXPECT_EQ(disk.write(fd, 48 * kib), 0ns);
    EXPECT_EQ(disk.write(fd, 32 * kib, 48 * kib), of(16)) << "until there is room for the rest";
    EXPECT_EQ(disk.write(fd, 128 * kib, 128 * kib), of(128));
    EXPECT_EQ(disk.time_of([&] { return system.fsync(fd); }), of(64));
    system.close(fd);
  });
}

TEST(DiskTimeTest, IsNotTakenByWhatIsNoLongerThere) {
  in_world([](system_calls& system) {
    const slow_disk disk(system);
    const int fd = disk.opened("/a");
    disk.write(fd, 32 * kib);
    EXPECT_EQ(system.ftruncate(fd, 4 * kib), 0);
    EXPECT_EQ(disk.time_of([&] { return system.fsync(fd); }), of(4));
    disk.write(fd, 32 * kib);
    system.unlinkat(AT_FDCWD, "/a", 0);
    system.close(fd);
    const int other = disk.opened("/b");
    EXPECT_EQ(disk.time_of([&] { return system.syncfs(other); }), 0ns);
    EXPECT_EQ(disk.write(other, 64 * kib), 0ns) << "all of the page cache is for it";
    system.close(other);
  });
}

TEST(DiskTimeTest, IsTakenAtOncePastThePageCache) {
  in_world([](system_calls& system) {
    const slow_disk disk(system);
    const int direct = disk.opened("/direct", O_DIRECT);
    EXPECT_EQ(disk.write(direct, 8 * kib), of(8));
    EXPECT_EQ(disk.time_of([&] { return system.fsync(direct); }), 0ns);
    system.close(direct);
    const int at_once = disk.opened("/sync", O_DSYNC);
    EXPECT_EQ(disk.write(at_once, 8 * kib), of(8)) << "with its sync";
    system.close(at_once);
  });
}

// However it is written, no more than the page cache holds is lost.
TEST(DiskTimeTest, IsForNoMoreThanThePageCacheHolds) {
  in_world([](system_calls& system) {
    plain_files files(here(), source::current());
    files.page_cache(64 * kib);
    const std::string text(200 * kib, 'x');
    const int fd = system.openat(AT_FDCWD, "/a", O_RDWR | O_CREAT, 0600);
    EXPECT_EQ(system.fsync(fd), 0);
    EXPECT_EQ(system.write(fd, text.data(), text.size()), static_cast<std::int64_t>(text.size()));
    for (const crash_image& each : files.crash_images(20)) {
      EXPECT_GE(each.disk.text_of("/a").size(), (200 - 128) * kib);
    }
    EXPECT_EQ(files.read_file("/a"), text);
    system.close(fd);
  });
}

}  // namespace
}  // namespace lockstep::sim
