// Races that show only in some orders. Which schedules must find them is measured, not wished for: FIFO hides all.
#include "planted.hpp"

namespace lockstep::planted {
namespace {

using namespace std::chrono_literals;

// -- a counter read, awaited and written back -------------------------------------------------------------------------

task<void> count(int& counter, mutex& log, bool at_once) {
  const local mine;
  for (int i = 0; i < 2; ++i) {
    const int seen = counter;
    if (at_once) counter = seen + 1;
    { const auto held = co_await log.lock(); }
    if (!at_once) counter = seen + 1;
  }
}

task<void> counts(bool at_once) {
  int counter = 0;
  mutex log;
  auto first = count(counter, log, at_once);
  auto second = count(counter, log, at_once);
  co_await both(std::move(first), std::move(second));
  require(counter == 4, "lost an update");
}

TEST(RaceBugs, ACounterWrittenBackAfterAnAwait) {
  EXPECT_TRUE(caught(race("lost an update", finds::round_robin_and_random), [] { return counts(false); }));
  EXPECT_TRUE(silent([] { return counts(true); }));
}

// -- two values that belong together, set one after the other ---------------------------------------------------------

struct two_stages {
  mutex first{"first"};
  mutex second{"second"};
  int one = 0;
  int two = 0;
};

task<void> set_both(two_stages& of, bool together) {
  const local mine;
  auto held = co_await of.first.lock();
  of.one = 1;
  if (!together) held.unlock();
  const auto held_too = co_await of.second.lock();
  of.two = of.one + 1;
}

task<void> read_both(two_stages& of, bool together) {
  const local mine;
  auto held = co_await of.first.lock();
  if (of.one == 0) co_return;
  const int one = of.one;
  if (!together) held.unlock();
  const auto held_too = co_await of.second.lock();
  require(of.two == one + 1, "stage one without stage two");
}

task<void> sets_and_reads(bool together) {
  two_stages stages;
  auto writer = set_both(stages, together);
  auto reader = read_both(stages, together);
  co_await both(std::move(writer), std::move(reader));
}

TEST(RaceBugs, AReaderBetweenTwoStages) {
  EXPECT_TRUE(caught(race("stage one without stage two", finds::random), [] { return sets_and_reads(false); }));
  EXPECT_TRUE(silent([] { return sets_and_reads(true); }));
}

// -- locks in a circle ------------------------------------------------------------------------------------------------

task<void> eats_with(mutex& first, mutex& second) {
  const local mine;
  const auto outer = co_await first.lock();
  const auto inner = co_await second.lock();
}

task<void> locks_two(bool crossed) {
  mutex a("a");
  mutex b("b");
  auto first = eats_with(a, b);
  auto second = crossed ? eats_with(b, a) : eats_with(a, b);
  co_await both(std::move(first), std::move(second));
}

task<void> dines(bool left_handed_last) {
  mutex forks[3];
  std::vector<task<void>> philosophers;
  philosophers.push_back(eats_with(forks[0], forks[1]));
  philosophers.push_back(eats_with(forks[1], forks[2]));
  philosophers.push_back(left_handed_last ? eats_with(forks[0], forks[2]) : eats_with(forks[2], forks[0]));
  co_await when_all(std::move(philosophers));
}

TEST(RaceBugs, LocksTakenInACircle) {
  const bug stuck = race("every task waits", finds::round_robin_and_random, verdict_kind::deadlock);
  EXPECT_TRUE(caught(stuck, [] { return locks_two(true); }));
  EXPECT_TRUE(silent([] { return locks_two(false); }));
  EXPECT_TRUE(caught(stuck, [] { return dines(false); }));
  EXPECT_TRUE(silent([] { return dines(true); }));
}

// -- a wake-up between the look and the wait --------------------------------------------------------------------------

struct mailbox {
  mutex guard;
  condition_variable changed{guard, "changed"};
  bool full = false;
};

task<void> receive(mailbox& of, bool at_once) {
  const local mine;
  auto held = co_await of.guard.lock();
  if (at_once) {
    co_await of.changed.wait([&of] { return of.full; });
    co_return;
  }
  const bool seen = of.full;
  held.unlock();
  if (seen) co_return;
  auto again = co_await of.guard.lock();
  co_await of.changed.wait();
}

task<void> send(mailbox& to) {
  const local mine;
  const auto held = co_await to.guard.lock();
  to.full = true;
  to.changed.notify_all();
}

task<void> sends_and_receives(bool at_once) {
  mailbox box;
  auto receiver = receive(box, at_once);
  auto sender = send(box);
  co_await both(std::move(receiver), std::move(sender));
}

TEST(RaceBugs, AWakeUpBetweenTheLookAndTheWait) {
  EXPECT_TRUE(caught(race("every task waits", finds::round_robin_and_random, verdict_kind::deadlock),
                     [] { return sends_and_receives(false); }));
  EXPECT_TRUE(silent([] { return sends_and_receives(true); }));
}

}  // namespace
}  // namespace lockstep::planted
