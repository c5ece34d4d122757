// asyncio's loop: its time, its timers and its iterations, on the operating system and in a simulation.
#include <lockstep/real/world.hpp>
#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

void let_pass(duration length) {
  real::os_clock machine;
  while (machine.read() < time_point{length}) {
  }
}

// -- run_until_complete -----------------------------------------------------------------------------------------------

TEST(AsyncioLoopTest, RunsUntilTheMainTaskIsCompleteAndNoLonger) {
  real::world world;
  int ticks = 0;
  const auto tick = [&]() -> task<void> {
    for (;; ++ticks) co_await sleep_for(1h);
  };
  const auto main = [&]() -> task<int> {
    spawn_daemon(tick());
    co_await yield();
    co_return 7;
  };
  EXPECT_EQ(world.run(main()), 7);
  EXPECT_EQ(ticks, 0);
}

// loop.stop() lets the iteration end. Here the end of the main task stops the loop, and that at once: who is ready is
// cancelled, and sees that.
TEST(AsyncioLoopTest, StopsAtTheEndOfTheMainTaskAndNotAtThatOfTheIteration) {
  real::world world;
  std::vector<std::string> seen;
  const auto serve = [&]() -> task<void> {
    try {
      co_await yield();
      seen.push_back("another iteration");
    } catch (const cancelled&) {
      seen.push_back("cancelled");
      throw;
    }
  };
  const auto main = [&]() -> task<void> {
    spawn_daemon(serve());
    co_await yield();
    seen.push_back("the end");
  };
  world.run(main());
  EXPECT_THAT(seen, ElementsAre("the end", "cancelled"));
}

TEST(AsyncioLoopTest, MayBeRunAgain) {
  real::world world;
  const auto main = [](int result) -> task<int> {
    co_await yield();
    co_return result;
  };
  EXPECT_EQ(world.run(main(1)), 1);
  EXPECT_EQ(world.run(main(2)), 2);
}

// -- time -------------------------------------------------------------------------------------------------------------

// loop.time() begins anywhere, and is read from the system each time.
TEST(AsyncioLoopTest, HasATimeThatBeginsAtZeroAndStandsWithinAnIteration) {
  real::world world;
  const auto main = []() -> task<void> {
    EXPECT_EQ(now(), time_point{});
    let_pass(100us);
    EXPECT_EQ(now(), time_point{});
    co_await yield();
    EXPECT_GE(now(), time_point{100us});
  };
  world.run(main());
}

TEST(AsyncioLoopTest, HasATimeThatNeverGoesBack) {
  real::world world;
  const auto main = []() -> task<void> {
    time_point last = now();
    for (int i = 0; i < 1'000; ++i) {
      co_await yield();
      EXPECT_GE(now(), last);
      last = now();
    }
  };
  world.run(main());
}

CO_TEST(AsyncioLoopTest, TimeMovesInASimulationOnlyWhenNothingIsReady) {
  for (int i = 0; i < 1'000; ++i) co_await yield();
  EXPECT_EQ(now(), time_point{});
  co_await sleep_for(1h);
  EXPECT_EQ(now(), time_point{1h});
}

// asyncio runs a timer that is due within the clock's resolution.
TEST(AsyncioLoopTest, RunsNoTimerBeforeItsTime) {
  real::world world;
  const auto main = []() -> task<void> {
    for (int i = 0; i < 100; ++i) {
      const time_point due = now() + duration(i * 1'000);
      co_await sleep_until(due);
      EXPECT_GE(now(), due);
    }
  };
  world.run(main());
}

TEST(AsyncioLoopTest, RunsTimersThatAreDueTogetherInTheOrderOfTheirTimes) {
  real::world world;
  std::vector<int> order;
  const auto wake = [&](duration delay, int who) -> task<void> {
    co_await sleep_for(delay);
    order.push_back(who);
  };
  const auto main = [&]() -> task<void> {
    task_group group;
    for (const int who : {3, 1, 2}) group.spawn(wake(who * 10us, who));
    co_await yield();
    let_pass(100us);
    co_await group.join();
  };
  world.run(main());
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
}

TEST(AsyncioLoopTest, SleepsOfZeroOrLessYieldOnce) {
  real::world world;
  std::vector<std::string> seen;
  const auto other = [&]() -> task<void> {
    seen.push_back("other");
    co_await yield();
    seen.push_back("other again");
  };
  const auto main = [&]() -> task<void> {
    auto running = spawn(other());
    co_await sleep_for(-1s);
    seen.push_back("main");
    co_await running.join();
  };
  world.run(main());
  EXPECT_THAT(seen, ElementsAre("other", "main", "other again"));
}

// -- iterations -------------------------------------------------------------------------------------------------------

TEST(AsyncioLoopTest, RunsInAnIterationWhatWasReadyAtItsBegin) {
  real::world world;
  std::vector<std::string> seen;
  const auto sleep = [&]() -> task<void> {
    co_await sleep_for(10us);
    seen.push_back("timer");
  };
  const auto main = [&]() -> task<void> {
    auto sleeping = spawn(sleep());
    co_await yield();
    let_pass(100us);
    seen.push_back("1");
    co_await yield();  // into the next iteration, before the timer, which is found due when that begins
    seen.push_back("2");
    co_await yield();  // into the one after that
    seen.push_back("3");
    co_await sleeping.join();
  };
  world.run(main());
  EXPECT_THAT(seen, ElementsAre("1", "2", "timer", "3"));
}

TEST(AsyncioLoopTest, KeepsTheOrderInWhichTasksBecameReady) {
  real::world world;
  std::vector<int> seen;
  const auto note = [&](int who) -> task<void> {
    seen.push_back(who);
    co_await yield();
    seen.push_back(who + 10);
  };
  const auto main = [&]() -> task<void> { co_await when_all(note(1), note(2), note(3)); };
  world.run(main());
  EXPECT_THAT(seen, ElementsAre(1, 2, 3, 11, 12, 13));
}

// An asyncio program in which nothing can happen any more hangs.
TEST(AsyncioLoopTest, SaysThatNothingCanHappenAnyMore) {
  real::world world;
  const auto main = []() -> task<void> {
    event never("never");
    co_await never.wait();
  };
  EXPECT_THROW(world.run(main()), misuse);
  ASSERT_EQ(world.verdicts().size(), 1u);
  EXPECT_EQ(world.verdicts().front().kind, verdict_kind::deadlock);
}

}  // namespace
}  // namespace lockstep
