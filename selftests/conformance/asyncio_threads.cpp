// asyncio's threads and executors: to_thread, run_in_executor, the default executor and its timed end.
#include "../sync/schedules.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

// Runs `make()`, of which nothing may be wrong, and in which nothing may fail.
template <class F>
void run_well(F make) {
  const judged_run run = judge(make);
  EXPECT_TRUE(run.ended);
  EXPECT_EQ(run.messages(), "");
  EXPECT_EQ(run.failure, "");
}

// -- to_thread --------------------------------------------------------------------------------------------------------

TEST(AsyncioThreads, ToThreadReturnsTheResultOfTheFunction) {
  run_well([]() -> task<void> { EXPECT_EQ(co_await run_blocking([] { return 40 + 2; }), 42); });
}

TEST(AsyncioThreads, ToThreadRaisesWhatTheFunctionRaised) {
  run_well([]() -> task<void> {
    EXPECT_THROW(co_await run_blocking([] { throw std::domain_error("test"); }), std::domain_error);
  });
}

constinit task_local<int> request_id{0};

TEST(AsyncioThreads, ToThreadCopiesTheContext) {
  run_well([]() -> task<void> {
    request_id.set(7);
    auto later = run_blocking([] {
      const int seen = request_id.get();
      request_id.set(8);
      return 10 * seen + request_id.get();
    });
    auto spawned = spawn(std::move(later));
    co_await yield();
    request_id.set(9);
    EXPECT_EQ(co_await spawned.join(), 78);
    EXPECT_EQ(request_id.get(), 9);
  });
}

// As there, what a thread has for the loop it leaves to it.
TEST(AsyncioThreads, AFunctionMayCallTheLoopThreadSafely) {
  run_well([]() -> task<void> {
    event done("done");
    const loop_remote home;
    auto work = [&done, home] {
      EXPECT_TRUE(home.call_soon_threadsafe([&done] { done.set(); }));
      EXPECT_FALSE(done.is_set());
    };
    co_await run_blocking(std::move(work));
    co_await done.wait();
  });
}

TEST(AsyncioThreads, ToThreadRunsTheFunctionOnce) {
  run_well([]() -> task<void> {
    int called = 0;
    co_await run_blocking([&called] { ++called; });
    EXPECT_EQ(called, 1);
  });
}

TEST(AsyncioThreads, ToThreadLeavesTheLoopFree) {
  run_well([]() -> task<void> {
    const auto sleeps = []() -> task<void> { co_await sleep_for(1s); };
    co_await when_all(run_blocking([] { consume(1s); }), sleeps());
    EXPECT_EQ(now(), time_point(1s));
  });
}

// As the coroutine function of to_thread: nothing happens before it is awaited.
TEST(AsyncioThreads, ToThreadDoesNothingBeforeItIsAwaited) {
  run_well([]() -> task<void> {
    bool ran = false;
    auto later = run_blocking([&ran] { ran = true; });
    co_await sleep_for(1s);
    EXPECT_FALSE(ran);
    co_await std::move(later);
    EXPECT_TRUE(ran);
  });
}

// On purpose: asyncio's await ends at once, and leaves the thread running with nobody to look at its result.
TEST(AsyncioThreads, UnlikeThereACancelledToThreadWaitsForAFunctionThatRuns) {
  run_well([]() -> task<void> {
    bool ended = false;
    auto waiting = spawn(run_blocking([&ended] {
      consume(1s);
      ended = true;
    }));
    co_await sleep_for(1ms);
    EXPECT_TRUE(waiting.cancel());
    EXPECT_TRUE(co_await was_cancelled(waiting));
    EXPECT_TRUE(ended);
    EXPECT_EQ(now(), time_point(1s));
  });
}

TEST(AsyncioThreads, UnlikeThereAnErrorOfACancelledFunctionIsNotLost) {
  run_well([]() -> task<void> {
    auto waiting = spawn(run_blocking([] {
      consume(1s);
      throw std::runtime_error("disk full");
    }));
    co_await sleep_for(1ms);
    waiting.cancel();
    EXPECT_THROW(co_await waiting.join(), std::runtime_error);
  });
}

TEST(AsyncioThreads, WaitForOfAThreadTimesOut) {
  run_well([]() -> task<void> {
    EXPECT_THROW(co_await with_timeout(10ms, run_blocking([] { consume(20ms); })), timed_out);
    EXPECT_EQ(now(), time_point(20ms));  // there: 10 ms, and the thread goes on
  });
}

// -- run_in_executor --------------------------------------------------------------------------------------------------

TEST(AsyncioThreads, RunInExecutorRunsOnTheExecutorThatIsNamed) {
  run_well([]() -> task<void> {
    thread_pool one(1);
    auto first = spawn(run_blocking(one, [] { consume(1s); }));
    auto second = spawn(run_blocking(one, [] { consume(1s); }));
    auto elsewhere = spawn(run_blocking([] { consume(1s); }));
    co_await elsewhere.join();
    EXPECT_EQ(now(), time_point(1s));
    co_await first.join();
    co_await second.join();
    EXPECT_EQ(now(), time_point(2s));
  });
}

TEST(AsyncioThreads, SeveralFunctionsOverlapAsFarAsThereAreWorkers) {
  run_well([]() -> task<void> {
    thread_pool two(2);
    std::vector<join_handle<void>> all;
    for (int i = 0; i < 4; ++i) all.push_back(spawn(run_blocking(two, [] { consume(1s); })));
    for (auto& each : all) co_await each.join();
    EXPECT_EQ(now(), time_point(2s));
  });
}

// concurrent.futures.Future.cancel(): only what waits in the queue.
TEST(AsyncioThreads, AFunctionThatWaitsForAWorkerIsNeverRunOnceItIsCancelled) {
  run_well([]() -> task<void> {
    thread_pool one(1);
    bool ran = false;
    auto running = spawn(run_blocking(one, [] { consume(1s); }));
    auto queued = spawn(run_blocking(one, [&ran] { ran = true; }));
    co_await sleep_for(1ms);
    queued.cancel();
    EXPECT_TRUE(co_await was_cancelled(queued));
    EXPECT_EQ(now(), time_point(1ms));
    co_await running.join();
    co_await sleep_for(1s);
    EXPECT_FALSE(ran);
  });
}

TEST(AsyncioThreads, ExecutorsTakeFunctionsInTheOrderInWhichTheyWereGiven) {
  run_well([]() -> task<void> {
    thread_pool one(1);
    std::string order;
    std::vector<join_handle<void>> all;
    for (const char name : {'a', 'b', 'c', 'd'}) {
      all.push_back(spawn(run_blocking(one, [&order, name] {
        order += name;
        consume(1ms);
      })));
    }
    for (auto& each : all) co_await each.join();
    EXPECT_EQ(order, "abcd");
  });
}

TEST(AsyncioThreads, MapIsWhenAll) {
  run_well([]() -> task<void> {
    thread_pool pool(2);
    std::vector<task<int>> squares;
    for (int i = 0; i < 5; ++i) {
      squares.push_back(run_blocking(pool, [i] {
        consume(1s);
        return i * i;
      }));
    }
    EXPECT_THAT(co_await when_all(std::move(squares)), ElementsAre(0, 1, 4, 9, 16));
    EXPECT_EQ(now(), time_point(3s));
  });
}

// There, an error comes when its turn in the results does, and what has begun meanwhile is nobody's.
TEST(AsyncioThreads, UnlikeThereAnErrorOfAMapTakesBackWhatHasNotBegun) {
  run_well([]() -> task<void> {
    thread_pool one(1);
    bool ran = false;
    std::vector<task<void>> jobs;
    jobs.push_back(run_blocking(one, [] {
      consume(1s);
      throw std::runtime_error("disk full");
    }));
    jobs.push_back(run_blocking(one, [] { consume(1s); }));
    jobs.push_back(run_blocking(one, [&ran] { ran = true; }));
    EXPECT_THROW(co_await when_all(std::move(jobs)), std::runtime_error);
    EXPECT_EQ(one.unfinished(), 0u);
    co_await sleep_for(1h);
    EXPECT_FALSE(ran);
  });
}

TEST(AsyncioThreads, AnExecutorThatWasShutDownTakesNothing) {
  const judged_run run = judge([]() -> task<void> {
    thread_pool pool(1, "cpu");
    co_await pool.shut_down();
    EXPECT_THROW(co_await run_blocking(pool, [] {}), misuse);
  });
  EXPECT_THAT(run.kinds(), ElementsAre(verdict_kind::misuse));
}

TEST(AsyncioThreads, ShutdownWaitsForQueuedFunctionsToo) {
  run_well([]() -> task<void> {
    thread_pool one(1);
    int ran = 0;
    std::vector<join_handle<void>> all;
    for (int i = 0; i < 3; ++i) {
      all.push_back(spawn(run_blocking(one, [&ran] {
        ++ran;
        consume(1s);
      })));
    }
    co_await settle();
    EXPECT_EQ(co_await one.shut_down(), 0u);
    EXPECT_EQ(ran, 3);
    EXPECT_EQ(now(), time_point(3s));
    for (auto& each : all) co_await each.join();
  });
}

// -- the default executor ---------------------------------------------------------------------------------------------

TEST(AsyncioThreads, TheDefaultExecutorIsMadeAtFirstUseWithAFixedNumberOfWorkers) {
  run_well([]() -> task<void> {  // there: min(32, cores + 4), as with the operating system here
    std::vector<join_handle<void>> all;
    for (int i = 0; i < 8; ++i) all.push_back(spawn(run_blocking([] { consume(1s); })));
    for (auto& each : all) co_await each.join();
    EXPECT_EQ(now(), time_point(2s));
  });
}

TEST(AsyncioThreads, SetDefaultExecutorSendsWhatComesThere) {
  run_well([]() -> task<void> {
    thread_pool one(1);
    set_default_executor(one);
    auto first = spawn(run_blocking([] { consume(1s); }));
    auto second = spawn(run_blocking([] { consume(1s); }));
    co_await first.join();
    co_await second.join();
    EXPECT_EQ(now(), time_point(2s));
  });
}

TEST(AsyncioThreads, ShutdownDefaultExecutorWaitsForItsFunctions) {
  run_well([]() -> task<void> {
    auto waiting = spawn(run_blocking([] { consume(1s); }));
    co_await settle();
    EXPECT_EQ(co_await shut_down_default_executor(), 0u);
    EXPECT_EQ(now(), time_point(1s));
    co_await waiting.join();
  });
}

// There: a RuntimeWarning, and the threads are left alone.
TEST(AsyncioThreads, ShutdownDefaultExecutorWaitsNoLongerThanItsTimeout) {
  run_well([]() -> task<void> {
    auto waiting = spawn(run_blocking([] { consume(1h); }));
    co_await settle();
    EXPECT_EQ(co_await shut_down_default_executor(5s), 1u);
    EXPECT_EQ(now(), time_point(5s));
    co_await waiting.join();
  });
}

TEST(AsyncioThreads, AfterItsShutdownTheDefaultExecutorTakesNothingEvenIfNobodyHadUsedIt) {
  const judged_run run = judge([]() -> task<void> {
    co_await shut_down_default_executor();
    EXPECT_THROW(co_await run_blocking([] {}), misuse);
  });
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::misuse));
  EXPECT_THAT(run.verdicts[0].message, HasSubstr("shut down"));
}

// -- what the guides say ----------------------------------------------------------------------------------------------

TEST(AsyncioThreads, WaitingOverlapsOnOneLoopAndComputingNeedsWorkers) {
  run_well([]() -> task<void> {
    thread_pool four(4);
    const auto wait = []() -> task<void> { co_await sleep_for(100ms); };
    const auto compute_here = []() -> task<void> {
      consume(100ms);
      co_return;
    };
    const auto ten_times = [](auto make) -> task<duration> {
      const time_point began = now();
      std::vector<join_handle<void>> all;
      for (int i = 0; i < 10; ++i) all.push_back(spawn(make()));
      for (auto& each : all) co_await each.join();
      co_return now() - began;
    };
    EXPECT_EQ(co_await ten_times(wait), 100ms);
    EXPECT_EQ(co_await ten_times(compute_here), 1s);
    EXPECT_EQ(co_await ten_times([&] { return run_blocking(four, [] { consume(100ms); }); }), 300ms);
  });
}

// Debug mode there: "Non-thread-safe operation invoked on an event loop other than the current one".
TEST(AsyncioThreads, UsingTheLoopFromAFunctionIsCaught) {
  const judged_run run = judge([]() -> task<void> {
    event done("done");
    EXPECT_THROW(co_await run_blocking([&done] { done.set(); }), misuse);
  });
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::misuse));
  EXPECT_THAT(run.verdicts[0].message, HasSubstr("event \"done\" was set in a blocking job"));
}

}  // namespace
}  // namespace lockstep
