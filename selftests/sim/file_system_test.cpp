#include "in_world.hpp"

#include <lockstep/sim/file_names.hpp>
#include <lockstep/sim/file_system.hpp>

#include <string>

namespace lockstep::sim {
namespace {

inode_reference new_file(file_system& disk, const char* name, const credentials& who = {}) {
  inode_reference made;
  EXPECT_EQ(disk.make(S_IFREG, who, made), 0);
  disk.link(disk.root(), name, *made);
  return made;
}

TEST(FileSystemTest, TakesWhatFitsAndThenIsFull) {
  in_world([](system_calls&) {
    file_system& disk = here().files().disk();
    disk.limits().pages_max = disk.pages_used() + 2;
    const inode_reference file = new_file(disk, "a");
    const std::string text(3 * page_bytes, 'x');
    EXPECT_EQ(disk.write(*file, text.data(), text.size(), 10), static_cast<int>(2 * page_bytes - 10));
    EXPECT_EQ(disk.write(*file, text.data(), text.size(), 2 * page_bytes), -ENOSPC);
    EXPECT_EQ(disk.write(*file, text.data(), 5, 0), 5) << "it has that page";
    EXPECT_EQ(disk.allocate(*file, 0, 2 * page_bytes, 1), -ENOSPC);
    disk.unlink(disk.root(), "a");
  });
}

TEST(FileSystemTest, GivesRoomBack) {
  in_world([](system_calls&) {
    file_system& disk = here().files().disk();
    const std::uint64_t before = disk.pages_used();
    inode_reference file = new_file(disk, "a");
    disk.write(*file, "x", 1, 0);
    disk.write(*file, "x", 1, page_bytes);
    EXPECT_EQ(disk.pages_used(), before + 2);
    disk.resize(*file, 1);
    EXPECT_EQ(disk.pages_used(), before + 1);
    disk.unlink(disk.root(), "a");
    EXPECT_EQ(disk.pages_used(), before + 1) << "somebody still uses it";
    file = nullptr;
    EXPECT_EQ(disk.pages_used(), before);
  });
}

TEST(FileSystemTest, HasQuotasOfUsers) {
  in_world([](system_calls&) {
    file_system& disk = here().files().disk();
    const credentials user{.user = 7};
    disk.set_quota(7, 1);
    const inode_reference own = new_file(disk, "own", user);
    const inode_reference others = new_file(disk, "others");
    EXPECT_EQ(disk.write(*own, "x", 1, 0), 1);
    EXPECT_EQ(disk.write(*own, "x", 1, page_bytes), -EDQUOT);
    EXPECT_EQ(disk.write(*others, "x", 1, page_bytes), 1);
    disk.resize(*own, 0);
    EXPECT_EQ(disk.write(*own, "x", 1, page_bytes), 1);
  });
}

TEST(FileSystemTest, CountsWhatAUserHadBeforeThereWasAQuota) {
  in_world([](system_calls&) {
    file_system& disk = here().files().disk();
    const inode_reference own = new_file(disk, "own", {.user = 7});
    EXPECT_EQ(disk.write(*own, "x", 1, 0), 1);
    disk.set_quota(7, 2);
    EXPECT_EQ(disk.write(*own, "x", 1, page_bytes), 1);
    EXPECT_EQ(disk.write(*own, "x", 1, 2 * page_bytes), -EDQUOT);
    disk.resize(*own, 0);
    EXPECT_EQ(disk.write(*own, "x", 1, 0), 1);
  });
}

TEST(FileSystemTest, GivesTheRoomOfAFileToWhoGetsTheFile) {
  in_world([](system_calls&) {
    file_system& disk = here().files().disk();
    const inode_reference given = new_file(disk, "given");
    const inode_reference own = new_file(disk, "own", {.user = 7});
    EXPECT_EQ(disk.write(*given, "x", 1, 0), 1);
    disk.set_quota(7, 1);
    disk.set_owner(*given, 7, 7);
    EXPECT_EQ(disk.write(*own, "x", 1, 0), -EDQUOT);
    disk.set_owner(*given, 0, 0);
    EXPECT_EQ(disk.write(*own, "x", 1, 0), 1);
  });
}

TEST(FileSystemTest, HasAsManyFilesAsItHasInodes) {
  in_world([](system_calls&) {
    file_system& disk = here().files().disk();
    disk.limits().inodes_max = disk.inodes_used();
    inode_reference made;
    EXPECT_EQ(disk.make(S_IFREG, {}, made), -ENOSPC);
  });
}

TEST(FileSystemTest, HasALargestFile) {
  in_world([](system_calls&) {
    file_system& disk = here().files().disk();
    const inode_reference file = new_file(disk, "a");
    const std::uint64_t most = disk.limits().file_bytes_max;
    EXPECT_EQ(disk.write(*file, "xy", 2, most - 1), 1);
    EXPECT_EQ(disk.write(*file, "y", 1, most), -EFBIG);
    EXPECT_EQ(disk.resize(*file, most + 1), -EFBIG);
    EXPECT_EQ(disk.resize(*file, most), 0);
  });
}

TEST(FileSystemTest, MovesTheTimes) {
  in_world_for_a_while([]() -> task<void> {
    file_system& disk = here().files().disk();
    const inode_reference file = new_file(disk, "a");
    const wall_clock::time_point made = file->attributes.modified;
    co_await sleep_for(std::chrono::seconds(1));
    disk.touch_attributes(*file);
    EXPECT_EQ(file->attributes.modified, made);
    EXPECT_EQ(file->attributes.changed - made, std::chrono::seconds(1));
    disk.write(*file, "x", 1, 0);
    EXPECT_EQ(file->attributes.modified, file->attributes.changed);
    EXPECT_EQ(disk.root().attributes.modified, made);
    disk.unlink(disk.root(), "a");
    EXPECT_EQ(disk.root().attributes.modified, file->attributes.changed);
  });
}

}  // namespace
}  // namespace lockstep::sim
