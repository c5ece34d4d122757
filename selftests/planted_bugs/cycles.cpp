// Tasks that wait for each other for good while others go on.
#include "planted.hpp"

namespace lockstep::planted {
namespace {

using namespace std::chrono_literals;

// Takes `first`, lets the other take its own first, then wants `second`.
task<void> takes_both(mutex& first, mutex& second) {
  const local mine;
  const auto outer = co_await first.lock();
  co_await sleep_for(1s);
  const auto inner = co_await second.lock();
}

struct pair_of_locks {
  mutex a{"a"};
  mutex b{"b"};
};

task<void> goes_on_beside_a_cycle() {
  pair_of_locks locks;
  auto left = spawn(takes_both(locks.a, locks.b), "left");
  auto right = spawn(takes_both(locks.b, locks.a), "right");
  co_await sleep_for(1h);
}

task<void> waits_for_a_cycle_beside_a_clock(task<void> ticks) {
  pair_of_locks locks;
  spawn_daemon(std::move(ticks), "clock");
  auto left = spawn(takes_both(locks.a, locks.b), "left");
  auto right = spawn(takes_both(locks.b, locks.a), "right");
  co_await left.join();
  co_await right.join();
}

task<void> ticks_for_ever() {
  const local mine;
  for (;;) co_await sleep_for(1s);
}

const std::vector<std::string> both_waits{"left: mutex \"b\" held by right", "right: mutex \"a\" held by left"};

TEST(CycleBugs, TwoTasksStuckWhileOthersGoOn) {
  EXPECT_TRUE(
      caught({verdict_kind::partial_deadlock, "tasks wait for each other", {}, both_waits}, goes_on_beside_a_cycle));
  const std::vector<verdict> found = run_once(goes_on_beside_a_cycle, {schedule::random, 7, ordering::any_order}, {});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].cycle.size(), 2u);
}

TEST(CycleBugs, TheMainTaskStuckWhileADaemonGoesOn) {
  const auto program = [] { return waits_for_a_cycle_beside_a_clock(ticks_for_ever()); };
  EXPECT_TRUE(caught({verdict_kind::partial_deadlock, "", {verdict_kind::step_limit}, both_waits}, program,
                     {.steps_max = 1000}));
  EXPECT_TRUE(caught({verdict_kind::partial_deadlock, "", {verdict_kind::time_limit}, both_waits}, program,
                     {.time_max = 100s}));
}

// -- cycles that something will break ---------------------------------------------------------------------------------

task<void> with_deadline(task<void> work) {
  try {
    co_await with_timeout(5s, std::move(work));
  } catch (const timed_out&) {
  }
}

task<void> has_a_timeout_on_one_side() {
  pair_of_locks locks;
  auto left = spawn(with_deadline(takes_both(locks.a, locks.b)), "left");
  auto right = spawn(takes_both(locks.b, locks.a), "right");
  co_await sleep_for(2s);
  co_await left.join();
  co_await right.join();
}

task<void> waits_for_its_end(join_handle<void>& handle) { co_await handle.join(); }

task<void> has_a_timeout_around_the_join() {
  pair_of_locks locks;
  auto left = spawn(takes_both(locks.a, locks.b), "left");
  auto right = spawn(takes_both(locks.b, locks.a), "right");
  co_await with_deadline(waits_for_its_end(left));
  co_await right.join();
}

task<void> has_a_timeout_around_a_group() {
  pair_of_locks locks;
  const auto body = [&locks](task_group& group) -> task<void> {
    group.spawn(takes_both(locks.a, locks.b), "left");
    group.spawn(takes_both(locks.b, locks.a), "right");
    co_return;
  };
  co_await with_deadline(with_task_group(body));
}

task<void> cancels_a_side() {
  pair_of_locks locks;
  auto left = spawn(takes_both(locks.a, locks.b), "left");
  auto right = spawn(takes_both(locks.b, locks.a), "right");
  co_await sleep_for(1h);
  left.cancel("stuck");
  co_await right.join();
}

task<void> has_a_watchdog_beside_the_join() {
  pair_of_locks locks;
  auto left = spawn(takes_both(locks.a, locks.b), "left");
  auto right = spawn(takes_both(locks.b, locks.a), "right");
  const auto watch = [](join_handle<void>& over) -> task<void> {
    co_await sleep_for(1min);
    over.cancel("stuck");
  };
  auto watchdog = spawn(watch(left), "watchdog");
  co_await right.join();
  co_await watchdog.join();
}

task<void> races_against_the_clock() {
  pair_of_locks locks;
  auto stuck = [](pair_of_locks& both) -> task<void> {
    auto left = takes_both(both.a, both.b);
    auto right = takes_both(both.b, both.a);
    co_await when_all(std::move(left), std::move(right));
  }(locks);
  auto clock = [](duration limit) -> task<void> { co_await sleep_for(limit); }(10s);
  co_await when_any(std::move(stuck), std::move(clock));
}

TEST(CycleBugs, CyclesThatAreBrokenAreNone) {
  EXPECT_TRUE(silent(has_a_timeout_on_one_side));
  EXPECT_TRUE(silent(has_a_timeout_around_the_join));
  EXPECT_TRUE(silent(has_a_timeout_around_a_group));
  EXPECT_TRUE(silent(cancels_a_side));
  EXPECT_TRUE(silent(has_a_watchdog_beside_the_join));
  EXPECT_TRUE(silent(races_against_the_clock));
}

// -- timeouts that are over, and cycles that nobody waits for --

task<void> locks_twice() {
  mutex m("m");
  const auto held = co_await m.lock();
  const auto again = co_await m.lock();
}

task<void> leaves_a_daemon() {
  spawn_daemon(locks_twice(), "daemon");
  co_return;
}

task<void> leaves_a_daemon_within_a_timeout() {
  co_await with_timeout(1s, leaves_a_daemon());
  co_await sleep_for(10s);
}

task<void> leaves_a_daemon_within_a_race() {
  auto sleep = [](duration length) -> task<void> { co_await sleep_for(length); }(1s);
  co_await when_any(leaves_a_daemon(), std::move(sleep));
  co_await sleep_for(10s);
}

TEST(CycleBugs, ATimeoutThatIsOverBreaksNone) {
  const bug wanted{verdict_kind::partial_deadlock, "", {}, {"daemon: mutex \"m\" held by daemon"}};
  EXPECT_TRUE(caught(wanted, leaves_a_daemon_within_a_timeout));
  EXPECT_TRUE(caught(wanted, leaves_a_daemon_within_a_race));
}

task<void> drops_what_a_timeout_would_end() {
  auto timed = spawn(with_deadline(locks_twice()), "timed");
  co_await sleep_for(1s);
}

TEST(CycleBugs, AHandleDroppedBeforeTheTimeout) {
  EXPECT_TRUE(
      caught({verdict_kind::dropped_handle, "\"timed\" died before the task ended"}, drops_what_a_timeout_would_end));
}

// -- cycles of other kinds --------------------------------------------------------------------------------------------

task<void> locks(mutex& m) {
  const local mine;
  const auto held = co_await m.lock();
}

task<void> joins_while_it_holds(mutex& m) {
  const local mine;
  const auto held = co_await m.lock();
  auto child = spawn(locks(m), "child");
  co_await child.join();
}

task<void> joins_after_it_held(mutex& m) {
  const local mine;
  auto held = co_await m.lock();
  auto child = spawn(locks(m), "child");
  held.unlock();
  co_await child.join();
}

task<void> goes_on_beside(task<void> (*work)(mutex&)) {
  mutex m("m");
  auto parent = spawn(work(m), "parent");
  co_await sleep_for(1h);
}

TEST(CycleBugs, AJoinAndALock) {
  EXPECT_TRUE(caught({verdict_kind::partial_deadlock,
                      "",
                      {},
                      {"parent: join(child) held by child", "child: mutex \"m\" held by parent"}},
                     [] { return goes_on_beside(joins_while_it_holds); }));
  EXPECT_TRUE(silent([] { return goes_on_beside(joins_after_it_held); }));
}

task<void> groups_while_it_holds(mutex& m) {
  const local mine;
  const auto held = co_await m.lock();
  task_group group;
  group.spawn(sleep_long(), "busy");
  group.spawn(locks(m), "first");
  group.spawn(locks(m), "second");
  co_await group.join();
}

TEST(CycleBugs, AGroupAndALock) {
  EXPECT_TRUE(caught({verdict_kind::partial_deadlock, "", {}, {"first: mutex \"m\" held by parent"}},
                     [] { return goes_on_beside(groups_while_it_holds); }));
}

task<void> has_daemons_that_lock(duration hold) {
  struct shared {
    pair_of_locks locks;
  };
  const auto both = std::make_shared<shared>();
  const auto take = [](std::shared_ptr<shared> of, bool first, duration holding) -> task<void> {
    const local mine;
    {
      const auto outer = co_await (first ? of->locks.a : of->locks.b).lock();
      co_await sleep_for(holding);
      if (holding > 0s) const auto inner = co_await (first ? of->locks.b : of->locks.a).lock();
    }
    co_await sleep_for_ever();
  };
  spawn_daemon(take(both, true, hold), "left");
  spawn_daemon(take(both, false, hold), "right");
  co_await sleep_for(1h);
}

TEST(CycleBugs, DaemonsStuckWhileTheMainTaskGoesOn) {
  EXPECT_TRUE(caught({verdict_kind::partial_deadlock, "", {}, both_waits}, [] { return has_daemons_that_lock(1s); }));
  EXPECT_TRUE(silent([] { return has_daemons_that_lock(0s); }));
}

task<void> ring_of(std::size_t size, bool closed) {
  std::vector<std::unique_ptr<mutex>> forks;
  for (std::size_t i = 0; i < size; ++i) forks.push_back(std::make_unique<mutex>());
  std::vector<join_handle<void>> handles;
  for (std::size_t i = 0; i < size; ++i) {
    const bool swapped = !closed && i + 1 == size;
    mutex& left = *forks[swapped ? 0 : i];
    mutex& right = *forks[swapped ? i : (i + 1) % size];
    handles.push_back(spawn(takes_both(left, right)));
  }
  co_await sleep_for(1h);
}

TEST(CycleBugs, ARingOfLocks) {
  EXPECT_TRUE(caught({verdict_kind::partial_deadlock, ""}, [] { return ring_of(12, true); }));
  EXPECT_TRUE(silent([] { return ring_of(12, false); }));
}

}  // namespace
}  // namespace lockstep::planted
