// Waits that another thread ends.
#include "foreign_coroutines.hpp"
#include "judged_run.hpp"

#include <lockstep/testing/testing.hpp>

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

}  // namespace
}  // namespace lockstep
