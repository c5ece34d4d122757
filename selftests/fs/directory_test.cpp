#include <lockstep/fs/directory.hpp>

#include "in_each_world.hpp"

#include <algorithm>
#include <set>
#include <vector>

namespace lockstep {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

std::vector<std::string> names_in_list(const std::vector<directory_entry>& all) {
  std::vector<std::string> names;
  for (const directory_entry& each : all) names.push_back(each.name);
  return names;
}

task<void> lists(std::string folder) {
  co_await write_file(folder + "/b", "");
  co_await create_directory(folder + "/a");
  co_await create_symlink("b", folder + "/c");
  directory at = co_await open_directory(folder);
  std::set<std::pair<std::string, file_kind>> found;
  auto all = at.entries();
  while (const directory_entry* const each = co_await all.next()) {
    found.emplace(each->name, each->kind);
    EXPECT_EQ(each->inode, (co_await at.symlink_status(each->name)).inode);
  }
  EXPECT_THAT(found, UnorderedElementsAre(std::pair("a", file_kind::directory), std::pair("b", file_kind::regular),
                                          std::pair("c", file_kind::symlink)));
  EXPECT_EQ((co_await at.list()).size(), 3U);  // from the beginning again
  EXPECT_THAT(names_in_list(co_await list_directory(folder)), ElementsAre("a", "b", "c"));
  EXPECT_EQ(co_await text_of_error(open_directory(folder + "/b")), "open \"" + folder + "/b\": Not a directory");
}

TEST(DirectoryTest, ListsWhatIsInIt) { run_in_each_world(lists); }

// More than one call gives.
task<void> lists_many(std::string folder) {
  const std::string path = folder + "/" + std::string(200, 'x');
  for (int i = 0; i < 200; ++i) {
    const file made = co_await open(path + std::to_string(i), {.write = true, .create = true});
  }
  const std::vector<directory_entry> all = co_await list_directory(folder);
  EXPECT_EQ(all.size(), 200U);
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
}

TEST(DirectoryTest, ListsMoreThanOneCallGives) { run_in_each_world(lists_many); }

task<void> works_in_it(std::string folder) {
  co_await create_directory(folder + "/in");
  directory in = co_await open_directory(folder + "/in");
  co_await rename_file(folder + "/in", folder + "/moved");
  {
    file made = co_await in.open("a", {.write = true, .create = true});
    co_await made.write("abc");
  }
  co_await in.create_directory("below", 0700);
  const directory below = co_await in.open_directory("below");
  EXPECT_TRUE(below.is_open());
  EXPECT_EQ((co_await in.status("a")).size_bytes, 3U);
  EXPECT_TRUE(co_await in.exists("a"));
  co_await in.rename_file("a", "b");
  EXPECT_FALSE(co_await in.exists("a"));
  EXPECT_EQ(co_await read_file(folder + "/moved/b"), "abc");
  co_await in.sync();
  co_await in.remove_file("b");
  co_await in.remove_directory("below");
  EXPECT_TRUE((co_await in.status()).is_directory());
  EXPECT_EQ((co_await in.list()).size(), 0U);
  co_await in.close();
  EXPECT_EQ(co_await text_of_error(in.open("a")),
            "open \"a\" in \"" + folder + "/in\", which is closed: Bad file descriptor");
  EXPECT_EQ(co_await text_of_error(in.list()), "seek in \"" + folder + "/in\", which is closed: Bad file descriptor");
}

TEST(DirectoryTest, HasNamesOfItsOwn) { run_in_each_world(works_in_it); }

task<void> changes_while_it_is_listed(std::string folder) {
  for (const char* const name : {"a", "b", "c"}) co_await write_file(folder + "/" + name, "");
  directory at = co_await open_directory(folder);
  std::size_t found = 0;
  auto all = at.entries();
  while (const directory_entry* const each = co_await all.next()) {
    ++found;
    co_await at.remove_file(each->name);
  }
  EXPECT_EQ(found, 3U);
  EXPECT_EQ((co_await at.list()).size(), 0U);
}

TEST(DirectoryTest, MayChangeWhileItIsListed) { run_in_each_world(changes_while_it_is_listed); }

// Nobody else lists it meanwhile, so all comes again.
task<void> is_cancelled_while_it_lists(std::string folder) {
  co_await write_file(folder + "/a", "");
  directory at = co_await open_directory(folder);
  const auto list = [](directory& of) -> task<void> { static_cast<void>(co_await of.list()); };
  auto lister = spawn(list(at), "lister");
  co_await sleep_for(std::chrono::milliseconds(15));
  lister.cancel();
  EXPECT_TRUE((co_await as_result(lister.join())).was_cancelled());
  EXPECT_EQ((co_await at.list()).size(), 1U);
}

TEST(DirectoryTest, IsListedAnewAfterACancellation) {
  run_with_disk(std::chrono::milliseconds(10), is_cancelled_while_it_lists);
}

}  // namespace
}  // namespace lockstep
