#include "in_world.hpp"

#include <lockstep/sim/file_names.hpp>
#include <lockstep/sim/inode.hpp>

#include <cstddef>
#include <string>
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

// Of each there is one entry, so that none is looked for.
TEST(InodeTest, KnowsTheDirectoriesOfItsNames) {
  in_world([](system_calls&) {
    constexpr std::size_t many = 500;
    file_names& all = here().files();
    file_system& disk = all.disk();
    inode_reference file;
    inode_reference other;
    ASSERT_EQ(all.make_node(disk.root(), "/first", S_IFREG, file), 0);
    ASSERT_EQ(all.make_node(disk.root(), "/other", S_IFDIR, other), 0);
    EXPECT_EQ(file->other_parents, nullptr);
    for (std::size_t i = 0; i < many; ++i) disk.link(disk.root(), std::to_string(i), *file);
    for (std::size_t i = 0; i < many; ++i) disk.link(*other, std::to_string(i), *file);
    EXPECT_EQ(file->links, 2 * many + 1);
    EXPECT_EQ(file->other_parents->size(), 2 * many);
    for (std::size_t i = 0; i < many; ++i) disk.unlink(*other, std::to_string(i));
    EXPECT_EQ(file->parent, &disk.root());
    EXPECT_EQ(file->other_parents->size(), many);
    disk.rename(disk.root(), "5", *other, "five");
    EXPECT_EQ(file->parent, other.get());
    disk.unlink(*other, "five");
    disk.unlink(disk.root(), "first");
    for (std::size_t i = 0; i < many; ++i) {
      if (i != 5 && i != 7) disk.unlink(disk.root(), std::to_string(i));
    }
    EXPECT_EQ(file->other_parents->size(), 0u);
    EXPECT_EQ(all.text_of(*file), "/7");
    disk.unlink(disk.root(), "7");
    EXPECT_EQ(file->parent, nullptr);
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
