#include "judged_run.hpp"

#include <lockstep/testing/testing.hpp>

#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

CO_TEST(SleepTest, ADayTakesNoRealTime) {
  co_await sleep_for(24h);
  EXPECT_EQ(now(), time_point{24h});
}

CO_TEST(SleepTest, SleepersWakeInTheOrderOfTheirDeadlinesThenOfArming) {
  std::string order;
  const auto sleeper = [&](duration length, std::string name) -> task<void> {
    co_await sleep_for(length);
    order += name;
  };
  co_await when_all(sleeper(3s, "d"), sleeper(1s, "a"), sleeper(2s, "b"), sleeper(2s, "c"));
  EXPECT_EQ(order, "abcd");
}

CO_TEST(SleepTest, ZeroOrLessYieldsOnce) {
  std::string order;
  const auto other = [&]() -> task<void> {
    order += "other ";
    co_return;
  };
  auto handle = spawn(other());
  co_await sleep_for(0s);
  order += "zero ";
  co_await sleep_for(-5s);
  co_await sleep_until(time_point{-1s});
  EXPECT_EQ(order, "other zero ");
  EXPECT_EQ(now(), time_point{});
  co_await handle.join();
}

CO_TEST(SleepTest, YieldGoesToTheEndOfTheQueueOnce) {
  std::string order;
  const auto work = [&](char name) -> task<void> {
    for (int i = 0; i < 3; ++i) {
      order += name;
      co_await yield();
    }
  };
  co_await when_all(work('a'), work('b'), work('c'));
  EXPECT_EQ(order, "abcabcabc");
}

CO_TEST(SleepTest, ForEverIsForEver) {
  auto handle = spawn([]() -> task<void> { co_await sleep_for(duration::max()); }());
  co_await sleep_for(24h * 300);
  EXPECT_FALSE(handle.done());
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
}

CO_TEST(SleepTest, LongerThanTheNanosecondsIsForEver) {
  const auto age = []() -> task<void> { co_await sleep_for(std::chrono::years(400)); };
  const auto all_hours = []() -> task<void> { co_await sleep_for(std::chrono::hours::max()); };
  auto ages = spawn(age());
  auto hours = spawn(all_hours());
  co_await sleep_for(24h * 300);
  EXPECT_FALSE(ages.done());
  EXPECT_FALSE(hours.done());
  ages.cancel();
  hours.cancel();
  EXPECT_THROW(co_await ages.join(), cancelled);
  EXPECT_THROW(co_await hours.join(), cancelled);
}

CO_TEST(SleepTest, ANumberOfHoursBelowAllNanosecondsYields) {
  co_await sleep_for(std::chrono::hours::min());
  co_await advance(std::chrono::hours::min());
  EXPECT_EQ(now(), time_point{});
}

CO_TEST(SleepTest, CancellationEndsItAtOnce) {
  auto handle = spawn([]() -> task<void> { co_await sleep_for(1h); }());
  co_await sleep_for(1s);
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_EQ(now(), time_point{1s});
  co_await sleep_for(2h);  // the timer is gone
}

CO_TEST(SleepTest, SettleRunsUntilAllIsBlockedAndMovesNoTime) {
  int done = 0;
  event wanted;
  const auto busy = [&](int yields) -> task<void> {
    for (int i = 0; i < yields; ++i) co_await yield();
    ++done;
    co_await sleep_for(1s);
    ++done;
  };
  auto a = spawn(busy(3));
  auto b = spawn(busy(50));
  co_await settle();
  EXPECT_EQ(done, 2);
  EXPECT_EQ(now(), time_point{});
  co_await a.join();
  co_await b.join();
}

CO_TEST(SleepTest, SettlersWakeOneAfterAnotherEachWhenAllIsQuiet) {
  std::string order;
  const auto settler = [&](std::string name) -> task<void> {
    co_await settle();
    order += name;
    for (int i = 0; i < 5; ++i) co_await yield();
    order += name;
  };
  co_await when_all(settler("a"), settler("b"));
  EXPECT_EQ(order, "aabb");
  EXPECT_EQ(now(), time_point{});
}

CO_TEST(SleepTest, ACancelledSettlerLeaves) {
  auto handle = spawn([]() -> task<void> { co_await settle(); }());
  co_await yield();
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
  co_await settle();
}

CO_TEST(SleepTest, AdvanceFiresEveryTimerOnTheWayAndSettles) {
  std::vector<duration> woken;
  const auto ticker = [&]() -> task<void> {
    for (;;) {
      co_await sleep_for(1s);
      for (int i = 0; i < 3; ++i) co_await yield();
      woken.push_back(now().time_since_epoch());
    }
  };
  auto handle = spawn(ticker());
  co_await advance(3s);
  EXPECT_EQ(now(), time_point{3s});
  EXPECT_THAT(woken, ElementsAre(1s, 2s, 3s));
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
}

TEST(SleepTest, APausedClockStandsStillAgainAfterAnAdvance) {
  const auto main = []() -> task<void> {
    pause_clock();
    co_await advance(1s);
    co_await sleep_for(1s);
  };
  const judged_run run = judge(main);
  EXPECT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_EQ(run.summary.virtual_time, 1s);
}

CO_TEST(SleepTest, APausedClockMovesOnlyForAdvance, .clock = clock_mode::paused) {
  bool woken = false;
  const auto sleeper = [&]() -> task<void> {
    co_await sleep_for(10s);
    woken = true;
  };
  auto handle = spawn(sleeper());
  co_await settle();
  EXPECT_EQ(now(), time_point{});
  co_await advance(9'999ms);
  EXPECT_FALSE(woken);
  EXPECT_EQ(now(), time_point{9'999ms});
  co_await advance(1ms);
  EXPECT_TRUE(woken);
  co_await advance(0s);
  EXPECT_EQ(now(), time_point{10s});
  co_await handle.join();
}

CO_TEST(SleepTest, TheClockIsPausedAndResumedWithinATest) {
  pause_clock();
  auto handle = spawn([]() -> task<void> { co_await sleep_for(1s); }());
  co_await settle();
  EXPECT_EQ(now(), time_point{});
  resume_clock();
  co_await handle.join();
  EXPECT_EQ(now(), time_point{1s});
}

TEST(SleepTest, WaitingForAPausedClockIsADeadlockThatSaysSo) {
  const auto main = []() -> task<void> { co_await sleep_for(1s); };
  const judged_run run = judge(main, {.paused_clock = true});
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_THAT(run.verdicts[0].message, HasSubstr("the clock is paused"));
  ASSERT_EQ(run.verdicts[0].tasks.size(), 1u);
  EXPECT_EQ(run.verdicts[0].tasks[0].waits_for, "sleep until 1 s");
}

CO_TEST(SleepTest, ACancelledAdvanceLeavesAPausedClockPaused, .clock = clock_mode::paused) {
  auto mover = spawn([]() -> task<void> { co_await advance(1h); }());
  co_await yield();
  mover.cancel();
  EXPECT_THROW(co_await mover.join(), cancelled);
  auto sleeper = spawn([]() -> task<void> { co_await sleep_for(2h); }());
  co_await settle();
  EXPECT_EQ(now(), time_point{});
  sleeper.cancel();
  EXPECT_THROW(co_await sleeper.join(), cancelled);
}

CO_TEST(SleepTest, TheWallClockShiftsAndNoTimerNotices) {
  EXPECT_EQ(wall_now(), wall_clock_start);
  auto handle = spawn([]() -> task<void> { co_await sleep_for(10s); }());
  co_await sleep_for(1s);
  shift_wall_clock(1h);
  EXPECT_EQ(wall_now(), wall_clock_start + 1h + 1s);
  shift_wall_clock(-2h);
  EXPECT_EQ(wall_now(), wall_clock_start - 1h + 1s);
  EXPECT_EQ(now(), time_point{1s});
  co_await handle.join();
  EXPECT_EQ(now(), time_point{10s});
}

CO_TEST(SleepTest, TheWallClockStopsAtItsEnds) {
  co_await sleep_for(1s);
  for (int i = 0; i < 2; ++i) {
    shift_wall_clock(duration::max());
    EXPECT_EQ(wall_now(), wall_clock::time_point::max());
  }
  for (int i = 0; i < 3; ++i) shift_wall_clock(duration::min());
  EXPECT_EQ(wall_now(), wall_clock_start + duration::min() + 1s);
  for (int i = 0; i < 2; ++i) shift_wall_clock(std::chrono::hours::max());
  EXPECT_EQ(wall_now(), wall_clock::time_point::max());
}

TEST(SleepTest, AStepThatIsSlowIsReportedWhereItBeganAlsoIfItDrewAValue) {
  unsigned slept_at = 0;
  const auto main = [&]() -> task<void> {
    slept_at = source::current().line() + 1;
    co_await sleep_for(1s);
    random_int("draw", 0, 9);
    current_loop()->request(loop::attention_slow);  // as a watcher would
    co_await sleep_for(1s);
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), testing::ElementsAre(verdict_kind::slow_step));
  EXPECT_EQ(run.verdicts[0].where.line(), slept_at);
}

TEST(SleepTest, NeedsALoop) {
  EXPECT_THROW(now(), misuse);
  EXPECT_THROW(wall_now(), misuse);
  EXPECT_THROW(static_cast<void>(sleep_for(1s)), misuse);
}

}  // namespace
}  // namespace lockstep
