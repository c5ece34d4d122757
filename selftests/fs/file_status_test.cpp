#include <lockstep/fs/file_status.hpp>

#include "in_each_world.hpp"

#include <dirent.h>

#include <set>
#include <sstream>

namespace lockstep {
namespace {

TEST(FileStatusTest, SaysWhatIsThere) {
  struct stat found {};
  found.st_mode = S_IFREG | 04755;
  found.st_size = 10;
  found.st_blocks = 2;
  found.st_dev = 3;
  found.st_ino = 4;
  found.st_nlink = 5;
  found.st_uid = 6;
  found.st_gid = 7;
  found.st_atim = {.tv_sec = 8, .tv_nsec = 1};
  found.st_mtim = {.tv_sec = 9, .tv_nsec = 2};
  found.st_ctim = {.tv_sec = 10, .tv_nsec = 3};
  const file_status known = file_status::from(found);
  EXPECT_TRUE(known.is_regular() && !known.is_directory() && !known.is_symlink());
  EXPECT_EQ(known.permissions, 04755U);
  EXPECT_EQ(known.size_bytes, 10U);
  EXPECT_EQ(known.allocated_bytes, 1'024U);
  EXPECT_EQ(known.device, 3U);
  EXPECT_EQ(known.inode, 4U);
  EXPECT_EQ(known.links, 5U);
  EXPECT_EQ(known.user, 6U);
  EXPECT_EQ(known.group, 7U);
  EXPECT_EQ(known.accessed.time_since_epoch(), std::chrono::nanoseconds(8'000'000'001));
  EXPECT_EQ(known.modified.time_since_epoch(), std::chrono::nanoseconds(9'000'000'002));
  EXPECT_EQ(known.changed.time_since_epoch(), std::chrono::nanoseconds(10'000'000'003));
}

TEST(FileStatusTest, KnowsEachKind) {
  std::set<std::string_view> names;
  for (const mode_t mode :
       std::initializer_list<mode_t>{S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO, S_IFSOCK, S_IFBLK, S_IFCHR}) {
    const file_kind kind = detail::kind_of_mode(mode | 0777);
    EXPECT_NE(kind, file_kind::unknown);
    EXPECT_EQ(detail::kind_of_entry(static_cast<unsigned char>(IFTODT(mode))), kind);
    names.insert(name_of(kind));
  }
  EXPECT_EQ(names.size(), 7U);
  EXPECT_EQ(detail::kind_of_mode(0), file_kind::unknown);
  EXPECT_EQ(detail::kind_of_entry(DT_UNKNOWN), file_kind::unknown);
  std::ostringstream text;
  text << file_kind::symlink << ", " << file_kind::unknown;
  EXPECT_EQ(text.str(), "symlink, unknown kind of file");
}

TEST(FileStatusTest, TellsFilesApart) {
  file_status one;
  one.device = 1;
  one.inode = 2;
  file_status other = one;
  EXPECT_TRUE(one.is_same_file_as(other));
  other.device = 2;
  EXPECT_FALSE(one.is_same_file_as(other));
  other = one;
  other.inode = 3;
  EXPECT_FALSE(one.is_same_file_as(other));
}

// Times are those of the time of day.
task<void> knows_when_it_was_written(std::string folder) {
  co_await sleep_for(std::chrono::hours(2));
  co_await write_file(folder + "/a", "abc");
  const file_status found = co_await status(folder + "/a");
  EXPECT_EQ(found.modified, wall_now());
}

TEST(FileStatusTest, KnowsWhenItWasWritten) {
  sim::world world;
  world.run(in_simulated_folder(knows_when_it_was_written));
  judge(world, "on the simulated kernel");
}

}  // namespace
}  // namespace lockstep
