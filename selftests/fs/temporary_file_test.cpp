#include <lockstep/fs/temporary_file.hpp>

#include "in_each_world.hpp"

#include <set>

namespace lockstep {
namespace {

task<void> has_a_name_of_its_own(std::string folder) {
  temporary_file one = co_await create_temporary_file(folder);
  temporary_file other = co_await create_temporary_file(folder, "x-");
  temporary_file third = co_await create_temporary_file(folder, "x-");
  EXPECT_EQ(std::set({one.path, other.path, third.path}).size(), 3U);
  EXPECT_TRUE(other.path.starts_with(folder + "/x-"));
  EXPECT_EQ(other.path.size(), folder.size() + 3 + 6);
  co_await one.opened.write("abc");
  EXPECT_EQ(co_await read_file(one.path), "abc");
  EXPECT_EQ((co_await one.opened.status()).permissions, 0600U);
}

TEST(TemporaryFileTest, HasANameOfItsOwn) { run_in_each_world(has_a_name_of_its_own); }

task<void> has_no_name(std::string folder) {
  const result<file> made = co_await as_result(open_unnamed_file(folder));
  if (!made) {
    EXPECT_EQ(detail::error_number(made.error()), EOPNOTSUPP);  // as some file systems do
    co_return;
  }
  file it = co_await open_unnamed_file(folder);
  co_await it.write("abc");
  EXPECT_EQ(co_await it.size(), 3U);
  EXPECT_EQ((co_await list_directory(folder)).size(), 0U);
}

TEST(TemporaryFileTest, MayHaveNoName) { run_in_each_world(has_no_name); }

task<void> makes_directories_of_their_own(std::string folder) {
  const std::string one = co_await create_temporary_directory(folder, "d-");
  const std::string other = co_await create_temporary_directory(folder, "d-");
  EXPECT_NE(one, other);
  EXPECT_EQ((co_await status(one)).permissions, 0700U);
  EXPECT_TRUE(co_await remove_all(one) == 1 && co_await remove_all(other) == 1);
}

TEST(TemporaryDirectoryTest, HasANameOfItsOwn) { run_in_each_world(makes_directories_of_their_own); }

task<void> gives_up_in_the_end(std::string folder) {
  for (unsigned i = 0; i < detail::temporary_names_max; ++i) {
    co_await write_file(folder + "/" + detail::temporary_name("t-", 0, i), "");
  }
  EXPECT_THAT(co_await text_of_error(create_temporary_file(folder, "t-")), testing::HasSubstr("File exists"));
  EXPECT_THAT(co_await text_of_error(create_temporary_directory(folder, "t-")), testing::HasSubstr("File exists"));
  EXPECT_THAT(co_await text_of_error(create_temporary_file(folder + "/none")), testing::HasSubstr("No such file"));
}

TEST(TemporaryFileTest, GivesUpWhenEachNameIsTaken) {
  sim::world world;  // where the plain run draws 0
  world.run(in_simulated_folder(gives_up_in_the_end));
  judge(world, "on the simulated kernel");
}

// It is there, or it is not: a task that is cancelled knows its name, or has made nothing.
task<void> is_cancelled_meanwhile(std::string folder) {
  for (int steps = 0; steps < 3; ++steps) {
    const auto make = [](std::string in) -> task<void> {
      const temporary_file made = co_await create_temporary_file(std::move(in));
      static_cast<void>(co_await shield(as_result(remove_file(made.path))));
    };
    auto maker = spawn(make(folder), "maker");
    for (int i = 0; i < steps; ++i) co_await yield();
    maker.cancel();
    static_cast<void>(co_await as_result(maker.join()));
    EXPECT_EQ((co_await list_directory(folder)).size(), 0U);
  }
}

TEST(TemporaryFileTest, IsNotLeftBehindByACancellation) { run_in_each_world(is_cancelled_meanwhile); }

TEST(TemporaryNameTest, CountsOn) {
  EXPECT_EQ(detail::temporary_name("a-", 0, 0), "a-000000");
  EXPECT_EQ(detail::temporary_name("a-", 35, 1), "a-000010");
  EXPECT_EQ(detail::temporary_name("", 36u * 36 * 36 * 36 * 36 * 36 - 1, 0), "zzzzzz");
  EXPECT_EQ(detail::temporary_name("", 36u * 36 * 36 * 36 * 36 * 36 - 1, 1), "000000");
}

}  // namespace
}  // namespace lockstep
