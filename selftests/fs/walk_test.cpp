#include <lockstep/fs/walk.hpp>

#include "in_each_world.hpp"

#include <algorithm>
#include <vector>

namespace lockstep {
namespace {

using testing::ElementsAre;

task<std::vector<std::string>> walked(std::string folder, walk_options how = {}) {
  std::vector<std::string> found;
  auto all = walk(folder, how);
  while (const walk_entry* const each = co_await all.next()) {
    std::string text = each->path.substr(folder.size());
    if (each->kind == file_kind::directory) text += '/';
    if (each->kind == file_kind::symlink) text += '@';
    const auto slashes = static_cast<std::size_t>(std::count(each->path.begin(), each->path.end(), '/'));
    const auto above = static_cast<std::size_t>(std::count(folder.begin(), folder.end(), '/'));
    EXPECT_EQ(each->depth, slashes - above);
    EXPECT_TRUE(text.find(each->name()) != std::string::npos);
    found.push_back(std::move(text));
  }
  std::sort(found.begin(), found.end());
  co_return found;
}

task<void> finds_all(std::string folder) {
  co_await create_directories(folder + "/a/b");
  co_await write_file(folder + "/a/b/c", "");
  co_await write_file(folder + "/d", "");
  EXPECT_THAT(co_await walked(folder), ElementsAre("/a/", "/a/b/", "/a/b/c", "/d"));
  EXPECT_THAT(co_await walked(folder, {.depth_max = 2}), ElementsAre("/a/", "/a/b/", "/d"));
  EXPECT_THAT(co_await walked(folder, {.depth_max = 1}), ElementsAre("/a/", "/d"));
  EXPECT_THAT(co_await text_of_error(walked(folder + "/none")), testing::HasSubstr("No such file or directory"));
  EXPECT_THAT(co_await text_of_error(walked(folder + "/d")), testing::HasSubstr("Not a directory"));
}

TEST(WalkTest, FindsAllThatIsThere) { run_in_each_world(finds_all); }

task<void> follows_links(std::string folder) {
  co_await create_directories(folder + "/a/b");
  co_await write_file(folder + "/outside", "");
  co_await create_symlink("..", folder + "/a/up");
  co_await create_symlink("../outside", folder + "/a/file");
  co_await create_symlink("nowhere", folder + "/a/broken");
  co_await create_symlink("b", folder + "/a/c");
  co_await write_file(folder + "/a/b/x", "");
  const std::string from = folder + "/a";
  EXPECT_THAT(co_await walked(from), ElementsAre("/b/", "/b/x", "/broken@", "/c@", "/file@", "/up@"));
  // What "up" leads to is another way to where it began, which it goes once.
  EXPECT_THAT(co_await walked(from, {.follow_links = true}),
              ElementsAre("/b/", "/b/x", "/broken@", "/c/", "/c/x", "/file", "/up/", "/up/a/", "/up/outside"));
}

TEST(WalkTest, FollowsLinksAndNoCircles) { run_in_each_world(follows_links); }

task<void> passes_over_what_goes(std::string folder) {
  for (const char* const name : {"/a", "/b", "/c"}) {
    co_await create_directory(folder + name);
    co_await write_file(folder + name + "/x", "");
  }
  std::size_t files = 0;
  bool first = true;
  auto all = walk(folder);
  while (const walk_entry* const each = co_await all.next()) {
    files += each->kind == file_kind::regular ? 1 : 0;
    if (!std::exchange(first, false)) continue;
    for (const char* const name : {"/a", "/b", "/c"}) {
      if (each->path != folder + name) co_await remove_all(folder + name);
    }
    co_await remove_all(each->path);
  }
  EXPECT_EQ(files, 0U);
}

TEST(WalkTest, PassesOverWhatGoesMeanwhile) { run_in_each_world(passes_over_what_goes); }

// A descriptor for each directory would not do.
task<void> goes_deep(std::string folder) {
  std::string path = folder;
  for (int i = 0; i < 100; ++i) path += "/d";
  co_await create_directories(path);
  int deepest = 0;
  auto all = walk(folder);
  while (const walk_entry* const each = co_await all.next()) {
    EXPECT_EQ(files_here().open_files, 0);
    deepest = static_cast<int>(each->depth);
  }
  EXPECT_EQ(deepest, 100);
}

TEST(WalkTest, HasNothingOpenBetweenTwoEntries) { run_with_disk(std::chrono::milliseconds(0), goes_deep); }

task<void> is_denied(std::string folder) {
  co_await create_directory(folder + "/a");
  co_await write_file(folder + "/b", "");
  int entries = 0;
  auto all = walk(folder, {.skip_denied = true});
  while (co_await all.next() != nullptr) {
    files_here().fail_with = ++entries == 2 ? 0 : EACCES;
  }
  files_here().fail_with = 0;
  EXPECT_EQ(entries, 2);
  auto strict = walk(folder);
  bool failed = false;
  try {
    while (co_await strict.next() != nullptr) files_here().fail_with = EACCES;
  } catch (const std::system_error& error) {
    failed = error.code().value() == EACCES;
  }
  files_here().fail_with = 0;
  EXPECT_TRUE(failed);
}

TEST(WalkTest, PassesOverWhatItMayNotReadIfItIsTo) { run_with_disk(std::chrono::milliseconds(0), is_denied); }

}  // namespace
}  // namespace lockstep
