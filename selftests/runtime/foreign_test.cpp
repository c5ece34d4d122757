#include "foreign_coroutines.hpp"
#include "judged_run.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// -- a foreign awaitable in our task ----------------------------------------------------------------------------------

CO_TEST(ForeignTest, TheResumptionOfOurTaskIsPostedToItsLoop) {
  std::string log;
  foreign::signal signal;
  const auto wait = [&]() -> task<void> { log += std::to_string(co_await signal) + ' '; };
  auto waiter = spawn(wait());
  co_await settle();
  EXPECT_TRUE(signal.awaited());
  signal.fire(7);
  log += "fired ";  // within our step: the waiter has not gone on
  co_await waiter.join();
  EXPECT_EQ(log, "fired 7 ");
}

struct ready_at_once {
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const { ADD_FAILURE() << "it was ready"; }
  std::unique_ptr<int> await_resume() const { return std::make_unique<int>(3); }
};

CO_TEST(ForeignTest, OneThatIsReadyReturnsItsResultAtOnce) { EXPECT_EQ(*co_await ready_at_once(), 3); }

template <bool Suspends>
struct by_bool {
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiter) {
    if (Suspends) waiter.resume();  // it may be resumed before await_suspend returns
    return Suspends;
  }
  std::string await_resume() const { return Suspends ? "suspended" : "went on"; }
};

CO_TEST(ForeignTest, AwaitSuspendMayReturnABool) {
  EXPECT_EQ(co_await by_bool<true>(), "suspended");
  EXPECT_EQ(co_await by_bool<false>(), "went on");
  co_await yield();
}

struct back_to_waiter {
  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) const noexcept { return waiter; }
  int await_resume() const noexcept { return 5; }
};

CO_TEST(ForeignTest, AwaitSuspendMayReturnAHandle) { EXPECT_EQ(co_await back_to_waiter(), 5); }

struct with_member {
  back_to_waiter operator co_await() const noexcept { return {}; }
};
struct with_free_function {};
back_to_waiter operator co_await(with_free_function) noexcept { return {}; }

CO_TEST(ForeignTest, AnAwaiterMayComeFromEitherOperator) {
  EXPECT_EQ(co_await with_member(), 5);
  EXPECT_EQ(co_await with_free_function(), 5);
}

enum class where { ready, suspend, resume };
struct throwing {
  where place;
  bool await_ready() const {
    if (place == where::ready) throw std::runtime_error("ready");
    return false;
  }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) const {
    if (place == where::suspend) throw std::runtime_error("suspend");
    return waiter;
  }
  void await_resume() const { throw std::runtime_error("resume"); }
};

CO_TEST(ForeignTest, WhatItThrowsIsThrownInOurTask) {
  for (const where place : {where::ready, where::suspend, where::resume}) {
    const throwing fails{place};
    EXPECT_THROW(co_await fails, std::runtime_error);
    co_await yield();
    EXPECT_EQ(current_task().condition(), agent::state::running);
  }
}

CO_TEST(ForeignTest, AReferenceStaysOne) {
  struct to_reference {
    int& target;
    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    int& await_resume() const noexcept { return target; }
  };
  int target = 1;
  int& found = co_await to_reference{target};
  EXPECT_EQ(&found, &target);
}

// -- cancellation -----------------------------------------------------------------------------------------------------

CO_TEST(ForeignTest, IsNotStartedForATaskThatIsCancelled) {
  foreign::signal signal;
  const auto wait = [&]() -> task<void> {
    current_task().cancel();
    co_await signal;
  };
  auto waiter = spawn(wait());
  EXPECT_THROW(co_await waiter.join(), cancelled);
  EXPECT_FALSE(signal.awaited());
}

// Its result may own something: it is not lost.
TEST(ForeignTest, ARequestToCancelWaitsForTheAwaitAfterIt) {
  int got = 0;
  const auto main = [&]() -> task<void> {
    foreign::signal signal;
    const auto wait = [&]() -> task<void> {
      got = co_await signal;
      co_await yield();
      ADD_FAILURE() << "the cancellation was lost";
    };
    auto waiter = spawn(wait());
    co_await settle();
    waiter.cancel();
    co_await settle();
    EXPECT_FALSE(waiter.done());
    signal.fire(7);
    EXPECT_THROW(co_await waiter.join(), cancelled);
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_EQ(got, 7);
}

foreign::lazy<int> sleep_in_foreign(duration length, std::string& log) {
  try {
    co_await sleep_for(length);
    log += "slept ";
  } catch (const cancelled&) {
    log += "cancelled ";
    throw;
  }
  co_return 1;
}

// Can be asked to come to an end.
struct obliging_wait {
  int& asked;
  std::coroutine_handle<> waiter = {};

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) noexcept { waiter = handle; }
  void await_resume() const noexcept {}
  void cancel_requested() {
    ++asked;
    waiter.resume();
  }
};

CO_TEST(ForeignTest, AnAwaiterThatCanBeAskedToEndIsAskedWhenTheTaskIsCancelled) {
  int asked = 0;
  bool came_back = false;
  const auto waits = [&]() -> task<void> {
    co_await obliging_wait{asked};
    came_back = true;
    co_await yield();
  };
  auto waiter = spawn(waits());
  co_await settle();
  EXPECT_EQ(asked, 0);
  waiter.cancel();
  EXPECT_EQ(asked, 1);
  EXPECT_THROW(co_await waiter.join(), cancelled);
  EXPECT_TRUE(came_back) << "the request is delivered at the await after it";
}

CO_TEST(ForeignTest, CancellingOurTaskCancelsWhatItAwaitsOfOursThroughAForeignCoroutine) {
  std::string log;
  const auto work = [&]() -> task<void> { co_await sleep_in_foreign(1h, log); };
  auto child = spawn(work());
  co_await settle();
  child.cancel();
  EXPECT_THROW(co_await child.join(), cancelled);
  EXPECT_EQ(log, "cancelled ");
  EXPECT_EQ(now(), time_point{});
}

// -- ours in a foreign coroutine --------------------------------------------------------------------------------------

task<int> add_in_task(int a, int b) {
  co_await yield();
  co_return a + b;
}

foreign::lazy<int> yield_in_foreign() {
  co_await yield();
  co_return 0;
}
foreign::lazy<int> yield_in_task_of_foreign() { co_return co_await add_in_task(1, 2); }

CO_TEST(ForeignTest, OursThatHasYieldedInAForeignCoroutineCanBeCancelled) {
  for (foreign::lazy<int> (*const yields)() : {yield_in_foreign, yield_in_task_of_foreign}) {
    const auto work = [yields]() -> task<void> { co_await yields(); };
    auto child = spawn(work());
    co_await yield();
    child.cancel();
    EXPECT_THROW(co_await child.join(), cancelled);
  }
}

foreign::lazy<int> sum_in_foreign(const agent* in_the_name_of, mutex& lock) {
  const int first = co_await add_in_task(1, 2);
  EXPECT_EQ(&current_task(), in_the_name_of);
  const auto guard = co_await lock.lock();  // free: no wait after the task
  EXPECT_EQ(lock.holder(), in_the_name_of);
  co_await sleep_for(1s);
  co_await yield();
  EXPECT_EQ(&current_task(), in_the_name_of);
  co_return first + co_await add_in_task(3, 4);
}

// Under every kind of order.
TEST(ForeignTest, AForeignCoroutineThatOurTaskAwaitsActsInItsName) {
  const auto main = []() -> task<void> {
    mutex lock;
    const auto work = [&]() -> task<int> { co_return co_await sum_in_foreign(&current_task(), lock); };
    auto a = spawn(work());
    auto b = spawn(work());
    EXPECT_EQ(co_await a.join(), 10);
    EXPECT_EQ(co_await b.join(), 10);
    EXPECT_FALSE(lock.locked());
    EXPECT_EQ(now(), time_point{2s});
  };
  dullest always_first;
  contrary always_last;
  std::vector<std::uint64_t> hashes;
  for (oracle* choices :
       {static_cast<oracle*>(nullptr), static_cast<oracle*>(&always_first), static_cast<oracle*>(&always_last)}) {
    sim::world_options how;
    how.choices = choices;
    const judged_run run = judge(main, how);
    EXPECT_EQ(run.messages(), "");
    EXPECT_TRUE(run.ended);
    hashes.push_back(run.summary.trace_hash);
  }
  EXPECT_EQ(hashes[0], hashes[1]);
}

task<int> fail_in_task() {
  co_await yield();
  throw std::runtime_error("disk full");
}
foreign::lazy<int> pass_on() { co_return co_await fail_in_task(); }

CO_TEST(ForeignTest, AnExceptionPassesThroughAForeignCoroutine) {
  try {
    co_await pass_on();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "disk full");
  }
}

task<int> alternate(int depth);
foreign::lazy<int> alternate_in_foreign(int depth) { co_return co_await alternate(depth - 1) + 1; }
task<int> alternate(int depth) {
  if (depth == 0) {
    co_await sleep_for(1s);
    co_return 0;
  }
  co_return co_await alternate_in_foreign(depth - 1) + 1;
}

CO_TEST(ForeignTest, OursAndTheirsNestInEachOther) {
  EXPECT_EQ(co_await alternate(20), 20);
  auto beside = spawn(alternate(20));
  EXPECT_EQ(co_await beside.join(), 20);
}

foreign::lazy<int> await_after_a_foreign_task(foreign::signal& signal, bool in_a_later_step) {
  const auto no_suspension = [in_a_later_step]() -> task<void> {
    if (in_a_later_step) co_await sleep_for(1s);
    co_await by_bool<false>();
  };
  co_await no_suspension();  // opens and closes a wait within the wait
  co_return co_await signal;
}

CO_TEST(ForeignTest, AWaitThatDidNotSuspendLeavesTheOneAroundItAsItWas) {
  for (const bool in_a_later_step : {false, true}) {
    foreign::signal signal;
    const auto work = [&]() -> task<int> { co_return co_await await_after_a_foreign_task(signal, in_a_later_step); };
    auto child = spawn(work());
    co_await advance(1s);
    EXPECT_EQ(child.get().condition(), agent::state::parked);
    CO_ASSERT_NE(child.get().parked_at(), nullptr);
    EXPECT_EQ(child.get().parked_at()->kind(), operation_kind::foreign);
    signal.fire(4);
    EXPECT_EQ(co_await child.join(), 4);
  }
}

// Nothing has to be seen to any more: it takes the fast way, on which no step is counted.
CO_TEST(ForeignTest, AfterTheWaitItsTaskIsLikeAnyOther) {
  semaphore slots(1);
  foreign::signal signal;
  const auto work = [&]() -> task<void> {
    co_await signal;
    const std::uint32_t steps = current_task().steps();
    co_await slots.acquire();
    EXPECT_EQ(current_task().steps(), steps);
  };
  auto child = spawn(work());
  co_await settle();
  signal.fire();
  co_await child.join();
}

// -- foreign coroutines that nobody of ours awaits --------------------------------------------------------------------

foreign::fire_and_forget log_after(duration length, std::string& log) {
  log += current_task().name() + ", ";
  co_await sleep_for(length);
  log += current_task().name() + ", ";
  co_await yield();
  log += "done, ";
}

CO_TEST(ForeignTest, OneThatNobodyAwaitsGetsAnAgentOfItsOwnWhenItFirstWaits) {
  std::string log;
  log_after(1s, log);
  log += "returned, ";
  co_await sleep_for(2s);
  EXPECT_EQ(log, "main, returned, foreign coroutine 1, done, ");
  EXPECT_EQ(current_loop()->alive().size(), 1u);
}

foreign::fire_and_forget add_twice(int& result) {
  result = co_await add_in_task(1, 2);
  result += co_await add_in_task(3, 4);
}

CO_TEST(ForeignTest, ItMayAwaitOurTasks) {
  int result = 0;
  add_twice(result);
  EXPECT_EQ(result, 0);
  co_await sleep_for(1s);
  EXPECT_EQ(result, 10);
  EXPECT_EQ(current_loop()->alive().size(), 1u);
}

task<int> await_signal(foreign::signal& signal) { co_return co_await signal; }
foreign::fire_and_forget await_signal_in_task(foreign::signal& signal, int& result) {
  result = co_await await_signal(signal);
  co_await sleep_for(1s);
  ++result;
}

CO_TEST(ForeignTest, AndThroughOurTasksWhatIsForeign) {
  foreign::signal signal;
  int result = 0;
  await_signal_in_task(signal, result);
  co_await settle();
  signal.fire(6);
  co_await sleep_for(2s);
  EXPECT_EQ(result, 7);
  EXPECT_EQ(current_loop()->alive().size(), 1u);
}

// A coroutine of ours that acts for a task inside something foreign is not that something.
foreign::lazy<int> call_a_starter(std::string& log) {
  const auto start = [&]() -> task<void> {
    log_after(1s, log);
    co_await sleep_for(2s);
    log += "starter, ";
  };
  co_await start();
  co_return 1;
}

CO_TEST(ForeignTest, OneStartedByOurTaskWithinAForeignOneIsOnItsOwn) {
  std::string log;
  EXPECT_EQ(co_await call_a_starter(log), 1);
  EXPECT_EQ(log, "main, foreign coroutine 1, done, starter, ");
}

TEST(ForeignTest, OneThatAwaitsOutsideOfEveryTaskIsMisuse) {
  const auto await_here = [](bool& refused) -> foreign::fire_and_forget {
    try {
      co_await sleep_until(time_point::max());
    } catch (const misuse&) {
      refused = true;
    }
  };
  const auto await_task_here = [](bool& refused) -> foreign::fire_and_forget {
    try {
      co_await add_in_task(1, 2);
    } catch (const misuse&) {
      refused = true;
    }
  };
  bool without_a_loop = false;
  await_here(without_a_loop);
  EXPECT_TRUE(without_a_loop);
  sim::world world;
  world.start();
  bool in_a_fixture = false;
  await_here(in_a_fixture);
  EXPECT_TRUE(in_a_fixture);
  bool task_in_a_fixture = false;
  await_task_here(task_in_a_fixture);
  EXPECT_TRUE(task_in_a_fixture);
  EXPECT_EQ(world.verdicts().size(), 2u);
}

// -- verdicts and destruction -----------------------------------------------------------------------------------------

TEST(ForeignTest, AWaitThatNobodyEndsIsADeadlock) {
  const auto main = []() -> task<void> {
    foreign::signal signal;
    co_await signal;
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_EQ(run.verdicts[0].tasks[0].waits_for, name_of(operation_kind::foreign));
  EXPECT_EQ(file_of(run.verdicts[0].tasks[0].stack.at(0)), "foreign_test.cpp");
}

task<int> wait_below() {
  event never("never");
  co_await never.wait();
  co_return 1;
}
foreign::lazy<int> wait_between() { co_return co_await wait_below(); }
task<int> wait_above() { co_return co_await wait_between(); }

TEST(ForeignTest, AStackPassesThroughForeignCoroutines) {
  const auto main = []() -> task<void> { co_await wait_above(); };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_EQ(run.verdicts[0].tasks[0].waits_for, "event \"never\"");
  std::vector<std::string> functions;
  for (const place& at : run.verdicts[0].tasks[0].stack) functions.emplace_back(function_of(at));
  EXPECT_THAT(functions, ElementsAre("wait_below", "wait_above", "lambda"));
}

struct tells {
  std::string& log;
  std::string name;
  ~tells() { log += name + ' '; }
};

foreign::lazy<int> tell_in_foreign(int depth, std::string& log);
task<int> tell_in_task(int depth, std::string& log) {
  const tells local{log, "task" + std::to_string(depth)};
  if (depth == 0) co_await sleep_until(time_point::max());
  co_return co_await tell_in_foreign(depth - 1, log);
}
foreign::lazy<int> tell_in_foreign(int depth, std::string& log) {
  const tells local{log, "foreign" + std::to_string(depth)};
  if (depth == 0) co_await sleep_until(time_point::max());
  co_return co_await tell_in_task(depth - 1, log);
}

TEST(ForeignTest, FramesAreDestroyedLeafFirstThroughForeignOnes) {
  std::string log;
  const auto main = [&]() -> task<void> { co_await tell_in_task(4, log); };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_EQ(log, "task0 foreign1 task2 foreign3 task4 ");
}

TEST(ForeignTest, AlsoWhereAForeignOneIsTheLeaf) {
  std::string log;
  const auto main = [&]() -> task<void> {
    { const auto dropped = spawn(tell_in_task(3, log)); }
    auto child = spawn(tell_in_task(3, log));
    co_await settle();
    { const auto dropped = std::move(child); }
    log += "after ";
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::dropped_handle, verdict_kind::dropped_handle));
  EXPECT_EQ(log, "foreign0 task1 foreign2 task3 after ");
}

// Its frame is its own: what of ours it waits for is left alone, and nothing is resumed.
CO_TEST(ForeignTest, OneOnItsOwnIsNotCancelledWithWhoStartedIt) {
  std::string log;
  mutex lock;
  const auto abroad = [&]() -> foreign::fire_and_forget {
    try {
      const auto held = co_await lock.lock();
      log += "locked ";
    } catch (const cancelled&) {
      log += "cancelled ";
    }
  };
  const auto start = [&]() -> task<void> {
    current_task().cancel();
    abroad();
    co_await yield();
  };
  auto starter = spawn(start());
  EXPECT_THROW(co_await starter.join(), cancelled);
  co_await settle();
  EXPECT_EQ(log, "locked ");
}

TEST(ForeignTest, OneOnItsOwnThatStillWaitsIsALeakedTask) {
  std::coroutine_handle<> frame;
  struct handle_of {
    std::coroutine_handle<>& to;
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> self) const noexcept {
      to = self;
      return false;
    }
    void await_resume() const noexcept {}
  };
  std::string log;
  const auto wait = [&]() -> foreign::fire_and_forget {
    co_await handle_of{frame};
    const tells local{log, "destroyed"};
    co_await tell_in_task(0, log);
  };
  const auto main = [&]() -> task<void> {
    wait();
    co_await settle();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::leaked_task));
  EXPECT_EQ(run.verdicts[0].message, "task \"foreign coroutine 1\" was still running at the end");
  EXPECT_EQ(log, "task0 ");
  frame.destroy();
  EXPECT_EQ(log, "task0 destroyed ");
}

}  // namespace
}  // namespace lockstep
