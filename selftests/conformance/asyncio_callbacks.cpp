// asyncio's rules about callbacks, the exception handler and other threads, and where ours differ on purpose:
// docs/reference/from_asyncio.md.
#include "../sync/schedules.hpp"

#include <lockstep/testing/testing.hpp>

#include <coroutine>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;

// -- call_soon --------------------------------------------------------------------------------------------------------

CO_TEST(AsyncioCallbacks, AreCalledInTheOrderInWhichTheyWereScheduled, .order = ordering::fifo) {
  std::string log;
  for (const char name : {'a', 'b', 'c'}) call_soon([&log, name] { log += name; });
  EXPECT_EQ(log, "");
  co_await yield();
  EXPECT_EQ(log, "abc");
}

// 67.
CO_TEST(AsyncioCallbacks, ThatAreScheduledByOneRunInTheNextIteration, .order = ordering::fifo) {
  std::string log;
  const auto work = [&]() -> task<void> {
    log += 't';
    co_return;
  };
  call_soon([&] {
    log += 'a';
    call_soon([&] { log += 'c'; });
  });
  auto worker = spawn(work());
  call_soon([&] { log += 'b'; });
  co_await yield();
  EXPECT_EQ(log, "atb") << "behind all that were ready before";
  co_await yield();
  EXPECT_EQ(log, "atbc");
  co_await worker.join();
}

// There, the clock goes on meanwhile, and timers come between.
TEST(AsyncioCallbacks, DifferInThatNoTimePassesWhileOneIsReady) {
  struct again {
    void operator()() const { call_soon(*this); }
  };
  const auto main = []() -> task<void> {
    call_soon(again());
    co_await sleep_for(1s);
  };
  sim::world_options how;
  how.steps_max = 1000;
  EXPECT_THAT(judge(main, how).kinds(), ElementsAre(verdict_kind::step_limit));
}

// There, they have no task of their own.
CO_TEST(AsyncioCallbacks, DifferInThatTheyRunInATaskOfTheirOwn) {
  std::string name;
  call_soon([&] { name = current_task().name(); });
  co_await settle();
  EXPECT_THAT(name, MatchesRegex("callback 1 \\(asyncio_callbacks.cpp:[0-9]+\\)"));
}

CO_TEST(AsyncioCallbacks, AreNotAmongAllTasks) {
  agent* const me = &current_task();
  std::size_t seen = 0;
  call_later(1s, [] {});
  call_soon([&] { seen = all_tasks().size(); });
  EXPECT_THAT(all_tasks(), ElementsAre(me));
  co_await yield();
  EXPECT_EQ(seen, 1u);
}

TEST(AsyncioCallbacks, NeedALoopOnTheirThread) {
  EXPECT_THROW(call_soon([] {}), misuse);
  const auto main = []() -> task<void> {
    std::thread([] { EXPECT_THROW(call_later(1s, [] {}), misuse); }).join();
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "");
}

// -- call_later, call_at ----------------------------------------------------------------------------------------------

CO_TEST(AsyncioCallbacks, AreCalledWhenTheirTimeHasCome) {
  std::vector<std::pair<int, time_point>> log;
  const auto note = [&](int name) { return [&log, name] { log.emplace_back(name, now()); }; };
  call_later(300ms, note(3));
  call_later(100ms, note(1));
  call_at(now() + 200ms, note(2));
  call_later(0s, note(0));
  co_await sleep_for(1s);
  EXPECT_THAT(log, ElementsAre(std::pair(0, time_point{}), std::pair(1, time_point{100ms}),
                               std::pair(2, time_point{200ms}), std::pair(3, time_point{300ms})));
}

CO_TEST(AsyncioCallbacks, OfATimeThatHasPassedAreCalledSoonBehindOthers, .order = ordering::fifo) {
  co_await sleep_for(5s);
  std::string log;
  call_soon([&] { log += 'a'; });
  call_at(time_point{1s}, [&] { log += 'b'; });
  call_later(-1s, [&] { log += 'c'; });
  EXPECT_EQ(log, "");
  co_await yield();
  EXPECT_EQ(log, "abc");
  EXPECT_EQ(now(), time_point{5s});
}

CO_TEST(AsyncioCallbacks, OfOneTimeAreCalledInTheOrderInWhichTheyWereScheduled, .order = ordering::fifo) {
  std::string log;
  call_later(1s, [&] { log += 'a'; });
  call_at(time_point{1s}, [&] { log += 'b'; });
  co_await sleep_for(1s);
  EXPECT_EQ(log, "ab");
}

// -- handles ----------------------------------------------------------------------------------------------------------

CO_TEST(AsyncioCallbacks, AreNotCalledWhenTheirHandleWasCancelled) {
  int called = 0;
  callback_handle soon = call_soon([&] { ++called; });
  callback_handle later = call_later(1s, [&] { ++called; });
  soon.cancel();
  later.cancel();
  soon.cancel();
  EXPECT_TRUE(soon.cancelled());
  EXPECT_TRUE(later.cancelled());
  co_await sleep_for(2s);
  EXPECT_EQ(called, 0);
}

CO_TEST(AsyncioCallbacks, MayCancelOneThatIsDueInTheSameIteration, .order = ordering::fifo) {
  std::string log;
  callback_handle second;
  call_soon([&] {
    log += 'a';
    second.cancel();
  });
  second = call_soon([&] { log += 'b'; });
  co_await yield();
  EXPECT_EQ(log, "a");
}

CO_TEST(AsyncioCallbacks, AreCalledAlsoWhenNobodyKeepsTheHandle) {
  bool called = false;
  {
    const callback_handle dropped = call_later(1s, [&] { called = true; });
  }
  co_await sleep_for(2s);
  EXPECT_TRUE(called);
}

CO_TEST(AsyncioCallbacks, TellTheAbsoluteTimeForWhichTheyAreScheduled) {
  co_await sleep_for(1s);
  EXPECT_EQ(call_later(2s, [] {}).when(), time_point{3s});
  EXPECT_EQ(call_at(time_point{7s}, [] {}).when(), time_point{7s});
  EXPECT_EQ(call_soon([] {}).when(), std::nullopt);
}

// There, cancelled() is true for every handle on which cancel() was called.
CO_TEST(AsyncioCallbacks, DifferInThatWhatWasCalledIsNotCancelledAfterwards) {
  callback_handle handle = call_soon([] {});
  co_await settle();
  EXPECT_FALSE(handle.cancel());
  EXPECT_FALSE(handle.cancelled());
}

CO_TEST(AsyncioCallbacks, LetGoOfTheirFunctionWhenTheyAreCancelledOrCalled) {
  const auto held = std::make_shared<int>(1);
  callback_handle one = call_later(1h, [held] {});
  const callback_handle two = call_soon([held] {});
  EXPECT_EQ(held.use_count(), 3);
  one.cancel();
  EXPECT_EQ(held.use_count(), 2);
  co_await settle();
  EXPECT_EQ(held.use_count(), 1);
}

// -- the end of the run -----------------------------------------------------------------------------------------------

TEST(AsyncioCallbacks, ThatAreLeftWhenTheMainTaskEndsAreNotCalledAndNotReported) {
  const auto main = []() -> task<void> {
    call_later(1h, [] { ADD_FAILURE(); });
    call_soon([] { ADD_FAILURE(); });
    co_return;
  };
  const judged_run run = judge(main);
  EXPECT_EQ(run.messages(), "");
  EXPECT_EQ(run.summary.virtual_time, 0s) << "nor waited for";
}

// -- exceptions -------------------------------------------------------------------------------------------------------

TEST(AsyncioCallbacks, ThatFailAreReportedAndTheLoopSurvives) {
  const auto main = []() -> task<void> {
    call_soon([] { throw std::runtime_error("disk full"); });
    co_await sleep_for(1s);
    EXPECT_EQ(now(), time_point{1s});
  };
  const judged_run run = judge(main);
  EXPECT_TRUE(run.ended);
  EXPECT_THAT(run.messages(), MatchesRegex("unhandled exception: callback 1 .* failed: disk full\n"));
}

TEST(AsyncioExceptionHandler, GetsTheMessageTheExceptionAndWhoseItIs) {
  exception_context seen;
  const auto main = [&]() -> task<void> {
    set_exception_handler([&](const exception_context& found) { seen = found; });
    call_soon([] { throw std::runtime_error("disk full"); });
    co_await sleep_for(1s);
  };
  EXPECT_EQ(judge(main).messages(), "") << "and decides: no verdict";
  EXPECT_EQ(text_of(seen.exception), "disk full");
  EXPECT_THAT(seen.thrower, MatchesRegex("callback 1 \\(asyncio_callbacks.cpp:[0-9]+\\)"));
  EXPECT_EQ(seen.as_verdict.message, seen.thrower + " failed: disk full");
  EXPECT_EQ(file_of(seen.as_verdict.where), "asyncio_callbacks.cpp");
}

TEST(AsyncioExceptionHandler, GetsExceptionsOfTasksAndFuturesThatNobodyRetrieved) {
  std::vector<std::string> seen;
  const auto main = [&]() -> task<void> {
    set_exception_handler([&](const exception_context& found) { seen.push_back(found.as_verdict.message); });
    const auto fail = []() -> task<void> {
      co_await yield();
      throw std::runtime_error("no route");
    };
    {
      const auto unread = spawn(fail(), "reader");
      promise<int> answer("answer");
      answer.set_exception(std::make_exception_ptr(std::runtime_error("disk full")));
      co_await sleep_for(1s);
    }
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_THAT(seen, ElementsAre("future \"answer\" failed and nobody looked: disk full",
                                "task \"reader\" failed and nobody looked: no route"));
}

// 68.
TEST(AsyncioExceptionHandler, ThatIsBrokenIsReportedItself) {
  const auto main = []() -> task<void> {
    set_exception_handler([](const exception_context&) { throw std::logic_error("no log"); });
    call_soon([] { throw std::runtime_error("disk full"); });
    co_await sleep_for(1s);
    EXPECT_EQ(now(), time_point{1s});
  };
  const judged_run run = judge(main);
  EXPECT_TRUE(run.ended);
  EXPECT_THAT(run.messages(),
              MatchesRegex("unhandled exception: the exception handler failed: no log; it was told that callback 1 "
                           ".* failed: disk full\n"));
}

TEST(AsyncioExceptionHandler, IsReplacedAndTakenBack) {
  std::string log;
  const auto main = [&]() -> task<void> {
    EXPECT_FALSE(set_exception_handler([&](const exception_context&) { log += 'a'; }));
    const exception_handler former = set_exception_handler([&](const exception_context&) { log += 'b'; });
    call_exception_handler(std::make_exception_ptr(std::runtime_error("x")), "the test");
    set_exception_handler(former);
    call_exception_handler(std::make_exception_ptr(std::runtime_error("x")), "the test");
    set_exception_handler({});
    call_exception_handler(std::make_exception_ptr(std::runtime_error("x")), "the test");
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "unhandled exception: the test failed: x\n");
  EXPECT_EQ(log, "ba");
}

// -- other threads ----------------------------------------------------------------------------------------------------

// Awaited as outside(x): does its work on another thread.
template <class F>
class on_a_thread {
 public:
  explicit on_a_thread(F work) : work_(std::move(work)) {}
  on_a_thread(const on_a_thread&) = delete;
  on_a_thread& operator=(const on_a_thread&) = delete;
  ~on_a_thread() {
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
  F work_;
  std::thread thread_;
};

TEST(AsyncioThreads, CallSoonThreadsafeCallsOnTheLoopsThread) {
  std::thread::id called_on;
  const auto main = [&]() -> task<void> {
    const loop_remote home;
    on_a_thread work([&] { home.call_soon_threadsafe([&] { called_on = std::this_thread::get_id(); }); });
    co_await outside(work);
    co_await settle();
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_EQ(called_on, std::this_thread::get_id());
}

// There it throws RuntimeError.
TEST(AsyncioThreads, CallSoonThreadsafeIsRefusedWhenTheLoopIsClosed) {
  std::unique_ptr<loop_remote> home;
  const auto main = [&]() -> task<void> {
    home = std::make_unique<loop_remote>();
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_FALSE(home->call_soon_threadsafe([] { ADD_FAILURE(); }));
}

TEST(AsyncioThreads, RunCoroutineThreadsafeReturnsTheResultOrTheException) {
  const auto main = []() -> task<void> {
    const loop_remote home;
    on_a_thread work([&] {
      EXPECT_EQ(home.spawn_threadsafe([]() -> task<int> { co_return 42; }).get(), 42);
      auto failing = home.spawn_threadsafe([]() -> task<int> {
        co_await yield();
        throw std::runtime_error("disk full");
      });
      EXPECT_THROW(failing.get(), std::runtime_error);
    });
    co_await outside(work);
  };
  EXPECT_EQ(judge(main).messages(), "");
}

TEST(AsyncioThreads, RunCoroutineThreadsafeChainsCancellationBothWays) {
  const auto main = []() -> task<void> {
    const loop_remote home;
    on_a_thread work([&] {
      std::latch began(1);
      bool was_cancelled = false;
      auto waiting = home.spawn_threadsafe([&]() -> task<void> {
        began.count_down();
        try {
          co_await event("never").wait();
        } catch (const cancelled&) {
          was_cancelled = true;
          throw;
        }
      });
      began.wait();
      EXPECT_TRUE(waiting.cancel());
      EXPECT_THROW(waiting.get(), cancelled);
      EXPECT_TRUE(was_cancelled);
      auto cancels_itself = home.spawn_threadsafe([]() -> task<void> {
        current_task().cancel();
        co_await yield();
      });
      EXPECT_THROW(cancels_itself.get(), cancelled);
    });
    co_await outside(work);
  };
  EXPECT_EQ(judge(main).messages(), "");
}

}  // namespace
}  // namespace lockstep
