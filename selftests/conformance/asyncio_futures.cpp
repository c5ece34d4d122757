// asyncio's rules about futures, and where ours differ on purpose: docs/reference/from_asyncio.md.
#include "../sync/schedules.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

std::exception_ptr disk_full() { return std::make_exception_ptr(std::runtime_error("disk full")); }

task<int> await(future<int> wanted) { co_return co_await wanted.get(); }

// -- results ----------------------------------------------------------------------------------------------------------

CO_TEST(AsyncioFutures, AreDoneOnceTheyHaveAResultOrAnExceptionOrAreCancelled) {
  promise<int> with_result;
  promise<int> with_exception;
  promise<int> cancelled_one;
  EXPECT_FALSE(with_result.get_future().done());
  with_result.set_value(1);
  with_exception.set_exception(disk_full());
  cancelled_one.get_future().cancel();
  EXPECT_TRUE(with_result.get_future().done());
  EXPECT_TRUE(with_exception.get_future().done());
  EXPECT_TRUE(cancelled_one.get_future().done());
  EXPECT_FALSE(with_result.get_future().was_cancelled());
  EXPECT_FALSE(with_exception.get_future().was_cancelled());
  EXPECT_TRUE(cancelled_one.get_future().was_cancelled());
  EXPECT_EQ(with_result.get_future().result(), 1);
  EXPECT_THROW(with_exception.get_future().result(), std::runtime_error);
  EXPECT_THROW(cancelled_one.get_future().result(), cancelled);
  EXPECT_EQ(text_of(with_exception.get_future().exception()), "disk full");
  co_return;
}

TEST(AsyncioFutures, HaveNoResultBeforeTheyAreDone) {
  const auto main = []() -> task<void> {
    const promise<int> answer("answer");
    EXPECT_THROW(answer.get_future().result(), misuse);
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "misuse: result() of future \"answer\", which is not done\n");
}

// There, exception() throws then.
CO_TEST(AsyncioFutures, DifferInThatOneThatIsPendingOrCancelledHasNoException) {
  const promise<int> answer;
  EXPECT_EQ(answer.get_future().exception(), nullptr);
  answer.get_future().cancel();
  EXPECT_EQ(answer.get_future().exception(), nullptr);
  co_return;
}

TEST(AsyncioFutures, MayNotBeSetTwice) {
  const auto main = []() -> task<void> {
    promise<int> answer("answer");
    answer.set_value(1);
    EXPECT_THROW(answer.set_value(2), misuse);
    EXPECT_THROW(answer.set_exception(disk_full()), misuse);
    EXPECT_EQ(answer.get_future().result(), 1);
    co_return;
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::misuse, verdict_kind::misuse));
}

TEST(AsyncioFutures, MayNotBeSetWhenTheyWereCancelled) {
  const auto main = []() -> task<void> {
    promise<int> answer("answer");
    answer.get_future().cancel();
    EXPECT_FALSE(answer.try_set_value(1)) << "there is a form for who cannot know";
    EXPECT_THROW(answer.set_value(1), misuse);
    co_return;
  };
  EXPECT_THAT(judge(main).messages(), HasSubstr("which was cancelled before"));
}

CO_TEST(AsyncioFutures, GiveTheirResultToEachAwaitAndSuspendOnlyWhilePending, .order = ordering::fifo) {
  promise<int> answer;
  const future<int> wanted = answer.get_future();
  auto first = spawn(await(wanted));
  auto second = spawn(await(wanted));
  co_await yield();
  answer.set_value(42);
  EXPECT_EQ(co_await first.join(), 42);
  EXPECT_EQ(co_await second.join(), 42);
  bool others_ran = false;
  call_soon([&] { others_ran = true; });
  EXPECT_EQ(co_await wanted.get(), 42);
  EXPECT_FALSE(others_ran) << "it was done, so nobody else came between";
  co_await yield();
}

TEST(AsyncioFutures, WhoseExceptionNobodyRetrievedAreReported) {
  const auto main = []() -> task<void> {
    promise<int> answer("answer");
    answer.set_exception(disk_full());
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "unread exception: future \"answer\" failed and nobody looked: disk full\n");
}

TEST(AsyncioFutures, MayBeDroppedWhilePending) {
  const auto main = []() -> task<void> {
    promise<int> answer;
    answer.get_future().on_done([] { ADD_FAILURE(); });
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "");
}

// There, a future that nobody can set any more is awaited for ever.
CO_TEST(AsyncioFutures, DifferInThatAPromiseThatDiesUnsetIsTold) {
  auto answer = std::make_unique<promise<int>>();
  auto waiter = spawn(await(answer->get_future()));
  co_await yield();
  answer.reset();
  EXPECT_THROW(co_await waiter.join(), broken_promise);
}

// -- cancellation -----------------------------------------------------------------------------------------------------

// 32.
CO_TEST(AsyncioFutures, ThatAreCancelledElsewhereCancelTheTaskThatAwaitsThem) {
  const promise<int> answer;
  auto waiter = spawn(await(answer.get_future()));
  co_await yield();
  EXPECT_TRUE(answer.get_future().cancel("not needed"));
  std::string reason;
  try {
    co_await waiter.join();
  } catch (const cancelled& why) {
    reason = why.reason();
  }
  EXPECT_EQ(reason, "not needed");
  EXPECT_TRUE(waiter.was_cancelled());
}

CO_TEST(AsyncioFutures, AreCancelledOnce) {
  promise<int> answer;
  EXPECT_TRUE(answer.get_future().cancel());
  EXPECT_FALSE(answer.get_future().cancel());
  promise<int> done;
  done.set_value(1);
  EXPECT_FALSE(done.get_future().cancel());
  EXPECT_EQ(done.get_future().result(), 1);
  co_return;
}

// There, cancelling a task cancels the future that it awaits, and so whoever else awaits that.
CO_TEST(AsyncioFutures, DifferInThatAWaiterThatIsCancelledLeavesThemAlone) {
  promise<int> answer;
  auto leaving = spawn(await(answer.get_future()));
  auto staying = spawn(await(answer.get_future()));
  co_await yield();
  leaving.cancel();
  EXPECT_THROW(co_await leaving.join(), cancelled);
  EXPECT_FALSE(answer.cancelled());
  answer.set_value(7);
  EXPECT_EQ(co_await staying.join(), 7);
}

TEST(AsyncioFutures, GiveWhatWasSetOrTheCancellationInAnyOrderAndNeverNothing) {
  under_every_schedule([]() -> task<void> {
    promise<int> answer;
    auto first = spawn(await(answer.get_future()));
    auto second = spawn(await(answer.get_future()));
    const auto set = [&]() -> task<void> {
      co_await yield();
      answer.set_value(1);
    };
    auto setter = spawn(set());
    co_await yield();
    first.cancel();
    try {
      EXPECT_EQ(co_await first.join(), 1);
    } catch (const cancelled&) {
    }
    EXPECT_EQ(co_await second.join(), 1);
    co_await setter.join();
  });
}

// -- done callbacks ---------------------------------------------------------------------------------------------------

CO_TEST(AsyncioFutures, CallBackInTheOrderOfRegistrationAndNeverAtOnce, .order = ordering::fifo) {
  promise<int> answer;
  const future<int> wanted = answer.get_future();
  std::string log;
  wanted.on_done([&] { log += 'a'; });
  wanted.on_done([&, wanted] { log += std::to_string(wanted.result()); });
  call_soon([&] { log += 's'; });
  answer.set_value(5);
  EXPECT_EQ(log, "") << "not within set_value()";
  wanted.on_done([&] { log += 'z'; });
  EXPECT_EQ(log, "") << "nor for one that is done";
  co_await yield();
  EXPECT_EQ(log, "sa5z");
}

CO_TEST(AsyncioFutures, CallBackWhenTheyFailAndWhenTheyAreCancelled) {
  promise<int> failing;
  promise<int> cancelled_one;
  std::string log;
  failing.get_future().on_done([&, it = failing.get_future()] { log += text_of(it.exception()); });
  cancelled_one.get_future().on_done([&, it = cancelled_one.get_future()] { log += it.was_cancelled() ? "!" : "?"; });
  failing.set_exception(disk_full());
  co_await settle();
  cancelled_one.get_future().cancel();
  co_await settle();
  EXPECT_EQ(log, "disk full!");
}

CO_TEST(AsyncioFutures, ForgetACallbackThatWasRemoved) {
  promise<> go;
  std::string log;
  const auto note = [&log] { log += 'x'; };
  callback_handle first = go.get_future().on_done(note);
  callback_handle second = go.get_future().on_done(note);
  EXPECT_TRUE(first.cancel());
  EXPECT_FALSE(first.cancel()) << "there, the number of those removed";
  go.set_value();
  EXPECT_TRUE(second.cancel()) << "also when it is about to be called";
  co_await settle();
  EXPECT_EQ(log, "");
}

CO_TEST(AsyncioFutures, AllowACallbackToChangeTheCallbacks, .order = ordering::fifo) {
  promise<> go;
  promise<> other;
  const future<> gone = go.get_future();
  std::string log;
  callback_handle third;
  gone.on_done([&] {
    log += 'a';
    third.cancel();
    gone.on_done([&] { log += 'c'; });
    other.set_value();
  });
  other.get_future().on_done([&] { log += 'd'; });
  gone.on_done([&] { log += 'b'; });
  third = gone.on_done([&] { log += 'x'; });
  go.set_value();
  co_await settle();
  EXPECT_EQ(log, "abcd");
}

TEST(AsyncioFutures, CallTheOthersWhenACallbackFails) {
  int called = 0;
  const auto main = [&]() -> task<void> {
    promise<> go;
    go.get_future().on_done([&] { ++called; });
    go.get_future().on_done([] { throw std::runtime_error("disk full"); });
    go.get_future().on_done([&] { ++called; });
    go.set_value();
    co_await settle();
  };
  EXPECT_THAT(judge(main).messages(), MatchesRegex("unhandled exception: callback 2 .* failed: disk full\n"));
  EXPECT_EQ(called, 2);
}

// A task is a future there; here its handle has what they have in common.
CO_TEST(AsyncioFutures, ShareDoneCallbacksWithTasks, .order = ordering::fifo) {
  std::string log;
  const auto work = [&]() -> task<int> {
    co_await sleep_for(1s);
    co_return 7;
  };
  auto worker = spawn(work());
  worker.on_done([&] { log += 'a'; });
  callback_handle removed = worker.on_done([&] { log += 'x'; });
  worker.on_done([&] { log += std::to_string(worker.result()); });
  removed.cancel();
  co_await worker.join();
  worker.on_done([&] { log += 'z'; });
  co_await yield();
  EXPECT_EQ(log, "a7z");
}

// -- loops ------------------------------------------------------------------------------------------------------------

// 34.
TEST(AsyncioFutures, OfAnotherLoopAreRefusedByName) {
  std::string inner;
  const auto main = [&]() -> task<void> {
    const promise<int> answer("answer");
    const auto nested = [&]() -> task<void> { EXPECT_THROW(co_await answer.get_future().get(), misuse); };
    inner = judge(nested).messages();
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), inner);
  EXPECT_THAT(inner, MatchesRegex("misuse: future \"answer\" was awaited in another run than its own \\(.*\\)\n"));
}

TEST(AsyncioFutures, ThatNobodySetsAreNamedByTheDeadlock) {
  const auto main = []() -> task<void> {
    const promise<int> answer("answer");
    co_await answer.get_future().get();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_EQ(run.verdicts[0].tasks[0].waits_for, "future \"answer\"");
}

// isfuture()
TEST(AsyncioFutures, AreKnownByTheirType) {
  EXPECT_TRUE((std::is_same_v<decltype(std::declval<promise<int>&>().get_future()), future<int>>));
  EXPECT_FALSE((std::is_convertible_v<future<int>, future<long>>));
}

}  // namespace
}  // namespace lockstep
