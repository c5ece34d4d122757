// Python's contextvars, as asyncio uses them.
#include "../runtime/tasks.hpp"
#include "../sync/schedules.hpp"

#include <lockstep/testing/testing.hpp>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

constinit task_local<int> variable{-1};
task_local<std::string> other("none");

// asyncio: LookupError without a default; a variable of ours always has one.
CO_TEST(AsyncioContextvars, GetReturnsTheDefaultBeforeASet) {
  EXPECT_EQ(variable.get(), -1);
  EXPECT_EQ(other.get(), "none");
  variable.set(1);
  EXPECT_EQ(variable.get(), 1);
  EXPECT_EQ(other.get(), "none");
  co_return;
}

CO_TEST(AsyncioContextvars, GetDoesNotSuspend) {
  const std::uint64_t steps = current_loop()->steps();
  variable.set(1);
  EXPECT_EQ(variable.get(), 1);
  EXPECT_EQ(current_loop()->steps(), steps);
  co_return;
}

// ContextVar.reset(token).
CO_TEST(AsyncioContextvars, ResetBringsBackTheValueBeforeTheSet) {
  variable.set(1);
  {
    const scoped_value token = variable.bind(2);
    variable.set(3);
    other.set("stays");
  }
  EXPECT_EQ(variable.get(), 1);
  EXPECT_EQ(other.get(), "stays");
  co_return;
}

CO_TEST(AsyncioContextvars, ResetOfTheFirstSetBringsBackTheDefault) {
  { const scoped_value token = variable.bind(2); }
  EXPECT_EQ(variable.get(), -1);
  co_return;
}

// 38
CO_TEST(AsyncioContextvars, ChildContextWritesAreInvisibleToTheParent) {
  variable.set(1);
  const auto child = []() -> task<void> {
    EXPECT_EQ(variable.get(), 1);
    variable.set(2);
    co_await yield();
    EXPECT_EQ(variable.get(), 2);
  };
  auto handle = spawn(child());
  co_await handle.join();
  EXPECT_EQ(variable.get(), 1);
}

CO_TEST(AsyncioContextvars, ParentWritesAfterTheSpawnAreInvisibleToTheChild) {
  variable.set(1);
  const auto child = []() -> task<void> {
    co_await sleep_for(1s);
    EXPECT_EQ(variable.get(), 1);
  };
  auto handle = spawn(child());
  variable.set(2);
  co_await handle.join();
  EXPECT_EQ(variable.get(), 2);
}

TEST(AsyncioContextvars, TheCopyIsMadeAtTheSpawnUnderEverySchedule) {
  under_every_schedule([]() -> task<void> {
    const auto child = [](int expected) -> task<void> {
      for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(variable.get(), expected + i);
        variable.set(expected + i + 1);
        co_await yield();
      }
    };
    std::vector<join_handle<void>> children;
    for (int i = 0; i < 4; ++i) {
      variable.set(10 * i);
      children.push_back(spawn(child(10 * i)));
      co_await yield();
    }
    for (auto& each : children) co_await each.join();
    EXPECT_EQ(variable.get(), 30);
  });
}

CO_TEST(AsyncioContextvars, AnEagerTaskHasACopyDuringItsFirstStep) {
  variable.set(1);
  const auto child = []() -> task<void> {
    EXPECT_EQ(variable.get(), 1);
    variable.set(2);
    co_return;
  };
  const auto eager = spawn_eager(child());
  EXPECT_EQ(variable.get(), 1);
  co_return;
}

CO_TEST(AsyncioContextvars, AnAwaitedCoroutineSharesTheContext) {
  const auto called = []() -> task<void> {
    variable.set(2);
    co_return;
  };
  variable.set(1);
  co_await called();
  EXPECT_EQ(variable.get(), 2);
}

CO_TEST(AsyncioContextvars, GatherGivesEachChildACopy) {
  variable.set(1);
  const auto child = [](int to) -> task<int> {
    const int before = variable.get();
    variable.set(to);
    co_await yield();
    EXPECT_EQ(variable.get(), to);
    co_return before;
  };
  EXPECT_EQ(co_await when_all(child(5), child(6)), std::tuple(1, 1));
  EXPECT_EQ(variable.get(), 1);
}

// contextvars.copy_context(), Context.run().
CO_TEST(AsyncioContextvars, ACopiedContextRunsAFunction) {
  variable.set(1);
  task_locals copied = task_locals::current();
  variable.set(2);
  EXPECT_EQ(copied.run([] {
    const int before = variable.get();
    variable.set(3);
    return before;
  }),
            1);
  EXPECT_EQ(variable.get(), 2);
  EXPECT_EQ(copied.run([] { return variable.get(); }), 3);
  co_return;
}

// create_task(context=...), but that the task begins with a copy: two tasks never share one context.
CO_TEST(AsyncioContextvars, ATaskMayBeSpawnedWithAnotherContext) {
  task_locals given;
  given.run([] { variable.set(7); });
  const auto child = []() -> task<int> {
    const int before = variable.get();
    variable.set(8);
    co_return before;
  };
  auto handle = given.run([&] { return spawn(child()); });
  EXPECT_EQ(co_await handle.join(), 7);
  EXPECT_EQ(given.run([] { return variable.get(); }), 7) << "asyncio: 8, as the context is the task's own";
}

// Context.run() throws RuntimeError if the context is entered already.
CO_TEST(AsyncioContextvars, AContextMayBeEnteredAgain) {
  task_locals context;
  context.run([&] {
    variable.set(1);
    context.run([] { EXPECT_EQ(variable.get(), 1); });
  });
  co_return;
}

// asyncio: the `context=` of call_soon() and of add_done_callback() is a copy of the caller's by default.
CO_TEST(AsyncioContextvars, ACallHasTheValuesOfWhoeverMadeIt, .order = ordering::fifo) {
  std::vector<int> seen;
  const auto look = [&] {
    seen.push_back(variable.get());
    variable.set(-2);
  };
  promise<void> asked;
  future<void> done = asked.get_future();
  variable.set(1);
  call_soon(look);
  variable.set(2);
  done.on_done(look);
  variable.set(3);
  call_later(1s, look);
  variable.set(4);
  asked.set_value();
  co_await sleep_for(2s);
  EXPECT_EQ(seen, std::vector<int>({1, 2, 3}));
  EXPECT_EQ(variable.get(), 4) << "what a call sets is its own";
}

CO_TEST(AsyncioContextvars, ACallMayBeGivenAnotherContext) {
  task_locals given;
  given.run([] { variable.set(7); });
  int seen = 0;
  given.run([&] { call_soon([&] { seen = variable.get(); }); });
  co_await settle();
  EXPECT_EQ(seen, 7);
  EXPECT_EQ(variable.get(), -1);
}

// What to_thread() does.
CO_TEST(AsyncioContextvars, AnotherThreadSeesACopy) {
  variable.set(1);
  task_locals copied = task_locals::current();
  std::thread([&] {
    EXPECT_EQ(variable.get(), -1);
    copied.run([] {
      EXPECT_EQ(variable.get(), 1);
      variable.set(2);
    });
  }).join();
  EXPECT_EQ(variable.get(), 1);
  co_return;
}

}  // namespace
}  // namespace lockstep
