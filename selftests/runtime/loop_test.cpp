#include "judged_run.hpp"
#include "tasks.hpp"

#include <lockstep/testing/testing.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// -- the stack --------------------------------------------------------------------------------------------------------

[[gnu::noinline]] std::uintptr_t stack_here() { return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)); }

struct stack_use {
  std::uintptr_t lowest = UINTPTR_MAX;
  std::uintptr_t highest = 0;
  void note() {
    lowest = std::min(lowest, stack_here());
    highest = std::max(highest, stack_here());
  }
};

task<void> nest(int levels, stack_use& use) {
  use.note();
  if (levels > 0) {
    co_await nest(levels - 1, use);
  } else {
    co_await yield();
  }
  use.note();
}

// A few frames may be on the stack at once; the rest are resumed by the loop.
CO_TEST(LoopTest, TheStackDoesNotGrowWithTheDepthOfAwaits) {
  stack_use deep;
  co_await nest(1'000, deep);
  stack_use deeper;
  co_await nest(100'000, deeper);
  EXPECT_LT(deeper.highest - deeper.lowest, 2 * (deep.highest - deep.lowest));
}

// -- ends of a run ----------------------------------------------------------------------------------------------------

TEST(LoopTest, TooManyStepsAreALivelock) {
  const auto spin = []() -> task<void> {
    for (;;) co_await yield();
  };
  sim::world_options how;
  how.steps_max = 1000;
  const judged_run run = judge(spin, how);
  EXPECT_FALSE(run.ended);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::step_limit));
  EXPECT_THAT(run.verdicts[0].message, HasSubstr("more than 1000 steps were made (steps_max)"));
  EXPECT_EQ(run.verdicts[0].step, 1001u);
  ASSERT_EQ(run.verdicts[0].tasks.size(), 1u);
  EXPECT_EQ(run.verdicts[0].tasks[0].name, "main");
}

TEST(LoopTest, StepsThatNeverWaitReachTheLimitToo) {
  const auto spin = []() -> task<void> {
    mutex free;
    for (;;) const auto guard = co_await free.lock();
  };
  sim::world_options how;
  how.steps_max = 1000;
  EXPECT_THAT(judge(spin, how).kinds(), ElementsAre(verdict_kind::step_limit));
}

TEST(LoopTest, AwaitsThatAreCancelledAtOnceReachTheLimitToo) {
  const auto spin = []() -> task<void> {
    for (;;) {
      current_task().cancel();
      EXPECT_THROW(co_await sleep_for(1s), cancelled);
    }
  };
  sim::world_options how;
  how.steps_max = 1000;
  EXPECT_THAT(judge(spin, how).kinds(), ElementsAre(verdict_kind::step_limit));
}

TEST(LoopTest, AsManyStepsAsAreAllowedAreNone) {
  const auto main = []() -> task<void> {
    for (int i = 0; i < 999; ++i) co_await yield();  // and one step to start
  };
  sim::world_options how;
  how.steps_max = 1000;
  const judged_run run = judge(main, how);
  EXPECT_EQ(run.messages(), "");
  EXPECT_EQ(run.summary.steps, 1000u);
  how.steps_max = 999;
  EXPECT_THAT(judge(main, how).kinds(), ElementsAre(verdict_kind::step_limit));
}

TEST(LoopTest, NoRunEndsWithoutAStep) {
  const auto main = []() -> task<void> { co_return; };
  sim::world_options how;
  how.steps_max = 0;
  const judged_run run = judge(main, how);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::step_limit));
  EXPECT_THAT(run.verdicts[0].message, HasSubstr("more than 0 steps were made (steps_max)"));
}

TEST(LoopTest, TooMuchVirtualTimeIsAVerdictThatShowsWhatWaits) {
  const auto main = []() -> task<void> { co_await sleep_for(2h); };
  sim::world_options how;
  how.time_max = 1h;
  const judged_run run = judge(main, how);
  EXPECT_FALSE(run.ended);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::time_limit));
  EXPECT_EQ(run.verdicts[0].tasks[0].waits_for, "sleep until 2 h");
}

TEST(LoopTest, StopEndsTheRunAfterTheStep) {
  std::string log;
  const auto other = [&]() -> task<void> {
    log += "other";
    co_return;
  };
  const auto main = [&]() -> task<void> {
    auto handle = spawn(other());
    current_loop()->stop();
    log += "rest of the step ";
    co_await handle.join();
    log += "main";
  };
  const judged_run run = judge(main);
  EXPECT_FALSE(run.ended);
  EXPECT_EQ(log, "rest of the step ");
  EXPECT_THAT(run.kinds(), IsEmpty());
}

TEST(LoopTest, MainDoneDaemonsAreCancelledTogetherAndAwaited) {
  std::string log;
  const auto flush = [](duration length) -> task<void> { co_await sleep_for(length); };
  const auto serve = [&](std::string name, duration length) -> task<void> {
    bool stopped = false;
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
      log += name + " stops ";
      stopped = true;
    }
    if (stopped) co_await shield(flush(length));
    log += name + " ends ";
  };
  const auto main = [&]() -> task<void> {
    spawn_daemon(serve("a", 2s));
    spawn_daemon(serve("b", 1s));
    co_await settle();
    log += "main ends ";
  };
  const judged_run run = judge(main);
  EXPECT_EQ(run.messages(), "");
  EXPECT_EQ(log, "main ends a stops b stops b ends a ends ");
  EXPECT_EQ(run.summary.virtual_time, 2s);
}

TEST(LoopTest, ADaemonThatNeverRanIsCancelledAsWell) {
  bool ran = false;
  const auto serve = [&]() -> task<void> {
    ran = true;
    co_return;
  };
  const auto main = [&]() -> task<void> {
    spawn_daemon(serve());
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_FALSE(ran);
}

TEST(LoopTest, AWorldIsUsedAgainAndAgain) {
  sim::world world;
  const auto deadlocked = []() -> task<void> {
    auto child = spawn(wait_for_ever());
    co_await child.join();
  };
  const auto fine = []() -> task<int> {
    co_await sleep_for(1s);
    co_return 7;
  };
  EXPECT_THROW(world.run(deadlocked()), misuse);
  EXPECT_EQ(world.run(fine()), 7);
  EXPECT_THAT(world.verdicts(), IsEmpty());
  EXPECT_EQ(world.summary().virtual_time, 1s);
  EXPECT_EQ(world.run(fine()), 7);
}

// -- deadlocks --------------------------------------------------------------------------------------------------------

TEST(LoopTest, ADeadlockSaysWhoWaitsForWhatHeldByWhom) {
  const judged_run run = judge(lock_each_other_out);
  EXPECT_FALSE(run.ended);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  const verdict& found = run.verdicts[0];
  EXPECT_EQ(found.message, "every task waits");
  EXPECT_EQ(found.at, time_point{1ms});
  EXPECT_THAT(found.cycle, UnorderedElementsAre("reader", "writer"));
  ASSERT_EQ(found.tasks.size(), 3u);
  EXPECT_EQ(found.tasks[0].waits_for, "join(reader)");
  EXPECT_EQ(found.tasks[0].held_by, "reader");
  EXPECT_EQ(found.tasks[1].name, "reader");
  EXPECT_EQ(found.tasks[1].waits_for, "mutex \"tx\"");
  EXPECT_EQ(found.tasks[1].held_by, "writer");
  EXPECT_EQ(found.tasks[1].parent, 0u);
  EXPECT_EQ(found.tasks[2].waits_for, "mutex \"rx\"");
  EXPECT_EQ(found.tasks[2].held_by, "reader");
  for (const task_snapshot& each : found.tasks) EXPECT_EQ(file_of(each.stack.at(0)), "tasks.hpp");
}

TEST(LoopTest, ADeadlockUnderAPausedClockSaysSo) {
  const auto main = []() -> task<void> { co_await sleep_for(1s); };
  sim::world_options how;
  how.paused_clock = true;
  const judged_run run = judge(main, how);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_THAT(run.verdicts[0].message, HasSubstr("the clock is paused"));
}

// Runs the two that may lock each other out beside a main task that goes on for an hour, and ends without them.
template <class F>
judged_run judge_beside_a_ticker(F pair) {
  std::optional<join_handle<void>> left;
  const auto main = [&]() -> task<void> {
    left.emplace(spawn(pair(), label("pair")));
    for (int i = 0; i < 3600; ++i) co_await sleep_for(1s);
  };
  judged_run run = judge(main);
  left.reset();
  return run;
}

TEST(LoopTest, ACycleOfMutexesIsReportedWhileOthersGoOn) {
  const judged_run run = judge_beside_a_ticker(lock_each_other_out);
  EXPECT_TRUE(run.ended);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::partial_deadlock));
  EXPECT_THAT(run.verdicts[0].cycle, UnorderedElementsAre("reader", "writer"));
  EXPECT_EQ(run.verdicts[0].tasks.size(), 2u);
}

TEST(LoopTest, ACycleOfAMutexAndAJoinIsReported) {
  const auto pair = []() -> task<void> {
    mutex lock;
    const auto guard = co_await lock.lock();
    const auto want = [&]() -> task<void> {
      co_await sleep_for(1s);
      const auto inner = co_await lock.lock();
    };
    auto child = spawn(want(), "child");
    co_await child.join();
  };
  const judged_run run = judge_beside_a_ticker(pair);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::partial_deadlock));
  EXPECT_THAT(run.verdicts[0].cycle, UnorderedElementsAre("pair", "child"));
}

TEST(LoopTest, ALockTakenTwiceIsACycleOfOne) {
  const auto twice = []() -> task<void> {
    mutex lock;
    const auto outer = co_await lock.lock();
    const auto inner = co_await lock.lock();
  };
  const auto alone = [&]() -> task<void> {
    auto child = spawn(twice(), "narcissus");
    co_await child.join();
  };
  const judged_run run = judge_beside_a_ticker(alone);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::partial_deadlock));
  EXPECT_THAT(run.verdicts[0].cycle, ElementsAre("narcissus"));
}

TEST(LoopTest, ACycleThatATimeoutWillBreakIsNone) {
  const auto patient = [](mutex& a, mutex& b) -> task<void> {
    try {
      co_await with_timeout(1min, lock_both(a, b));
    } catch (const timed_out&) {
    }
  };
  const auto pair = [&]() -> task<void> {
    mutex a;
    mutex b;
    auto first = spawn(patient(a, b), "first");
    auto second = spawn(lock_both(b, a), "second");
    co_await first.join();
    co_await second.join();
    EXPECT_EQ(now(), time_point{1min});
  };
  const judged_run run = judge_beside_a_ticker(pair);
  EXPECT_TRUE(run.ended);
  EXPECT_EQ(run.messages(), "");
}

// The timeout is of the task that has spawned the two.
TEST(LoopTest, ACycleThatATimeoutWouldHaveBrokenIsLeftTasks) {
  const auto pair = []() -> task<void> { co_await with_timeout(2h, lock_each_other_out()); };
  EXPECT_THAT(judge_beside_a_ticker(pair).kinds(),
              ElementsAre(verdict_kind::leaked_task, verdict_kind::leaked_task, verdict_kind::leaked_task));
}

TEST(LoopTest, ATimeoutThatHasExpiredBreaksNoCycle) {
  const auto pair = []() -> task<void> {
    EXPECT_THROW(co_await with_timeout(1s, wait_for_ever()), timed_out);
    co_await lock_each_other_out();
  };
  EXPECT_THAT(judge_beside_a_ticker(pair).kinds(), ElementsAre(verdict_kind::partial_deadlock));
}

TEST(LoopTest, AChainOfWaitersThatEndsInASleeperIsNoCycle) {
  const auto pair = []() -> task<void> {
    mutex a;
    mutex b;
    auto first = spawn(lock_both(a, b));
    auto second = spawn(lock_both(a, b));
    auto third = spawn(lock_both(a, b));
    co_await first.join();
    co_await second.join();
    co_await third.join();
  };
  EXPECT_EQ(judge_beside_a_ticker(pair).messages(), "");
}

// -- choices ----------------------------------------------------------------------------------------------------------

// Everything that asks, in one program.
task<void> varied(std::string& log) {
  mutex lock;
  queue<int> items(2);
  event go;
  const auto produce = [&](int first) -> task<void> {
    co_await go.wait();
    for (int i = 0; i < 5; ++i) {
      co_await items.put(first + i);
      co_await sleep_for(1ms);
    }
  };
  const auto consume = [&](char name) -> task<void> {
    for (int i = 0; i < 5; ++i) {
      const int item = co_await items.get();
      const auto guard = co_await lock.lock();
      co_await yield();
      log += name + std::to_string(item) + ' ';
    }
  };
  auto a = spawn(produce(10));
  auto b = spawn(produce(20));
  auto c = spawn(consume('x'));
  auto d = spawn(consume('y'));
  const auto late = []() -> task<void> { co_await wait_for_ever(); };
  auto e = spawn(late());
  go.set();
  co_await a.join();
  co_await b.join();
  co_await c.join();
  co_await d.join();
  e.cancel();
  try {
    co_await e.join();
  } catch (const cancelled&) {
  }
}

struct varied_run {
  std::string log;
  judged_run judged;
};

varied_run run_varied(oracle* choices, ordering order) {
  varied_run made;
  sim::world_options how;
  how.choices = choices;
  how.order = order;
  made.judged = judge([&] { return varied(made.log); }, how);
  EXPECT_EQ(made.judged.messages(), "");
  return made;
}

TEST(LoopTest, ThePlainRunIsTheOneInWhichEveryAnswerIsTheDullest) {
  for (const ordering order : {ordering::any_order, ordering::fifo}) {
    const varied_run plain = run_varied(nullptr, order);
    dullest answers;
    const varied_run asked = run_varied(&answers, order);
    EXPECT_GT(order == ordering::fifo ? answers.value_picks : answers.task_picks, 0);
    EXPECT_EQ(asked.log, plain.log);
    EXPECT_EQ(asked.judged.summary.trace_hash, plain.judged.summary.trace_hash);
    EXPECT_EQ(asked.judged.summary.steps, plain.judged.summary.steps);
    EXPECT_EQ(asked.judged.summary.records, plain.judged.summary.records);
  }
}

TEST(LoopTest, InAnyOrderAnotherAnswerIsAnotherRun) {
  contrary answers;
  const varied_run plain = run_varied(nullptr, ordering::any_order);
  const varied_run other = run_varied(&answers, ordering::any_order);
  EXPECT_NE(other.log, plain.log);
  EXPECT_NE(other.judged.summary.trace_hash, plain.judged.summary.trace_hash);
}

// Notes what it is asked, and answers with the last.
class noting final : public oracle {
 public:
  std::size_t pick_task(const candidates& from) override {
    std::string question;
    for (std::size_t i = 0; i < from.size(); ++i) question += std::string(name_of(from[i].operation)) + ' ';
    questions.push_back(question);
    return from.size() - 1;
  }
  std::uint64_t pick_value(choice_point point, std::uint64_t options) override {
    questions.push_back(std::to_string(point.nth) + ": one of " + std::to_string(options));
    return options - 1;
  }
  std::vector<std::string> questions;
};

TEST(LoopTest, InFifoOrderOnlyTimersOfOneInstantAreAPick) {
  std::string log;
  const auto sleep_then = [&](char name) -> task<void> {
    log += name;
    co_await yield();
    co_await sleep_for(1s);
    log += name;
  };
  const auto main = [&]() -> task<void> {
    auto a = spawn(sleep_then('a'));
    auto b = spawn(sleep_then('b'));
    auto c = spawn(sleep_then('c'));
    co_await a.join();
    co_await b.join();
    co_await c.join();
  };
  noting answers;
  sim::world_options how;
  how.choices = &answers;
  how.order = ordering::fifo;
  EXPECT_EQ(judge(main, how).messages(), "");
  EXPECT_EQ(log, "abccba");
  EXPECT_THAT(answers.questions, ElementsAre("1: one of 3", "2: one of 2"));
}

TEST(LoopTest, InAnyOrderTimersOfOneInstantWakeTasksToPickFrom) {
  const auto sleep_once = []() -> task<void> { co_await sleep_for(1s); };
  const auto main = [&]() -> task<void> {
    auto a = spawn(sleep_once());
    auto b = spawn(sleep_once());
    co_await sleep_for(1s);
    co_await a.join();
    co_await b.join();
  };
  noting answers;
  sim::world_options how;
  how.choices = &answers;
  EXPECT_EQ(judge(main, how).messages(), "");
  ASSERT_FALSE(answers.questions.empty());
  EXPECT_EQ(answers.questions.back().substr(0, 6), "sleep ");
}

TEST(LoopTest, ACandidateIsATaskItsNextStepAndWhatItWouldDo) {
  struct looking final : oracle {
    std::size_t pick_task(const candidates& from) override {
      if (from.first_is_running() && beside.task == 0) {
        found = from[0];
        beside = from[1];
      }
      return 0;
    }
    std::uint64_t pick_value(choice_point, std::uint64_t) override { return 0; }
    candidate found{};
    candidate beside{};
  } answers;
  identity object = 0;
  identity child = 0;
  const auto nothing = []() -> task<void> { co_return; };
  const auto main = [&]() -> task<void> {
    mutex lock;
    auto other = spawn(nothing());
    object = lock.id();
    child = other.get().id();
    { const auto guard = co_await lock.lock(); }
    co_await other.join();
  };
  sim::world_options how;
  how.choices = &answers;
  EXPECT_EQ(judge(main, how).messages(), "");
  EXPECT_EQ(answers.beside.task, child);
  EXPECT_EQ(answers.beside.operation, operation_kind::start);
  EXPECT_EQ(answers.beside.object, 0u);
  EXPECT_EQ(answers.found.task, main_identity);
  EXPECT_EQ(answers.found.step, 2u);
  EXPECT_EQ(answers.found.operation, operation_kind::lock);
  EXPECT_EQ(answers.found.object, object);
}

// A choice is named by it: no two of a task's steps may have the same.
TEST(LoopTest, EveryStepOfATaskHasANumberOfItsOwn) {
  struct looking final : oracle {
    std::size_t pick_task(const candidates& from) override {
      for (std::size_t i = 0; i < from.size(); ++i) {
        if (from[i].task == main_identity) continue;
        steps.push_back(from[i].step);
        return i;
      }
      return 0;
    }
    std::uint64_t pick_value(choice_point, std::uint64_t) override { return 0; }
    std::vector<std::uint32_t> steps;
  } answers;
  const auto work = []() -> task<void> {
    current_task().cancel();
    EXPECT_THROW(co_await sleep_for(1s), cancelled);  // the second step
    current_task().uncancel();
    co_await yield();
  };
  const auto main = [&]() -> task<void> {
    auto worker = spawn(work());
    co_await yield();
    co_await yield();
    co_await worker.join();
  };
  sim::world_options how;
  how.choices = &answers;
  EXPECT_EQ(judge(main, how).messages(), "");
  EXPECT_THAT(answers.steps, ElementsAre(1u, 3u));
}

// An answer that was no option.
class beyond final : public oracle {
 public:
  std::size_t pick_task(const candidates& from) override { return from.size(); }
  std::uint64_t pick_value(choice_point, std::uint64_t options) override { return options; }
};

TEST(LoopTest, AnOracleThatAnswersBeyondTheOptionsIsMisused) {
  const auto main = []() -> task<void> {
    EXPECT_THROW(current_loop()->pick("x", 3), misuse);
    co_return;
  };
  beyond answers;
  sim::world_options how;
  how.choices = &answers;
  EXPECT_EQ(judge(main, how).messages(), "misuse: the oracle picked value 3 of 3\n");
}

TEST(LoopTest, ValuesAreAskedByDomainAndCounted) {
  struct recording final : oracle {
    std::size_t pick_task(const candidates&) override { return 0; }
    std::uint64_t pick_value(choice_point point, std::uint64_t options) override {
      asked[point.domain].push_back(point.nth);
      return options - 1;
    }
    std::map<identity, std::vector<std::uint64_t>> asked;
  } answers;
  const identity x = domain_identity("x");
  const identity y = domain_identity("y");
  const auto main = [&]() -> task<void> {
    EXPECT_EQ(current_loop()->pick("x", 3), 2u);
    EXPECT_EQ(current_loop()->pick("y", 2), 1u);
    EXPECT_EQ(current_loop()->pick("x", 5), 4u);
    EXPECT_EQ(current_loop()->pick("x", 1), 0u);  // no question
    co_return;
  };
  sim::world_options how;
  how.choices = &answers;
  EXPECT_EQ(judge(main, how).messages(), "");
  EXPECT_THAT(answers.asked[x], ElementsAre(1u, 2u));
  EXPECT_THAT(answers.asked[y], ElementsAre(1u));
}

}  // namespace
}  // namespace lockstep
