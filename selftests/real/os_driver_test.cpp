// On the real clock nothing is said about how long anything takes: only what comes before what, and not before when.
#include <lockstep/lockstep.hpp>
#include <lockstep/real/os_driver.hpp>
#include <lockstep/real/world.hpp>
#include <lockstep/runtime/foreign.hpp>
#include <lockstep/runtime/inbox.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <coroutine>
#include <string>
#include <thread>
#include <vector>

namespace lockstep::real {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

world_options exact(std::uint32_t time_scale) {
  world_options how;
  how.clock.exact = true;
  how.clock.time_scale = time_scale;
  return how;
}

// Goes on when somebody, on whatever thread, calls `resume`.
struct resumed_by {
  std::function<void(std::coroutine_handle<>)> begin;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) { begin(waiter); }
  void await_resume() const noexcept {}
};

// -- time -------------------------------------------------------------------------------------------------------------

TEST(OsDriverTest, WakesASleeperNotBeforeItsTime) {
  world world;
  const auto main = []() -> task<void> {
    for (int i = 0; i < 5; ++i) {
      const time_point before = now();
      co_await sleep_for(1ms);
      EXPECT_GE(now(), before + 1ms);
    }
  };
  world.run(main());
  EXPECT_GE(world.summary().virtual_time, 5ms);
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(OsDriverTest, ShowsTheTimeAtWhichTheTurnBegan) {
  world world;
  const auto main = []() -> task<void> {
    const time_point before = now();
    os_clock machine;
    while (machine.read() < time_point{1ms}) EXPECT_EQ(now(), before);
    co_await yield();
    EXPECT_GT(now(), before);
  };
  world.run(main());
}

TEST(OsDriverTest, WakesSleepersInTheOrderOfTheirDeadlines) {
  world world;
  std::vector<int> order;
  const auto wake = [&](duration delay, int who) -> task<void> {
    co_await sleep_for(delay);
    order.push_back(who);
  };
  const auto main = [&]() -> task<void> { co_await when_all(wake(3ms, 3), wake(1ms, 1), wake(2ms, 2), wake(1ms, 11)); };
  world.run(main());
  EXPECT_THAT(order, ElementsAre(1, 11, 2, 3));
}

TEST(OsDriverTest, ServesTimersWhileATaskIsAlwaysReady) {
  world world;
  const auto main = []() -> task<void> {
    bool due = false;
    const auto wake = [&]() -> task<void> {
      co_await sleep_for(1ms);
      due = true;
    };
    auto sleeper = spawn(wake());
    while (!due) co_await yield();
    co_await sleeper.join();
  };
  world.run(main());
}

TEST(OsDriverTest, LetsEachReadyTaskMakeOneStepBeforeItLooksAtTheTime) {
  world world;
  const auto main = []() -> task<void> {
    std::vector<time_point> seen;
    const auto look = [&]() -> task<void> {
      os_clock machine;
      while (machine.read() < time_point{100us}) {
      }
      seen.push_back(now());
      co_await yield();
      seen.push_back(now());
    };
    co_await when_all(look(), look(), look());
    EXPECT_EQ(seen[0], seen[1]);
    EXPECT_EQ(seen[1], seen[2]);
    EXPECT_GE(seen[3], seen[2] + 300us);
    EXPECT_EQ(seen[3], seen[5]);
  };
  world.run(main());
}

TEST(OsDriverTest, ShowsEachDeadlineToTheNanosecondWhenItIsExact) {
  world world;
  const auto main = []() -> task<void> {
    co_await sleep_for(24h);
    EXPECT_EQ(now(), time_point{24h});
    for (int i = 0; i < 1'000; ++i) co_await yield();
    EXPECT_EQ(now(), time_point{24h});  // it stands while somebody is ready
    co_await sleep_for(1ns);
    EXPECT_EQ(now(), time_point{24h + 1ns});
    co_await sleep_until(time_point{25h});
    EXPECT_EQ(now(), time_point{25h});
  };
  world.run(main(), exact(100'000'000));
  EXPECT_EQ(world.summary().virtual_time, 25h);
}

TEST(OsDriverTest, KeepsItsClockPausedUntilItIsAdvanced) {
  world world;
  world_options how = exact(1'000'000);
  how.paused_clock = true;
  const auto main = []() -> task<void> {
    int minutes = 0;
    const auto count = [&]() -> task<void> {
      for (;;) {
        co_await sleep_for(1min);
        ++minutes;
      }
    };
    auto counter = spawn(count());
    co_await settle();
    EXPECT_EQ(now(), time_point{});
    co_await advance(59s);
    EXPECT_EQ(minutes, 0);
    co_await advance(1s);
    EXPECT_EQ(minutes, 1);
    EXPECT_EQ(now(), time_point{1min});
    counter.cancel();
    EXPECT_THROW(co_await counter.join(), cancelled);
  };
  world.run(main(), how);
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(OsDriverTest, SettlesWhenEveryOtherTaskWaits) {
  world world;
  const auto main = []() -> task<void> {
    int steps = 0;
    const auto work = [&]() -> task<void> {
      for (; steps < 100; ++steps) co_await yield();
    };
    auto working = spawn(work());
    co_await settle();
    EXPECT_EQ(steps, 100);
    co_await working.join();
  };
  world.run(main());
}

TEST(OsDriverTest, TellsTheTimeOfDay) {
  world world;
  const auto main = []() -> task<void> {
    EXPECT_GT(wall_now(), wall_clock_start);  // which was when this was written, and is over
    const auto before = wall_now();
    shift_wall_clock(-24h);  // for this run only
    EXPECT_LT(wall_now(), before);
    co_return;
  };
  world.run(main());
  const auto in_tests = []() -> task<void> {
    const auto before = wall_now();
    co_await sleep_for(24h);
    EXPECT_EQ(wall_now(), before + 24h);
  };
  world.run(in_tests(), exact(100'000'000));
}

// -- values -----------------------------------------------------------------------------------------------------------

TEST(OsDriverTest, DrawsValuesFromItsSeed) {
  world world;
  const auto main = []() -> task<std::vector<int>> {
    std::vector<int> drawn;
    for (int i = 0; i < 8; ++i) drawn.push_back(random_int("die", 1, 1'000));
    co_return drawn;
  };
  world_options how;
  EXPECT_EQ(world.run(main(), how), std::vector<int>(8, 1));
  how.seed = 5;
  const std::vector<int> five = world.run(main(), how);
  EXPECT_EQ(world.run(main(), how), five);
  how.seed = 6;
  EXPECT_NE(world.run(main(), how), five);
}

// -- the world outside ------------------------------------------------------------------------------------------------

TEST(OsDriverTest, RunsHandlersOfItsIoContextOnTheLoopsThread) {
  world world;
  const auto main = []() -> task<void> {
    const std::thread::id here = std::this_thread::get_id();
    event done("done");
    boost::asio::steady_timer timer(current_io_context(), 1ms);
    timer.async_wait([&](const boost::system::error_code& failed) {
      EXPECT_FALSE(failed);
      EXPECT_EQ(std::this_thread::get_id(), here);
      done.set();
    });
    co_await done.wait();  // no timer of ours: what waits in the io_context is reason enough to wait
  };
  world.run(main());
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(OsDriverTest, ServesItsIoContextWhileATaskIsAlwaysReady) {
  world world;
  const auto main = []() -> task<void> {
    bool done = false;
    boost::asio::post(current_io_context(), [&] { done = true; });
    while (!done) co_await yield();
  };
  world.run(main());
  world.run(main(), exact(1));
}

TEST(OsDriverTest, ResumesATaskThatWaitsForAnOperationOfAsio) {
  world world;
  const auto main = []() -> task<void> {
    boost::asio::steady_timer timer(current_io_context());
    for (int i = 0; i < 3; ++i) {
      timer.expires_after(1ms);
      resumed_by expiry{[&](std::coroutine_handle<> waiter) {
        timer.async_wait([waiter](const boost::system::error_code&) { waiter.resume(); });
      }};
      co_await expiry;
    }
  };
  world.run(main());
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(OsDriverTest, WakesWhenAnotherThreadEndsAWait) {
  world world;
  const auto main = []() -> task<void> {
    for (int i = 0; i < 20; ++i) {
      std::thread other;
      const auto resume = [&](std::coroutine_handle<> waiter) { other = std::thread([waiter] { waiter.resume(); }); };
      co_await outside(resumed_by{resume});
      other.join();
    }
  };
  world.run(main());
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(OsDriverTest, TakesWhatArrivesFromManyThreadsWhileTasksRun) {
  world world;
  const auto main = []() -> task<void> {
    int done = 0;
    const auto ask = [&]() -> task<void> {
      std::thread other;
      const auto resume = [&](std::coroutine_handle<> waiter) { other = std::thread([waiter] { waiter.resume(); }); };
      co_await outside(resumed_by{resume});
      ++done;
      other.join();
    };
    std::vector<task<void>> questions;
    for (int i = 0; i < 16; ++i) questions.push_back(ask());
    const auto run_busily = [&]() -> task<void> {
      while (done < 16) co_await yield();
    };
    auto busy = spawn(run_busily());
    co_await when_all(std::move(questions));
    co_await busy.join();
  };
  world.run(main());
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(OsDriverTest, WaitsAsLongAsSomebodyMayCallIn) {
  world world;
  const auto main = [&]() -> task<void> {
    inbox& box = world.loop().outside();
    ++box.callers;
    boost::asio::io_context& io = current_io_context();
    event called("called");
    std::thread caller([&] { boost::asio::post(io, [&] { called.set(); }); });
    co_await called.wait();
    --box.callers;
    caller.join();
  };
  world.run(main());
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

// -- deadlock ---------------------------------------------------------------------------------------------------------

TEST(OsDriverTest, FindsThatNothingWillEverHappen) {
  world world;
  const auto main = []() -> task<void> {
    co_await sleep_for(1ms);  // an alarm that is over is no reason to wait
    event never("never");
    co_await never.wait();
  };
  EXPECT_THROW(world.run(main()), misuse);
  ASSERT_EQ(world.verdicts().size(), 1u);
  EXPECT_EQ(world.verdicts().front().kind, verdict_kind::deadlock);
  EXPECT_EQ(world.verdicts().front().tasks.front().waits_for, "event \"never\"");
}

TEST(OsDriverTest, FindsThatAsWellWhereATimerWasArmedThatNobodyWaitsForAnyMore) {
  world world;
  const auto main = []() -> task<void> {
    const auto doze = []() -> task<void> { co_await sleep_for(24h); };
    auto dozing = spawn(doze());
    co_await sleep_for(1ms);
    dozing.cancel();
    EXPECT_THROW(co_await dozing.join(), cancelled);
    event never("never");
    co_await never.wait();
  };
  EXPECT_THROW(world.run(main()), misuse);
  EXPECT_EQ(world.verdicts().front().kind, verdict_kind::deadlock);
}

TEST(OsDriverTest, SaysThatAPausedClockIsInTheWay) {
  world world;
  world_options how;
  how.paused_clock = true;
  const auto main = []() -> task<void> { co_await sleep_for(1ms); };
  EXPECT_THROW(world.run(main(), how), misuse);
  EXPECT_THAT(world.verdicts().front().message, HasSubstr("the clock is paused"));
}

TEST(OsDriverTest, KnowsOfNoIoContextInASimulation) {
  sim::world world;
  const auto main = []() -> task<void> {
    EXPECT_THROW(current_io_context(), misuse);
    co_return;
  };
  world.run(main());
  ASSERT_EQ(world.verdicts().size(), 1u);
  EXPECT_EQ(world.verdicts().front().message,
            "there is no io_context in a simulation; run this by lockstep::run(), or a test with clock=real");
  EXPECT_THROW(current_io_context(), misuse);
}

}  // namespace
}  // namespace lockstep::real
