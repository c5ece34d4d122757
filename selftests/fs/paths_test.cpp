#include <lockstep/fs/paths.hpp>

#include "in_each_world.hpp"

namespace lockstep {
namespace {

task<void> looks(std::string folder) {
  co_await write_file(folder + "/a", "abc", 0640);
  co_await create_symlink("a", folder + "/link");
  co_await create_symlink("nowhere", folder + "/broken");
  const file_status found = co_await status(folder + "/link");
  EXPECT_TRUE(found.is_regular());
  EXPECT_EQ(found.size_bytes, 3U);
  const file_status link = co_await symlink_status(folder + "/link");
  EXPECT_TRUE(link.is_symlink());
  EXPECT_EQ(co_await read_symlink(folder + "/link"), "a");
  EXPECT_EQ(co_await text_of_error(read_symlink(folder + "/a")), "target of \"" + folder + "/a\": Invalid argument");
  EXPECT_TRUE(co_await exists(folder + "/link"));
  EXPECT_FALSE(co_await exists(folder + "/broken"));
  EXPECT_FALSE(co_await exists(folder + "/missing"));
  EXPECT_FALSE(co_await exists(folder + "/a/below"));
  EXPECT_EQ(co_await text_of_error(exists(folder + "/" + std::string(300, 'x'))),
            "status of \"" + folder + "/" + std::string(300, 'x') + "\": File name too long");
  EXPECT_EQ(co_await text_of_error(status(folder + "/broken")),
            "status of \"" + folder + "/broken\": No such file or directory");
}

TEST(PathsTest, AreLookedAt) { run_in_each_world(looks); }

task<void> makes_directories(std::string folder) {
  co_await create_directory(folder + "/one", 0700);
  EXPECT_EQ((co_await status(folder + "/one")).permissions, 0700U);
  EXPECT_EQ(co_await text_of_error(create_directory(folder + "/one")),
            "create directory \"" + folder + "/one\": File exists");
  EXPECT_TRUE(co_await create_directories(folder + "/one/two//three/"));
  EXPECT_FALSE(co_await create_directories(folder + "/one/two/three"));
  EXPECT_FALSE(co_await create_directories("/"));
  EXPECT_TRUE((co_await status(folder + "/one/two/three")).is_directory());
  co_await write_file(folder + "/file", "");
  EXPECT_EQ(co_await text_of_error(create_directories(folder + "/file")),
            "create directory \"" + folder + "/file\": File exists");
  EXPECT_EQ(co_await text_of_error(create_directories(folder + "/file/below")),
            "create directory \"" + folder + "/file\": File exists");
  EXPECT_EQ(co_await text_of_error(remove_directory(folder + "/one")),
            "remove directory \"" + folder + "/one\": Directory not empty");
  co_await remove_directory(folder + "/one/two/three");
  EXPECT_FALSE(co_await exists(folder + "/one/two/three"));
}

TEST(PathsTest, AreMadeDirectories) { run_in_each_world(makes_directories); }

task<void> removes_all(std::string folder) {
  const std::string tree = folder + "/tree";
  co_await create_directories(tree + "/one/two");
  co_await write_file(tree + "/one/a", "abc");
  co_await write_file(folder + "/outside", "abc");
  co_await create_symlink(folder, tree + "/link");
  EXPECT_EQ(co_await remove_all(tree), 5U);
  EXPECT_FALSE(co_await exists(tree));
  EXPECT_TRUE(co_await exists(folder + "/outside"));
  EXPECT_EQ(co_await remove_all(tree), 0U);
  EXPECT_EQ(co_await remove_all(folder + "/outside"), 1U);
}

TEST(PathsTest, AreRemovedWithAllThatIsInThem) { run_in_each_world(removes_all); }

task<void> moves_names(std::string folder) {
  const std::string a = folder + "/a";
  const std::string b = folder + "/b";
  co_await write_file(a, "one");
  co_await write_file(b, "two");
  EXPECT_EQ(co_await text_of_error(rename_file(a, b, false)), "rename \"" + a + "\" to \"" + b + "\": File exists");
  co_await exchange_files(a, b);
  EXPECT_EQ(co_await read_file(a), "two");
  co_await rename_file(a, b);
  EXPECT_FALSE(co_await exists(a));
  EXPECT_EQ(co_await read_file(b), "two");
  co_await create_hard_link(b, a);
  EXPECT_TRUE((co_await status(a)).is_same_file_as(co_await status(b)));
  EXPECT_EQ(co_await text_of_error(create_hard_link(b, a)), "link \"" + b + "\" to \"" + a + "\": File exists");
  EXPECT_EQ(co_await text_of_error(create_symlink("x", a)), "symlink \"x\" to \"" + a + "\": File exists");
  co_await remove_file(a);
  EXPECT_EQ(co_await text_of_error(remove_file(a)), "remove \"" + a + "\": No such file or directory");
  EXPECT_EQ(co_await text_of_error(remove_file(folder)), "remove \"" + folder + "\": Is a directory");
}

TEST(PathsTest, AreMovedAndLinked) { run_in_each_world(moves_names); }

task<void> changes_files(std::string folder) {
  co_await write_file(folder + "/a", "abcdef");
  co_await permissions(folder + "/a", 0600);
  EXPECT_EQ((co_await status(folder + "/a")).permissions, 0600U);
  co_await resize_file(folder + "/a", 2);
  EXPECT_EQ(co_await read_file(folder + "/a"), "ab");
  EXPECT_EQ(co_await text_of_error(resize_file(folder, 0)), "truncate \"" + folder + "\": Is a directory");
  EXPECT_EQ(co_await text_of_error(permissions(folder + "/x", 0)),
            "permissions of \"" + folder + "/x\": No such file or directory");
}

TEST(PathsTest, AreChanged) { run_in_each_world(changes_files); }

TEST(PathsTest, HaveADirectoryAndAName) {
  EXPECT_EQ(directory_of("/var/log/app"), "/var/log");
  EXPECT_EQ(directory_of("/app"), "/");
  EXPECT_EQ(directory_of("app"), ".");
  EXPECT_EQ(directory_of("log/app"), "log");
  EXPECT_EQ(name_in("/var/log/app"), "app");
  EXPECT_EQ(name_in("app"), "app");
  EXPECT_EQ(name_in("/var/"), "");
  EXPECT_EQ(joined("/var", "log"), "/var/log");
  EXPECT_EQ(joined("/", "var"), "/var");
  EXPECT_EQ(joined("", "var"), "var");
  EXPECT_EQ(joined("/var", "/log"), "/log");
}

}  // namespace
}  // namespace lockstep
