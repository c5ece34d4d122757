// What the disk has of changes that it keeps: their content and their times.
#include "all_images.hpp"

#include <lockstep/sim/crash_log.hpp>
#include <lockstep/sim/fault.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <string>

namespace lockstep::sim {
namespace {

// -- pages with memory for their first bytes only ---------------------------------------------------------------------

// What is behind those reads as zeros, and so does what a change of them brings to the disk.
TEST(KeptChangesTest, HasZerosBehindWhatThereIsMemoryFor) {
  in_world([](system_calls& system) {
    const int fd = make_file("/a");
    EXPECT_EQ(system.write(fd, "x", 1), 1);
    EXPECT_EQ(system.ftruncate(fd, 3000), 0);
    EXPECT_EQ(system.fsync(fd), 0);
    constexpr int punches = 3;  // FALLOC_FL_KEEP_SIZE and FALLOC_FL_PUNCH_HOLE
    EXPECT_EQ(system.fallocate(fd, punches, 1, 2500), 0);
    const std::string all = "x" + std::string(2999, '\0');
    system.sync();
    EXPECT_EQ(log_here().durable().text_of("/a"), all);
    system.close(fd);
  });
}

TEST(KeptChangesTest, HasZerosThereBehindAFailedSyncToo) {
  in_world([](system_calls& system) {
    const int fd = make_file("/a");
    EXPECT_EQ(system.write(fd, "x", 1), 1);
    EXPECT_EQ(system.ftruncate(fd, 3000), 0);
    sync_path("/");
    EXPECT_EQ(system.fsync(fd), 0);
    EXPECT_EQ(system.pwrite(fd, "y", 1, 0), 1);
    {
      const fault broken = on(op::sync).fail(EIO);
      EXPECT_EQ(system.fsync(fd), -EIO);
    }
    EXPECT_EQ(system.pwrite(fd, "z", 1, 0), 1);
    EXPECT_EQ(system.fsync(fd), 0);
    EXPECT_EQ(log_here().durable().text_of("/a"), "z" + std::string(2999, '\0'));
    system.close(fd);
  });
}

// -- times ------------------------------------------------------------------------------------------------------------

task<void> changes_later() {
  write_file("/a", "1");
  make_directory("/d");
  sync_path("/");
  current_system().sync();
  const auto before = wall_clock::now();
  co_await sleep_for(std::chrono::seconds(100));
  write_file("/a", "22");
  write_file("/d/b", "x");
  const disk_image kept = image_left(ext4_ordered);
  sync_path("/d");
  EXPECT_EQ(log_here().durable().find("/d")->attributes.modified - before, std::chrono::seconds(100));
  current_system().sync();
  const std::array<const disk_image*, 2> both{&kept, &log_here().durable()};
  for (const disk_image* const each : both) {
    EXPECT_EQ(each->find("/a")->attributes.modified - before, std::chrono::seconds(100));
    EXPECT_EQ(each->find("/d")->attributes.changed - before, std::chrono::seconds(100));
  }
}

TEST(KeptChangesTest, KeepsTheTimesOfWhatIsKept) { in_world_for_a_while(changes_later); }

}  // namespace
}  // namespace lockstep::sim
