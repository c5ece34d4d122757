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
using testing::IsEmpty;

std::exception_ptr error(const std::string& text) { return std::make_exception_ptr(std::runtime_error(text)); }

TEST(ResultTest, HoldsAValue) {
  result<std::string> made("page");
  EXPECT_TRUE(made.has_value());
  EXPECT_TRUE(static_cast<bool>(made));
  EXPECT_FALSE(made.was_cancelled());
  EXPECT_EQ(made.error(), nullptr);
  made.value() += "s";
  EXPECT_EQ(std::as_const(made).value(), "pages");
  EXPECT_EQ(std::move(made).value(), "pages");
}

TEST(ResultTest, HoldsWhatCanOnlyBeMoved) {
  result<std::unique_ptr<int>> made(std::make_unique<int>(7));
  const std::unique_ptr<int> taken = std::move(made).value();
  EXPECT_EQ(*taken, 7);
}

TEST(ResultTest, HoldsAReferenceOrNothing) {
  int target = 1;
  const result<int&> refers(target);
  int& referred = result<int&>(target).value();
  EXPECT_EQ(&referred, &target);
  EXPECT_EQ(&refers.value(), &target);
  const result<void> nothing;
  EXPECT_TRUE(nothing.has_value());
  nothing.value();
}

TEST(ResultTest, HoldsAnExceptionAndThrowsItAsOftenAsItIsAsked) {
  const auto made = result<int>::failed(error("disk full"));
  EXPECT_FALSE(made.has_value());
  EXPECT_FALSE(made.was_cancelled());
  EXPECT_EQ(text_of(made.error()), "disk full");
  EXPECT_THROW(static_cast<void>(made.value()), std::runtime_error);
  EXPECT_THROW(static_cast<void>(result<int>(made).value()), std::runtime_error);
}

TEST(ResultTest, HoldsACancellation) {
  const auto made = result<void>::failed(std::make_exception_ptr(cancelled("enough")));
  EXPECT_FALSE(made.has_value());
  EXPECT_TRUE(made.was_cancelled());
  EXPECT_EQ(text_of(made.error()), "cancelled: enough");
  EXPECT_THROW(made.value(), cancelled);
}

TEST(ResultTest, MayHoldAnExceptionAsItsValue) {
  const result<std::exception_ptr> made(error("x"));
  EXPECT_TRUE(made.has_value());
}

CO_TEST(AsResultTest, GivesWhatTheWorkCameTo) {
  EXPECT_EQ((co_await as_result(value_after(1s, 5))).value(), 5);
  EXPECT_TRUE((co_await as_result(pass(1s))).has_value());
  const result<int> failed = co_await as_result(fail_after<int>(1s, "disk full"));
  EXPECT_EQ(text_of(failed.error()), "disk full");
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(AsResultTest, ReturnsWhatAnOperationCameTo) {
  queue<std::string> letters;
  EXPECT_TRUE((co_await as_result(letters.put("hello"))).has_value());
  EXPECT_EQ((co_await as_result(letters.get())).value(), "hello");
  letters.shut_down();
  const result<std::string> none = co_await as_result(letters.get());
  EXPECT_EQ(text_of(none.error()), "the queue was shut down");
  int target = 1;
  const auto refer = [](int& to) -> task<int&> { co_return to; };
  auto referring = spawn(refer(target));
  int& referred = (co_await as_result(referring.join())).value();
  EXPECT_EQ(&referred, &target);
}

CO_TEST(AsResultTest, IsCancelledWithItsTaskInAnOperation) {
  event never;
  bool returned = false;
  const auto wait = [&]() -> task<void> {
    static_cast<void>(co_await as_result(never.wait()));
    returned = true;
  };
  auto waiting = spawn(wait());
  co_await settle();
  waiting.cancel();
  EXPECT_TRUE((co_await as_result(waiting.join())).was_cancelled());
  EXPECT_FALSE(returned);
}

CO_TEST(AsResultTest, GivesATimeoutAndTheCancellationOfATaskThatIsJoined) {
  const result<int> late = co_await as_result(with_timeout(1s, value_after(2s, 5)));
  EXPECT_TRUE(holds<timed_out>(late.error()));
  auto other = spawn(wait_for_ever());
  co_await settle();
  other.cancel("enough");
  const auto joins = [&]() -> task<void> { co_await other.join(); };
  const result<void> joined = co_await as_result(joins());
  EXPECT_TRUE(joined.was_cancelled());
  EXPECT_EQ(text_of(joined.error()), "cancelled: enough");
  co_await yield();  // the task itself was not asked
}

// Whatever the work is doing then, the cancellation of the task is no result.
CO_TEST(AsResultTest, DoesNotSwallowTheCancellationOfTheTask) {
  bool went_on = false;
  const auto asks = [&](task<void> work) -> task<void> {
    const result<void> got = co_await as_result(std::move(work));
    went_on = true;
    EXPECT_FALSE(got.was_cancelled());
  };
  auto sleeps = spawn(asks(wait_for_ever()));
  auto joined = spawn(wait_for_ever());
  const auto joins = [&]() -> task<void> { co_await joined.join(); };
  auto waits = spawn(asks(joins()));
  auto not_begun = spawn(asks(wait_for_ever()));
  not_begun.cancel();
  co_await settle();
  sleeps.cancel("shutdown");
  waits.cancel("shutdown");
  for (join_handle<void>* each : {&sleeps, &waits, &not_begun}) EXPECT_THROW(co_await each->join(), cancelled);
  EXPECT_FALSE(went_on);
  EXPECT_TRUE(joined.was_cancelled());
}

CO_TEST(AsResultTest, ACancellationThatWaitedAlreadyPasses) {
  bool went_on = false;
  const auto work = [&]() -> task<void> {
    co_await shield(pass(1s));
    static_cast<void>(co_await as_result(wait_for_ever()));
    went_on = true;
  };
  auto handle = spawn(work());
  co_await settle();
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_FALSE(went_on);
}

CO_TEST(AsResultTest, ATimeoutAroundItPasses) {
  EXPECT_THROW(static_cast<void>(co_await with_timeout(1s, as_result(wait_for_ever()))), timed_out);
  co_await yield();
}

// An error that answers the cancellation is the result; the cancellation comes after it.
CO_TEST(AsResultTest, ACancellationThatGaveWayToAnErrorIsDeliveredAtTheNextAwait) {
  std::string log;
  const auto fails_in_clean_up = []() -> task<void> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
      throw std::runtime_error("cannot close");
    }
  };
  const auto work = [&]() -> task<void> {
    const result<void> got = co_await as_result(fails_in_clean_up());
    log += text_of(got.error());
    co_await yield();
    log += " and went on";
  };
  auto handle = spawn(work());
  co_await settle();
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_EQ(log, "cannot close");
}

// A request that is none of this work's: it went to another task before, which ignored it.
CO_TEST(AsResultTest, ARequestThatWasThereBeforeMakesNoCancellationOfTheTask) {
  const auto stubborn = []() -> task<void> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
    }
  };
  const auto work = [&]() -> task<bool> {
    auto child = spawn(stubborn());
    co_await child.join();
    EXPECT_EQ(current_task().cancelling(), 1u);
    const auto gives_up = []() -> task<void> {
      co_await yield();
      throw cancelled("enough");
    };
    co_return (co_await as_result(gives_up())).was_cancelled();
  };
  auto handle = spawn(work());
  co_await settle();
  handle.cancel();
  EXPECT_TRUE(co_await handle.join());
}

// The work gave up by itself, when the request had not been delivered.
CO_TEST(AsResultTest, ACancellationOfTheWorkBeforeThatOfTheTaskIsAResultAndTheOtherIsStillDelivered) {
  bool read = false;
  bool went_on = false;
  const auto work = [&]() -> task<void> {
    const auto gives_up = []() -> task<void> {
      co_await yield();
      current_task().cancel("shutdown");
      throw cancelled("enough");
    };
    const result<void> got = co_await as_result(gives_up());
    read = text_of(got.error()) == "cancelled: enough";
    co_await yield();
    went_on = true;
  };
  auto handle = spawn(work());
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_TRUE(read);
  EXPECT_FALSE(went_on);
}

// In a shield the task does not know that it was cancelled.
CO_TEST(AsResultTest, InAShieldACancellationOfTheWorkIsItsResult) {
  bool read = false;
  const auto clean_up = [&]() -> task<void> {
    auto flush = spawn(wait_for_ever());
    co_await yield();
    flush.cancel();
    const auto joins = [&]() -> task<void> { co_await flush.join(); };
    read = (co_await as_result(joins())).was_cancelled();
  };
  const auto work = [&]() -> task<void> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
    }
    co_await shield(clean_up());
    throw cancelled();
  };
  auto handle = spawn(work());
  co_await settle();
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_TRUE(read);
}

CO_TEST(AsResultTest, WorkThatCatchesTheCancellationHasAValue) {
  const auto stubborn = []() -> task<int> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
    }
    co_return 5;
  };
  const auto work = [&]() -> task<int> { co_return (co_await as_result(stubborn())).value(); };
  auto handle = spawn(work());
  co_await settle();
  handle.cancel();
  EXPECT_EQ(co_await handle.join(), 5);
}

// The exception is thrown elsewhere, and still tells where it came from.
TEST(AsResultTest, TheReportOfAResultThatThrowsTellsWhereItFailed) {
  const auto work = []() -> task<void> {
    result<void> kept = co_await as_result(fail_after(1s));
    co_await sleep_for(1s);
    kept.value();
  };
  const judged_run run = judge(work);
  ASSERT_TRUE(run.failure_report.has_value());
  ASSERT_EQ(run.failure_report->tasks.size(), 2u);
  EXPECT_EQ(run.failure_report->tasks[1].name, "the work of as_result()");
  ASSERT_THAT(run.failure_report->tasks[1].stack, testing::Not(IsEmpty()));
  EXPECT_EQ(file_of(run.failure_report->tasks[1].stack[0]), "tasks.hpp");
}

}  // namespace
}  // namespace lockstep
