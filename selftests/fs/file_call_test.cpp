// Calls on files: when they are made, who waits for whom, and what a cancellation undoes.
#include <lockstep/fs/file_call.hpp>

#include "in_each_world.hpp"

#include <lockstep/sim/host.hpp>
#include <lockstep/sim/plain_files.hpp>

#include <array>
#include <cerrno>
#include <memory>
#include <span>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr open_options to_read_and_write{.read = true, .write = true, .create = true};

task<file> file_with(std::string path, std::string text) {
  co_await write_file(path, std::move(text));
  co_return co_await open(std::move(path), to_read_and_write);
}

task<std::string> read_piece(file& from, std::size_t size) {
  std::string text(size, '?');
  text.resize(co_await from.read_some(text));
  co_return text;
}

// -- the disk's time --------------------------------------------------------------------------------------------------

task<void> waits_as_long_as_the_disk_takes(std::string folder) {
  file it = co_await open(folder + "/a", to_read_and_write);
  const time_point before = now();
  co_await it.write("abc");
  EXPECT_EQ(now() - before, 10ms);
  co_await it.sync();
  EXPECT_EQ(now() - before, 20ms);
}

TEST(FileCallTest, WaitsAsLongAsTheDiskTakes) { run_with_disk(10ms, waits_as_long_as_the_disk_takes); }

task<void> takes_no_time(std::string folder) {
  const time_point before = now();
  file it = co_await open(folder + "/a", to_read_and_write);
  co_await it.write("abc");
  EXPECT_EQ(now(), before);
}

TEST(FileCallTest, TakesNoTimeWhereTheDiskTakesNone) { run_with_disk(0ms, takes_no_time); }

task<void> counts_steps(std::string folder) {
  file it = co_await open(folder + "/a", to_read_and_write);
  const std::uint64_t before = current_loop()->steps();
  co_await it.write("abc");
  co_await it.size();
  EXPECT_EQ(current_loop()->steps() - before, 2U);
}

TEST(FileCallTest, CountsAsAStep) { run_with_disk(0ms, counts_steps); }

task<void> names_where_it_waits(std::string folder) {
  file it = co_await open(folder + "/a", to_read_and_write);
  auto writer = spawn([](file& to) -> task<void> { co_await to.write("abc"); }(it), "writer");
  co_await yield();
  const operation* const at = writer.get().parked_at();
  EXPECT_EQ(at->describe(), "write \"" + folder + "/a\"");
  EXPECT_EQ(at->what()->described(), "file \"" + folder + "/a\"");
  EXPECT_EQ(at->kind(), operation_kind::write_file);
  co_await writer.join();
}

TEST(FileCallTest, NamesTheFileAtWhichItWaits) { run_with_disk(10ms, names_where_it_waits); }

task<void> waits_for_the_simulated_disk(std::string folder) {
  file it = co_await open(folder + "/a", to_read_and_write);
  sim::plain_files(dynamic_cast<sim::host&>(current_system()), source::current()).pace({.write = 3ms, .sync = 20ms});
  const time_point before = now();
  co_await it.write("abc");
  EXPECT_EQ(now() - before, 3ms);
  co_await it.sync();
  EXPECT_EQ(now() - before, 23ms);
  const auto cut_off = co_await as_result(with_timeout(5ms, it.sync()));
  EXPECT_FALSE(cut_off.has_value());
  EXPECT_EQ(now() - before, 28ms);
}

TEST(FileCallTest, WaitsAsLongAsTheSimulatedDiskTakes) { run_in_simulation(waits_for_the_simulated_disk); }

task<void> is_durable_when_a_sync_returns(std::string) {
  sim::plain_files disk(dynamic_cast<sim::host&>(current_system()), source::current());
  const std::string path = "/durable";
  disk.write_file(path, "old");
  file it = co_await open(path, to_read_and_write);
  disk.pace({.sync = 10s});
  const auto durable = [&] { return disk.durable_image().text_of(path); };
  co_await it.write_at("new", 0);
  auto syncing = spawn(co_invoke([&]() -> task<void> { co_await it.sync(); }));
  co_await sleep_for(9s);
  EXPECT_EQ(durable(), "old");
  co_await it.write_at("newer", 0);
  co_await syncing.join();
  EXPECT_EQ(durable(), "newer") << "what was written meanwhile may be, too";
  co_await it.write_at("newest", 0);
  EXPECT_FALSE((co_await as_result(with_timeout(5s, it.sync()))).has_value());
  co_await sleep_for(1min);
  EXPECT_EQ(durable(), "newer") << "a sync that was cancelled has not happened";
  auto last = spawn(co_invoke([&]() -> task<void> { co_await it.sync(); }));
  co_await yield();
  const time_point before = now();
  co_await it.close();
  EXPECT_EQ(now() - before, 10s) << "the descriptor is in use";
  EXPECT_EQ(durable(), "newest");
  co_await last.join();
}

TEST(FileCallTest, IsDurableWhenASyncReturnsAndNotBefore) { run_in_simulation(is_durable_when_a_sync_returns); }

// A plain call blocks the thread, and so the loop, as on a machine; the time of one task is nobody else's.
task<void> holds_up_all_by_a_plain_call(std::string folder) {
  sim::plain_files disk(dynamic_cast<sim::host&>(current_system()), source::current());
  file it = co_await file_with(folder + "/a", "old");
  disk.pace({.sync = 10s});
  auto other = spawn(co_invoke([]() -> task<time_point> {
    co_await sleep_for(1s);
    co_return now();
  }));
  co_await yield();
  const time_point before = now();
  system_calls& system = current_system();
  const int fd = system.openat(AT_FDCWD, (folder + "/a").c_str(), O_RDWR, 0);
  EXPECT_EQ(system.fsync(fd), 0);
  system.close(fd);
  EXPECT_EQ(now() - before, 10s);
  co_await it.read_at(std::span<std::byte>(), 0);
  EXPECT_EQ(now() - before, 10s) << "that was paid";
  EXPECT_EQ(co_await other.join() - before, 10s);
}

TEST(FileCallTest, HoldsUpAllByAPlainCallThatTakesTime) { run_in_simulation(holds_up_all_by_a_plain_call); }

// -- turns ------------------------------------------------------------------------------------------------------------

task<void> reads_into(file& from, std::vector<std::string>& all) {
  for (int i = 0; i < 4; ++i) all.push_back(co_await read_piece(from, 2));
}

task<void> takes_turns(std::string folder) {
  file it = co_await file_with(folder + "/a", "0011223344556677");
  std::vector<std::string> one;
  std::vector<std::string> other;
  co_await when_all(reads_into(it, one), reads_into(it, other));
  std::vector<std::string> all = one;
  all.insert(all.end(), other.begin(), other.end());
  EXPECT_THAT(all, testing::UnorderedElementsAre("00", "11", "22", "33", "44", "55", "66", "77"));
  EXPECT_TRUE(std::is_sorted(one.begin(), one.end()));
}

TEST(FileCallTest, OfTwoTasksEachHasItsPiece) { run_in_each_world(takes_turns); }

task<void> writes_in_pieces(std::string folder) {
  file it = co_await open(folder + "/a", to_read_and_write);
  files_here().pieces_of = 3;
  const auto write = [](file& to, std::string text) -> task<void> { co_await to.write(text); };
  co_await when_all(write(it, "aaaaaaaaaa"), write(it, "bbbbbbbbbb"));
  files_here().pieces_of = 0;
  EXPECT_EQ(co_await read_file(folder + "/a"), "aaaaaaaaaabbbbbbbbbb");
}

TEST(FileCallTest, WritesInOnePieceWhatTheSystemTakesInMany) { run_with_disk(1ms, writes_in_pieces); }

// -- cancellation -----------------------------------------------------------------------------------------------------

task<void> gives_back_what_was_read(std::string folder) {
  file it = co_await file_with(folder + "/a", "abcdef");
  {
    auto reader = spawn(read_piece(it, 4), "reader");
    co_await sleep_for(5ms);
    reader.cancel();
    EXPECT_TRUE((co_await as_result(reader.join())).was_cancelled());
  }
  const std::uint64_t position = co_await it.tell();
  EXPECT_EQ(position, 0U);
  EXPECT_EQ(co_await read_piece(it, 4), "abcd");
}

TEST(FileCallTest, GivesBackWhatACancelledTaskHasRead) { run_with_disk(10ms, gives_back_what_was_read); }

task<void> gives_back_at_a_timeout(std::string folder) {
  file it = co_await file_with(folder + "/a", "abcdef");
  char bytes[4];
  const auto got = co_await as_result(with_timeout(5ms, it.read_some(bytes)));
  EXPECT_FALSE(got.has_value());
  EXPECT_EQ(co_await read_piece(it, 3), "abc");
  // The select takes another arm, and the call has been made.
  event there;
  there.set();
  for (int i = 0; i < 2; ++i) {
    const auto first = co_await select(it.read_some(bytes), there.wait());
    EXPECT_EQ(first.index, 1U);
  }
  EXPECT_EQ(co_await read_piece(it, 3), "def");
}

TEST(FileCallTest, GivesBackWhatATimeoutHasCutOff) { run_with_disk(10ms, gives_back_at_a_timeout); }

// It was an arm that the select did not take, and is awaited afterwards.
task<void> is_awaited_after_a_select(std::string folder) {
  file it = co_await file_with(folder + "/a", "abcdef");
  event there;
  there.set();
  char bytes[3];
  auto reading = it.read_some(bytes);
  const auto first = co_await select(there.wait(), reading);
  EXPECT_EQ(first.index, 0U);
  EXPECT_EQ(co_await reading, 3U);
  EXPECT_EQ(std::string_view(bytes, 3), "abc");
  // The other way round the call has been made where it need not wait, and the result is in the arm that was taken.
  auto again = it.read_some(bytes);
  const auto taken = co_await select(again, there.wait());
  std::size_t count = 3;
  if (taken.index == 1) count = co_await again;
  EXPECT_EQ(count, 3U);
  EXPECT_EQ(std::string_view(bytes, 3), "def");
}

TEST(FileCallTest, IsAwaitedAfterASelectThatTookAnother) { run_in_each_world(is_awaited_after_a_select); }

// One waits for the turn of another who is cancelled.
task<void> passes_the_turn_on(std::string folder) {
  file it = co_await file_with(folder + "/a", "abcdef");
  auto first = spawn(read_piece(it, 2), "first");
  auto second = spawn(read_piece(it, 2), "second");
  auto third = spawn(read_piece(it, 2), "third");
  co_await sleep_for(5ms);
  second.cancel();
  co_await yield();
  first.cancel();
  EXPECT_TRUE((co_await as_result(second.join())).was_cancelled());
  EXPECT_TRUE((co_await as_result(first.join())).was_cancelled());
  EXPECT_EQ(co_await third.join(), "ab");
}

TEST(FileCallTest, PassesTheTurnOnWhenItIsCancelled) { run_with_disk(10ms, passes_the_turn_on); }

task<void> has_written_what_was_cancelled(std::string folder) {
  file it = co_await open(folder + "/a", to_read_and_write);
  auto writer = spawn([](file& to) -> task<void> { co_await to.write("abc"); }(it), "writer");
  co_await sleep_for(5ms);
  writer.cancel();
  const time_point before = now();
  EXPECT_TRUE((co_await as_result(writer.join())).was_cancelled());
  EXPECT_EQ(now(), before);
  EXPECT_EQ(co_await it.size(), 3U);
}

TEST(FileCallTest, HasWrittenWhatIsCancelledAfterwards) { run_with_disk(10ms, has_written_what_was_cancelled); }

task<void> is_not_made_when_cancelled(std::string folder) {
  file it = co_await open(folder + "/a", to_read_and_write);
  current_task().cancel();
  bool was_cancelled = false;
  try {
    co_await it.write("abc");
  } catch (const cancelled&) {
    was_cancelled = true;
  }
  current_task().uncancel();
  EXPECT_TRUE(was_cancelled);
  EXPECT_EQ(co_await it.size(), 0U);
}

TEST(FileCallTest, IsNotMadeByATaskThatIsCancelledBefore) { run_in_each_world(is_not_made_when_cancelled); }

// The call may have been made or not; nothing is left open, which each world looks after.
task<void> leaks_no_descriptor(std::string folder) {
  const auto open_one = [](std::string path) -> task<void> {
    file it = co_await open(std::move(path), to_read_and_write);
    co_await sleep_for(1h);
  };
  for (int steps = 0; steps < 4; ++steps) {
    auto opener = spawn(open_one(folder + "/a"), "opener");
    for (int i = 0; i < steps; ++i) co_await yield();
    opener.cancel();
    EXPECT_TRUE((co_await as_result(opener.join())).was_cancelled());
  }
}

TEST(FileCallTest, LeaksNoDescriptorWhenItsTaskIsCancelled) { run_in_each_world(leaks_no_descriptor); }

task<void> is_destroyed(std::string folder) {
  co_await write_file(folder + "/a", "abc");
  const auto reads_on = [](file from) -> task<void> {
    for (;;) {
      static_cast<void>(co_await read_piece(from, 1));
      co_await from.seek(0);
      co_await yield();
    }
  };
  spawn_daemon(reads_on(co_await open(folder + "/a")));
  for (int i = 0; i < 3; ++i) co_await yield();
  const auto opener = [](std::string path) -> task<void> {
    file opened = co_await open(std::move(path));
    co_await opened.size();
  };
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(opener(folder + "/a"));
    co_await yield();
    group.cancel();
  };
  co_await with_task_group(body);
}

TEST(FileCallTest, LeaksNothingAtTheEndOfARun) { run_in_each_world(is_destroyed); }

// -- mistakes ---------------------------------------------------------------------------------------------------------

task<void> dies_while_one_waits(std::string folder) {
  auto it = std::make_unique<file>(co_await file_with(folder + "/a", "abc"));
  spawn_daemon([](file& from) -> task<void> { static_cast<void>(co_await read_piece(from, 1)); }(*it), "reader");
  co_await yield();
  it.reset();
}

std::vector<std::string> messages_of_death(const std::shared_ptr<machine_files>& files) {
  const folder_on_machine folder;
  sim::world world;
  world.run(on_system(files, dies_while_one_waits(folder.path())));
  EXPECT_EQ(files->open_files, 0);
  std::vector<std::string> messages;
  for (const verdict& each : world.verdicts()) messages.push_back(each.message);
  return messages;
}

TEST(FileCallTest, TellsOfAFileThatDiesWhileATaskWaitsForIt) {
  EXPECT_THAT(messages_of_death(std::make_shared<machine_files>(false, 1ms)),
              testing::Contains(HasSubstr("died while task \"reader\" waits for it")));
  EXPECT_THAT(messages_of_death(std::make_shared<machine_files>(true)),
              testing::Contains(HasSubstr("died while task \"reader\" waits for it")));
}

// The call is interrupted before it has done anything.
task<void> tries_again(std::string folder) {
  file it = co_await file_with(folder + "/a", "abc");
  files_here().fail_with = EINTR;
  EXPECT_EQ(co_await read_piece(it, 3), "abc");
  files_here().fail_with = EIO;
  EXPECT_EQ(co_await text_of_error(it.sync()), "sync \"" + folder + "/a\": Input/output error");
}

TEST(FileCallTest, TriesAgainWhenASignalComesFirst) { run_with_disk(0ms, tries_again); }

// A pool that takes no more jobs.
task<void> fails_without_executor(std::string folder) {
  thread_pool pool(1, "own");
  set_default_executor(pool);
  file it = co_await file_with(folder + "/a", "abc");
  co_await pool.shut_down();
  const auto got = co_await as_result(it.size());
  EXPECT_FALSE(got.has_value());
  EXPECT_THROW(static_cast<void>(got.value()), misuse);
}

TEST(FileCallTest, IsMisuseOfAnExecutorThatWasShutDown) {
  const folder_on_machine folder;
  const auto files = std::make_shared<machine_files>(true);
  sim::world world;
  world.run(on_system(files, fails_without_executor(folder.path())));
  ASSERT_EQ(world.verdicts().size(), 1U);
  EXPECT_EQ(world.verdicts()[0].kind, verdict_kind::misuse);
  EXPECT_THAT(world.verdicts()[0].message, HasSubstr("was shut down"));
}

}  // namespace
}  // namespace lockstep
