// Blocking jobs on threads: in a world on the operating system, and in a simulation that waits for them.
#include "../sync/schedules.hpp"

#include <lockstep/real/worker_threads.hpp>
#include <lockstep/real/world.hpp>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

// Runs `make()` on the operating system. Nothing may be wrong with it.
template <class F>
void run_well(F make) {
  real::world world;
  world.run(std::move(make));
  for (const verdict& each : world.verdicts()) ADD_FAILURE() << each.message;
}

// Opens when so many wait at it: all of them must be at work at once.
class meeting {
 public:
  explicit meeting(unsigned awaited) : left_(awaited) {}
  void arrive_and_wait() {
    std::unique_lock lock(mutex_);
    if (--left_ == 0) return complete_.notify_all();
    complete_.wait(lock, [this] { return left_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable complete_;
  unsigned left_;
};

// -- on the operating system ------------------------------------------------------------------------------------------

TEST(WorkerThreadsTest, ReturnWhatTheFunctionsReturnAndThrowWhatTheyThrow) {
  run_well([]() -> task<void> {
    const std::thread::id here = std::this_thread::get_id();
    EXPECT_NE(co_await run_blocking([] { return std::this_thread::get_id(); }), here);
    EXPECT_EQ(std::this_thread::get_id(), here);
    EXPECT_EQ(*co_await run_blocking([] { return std::make_unique<int>(42); }), 42);
    EXPECT_THROW(co_await run_blocking([] { throw std::out_of_range("beyond"); }), std::out_of_range);
  });
}

TEST(WorkerThreadsTest, WorkAtOnceAsManyAsThereAre) {
  run_well([]() -> task<void> {
    thread_pool three(3, "three");
    meeting all(3);
    std::vector<join_handle<void>> jobs;
    for (int i = 0; i < 3; ++i) jobs.push_back(spawn(run_blocking(three, [&all] { all.arrive_and_wait(); })));
    for (auto& each : jobs) co_await each.join();
  });
}

TEST(WorkerThreadsTest, LeaveTheLoopFree) {
  run_well([]() -> task<void> {
    meeting both(2);
    auto job = spawn(run_blocking([&both] { both.arrive_and_wait(); }));
    for (int i = 0; i < 100; ++i) co_await yield();
    EXPECT_FALSE(job.done());
    auto other = spawn(run_blocking([&both] { both.arrive_and_wait(); }));
    co_await job.join();
    co_await other.join();
  });
}

TEST(WorkerThreadsTest, RunEveryJobOnceHoweverManyThereAre) {
  run_well([]() -> task<void> {
    thread_pool four(4);
    std::atomic<int> ran = 0;
    std::vector<join_handle<int>> jobs;
    for (int i = 0; i < 500; ++i) {
      jobs.push_back(spawn(run_blocking(four, [i, &ran] {
        ++ran;
        return i;
      })));
    }
    for (int i = 0; i < 500; ++i) EXPECT_EQ(co_await jobs[static_cast<std::size_t>(i)].join(), i);
    EXPECT_EQ(ran, 500);
  });
}

TEST(WorkerThreadsTest, TakeJobsInTheOrderInWhichTheyWereGiven) {
  run_well([]() -> task<void> {
    thread_pool one(1);
    std::vector<int> order;
    std::vector<join_handle<void>> jobs;
    for (int i = 0; i < 20; ++i) jobs.push_back(spawn(run_blocking(one, [i, &order] { order.push_back(i); })));
    for (auto& each : jobs) co_await each.join();
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
    EXPECT_EQ(order.size(), 20u);
  });
}

TEST(WorkerThreadsTest, AJobTakesRealTimeAndConsumeNone) {
  run_well([]() -> task<void> {
    const time_point before = now();
    const time_point seen = co_await run_blocking([] {
      const time_point began = now();
      consume(1000h);
      EXPECT_LT(now() - began, 1000h);
      EXPECT_GE(now(), began);
      return began;
    });
    EXPECT_GE(seen, before);
    consume(1000h);
    EXPECT_LT(now(), time_point(1000h));
  });
}

TEST(WorkerThreadsTest, ACancelledJobIsTakenBackOrAwaited) {
  run_well([]() -> task<void> {
    thread_pool one(1);
    meeting begun(2);
    meeting go_on(2);
    bool ended = false;
    auto runs = spawn(run_blocking(one, [&] {
      begun.arrive_and_wait();
      go_on.arrive_and_wait();
      ended = true;
    }));
    auto waits = spawn(run_blocking(one, [] { ADD_FAILURE() << "it was taken back"; }));
    co_await yield();
    begun.arrive_and_wait();
    runs.cancel();
    waits.cancel();
    EXPECT_TRUE(co_await was_cancelled(waits));
    EXPECT_FALSE(runs.done());
    go_on.arrive_and_wait();
    EXPECT_TRUE(co_await was_cancelled(runs));
    EXPECT_TRUE(ended);
  });
}

TEST(WorkerThreadsTest, ATaskThatDiesWaitsForItsJob) {
  meeting begun(2);
  bool ended = false;
  bool ended_before = false;
  real::world world;
  world.run([&]() -> task<void> {
    struct witness {
      bool& ended;
      bool& seen;
      ~witness() { seen = ended; }
    };
    const auto work = [&]() -> task<void> {
      const witness at_the_end{ended, ended_before};
      co_await run_blocking([&] {
        begun.arrive_and_wait();
        ended = true;
      });
    };
    auto dropped = spawn(work());
    co_await yield();
    begun.arrive_and_wait();
  });
  EXPECT_TRUE(ended_before);
}

TEST(WorkerThreadsTest, ShuttingDownWaitsAndTellsHowManyHaveNotEnded) {
  run_well([]() -> task<void> {
    thread_pool one(1);
    meeting go_on(2);
    auto job = spawn(run_blocking(one, [&go_on] { go_on.arrive_and_wait(); }));
    co_await yield();
    EXPECT_EQ(co_await one.shut_down(1ms), 1u);
    go_on.arrive_and_wait();
    EXPECT_EQ(co_await one.shut_down(), 0u);
    co_await job.join();
  });
}

TEST(WorkerThreadsTest, APoolThatDiesBreaksThePromiseOfWhatWaits) {
  meeting begun(2);
  meeting go_on(2);
  real::world world;
  world.run([&]() -> task<void> {
    auto pool = std::make_unique<thread_pool>(1, label("one"));
    auto runs = spawn(run_blocking(*pool, [&] {
      begun.arrive_and_wait();
      go_on.arrive_and_wait();
      return 42;
    }));
    auto waiting = [dropped = std::shared_ptr<void>(nullptr, [&go_on](void*) { go_on.arrive_and_wait(); })] {
      ADD_FAILURE() << "it was dropped";
    };
    auto waits = spawn(run_blocking(*pool, std::move(waiting)));
    co_await yield();
    begun.arrive_and_wait();
    pool.reset();  // drops the one that waits, which lets the other go on, and waits for it
    EXPECT_EQ(co_await runs.join(), 42);
    EXPECT_THROW(co_await waits.join(), std::future_error);
  });
  ASSERT_EQ(world.verdicts().size(), 1u);
  EXPECT_THAT(world.verdicts()[0].message, HasSubstr("the thread_pool \"one\" died while task"));
}

TEST(WorkerThreadsTest, WhatIsMisuseInASimulationIsMisuseOnAThread) {
  const auto sets = []() -> task<void> {
    event done("done");
    EXPECT_THROW(co_await run_blocking([&done] { done.set(); }), misuse);
    EXPECT_THROW(co_await run_blocking([] { static_cast<void>(wall_now()); }), misuse);
  };
  const auto text_of = [](const std::vector<verdict>& found) {
    std::string text;
    for (const verdict& each : found) text += each.message + '\n';
    return text;
  };
  real::world on_threads;
  on_threads.run(sets());
  sim::world simulated;
  simulated.run(sets());
  EXPECT_THAT(text_of(on_threads.verdicts()), HasSubstr("event \"done\" was set in a blocking job"));
  EXPECT_EQ(text_of(on_threads.verdicts()), text_of(simulated.verdicts()));
}

TEST(WorkerThreadsTest, TheDefaultPoolEndsWithTheRunAndTheNextHasItsOwn) {
  real::world world;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(world.run([]() -> task<int> { co_return co_await run_blocking([] { return 42; }); }), 42);
    EXPECT_THAT(world.verdicts(), testing::IsEmpty());
  }
}

// -- by themselves ----------------------------------------------------------------------------------------------------

TEST(WorkerThreadsTest, AreStartedWhenTheyAreNeeded) {
  real::worker_threads threads(3, "few");
  EXPECT_EQ(threads.started(), 0u);
  const judged_run run = judge([&threads]() -> task<void> {
    co_await run_blocking(threads, [] {});
    EXPECT_EQ(threads.started(), 1u);
    meeting all(3);
    std::vector<join_handle<void>> jobs;
    for (int i = 0; i < 3; ++i) jobs.push_back(spawn(run_blocking(threads, [&all] { all.arrive_and_wait(); })));
    for (auto& each : jobs) co_await each.join();
    EXPECT_EQ(threads.started(), 3u);
    for (int i = 0; i < 10; ++i) co_await run_blocking(threads, [] {});
    EXPECT_EQ(threads.started(), 3u);
  });
  EXPECT_EQ(run.messages(), "");
}

TEST(WorkerThreadsTest, MayServeASimulationWhoseClockHoldsMeanwhile) {
  real::worker_threads threads(2);
  const judged_run run = judge([&threads]() -> task<void> {
    const auto sleeps = []() -> task<void> { co_await sleep_for(1s); };
    auto sleeper = spawn(sleeps());
    EXPECT_EQ(co_await run_blocking(threads, [] { return 42; }), 42);
    EXPECT_EQ(now(), time_point{});
    co_await sleeper.join();
  });
  EXPECT_EQ(run.messages(), "");
}

TEST(WorkerThreadsTest, MayServeSeveralLoopsAtOnce) {
  real::worker_threads threads(2);
  std::vector<std::thread> loops;
  for (int i = 0; i < 3; ++i) {
    loops.emplace_back([&threads, i] {
      real::world world;
      const int sum = world.run([&threads, i]() -> task<int> {
        int total = 0;
        for (int k = 0; k < 20; ++k) {
          total += co_await run_blocking(threads, [i] { return i; });
        }
        co_return total;
      });
      EXPECT_EQ(sum, 20 * i);
    });
  }
  for (std::thread& each : loops) each.join();
}

}  // namespace
}  // namespace lockstep
