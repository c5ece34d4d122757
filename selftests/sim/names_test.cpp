#include "in_world.hpp"

#include <lockstep/sim/host.hpp>
#include <lockstep/sim/names.hpp>
#include <lockstep/sim/network.hpp>

namespace lockstep::sim {
namespace {

class NamesTest : public testing::Test {
 public:
  int find(std::string_view path) {
    found = nullptr;
    return names.find(path, found);
  }
  int make(std::string_view path, inode_kind kind = inode_kind::regular) { return names.make(path, kind, made); }

  name_space names;
  std::shared_ptr<inode> found;
  std::shared_ptr<inode> made;
};

TEST_F(NamesTest, BeginWithTheRootAndTmp) {
  EXPECT_EQ(find("/"), 0);
  EXPECT_EQ(found->kind, inode_kind::directory);
  EXPECT_EQ(find("/tmp"), 0);
  EXPECT_EQ(find("//tmp//"), 0);
  EXPECT_EQ(find("tmp/../tmp/."), 0);
  EXPECT_EQ(find("/.."), 0);
  EXPECT_EQ(find(""), -ENOENT);
  EXPECT_EQ(find("/none"), -ENOENT);
  EXPECT_EQ(find("/none/more"), -ENOENT);
}

TEST_F(NamesTest, AreMadeAndFoundAgain) {
  EXPECT_EQ(make("/tmp/a"), 0);
  EXPECT_EQ(find("/tmp/a"), 0);
  EXPECT_EQ(found, made);
  EXPECT_EQ(make("/tmp/a"), -EEXIST);
  EXPECT_EQ(make("/tmp/a/"), -EEXIST);
  EXPECT_EQ(make("/"), -EEXIST);
  EXPECT_EQ(make("/tmp/."), -EEXIST);
  EXPECT_EQ(make("/tmp/b/"), -ENOENT) << "of no directory";
  EXPECT_EQ(make("/tmp/d/", inode_kind::directory), 0);
  EXPECT_EQ(make("/tmp/d/e/f"), -ENOENT);
  EXPECT_EQ(make("/tmp/d/f"), 0);
  EXPECT_EQ(find("/tmp/d/../a"), 0);
}

TEST_F(NamesTest, ThatAreNoDirectoriesLeadNowhere) {
  make("/tmp/a");
  EXPECT_EQ(find("/tmp/a/"), -ENOTDIR);
  EXPECT_EQ(find("/tmp/a/b"), -ENOTDIR);
  EXPECT_EQ(find("/tmp/a/.."), -ENOTDIR);
  EXPECT_EQ(make("/tmp/a/b"), -ENOTDIR);
}

TEST_F(NamesTest, HaveALimit) {
  const std::string longest(255, 'x');
  EXPECT_EQ(make("/tmp/" + longest), 0);
  EXPECT_EQ(make("/tmp/" + longest + "x"), -ENAMETOOLONG);
  EXPECT_EQ(find("/" + longest + "x"), -ENAMETOOLONG);
  std::string path;
  for (int i = 0; i < 585; ++i) path += "/tmp/..";
  ASSERT_EQ(path.size(), 4095u);
  EXPECT_EQ(find(path), 0);
  EXPECT_EQ(find(path + '/'), -ENAMETOOLONG);
}

TEST_F(NamesTest, AreRemoved) {
  make("/tmp/a");
  EXPECT_EQ(names.remove("/tmp/a/"), -ENOTDIR);
  EXPECT_EQ(names.remove("/tmp/a"), 0);
  EXPECT_EQ(names.remove("/tmp/a"), -ENOENT);
  EXPECT_EQ(find("/tmp/a"), -ENOENT);
  EXPECT_EQ(names.remove("/tmp"), -EISDIR);
  EXPECT_EQ(names.remove("/"), -EISDIR);
  EXPECT_EQ(names.remove("/tmp/.."), -EISDIR);
}

TEST_F(NamesTest, LeaveTheirInodesToWhoUsesThem) {
  make("/tmp/a");
  const std::weak_ptr<inode> first = made;
  names.remove("/tmp/a");
  EXPECT_FALSE(first.expired());
  make("/tmp/a");
  EXPECT_TRUE(first.expired());
}

TEST_F(NamesTest, AreAHostsOwn) {
  in_world([](system_calls&) {
    host& one = here();
    host& other = one.of().add_host("other");
    EXPECT_EQ(one.mkdir("/run"), 0);
    EXPECT_EQ(one.mkdir("/run"), -EEXIST);
    EXPECT_EQ(one.unlink("/run"), -EISDIR);
    EXPECT_EQ(other.mkdir("/run"), 0);
  });
}

}  // namespace
}  // namespace lockstep::sim
