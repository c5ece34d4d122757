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
task<void> takes_both(mutex& first, mutex& second) {
  const local mine;
  const auto outer = co_await first.lock();
  co_await sleep_for(1s);
  const auto inner = co_await second.lock();
}

task<void> locks_in_opposite_orders() {
  mutex a("a");
  mutex b("b");
  auto left = spawn(takes_both(a, b), "left");
  auto right = spawn(takes_both(b, a), "right");
  co_await left.join();
  co_await right.join();
}

task<void> locks_in_one_order() {
  mutex a("a");
  mutex b("b");
  auto left = spawn(takes_both(a, b), "left");
  auto right = spawn(takes_both(a, b), "right");
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

task<void> locks_twice() {
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
  EXPECT_TRUE(caught({verdict_kind::deadlock, "", {}, {"main: mutex \"m\" held by main"}}, locks_twice));
  EXPECT_TRUE(silent(locks_one_after_another));
}

// -- parents and children ---------------------------------------------------------------------------------------------

task<void> locks(mutex& m) {
  const local mine;
  const auto held = co_await m.lock();
}

task<void> joins_while_it_holds() {
  mutex m("m");
  const auto held = co_await m.lock();
  auto child = spawn(locks(m), "child");
  co_await child.join();
}

task<void> lets_go_before_it_joins() {
  mutex m("m");
  auto held = co_await m.lock();
  auto child = spawn(locks(m), "child");
  held.unlock();
  co_await child.join();
}

task<void> groups_while_it_holds() {
  mutex m("m");
  const auto held = co_await m.lock();
  task_group group;
  group.spawn(locks(m), "first");
  group.spawn(locks(m), "second");
  co_await group.join();
}

task<void> awaits_all_while_it_holds() {
  mutex m("m");
  const auto held = co_await m.lock();
  auto first = locks(m);
  auto second = locks(m);
  co_await when_all(std::move(first), std::move(second));
}

TEST(DeadlockBugs, AJoinOfWhoeverWantsTheLockThatOneHolds) {
  EXPECT_TRUE(
      caught({verdict_kind::deadlock, "", {}, {"main: join(child) held by child", "child: mutex \"m\" held by main"}},
             joins_while_it_holds));
  EXPECT_TRUE(silent(lets_go_before_it_joins));
  EXPECT_TRUE(caught({verdict_kind::deadlock, "", {}, {"first: mutex \"m\" held by main"}}, groups_while_it_holds));
  EXPECT_TRUE(caught({verdict_kind::deadlock, ""}, awaits_all_while_it_holds));
  for (const auto& program : {joins_while_it_holds, groups_while_it_holds, awaits_all_while_it_holds}) {
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
  first = spawn(locks(m), "second");  // its block of memory may be that of the first
  co_await first.join();
}

TEST(DeadlockBugs, ALockThatATaskTookToItsGrave) {
  EXPECT_TRUE(caught({verdict_kind::deadlock, "", {}, {"second: mutex \"m\", held by a task that has ended"}},
                     wants_what_was_left_locked));
}

}  // namespace
}  // namespace lockstep::planted
