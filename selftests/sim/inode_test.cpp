#include "in_world.hpp"

#include <lockstep/sim/file_names.hpp>
#include <lockstep/sim/inode.hpp>

#include <utility>

namespace lockstep::sim {
namespace {

TEST(InodeTest, LivesAsLongAsSomebodyRefersToIt) {
  in_world([](system_calls&) {
    file_system& disk = here().files().disk();
    const std::uint64_t before = disk.inodes_used();
    inode_reference made;
    ASSERT_EQ(disk.make(S_IFREG, {}, made), 0);
    disk.link(disk.root(), "a", *made);
    inode_reference other = made;
    made = nullptr;
    disk.unlink(disk.root(), "a");
    EXPECT_EQ(disk.inodes_used(), before + 1);
    EXPECT_EQ(other->links, 0u);
    const inode_reference last = std::move(other);
    EXPECT_FALSE(other);  // NOLINT(bugprone-use-after-move)
    EXPECT_TRUE(last->is_regular());
    EXPECT_FALSE(last->is_directory() || last->is_link());
    EXPECT_EQ(&last->on(), &disk);
    made = last;
  });
}

TEST(InodeTest, TakesWhatIsBelowWithIt) {
  in_world([](system_calls&) {
    file_names& all = here().files();
    inode& root = all.disk().root();
    file_system* disk = nullptr;
    ASSERT_EQ(all.mount("/tmp", disk), 0);
    std::string path = "/tmp";
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(all.make_directory(root, path += "/d", S_IRWXU), 0);
    EXPECT_EQ(disk->inodes_used(), 1001u);
  });
}

}  // namespace
}  // namespace lockstep::sim
