// Cancellation of one task, as asyncio.Task has it.
#include "../runtime/judged_run.hpp"
#include "../runtime/tasks.hpp"
#include "../sync/schedules.hpp"

#include <lockstep/testing/testing.hpp>

#include <stdexcept>
#include <string>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

task<int> answer() { co_return 42; }

// -- before the first step --------------------------------------------------------------------------------------------

// 26
CO_TEST(AsyncioCancellation, BeforeTheFirstStepTheBodyNeverRunsAndTheMessageIsKept) {
  bool ran = false;
  const auto work = [&]() -> task<void> {
    ran = true;
    co_return;
  };
  auto handle = spawn(work());
  EXPECT_TRUE(handle.cancel("too late"));
  std::string reason;
  try {
    co_await handle.join();
  } catch (const cancelled& why) {
    reason = why.reason();
  }
  EXPECT_EQ(reason, "too late");
  EXPECT_FALSE(ran);
  EXPECT_TRUE(handle.was_cancelled());
}

// 28
CO_TEST(AsyncioCancellation, TakenBackBeforeTheFirstStepTheTaskCompletes) {
  auto handle = spawn(answer());
  EXPECT_TRUE(handle.cancel());
  EXPECT_EQ(handle.get().uncancel(), 0u);
  EXPECT_EQ(co_await handle.join(), 42);
  EXPECT_FALSE(handle.was_cancelled());
}

CO_TEST(AsyncioCancellation, OneOfTwoTakenBackBeforeTheFirstStepIsNotEnough) {
  auto handle = spawn(answer());
  handle.cancel();
  handle.cancel();
  EXPECT_EQ(handle.get().uncancel(), 1u);
  EXPECT_THROW(co_await handle.join(), cancelled);
}

// -- counted ----------------------------------------------------------------------------------------------------------

// 27
CO_TEST(AsyncioCancellation, TwoRequestsBothReturnTrueAndCount) {
  auto handle = spawn(wait_for_ever());
  co_await settle();
  EXPECT_TRUE(handle.cancel());
  EXPECT_TRUE(handle.cancel());
  EXPECT_EQ(handle.get().cancelling(), 2u);
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_TRUE(handle.was_cancelled());
}

CO_TEST(AsyncioCancellation, OfAFinishedTaskReturnsFalseAndChangesNothing) {
  auto handle = spawn(answer());
  co_await handle.join();
  EXPECT_FALSE(handle.cancel());
  EXPECT_EQ(handle.get().cancelling(), 0u);
  EXPECT_EQ(handle.result(), 42);
  EXPECT_FALSE(handle.was_cancelled());
}

CO_TEST(AsyncioCancellation, TheLastMessageCounts) {
  std::string log;
  auto handle = spawn(until_cancelled(log));
  co_await settle();
  handle.cancel("first");
  handle.cancel("second");
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_EQ(log, "[second]");
}

// asyncio: uncancel() below zero stays zero.
TEST(AsyncioCancellation, TakingBackWhatNobodyAskedIsMisuse) {
  const auto main = []() -> task<void> {
    EXPECT_THROW(current_task().uncancel(), misuse);
    co_return;
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::misuse));
}

CO_TEST(AsyncioCancellation, UncancelReachingZeroDisarms) {
  const auto work = []() -> task<int> {
    current_task().cancel();
    current_task().cancel();
    EXPECT_EQ(current_task().uncancel(), 1u);
    EXPECT_EQ(current_task().uncancel(), 0u);
    co_await yield();
    co_return 42;
  };
  auto handle = spawn(work());
  EXPECT_EQ(co_await handle.join(), 42);
}

CO_TEST(AsyncioCancellation, ATaskThatTookItBackCanBeCancelledAgain) {
  int caught = 0;
  const auto work = [&]() -> task<void> {
    while (caught < 2) {
      try {
        co_await wait_for_ever();
      } catch (const cancelled&) {
        ++caught;
        EXPECT_EQ(current_task().cancelling(), 1u);
        current_task().uncancel();
      }
    }
  };
  auto handle = spawn(work());
  co_await settle();
  handle.cancel();
  co_await settle();
  EXPECT_EQ(caught, 1);
  handle.cancel();
  co_await handle.join();
  EXPECT_EQ(caught, 2);
}

// -- of itself --------------------------------------------------------------------------------------------------------

// 29: the request is not lost, though there was no await to deliver it at.
CO_TEST(AsyncioCancellation, ATaskThatCancelsItselfAndReturnsIsCancelled) {
  const auto work = []() -> task<int> {
    current_task().cancel("enough");
    co_return 1;
  };
  auto handle = spawn(work());
  std::string reason;
  try {
    co_await handle.join();
  } catch (const cancelled& why) {
    reason = why.reason();
  }
  EXPECT_EQ(reason, "enough");
  EXPECT_TRUE(handle.was_cancelled());
}

CO_TEST(AsyncioCancellation, SoIsOneThatItsOwnFirstStepEndsEagerly) {
  const auto work = []() -> task<int> {
    current_task().cancel();
    co_return 1;
  };
  auto handle = spawn_eager(work());
  EXPECT_TRUE(handle.was_cancelled());
  EXPECT_THROW(handle.result(), cancelled);
  co_return;
}

CO_TEST(AsyncioCancellation, AnErrorOfATaskThatIsToBeCancelledIsItsError) {
  const auto work = []() -> task<int> {
    current_task().cancel();
    throw std::runtime_error("disk full");
    co_return 1;
  };
  auto handle = spawn(work());
  EXPECT_THROW(co_await handle.join(), std::runtime_error);
  EXPECT_FALSE(handle.was_cancelled());
}

TEST(AsyncioCancellation, AMainTaskThatCancelsItselfAndReturnsIsCancelled) {
  const auto main = []() -> task<void> {
    current_task().cancel("enough");
    co_return;
  };
  EXPECT_EQ(judge(main).failure, "cancelled: enough");
  const auto with_a_value = []() -> task<int> {
    current_task().cancel();
    co_return 1;
  };
  EXPECT_THROW(sim::world().run(with_a_value()), cancelled);
}

// The same when the request came from outside and waited for a shield to end.
CO_TEST(AsyncioCancellation, ATaskThatReturnsRightAfterAShieldIsCancelled) {
  std::string log;
  const auto work = [&]() -> task<void> {
    co_await shield(pass(1s));
    log += "saved";
  };
  auto handle = spawn(work());
  co_await settle();
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_EQ(log, "saved");
}

CO_TEST(AsyncioCancellation, InAGroupItIsNoFailure) {
  const auto work = []() -> task<void> {
    current_task().cancel();
    co_return;
  };
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(work());
    group.spawn(pass(1s));
    co_return;
  };
  co_await with_task_group(body);
  EXPECT_EQ(now(), time_point{1s});
}

CO_TEST(AsyncioCancellation, IsDeliveredAtTheNextSuspension) {
  std::string log;
  const auto work = [&]() -> task<void> {
    current_task().cancel();
    log += "on ";
    co_await answer();  // a call is no suspension
    log += "and on";
    co_await yield();
    log += " too far";
  };
  auto handle = spawn(work());
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_EQ(log, "on and on");
}

// -- delivered --------------------------------------------------------------------------------------------------------

// asyncio forwards it to the future that is awaited.
CO_TEST(AsyncioCancellation, IsForwardedToTheTaskThatIsAwaited) {
  std::string log;
  auto inner = spawn(until_cancelled(log));
  const auto work = [&]() -> task<void> { co_await inner.join(); };
  auto outer = spawn(work());
  co_await settle();
  outer.cancel("shutting down");
  std::string reason;
  try {
    co_await outer.join();
  } catch (const cancelled& why) {
    reason = why.reason();
  }
  EXPECT_TRUE(inner.was_cancelled());
  EXPECT_EQ(log, "[shutting down]") << "asyncio passes the message on, too";
  EXPECT_EQ(reason, "shutting down");
}

// 31
CO_TEST(AsyncioCancellation, ThatIsSwallowedLeavesTheResultAndTheTaskWasNotCancelled) {
  const auto work = []() -> task<int> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
    }
    co_return 42;
  };
  auto handle = spawn(work());
  co_await settle();
  EXPECT_TRUE(handle.cancel());
  EXPECT_EQ(co_await handle.join(), 42);
  EXPECT_FALSE(handle.was_cancelled());
}

// asyncio says nothing.
TEST(AsyncioCancellation, ThatIsSwallowedByATaskThatAwaitsAgainIsReported) {
  const auto work = []() -> task<int> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
    }
    co_await sleep_for(1s);
    co_return 42;
  };
  int result = 0;
  const auto main = [&]() -> task<void> {
    auto handle = spawn(work(), "stubborn");
    co_await settle();
    handle.cancel();
    result = co_await handle.join();
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::swallowed_cancellation));
  EXPECT_EQ(result, 42);
}

// 32, for a task that is awaited; what it waits for may be anything that somebody else cancels.
CO_TEST(AsyncioCancellation, ATaskWhoseAwaitedTaskIsCancelledElsewhereIsCancelled) {
  auto inner = spawn(wait_for_ever());
  const auto work = [&]() -> task<void> { co_await inner.join(); };
  auto outer = spawn(work());
  co_await settle();
  inner.cancel();
  EXPECT_THROW(co_await outer.join(), cancelled);
  EXPECT_TRUE(outer.was_cancelled());
  EXPECT_EQ(outer.get().cancelling(), 0u) << "nobody asked it to";
}

// 33. asyncio lets KeyboardInterrupt and SystemExit escape the loop as well; C++ has no such exceptions.
CO_TEST(AsyncioCancellation, AnyErrorDuringItIsStored) {
  const auto work = []() -> task<void> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
      throw 42;  // NOLINT(hicpp-exception-baseclass): whatever it is
    }
  };
  auto handle = spawn(work());
  co_await settle();
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), int);
  EXPECT_FALSE(handle.was_cancelled());
}

// Not a std::exception, as CancelledError is no Exception.
CO_TEST(AsyncioCancellation, PassesHandlersOfErrors) {
  const auto work = []() -> task<void> {
    try {
      co_await wait_for_ever();
    } catch (const std::exception&) {
      ADD_FAILURE() << "cancelled was taken for an error";
    }
  };
  auto handle = spawn(work());
  co_await settle();
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
}

CO_TEST(AsyncioCancellation, FinallyRuns) {
  std::string log;
  struct finally {
    std::string& to;
    ~finally() { to += "cleaned up"; }
  };
  const auto work = [&]() -> task<void> {
    const finally at_the_end{log};
    co_await wait_for_ever();
  };
  auto handle = spawn(work());
  co_await settle();
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_EQ(log, "cleaned up");
}

// A request is honoured, or the task had finished, whatever the order.
TEST(AsyncioCancellation, NoRequestIsLostUnderAnySchedule) {
  under_every_schedule([]() -> task<void> {
    mutex lock("lock");
    const auto work = [&]() -> task<void> {
      co_await yield();
      const mutex_guard held = co_await lock.lock();
      co_await sleep_for(1s);
    };
    const auto stop = [](join_handle<void>& other, bool& honoured) -> task<void> {
      co_await yield();
      honoured = other.cancel();
    };
    auto one = spawn(work());
    auto two = spawn(work());
    bool honoured_by_one = false;
    bool honoured_by_two = false;
    auto first = spawn(stop(one, honoured_by_one));
    auto second = spawn(stop(two, honoured_by_two));
    co_await first.join();
    co_await second.join();
    EXPECT_EQ(co_await was_cancelled(one), honoured_by_one);
    EXPECT_EQ(co_await was_cancelled(two), honoured_by_two);
    EXPECT_FALSE(lock.locked());
  });
}

}  // namespace
}  // namespace lockstep
