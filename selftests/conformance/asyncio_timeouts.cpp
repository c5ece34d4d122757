// asyncio.wait_for, asyncio.timeout and asyncio.timeout_at.
#include "../runtime/judged_run.hpp"
#include "../runtime/tasks.hpp"
#include "../sync/schedules.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// -- wait_for ---------------------------------------------------------------------------------------------------------

// Behaviour 49. On purpose, the half about a done future differs: what is awaited is a task that has not started, so it
// is not known to be done; `handle.done()` asks that.
CO_TEST(AsyncioWaitForTest, WithATimeoutOfZeroOrLessTheCoroutineNeverStarts) {
  bool started = false;
  const auto work = [&](std::shared_ptr<int>) -> task<int> {
    started = true;
    co_return 5;
  };
  const auto parameter = std::make_shared<int>(1);
  for (const duration limit : {duration(0), duration(-1s)}) {
    EXPECT_THROW(co_await with_timeout(limit, work(parameter)), timed_out);
  }
  EXPECT_FALSE(started);
  EXPECT_EQ(parameter.use_count(), 1);  // closed, not leaked
  EXPECT_EQ(now(), time_point{});
  auto done = spawn(value_after(0s, 5));
  co_await settle();
  const auto joins = [&]() -> task<int> { co_return co_await done.join(); };
  EXPECT_THROW(co_await with_timeout(0s, joins()), timed_out);
  EXPECT_EQ(done.result(), 5);
}

CO_TEST(AsyncioWaitForTest, WithoutATimeoutItWaitsForEver) {
  EXPECT_EQ(co_await with_timeout(duration::max(), value_after(1000h, 5)), 5);
  EXPECT_EQ(co_await with_timeout_at(time_point::max(), value_after(1000h, 5)), 5);
}

// Behaviour 50.
CO_TEST(AsyncioWaitForTest, CleanUpThatAwaitsEndsBeforeItThrows) {
  std::string log;
  EXPECT_THROW(co_await with_timeout(1s, until_cancelled(log, 2s)), timed_out);
  EXPECT_EQ(log, "[timeout]");
  EXPECT_EQ(now(), time_point{3s});
}

task<void> fails_in_clean_up() {
  try {
    co_await wait_for_ever();
  } catch (const cancelled&) {
    throw std::invalid_argument("cannot close");
  }
}

// Behaviour 51.
CO_TEST(AsyncioWaitForTest, AnErrorInTheCleanUpReplacesTheTimeout) {
  EXPECT_THROW(co_await with_timeout(1s, fails_in_clean_up()), std::invalid_argument);
  EXPECT_EQ(current_task().cancelling(), 0u);
  co_await yield();
}

// Behaviour 52.
CO_TEST(AsyncioWaitForTest, WorkThatSuppressesTheCancellationReturnsItsValue) {
  const auto stubborn = []() -> task<int> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
    }
    co_return 5;
  };
  EXPECT_EQ(co_await with_timeout(1s, stubborn()), 5);
  EXPECT_EQ(current_task().cancelling(), 0u);
  co_await yield();
}

// -- timeout, timeout_at ----------------------------------------------------------------------------------------------

CO_TEST(AsyncioTimeoutTest, TellsItsDeadlineMovesItAndSaysWhetherItExpired) {
  const auto body = [](timeout_scope& limit) -> task<int> {
    EXPECT_EQ(limit.when(), time_point{10s});
    limit.reschedule(time_point{2s});
    EXPECT_EQ(limit.when(), time_point{2s});
    EXPECT_FALSE(limit.expired());
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
      EXPECT_TRUE(limit.expired());
      throw;
    }
    co_return 0;
  };
  EXPECT_THROW(co_await with_timeout(10s, body), timed_out);
  EXPECT_EQ(now(), time_point{2s});
}

CO_TEST(AsyncioTimeoutTest, RescheduledToNoneItNeverExpires) {
  const auto body = [](timeout_scope& limit) -> task<void> {
    limit.reschedule(time_point::max());
    co_await sleep_for(100h);
    EXPECT_FALSE(limit.expired());
  };
  co_await with_timeout_at(time_point{1s}, body);
  EXPECT_EQ(now(), time_point{100h});
}

CO_TEST(AsyncioTimeoutTest, ABodyWithoutTimeRunsUpToItsFirstAwait) {
  std::string log;
  const auto body = [&](timeout_scope&) -> task<void> {
    log += "began";
    co_await yield();
    log += " went on";
  };
  EXPECT_THROW(co_await with_timeout(-1s, body), timed_out);
  EXPECT_THROW(co_await with_timeout_at(time_point{}, body), timed_out);
  EXPECT_EQ(log, "beganbegan");
  const auto awaits_nothing = [](timeout_scope&) -> task<int> { co_return 5; };
  EXPECT_EQ(co_await with_timeout(0s, awaits_nothing), 5);
}

// Behaviour 55. asyncio chains TimeoutError as the context of the error; here it is a note in the report.
TEST(AsyncioTimeoutTest, AForeignErrorAtTheExpiryPropagatesWithTheTimeoutNoted) {
  const auto main = []() -> task<void> {
    const auto body = [](timeout_scope&) -> task<void> { co_await fails_in_clean_up(); };
    co_await with_timeout(1s, body);
  };
  const judged_run run = judge(main);
  EXPECT_EQ(run.failure, "cannot close");
  ASSERT_TRUE(run.failure_report.has_value());
  EXPECT_THAT(run.failure_report->tasks.at(0).notes, ElementsAre("thrown when the timeout of 1 s had expired"));
}

// Behaviour 56.
CO_TEST(AsyncioTimeoutTest, ACancellationBeforeTheExpiryStaysOneAndItHasNotExpired) {
  bool expired = true;
  const auto body = [&](timeout_scope& limit) -> task<void> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
      expired = limit.expired();
      throw;
    }
  };
  auto handle = spawn(with_timeout(2s, body));
  co_await sleep_for(1s);
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_FALSE(expired);
  EXPECT_EQ(now(), time_point{1s});
}

// It converts only its own request: uncancel() comes down to what it was before.
CO_TEST(AsyncioTimeoutTest, ConvertsOnlyItsOwnRequest) {
  EXPECT_THROW(co_await with_timeout(1s, wait_for_ever()), timed_out);
  EXPECT_EQ(current_task().cancelling(), 0u);
  co_await yield();
  // Cancelled in its clean-up, after it expired.
  const auto cleans_up = []() -> task<void> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
    }
    co_await shield(pass(2s));
    throw cancelled();
  };
  auto handle = spawn(with_timeout(1s, cleans_up()));
  co_await sleep_for(2s);
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
}

CO_TEST(AsyncioTimeoutTest, OfNestedOnesWithOneDeadlineTheOuterOneThrows) {
  std::string log;
  const auto inner = [&]() -> task<void> {
    try {
      co_await with_timeout(1s, wait_for_ever());
    } catch (const timed_out&) {
      log += "inner";
    }
  };
  try {
    co_await with_timeout_at(time_point{1s}, inner());
  } catch (const timed_out&) {
    log += "outer";
  }
  EXPECT_EQ(log, "outer");
  EXPECT_EQ(current_task().cancelling(), 0u);
}

CO_TEST(AsyncioTimeoutTest, AnInnerTimeoutIsNoneOfTheOuterOne) {
  const auto body = [](timeout_scope& outer) -> task<void> {
    EXPECT_THROW(co_await with_timeout(1s, wait_for_ever()), timed_out);
    EXPECT_FALSE(outer.expired());
    co_await sleep_for(1s);
  };
  co_await with_timeout(10s, body);
  EXPECT_EQ(now(), time_point{2s});
}

// Behaviour 59. Before it is entered and after it is left there is no scope that one could name.
TEST(AsyncioTimeoutTest, ReschedulingOneThatIsExpiringIsMisuse) {
  const auto main = []() -> task<void> {
    const auto body = [](timeout_scope& limit) -> task<void> {
      try {
        co_await wait_for_ever();
      } catch (const cancelled&) {
        limit.reschedule(now() + 1s);
      }
    };
    try {
      co_await with_timeout(1s, body);
    } catch (const misuse&) {
    }
  };
  EXPECT_EQ(judge(main).messages(), "misuse: reschedule() of a timeout that has expired\n");
}

// Cancels `whom` from a timer.
class timed_cancel : timer {
 public:
  timed_cancel(agent& whom, time_point when) : timer(&fired), whom_(whom) { current_loop()->timers().arm(*this, when); }
  timed_cancel(const timed_cancel&) = delete;
  timed_cancel& operator=(const timed_cancel&) = delete;
  ~timed_cancel() {
    if (armed()) current_loop()->timers().disarm(*this);
  }

 private:
  static void fired(timer& due) noexcept { static_cast<timed_cancel&>(due).whom_.cancel("shutdown"); }

  agent& whom_;
};

// Whichever comes first at that instant, and whoever runs in between: the cancellation is never lost, and nothing is
// left of the timeout.
TEST(AsyncioTimeoutTest, ACancellationAtTheInstantOfTheExpiryIsNeverLostUnderEverySchedule) {
  for (const int nested : {1, 2}) {
    under_every_schedule([nested]() -> task<void> {
      const auto times_out = [&]() -> task<std::string> {
        try {
          if (nested == 2) {
            co_await with_timeout(1s, with_timeout(1s, wait_for_ever()));
          } else {
            co_await with_timeout(1s, wait_for_ever());
          }
        } catch (const timed_out&) {
        }
        co_await yield();
        co_return "went on";
      };
      for (int before = 0; before < 2; ++before) {
        std::optional<timed_cancel> early;
        auto handle = spawn(times_out());
        const time_point when = now() + 1s;
        if (before == 0) early.emplace(handle.get(), when);
        co_await settle();
        if (before == 1) early.emplace(handle.get(), when);
        const auto joins = [&]() -> task<std::string> { co_return co_await handle.join(); };
        const result<std::string> got = co_await as_result(joins());
        EXPECT_TRUE(got.was_cancelled());
      }
      EXPECT_EQ(current_task().cancelling(), 0u);
    });
  }
}

// The same where a task does it, which may run before the expiry is delivered or after.
TEST(AsyncioTimeoutTest, ATaskThatCancelsAtTheInstantOfTheExpiryIsHeardUnderEverySchedule) {
  under_every_schedule([]() -> task<void> {
    const auto times_out = []() -> task<std::string> {
      try {
        co_await with_timeout(1s, wait_for_ever());
      } catch (const timed_out&) {
      }
      co_await yield();
      co_return "went on";
    };
    auto handle = spawn(times_out());
    co_await sleep_for(1s);
    const bool asked = handle.cancel();
    const auto joins = [&]() -> task<std::string> { co_return co_await handle.join(); };
    const result<std::string> got = co_await as_result(joins());
    EXPECT_EQ(got.was_cancelled(), asked);
  });
}

}  // namespace
}  // namespace lockstep
