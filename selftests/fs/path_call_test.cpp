#include <lockstep/fs/path_call.hpp>

#include "in_each_world.hpp"

#include <cerrno>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

task<void> names_both_paths(std::string folder) {
  EXPECT_EQ(co_await text_of_error(rename_file(folder + "/a", folder + "/b")),
            "rename \"" + folder + "/a\" to \"" + folder + "/b\": No such file or directory");
  directory in = co_await open_directory(folder);
  EXPECT_EQ(co_await text_of_error(in.open("a")), "open \"a\" in \"" + folder + "\": No such file or directory");
  EXPECT_EQ(co_await text_of_error(in.rename_file("a", "b")),
            "rename \"a\" in \"" + folder + "\" to \"b\": No such file or directory");
}

TEST(PathCallTest, NamesThePathsThatFailed) { run_in_each_world(names_both_paths); }

task<void> refuses_zeros(std::string) {
  const std::string zero("a\0b", 3);
  EXPECT_EQ(co_await text_of_error(status(zero)), "status of \"a\\x00b\": Invalid argument");
  EXPECT_EQ(co_await text_of_error(rename_file("a", zero)), "rename \"a\" to \"a\\x00b\": Invalid argument");
  EXPECT_EQ(co_await text_of_error(rename_file(zero, "a")), "rename \"a\\x00b\" to \"a\": Invalid argument");
  EXPECT_EQ(co_await text_of_error(read_symlink(zero)), "target of \"a\\x00b\": Invalid argument");
  EXPECT_EQ(co_await text_of_error(create_directory(zero)), "create directory \"a\\x00b\": Invalid argument");
}

TEST(PathCallTest, RefusesPathsWithZeros) { run_in_each_world(refuses_zeros); }

// The descriptor that the disk has opened is closed.
task<void> is_cancelled_while_it_opens(std::string folder) {
  const auto open_it = [](std::string path) -> task<void> {
    const file it = co_await open(std::move(path), {.write = true, .create = true});
  };
  auto opener = spawn(open_it(folder + "/a"), "opener");
  co_await sleep_for(5ms);
  EXPECT_EQ(opener.get().parked_at()->describe(), "open \"" + folder + "/a\"");
  opener.cancel();
  EXPECT_TRUE((co_await as_result(opener.join())).was_cancelled());
  EXPECT_EQ(files_here().open_files, 0);
  EXPECT_TRUE(co_await exists(folder + "/a"));
  event there;
  there.set();
  const auto first = co_await select(open(folder + "/a"), there.wait());
  EXPECT_EQ(first.index, 1U);
}

TEST(PathCallTest, ClosesWhatWasOpenedForACancelledTask) { run_with_disk(10ms, is_cancelled_while_it_opens); }

// It is opened while its task is about to be destroyed.
task<void> is_killed_while_it_opens(std::string folder) {
  const auto open_it = [](std::string path) -> task<void> {
    const file it = co_await open(std::move(path), {.write = true, .create = true});
  };
  spawn_daemon(open_it(folder + "/a"));
  co_await sleep_for(5ms);
}

TEST(PathCallTest, ClosesWhatWasOpenedForATaskThatIsDestroyed) {
  run_with_disk(10ms, is_killed_while_it_opens);
  run_on_machine_files(is_killed_while_it_opens, std::make_shared<machine_files>(true), "with workers");
}

TEST(ErrorNumberTest, IsThatOfTheSystem) {
  EXPECT_EQ(detail::error_number(nullptr), 0);
  EXPECT_EQ(detail::error_number(std::make_exception_ptr(std::system_error(ENOENT, std::system_category()))), ENOENT);
  EXPECT_EQ(detail::error_number(std::make_exception_ptr(std::system_error(ENOENT, std::generic_category()))), 0);
  EXPECT_EQ(detail::error_number(std::make_exception_ptr(std::runtime_error("x"))), 0);
}

}  // namespace
}  // namespace lockstep
