// Foreign waits that end while what began in their task's name still waits: it goes on in the name of its own.
#include "../sync/schedules.hpp"
#include "foreign_coroutines.hpp"

#include <lockstep/testing/testing.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Two foreign coroutines at once for one wait: both, or the first of them.
class foreign_pair {
 public:
  foreign_pair(int wanted, std::string& log, std::vector<duration> lengths)
      : wanted_(wanted), log_(log), lengths_(std::move(lengths)) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    for (const duration length : lengths_) branch(length);
  }
  void await_resume() const noexcept {}

 private:
  foreign::fire_and_forget branch(duration length) {
    const auto rest = [](duration how_long) -> task<void> { co_await sleep_for(how_long); };
    if (length > 1h) {
      co_await rest(length - 1h);  // through a task of ours
    } else {
      co_await sleep_for(length);
    }
    log_ += std::to_string(now().time_since_epoch() / 1s) + ' ';
    if (++ended_ == wanted_) waiter_.resume();
    co_await yield();
    log_ += "end ";
  }

  int wanted_;
  std::string& log_;
  std::vector<duration> lengths_;
  std::coroutine_handle<> waiter_;
  int ended_ = 0;
};

TEST(ForeignPartingsTest, AForeignCombinatorMayRunSeveralForOneWait) {
  const std::vector<std::vector<duration>> cases = {{1s, 2s},      {2s, 1s},           {1h + 1s, 2s}, {2s, 1h + 1s},
                                                    {1h + 2s, 1s}, {1h + 2s, 1h + 1s}, {1s, 1s}};
  contrary always_last;
  for (const auto& lengths : cases) {
    for (const int wanted : {1, 2}) {
      for (oracle* choices : {static_cast<oracle*>(nullptr), static_cast<oracle*>(&always_last)}) {
        SCOPED_TRACE(testing::Message() << "branches of " << lengths[0].count() << " and " << lengths[1].count()
                                        << " ns, waiting for " << wanted);
        std::string log;
        duration resumed_at{};
        const auto main = [&]() -> task<void> {
          {
            foreign_pair pair(wanted, log, lengths);
            co_await pair;
            resumed_at = now().time_since_epoch();
            co_await sleep_for(5s);
          }
          EXPECT_EQ(current_loop()->alive().size(), 1u);
        };
        sim::world_options how;
        how.choices = choices;
        const judged_run run = judge(main, how);
        EXPECT_TRUE(run.ended);
        EXPECT_EQ(run.messages(), "");
        const bool together = lengths[0] == lengths[1];
        EXPECT_EQ(resumed_at, wanted == 1 || together ? 1s : 2s);
        EXPECT_THAT(log, HasSubstr("1 "));
        EXPECT_EQ(std::count(log.begin(), log.end(), 'd'), 2);
      }
    }
  }
}

// Resumes its waiter there and then, from within whatever of ours it runs in.
class first_of_signal_and_task {
 public:
  explicit first_of_signal_and_task(task<void> work) : work_(std::move(work)) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    run();
  }
  void await_resume() const noexcept {}
  bool awaited() const noexcept { return static_cast<bool>(waiter_); }
  void fire() { std::exchange(waiter_, nullptr).resume(); }

 private:
  foreign::fire_and_forget run() { co_await std::move(work_); }

  task<void> work_;
  std::coroutine_handle<> waiter_;
};

TEST(ForeignPartingsTest, AWaitMayBeEndedByOurTaskThatActsWithinIt) {
  for (const duration delay : {0s, 1s}) {
    std::string log;
    const auto main = [&]() -> task<void> {
      first_of_signal_and_task* both = nullptr;
      const auto fire = [&]() -> task<void> {
        if (delay > 0s) co_await sleep_for(delay);
        if (both != nullptr) both->fire();
        log += "fired ";
        co_await sleep_for(1s);
        log += current_task().name();
      };
      first_of_signal_and_task either(fire());
      both = &either;
      co_await either;
      log += "resumed ";
      co_await sleep_for(2s);
      EXPECT_EQ(current_loop()->alive().size(), 1u);
    };
    EXPECT_EQ(judge(main).messages(), "");
    EXPECT_EQ(log, "fired resumed foreign coroutine 1");
  }
}

// Whoever it acts for has the lock, or waits for it, when the wait around it ends; or has yet to ask for it.
TEST(ForeignPartingsTest, OurTaskWithinAWaitThatHasEndedLocksAsAnyOther) {
  const auto main = []() -> task<void> {
    mutex lock;
    int inside = 0;
    const auto enter = [&]() -> task<void> {
      const mutex_guard held = co_await lock.lock();
      EXPECT_EQ(++inside, 1);
      co_await yield();
      EXPECT_EQ(--inside, 0);
    };
    first_of_signal_and_task either(enter());
    const auto wait = [&]() -> task<void> { co_await either; };
    const auto fire = [&]() -> task<void> {
      while (!either.awaited()) co_await yield();
      either.fire();
    };
    auto waiter = spawn(wait());
    auto beside = spawn(enter());
    auto firing = spawn(fire());
    co_await waiter.join();
    co_await beside.join();
    co_await firing.join();
    co_await sleep_for(1s);
    EXPECT_EQ(current_loop()->alive().size(), 1u);
  };
  under_every_schedule(main);
}

CO_TEST(ForeignPartingsTest, AForeignWaitWithinOneThatHasEndedEndsOnItsOwn) {
  foreign::signal inner;
  bool received = false;
  const auto receive = [&]() -> task<void> { received = co_await inner == 3; };
  first_of_signal_and_task either(receive());
  const auto wait = [&]() -> task<void> { co_await either; };
  auto waiter = spawn(wait());
  co_await settle();
  either.fire();
  co_await waiter.join();
  inner.fire(3);
  co_await settle();
  EXPECT_TRUE(received);
  EXPECT_EQ(current_loop()->alive().size(), 1u);
}

}  // namespace
}  // namespace lockstep
