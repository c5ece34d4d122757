// asyncio.Task but for its cancellation, and asyncio's debug mode. Numbers are those of the behaviours in asyncio's
// history that each test pins.
#include "../runtime/judged_run.hpp"
#include "../runtime/tasks.hpp"

#include <lockstep/testing/testing.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

const options in_fifo_order{.order = ordering::fifo};

task<void> nothing() { co_return; }

// -- names and results ------------------------------------------------------------------------------------------------

CO_TEST(AsyncioTasks, HaveANameOfTheirOwnOrOneThatIsGiven) {
  auto given = spawn(nothing(), "reader");
  auto made = spawn(nothing());
  auto another = spawn(nothing());
  EXPECT_EQ(given.name(), "reader");
  EXPECT_NE(made.name(), another.name());
  made.get().rename("writer");
  EXPECT_EQ(made.name(), "writer");
  for (auto* each : {&given, &made, &another}) co_await each->join();
}

CO_TEST(AsyncioTasks, StartInTheirTurnAndNotBeforeTheSpawnReturns, in_fifo_order) {
  std::string log;
  const auto work = [&](char name) -> task<void> {
    log += name;
    co_return;
  };
  auto a = spawn(work('a'));
  auto b = spawn(work('b'));
  log += '|';
  co_await a.join();
  co_await b.join();
  EXPECT_EQ(log, "|ab");
}

CO_TEST(AsyncioTasks, KeepTheirResult) {
  auto handle = spawn(value_after(1s, 7));
  EXPECT_FALSE(handle.done());
  EXPECT_EQ(co_await handle.join(), 7);
  EXPECT_TRUE(handle.done());
  EXPECT_FALSE(handle.was_cancelled());
  EXPECT_EQ(handle.exception(), nullptr);
  EXPECT_EQ(handle.result(), 7);
}

CO_TEST(AsyncioTasks, KeepTheirException) {
  auto handle = spawn(fail_after(1s));
  EXPECT_THROW(co_await handle.join(), std::runtime_error);
  EXPECT_EQ(text_of(handle.exception()), "disk full");
  EXPECT_THROW(handle.result(), std::runtime_error);
  EXPECT_FALSE(handle.was_cancelled());
}

// asyncio: InvalidStateError.
TEST(AsyncioTasks, TheResultOfAnUnfinishedTaskIsMisuse) {
  const auto main = []() -> task<void> {
    auto handle = spawn(value_after(1s, 1), "reader");
    EXPECT_THROW(handle.result(), misuse);
    EXPECT_EQ(handle.exception(), nullptr) << "asyncio: InvalidStateError here, too";
    co_await handle.join();
  };
  EXPECT_EQ(judge(main).messages(), "misuse: result() of task \"reader\", which has not finished\n");
}

// asyncio: "Task exception was never retrieved", when it is collected.
TEST(AsyncioTasks, AnExceptionThatNobodyRetrievesIsReported) {
  const auto main = []() -> task<void> {
    const auto handle = spawn(fail_after(1s), "writer");
    co_await sleep_for(2s);
  };
  EXPECT_EQ(judge(main).messages(), "unread exception: task \"writer\" failed and nobody looked: disk full\n");
}

CO_TEST(AsyncioTasks, AnyNumberOfOthersMayAwaitOne) {
  auto shared = spawn(value_after(1s, 5));
  const auto join = [&]() -> task<int> { co_return co_await shared.join(); };
  EXPECT_EQ(co_await when_all(join(), join()), std::tuple(5, 5));
}

// -- who runs: 37 -----------------------------------------------------------------------------------------------------

CO_TEST(AsyncioTasks, CurrentTaskStaysRightAcrossInterleavings) {
  const auto work = [](int waits) -> task<void> {
    agent* const self = &current_task();
    const auto called = [&]() -> task<void> {
      EXPECT_EQ(&current_task(), self);
      co_await yield();
      EXPECT_EQ(&current_task(), self);
    };
    for (int i = 0; i < waits; ++i) {
      co_await sleep_for(1s);
      EXPECT_EQ(&current_task(), self);
      co_await called();
      EXPECT_EQ(&current_task(), self);
    }
  };
  agent* const self = &current_task();
  auto one = spawn(work(3));
  auto two = spawn(work(2));
  EXPECT_NE(&one.get(), &two.get());
  EXPECT_EQ(&current_task(), self);
  co_await one.join();
  co_await two.join();
  EXPECT_EQ(&current_task(), self);
}

// asyncio: None in a callback, and an error without a loop.
TEST(AsyncioTasks, CurrentTaskWithoutATaskIsMisuse) { EXPECT_THROW(current_task(), misuse); }

CO_TEST(AsyncioTasks, AllTasksAreThoseThatHaveNotFinished) {
  EXPECT_THAT(all_tasks(), ElementsAre(&current_task()));
  auto one = spawn(pass(1s));
  auto two = spawn(pass(2s));
  EXPECT_THAT(all_tasks(), ElementsAre(&current_task(), &one.get(), &two.get()));
  co_await one.join();
  EXPECT_THAT(all_tasks(), ElementsAre(&current_task(), &two.get()));
  co_await two.join();
  EXPECT_THAT(all_tasks(), ElementsAre(&current_task()));
}

TEST(AsyncioTasks, AllTasksWithoutALoopIsMisuse) { EXPECT_THROW(all_tasks(), misuse); }

CO_TEST(AsyncioTasks, AllTasksAreThoseOfTheRunningLoop) {
  const auto inside = []() -> task<std::size_t> { co_return all_tasks().size(); };
  auto outer = spawn(pass(1s));
  EXPECT_EQ(sim::world().run(inside()), 1u);
  EXPECT_EQ(all_tasks().size(), 2u);
  co_await outer.join();
}

// -- eager start: 39 --------------------------------------------------------------------------------------------------

CO_TEST(AsyncioTasks, AnEagerTaskIsInAllTasksDuringItsFirstStepAndAbsentAfterCompletion) {
  const auto count = []() -> task<std::size_t> {
    EXPECT_THAT(all_tasks(), Contains(&current_task()));
    co_return all_tasks().size();
  };
  auto eager = spawn_eager(count());
  EXPECT_EQ(eager.result(), 2u);
  EXPECT_THAT(all_tasks(), ElementsAre(&current_task()));
  co_return;
}

CO_TEST(AsyncioTasks, AnEagerTaskRunsSynchronouslyWithTheCurrentTaskSwapped) {
  agent* const me = &current_task();
  agent* seen = nullptr;
  const auto look = [&]() -> task<void> {
    seen = &current_task();
    co_await yield();
    EXPECT_EQ(&current_task(), seen);
  };
  auto eager = spawn_eager(look());
  EXPECT_EQ(seen, &eager.get());
  EXPECT_EQ(&current_task(), me);
  co_await eager.join();
}

CO_TEST(AsyncioTasks, AnEagerTaskThatCompletesIsNeverScheduled, in_fifo_order) {
  std::string log;
  const auto work = [&](char name) -> task<void> {
    log += name;
    co_return;
  };
  auto before = spawn(work('b'));
  auto eager = spawn_eager(work('e'));
  EXPECT_TRUE(eager.done());
  EXPECT_EQ(log, "e");
  co_await before.join();
  EXPECT_EQ(log, "eb");
}

CO_TEST(AsyncioTasks, AnEagerTaskThatWaitsGoesOnAsAnyOther, in_fifo_order) {
  std::string log;
  const auto work = [&](std::string name) -> task<void> {
    log += name + "1 ";
    co_await yield();
    log += name + "2 ";
  };
  auto eager = spawn_eager(work("eager"));
  auto other = spawn(work("other"));
  EXPECT_FALSE(eager.done());
  EXPECT_TRUE(eager.cancel() && eager.get().uncancel() == 0);
  co_await eager.join();
  co_await other.join();
  EXPECT_EQ(log, "eager1 eager2 other1 other2 ");
}

CO_TEST(AsyncioTasks, AnEagerTasksErrorIsItsOwn) {
  const auto fails = []() -> task<void> {
    throw std::runtime_error("disk full");
    co_return;
  };
  auto eager = spawn_eager(fails());
  EXPECT_EQ(text_of(eager.exception()), "disk full");
  co_return;
}

CO_TEST(AsyncioTasks, AGroupMayStartEagerly) {
  const auto body = [](task_group& group) -> task<void> {
    EXPECT_EQ(group.spawn_eager(nothing()), nullptr);
    EXPECT_NE(group.spawn_eager(pass(1s)), nullptr);
    EXPECT_EQ(group.size(), 1u);
    co_return;
  };
  co_await with_task_group(body);
  EXPECT_EQ(now(), time_point{1s});
}

// -- mistakes ---------------------------------------------------------------------------------------------------------

// 34. asyncio throws RuntimeError at the await; the verdict comes when nothing can go on.
TEST(AsyncioTasks, ATaskThatAwaitsItselfIsADeadlockThatNamesIt) {
  std::optional<join_handle<void>> self;
  const auto work = [&]() -> task<void> { co_await self->join(); };
  const auto main = [&]() -> task<void> {
    self.emplace(spawn(work(), "reader"));
    co_await self->join();
  };
  const judged_run run = judge(main);
  self.reset();
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_THAT(run.verdicts[0].cycle, ElementsAre("reader"));
}

// 34. asyncio: RuntimeError "attached to a different loop".
TEST(AsyncioTasks, ATaskOfAnotherLoopCannotBeAwaited) {
  const auto outer = []() -> task<void> {
    auto handle = spawn(pass(1s), "reader");
    const auto inner = [&]() -> task<void> {
      EXPECT_THROW(co_await handle.join(), misuse);
      EXPECT_THROW(handle.cancel(), misuse);
    };
    sim::world other;
    other.run(inner());
    co_await handle.join();
  };
  EXPECT_THAT(judge(outer).messages(), HasSubstr("task \"reader\" was joined in another run"));
}

// 35. asyncio: "Task was destroyed but it is pending!", to the loop's exception handler.
TEST(AsyncioTasks, ADestroyedPendingTaskIsReportedWithTheLineOfItsSpawn) {
  unsigned line = 0;
  const auto main = [&]() -> task<void> {
    {
      line = source::current().line() + 1;
      const auto handle = spawn(pass(1h), "reader");
      co_await sleep_for(1s);
    }
    co_await sleep_for(1s);
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::dropped_handle));
  EXPECT_THAT(run.verdicts[0].message, HasSubstr("task \"reader\""));
  EXPECT_EQ(run.verdicts[0].where.line(), line);
  ASSERT_EQ(run.verdicts[0].tasks.size(), 1u);
  EXPECT_EQ(run.verdicts[0].tasks[0].spawned_at.line(), line);
  EXPECT_EQ(run.verdicts[0].tasks[0].waits_for, "sleep until 1 h");
}

// asyncio: RuntimeWarning "coroutine was never awaited".
TEST(AsyncioTasks, ACoroutineThatIsNeverAwaitedIsReported) {
  const auto main = []() -> task<void> {
    const task<void> forgotten = nothing();
    co_await yield();
  };
  EXPECT_EQ(judge(main).messages(), "unawaited task: the task of nothing() was made and never awaited or spawned\n");
}

// iscoroutinefunction()
TEST(AsyncioTasks, ACoroutineFunctionIsKnownByItsType) {
  const auto coroutine = [](int value) -> task<int> { co_return value; };
  const auto plain = [](int value) { return value; };
  EXPECT_TRUE((task_function<decltype(coroutine), int>));
  EXPECT_FALSE((task_function<decltype(coroutine)>)) << "it wants an argument";
  EXPECT_FALSE((task_function<decltype(plain), int>));
}

// asyncio: RuntimeError "cannot reuse already awaited coroutine".
TEST(AsyncioTasks, ACoroutineIsAwaitedOnce) {
  const auto main = []() -> task<void> {
    task<void> once = nothing();
    co_await std::move(once);
    EXPECT_THROW(co_await std::move(once), misuse);
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::misuse));
}

// -- debugging --------------------------------------------------------------------------------------------------------

// asyncio in debug mode: RuntimeError "Non-thread-safe operation invoked on an event loop other than the current one".
TEST(AsyncioTasks, ACallOnTheWrongThreadIsThrownThereAndReported) {
  const auto main = []() -> task<void> {
    auto handle = spawn(pass(1s), "reader");
    std::thread([&] { EXPECT_THROW(handle.cancel(), misuse); }).join();
    co_await handle.join();
  };
  EXPECT_THAT(judge(main).messages(), HasSubstr("misuse: task \"reader\" was cancelled on another thread"));
}

// asyncio in debug mode: source_traceback, where a task was created.
CO_TEST(AsyncioTasks, KnowWhereTheyWereSpawnedAndWhereTheyStand) {
  const unsigned line = source::current().line() + 1;
  auto handle = spawn(pass(1s));
  co_await settle();
  EXPECT_EQ(handle.get().spawned_at().line(), line);
  EXPECT_EQ(file_of(handle.get().stack().at(0)), "tasks.hpp");
  EXPECT_THAT(format_stack(handle.get()), HasSubstr("sleep until 1 s"));
  co_await handle.join();
}

// asyncio in debug mode logs callbacks of 0.1 s and more by loop.time(), so it is blind under a virtual clock. Here
// somebody watches from outside, in real time; the test plays that part.
TEST(AsyncioTasks, ASlowStepIsReportedInRealTimeAlsoUnderAVirtualClock) {
  const auto main = []() -> task<void> {
    const auto computes = []() -> task<void> {
      co_await sleep_for(1s);
      current_loop()->request(loop::attention_slow);
      co_await yield();
    };
    auto handle = spawn(computes(), "slow");
    co_await handle.join();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::slow_step));
  EXPECT_THAT(run.verdicts[0].message, HasSubstr("task \"slow\""));
}

// Whose step it is, is known also around a first step that was made within it.
TEST(AsyncioTasks, ASlowStepIsThatOfTheEagerTaskOrOfItsSpawner) {
  for (const bool in_child : {true, false}) {
    const auto main = [in_child]() -> task<void> {
      const auto child = [in_child]() -> task<void> {
        if (in_child) current_loop()->request(loop::attention_slow);
        co_await sleep_for(1s);
      };
      const auto spawner = [&]() -> task<void> {
        auto eager = spawn_eager(child(), "child");
        if (!in_child) current_loop()->request(loop::attention_slow);
        co_await eager.join();
      };
      auto handle = spawn(spawner(), "spawner");
      co_await handle.join();
    };
    const judged_run run = judge(main);
    ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::slow_step));
    EXPECT_THAT(run.verdicts[0].message, HasSubstr(in_child ? "task \"child\"" : "task \"spawner\""));
  }
}

CO_TEST(AsyncioTasks, TheCallGraphTellsWhoAwaitsWhom) {
  auto reader = spawn(pass(1s), "reader");
  const auto follow = [&]() -> task<void> { co_await reader.join(); };
  auto follower = spawn(follow(), "follower");
  co_await settle();
  const call_graph graph = capture_call_graph();
  CO_ASSERT_EQ(graph.tasks.size(), 3u);
  EXPECT_THAT(graph.awaits, ElementsAre(testing::IsEmpty(), testing::IsEmpty(), ElementsAre(1u)));
  EXPECT_THAT(format_call_graph(), HasSubstr("follower"));
  co_await follower.join();
}

}  // namespace
}  // namespace lockstep
