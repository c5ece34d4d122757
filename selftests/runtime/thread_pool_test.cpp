#include "../sync/schedules.hpp"

#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

// How long ten jobs take that compute for 100 ms each.
duration ten_jobs(unsigned workers) {
  sim::world world;
  return world.run([workers]() -> task<duration> {
    thread_pool pool(workers);
    std::vector<join_handle<void>> jobs;
    for (int i = 0; i < 10; ++i) jobs.push_back(spawn(run_blocking(pool, [] { consume(100ms); })));
    for (auto& each : jobs) co_await each.join();
    co_return now().time_since_epoch();
  });
}

TEST(ThreadPoolTest, TenComputationsNeedWorkers) {
  EXPECT_EQ(ten_jobs(1), 1s);
  EXPECT_EQ(ten_jobs(4), 300ms);
  EXPECT_EQ(ten_jobs(10), 100ms);
  EXPECT_EQ(ten_jobs(100), 100ms);
}

TEST(ThreadPoolTest, TenWaitsNeedNone) {
  sim::world world;
  EXPECT_EQ(world.run([]() -> task<duration> {
    std::vector<join_handle<void>> waits;
    const auto wait = []() -> task<void> { co_await sleep_for(100ms); };
    for (int i = 0; i < 10; ++i) waits.push_back(spawn(wait()));
    for (auto& each : waits) co_await each.join();
    co_return now().time_since_epoch();
  }),
            100ms);
}

TEST(ThreadPoolTest, TenComputationsOnTheLoopTakeTheSum) {
  sim::world world;
  EXPECT_EQ(world.run([]() -> task<duration> {
    std::vector<join_handle<void>> tasks;
    const auto compute = []() -> task<void> {
      consume(100ms);
      co_return;
    };
    for (int i = 0; i < 10; ++i) tasks.push_back(spawn(compute()));
    for (auto& each : tasks) co_await each.join();
    co_return now().time_since_epoch();
  }),
            1s);
}

TEST(ThreadPoolTest, OneWorkerTakesJobsInTheOrderInWhichTheyWereGivenUnderEverySchedule) {
  under_every_schedule([]() -> task<void> {
    thread_pool one(1);
    std::vector<int> run;
    const auto work = [&](int i) -> task<void> {
      co_await run_blocking(one, [&run, i] {
        run.push_back(i);
        consume(1ms);
      });
    };
    std::vector<join_handle<void>> jobs;
    for (int i = 0; i < 5; ++i) {
      jobs.push_back(spawn(work(i)));
      while (one.unfinished() != jobs.size()) co_await yield();
    }
    for (auto& each : jobs) co_await each.join();
    EXPECT_THAT(run, ElementsAre(0, 1, 2, 3, 4));
    EXPECT_EQ(now(), time_point(5ms));
  });
}

TEST(ThreadPoolTest, KnowsItsWorkersAndWhatIsUnfinished) {
  const judged_run run = judge([]() -> task<void> {
    thread_pool pool(2, "cpu");
    EXPECT_EQ(pool.workers(), 2u);
    EXPECT_EQ(pool.name(), "cpu");
    EXPECT_EQ(pool.unfinished(), 0u);
    auto one = spawn(run_blocking(pool, [] { consume(1ms); }));
    auto two = spawn(run_blocking(pool, [] { consume(2ms); }));
    auto three = spawn(run_blocking(pool, [] { consume(1ms); }));
    co_await settle();
    EXPECT_EQ(pool.unfinished(), 3u);
    co_await one.join();
    EXPECT_EQ(pool.unfinished(), 2u);
    co_await two.join();
    co_await three.join();
    EXPECT_EQ(pool.unfinished(), 0u);
  });
  EXPECT_EQ(run.messages(), "");
}

TEST(ThreadPoolTest, WithoutAWorkerIsMisuse) {
  EXPECT_THROW(thread_pool(0, "cpu"), misuse);
  const judged_run run = judge([]() -> task<void> {
    const thread_pool none(0, "cpu");
    co_return;
  });
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::misuse));
  EXPECT_EQ(run.verdicts[0].message, "thread_pool \"cpu\" without a worker: no job would ever run");
}

TEST(ThreadPoolTest, OneMadeOutsideServesOneRunAfterAnother) {
  thread_pool pool(1, "cpu");
  for (int i = 0; i < 3; ++i) {
    const judged_run run = judge([&pool]() -> task<void> {
      EXPECT_EQ(co_await run_blocking(pool, [] { return 42; }), 42);
      EXPECT_EQ(co_await pool.shut_down(), 0u);
    });
    EXPECT_EQ(run.messages(), "");
  }
}

// -- shutting down ----------------------------------------------------------------------------------------------------

TEST(ThreadPoolTest, ShuttingDownWaitsForWhatItWasGiven) {
  const judged_run run = judge([]() -> task<void> {
    thread_pool one(1);
    auto first = spawn(run_blocking(one, [] { consume(10ms); }));
    auto second = spawn(run_blocking(one, [] { consume(10ms); }));
    co_await settle();
    EXPECT_EQ(co_await one.shut_down(), 0u);
    EXPECT_EQ(now(), time_point(20ms));
    EXPECT_TRUE(first.done() || second.done());
    co_await first.join();
    co_await second.join();
  });
  EXPECT_EQ(run.messages(), "");
}

TEST(ThreadPoolTest, ShuttingDownWithinALimitTellsHowManyHaveNotEnded) {
  const judged_run run = judge([]() -> task<void> {
    thread_pool two(2);
    auto fast = spawn(run_blocking(two, [] { consume(10ms); }));
    auto slow = spawn(run_blocking(two, [] { consume(1h); }));
    co_await settle();
    EXPECT_EQ(co_await two.shut_down(1s), 1u);
    EXPECT_EQ(now(), time_point(1s));
    EXPECT_TRUE(fast.done());
    EXPECT_EQ(co_await two.shut_down(), 0u);
    co_await fast.join();
    co_await slow.join();
    EXPECT_EQ(now(), time_point(1h));
  });
  EXPECT_EQ(run.messages(), "");
}

TEST(ThreadPoolTest, ALimitBeyondTheEndOfTimeIsNone) {
  const judged_run run = judge([]() -> task<void> {
    thread_pool one(1);
    auto job = spawn(run_blocking(one, [] { consume(24h * 300); }));
    auto other = spawn(run_blocking([] { consume(24h * 301); }));
    co_await settle();
    EXPECT_EQ(co_await one.shut_down(std::chrono::hours::max()), 0u);
    EXPECT_EQ(co_await shut_down_default_executor(std::chrono::years(400)), 0u);
    EXPECT_EQ(now(), time_point(24h * 301));
    co_await job.join();
    co_await other.join();
  });
  EXPECT_EQ(run.messages(), "");
}

TEST(ThreadPoolTest, OneThatWasShutDownTakesNoJob) {
  const judged_run run = judge([]() -> task<void> {
    thread_pool pool(1, "cpu");
    EXPECT_EQ(co_await pool.shut_down(), 0u);
    bool ran = false;
    EXPECT_THROW(co_await run_blocking(pool, [&ran] { ran = true; }), misuse);
    EXPECT_FALSE(ran);
  });
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::misuse));
  EXPECT_EQ(run.verdicts[0].message, "thread_pool \"cpu\", which was shut down, was given a job");
}

TEST(ThreadPoolTest, CancellationEndsTheWaitForItsEnd) {
  const judged_run run = judge([]() -> task<void> {
    thread_pool pool(1);
    auto job = spawn(run_blocking(pool, [] { consume(1h); }));
    const auto close = [&pool]() -> task<void> { static_cast<void>(co_await pool.shut_down()); };
    auto closer = spawn(close());
    co_await sleep_for(1s);
    closer.cancel();
    EXPECT_TRUE(co_await was_cancelled(closer));
    EXPECT_EQ(now(), time_point(1s));
    co_await job.join();
  });
  EXPECT_EQ(run.messages(), "");
}

TEST(ThreadPoolTest, TheDefaultPoolIsShutDownAsWell) {
  const judged_run run = judge([]() -> task<void> {
    auto job = spawn(run_blocking([] { consume(1h); }));
    co_await settle();
    EXPECT_EQ(co_await shut_down_default_executor(1s), 1u);
    EXPECT_EQ(co_await shut_down_default_executor(), 0u);
    co_await job.join();
    EXPECT_THROW(co_await run_blocking([] {}), misuse);
  });
  EXPECT_THAT(run.kinds(), ElementsAre(verdict_kind::misuse));
  EXPECT_THAT(run.verdicts[0].message, HasSubstr("thread_pool \"default\", which was shut down"));
}

TEST(ThreadPoolTest, NobodyCloseTheDefaultPoolsOfOtherRuns) {
  sim::world world;
  world.run([]() -> task<void> { static_cast<void>(co_await shut_down_default_executor()); });
  EXPECT_EQ(world.run([]() -> task<int> { co_return co_await run_blocking([] { return 42; }); }), 42);
}

// -- dying ------------------------------------------------------------------------------------------------------------

TEST(ThreadPoolTest, DyingUnderItsJobsIsMisuseAndEndsThem) {
  std::vector<std::string> ends;
  const judged_run run = judge([&ends]() -> task<void> {
    std::optional<thread_pool> pool(std::in_place, 1u, label("cpu"));
    const auto work = [&](std::string name) -> task<void> {
      try {
        co_await run_blocking(*pool, [] { consume(10ms); });
        ends.push_back(name + " returned");
      } catch (const std::future_error&) {
        ends.push_back(name + " broken");
      }
    };
    auto runs = spawn(work("runs"), "runs");
    auto waits = spawn(work("waits"), "waits");
    co_await sleep_for(1ms);
    pool.reset();
    co_await waits.join();
    co_await runs.join();
    EXPECT_EQ(now(), time_point(10ms));
  });
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::misuse));
  EXPECT_EQ(run.verdicts[0].message, "the thread_pool \"cpu\" died while task \"runs\" waits for a job");
  EXPECT_THAT(ends, ElementsAre("waits broken", "runs returned"));
}

TEST(ThreadPoolTest, DyingUnderOneThatShutsItDownIsMisuse) {
  const judged_run run = judge([]() -> task<void> {
    std::optional<thread_pool> pool(std::in_place, 1u, label("cpu"));
    auto job = spawn(run_blocking(*pool, [] { consume(10ms); }));
    const auto close = [&pool]() -> task<void> { static_cast<void>(co_await pool->shut_down()); };
    auto closer = spawn(close(), "closer");
    co_await sleep_for(1ms);
    pool.reset();
    co_await job.join();
    co_await closer.join();
  });
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::misuse, verdict_kind::deadlock));
}

TEST(ThreadPoolTest, AReportNamesTheJobThatIsAwaited) {
  sim::world_options how;
  how.paused_clock = true;
  const judged_run run = judge(
      []() -> task<void> {
        thread_pool cpu(1, "cpu");
        auto first = spawn(run_blocking(cpu, [] { consume(1s); }), "first");
        auto second = spawn(run_blocking(cpu, [] {}), "second");
        co_await first.join();
        co_await second.join();
      },
      how);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  std::vector<std::string> lines;
  for (const task_snapshot& each : run.verdicts[0].tasks) {
    lines.push_back(each.name + ": " + each.waits_for + (each.held_by.empty() ? "" : " held by " + each.held_by));
  }
  EXPECT_THAT(lines,
              ElementsAre("main: join(first) held by first", "first: blocking job \"cpu\" held by blocking_job 1.1",
                          "second: blocking job \"cpu\" held by blocking_job 2.1", "blocking_job 1.1: sleep until 1 s",
                          "blocking_job 2.1: a free worker"));
}

TEST(ThreadPoolTest, IsOneThreadsAndOneRunsAtATime) {
  const judged_run run = judge([]() -> task<void> {
    thread_pool cpu(1, "cpu");
    co_await run_blocking(cpu, [] {});
    std::thread other([&cpu] {
      sim::world elsewhere;
      EXPECT_THROW(elsewhere.run([&cpu]() -> task<void> { co_await run_blocking(cpu, [] {}); }), misuse);
    });
    other.join();
    co_await yield();
  });
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::misuse));
  EXPECT_THAT(run.verdicts[0].message, HasSubstr("thread_pool \"cpu\" was given a job on another thread"));
}

}  // namespace
}  // namespace lockstep
