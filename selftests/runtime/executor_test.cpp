// Executors of a program's own: good ones, and such as break their word.
#include "../sync/schedules.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
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

// A pool of threads as a program may have it, which takes functions that can be copied.
class some_pool {
 public:
  explicit some_pool(unsigned count) {
    for (unsigned i = 0; i < count; ++i) threads_.emplace_back([this] { serve(); });
  }
  some_pool(const some_pool&) = delete;
  some_pool& operator=(const some_pool&) = delete;
  ~some_pool() {
    stop();
    for (std::thread& each : threads_) each.join();
  }
  // What is queued is dropped when the pool dies.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
  }
  void post(std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(work));
    }
    changed_.notify_one();
  }

 private:
  void serve() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return over_ || !queue_.empty(); });
      if (over_) return;
      const std::function<void()> next = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      next();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  std::vector<std::thread> threads_;
  bool over_ = false;
};

class on_some_pool final : public executor {
 public:
  explicit on_some_pool(some_pool& pool) : pool_(pool) {}
  void submit(job work) override {
    pool_.post([kept = std::make_shared<job>(std::move(work))] { (*kept)(); });
  }

 private:
  some_pool& pool_;
};

// Keeps jobs until it is told to call them.
class keeping final : public executor {
 public:
  void submit(job work) override { kept.push_back(std::move(work)); }
  std::vector<job> kept;
};
class dropping final : public executor {
 public:
  void submit(job) override {}
};
class throwing final : public executor {
 public:
  void submit(job) override { throw std::runtime_error("no threads left"); }
};
class immediate final : public executor {
 public:
  void submit(job work) override { work(); }
};

// A door that threads and the test's own code open and wait at.
class door {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

// -- threads ----------------------------------------------------------------------------------------------------------

TEST(ExecutorTest, JobsRunOnTheThreadsOfAProgramsOwnPool) {
  some_pool pool(3);
  on_some_pool on(pool);
  const judged_run run = judge([&on]() -> task<void> {
    const std::thread::id here = std::this_thread::get_id();
    std::vector<join_handle<int>> jobs;
    for (int i = 0; i < 20; ++i) {
      auto work = [i, here] {
        EXPECT_NE(std::this_thread::get_id(), here);
        return i * i;
      };
      jobs.push_back(spawn(run_blocking(on, work)));
    }
    for (int i = 0; i < 20; ++i) EXPECT_EQ(co_await jobs[static_cast<std::size_t>(i)].join(), i * i);
    EXPECT_THROW(co_await run_blocking(on, [] { throw std::out_of_range("beyond"); }), std::out_of_range);
    EXPECT_EQ(now(), time_point{});  // what is outside of the simulation takes none of its time
  });
  EXPECT_EQ(run.messages(), "");
}

TEST(ExecutorTest, VirtualTimeHoldsWhileAThreadWorks) {
  some_pool pool(1);
  on_some_pool on(pool);
  const judged_run run = judge([&on]() -> task<void> {
    bool slept = false;
    const auto sleeps = [&slept]() -> task<void> {
      co_await sleep_for(1s);
      slept = true;
    };
    auto sleeper = spawn(sleeps());
    const time_point seen = co_await run_blocking(on, [] {
      consume(1h);  // which a thread does not
      return now();
    });
    EXPECT_EQ(seen, time_point{});
    EXPECT_FALSE(slept);
    co_await sleeper.join();
  });
  EXPECT_EQ(run.messages(), "");
}

TEST(ExecutorTest, ObjectsOfTheRunAreRefusedOnThreadsAsInASimulation) {
  some_pool pool(1);
  on_some_pool on(pool);
  const auto main = [](executor* threads) -> task<void> {
    event done("done");
    const auto set = [&done] { done.set(); };
    if (threads != nullptr) {
      EXPECT_THROW(co_await run_blocking(*threads, set), misuse);
    } else {
      EXPECT_THROW(co_await run_blocking(set), misuse);
    }
  };
  const judged_run on_threads = judge([&] { return main(&on); });
  const judged_run simulated = judge([&] { return main(nullptr); });
  EXPECT_THAT(on_threads.kinds(), ElementsAre(verdict_kind::misuse));
  EXPECT_EQ(on_threads.messages(), simulated.messages());
}

TEST(ExecutorTest, AJobThatRunsIsAwaitedWhenItsTaskIsCancelled) {
  some_pool pool(1);
  on_some_pool on(pool);
  const judged_run run = judge([&on]() -> task<void> {
    door begun;
    door go_on;
    bool ended = false;
    const auto work = [&]() -> task<void> {
      co_await run_blocking(on, [&] {
        begun.open();
        go_on.wait();
        ended = true;
      });
    };
    auto job = spawn(work());
    auto never = spawn(run_blocking(on, [] { ADD_FAILURE() << "it was taken back"; }));
    co_await yield();
    begun.wait();
    job.cancel();
    never.cancel();
    EXPECT_TRUE(co_await was_cancelled(never));
    EXPECT_FALSE(job.done());
    go_on.open();
    EXPECT_TRUE(co_await was_cancelled(job));
    EXPECT_TRUE(ended);
  });
  EXPECT_EQ(run.messages(), "");
}

#ifdef __cpp_lib_jthread
TEST(ExecutorTest, CancellationStopsTheTokenOfAJobThatRuns) {
  some_pool pool(1);
  on_some_pool on(pool);
  const judged_run run = judge([&on]() -> task<void> {
    door begun;
    const auto work = [&]() -> task<void> {
      co_await run_blocking(on, [&begun](std::stop_token stop) {
        begun.open();
        door stopped;
        const std::stop_callback when_stopped(stop, [&stopped] { stopped.open(); });
        stopped.wait();
      });
    };
    auto job = spawn(work());
    co_await yield();
    begun.wait();
    job.cancel();
    EXPECT_TRUE(co_await was_cancelled(job));
  });
  EXPECT_EQ(run.messages(), "");
}
#endif

// The function may refer to what dies with the task.
TEST(ExecutorTest, ATaskThatDiesWaitsForItsJobThatRuns) {
  some_pool pool(1);
  on_some_pool on(pool);
  bool ended = false;
  bool ended_before_its_task = false;
  const judged_run run = judge([&]() -> task<void> {
    door begun;
    struct witness {
      bool& ended;
      bool& seen;
      ~witness() { seen = ended; }
    };
    const auto work = [&]() -> task<void> {
      const witness at_the_end{ended, ended_before_its_task};
      co_await run_blocking(on, [&begun, &ended] {
        begun.open();
        std::this_thread::yield();
        ended = true;
      });
    };
    auto job = spawn(work());
    co_await yield();
    begun.wait();
    // The handle dies too early.
  });
  EXPECT_THAT(run.kinds(), ElementsAre(verdict_kind::dropped_handle));
  EXPECT_TRUE(ended_before_its_task);
}

TEST(ExecutorTest, JobsThatManyTasksCancelOnThreadsAreRunOnceOrNotAtAll) {
  some_pool pool(4);
  on_some_pool on(pool);
  const judged_run run = judge([&on]() -> task<void> {
    std::vector<int> ran(200, 0);
    std::vector<join_handle<void>> jobs;
    for (int& each : ran) jobs.push_back(spawn(run_blocking(on, [&each] { ++each; })));
    co_await yield();
    for (std::size_t i = 0; i < jobs.size(); i += 3) jobs[i].cancel();
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const bool was = co_await was_cancelled(jobs[i]);
      if (i % 3 != 0) {
        EXPECT_FALSE(was);
      }
      if (!was) {
        EXPECT_EQ(ran[i], 1);
      }
      EXPECT_LE(ran[i], 1);
    }
  });
  EXPECT_EQ(run.messages(), "");
}

TEST(ExecutorTest, WhatAPoolDropsAtItsEndIsABrokenPromise) {
  auto pool = std::make_unique<some_pool>(1);
  on_some_pool on(*pool);
  const judged_run run = judge([&]() -> task<void> {
    door begun;
    door go_on;
    auto first = spawn(run_blocking(on, [&] {
      begun.open();
      go_on.wait();
    }));
    auto second = spawn(run_blocking(on, [] { ADD_FAILURE() << "it was dropped"; }));
    co_await yield();
    begun.wait();
    pool->stop();
    go_on.open();
    co_await first.join();
    pool.reset();
    bool broken = false;
    try {
      co_await second.join();
    } catch (const std::future_error& thrown) {
      broken = thrown.code() == std::future_errc::broken_promise;
    }
    EXPECT_TRUE(broken);
  });
  EXPECT_EQ(run.messages(), "");
}

// -- those that break their word --------------------------------------------------------------------------------------

template <class Executor>
std::string error_of_job() {
  Executor on;
  return judge([&on]() -> task<void> { static_cast<void>(co_await run_blocking(on, [] { return 1; })); }).failure;
}

TEST(ExecutorTest, AJobThatIsDroppedIsABrokenPromise) {
  dropping on;
  const judged_run run = judge([&on]() -> task<void> {
    bool broken = false;
    try {
      co_await run_blocking(on, [] {});
    } catch (const std::future_error& thrown) {
      broken = thrown.code() == std::future_errc::broken_promise;
    }
    EXPECT_TRUE(broken);
  });
  EXPECT_EQ(run.messages(), "");
}

TEST(ExecutorTest, WhatItThrowsTheTaskGets) { EXPECT_EQ(error_of_job<throwing>(), "no threads left"); }

TEST(ExecutorTest, ItMayRunAJobAtOnceWhichIsABlockingJobAllTheSame) {
  immediate on;
  const judged_run run = judge([&on]() -> task<void> {
    event done("done");
    EXPECT_EQ(co_await run_blocking(on, [] { return 42; }), 42);
    EXPECT_THROW(co_await run_blocking(on, [&] { done.set(); }), misuse);
  });
  EXPECT_THAT(run.kinds(), ElementsAre(verdict_kind::misuse));
}

TEST(ExecutorTest, AJobThatIsCalledAfterItWasTakenBackDoesNothing) {
  keeping on;
  bool ran = false;
  const judged_run run = judge([&]() -> task<void> {
    auto waiting = spawn(run_blocking(on, [&ran] { ran = true; }));
    co_await yield();
    waiting.cancel();
    EXPECT_TRUE(co_await was_cancelled(waiting));
  });
  EXPECT_EQ(run.messages(), "");
  ASSERT_EQ(on.kept.size(), 1u);
  on.kept[0]();  // after the run
  on.kept[0]();
  EXPECT_FALSE(ran);
}

TEST(ExecutorTest, AJobIsCalledOnceAndMayBeMoved) {
  keeping on;
  int ran = 0;
  const judged_run run = judge([&]() -> task<void> {
    auto waiting = spawn(run_blocking(on, [&ran] { ++ran; }));
    co_await yield();
    job moved = std::move(on.kept[0]);
    on.kept[0]();  // moved from
    EXPECT_EQ(ran, 0);
    moved();
    moved();
    co_await waiting.join();
  });
  EXPECT_EQ(run.messages(), "");
  EXPECT_EQ(ran, 1);
}

}  // namespace
}  // namespace lockstep
