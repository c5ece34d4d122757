// Cancellation that is swallowed, and what happens to those who wait for a task that goes.
#include "planted.hpp"

namespace lockstep::planted {
namespace {

using namespace std::chrono_literals;

task<void> cancelled_after(duration delay, task<void> work) {
  auto handle = spawn(std::move(work), "worker");
  co_await sleep_for(delay);
  handle.cancel();
  try {
    co_await handle.join();
  } catch (const cancelled&) {
  }
}

const bug swallowed{verdict_kind::swallowed_cancellation, "task \"worker\" caught `cancelled` and awaits again"};

task<void> goes_on_with(task<void> next) {
  const local mine;
  try {
    co_await sleep_for(10s);
  } catch (const cancelled&) {
  }
  co_await std::move(next);
}

task<void> sleeps_once() {
  next_line_is_wrong();
  co_await sleep_for(1s);
}

task<void> yields_once() { co_await yield(); }

task<void> locks_what_is_free() {
  mutex m;
  next_line_is_wrong();
  const auto held = co_await m.lock();
}

task<void> awaits_nothing() { co_return; }

task<void> throws_it_on() {
  const local mine;
  try {
    co_await sleep_for(10s);
  } catch (const cancelled&) {
    throw;
  }
}

task<void> takes_it_back() {
  const local mine;
  try {
    co_await sleep_for(10s);
  } catch (const cancelled&) {
    current_task().uncancel();
  }
  co_await sleep_for(1s);
}

TEST(CancellationBugs, CaughtAndAwaitedAgain) {
  EXPECT_TRUE(caught(swallowed, [] { return cancelled_after(1s, goes_on_with(sleeps_once())); }));
  EXPECT_TRUE(caught(swallowed, [] { return cancelled_after(1s, goes_on_with(yields_once())); }));
  EXPECT_TRUE(caught(swallowed, [] { return cancelled_after(1s, goes_on_with(locks_what_is_free())); }));
  EXPECT_TRUE(silent([] { return cancelled_after(1s, goes_on_with(awaits_nothing())); }));
  EXPECT_TRUE(silent([] { return cancelled_after(1s, goes_on_with(shield(sleeps_once()))); }));
  EXPECT_TRUE(silent([] { return cancelled_after(1s, throws_it_on()); }));
  EXPECT_TRUE(silent([] { return cancelled_after(1s, takes_it_back()); }));
}

task<void> retries_for_ever() {
  const local mine;
  for (int attempt = 0; attempt < 3; ++attempt) {
    try {
      co_await sleep_for(10s);
    } catch (...) {  // meant for errors
    }
  }
}

task<void> retries_after_errors() {
  const local mine;
  for (int attempt = 0; attempt < 3; ++attempt) {
    try {
      co_await sleep_for(10s);
    } catch (const std::exception&) {
    }
  }
}

TEST(CancellationBugs, AHandlerOfErrorsThatCatchesIt) {
  EXPECT_TRUE(caught(swallowed, [] { return cancelled_after(1s, retries_for_ever()); }));
  EXPECT_TRUE(silent([] { return cancelled_after(1s, retries_after_errors()); }));
}

task<void> yields_for_a_while() {
  const local mine;
  for (int i = 0; i < 20; ++i) {
    try {
      co_await yield();
    } catch (const cancelled&) {
    }
  }
}

task<void> cancels_at_once(task<void> work) {
  auto handle = spawn(std::move(work), "worker");
  co_await yield();
  co_await yield();
  handle.cancel();
  try {
    co_await handle.join();
  } catch (const cancelled&) {
  }
}

TEST(CancellationBugs, SwallowedAtAYield) {
  // Whether it had begun when it was cancelled depends on the schedule.
  EXPECT_TRUE(
      caught({.kind = verdict_kind::swallowed_cancellation, .message = "\"worker\"", .how = finds::in_some_order},
             [] { return cancels_at_once(yields_for_a_while()); }));
}

task<void> times_out(task<void> work) {
  try {
    co_await with_timeout(1s, std::move(work));
  } catch (const timed_out&) {
  }
  co_await sleep_for(1s);
}

TEST(CancellationBugs, ATimeoutThatIsSwallowed) {
  const bug by_main{verdict_kind::swallowed_cancellation, "task \"main\""};
  EXPECT_TRUE(caught(by_main, [] { return times_out(goes_on_with(sleeps_once())); }));
  EXPECT_TRUE(silent([] { return times_out(goes_on_with(awaits_nothing())); }));
  EXPECT_TRUE(silent([] { return times_out(throws_it_on()); }));
  EXPECT_TRUE(silent([] { return times_out(times_out(sleep_long())); }));
}

// -- those who wait for a task that goes ------------------------------------------------------------------------------

task<void> holds(mutex& m, duration length) {
  const local mine;
  const auto held = co_await m.lock();
  co_await sleep_for(length);
}

task<void> kills_the_holder() {
  mutex m("m");
  std::optional<join_handle<void>> holder = spawn(holds(m, 1h), "holder");
  co_await sleep_for(1s);
  auto waiter = spawn(holds(m, 1s), "waiter");
  co_await sleep_for(1s);
  holder.reset();
  co_await waiter.join();
}

task<void> cancels_the_holder() {
  mutex m("m");
  auto holder = spawn(holds(m, 1h), "holder");
  co_await sleep_for(1s);
  auto waiter = spawn(holds(m, 1s), "waiter");
  co_await sleep_for(1s);
  holder.cancel();
  co_await waiter.join();
}

TEST(CancellationBugs, AKilledHolderHandsItsLockOn) {
  EXPECT_TRUE(caught({verdict_kind::dropped_handle, "\"holder\""}, kills_the_holder));
  EXPECT_TRUE(silent(cancels_the_holder));
}

task<void> waits_for(condition_variable& changed, mutex& m) {
  const local mine;
  const auto held = co_await m.lock();
  co_await changed.wait();
}

// Who waits for a condition does not hold the mutex: nothing is handed on when it dies.
task<void> kills_a_waiter_for_a_condition() {
  mutex m("m");
  condition_variable changed(m, "changed");
  std::optional<join_handle<void>> waiter = spawn(waits_for(changed, m), "waiter");
  co_await sleep_for(1s);
  const auto held = co_await m.lock();
  waiter.reset();
  if (m.try_lock()) throw std::logic_error("the lock was lost");
  co_await yield();
}

TEST(CancellationBugs, AKilledWaiterForAConditionLeavesTheMutexAlone) {
  EXPECT_TRUE(caught({verdict_kind::dropped_handle, "\"waiter\""}, kills_a_waiter_for_a_condition));
}

task<void> joins(join_handle<void>& handle) {
  const local mine;
  co_await handle.join();
}

task<void> cancels_a_joiner() {
  auto reader = spawn(sleep_long(), "reader");
  auto joiner = spawn(joins(reader), "joiner");
  co_await sleep_for(1s);
  joiner.cancel();
  try {
    co_await joiner.join();
  } catch (const cancelled&) {
  }
  if (!reader.was_cancelled()) throw std::logic_error("the request went no further");
}

TEST(CancellationBugs, ACancelledJoinerIsNone) { EXPECT_TRUE(silent(cancels_a_joiner)); }

task<void> holds_in_a_daemon(std::shared_ptr<mutex> m) {
  const local mine;
  const auto held = co_await m->lock();
  co_await sleep_for_ever();
}

task<void> ends_beside_waiting_daemons() {
  const auto m = std::make_shared<mutex>(label("m"));
  spawn_daemon(holds_in_a_daemon(m), "first");
  spawn_daemon(holds_in_a_daemon(m), "second");
  co_await sleep_for(1s);
}

TEST(CancellationBugs, DaemonsThatHoldAndWaitAtTheEndAreNone) { EXPECT_TRUE(silent(ends_beside_waiting_daemons)); }

}  // namespace
}  // namespace lockstep::planted
