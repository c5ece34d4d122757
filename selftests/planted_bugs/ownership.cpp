// Tasks that nobody awaits, ends or owns.
#include "planted.hpp"

namespace lockstep::planted {
namespace {

using namespace std::chrono_literals;

// -- made and never awaited -------------------------------------------------------------------------------------------

task<int> forty_two() { co_return 42; }

task<void> forgets_to_await() {
  const local mine;
  const task<int> made = forty_two();
  co_await yield();
}

task<void> awaits() {
  const local mine;
  task<int> made = forty_two();
  co_await yield();
  co_await std::move(made);
}

TEST(OwnershipBugs, ATaskThatIsNeverAwaited) {
  EXPECT_TRUE(
      caught({verdict_kind::unawaited_task, "the task of forty_two() was made and never awaited"}, forgets_to_await));
  EXPECT_TRUE(silent(awaits));
}

task<void> overwrites_a_task() {
  task<int> made = forty_two();
  made = forty_two();
  co_await std::move(made);
}

TEST(OwnershipBugs, ATaskThatIsOverwritten) {
  EXPECT_TRUE(caught({verdict_kind::unawaited_task, "forty_two()"}, overwrites_a_task));
}

// Abandoned by an exception, it was not forgotten: the way to its await was cut.
task<void> fails_before_it_awaits() {
  const task<int> made = forty_two();
  co_await yield();
  throw std::runtime_error("disk full");
}

task<void> survives_a_failure_before_an_await() {
  try {
    co_await fails_before_it_awaits();
  } catch (const std::runtime_error&) {
  }
}

// The same for a parameter, which dies only with the frame.
task<void> awaits_later(task<int> work) {
  co_await sleep_for(1s);
  co_await std::move(work);
}

task<void> cancels_before_the_await(duration after) {
  auto worker = spawn(awaits_later(forty_two()), "worker");
  if (after > 0s) co_await sleep_for(after);
  worker.cancel();
  try {
    co_await worker.join();
  } catch (const cancelled&) {
  }
}

task<void> wins_before_the_other_starts() {
  auto first = forty_two();
  auto second = with_timeout(5s, forty_two());
  auto third = awaits_later(forty_two());
  co_await when_any(std::move(first), std::move(second), std::move(third));
}

task<int> forgets_its_parameter(task<int>) { co_return 1; }

task<void> passes_a_task_in_vain() {
  auto worker = spawn(forgets_its_parameter(forty_two()));
  co_await worker.join();
}

TEST(OwnershipBugs, ATaskAbandonedByAnExceptionIsNone) {
  EXPECT_TRUE(silent(survives_a_failure_before_an_await));
  EXPECT_TRUE(silent([] { return cancels_before_the_await(0s); }));
  EXPECT_TRUE(silent([] { return cancels_before_the_await(500ms); }));
  EXPECT_TRUE(silent(wins_before_the_other_starts));
  EXPECT_TRUE(caught({verdict_kind::unawaited_task, "forty_two()"}, passes_a_task_in_vain));
}

// -- handles ----------------------------------------------------------------------------------------------------------

task<void> drops_its_handle() {
  local mine;
  {
    next_line_is_wrong();
    const auto handle = spawn(sleep_beside(mine, 2s), "reader");
    co_await sleep_for(1s);
  }
  co_await sleep_for(2s);
}

task<void> joins_its_handle() {
  local mine;
  auto handle = spawn(sleep_beside(mine, 2s), "reader");
  co_await sleep_for(1s);
  co_await handle.join();
}

task<void> drops_the_handle_of_what_has_finished() {
  local mine;
  const auto handle = spawn(sleep_beside(mine, 1s), "reader");
  co_await sleep_for(2s);
}

TEST(OwnershipBugs, AHandleDroppedWhileItsTaskLives) {
  EXPECT_TRUE(caught({verdict_kind::dropped_handle, "\"reader\" died before the task ended"}, drops_its_handle));
  EXPECT_TRUE(silent(joins_its_handle));
  EXPECT_TRUE(silent(drops_the_handle_of_what_has_finished));
}

task<void> overwrites_its_handle() {
  local mine;
  next_line_is_wrong();
  auto handle = spawn(sleep_beside(mine, 2s), "first");
  co_await sleep_for(1s);
  handle = spawn(sleep_beside(mine, 2s), "second");
  co_await handle.join();
}

TEST(OwnershipBugs, AHandleThatIsOverwritten) {
  EXPECT_TRUE(caught({verdict_kind::dropped_handle, "\"first\""}, overwrites_its_handle));
}

task<void> fails_with_a_live_child() {
  local mine;
  const auto upload = spawn(sleep_beside(mine, 5s), "upload");
  co_await sleep_for(1s);
  throw std::runtime_error("disk full");
}

task<void> hides_the_loss_of_a_child() {
  try {
    co_await fails_with_a_live_child();
  } catch (const std::runtime_error&) {
  }
  co_await sleep_for(1s);
}

task<void> fails_in_a_group() {
  try {
    co_await with_task_group([](task_group& group) -> task<void> {
      static_cast<void>(group.spawn(sleep_long(), "upload"));
      co_await sleep_for(1s);
      throw std::runtime_error("disk full");
    });
  } catch (const exception_group&) {
  }
}

// A verdict of its own only if nothing else tells that the run went wrong.
TEST(OwnershipBugs, AHandleDroppedByAnExceptionThatIsCaughtLater) {
  EXPECT_TRUE(caught({verdict_kind::dropped_handle, "\"upload\""}, hides_the_loss_of_a_child));
  EXPECT_TRUE(silent(fails_in_a_group));
  EXPECT_TRUE(caught({verdict_kind::unhandled_exception, "disk full"}, fails_with_a_live_child));
}

task<void> is_cancelled_with_a_live_child() {
  local mine;
  auto upload = spawn(sleep_beside(mine, 5s), "upload");
  co_await sleep_for(1s);
  co_await upload.join();
}

// Cancellation flows down: the child ends with its parent.
task<void> cancels_a_parent(duration after) {
  auto parent = spawn(is_cancelled_with_a_live_child());
  co_await sleep_for(after);
  parent.cancel();
  try {
    co_await parent.join();
  } catch (const cancelled&) {
  }
}

TEST(OwnershipBugs, AHandleDroppedByCancellationIsNone) {
  EXPECT_TRUE(silent([] { return cancels_a_parent(500ms); }));
  EXPECT_TRUE(silent([] { return cancels_a_parent(2s); }));
}

task<void> spawns_a_child_and_waits(local& parent) {
  local mine(parent);
  auto child = spawn(sleep_beside(mine, 9s), "child");
  const task<int> later = forty_two();
  co_await child.join();
}

task<void> drops_a_family() {
  local mine;
  {
    const auto handle = spawn(spawns_a_child_and_waits(mine), "parent");
    co_await sleep_for(1s);
  }
  co_await sleep_for(1s);
}

TEST(OwnershipBugs, AHandleWhoseTaskOwnsMoreIsOneVerdict) {
  EXPECT_TRUE(caught({verdict_kind::dropped_handle, "\"parent\""}, drops_a_family));
}

task<void> joins_what_is_not_its_own(join_handle<void>& handle) { co_await handle.join(); }

task<void> drops_a_handle_that_another_joins() {
  local mine;
  std::optional<join_handle<void>> shared = spawn(sleep_beside(mine, 9s), "reader");
  auto other = spawn(joins_what_is_not_its_own(*shared), "other");
  co_await sleep_for(1s);
  shared.reset();
  co_await other.join();
}

TEST(OwnershipBugs, AHandleDroppedWhileAnotherTaskJoinsIt) {
  EXPECT_TRUE(caught({verdict_kind::dropped_handle, "\"reader\"", {verdict_kind::deadlock}},
                     drops_a_handle_that_another_joins));
}

// -- first steps that are made within another's -----------------------------------------------------------------------

using slot = std::optional<join_handle<void>>;

task<void> ends_its_spawner(slot& server, bool destroys) {
  const local mine;
  if (destroys) {
    server.reset();
  } else {
    server->cancel();
  }
  co_return;
}

task<void> starts_who_ends_it(slot& server, bool destroys, local& parent) {
  const local mine(parent);
  co_await yield();
  const auto child = spawn_eager(ends_its_spawner(server, destroys), "child");
  co_await sleep_for(1s);
}

task<void> runs_a_server(bool destroys) {
  local mine;
  slot server;
  next_line_is_wrong();
  server.emplace(spawn(starts_who_ends_it(server, destroys, mine), "server"));
  co_await sleep_for(2s);
}

TEST(OwnershipBugs, ATaskThatDestroysTheOneThatIsStartingIt) {
  EXPECT_TRUE(caught(
      {verdict_kind::misuse, "task \"child\" destroys the handle of task \"server\"", {verdict_kind::dropped_handle}},
      [] { return runs_a_server(true); }));
  EXPECT_TRUE(silent([] { return runs_a_server(false); }));
}

}  // namespace
}  // namespace lockstep::planted
