#include "judged_run.hpp"
#include "tasks.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <stdexcept>
#include <string>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// Waits for ever, and takes `needed` to clean up when it is cancelled.
task<void> cleans_up(duration needed, std::string& log) {
  try {
    co_await wait_for_ever();
  } catch (const cancelled&) {
    log += "cleaning ";
  }
  co_await shield(pass(needed));
  log += "clean ";
  throw cancelled();
}

// "timed_out", "cancelled(reason)", "done", or what an error says.
template <class T>
task<std::string> end_of(task<T> work) {
  try {
    co_await std::move(work);
    co_return "done";
  } catch (const timed_out& why) {
    co_return why.what();
  } catch (const cancelled& why) {
    co_return "cancelled(" + std::string(why.reason()) + ")";
  } catch (const std::exception& why) {
    co_return why.what();
  }
}

CO_TEST(TimeoutTest, ALimitLongerThanTheNanosecondsIsNone) {
  co_await with_timeout(std::chrono::years(400), pass(24h * 300));
  EXPECT_EQ(now(), time_point{24h * 300});
}

CO_TEST(TimeoutTest, ReturnsTheResultOfWorkThatIsInTime) {
  EXPECT_EQ(co_await with_timeout(2s, value_after(1s, 7)), 7);
  EXPECT_EQ(now(), time_point{1s});
  co_await sleep_for(1h);  // nothing is left that would cancel it
}

CO_TEST(TimeoutTest, IsExactToTheNanosecond) {
  EXPECT_EQ(co_await end_of(with_timeout(1s, pass(1s - 1ns))), "done");
  const time_point before = now();
  EXPECT_EQ(co_await end_of(with_timeout(1s, pass(1s + 1ns))), "timed out after 1 s");
  EXPECT_EQ(now() - before, 1s);
}

CO_TEST(TimeoutTest, WinsOverWorkThatWouldEndAtTheSameInstant) {
  EXPECT_EQ(co_await end_of(with_timeout(1s, pass(1s))), "timed out after 1 s");
}

CO_TEST(TimeoutTest, TheErrorOfTheWorkPasses) {
  const auto fails = []() -> task<void> {
    co_await sleep_for(1s);
    throw std::runtime_error("disk full");
  };
  EXPECT_EQ(co_await end_of(with_timeout(2s, fails())), "disk full");
}

CO_TEST(TimeoutTest, TheTaskGoesOnAfterwards) {
  EXPECT_EQ(co_await end_of(with_timeout(1s, wait_for_ever())), "timed out after 1 s");
  EXPECT_EQ(current_task().cancelling(), 0u);
  EXPECT_FALSE(current_task().was_cancelled());
  co_await sleep_for(1s);
  EXPECT_EQ(now(), time_point{2s});
}

CO_TEST(TimeoutTest, AnInnerOneThatIsShorterThrowsAndTheOuterOneGoesOn) {
  const auto both = []() -> task<void> {
    EXPECT_EQ(co_await end_of(with_timeout(1s, wait_for_ever())), "timed out after 1 s");
    co_await wait_for_ever();
  };
  EXPECT_EQ(co_await end_of(with_timeout(3s, both())), "timed out after 3 s");
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(TimeoutTest, AnOuterOneThatIsShorterPassesThroughTheInnerOne) {
  std::string inner;
  const auto both = [&]() -> task<void> {
    try {
      co_await with_timeout(3s, wait_for_ever());
    } catch (const timed_out&) {
      inner = "timed out";
    } catch (const cancelled& why) {
      inner = why.reason();
      throw;
    }
  };
  EXPECT_EQ(co_await end_of(with_timeout(1s, both())), "timed out after 1 s");
  EXPECT_EQ(inner, "timeout");
  EXPECT_EQ(now(), time_point{1s});
}

CO_TEST(TimeoutTest, OfTwoThatEndAtOneInstantTheOuterOneThrows) {
  const auto both = [](duration inner) -> task<void> { co_await with_timeout(inner, wait_for_ever()); };
  EXPECT_EQ(co_await end_of(with_timeout(2s, both(2s))), "timed out after 2 s");
  EXPECT_EQ(now(), time_point{2s});
  // Even if the inner one was armed first.
  const auto late = [&]() -> task<void> {
    timeout_scope outer(time_point::max());
    const auto inner = [&]() -> task<void> {
      const auto rearm = [&]() -> task<void> {
        outer.reschedule(now() + 1s);
        co_await wait_for_ever();
      };
      co_await with_timeout(1s, rearm());
    };
    try {
      co_await inner();
      ADD_FAILURE();
    } catch (const cancelled&) {
      EXPECT_TRUE(outer.absorb());
    }
  };
  co_await late();
  EXPECT_EQ(now(), time_point{3s});
  co_await yield();
}

CO_TEST(TimeoutTest, ACancellationFromOutsideStaysOne) {
  auto handle = spawn(end_of(with_timeout(10s, wait_for_ever())));
  co_await sleep_for(1s);
  handle.cancel("shutdown");
  EXPECT_EQ(co_await handle.join(), "cancelled(shutdown)");
  EXPECT_EQ(now(), time_point{1s});
}

// Cancels a task from a timer, so that no step of anybody lies between.
struct timed_cancel : timer {
  explicit timed_cancel(agent& whom) : timer(&fired), victim(whom) {}
  static void fired(timer& due) noexcept { static_cast<timed_cancel&>(due).victim.cancel("shutdown"); }
  agent& victim;
};

CO_TEST(TimeoutTest, ACancellationAtTheInstantOfTheExpiryStaysOneWhicheverComesFirst) {
  for (const bool cancel_first : {true, false}) {
    const auto work = [cancel_first]() -> task<std::string> {
      if (cancel_first) co_await yield();
      co_return co_await end_of(with_timeout(1s, wait_for_ever()));
    };
    auto victim = spawn(work());
    if (!cancel_first) co_await yield();
    timed_cancel canceller(victim.get());
    current_loop()->timers().arm(canceller, now() + 1s);
    EXPECT_EQ(co_await victim.join(), "cancelled(shutdown)") << cancel_first;
    EXPECT_EQ(victim.get().cancelling(), 1u) << "the timeout took its own request back";
  }
}

CO_TEST(TimeoutTest, CleanUpEndsBeforeItThrows) {
  std::string log;
  EXPECT_EQ(co_await end_of(with_timeout(1s, cleans_up(5s, log))), "timed out after 1 s");
  EXPECT_EQ(log, "cleaning clean ");
  EXPECT_EQ(now(), time_point{6s});
}

CO_TEST(TimeoutTest, AnErrorInTheCleanUpReplacesIt) {
  const auto work = []() -> task<void> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
      throw std::runtime_error("flush failed");
    }
  };
  EXPECT_EQ(co_await end_of(with_timeout(1s, work())), "flush failed");
  EXPECT_EQ(current_task().cancelling(), 0u);
  co_await sleep_for(1s);
}

CO_TEST(TimeoutTest, ACancellationDuringTheCleanUpStaysOne) {
  std::string log;
  auto handle = spawn(end_of(with_timeout(1s, cleans_up(5s, log))));
  co_await sleep_for(2s);
  handle.cancel("shutdown");
  EXPECT_EQ(co_await handle.join(), "cancelled()");
  EXPECT_EQ(log, "cleaning clean ");
}

CO_TEST(TimeoutTest, AnOuterOneThatExpiresDuringTheCleanUpOfTheInnerOneThrows) {
  std::string log;
  EXPECT_EQ(co_await end_of(with_timeout(3s, with_timeout(1s, cleans_up(5s, log)))), "timed out after 3 s");
  EXPECT_EQ(log, "cleaning clean ");
  EXPECT_EQ(now(), time_point{6s});
  co_await sleep_for(1s);
}

CO_TEST(TimeoutTest, WorkThatCatchesTheCancellationReturnsItsValue) {
  const auto stubborn = []() -> task<int> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
    }
    co_return 5;
  };
  EXPECT_EQ(co_await with_timeout(1s, stubborn()), 5);
  EXPECT_EQ(current_task().cancelling(), 0u);
  co_await sleep_for(1s);
}

TEST(TimeoutTest, WorkThatCatchesTheCancellationAndAwaitsAgainIsAVerdict) {
  const auto main = []() -> task<void> {
    const auto stubborn = []() -> task<void> {
      try {
        co_await wait_for_ever();
      } catch (const cancelled&) {
      }
      co_await sleep_for(1s);
    };
    co_await with_timeout(1s, stubborn());
  };
  const judged_run run = judge(main);
  EXPECT_THAT(run.kinds(), ElementsAre(verdict_kind::swallowed_cancellation));
  EXPECT_EQ(run.failure, "");
}

CO_TEST(TimeoutTest, ZeroOrLessNeverStartsTheWork) {
  co_await sleep_for(1s);
  for (const duration limit : {duration(0), duration(-1), duration(-1h), duration::min()}) {
    bool started = false;
    const auto work = [&]() -> task<int> {
      started = true;
      co_return 5;
    };
    EXPECT_EQ(co_await end_of(with_timeout(limit, work())), timed_out(limit).what());
    EXPECT_FALSE(started);
    EXPECT_EQ(now(), time_point{1s});
    EXPECT_EQ(current_task().cancelling(), 0u);
  }
}

// Its parameters die with it, and a loop of nothing else still comes to the limit of steps.
TEST(TimeoutTest, WorkThatNeverStartsIsDestroyedAndCountsAsAStep) {
  const auto main = []() -> task<void> {
    const auto work = [](std::shared_ptr<int>) -> task<void> { co_return; };
    const auto parameter = std::make_shared<int>(1);
    for (;;) {
      EXPECT_THROW(co_await with_timeout(0s, work(parameter)), timed_out);
      EXPECT_EQ(parameter.use_count(), 1);
    }
  };
  sim::world_options how;
  how.steps_max = 100;
  EXPECT_THAT(judge(main, how).kinds(), ElementsAre(verdict_kind::step_limit));
}

CO_TEST(TimeoutTest, ACancellationThatWaitedAlreadyComesBeforeAnExpiryAtOnce) {
  const auto work = []() -> task<std::string> {
    co_await shield(pass(1s));
    co_return co_await end_of(with_timeout(0s, wait_for_ever()));
  };
  auto handle = spawn(work());
  co_await settle();
  handle.cancel("shutdown");
  EXPECT_EQ(co_await handle.join(), "cancelled(shutdown)");
}

CO_TEST(TimeoutTest, EndsAtADeadlineToo) {
  co_await sleep_for(1s);
  EXPECT_EQ(co_await with_timeout_at(time_point{4s}, value_after(2s, 5)), 5);
  EXPECT_EQ(co_await end_of(with_timeout_at(time_point{4s}, value_after(2s, 5))), timed_out(1s).what());
  EXPECT_EQ(now(), time_point{4s});
  EXPECT_EQ(co_await end_of(with_timeout_at(time_point{4s}, value_after(0s, 5))), timed_out(0s).what());
  EXPECT_EQ(co_await end_of(with_timeout_at(time_point::min(), value_after(0s, 5))), timed_out(duration::min()).what());
  EXPECT_EQ(co_await with_timeout_at(time_point::max(), value_after(24h, 5)), 5);
}

CO_TEST(TimeoutTest, ABodyIsGivenTheScopeAndMovesTheDeadlineAsItGetsOn) {
  const auto body = [](timeout_scope& limit) -> task<int> {
    EXPECT_EQ(limit.when(), time_point{2s});
    co_await sleep_for(1s);
    limit.reschedule(now() + 2s);
    EXPECT_EQ(limit.when(), time_point{3s});
    co_await sleep_for(1500ms);
    limit.reschedule(time_point::max());
    co_await sleep_for(1h);
    EXPECT_FALSE(limit.expired());
    co_return 5;
  };
  EXPECT_EQ(co_await with_timeout(2s, body), 5);
  EXPECT_EQ(now(), time_point{1h + 2500ms});
}

CO_TEST(TimeoutTest, ABodyIsCancelledAtItsDeadline) {
  bool expired = false;
  const auto body = [&](timeout_scope& limit) -> task<void> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
      expired = limit.expired();
      throw;
    }
  };
  EXPECT_EQ(co_await end_of(with_timeout_at(time_point{3s}, body)), timed_out(3s).what());
  EXPECT_TRUE(expired);
  EXPECT_EQ(co_await end_of(with_timeout(1min, body)), timed_out(1min).what());
  EXPECT_EQ(now(), time_point{63s});
}

CO_TEST(TimeoutTest, ABodyWithoutTimeIsCancelledAtItsFirstAwait) {
  std::string log;
  const auto body = [&](timeout_scope& limit) -> task<void> {
    log += limit.expired() ? "expired" : "in time";
    co_await yield();
    log += " went on";
  };
  EXPECT_EQ(co_await end_of(with_timeout(0s, body)), timed_out(0s).what());
  EXPECT_EQ(log, "expired");
  const auto awaits_nothing = [](timeout_scope&) -> task<int> { co_return 5; };
  EXPECT_EQ(co_await with_timeout(0s, awaits_nothing), 5);
  EXPECT_EQ(current_task().cancelling(), 0u);
  co_await yield();
}

// Another task watches over it.
CO_TEST(TimeoutTest, AnotherTaskMayMoveTheDeadline) {
  timeout_scope* limit = nullptr;
  const auto body = [&](timeout_scope& scope) -> task<void> {
    limit = &scope;
    co_await sleep_for(3s);
  };
  auto worker = spawn(with_timeout(2s, body));
  co_await sleep_for(1s);
  limit->reschedule(time_point{4s});
  co_await worker.join();
  EXPECT_EQ(now(), time_point{3s});
}

// The error is what counts; that the time was up is told with it.
TEST(TimeoutTest, AReportOfAnErrorAtTheExpirySaysThatTheTimeWasUp) {
  const auto fails_in_clean_up = []() -> task<void> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
      throw std::runtime_error("cannot close");
    }
  };
  const auto outer = [&]() -> task<void> { co_await with_timeout(1s, fails_in_clean_up()); };
  const judged_run run = judge(outer);
  ASSERT_TRUE(run.failure_report.has_value());
  EXPECT_THAT(run.failure, "cannot close");
  EXPECT_THAT(run.failure_report->tasks.at(0).notes, ElementsAre("thrown when the timeout of 1 s had expired"));
  const auto in_time = []() -> task<void> { co_await with_timeout(2s, fail_after(1s)); };
  const judged_run twin = judge(in_time);
  ASSERT_TRUE(twin.failure_report.has_value());
  EXPECT_THAT(twin.failure_report->tasks.at(0).notes, testing::IsEmpty());
}

CO_TEST(TimeoutTest, ALimitBeyondTheEndOfTimeIsNone) {
  co_await sleep_for(24h);
  for (const duration limit : {duration::max(), duration::max() - 1h, time_point::max() - now()}) {
    EXPECT_EQ(co_await with_timeout(limit, value_after(24h, 5)), 5);
  }
}

TEST(TimeoutTest, FreesACycleOfWaits) {
  const auto run_with = [](duration limit) {
    const auto main = [limit]() -> task<void> {
      mutex a;
      mutex b;
      auto left = spawn(end_of(with_timeout(limit, lock_both(a, b))), "left");
      auto right = spawn(lock_both(b, a), "right");
      co_await sleep_for(1h);
      EXPECT_EQ(co_await left.join(), "timed out after 1 s");
      co_await right.join();
    };
    return judge(main);
  };
  EXPECT_EQ(run_with(1s).messages(), "");
  const judged_run without = run_with(duration::max());
  ASSERT_THAT(without.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_THAT(without.verdicts[0].cycle, testing::UnorderedElementsAre("left", "right"));
}

// -- the scope --------------------------------------------------------------------------------------------------------

CO_TEST(TimeoutScopeTest, MayBeRescheduledUntilItExpires) {
  timeout_scope scope(now() + 1s);
  EXPECT_EQ(scope.when(), time_point{1s});
  co_await sleep_for(999ms);
  scope.reschedule(now() + 2s);
  EXPECT_EQ(scope.when(), time_point{2'999ms});
  co_await sleep_for(1s);
  EXPECT_FALSE(scope.expired());
  scope.reschedule(time_point::max());
  co_await sleep_for(24h);
  scope.reschedule(now() + 1s);
  const time_point before = now();
  try {
    co_await wait_for_ever();
  } catch (const cancelled&) {
    EXPECT_TRUE(scope.expired());
    EXPECT_TRUE(scope.absorb());
    EXPECT_FALSE(scope.absorb());
  }
  EXPECT_EQ(now() - before, 1s);
}

CO_TEST(TimeoutScopeTest, RescheduledToThePastItExpiresAtOnce) {
  timeout_scope scope(now() + 1s);
  scope.reschedule(now());
  EXPECT_TRUE(scope.expired());
  EXPECT_THROW(co_await sleep_for(1s), cancelled);
  EXPECT_TRUE(scope.absorb());
  EXPECT_EQ(now(), time_point{});
}

TEST(TimeoutScopeTest, RescheduledAfterItExpiredIsMisuse) {
  const auto main = []() -> task<void> {
    timeout_scope scope(now() + 1s);
    EXPECT_THROW(co_await wait_for_ever(), cancelled);
    EXPECT_THROW(scope.reschedule(now() + 1s), misuse);
    EXPECT_TRUE(scope.absorb());
  };
  EXPECT_EQ(judge(main).messages(), "misuse: reschedule() of a timeout that has expired\n");
}

CO_TEST(TimeoutScopeTest, AbsorbsNothingBeforeItExpires) {
  const auto work = []() -> task<bool> {
    timeout_scope scope(now() + 1s);
    bool absorbed = true;
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
      absorbed = scope.absorb();
      EXPECT_FALSE(scope.expired());
    }
    co_return absorbed;
  };
  auto handle = spawn(work());
  co_await settle();
  handle.cancel();
  EXPECT_FALSE(co_await handle.join());
}

// A request from before, which the task lives with, is not mistaken for one that came within.
CO_TEST(TimeoutScopeTest, WorksInATaskThatWasAskedToStopBefore) {
  const auto stubborn = []() -> task<int> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
    }
    co_return 5;
  };
  std::string outcome;
  const auto parent = [&]() -> task<void> {
    auto child = spawn(stubborn());
    EXPECT_EQ(co_await child.join(), 5);  // the request went to the child, which ignored it
    EXPECT_EQ(current_task().cancelling(), 1u);
    outcome = co_await end_of(with_timeout(1s, wait_for_ever()));
    EXPECT_EQ(current_task().cancelling(), 1u);
    co_await sleep_for(1s);
  };
  auto handle = spawn(parent());
  co_await settle();
  handle.cancel();
  co_await handle.join();
  EXPECT_EQ(outcome, "timed out after 1 s");
}

CO_TEST(TimeoutScopeTest, IsGoneWithItsFrame) {
  {
    auto handle = spawn(with_timeout(1s, wait_for_ever()));
    co_await settle();
    handle.cancel();
    EXPECT_THROW(co_await handle.join(), cancelled);
  }
  co_await sleep_for(1h);
}

TEST(TimeoutScopeTest, NeedsATask) { EXPECT_THROW(timeout_scope{time_point::max()}, misuse); }

// -- operations -------------------------------------------------------------------------------------------------------

CO_TEST(TimeoutOfAnOperationTest, ReturnsItsResult) {
  queue<int> letters;
  const auto writer = [&]() -> task<void> {
    co_await sleep_for(1s);
    letters.try_put(7);
  };
  auto writing = spawn(writer());
  EXPECT_EQ(co_await with_timeout(2s, letters.get()), 7);
  EXPECT_EQ(now(), time_point{1s});
  co_await with_timeout(2s, writing.join());
}

CO_TEST(TimeoutOfAnOperationTest, WithdrawsItWhenTheTimeIsUp) {
  queue<int> letters;
  std::string said;
  try {
    co_await with_timeout(1s, letters.get());
  } catch (const timed_out& late) {
    said = late.what();
  }
  EXPECT_EQ(said, "timed out after 1 s");
  EXPECT_EQ(now(), time_point{1s});
  letters.try_put(1);
  EXPECT_EQ(letters.size(), 1u) << "nobody waits for it any more";
}

CO_TEST(TimeoutOfAnOperationTest, LosesNothingAtTheInstantAtWhichTheTimeIsUp, .schedule = schedule::random,
        .runs = 50) {
  queue<int> letters;
  const auto writer = [&]() -> task<void> {
    co_await sleep_for(1s);
    letters.try_put(7);
  };
  auto writing = spawn(writer());
  std::size_t got = 0;
  try {
    EXPECT_EQ(co_await with_timeout(1s, letters.get()), 7);
    got = 1;
  } catch (const timed_out&) {
  }
  co_await writing.join();
  EXPECT_EQ(letters.size() + got, 1u);
}

CO_TEST(TimeoutOfAnOperationTest, WithoutTimeItHappensIfItNeedNotWait) {
  queue<int> letters;
  letters.try_put(7);
  EXPECT_EQ(co_await with_timeout(0s, letters.get()), 7);
  const auto late = [&]() -> task<void> { co_await with_timeout(-1s, letters.get()); };
  EXPECT_EQ(co_await end_of(late()), "timed out after -1 s");
  EXPECT_EQ(now(), time_point{});
}

CO_TEST(TimeoutOfAnOperationTest, HasADeadlineOrNone) {
  queue<int> letters;
  letters.try_put(7);
  EXPECT_EQ(co_await with_timeout_at(time_point::max(), letters.get()), 7);
  co_await sleep_for(1s);
  const auto late = [&]() -> task<void> { co_await with_timeout_at(time_point{3s}, letters.get()); };
  EXPECT_EQ(co_await end_of(late()), "timed out after 2 s");
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(TimeoutOfAnOperationTest, ThrowsWhatTheOperationThrows) {
  const auto fails = []() -> task<void> {
    co_await sleep_for(1s);
    throw std::runtime_error("disk full");
  };
  auto failing = spawn(fails());
  const auto wait = [&]() -> task<void> { co_await with_timeout(2s, failing.join()); };
  EXPECT_EQ(co_await end_of(wait()), "disk full");
}

CO_TEST(TimeoutOfAnOperationTest, LeavesTheTaskThatIsJoined) {
  auto sleeping = spawn(value_after(2s, 7));
  const auto wait = [&]() -> task<void> { static_cast<void>(co_await with_timeout(1s, sleeping.join())); };
  EXPECT_EQ(co_await end_of(wait()), "timed out after 1 s");
  EXPECT_EQ(co_await sleeping.join(), 7);
}

CO_TEST(TimeoutOfAnOperationTest, IsCancelledAsTheOperationWouldBe) {
  queue<int> letters;
  const auto wait = [&]() -> task<void> { static_cast<void>(co_await with_timeout(1h, letters.get())); };
  auto waiting = spawn(wait());
  co_await yield();
  waiting.cancel();
  co_await sleep_for(1s);
  EXPECT_TRUE(waiting.was_cancelled());
}

}  // namespace
}  // namespace lockstep
