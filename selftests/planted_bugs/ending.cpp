// Groups and runs that end before their tasks.
#include "planted.hpp"

namespace lockstep::planted {
namespace {

using namespace std::chrono_literals;

// -- groups -----------------------------------------------------------------------------------------------------------

task<void> drops_a_group() {
  local mine;
  {
    task_group group;
    next_line_is_wrong();
    group.spawn(sleep_beside(mine, 2s), "reader");
    group.spawn(sleep_beside(mine, 3s), "writer");
    co_await sleep_for(1s);
  }
  co_await sleep_for(5s);
}

task<void> joins_a_group() {
  local mine;
  task_group group;
  group.spawn(sleep_beside(mine, 2s), "reader");
  co_await group.join();
}

TEST(EndingBugs, AGroupDroppedWhileItsTasksLive) {
  EXPECT_TRUE(caught({verdict_kind::dropped_handle, "a task_group died before 2 of its tasks ended"}, drops_a_group));
  EXPECT_TRUE(silent(joins_a_group));
}

// -- the end of the run -----------------------------------------------------------------------------------------------

// A parameter of the main task lives until its frame is gone, after the end.
task<void> leaves_a_task_running(std::optional<join_handle<void>> kept, std::shared_ptr<local>) {
  next_line_is_wrong();
  kept.emplace(spawn(sleep_long(), "reader"));
  co_await sleep_for(1s);
}

task<void> leaves_a_daemon_running() {
  spawn_daemon(sleep_long(), "clock");
  co_await sleep_for(1s);
}

TEST(EndingBugs, ATaskStillRunningAtTheEnd) {
  EXPECT_TRUE(caught({verdict_kind::leaked_task, "task \"reader\" was still running at the end"},
                     [] { return leaves_a_task_running({}, std::make_shared<local>()); }));
  EXPECT_TRUE(silent(leaves_a_daemon_running));
}

task<void> ends_while_a_task_makes_its_last_step(std::optional<join_handle<void>> kept) {
  kept.emplace(spawn(sleep_long(), "reader"));
  co_await sleep_for(1s);
  kept->cancel();
}

TEST(EndingBugs, ATaskThatWasToldToEndAndNotAwaited) {
  EXPECT_TRUE(
      caught({verdict_kind::leaked_task, "\"reader\""}, [] { return ends_while_a_task_makes_its_last_step({}); }));
}

task<void> does_not_end() {
  const local mine;
  try {
    co_await sleep_for(1h);
  } catch (const cancelled&) {
  }
  co_await shield(sleep_for_ever());
}

task<void> starts(task<void> daemon) {
  spawn_daemon(std::move(daemon), "server");
  co_await sleep_for(1s);
}

task<void> cleans_up_slowly() {
  const local mine;
  try {
    co_await sleep_for(1h);
  } catch (const cancelled&) {
  }
  co_await shield(sleep_long());
}

TEST(EndingBugs, ADaemonThatDoesNotEnd) {
  EXPECT_TRUE(caught({verdict_kind::leaked_task, "daemon \"server\" did not end when it was cancelled"},
                     [] { return starts(does_not_end()); }));
  EXPECT_TRUE(silent([] { return starts(cleans_up_slowly()); }));
}

}  // namespace
}  // namespace lockstep::planted
