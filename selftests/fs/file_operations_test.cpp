#include <lockstep/fs/file_operations.hpp>

#include "in_each_world.hpp"

#include <lockstep/system/read_errors.hpp>

#include <cerrno>
#include <span>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

struct opened_for_calls {
  std::shared_ptr<system_calls> calls = current_system().shared_from_this();
  detail::held_file held;

  explicit opened_for_calls(const std::string& path) : held("file", path, calls) {
    const int fd = calls->openat(AT_FDCWD, path.c_str(), O_RDWR | O_CREAT, 0600);
    EXPECT_GE(fd, 0);
    held.hold(fd, source::current());
  }
};

std::span<const std::byte> as_bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// The system gives less than it was asked for.
task<void> goes_on_after_short_calls(std::string folder) {
  opened_for_calls it(folder + "/a");
  files_here().pieces_of = 2;
  co_await detail::writing_file(it.held, as_bytes_of("abcdefg"));
  co_await detail::writing_file(it.held, as_bytes_of("XYZ"), 1);
  co_await detail::appending_to_file(it.held, as_bytes_of("hij"));
  EXPECT_EQ(co_await detail::writing_some_of_file(it.held, as_bytes_of("ABC")), 2U);
  char all[10];
  const std::span<std::byte> into = std::as_writable_bytes(std::span(all));
  EXPECT_EQ(co_await detail::reading_file(it.held, into, 0), 2U);
  co_await detail::reading_all_of_file(it.held, into, 0);
  EXPECT_EQ(std::string_view(all, 10), "aXYZefgABj");
}

TEST(FileOperationsTest, GoOnAfterCallsThatComeToLess) { run_with_disk(0ms, goes_on_after_short_calls); }

// What has come is in the buffer, and the error comes at the next call.
task<void> keeps_what_came_before_an_error(std::string folder) {
  opened_for_calls it(folder + "/a");
  co_await detail::writing_file(it.held, as_bytes_of("abcd"));
  char all[8] = {};
  const std::span<std::byte> into = std::as_writable_bytes(std::span(all));
  try {
    co_await detail::reading_all_of_file(it.held, into, 1);
    ADD_FAILURE();
  } catch (const incomplete_read& ended) {
    EXPECT_EQ(ended.bytes_read(), 3U);
  }
  EXPECT_EQ(std::string_view(all), "bcd");
  files_here().fail_with = EIO;
  EXPECT_NE(co_await text_of_error(detail::reading_all_of_file(it.held, into, 1)), "");
}

TEST(FileOperationsTest, KeepWhatCameBeforeTheEnd) { run_with_disk(0ms, keeps_what_came_before_an_error); }

// A signal for each call: it is an error in the end, and no endless loop.
class interrupted_files final : public scripted_calls {
 public:
  int asked = 0;
  int written = 0;
  std::int64_t write(int, const void*, std::size_t) override {
    ++asked;
    if (written != 0) return -EINTR;
    return written = 1;
  }
  std::int64_t read(int, void*, std::size_t) override {
    ++asked;
    return -EINTR;
  }
};

task<void> gives_up_when_interrupted() {
  auto calls = std::make_shared<interrupted_files>();
  detail::held_file held("file", "x", calls);
  held.hold(3, source::current());
  char bytes[2];
  EXPECT_EQ(co_await text_of_error(detail::reading_file(held, std::as_writable_bytes(std::span(bytes)))),
            "read \"x\": Interrupted system call");
  EXPECT_EQ(calls->asked, 64);
  EXPECT_EQ(co_await text_of_error(detail::writing_file(held, as_bytes_of("ab"))), "write \"x\": Input/output error");
  EXPECT_EQ(calls->written, 1);
}

TEST(FileOperationsTest, GiveUpWhenTheyAreInterruptedForEver) {
  sim::world world;
  world.run(gives_up_when_interrupted());
  judge(world, "with signals");
}

task<void> stays_open_when_close_is_cancelled(std::string folder) {
  opened_for_calls it(folder + "/a");
  char bytes[2];
  const auto read = [](detail::held_file& from, std::span<std::byte> into) -> task<void> {
    co_await detail::reading_file(from, into, 0);
  };
  const auto close = [](detail::held_file& of) -> task<void> { co_await detail::closing_file(of); };
  auto reader = spawn(read(it.held, std::as_writable_bytes(std::span(bytes))), "reader");
  auto closer = spawn(close(it.held), "closer");
  co_await yield();
  EXPECT_EQ(it.held.fd(), -1);
  closer.cancel();
  EXPECT_TRUE((co_await as_result(closer.join())).was_cancelled());
  EXPECT_GE(it.held.fd(), 0);
  co_await reader.join();
  co_await detail::closing_file(it.held);
}

TEST(ClosingFileTest, LeavesItOpenWhenItIsCancelledBefore) {
  run_on_machine_files(stays_open_when_close_is_cancelled, std::make_shared<machine_files>(true), "with workers");
}

task<void> dies_while_it_closes(std::string folder) {
  auto it = std::make_unique<opened_for_calls>(folder + "/a");
  static char bytes[2];
  const auto read = [](detail::held_file& from) -> task<void> {
    co_await detail::reading_file(from, std::as_writable_bytes(std::span(bytes)), 0);
  };
  const auto close = [](detail::held_file& of) -> task<void> { co_await detail::closing_file(of); };
  spawn_daemon(read(it->held));
  spawn_daemon(close(it->held));
  co_await yield();
  it.reset();
}

TEST(ClosingFileTest, LeaksNothingWhenTheFileDiesMeanwhile) {
  const folder_on_machine folder;
  const auto files = std::make_shared<machine_files>(true);
  sim::world world;
  world.run(on_system(files, dies_while_it_closes(folder.path())));
  EXPECT_FALSE(world.verdicts().empty());
  EXPECT_EQ(files->open_files, 0);
}

}  // namespace
}  // namespace lockstep
