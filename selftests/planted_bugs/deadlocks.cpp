// Runs in which nothing can go on: who waits for what, held by whom.
#include "planted.hpp"

namespace lockstep::planted {
namespace {

using namespace std::chrono_literals;

task<void> waits_for_what_nobody_sets() {
  event go("go");
  next_line_is_wrong();
  co_await go.wait();
}

task<void> sets_after(event& go, duration delay) {
  co_await sleep_for(delay);
  go.set();
}

task<void> waits_for_what_is_set() {
  event go("go");
  auto setter = spawn(sets_after(go, 1s));
  co_await go.wait();
  co_await setter.join();
}

TEST(DeadlockBugs, AnEventThatNobodySets) {
  EXPECT_TRUE(
      caught({verdict_kind::deadlock, "every task waits", {}, {"main: event \"go\""}}, waits_for_what_nobody_sets));
  EXPECT_TRUE(silent(waits_for_what_is_set));
}

// -- two locks --------------------------------------------------------------------------------------------------------

// Takes `first`, lets the other take its own first, then wants `second`.
task<void> takes_one_and_the_other(mutex& first, mutex& second) {
  const local mine;
  const auto outer = co_await first.lock();
  co_await sleep_for(1s);
  const auto inner = co_await second.lock();
}

task<void> locks_in_opposite_orders() {
  mutex a("a");
  mutex b("b");
  auto left = spawn(takes_one_and_the_other(a, b), "left");
  auto right = spawn(takes_one_and_the_other(b, a), "right");
  co_await left.join();
  co_await right.join();
}

task<void> locks_in_one_order() {
  mutex a("a");
  mutex b("b");
  auto left = spawn(takes_one_and_the_other(a, b), "left");
  auto right = spawn(takes_one_and_the_other(a, b), "right");
  co_await left.join();
  co_await right.join();
}

TEST(DeadlockBugs, TwoLocksTakenInOppositeOrders) {
  EXPECT_TRUE(
      caught({verdict_kind::deadlock,
              "every task waits",
              {},
              {"main: join(left) held by left", "left: mutex \"b\" held by right", "right: mutex \"a\" held by left"}},
             locks_in_opposite_orders));
  EXPECT_TRUE(silent(locks_in_one_order));
}

TEST(DeadlockBugs, ItsCycleIsNamed) {
  const std::vector<verdict> found = run_once(locks_in_opposite_orders, {schedule::plain, 0, ordering::any_order}, {});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].cycle, (std::vector<std::string>{"left", "right"}));
}

task<void> takes_its_own_again() {
  mutex m("m");
  const auto outer = co_await m.lock();
  next_line_is_wrong();
  const auto inner = co_await m.lock();
}

task<void> locks_one_after_another() {
  mutex m("m");
  { const auto held = co_await m.lock(); }
  const auto again = co_await m.lock();
}

TEST(DeadlockBugs, ALockTakenAgainByItsHolder) {
  EXPECT_TRUE(caught({verdict_kind::deadlock, "", {}, {"main: mutex \"m\" held by main"}}, takes_its_own_again));
  EXPECT_TRUE(silent(locks_one_after_another));
}

// -- parents and children ---------------------------------------------------------------------------------------------

task<void> takes(mutex& m) {
  const local mine;
  const auto held = co_await m.lock();
}

task<void> joins_beneath_its_lock() {
  mutex m("m");
  const auto held = co_await m.lock();
  auto child = spawn(takes(m), "child");
  co_await child.join();
}

task<void> lets_go_before_it_joins() {
  mutex m("m");
  auto held = co_await m.lock();
  auto child = spawn(takes(m), "child");
  held.unlock();
  co_await child.join();
}

task<void> groups_beneath_its_lock() {
  mutex m("m");
  const auto held = co_await m.lock();
  task_group group;
  group.spawn(takes(m), "first");
  group.spawn(takes(m), "second");
  co_await group.join();
}

task<void> awaits_all_beneath_its_lock() {
  mutex m("m");
  const auto held = co_await m.lock();
  auto first = takes(m);
  auto second = takes(m);
  co_await when_all(std::move(first), std::move(second));
}

TEST(DeadlockBugs, AJoinOfWhoeverWantsTheLockThatOneHolds) {
  EXPECT_TRUE(
      caught({verdict_kind::deadlock, "", {}, {"main: join(child) held by child", "child: mutex \"m\" held by main"}},
             joins_beneath_its_lock));
  EXPECT_TRUE(silent(lets_go_before_it_joins));
  EXPECT_TRUE(caught({verdict_kind::deadlock, "", {}, {"first: mutex \"m\" held by main"}}, groups_beneath_its_lock));
  EXPECT_TRUE(caught({verdict_kind::deadlock, ""}, awaits_all_beneath_its_lock));
  for (const auto& program : {joins_beneath_its_lock, groups_beneath_its_lock, awaits_all_beneath_its_lock}) {
    const std::vector<verdict> found = run_once(program, {schedule::random, 1, ordering::any_order}, {});
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].cycle.size(), 2u);
  }
}

task<void> ends_with_the_lock(mutex& m) {
  auto held = co_await m.lock();
  held.keep_locked();
}

task<void> wants_what_was_left_locked() {
  mutex m("m");
  auto first = spawn(ends_with_the_lock(m), "first");
  co_await first.join();
  first = spawn(takes(m), "second");  // its block of memory may be that of the first
  co_await first.join();
}

TEST(DeadlockBugs, ALockThatATaskTookToItsGrave) {
  EXPECT_TRUE(caught({verdict_kind::deadlock, "", {}, {"second: mutex \"m\", held by a task that has ended"}},
                     wants_what_was_left_locked));
}

}  // namespace
}  // namespace lockstep::planted
