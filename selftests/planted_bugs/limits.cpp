// Runs that never end, in steps or in time.
#include "planted.hpp"

namespace lockstep::planted {
namespace {

using namespace std::chrono_literals;

const sim::world_options few_steps{.steps_max = 500};
const bug livelock{verdict_kind::step_limit, "more than 500 steps were made (steps_max) and the test has not ended"};

task<void> yields(int times) {
  const local mine;
  for (int i = 0; i != times; ++i) co_await yield();
}

task<void> waits_for_what_is_set(int times) {
  const local mine;
  event go;
  go.set();
  for (int i = 0; i != times; ++i) co_await go.wait();
}

task<void> locks_what_is_free(int times) {
  const local mine;
  mutex m;
  for (int i = 0; i != times; ++i) const auto held = co_await m.lock();
}

task<void> puts_and_gets(int times) {
  const local mine;
  queue<int> jobs(1);
  for (int i = 0; i != times; ++i) {
    co_await jobs.put(i);
    co_await jobs.get();
  }
}

task<void> sleeps_for_no_time(int times) {
  const local mine;
  for (int i = 0; i != times; ++i) co_await sleep_for(0s);
}

task<void> passes_a_point(int times) {
  const local mine;
  for (int i = 0; i != times; ++i) co_await point("here");
}

task<void> joins_what_has_ended(int times) {
  const local mine;
  auto child = spawn(yields(1));
  for (int i = 0; i != times; ++i) co_await child.join();
}

task<void> spawns(int times) {
  const local mine;
  for (int i = 0; i != times; ++i) {
    auto child = spawn(yields(1));
    co_await child.join();
  }
}

task<void> beside_another(task<void> (*program)(int), int times) {
  const local mine;
  auto other = spawn(sleep_long());
  co_await program(times);
  co_await other.join();
}

TEST(LimitBugs, LoopsThatNeverEnd) {
  for (const auto program : {yields, waits_for_what_is_set, locks_what_is_free, puts_and_gets, sleeps_for_no_time,
                             passes_a_point, joins_what_has_ended, spawns}) {
    EXPECT_TRUE(caught(
        livelock, [program] { return program(-1); }, few_steps));
    EXPECT_TRUE(silent([program] { return program(50); }, few_steps));
    EXPECT_TRUE(caught(
        livelock, [program] { return beside_another(program, -1); }, few_steps));
    EXPECT_TRUE(silent([program] { return beside_another(program, 50); }, few_steps));
  }
}

task<void> spins_until(const bool& flag) {
  const local mine;
  while (!flag) co_await yield();
}

task<void> sets_late(bool& flag, duration late) {
  co_await sleep_for(late);
  flag = true;
}

// While one yields, no time passes.
task<void> polls_for_a_timer(duration late) {
  bool flag = false;
  auto setter = spawn(sets_late(flag, late));
  next_line_is_wrong();
  co_await spins_until(flag);
  co_await setter.join();
}

TEST(LimitBugs, AYieldingWaitForATimer) {
  EXPECT_TRUE(caught(
      livelock, [] { return polls_for_a_timer(1s); }, few_steps));
  EXPECT_TRUE(silent([] { return polls_for_a_timer(0s); }, {.steps_max = 5'000}));
}

task<void> answers(queue<int>& from, queue<int>& to) {
  const local mine;
  for (;;) co_await to.put(co_await from.get());
}

task<void> plays_ping_pong() {
  queue<int> ping;
  queue<int> pong;
  auto other = spawn(answers(ping, pong), "other");
  co_await ping.put(1);
  co_await answers(pong, ping);
}

TEST(LimitBugs, TwoTasksThatKeepEachOtherBusy) { EXPECT_TRUE(caught(livelock, plays_ping_pong, few_steps)); }

task<void> retries_whatever_happens() {
  const local mine;
  event go;
  go.set();
  for (;;) {
    try {
      co_await go.wait();
      throw std::runtime_error("no");
    } catch (...) {
    }
  }
}

TEST(LimitBugs, ALoopThatCatchesEverything) { EXPECT_TRUE(caught(livelock, retries_whatever_happens, few_steps)); }

// -- virtual time -----------------------------------------------------------------------------------------------------

task<void> waits_for_hours(int hours) {
  const local mine;
  next_line_is_wrong();
  for (int i = 0; i != hours; ++i) co_await sleep_for(1h);
}

TEST(LimitBugs, MoreVirtualTimeThanThereIs) {
  const sim::world_options one_day{.time_max = 24h};
  EXPECT_TRUE(caught(
      {verdict_kind::time_limit, "virtual time passed 24 h (time_max)"}, [] { return waits_for_hours(25); }, one_day));
  EXPECT_TRUE(silent([] { return waits_for_hours(24); }, one_day));
}

task<void> ticks() {
  const local mine;
  for (;;) co_await sleep_for(1min);
}

// The clock goes on, so this is no deadlock; the report shows who waits all the same.
task<void> waits_beside_a_clock() {
  event go("go");
  spawn_daemon(ticks(), "clock");
  next_line_is_wrong();
  co_await go.wait();
}

TEST(LimitBugs, AWaitThatNothingEndsBesideAClock) {
  EXPECT_TRUE(
      caught({verdict_kind::time_limit, "", {}, {"main: event \"go\""}}, waits_beside_a_clock, {.time_max = 1h}));
  EXPECT_TRUE(caught({verdict_kind::step_limit, "", {}, {"main: event \"go\""}}, waits_beside_a_clock, few_steps));
}

task<void> resists_its_timeout() {
  const local mine;
  co_await shield(sleep_for_ever());
}

task<void> shields_what_never_ends() {
  const auto work = [] { return with_timeout(1s, resists_its_timeout()); };
  co_await work();
}

// What the watcher does when a step has taken long in real time.
task<void> blocks_the_thread(bool too_long) {
  const local mine;
  auto other = spawn(sleep_long());
  next_line_is_wrong();
  co_await sleep_for(1s);
  if (too_long) current_loop()->request(loop::attention_slow);
  co_await sleep_for(1s);
  co_await other.join();
}

TEST(LimitBugs, AStepThatBlocksTheThread) {
  EXPECT_TRUE(caught({verdict_kind::slow_step, "the step of task \"main\", from limits.cpp:"},
                     [] { return blocks_the_thread(true); }));
  EXPECT_TRUE(silent([] { return blocks_the_thread(false); }));
}

TEST(LimitBugs, ATimeoutThatAShieldOutlasts) {
  EXPECT_TRUE(caught({verdict_kind::deadlock, "", {}, {"main: sleep for ever"}}, shields_what_never_ends));
}

}  // namespace
}  // namespace lockstep::planted
