#include "../base/sanitizers.hpp"
#include "judged_run.hpp"

#include <lockstep/testing/testing.hpp>

#include <atomic>
#include <coroutine>
#include <functional>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#ifdef LOCKSTEP_UNDER_TSAN
// libstdc++ is not built for ThreadSanitizer, which cannot see how it counts who holds an exception.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:std::runtime_error::~runtime_error\nrace:std::__exception_ptr::exception_ptr::_M_release\n";
}
#endif

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::MatchesRegex;

// Awaited as outside(x): does its work on another thread, and ends when that is done.
class work_elsewhere {
 public:
  explicit work_elsewhere(std::function<void()> work) : work_(std::move(work)) {}
  work_elsewhere(const work_elsewhere&) = delete;
  work_elsewhere& operator=(const work_elsewhere&) = delete;
  ~work_elsewhere() {
    if (thread_.joinable()) thread_.join();
  }
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    thread_ = std::thread([this, waiter] {
      work_();
      waiter.resume();
    });
  }
  void await_resume() const noexcept {}

 private:
  std::function<void()> work_;
  std::thread thread_;
};

task<int> add(int a, int b) {
  co_await yield();
  co_return a + b;
}

task<void> fail() {
  co_await yield();
  throw std::runtime_error("disk full");
}

task<void> clean_up_when_cancelled(bool* done) {
  try {
    co_await sleep_for(1h);
  } catch (const cancelled&) {
    *done = true;
    throw;
  }
}

// What `wanted` gives a thread.
template <class T>
std::string outcome_of(remote_task<T>& wanted) {
  try {
    if constexpr (std::is_void_v<T>) {
      wanted.get();
      return "done";
    } else {
      return std::to_string(wanted.get());
    }
  } catch (const cancelled& why) {
    return "cancelled: " + std::string(why.reason());
  } catch (const std::exception& error) {
    return error.what();
  }
}

TEST(LoopRemoteTest, CallsAreMadeOnTheLoopsThreadInOrder) {
  std::vector<int> called;
  const auto main = [&]() -> task<void> {
    const loop_remote home;
    const std::thread::id here = std::this_thread::get_id();
    work_elsewhere work([&] {
      for (int i = 0; i < 5; ++i) {
        EXPECT_TRUE(home.call_soon_threadsafe([&, i] {
          EXPECT_EQ(std::this_thread::get_id(), here);
          EXPECT_EQ(current_task().parent()->name(), "main");
          called.push_back(i);
        }));
      }
    });
    co_await outside(work);
    co_await settle();
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_THAT(called, ElementsAre(0, 1, 2, 3, 4));
}

TEST(LoopRemoteTest, ACallWakesALoopThatWaitsForAThread) {
  const auto main = []() -> task<void> {
    const loop_remote home;
    std::latch made(1);
    work_elsewhere work([&] {
      EXPECT_TRUE(home.call_soon_threadsafe([&] { made.count_down(); }));
      made.wait();
    });
    co_await outside(work);
  };
  EXPECT_EQ(judge(main).messages(), "");
}

TEST(LoopRemoteTest, MayBeUsedOnTheLoopsOwnThread) {
  bool called = false;
  const auto main = [&]() -> task<void> {
    EXPECT_TRUE(loop_remote().call_soon_threadsafe([&] { called = true; }));
    co_await settle();
    EXPECT_TRUE(called);
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_THROW(loop_remote(), misuse);
}

TEST(LoopRemoteTest, RefusesWhenTheMainTaskTheRunOrTheLoopIsOver) {
  const auto held = std::make_shared<int>(1);
  const auto call = [held] { ADD_FAILURE(); };
  const long before = held.use_count();
  std::optional<loop_remote> home;
  auto refused = [&] {
    EXPECT_FALSE(home->call_soon_threadsafe(call));
    EXPECT_EQ(held.use_count(), before);
  };
  const auto main = [&]() -> task<void> {
    home.emplace();
    // Ends behind the main task.
    const auto serve = [](const auto* late) -> task<void> {
      try {
        co_await sleep_for(1h);
      } catch (const cancelled&) {
        (*late)();
        throw;
      }
    };
    spawn_daemon(serve(&refused));
    co_await yield();
  };
  {
    sim::world world;
    world.start();
    world.drive(main());
    refused();
    world.finish();
    refused();
    world.start();
    refused();
    world.finish();
    EXPECT_THAT(world.verdicts(), testing::IsEmpty());
  }
  std::thread(refused).join();
}

// It was taken, and there is no step any more in which it could be called.
TEST(LoopRemoteTest, WhatComesTooLateIsDroppedOnTheLoopsThread) {
  const auto held = std::make_shared<int>(1);
  bool called = false;
  const auto main = [&]() -> task<void> {
    const loop_remote home;
    std::thread([&] { EXPECT_TRUE(home.call_soon_threadsafe([&, held] { called = true; })); }).join();
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_FALSE(called);
  EXPECT_EQ(held.use_count(), 1);
}

// A thread that only may call does not hold the clock.
TEST(LoopRemoteTest, TheClockDoesNotWaitForACall) {
  std::latch over(1);
  std::thread late;
  const auto main = [&]() -> task<void> {
    late = std::thread([&, home = loop_remote()] {
      over.wait();
      EXPECT_FALSE(home.call_soon_threadsafe([] { ADD_FAILURE(); }));
    });
    co_await sleep_for(1h);
  };
  const judged_run run = judge(main);
  EXPECT_EQ(run.messages(), "");
  EXPECT_EQ(run.summary.virtual_time, 1h);
  over.count_down();
  late.join();
}

TEST(LoopRemoteTest, AnExceptionThatLeavesACallIsTheRuns) {
  unsigned line = 0;
  const auto main = [&]() -> task<void> {
    const loop_remote home;
    work_elsewhere work([&] {
      line = source::current().line() + 1;
      home.call_soon_threadsafe([] { throw std::runtime_error("disk full"); });
    });
    co_await outside(work);
    co_await settle();
  };
  const judged_run run = judge(main);
  EXPECT_EQ(run.messages(),
            "unhandled exception: callback 1 (loop_remote_test.cpp:" + std::to_string(line) + ") failed: disk full\n");
}

// -- tasks ------------------------------------------------------------------------------------------------------------

TEST(LoopRemoteTest, RunsATaskForAThreadAndGivesItTheResult) {
  std::vector<std::string> results;
  int value = 7;
  const auto main = [&]() -> task<void> {
    const loop_remote home;
    work_elsewhere work([&] {
      auto sum = home.spawn_threadsafe([a = std::make_shared<int>(3)] { return add(*a, 4); }, "adder");
      results.push_back(outcome_of(sum));
      auto failing = home.spawn_threadsafe([] { return fail(); });
      results.push_back(outcome_of(failing));
      home.spawn_threadsafe([]() -> task<void> { co_await yield(); }).get();
      EXPECT_EQ(&home.spawn_threadsafe([&value]() -> task<int&> { co_return value; }).get(), &value);
    });
    co_await outside(work);
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_THAT(results, ElementsAre("7", "disk full"));
}

TEST(LoopRemoteTest, CancellationGoesBothWays) {
  std::vector<std::string> results;
  const auto main = [&]() -> task<void> {
    const loop_remote home;
    event begun("begun");
    const auto wait_for_ever = [&]() -> task<void> {
      begun.set();
      co_await event().wait();
    };
    work_elsewhere work([&] {
      std::latch began(1);
      auto from_here = home.spawn_threadsafe([&]() -> task<int> {
        began.count_down();
        co_await event("never").wait();
        co_return 0;
      });
      began.wait();
      EXPECT_TRUE(from_here.cancel("by the thread"));
      results.push_back(outcome_of(from_here));
      EXPECT_TRUE(from_here.cancel("too late"));

      auto at_once = home.spawn_threadsafe([] { return add(1, 2); });
      at_once.cancel("at once");
      const std::string came_to = outcome_of(at_once);
      EXPECT_THAT(came_to, testing::AnyOf("cancelled: at once", "3"));

      auto from_there = home.spawn_threadsafe(wait_for_ever, "waiter");
      results.push_back(outcome_of(from_there));
    });
    const auto cancel_it = [&]() -> task<void> {
      co_await begun.wait();
      for (agent* who : current_loop()->alive()) {
        if (who->name() == "waiter") who->cancel("by the loop");
      }
    };
    auto canceller = spawn(cancel_it());
    co_await outside(work);
    co_await canceller.join();
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_THAT(results, ElementsAre("cancelled: by the thread", "cancelled: by the loop"));
}

TEST(LoopRemoteTest, WhatStillRunsAtTheEndIsCancelledAndAwaited) {
  bool cleaned_up = false;
  std::optional<remote_task<void>> serving;
  const auto main = [&]() -> task<void> {
    const loop_remote home;
    work_elsewhere work([&] {
      std::latch began(1);
      serving.emplace(home.spawn_threadsafe([&]() -> task<void> {
        began.count_down();
        co_await clean_up_when_cancelled(&cleaned_up);
      }));
      began.wait();
    });
    co_await outside(work);
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_TRUE(cleaned_up);
  EXPECT_EQ(outcome_of(*serving), "cancelled: ");
  EXPECT_FALSE(serving->cancel());
}

TEST(LoopRemoteTest, NobodyIsLeftWaitingForATaskThatDoesNotRun) {
  std::optional<loop_remote> kept;
  std::vector<std::string> results;
  std::optional<remote_task<int>> too_late;
  const auto main = [&]() -> task<void> {
    kept.emplace();
    std::thread([&] { too_late.emplace(kept->spawn_threadsafe([] { return add(1, 2); })); }).join();
    co_return;  // before it could be taken
  };
  EXPECT_EQ(judge(main).messages(), "");
  results.push_back(outcome_of(*too_late));
  std::thread([&] {
    auto refused = kept->spawn_threadsafe([] { return add(1, 2); });
    results.push_back(outcome_of(refused));
  }).join();

  std::optional<remote_task<int>> destroyed;
  const auto stands_still = [&]() -> task<void> {
    const loop_remote home;
    work_elsewhere work([&] {
      std::latch began(1);
      destroyed.emplace(home.spawn_threadsafe([&]() -> task<int> {
        began.count_down();
        co_await event("never").wait();
        co_return 0;
      }));
      began.wait();
    });
    co_await outside(work);
    co_await event("neither").wait();
  };
  EXPECT_THAT(judge(stands_still).kinds(), ElementsAre(verdict_kind::deadlock));
  results.push_back(outcome_of(*destroyed));
  const std::string gone = "cancelled: its run has ended";
  EXPECT_THAT(results, ElementsAre(gone, gone, gone));
}

TEST(LoopRemoteTest, NothingThatWasTakenIsLostOfManyThreads) {
  constexpr int threads = 4;
  constexpr int calls = 250;
  int called = 0;
  const auto main = [&]() -> task<void> {
    const loop_remote home;
    work_elsewhere work([&] {
      std::vector<std::thread> posters;
      for (int i = 0; i < threads; ++i) {
        posters.emplace_back([&, home] {
          for (int n = 0; n < calls; ++n) EXPECT_TRUE(home.call_soon_threadsafe([&] { ++called; }));
        });
      }
      for (std::thread& each : posters) each.join();
    });
    co_await outside(work);
    co_await settle();
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_EQ(called, threads * calls);
}

// The loop ends, and is destroyed, while threads still call: what was taken is called or dropped, all else refused.
TEST(LoopRemoteTest, ALoopMayGoWhileThreadsCall) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> alive = 0;
    struct counted {
      std::atomic<int>* of;
      explicit counted(std::atomic<int>* count) : of(count) { ++*of; }
      counted(const counted& other) : of(other.of) { ++*of; }
      counted& operator=(const counted&) = delete;
      ~counted() { --*of; }
    };
    std::vector<std::thread> callers;
    int called = 0;
    const auto main = [&]() -> task<void> {
      const loop_remote home;
      std::latch first(1);
      for (int i = 0; i < 3; ++i) {
        callers.emplace_back([&alive, &called, home] {
          constexpr int under_way_max = 32;
          const auto call = [&] {
            while (alive > under_way_max) std::this_thread::yield();
            return home.call_soon_threadsafe([&called, held = counted(&alive)] { ++called; });
          };
          while (call()) {
          }
          auto refused = home.spawn_threadsafe([] { return fail(); });
          EXPECT_EQ(outcome_of(refused), "cancelled: its run has ended");
        });
      }
      work_elsewhere work([&] {
        home.call_soon_threadsafe([&] { first.count_down(); });
        first.wait();
      });
      co_await outside(work);
    };
    EXPECT_EQ(judge(main).messages(), "");
    for (std::thread& each : callers) each.join();
    EXPECT_EQ(alive, 0);
  }
}

}  // namespace
}  // namespace lockstep
