#include "../sync/schedules.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;

std::exception_ptr disk_full() { return std::make_exception_ptr(std::runtime_error("disk full")); }

// What the running task gets of `wanted`, in words.
task<std::string> outcome_of(future<int> wanted) {
  try {
    co_return std::to_string(co_await wanted.get());
  } catch (const cancelled& why) {
    co_return "cancelled: " + std::string(why.reason());
  } catch (const std::exception& error) {
    co_return error.what();
  }
}

// -- values -----------------------------------------------------------------------------------------------------------

CO_TEST(FutureTest, GivesWhatThePromiseIsSetTo) {
  promise<int> answer("answer");
  future<int> wanted = answer.get_future();
  EXPECT_FALSE(wanted.done());
  const auto set_later = [&]() -> task<void> {
    co_await sleep_for(2s);
    answer.set_value(42);
  };
  auto setter = spawn(set_later());
  EXPECT_EQ(co_await wanted.get(), 42);
  EXPECT_EQ(now(), time_point{2s});
  EXPECT_TRUE(wanted.done());
  EXPECT_EQ(wanted.result(), 42);
  EXPECT_EQ(wanted.exception(), nullptr);
  EXPECT_FALSE(wanted.was_cancelled());
  co_await setter.join();
}

CO_TEST(FutureTest, IsAwaitedAnyNumberOfTimesByAnyNumberOfTasks) {
  promise<int> answer;
  std::vector<join_handle<std::string>> waiters;
  for (int i = 0; i < 3; ++i) waiters.push_back(spawn(outcome_of(answer.get_future())));
  co_await yield();
  answer.set_value(7);
  for (join_handle<std::string>& each : waiters) EXPECT_EQ(co_await each.join(), "7");
  const future<int> again = answer.get_future();
  EXPECT_EQ(co_await again.get() + co_await again.get(), 14);
}

CO_TEST(FutureTest, GivesEveryoneTheSameObjectAndATemporaryACopy) {
  promise<std::string> page;
  const future<std::string> first = page.get_future();
  const future<std::string> second = first;
  page.set_value("text");
  const std::string& a = co_await first.get();
  const std::string& b = co_await second.get();
  EXPECT_EQ(&a, &b);
  EXPECT_EQ(&a, &second.result());
  static_assert(std::is_same_v<decltype(page.get_future().result()), std::string>);
  static_assert(std::is_same_v<decltype(page.get_future().get().result()), std::string>);
  static_assert(std::is_same_v<decltype(first.get().result()), const std::string&>);
  EXPECT_EQ(co_await page.get_future().get(), "text");
}

CO_TEST(FutureTest, HoldsWhatCannotBeCopiedAndReferencesAndNothing) {
  promise<std::unique_ptr<int>> owner;
  const future<std::unique_ptr<int>> owned = owner.get_future();
  owner.set_value(std::make_unique<int>(5));
  EXPECT_EQ(*co_await owned.get(), 5);

  int value = 1;
  promise<int&> place;
  place.set_value(value);
  ++co_await place.get_future().get();
  EXPECT_EQ(&place.get_future().result(), &value);
  EXPECT_EQ(value, 2);

  promise<> nothing;
  EXPECT_TRUE(nothing.try_set_value());
  EXPECT_FALSE(nothing.try_set_value());
  co_await nothing.get_future().get();
  nothing.get_future().result();
}

// The value that is awaited belongs to the wait as well: whoever else kept it may let go of it meanwhile.
CO_TEST(FutureTest, MayBeDroppedWhileItIsAwaited) {
  auto answer = std::make_unique<promise<std::string>>();
  auto wanted = std::make_unique<future<std::string>>(answer->get_future());
  const auto wait = [&]() -> task<std::string> { co_return co_await wanted->get(); };
  auto waiter = spawn(wait());
  co_await yield();
  wanted.reset();
  answer->set_value("text");
  answer.reset();
  EXPECT_EQ(co_await waiter.join(), "text");
}

// -- setting ----------------------------------------------------------------------------------------------------------

TEST(FutureTest, SettingItTwiceIsMisuseThatNamesBothPlaces) {
  const auto main = []() -> task<void> {
    promise<int> answer("answer");
    const promise<> unnamed;
    answer.set_value(1);
    EXPECT_FALSE(answer.try_set_value(2));
    EXPECT_FALSE(answer.try_set_exception(disk_full()));
    EXPECT_EQ(answer.get_future().result(), 1);
    EXPECT_THROW(answer.set_exception(disk_full()), misuse);
    EXPECT_THROW(answer.set_value(2), misuse);
    co_return;
  };
  const judged_run run = judge(main);
  ASSERT_EQ(run.verdicts.size(), 2u);
  EXPECT_THAT(run.messages(),
              MatchesRegex("misuse: set_exception\\(\\) of future \"answer\", which was set before "
                           "\\(future_test.cpp:[0-9]+\\)\nmisuse: set_value\\(\\) of future \"answer\", which was set "
                           "before \\(future_test.cpp:[0-9]+\\)\n"));
  EXPECT_EQ(run.verdicts[1].where.line(), run.verdicts[0].where.line() + 1);
}

TEST(FutureTest, WhatWasCancelledIsNotSet) {
  const auto main = []() -> task<void> {
    promise<int> answer("answer");
    future<int> wanted = answer.get_future();
    EXPECT_FALSE(answer.cancelled());
    EXPECT_TRUE(wanted.cancel("not needed"));
    EXPECT_FALSE(wanted.cancel("again"));
    EXPECT_TRUE(answer.cancelled());
    EXPECT_TRUE(answer.done());
    EXPECT_TRUE(wanted.was_cancelled());
    EXPECT_EQ(wanted.exception(), nullptr);
    EXPECT_EQ(co_await outcome_of(wanted), "cancelled: not needed");
    EXPECT_FALSE(answer.try_set_value(1));
    EXPECT_THROW(answer.set_value(1), misuse);
  };
  EXPECT_THAT(judge(main).messages(),
              MatchesRegex("misuse: set_value\\(\\) of future \"answer\", which was cancelled before .*\n"));
}

TEST(FutureTest, WithoutAPromiseEverythingIsMisuse) {
  const auto main = []() -> task<void> {
    future<int> none;
    EXPECT_FALSE(none.valid());
    EXPECT_THROW(static_cast<void>(none.get()), misuse);
    EXPECT_THROW(none.done(), misuse);
    EXPECT_THROW(none.cancel(), misuse);
    EXPECT_THROW(none.result(), misuse);
    EXPECT_THROW(none.on_done([] {}), misuse);
    promise<int> from;
    const promise<int> to = std::move(from);
    EXPECT_FALSE(from.valid());  // NOLINT(bugprone-use-after-move)
    EXPECT_TRUE(to.valid());
    EXPECT_THROW(from.set_value(1), misuse);
    EXPECT_THROW(from.get_future(), misuse);
    co_return;
  };
  const judged_run run = judge(main);
  EXPECT_EQ(run.verdicts.size(), 7u);
  EXPECT_EQ(run.verdicts[0].message, "this future is of no promise: it was moved from, or never given one");
  EXPECT_EQ(run.verdicts[6].message, "this promise is of no promise: it was moved from, or never given one");
}

TEST(FutureTest, ItsResultIsAskedForWhenItIsDoneAndNoExceptionIsNull) {
  const auto main = []() -> task<void> {
    promise<int> answer("answer");
    EXPECT_EQ(answer.get_future().exception(), nullptr);
    EXPECT_THROW(answer.get_future().result(), misuse);
    EXPECT_THROW(answer.set_exception(nullptr), misuse);
    EXPECT_FALSE(answer.done());
    co_return;
  };
  EXPECT_EQ(judge(main).messages(),
            "misuse: result() of future \"answer\", which is not done\n"
            "misuse: future \"answer\" is set to an exception_ptr that is null\n");
}

// -- exceptions -------------------------------------------------------------------------------------------------------

CO_TEST(FutureTest, ThrowsTheExceptionToEachWhoAwaitsIt) {
  promise<int> answer;
  auto one = spawn(outcome_of(answer.get_future()));
  auto two = spawn(outcome_of(answer.get_future()));
  co_await yield();
  answer.set_exception(disk_full());
  EXPECT_EQ(co_await one.join(), "disk full");
  EXPECT_EQ(co_await two.join(), "disk full");
  EXPECT_THROW(answer.get_future().result(), std::runtime_error);
  EXPECT_NE(answer.get_future().exception(), nullptr);
}

TEST(FutureTest, WhereAnExceptionWasSetIsToldWithWhereItWasAwaited) {
  unsigned line = 0;
  const auto main = [&]() -> task<void> {
    promise<int> answer("answer");
    line = source::current().line() + 1;
    answer.set_exception(disk_full());
    co_await answer.get_future().get();
  };
  const judged_run run = judge(main);
  ASSERT_TRUE(run.failure_report.has_value());
  const verdict& found = *run.failure_report;
  EXPECT_EQ(found.where.line(), line);
  ASSERT_EQ(found.tasks.size(), 2u);
  ASSERT_EQ(found.tasks[0].stack.size(), 1u);
  EXPECT_EQ(found.tasks[0].stack[0].line(), line + 1);
  EXPECT_EQ(found.tasks[1].name, "future \"answer\"");
}

TEST(FutureTest, AnExceptionIsUnreadUntilSomebodyLooks) {
  const auto judged = [](auto look) {
    const auto main = [&]() -> task<void> {
      promise<int> answer("answer");
      answer.set_exception(disk_full());
      co_await look(answer.get_future());
    };
    return judge(main);
  };
  const judged_run unread = judged([](future<int> it) -> task<void> {
    EXPECT_TRUE(it.done());
    EXPECT_FALSE(it.was_cancelled());
    co_return;
  });
  EXPECT_EQ(unread.messages(), "unread exception: future \"answer\" failed and nobody looked: disk full\n");
  EXPECT_EQ(file_of(unread.verdicts[0].where), "future_test.cpp") << "where it was set";

  const auto by_exception = [](future<int> it) -> task<void> {
    EXPECT_NE(it.exception(), nullptr);
    co_return;
  };
  const auto by_result = [](future<int> it) -> task<void> {
    EXPECT_THROW(it.result(), std::runtime_error);
    co_return;
  };
  const auto by_await = [](future<int> it) -> task<void> { EXPECT_EQ(co_await outcome_of(it), "disk full"); };
  EXPECT_EQ(judged(by_exception).messages(), "");
  EXPECT_EQ(judged(by_result).messages(), "");
  EXPECT_EQ(judged(by_await).messages(), "");
}

// Whoever was woken to read it and died before has not.
TEST(FutureTest, AWaiterThatIsCancelledBeforeItRunsHasNotReadIt) {
  const auto main = []() -> task<void> {
    promise<int> answer("answer");
    auto waiter = spawn(outcome_of(answer.get_future()));
    co_await yield();
    answer.set_exception(disk_full());
    waiter.cancel();
    EXPECT_EQ(co_await waiter.join(), "cancelled: ");
  };
  EXPECT_EQ(judge(main, {.order = ordering::fifo}).messages(),
            "unread exception: future \"answer\" failed and nobody looked: disk full\n");
}

TEST(FutureTest, AnExceptionThatOutlivesTheRunIsToldOfAtItsEnd) {
  std::optional<future<int>> kept;
  const auto main = [&]() -> task<void> {
    promise<int> answer("answer");
    kept = answer.get_future();
    answer.set_exception(disk_full());
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "unread exception: future \"answer\" failed and nobody looked: disk full\n");
  EXPECT_THROW(kept->result(), std::runtime_error) << "it may still be read";
  std::string elsewhere;
  std::thread([&] { elsewhere = text_of(kept->exception()); }).join();
  EXPECT_EQ(elsewhere, "disk full");
}

// What was read is not remembered for ever, and what was not is not forgotten.
TEST(FutureTest, OfThousandsOfExceptionsEachUnreadOneIsToldOf) {
  std::vector<future<int>> kept;
  const auto main = [&]() -> task<void> {
    for (int i = 0; i < 5000; ++i) {
      promise<int> answer(std::to_string(i));
      answer.set_exception(disk_full());
      if (i % 1000 == 7) {
        kept.push_back(answer.get_future());
      } else {
        static_cast<void>(answer.get_future().exception());
      }
    }
    co_return;
  };
  const judged_run run = judge(main);
  ASSERT_EQ(run.verdicts.size(), 5u);
  EXPECT_EQ(run.verdicts[4].message, "future \"4007\" failed and nobody looked: disk full");
}

// -- broken promises --------------------------------------------------------------------------------------------------

CO_TEST(FutureTest, APromiseThatDiesUnsetBreaks) {
  std::optional<promise<int>> answer(std::in_place, label("answer"));
  future<int> wanted = answer->get_future();
  auto waiter = spawn(outcome_of(wanted));
  co_await yield();
  answer.reset();
  EXPECT_EQ(co_await waiter.join(), "the promise of future \"answer\" died unset");
  EXPECT_THROW(co_await wanted.get(), broken_promise);
  EXPECT_TRUE(wanted.done());
}

CO_TEST(FutureTest, APromiseThatIsReplacedBreaksToo) {
  promise<int> answer;
  const future<int> first = answer.get_future();
  answer = promise<int>();
  EXPECT_TRUE(first.done());
  EXPECT_FALSE(answer.get_future().done());
  EXPECT_THROW(first.result(), broken_promise);
  co_return;
}

TEST(FutureTest, ABrokenPromiseThatNobodyWaitsForIsNoVerdict) {
  const auto main = []() -> task<void> {
    future<int> wanted;
    {
      const promise<int> answer;
      wanted = answer.get_future();
    }
    EXPECT_TRUE(wanted.done());
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "");
}

// -- cancellation -----------------------------------------------------------------------------------------------------

CO_TEST(FutureTest, CancellingAWaiterLeavesTheFutureAndTheOthersAlone) {
  promise<int> answer;
  auto leaving = spawn(outcome_of(answer.get_future()));
  auto staying = spawn(outcome_of(answer.get_future()));
  co_await yield();
  leaving.cancel("enough");
  EXPECT_EQ(co_await leaving.join(), "cancelled: enough");
  EXPECT_FALSE(answer.done());
  answer.set_value(3);
  EXPECT_EQ(co_await staying.join(), "3");
}

CO_TEST(FutureTest, CancellingTheFutureCancelsWhoeverAwaitsIt) {
  promise<int> answer;
  const auto pass_on = [](future<int> it) -> task<void> { static_cast<void>(co_await it.get()); };
  auto waiter = spawn(pass_on(answer.get_future()));
  co_await yield();
  answer.get_future().cancel("no more");
  try {
    co_await waiter.join();
    ADD_FAILURE();
  } catch (const cancelled& why) {
    EXPECT_EQ(why.reason(), "no more");
  }
  EXPECT_TRUE(waiter.was_cancelled());
  EXPECT_EQ(waiter.get().cancelling(), 0u) << "nobody has asked that of the task itself";
}

// -- order ------------------------------------------------------------------------------------------------------------

CO_TEST(FutureTest, WaitersAndCallbacksComeInTheOrderOfTheirRegistration, .order = ordering::fifo) {
  promise<> go;
  future<> gone = go.get_future();
  std::string log;
  const auto wait = [&](char name) -> task<void> {
    co_await gone.get();
    log += name;
  };
  auto a = spawn(wait('a'));
  co_await yield();
  gone.on_done([&] { log += 'b'; });
  auto c = spawn(wait('c'));
  co_await yield();
  const callback_handle never = gone.on_done([&] { log += 'x'; });
  callback_handle removed = never;
  gone.on_done([&] { log += 'd'; });
  EXPECT_TRUE(removed.cancel());
  go.set_value();
  EXPECT_EQ(log, "") << "never within the call that sets it";
  gone.on_done([&] { log += 'e'; });
  co_await yield();
  EXPECT_EQ(log, "abcde");
  EXPECT_TRUE(never.cancelled());
  co_await a.join();
  co_await c.join();
}

CO_TEST(FutureTest, CallbacksMayAddRemoveCancelAndSetOthers) {
  promise<> first;
  promise<int> second;
  future<> done = first.get_future();
  std::string log;
  callback_handle removed;
  done.on_done([&] {
    log += 'a';
    EXPECT_TRUE(removed.cancel());
    done.on_done([&] { log += 'c'; });
    second.get_future().cancel();
  });
  removed = done.on_done([&] { log += 'x'; });
  second.get_future().on_done([&, it = second.get_future()] { log += it.was_cancelled() ? 'b' : 'x'; });
  first.set_value();
  co_await settle();
  EXPECT_THAT(log, testing::AnyOf("acb", "abc"));
}

// -- runs and threads -------------------------------------------------------------------------------------------------

TEST(FutureTest, WaitingForWhatNobodySetsIsADeadlockThatNamesIt) {
  const auto main = []() -> task<void> {
    const promise<int> answer("answer");
    future<int> wanted = answer.get_future();
    wanted.on_done([] {});
    co_await wanted.get();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  ASSERT_EQ(run.verdicts[0].tasks.size(), 2u);
  EXPECT_EQ(run.verdicts[0].tasks[0].waits_for, "future \"answer\"");
  EXPECT_EQ(run.verdicts[0].tasks[1].waits_for, "future \"answer\" made by main");
  EXPECT_THAT(run.verdicts[0].tasks[1].name, MatchesRegex("callback 1 \\(future_test.cpp:[0-9]+\\)"));
}

TEST(FutureTest, ItsUseOnAnotherThreadIsMisuse) {
  std::vector<std::string> found;
  const auto elsewhere = [&](const auto& use) {
    std::thread([&] {
      try {
        use();
      } catch (const misuse& error) {
        found.emplace_back(error.what());
      }
    }).join();
  };
  const auto main = [&]() -> task<void> {
    promise<int> answer("answer");
    future<int> wanted = answer.get_future();
    elsewhere([&] { answer.set_value(1); });
    elsewhere([&] { answer.try_set_value(1); });
    elsewhere([&] { wanted.cancel(); });
    elsewhere([&] { static_cast<void>(wanted.get()); });
    elsewhere([&] { wanted.on_done([] {}); });
    elsewhere([&] { wanted.result(); });
    EXPECT_FALSE(wanted.done());
    elsewhere([&] { const promise<int> dropped = std::move(answer); });
    EXPECT_FALSE(wanted.done());
    co_return;
  };
  const judged_run run = judge(main);
  EXPECT_EQ(run.verdicts.size(), 7u);
  EXPECT_EQ(run.verdicts.back().message, "future \"answer\" lost its promise on another thread");
  ASSERT_EQ(found.size(), 6u);
  EXPECT_THAT(found[0], MatchesRegex("future \"answer\" was set on another thread \\(future_test.cpp:[0-9]+\\)"));
  EXPECT_THAT(found[2], HasSubstr("was cancelled on another thread"));
  EXPECT_THAT(found[3], HasSubstr("was awaited on another thread"));
  EXPECT_THAT(found[4], HasSubstr("had a callback added on another thread"));
  EXPECT_THAT(found[5], HasSubstr("was read on another thread"));
}

// An exception that is left there is told of all the same.
TEST(FutureTest, TheLastCopyMayDieOnAnotherThread) {
  const auto main = []() -> task<void> {
    std::optional<promise<int>> answer(std::in_place, label("answer"));
    auto kept = std::make_unique<future<int>>(answer->get_future());
    answer->set_exception(disk_full());
    answer.reset();
    std::thread([&] { kept.reset(); }).join();
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "unread exception: future \"answer\" failed and nobody looked: disk full\n");
}

TEST(FutureTest, NoWaiterMissesItInAnyOrder) {
  under_every_schedule([]() -> task<void> {
    promise<int> answer;
    std::vector<join_handle<std::string>> waiters;
    for (int i = 0; i < 4; ++i) waiters.push_back(spawn(outcome_of(answer.get_future())));
    int called = 0;
    answer.get_future().on_done([&] { ++called; });
    const auto set = [&]() -> task<void> {
      co_await yield();
      answer.set_value(5);
    };
    auto setter = spawn(set());
    waiters[2].cancel();
    for (std::size_t i = 0; i < waiters.size(); ++i) {
      if (i == 2) continue;
      EXPECT_EQ(co_await waiters[i].join(), "5");
    }
    // It never started, or left its wait, or had been given the value before.
    try {
      EXPECT_THAT(co_await waiters[2].join(), testing::AnyOf("cancelled: ", "5"));
    } catch (const cancelled&) {
    }
    co_await setter.join();
    co_await settle();
    EXPECT_EQ(called, 1);
  });
}

}  // namespace
}  // namespace lockstep
