// Waits that another thread ends.
#include "foreign_coroutines.hpp"
#include "judged_run.hpp"

#include <lockstep/testing/testing.hpp>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// Ended by a thread that it starts.
class by_thread {
 public:
  by_thread() = default;
  by_thread(const by_thread&) = delete;
  by_thread& operator=(const by_thread&) = delete;
  ~by_thread() {
    if (thread_.joinable()) thread_.join();
  }
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    thread_ = std::thread([this, waiter] {
      value_ = 9;
      waiter.resume();
    });
  }
  int await_resume() const noexcept { return value_; }

 private:
  std::thread thread_;
  int value_ = 0;
};

TEST(ForeignThreadsTest, TheClockHoldsForAWaitThatIsOutside) {
  const auto main = []() -> task<void> {
    const auto tick = []() -> task<void> { co_await sleep_for(1h); };
    auto ticker = spawn(tick());
    const std::thread::id home = std::this_thread::get_id();
    for (int i = 0; i < 20; ++i) {
      by_thread work;
      EXPECT_EQ(co_await outside(work), 9);
      EXPECT_EQ(std::this_thread::get_id(), home);
      EXPECT_EQ(now(), time_point{});
    }
    co_await ticker.join();
  };
  const judged_run run = judge(main);
  EXPECT_EQ(run.messages(), "");
  EXPECT_TRUE(run.ended);
}

// Knows when it has begun who ends it: a thread, or the loop an hour later.
class by_either : public by_thread {
 public:
  explicit by_either(bool inside) : inside_(inside) {}
  void await_suspend(std::coroutine_handle<> waiter) {
    if (inside_) {
      call_later(1h, [waiter] { waiter.resume(); });
    } else {
      by_thread::await_suspend(waiter);
    }
  }
  bool ends_inside() const noexcept { return inside_; }

 private:
  bool inside_;
};

CO_TEST(ForeignThreadsTest, AnAwaiterMaySayWhenItHasBegunWhoEndsIt) {
  const auto tick = []() -> task<void> { co_await sleep_for(1s); };
  auto ticker = spawn(tick());
  by_either by_a_thread(false);
  EXPECT_EQ(co_await by_a_thread, 9);
  EXPECT_EQ(now(), time_point{});
  by_either by_the_loop(true);
  co_await by_the_loop;
  EXPECT_EQ(now(), time_point{1h});
  co_await ticker.join();
}

CO_TEST(ForeignThreadsTest, SeveralWaitsMayBeOutsideAtOnce) {
  const auto work = []() -> task<int> {
    by_thread thread;
    const int got = co_await outside(thread);
    co_await sleep_for(1s);
    co_return got;
  };
  int sum = 0;
  std::vector<join_handle<int>> handles;
  for (int i = 0; i < 10; ++i) handles.push_back(spawn(work()));
  for (auto& each : handles) sum += co_await each.join();
  EXPECT_EQ(sum, 90);
  EXPECT_EQ(now(), time_point{1s});
}

TEST(ForeignThreadsTest, OutsideTakesATemporaryToo) {
  struct twice {
    int value;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter) const { waiter.resume(); }
    int await_resume() const noexcept { return 2 * value; }
  };
  const auto main = []() -> task<void> { EXPECT_EQ(co_await outside(twice{4}), 8); };
  EXPECT_EQ(judge(main).messages(), "");
}

TEST(ForeignThreadsTest, OutsideTakesATemporaryThatCannotBeMoved) {
  const auto main = []() -> task<void> {
    EXPECT_EQ(co_await outside(by_thread()), 9);
    EXPECT_EQ(now(), time_point{});
  };
  const judged_run run = judge(main);
  EXPECT_EQ(run.messages(), "");
  EXPECT_TRUE(run.ended);
}

// The thread may end the wait just before or after the task is destroyed: then nothing may come of it.
TEST(ForeignThreadsTest, AWaitThatEndedAndWasNotSeenIsForgottenWithItsTask) {
  const auto main = []() -> task<void> {
    foreign::signal signal;
    const auto wait = [&]() -> task<void> { co_await outside(signal); };
    {
      const auto dropped = spawn(wait());
      co_await yield();
      std::thread other([&] { signal.fire(); });
      other.join();
    }
    co_await sleep_for(1s);  // the loop looks at its inbox
  };
  const judged_run run = judge(main);
  EXPECT_TRUE(run.ended);
  EXPECT_THAT(run.kinds(), ElementsAre(verdict_kind::dropped_handle));
}

TEST(ForeignThreadsTest, AWaitThatEndedAfterTheRunWasStoppedIsForgottenWithIt) {
  sim::world world;
  foreign::signal signal;
  const auto stopped = [&]() -> task<void> {
    const auto stop = [&]() -> task<void> {
      co_await yield();
      std::thread other([&] { signal.fire(); });
      other.join();
      current_loop()->stop();
    };
    auto stopper = spawn(stop());
    co_await outside(signal);
    co_await stopper.join();
  };
  world.start();
  EXPECT_FALSE(world.drive(stopped()));
  world.finish();
  const auto next = []() -> task<int> {
    co_await sleep_for(1s);
    co_return 1;
  };
  EXPECT_EQ(world.run(next()), 1);
}

TEST(ForeignThreadsTest, AThreadWithALoopOfItsOwnPostsToTheLoopOfTheWaiter) {
  const auto main = []() -> task<void> {
    foreign::signal signal;
    const auto fire = [&] {
      std::thread other([&] {
        const auto from_another_loop = [&]() -> task<void> {
          co_await sleep_for(1h);
          signal.fire(8);
        };
        EXPECT_EQ(judge(from_another_loop).messages(), "");
      });
      other.join();
    };
    const auto trigger = [&]() -> task<void> {
      fire();
      co_return;
    };
    auto firing = spawn(trigger());
    EXPECT_EQ(co_await outside(signal), 8);
    EXPECT_EQ(now(), time_point{});
    co_await firing.join();
  };
  EXPECT_EQ(judge(main).messages(), "");
}

// -- outside() forgotten ----------------------------------------------------------------------------------------------

// Whether the thread or the deadlock comes first: it is told, and the awaiter's destructor may wait for the thread.
TEST(ForeignThreadsTest, AWaitThatAThreadEndsAndThatIsNotMarkedIsMisuse) {
  for (int i = 0; i < 20; ++i) {
    unsigned line = 0;
    const auto main = [&]() -> task<void> {
      by_thread work;
      line = source::current().line() + 1;
      co_await work;
    };
    const judged_run run = judge(main);
    const auto found = std::find_if(run.verdicts.begin(), run.verdicts.end(),
                                    [](const verdict& each) { return each.kind == verdict_kind::misuse; });
    ASSERT_NE(found, run.verdicts.end()) << run.messages();
    EXPECT_THAT(found->message, testing::EndsWith("mark it, as in co_await outside(x)"));
    EXPECT_EQ(found->where.line(), line);
  }
}

TEST(ForeignThreadsTest, AWaitThatIsNotMarkedIsMisuseAlsoWhereItGoesWell) {
  const auto main = []() -> task<void> {
    foreign::signal signal;
    const auto fire = [&]() -> task<void> {
      std::thread other([&] { signal.fire(8); });
      other.join();
      co_return;
    };
    auto firing = spawn(fire());
    EXPECT_EQ(co_await signal, 8);
    co_await firing.join();
  };
  EXPECT_EQ(judge(main).messages(),
            "misuse: task \"main\" awaits what was resumed on another thread: mark it, as in co_await outside(x)\n");
}

// By the loop's own thread, a foreign awaitable may be resumed at any time, by another world too.
TEST(ForeignThreadsTest, AWaitThatAnInnerWorldEndsNeedsNoMark) {
  const auto main = []() -> task<void> {
    foreign::signal signal;
    const auto fire = [&]() -> task<void> {
      const auto inner = [&]() -> task<void> {
        signal.fire(8);
        co_return;
      };
      EXPECT_EQ(judge(inner).messages(), "");
      co_return;
    };
    auto firing = spawn(fire());
    EXPECT_EQ(co_await signal, 8);
    co_await firing.join();
  };
  EXPECT_EQ(judge(main).messages(), "");
}

// Waits in its destructor until the thread, which does not know of that, has resumed the coroutine.
class by_patient_thread {
 public:
  ~by_patient_thread() {
    ended_ = true;
    thread_.join();
  }
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    thread_ = std::thread([this, waiter] {
      while (!ended_) std::this_thread::yield();
      waiter.resume();
    });
  }
  void await_resume() const noexcept {}

 private:
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

TEST(ForeignThreadsTest, AThreadMayResumeWhatWasDestroyedInTheSameRun) {
  const auto main = []() -> task<void> {
    const auto wait_unmarked = []() -> task<void> { co_await by_patient_thread(); };
    const auto wait_marked = []() -> task<void> {
      by_patient_thread work;
      co_await outside(work);
    };
    {
      const auto dropped = spawn(wait_unmarked(), "unmarked");
      co_await yield();
    }
    {
      const auto dropped = spawn(wait_marked(), "marked");
      co_await yield();
    }
    co_await sleep_for(1s);
  };
  const judged_run run = judge(main);
  EXPECT_TRUE(run.ended);
  EXPECT_THAT(run.kinds(),
              ElementsAre(verdict_kind::dropped_handle, verdict_kind::dropped_handle, verdict_kind::misuse));
  EXPECT_THAT(run.messages(), testing::HasSubstr("a task that is gone awaited what was resumed on another thread"));
}

TEST(ForeignThreadsTest, AThreadMayResumeWhatWasDestroyedInTheRunBefore) {
  sim::world world;
  foreign::signal signal;
  const auto wait = [&]() -> task<void> { co_await signal; };
  world.start();
  EXPECT_FALSE(world.drive(wait()));
  world.finish();
  std::thread late([&] { signal.fire(); });
  late.join();
  const auto next = []() -> task<void> { co_await sleep_for(1s); };
  world.run(next());
  EXPECT_THAT(world.verdicts(), testing::IsEmpty());
}

TEST(ForeignThreadsTest, AResumptionOnItsOwnThreadThatComesTooLateDoesNothing) {
  const auto main = []() -> task<void> {
    foreign::signal signal;
    const auto wait = [&]() -> task<void> { co_await signal; };
    {
      const auto dropped = spawn(wait(), "waiter");
      co_await yield();
    }
    signal.fire();
    co_await sleep_for(1s);
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::dropped_handle));
}

}  // namespace
}  // namespace lockstep
