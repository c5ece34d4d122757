// The time that jobs and tasks say they take.
#include "../sync/schedules.hpp"

#include <string>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// The result of `make()`, of which nothing may be wrong.
template <class F>
auto run_well(F make, const sim::world_options& how = {}) {
  sim::world world;
  auto result = world.run(std::move(make), how);
  for (const verdict& each : world.verdicts()) ADD_FAILURE() << each.message;
  return result;
}

TEST(ConsumeTest, AJobTakesTheTimeThatItConsumes) {
  const auto main = []() -> task<std::vector<time_point>> {
    co_await sleep_for(1s);
    std::vector<time_point> seen{now()};
    co_await run_blocking([&seen] {
      seen.push_back(now());
      consume(5ms);
      seen.push_back(now());
      consume(10us);
      consume(-1h);
      seen.push_back(now());
    });
    seen.push_back(now());
    co_return seen;
  };
  EXPECT_THAT(run_well(main), ElementsAre(time_point(1s), time_point(1s), time_point(1005ms), time_point(1005010us),
                                          time_point(1005010us)));
}

TEST(ConsumeTest, TheLoopGoesOnWhileAJobTakesItsTime) {
  const auto main = []() -> task<int> {
    int ticks = 0;
    const auto tick = [&ticks]() -> task<void> {
      for (;;) {
        co_await sleep_for(10ms);
        ++ticks;
      }
    };
    auto ticking = spawn(tick());
    co_await run_blocking([] { consume(95ms); });
    ticking.cancel();
    static_cast<void>(co_await was_cancelled(ticking));
    co_return ticks;
  };
  EXPECT_EQ(run_well(main), 9);
}

TEST(ConsumeTest, ATaskThatConsumesHoldsUpAllOthers) {
  std::vector<std::pair<std::string, time_point>> log;
  const auto main = [&log]() -> task<bool> {
    const auto sleep_and_log = [&log](duration length, std::string name) -> task<void> {
      co_await sleep_for(length);
      log.emplace_back(name, now());
    };
    auto late = spawn(sleep_and_log(20ms, "late"));
    auto earlier = spawn(sleep_and_log(10ms, "earlier"));
    auto in_time = spawn(sleep_and_log(200ms, "in time"));
    co_await yield();
    consume(50ms);
    consume(50ms);
    log.emplace_back("computed", now());
    co_await late.join();
    co_await earlier.join();
    co_await in_time.join();
    co_return true;
  };
  run_well(main);
  EXPECT_THAT(log, ElementsAre(std::pair("computed", time_point(100ms)), std::pair("earlier", time_point(100ms)),
                               std::pair("late", time_point(100ms)), std::pair("in time", time_point(200ms))));
}

TEST(ConsumeTest, WhatIsLateFiresBeforeTheNextStepThatIsMade) {
  // The one that yields for ever lets nobody be idle; and who is ready goes before who becomes due.
  std::vector<std::string> log;
  const auto main = [&log]() -> task<bool> {
    const auto sleep_and_log = [&log]() -> task<void> {
      co_await sleep_for(10ms);
      log.emplace_back("slept");
    };
    auto sleeper = spawn(sleep_and_log());
    co_await yield();
    for (int i = 0; i < 4; ++i) {
      consume(5ms);
      co_await yield();
      log.emplace_back("computed");
    }
    co_await sleeper.join();
    co_return true;
  };
  run_well(main);
  EXPECT_THAT(log, ElementsAre("computed", "computed", "slept", "computed", "computed"));
}

TEST(ConsumeTest, SettleWaitsForWhatIsLate) {
  const auto main = []() -> task<bool> {
    bool woken = false;
    const auto sleeps = [&woken]() -> task<void> {
      co_await sleep_for(10ms);
      woken = true;
    };
    auto sleeper = spawn(sleeps());
    co_await yield();
    consume(10ms);
    co_await settle();
    const bool was_woken = woken;
    co_await sleeper.join();
    co_return was_woken;
  };
  EXPECT_TRUE(run_well(main));
}

TEST(ConsumeTest, ATimeoutThatWasPassedCancelsAtTheNextAwait) {
  const auto main = []() -> task<time_point> {
    bool computed = false;
    const auto compute = [&computed]() -> task<void> {
      consume(30ms);
      computed = true;
      co_await sleep_for(1s);
    };
    EXPECT_THROW(co_await with_timeout(10ms, compute()), timed_out);
    EXPECT_TRUE(computed);
    co_return now();
  };
  EXPECT_EQ(run_well(main), time_point(30ms));
}

TEST(ConsumeTest, EachInstantThatIsLateIsAQuestionOfItsOwnInFifoOrder) {
  const auto main = []() -> task<bool> {
    std::vector<join_handle<void>> sleepers;
    const auto sleeps = [](duration length) -> task<void> { co_await sleep_for(length); };
    for (int i = 0; i < 2; ++i) {
      sleepers.push_back(spawn(sleeps(10ms)));
      sleepers.push_back(spawn(sleeps(20ms)));
    }
    co_await yield();
    consume(50ms);
    for (auto& each : sleepers) co_await each.join();
    co_return true;
  };
  class domains final : public oracle {
   public:
    std::size_t pick_task(const candidates&) override { return 0; }
    std::uint64_t pick_value(choice_point point, std::uint64_t) override {
      seen.push_back(point.domain);
      return 0;
    }
    std::vector<identity> seen;
  } choices;
  sim::world_options how;
  how.choices = &choices;
  how.order = ordering::fifo;
  run_well(main, how);
  EXPECT_THAT(choices.seen, ElementsAre(domain_identity("timers-10000000"), domain_identity("timers-20000000")));
}

TEST(ConsumeTest, ConsumedTimeCountsForTheLimit) {
  sim::world_options how;
  how.time_max = 1h;
  const judged_run in_task = judge(
      []() -> task<void> {
        consume(2h);
        co_await yield();
      },
      how);
  EXPECT_THAT(in_task.kinds(), ElementsAre(verdict_kind::time_limit));
  const judged_run in_job = judge([]() -> task<void> { co_await run_blocking([] { consume(2h); }); }, how);
  EXPECT_THAT(in_job.kinds(), ElementsAre(verdict_kind::time_limit));
}

TEST(ConsumeTest, ConsumeOutsideOfTasksAndJobsIsMisuse) { EXPECT_THROW(consume(1s), misuse); }

TEST(ConsumeTest, APausedClockHoldsAJobUntilItIsMoved) {
  sim::world_options how;
  how.paused_clock = true;
  const auto main = []() -> task<std::vector<bool>> {
    auto job = spawn(run_blocking([] { consume(10ms); }));
    std::vector<bool> done;
    co_await advance(9ms);
    done.push_back(job.done());
    co_await advance(1ms);
    done.push_back(job.done());
    co_await job.join();
    co_return done;
  };
  EXPECT_THAT(run_well(main, how), ElementsAre(false, true));
}

}  // namespace
}  // namespace lockstep
