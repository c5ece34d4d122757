// Mistakes in the use of the library, and orders of points that cannot happen.
#include "planted.hpp"

namespace lockstep::planted {
namespace {

using namespace std::chrono_literals;

task<int> answer() {
  const local mine;
  co_await yield();
  co_return 42;
}

// -- tasks ------------------------------------------------------------------------------------------------------------

task<void> awaits_twice() {
  task<int> made = answer();
  co_await std::move(made);
  next_line_is_wrong();
  co_await std::move(made);
}

task<void> awaits_what_moved() {
  task<int> made = answer();
  task<int> taken = std::move(made);
  co_await std::move(taken);
  next_line_is_wrong();
  co_await std::move(made);
}

task<void> awaits_where_it_moved() {
  task<int> made = answer();
  task<int> taken = std::move(made);
  co_await std::move(taken);
}

task<void> spawns_twice() {
  task<int> made = answer();
  auto first = spawn(std::move(made));
  co_await first.join();
  next_line_is_wrong();
  auto second = spawn(std::move(made));
}

task<void> groups_what_was_awaited() {
  task<int> made = answer();
  co_await std::move(made);
  task_group group;
  next_line_is_wrong();
  group.spawn(std::move(made));
}

task<void> asks_a_moved_handle() {
  auto handle = spawn(answer());
  auto taken = std::move(handle);
  co_await taken.join();
  next_line_is_wrong();
  co_await handle.join();
}

task<void> asks_an_empty_handle() {
  const join_handle<int> handle;
  next_line_is_wrong();
  static_cast<void>(handle.done());
  co_return;
}

TEST(MisuseBugs, ATaskAwaitedTwiceOrMovedFrom) {
  const bug once{verdict_kind::misuse, "this task was awaited, spawned or moved from before; a task runs once"};
  EXPECT_TRUE(caught(once, awaits_twice));
  EXPECT_TRUE(caught(once, awaits_what_moved));
  EXPECT_TRUE(caught(once, spawns_twice));
  EXPECT_TRUE(caught(once, groups_what_was_awaited));
  EXPECT_TRUE(silent(awaits_where_it_moved));
  EXPECT_TRUE(caught({verdict_kind::misuse, "this handle owns no task: it was moved from, or never given one"},
                     asks_a_moved_handle));
  EXPECT_TRUE(caught({verdict_kind::misuse, "this handle owns no task: it was moved from, or never given one"},
                     asks_an_empty_handle));
}

task<void> reads_too_early() {
  local mine;
  auto handle = spawn(sleep_beside(mine, 1s), "reader");
  next_line_is_wrong();
  handle.result();
  co_return;
}

task<void> reads_in_time() {
  local mine;
  auto handle = spawn(sleep_beside(mine, 1s), "reader");
  co_await sleep_for(2s);
  handle.result();
  co_return;
}

task<void> takes_back_what_was_not_asked() {
  next_line_is_wrong();
  current_task().uncancel();
  co_return;
}

TEST(MisuseBugs, AnAnswerBeforeTheQuestion) {
  EXPECT_TRUE(caught({verdict_kind::misuse, "result() of task \"reader\", which has not finished"}, reads_too_early));
  EXPECT_TRUE(silent(reads_in_time));
  EXPECT_TRUE(caught({verdict_kind::misuse, "uncancel() of task \"main\", which has no request"},
                     takes_back_what_was_not_asked));
}

task<void> spawns_into_a_joined_group() {
  task_group group;
  group.spawn(answer());
  co_await group.join();
  next_line_is_wrong();
  group.spawn(answer());
}

task<void> races_nobody() { co_await when_any(std::vector<task<int>>()); }

task<void> draws_from_nothing() {
  next_line_is_wrong();
  static_cast<void>(random_int("dice", 6, 1));
  co_return;
}

TEST(MisuseBugs, CallsWithoutAMeaning) {
  EXPECT_TRUE(caught({verdict_kind::misuse, "spawn() into a task_group that has been joined"},
                     [] { return spawns_into_a_joined_group(); }));
  EXPECT_TRUE(caught({verdict_kind::misuse, "when_any() of no tasks would wait for ever"}, races_nobody));
  EXPECT_TRUE(caught({verdict_kind::misuse, "the range of \"dice\" is empty"}, draws_from_nothing));
}

// -- primitives -------------------------------------------------------------------------------------------------------

task<void> unlocks_what_is_free() {
  mutex m("m");
  next_line_is_wrong();
  m.unlock();
  co_return;
}

task<void> holds(mutex& m) {
  const local mine;
  const auto held = co_await m.lock();
  co_await sleep_for(2s);
}

task<void> unlocks_what_another_holds() {
  mutex m("m");
  auto owner = spawn(holds(m), "owner");
  co_await sleep_for(1s);
  try {
    m.unlock();
  } catch (const misuse&) {
  }
  co_await owner.join();
}

task<void> unlocks_by_hand() {
  mutex m("m");
  auto held = co_await m.lock();
  held.keep_locked();
  co_await yield();
  m.unlock();
  if (m.try_lock()) m.unlock();
}

task<void> leaves_it_locked() {
  {
    mutex m("m");
    auto held = co_await m.lock();
    held.keep_locked();
  }
  co_await yield();
}

TEST(MisuseBugs, AMutexThatOneDoesNotHold) {
  EXPECT_TRUE(caught({verdict_kind::misuse, "unlock() of mutex \"m\" by task \"main\"; it is held by nobody"},
                     unlocks_what_is_free));
  EXPECT_TRUE(caught({verdict_kind::misuse, "unlock() of mutex \"m\" by task \"main\"; it is held by task \"owner\""},
                     unlocks_what_another_holds));
  EXPECT_TRUE(silent(unlocks_by_hand));
  EXPECT_TRUE(
      caught({verdict_kind::misuse, "the mutex \"m\" died while it is held by task \"main\""}, leaves_it_locked));
}

task<void> releases(int times) {
  bounded_semaphore slots(1, "slots");
  co_await slots.acquire();
  next_line_is_wrong();
  for (int i = 0; i < times; ++i) slots.release();
}

task<void> ticks_off(int times) {
  queue<int> jobs(queue<int>::unbounded, "jobs");
  co_await jobs.put(1);
  co_await jobs.get();
  next_line_is_wrong();
  for (int i = 0; i < times; ++i) jobs.task_done();
}

TEST(MisuseBugs, MoreGivenBackThanWasTaken) {
  EXPECT_TRUE(
      caught({verdict_kind::misuse, "release() of bounded_semaphore \"slots\", all of whose 1 permits are free"},
             [] { return releases(2); }));
  EXPECT_TRUE(silent([] { return releases(1); }));
  EXPECT_TRUE(caught({verdict_kind::misuse, "task_done() of queue \"jobs\""}, [] { return ticks_off(2); }));
  EXPECT_TRUE(silent([] { return ticks_off(1); }));
}

task<void> notifies(bool locked) {
  mutex m("m");
  condition_variable changed(m, "changed");
  std::optional<mutex_guard> held;
  if (locked) held.emplace(co_await m.lock());
  next_line_is_wrong();
  changed.notify_all();
  co_await yield();
}

task<void> waits_for_a_condition(bool locked) {
  mutex m("m");
  condition_variable changed(m, "changed");
  std::optional<mutex_guard> held;
  if (locked) held.emplace(co_await m.lock());
  co_await changed.wait([] { return true; });
  const auto forever = [&]() -> task<void> { co_await changed.wait(); };
  if (!locked) co_await forever();
}

TEST(MisuseBugs, AConditionWithoutItsMutex) {
  EXPECT_TRUE(
      caught({verdict_kind::misuse, "notify() of condition_variable \"changed\" without holding its mutex \"m\""},
             [] { return notifies(false); }));
  EXPECT_TRUE(silent([] { return notifies(true); }));
  EXPECT_TRUE(caught({verdict_kind::misuse, "wait() of condition_variable \"changed\" without holding its mutex \"m\""},
                     [] { return waits_for_a_condition(false); }));
  EXPECT_TRUE(silent([] { return waits_for_a_condition(true); }));
}

task<void> needs_nobody() {
  next_line_is_wrong();
  const barrier start(0, "start");
  co_return;
}

TEST(MisuseBugs, ABarrierForNobody) {
  EXPECT_TRUE(caught({verdict_kind::misuse, "a barrier needs at least 1 party, not 0"}, needs_nobody));
}

}  // namespace
}  // namespace lockstep::planted
