// spawn_eager(): the first step of a task, made within a step of the one that spawns it.
#include "../sync/schedules.hpp"
#include "foreign_coroutines.hpp"
#include "judged_run.hpp"
#include "tasks.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

task<void> note(std::string& log, std::string what) {
  log += what;
  co_return;
}

task<void> note_around_a_yield(std::string& log, std::string what) {
  log += what + "1 ";
  co_await yield();
  log += what + "2 ";
}

CO_TEST(EagerStartTest, MakesTheFirstStepAtOnce) {
  std::string log;
  auto earlier = spawn(note_around_a_yield(log, "spawned"));
  auto eager = spawn_eager(note_around_a_yield(log, "eager"), "reader");
  EXPECT_EQ(log, "eager1 ");
  EXPECT_FALSE(eager.done());
  EXPECT_EQ(eager.name(), "reader");
  co_await eager.join();
  co_await earlier.join();
  EXPECT_EQ(log, "eager1 spawned1 eager2 spawned2 ");
}

CO_TEST(EagerStartTest, WhatNeedNotWaitIsDoneWhenItReturns) {
  const auto work = []() -> task<int> { co_return 7; };
  auto eager = spawn_eager(work());
  EXPECT_TRUE(eager.done());
  EXPECT_EQ(eager.result(), 7);
  EXPECT_EQ(co_await eager.join(), 7);
}

CO_TEST(EagerStartTest, TakesWhatIsFreeWithoutLettingOthersRun) {
  mutex free("free");
  std::string log;
  auto other = spawn(note(log, "other "));
  const auto work = [&]() -> task<void> {
    const mutex_guard held = co_await free.lock();
    log += "locked ";
    co_return;
  };
  auto eager = spawn_eager(work());
  EXPECT_TRUE(eager.done());
  log += "back ";
  co_await other.join();
  EXPECT_EQ(log, "locked back other ");
}

CO_TEST(EagerStartTest, ItIsTheRunningTaskDuringItsStepAndNobodysChildButItsSpawners) {
  agent& me = current_task();
  const auto work = [&]() -> task<void> {
    agent& self = current_task();
    EXPECT_NE(&self, &me);
    EXPECT_EQ(self.parent(), &me);
    EXPECT_EQ(self.condition(), agent::state::running);
    EXPECT_EQ(me.condition(), agent::state::running);
    EXPECT_THAT(all_tasks(), ElementsAre(&me, &self));
    co_return;
  };
  auto eager = spawn_eager(work());
  EXPECT_EQ(&current_task(), &me);
  EXPECT_THAT(all_tasks(), ElementsAre(&me));
  co_await eager.join();
}

CO_TEST(EagerStartTest, WhatItThrowsIsThrownByTheJoin) {
  const auto work = []() -> task<void> {
    throw std::runtime_error("disk full");
    co_return;
  };
  auto eager = spawn_eager(work());
  EXPECT_TRUE(eager.done());
  EXPECT_THROW(co_await eager.join(), std::runtime_error);
}

TEST(EagerStartTest, AFailureThatNobodyReadsIsAVerdict) {
  const auto work = []() -> task<void> {
    throw std::runtime_error("disk full");
    co_return;
  };
  const auto main = [&]() -> task<void> {
    const auto eager = spawn_eager(work(), "writer");
    co_await yield();
  };
  EXPECT_EQ(judge(main).messages(), "unread exception: task \"writer\" failed and nobody looked: disk full\n");
}

// Its awaits of tasks are calls, also when there is no room on the stack for them.
task<int> depth_of(int calls) {
  if (calls == 0) co_return 0;
  co_return co_await depth_of(calls - 1) + 1;
}

CO_TEST(EagerStartTest, CallsAsDeepAsAnyOther) {
  auto eager = spawn_eager(depth_of(20000));
  EXPECT_TRUE(eager.done());
  EXPECT_EQ(eager.result(), 20000);
  EXPECT_EQ(co_await depth_of(20000), 20000);
  const auto deep_spawner = []() -> task<int> {
    const auto then = [](int calls, const auto& again) -> task<int> {
      if (calls > 0) co_return co_await again(calls - 1, again);
      auto inner = spawn_eager(depth_of(5000));
      co_return inner.result();
    };
    co_return co_await then(5000, then);
  };
  auto deep = spawn_eager(deep_spawner());
  EXPECT_EQ(deep.result(), 5000);
}

task<int> nest(unsigned levels, std::vector<bool>& at_once) {
  if (levels == 0) co_return 0;
  auto inner = spawn_eager(nest(levels - 1, at_once));
  at_once.push_back(inner.done());
  co_return co_await inner.join() + 1;
}

CO_TEST(EagerStartTest, NestsSoDeepAndStartsInItsTurnBelow) {
  std::vector<bool> at_once;
  EXPECT_EQ(co_await nest(loop::eager_max, at_once), static_cast<int>(loop::eager_max));
  EXPECT_THAT(at_once, testing::Each(true));
  at_once.clear();
  EXPECT_EQ(co_await nest(loop::eager_max + 1, at_once), static_cast<int>(loop::eager_max) + 1);
  EXPECT_THAT(at_once, testing::Contains(false));
  at_once.clear();
  EXPECT_EQ(co_await nest(10 * loop::eager_max, at_once), 10 * static_cast<int>(loop::eager_max));
}

CO_TEST(EagerStartTest, ItMayCancelItsSpawner) {
  agent& me = current_task();
  const auto work = [&]() -> task<void> {
    EXPECT_TRUE(me.cancel("enough"));
    co_return;
  };
  auto eager = spawn_eager(work());
  EXPECT_EQ(me.cancelling(), 1u);
  try {
    co_await sleep_for(1h);
    ADD_FAILURE() << "it was not cancelled";
  } catch (const cancelled& why) {
    EXPECT_EQ(why.reason(), "enough");
  }
  me.uncancel();
  EXPECT_EQ(now(), time_point{});
}

// The spawner is on the stack, with all that it has called.
TEST(EagerStartTest, ItMayNotDestroyItsSpawnerWhichGoesOnAsADaemon) {
  std::string log;
  std::optional<join_handle<void>> handle;
  const auto child = [&]() -> task<void> {
    handle.reset();
    log += "child ";
    co_return;
  };
  const auto spawner = [&]() -> task<void> {
    co_await yield();
    auto eager = spawn_eager(child(), "child");
    log += "on ";
    co_await yield();
    log += "and on ";
  };
  const auto main = [&]() -> task<void> {
    handle.emplace(spawn(spawner(), "spawner"));
    co_await sleep_for(1s);
  };
  const judged_run run = judge(main);
  EXPECT_TRUE(run.ended);
  EXPECT_THAT(run.messages(), HasSubstr("misuse: task \"child\" destroys the handle of task \"spawner\", which is just "
                                        "starting it\n"));
  EXPECT_EQ(log, "child on and on ");
}

// An owner further up takes its locals with it, among them the spawner's handle.
TEST(EagerStartTest, NorWhoseDestructionDestroysItsSpawner) {
  std::string log;
  std::optional<join_handle<void>> outermost;
  const auto child = [&]() -> task<void> {
    outermost.reset();
    co_return;
  };
  const auto spawner = [&]() -> task<void> {
    co_await yield();
    auto eager = spawn_eager(child(), "child");
    log += "on";
    co_return;
  };
  const auto owner = [&]() -> task<void> {
    auto inner = spawn(spawner(), "spawner");
    co_await inner.join();
  };
  const auto main = [&]() -> task<void> {
    outermost.emplace(spawn(owner(), "owner"));
    co_await sleep_for(1s);
  };
  const judged_run run = judge(main);
  EXPECT_TRUE(run.ended);
  EXPECT_THAT(run.messages(), HasSubstr("destroys the handle of task \"spawner\", which is just starting it"));
  EXPECT_EQ(log, "on");
}

TEST(EagerStartTest, AStepIsCountedForItAndOneMoreForTheRestOfItsSpawners) {
  std::string log;
  const auto main = [&]() -> task<void> {
    auto eager = spawn_eager(note(log, "x"), "child");
    co_await eager.join();
  };
  sim::world world;
  sim::world_options how;
  how.keep_trace = true;
  world.start(how);
  world.drive(main());
  std::vector<std::pair<operation_kind, std::uint32_t>> seen;
  for (const trace_record& each : world.loop().history().recent()) seen.emplace_back(each.operation(), each.task);
  world.finish();
  using enum operation_kind;
  EXPECT_THAT(
      seen, ElementsAre(std::pair(task_made, 0u), std::pair(start, 0u), std::pair(task_made, 1u), std::pair(start, 1u),
                        std::pair(spawn_eagerly, 0u), std::pair(operation_kind::join, 0u)));
}

TEST(EagerStartTest, TheStepLimitStopsOneThatStartsForEver) {
  const auto main = []() -> task<void> {
    for (;;) {
      std::string log;
      auto eager = spawn_eager(note(log, "x"));
      co_await eager.join();
    }
  };
  sim::world_options how;
  how.steps_max = 100;
  const judged_run run = judge(main, how);
  EXPECT_FALSE(run.ended);
  EXPECT_THAT(run.kinds(), testing::Contains(verdict_kind::step_limit));
}

// The answers of the dullest oracle are the plain run.
TEST(EagerStartTest, APlainRunIsThatOfTheDullestAnswers) {
  const auto main = []() -> task<void> {
    mutex lock("lock");
    const auto work = [&]() -> task<void> {
      const mutex_guard held = co_await lock.lock();
      co_await yield();
    };
    auto other = spawn(work());
    mutex free;
    { const mutex_guard held = co_await free.lock(); }  // where others may go first, if anybody is asked
    auto first = spawn_eager(work());
    auto second = spawn_eager(work());
    co_await first.join();
    co_await second.join();
    co_await other.join();
  };
  dullest zeros;
  sim::world_options how;
  how.choices = &zeros;
  EXPECT_EQ(judge(main).summary.trace_hash, judge(main, how).summary.trace_hash);
  EXPECT_GT(zeros.task_picks, 0);
}

TEST(EagerStartTest, HoldsUnderEverySchedule) {
  under_every_schedule([]() -> task<void> {
    semaphore permits(1);
    int inside = 0;
    const auto work = [&](int levels, const auto& again) -> task<void> {
      std::vector<join_handle<void>> children;
      if (levels > 0) {
        children.push_back(spawn_eager(again(levels - 1, again)));
        children.push_back(spawn(again(levels - 1, again)));
      }
      {
        co_await permits.acquire();
        const permit held(permits);
        EXPECT_EQ(++inside, 1);
        co_await yield();
        EXPECT_EQ(--inside, 0);
      }
      for (auto& each : children) {
        co_await each.join();
      }
    };
    co_await work(3, work);
  });
}

TEST(EagerStartTest, StartsInItsTurnWhereNoTaskRuns) {
  struct spawns {
    std::optional<join_handle<void>>& handle;
    std::string& log;
    ~spawns() { handle.emplace(spawn_eager(note(log, "never"))); }
  };
  std::optional<join_handle<void>> handle;
  std::string log;
  const auto forgotten = [&]() -> task<void> {
    const spawns at_the_end{handle, log};
    co_await wait_for_ever();
  };
  const auto main = [&]() -> task<void> {
    spawn_daemon(forgotten());
    co_await yield();
    current_loop()->stop();
    co_await yield();
  };
  EXPECT_FALSE(judge(main).ended);
  EXPECT_EQ(log, "");
}

// -- assertions -------------------------------------------------------------------------------------------------------

TEST(EagerStartTest, AFailedAssertionInItEndsItsSpawnerAtItsNextAwait) {
  std::string log;
  const auto child = [&]() -> task<void> {
    current_task().doom();
    current_loop()->stop();
    co_await depth_of(1);
    log += "too far ";
  };
  const auto main = [&]() -> task<void> {
    auto eager = spawn_eager(child());
    log += "back ";
    co_await yield();
    log += "too far";
  };
  EXPECT_FALSE(judge(main).ended);
  EXPECT_EQ(log, "back ");
}

TEST(EagerStartTest, ADoomedSpawnerStartsNothing) {
  std::string log;
  const auto main = [&]() -> task<void> {
    current_task().doom();
    auto eager = spawn_eager(note(log, "too far"));
    co_await yield();
  };
  EXPECT_FALSE(judge(main).ended);
  EXPECT_EQ(log, "");
}

TEST(EagerStartTest, AnAssertionLeavesThoseAloneWhoseStepsAreBeingMade) {
  std::string log;
  const auto grandchild = [&]() -> task<void> {
    current_loop()->kill_descendants(*current_task().parent()->parent());
    log += "grandchild ";
    co_return;
  };
  const auto child = [&]() -> task<void> {
    auto inner = spawn_eager(grandchild());
    log += "child ";
    co_return;
  };
  const auto main = [&]() -> task<void> {
    auto waiting = spawn(wait_for_ever());
    co_await yield();
    auto eager = spawn_eager(child());
    EXPECT_TRUE(waiting.done());
    log += "main";
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_EQ(log, "grandchild child main");
}

// -- groups -----------------------------------------------------------------------------------------------------------

CO_TEST(EagerStartTest, AGroupOwnsWhatHasToWait) {
  std::string log;
  task_group group;
  EXPECT_EQ(group.spawn_eager(note(log, "at once ")), nullptr);
  EXPECT_EQ(group.size(), 0u);
  agent* const waiting = group.spawn_eager(note_around_a_yield(log, "part"), "waiting");
  EXPECT_NE(waiting, nullptr);
  EXPECT_EQ(waiting->name(), "waiting");
  EXPECT_EQ(group.size(), 1u);
  EXPECT_EQ(log, "at once part1 ");
  co_await group.join();
  EXPECT_EQ(log, "at once part1 part2 ");
}

CO_TEST(EagerStartTest, AFailureAtOnceEndsTheGroup) {
  std::string log;
  const auto fails = []() -> task<void> {
    throw std::runtime_error("disk full");
    co_return;
  };
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(until_cancelled(log));
    co_await yield();
    EXPECT_EQ(group.spawn_eager(fails()), nullptr);
    co_await sleep_for(1h);
  };
  EXPECT_THROW(co_await with_task_group(body), exception_group);
  EXPECT_EQ(log, "[a task of the group failed]");
  EXPECT_EQ(now(), time_point{});
}

TEST(EagerStartTest, AGroupThatItsTaskDestroysIsMisuse) {
  const auto main = []() -> task<void> {
    auto group = std::make_unique<task_group>();
    const auto destroys = [&]() -> task<void> {
      group.reset();
      co_return;
    };
    EXPECT_EQ(group->spawn_eager(destroys(), "child"), nullptr);
    co_await sleep_for(1s);
  };
  EXPECT_THAT(judge(main).messages(), HasSubstr("misuse: task \"child\" destroys its own handle\n"));
}

// -- foreign coroutines -----------------------------------------------------------------------------------------------

foreign::lazy<int> start_in_foreign(std::string& log) {
  auto eager = spawn_eager(note_around_a_yield(log, "eager"));
  log += "foreign ";
  co_await eager.join();
  auto again = spawn_eager(depth_of(20000));
  co_return again.result();
}

CO_TEST(EagerStartTest, AForeignCoroutineMayStartOne) {
  std::string log;
  EXPECT_EQ(co_await start_in_foreign(log), 20000);
  EXPECT_EQ(log, "eager1 foreign eager2 ");
  EXPECT_THAT(all_tasks(), ElementsAre(&current_task()));
}

// The wait in whose name the spawner runs ends within the step.
TEST(EagerStartTest, ItMayEndTheForeignWaitOfItsSpawner) {
  under_every_schedule([]() -> task<void> {
    std::string log;
    foreign::signal done;
    const auto fire = [&]() -> task<void> {
      done.fire(5);
      log += "fired ";
      co_return;
    };
    const auto wait = [&]() -> task<int> { co_return co_await done; };
    auto waiter = spawn_eager(wait());
    auto eager = spawn_eager(fire());
    EXPECT_EQ(co_await waiter.join(), 5);
    EXPECT_EQ(log, "fired ");
    EXPECT_TRUE(eager.done());
  });
}

// Awaits a task of ours in a foreign coroutine, and goes on when it is told to.
class told_to_go_on {
 public:
  explicit told_to_go_on(task<void> work) : work_(std::move(work)) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    run();
  }
  void await_resume() const noexcept {}
  void go_on() { waiter_.resume(); }

 private:
  foreign::fire_and_forget run() { co_await std::move(work_); }

  task<void> work_;
  std::coroutine_handle<> waiter_;
};

// The spawner acted in the name of the task that waits, until the new task ended that wait.
TEST(EagerStartTest, ASpawnerWhoseForeignWaitEndsHasATaskOfItsOwnFromThenOn) {
  under_every_schedule([]() -> task<void> {
    std::string log;
    told_to_go_on* wait = nullptr;
    const auto end = [&]() -> task<void> {
      wait->go_on();
      co_return;
    };
    const auto work = [&]() -> task<void> {
      co_await yield();
      auto eager = spawn_eager(end());
      log += current_task().name() + " goes on, ";
      co_await sleep_for(1s);
      log += current_task().name() + " ends";
    };
    told_to_go_on waiting(work());
    wait = &waiting;
    co_await waiting;
    EXPECT_EQ(now(), time_point{});
    co_await sleep_for(2s);
    EXPECT_EQ(log, "foreign coroutine 2 goes on, foreign coroutine 2 ends");
    EXPECT_THAT(all_tasks(), ElementsAre(&current_task()));
  });
}

}  // namespace
}  // namespace lockstep
