#include "../runtime/judged_run.hpp"
#include "../runtime/tasks.hpp"

#include <lockstep/testing/testing.hpp>

#include <coroutine>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using sim::run_summary;
using sim::world;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A bit of everything.
task<int> busy() {
  EXPECT_EQ(wall_now(), wall_clock_start + now().time_since_epoch());
  mutex lock("lock");
  int count = 0;
  const auto worker = [&](duration delay) -> task<void> {
    for (int i = 0; i < 3; ++i) {
      const mutex_guard held = co_await lock.lock();
      co_await sleep_for(delay + random_duration("jitter", 0ns, 1ms));
      ++count;
    }
  };
  co_await when_all(worker(1s), worker(2s));
  co_return count;
}

task<void> value_to_drop() { co_await value_after(1s, 7); }
task<void> busy_and_drop() { EXPECT_EQ(co_await busy(), 6); }

// -- results ----------------------------------------------------------------------------------------------------------

TEST(WorldTest, RunsATaskAndReturnsItsResult) {
  world world;
  EXPECT_EQ(world.run(value_after(24h, 7)), 7);
  EXPECT_EQ(world.summary().virtual_time, 24h);
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(WorldTest, ReturnsWhatEverATaskMayReturn) {
  world world;
  bool done = false;
  const auto nothing = [&]() -> task<void> {
    done = true;
    co_return;
  };
  world.run(nothing());
  EXPECT_TRUE(done);
  const auto movable = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
  EXPECT_EQ(*world.run(movable()), 7);
  int target = 1;
  const auto reference = [&]() -> task<int&> { co_return target; };
  EXPECT_EQ(&world.run(reference()), &target);
  EXPECT_EQ(&world.run(reference), &target);
  struct no_default {
    explicit no_default(int given) : value(given) {}
    int value;
  };
  const auto without_default = []() -> task<no_default> { co_return no_default(7); };
  EXPECT_EQ(world.run(without_default()).value, 7);
}

TEST(WorldTest, CallsAFunctionWithinTheRun) {
  world world;
  const auto outside = [] { return current_loop(); };
  EXPECT_EQ(outside(), nullptr);
  const auto main = [&]() {
    EXPECT_EQ(current_loop(), &world.loop());
    EXPECT_EQ(now(), time_point{});
    return value_after(1s, 7);
  };
  EXPECT_EQ(world.run(main), 7);
  EXPECT_EQ(current_loop(), nullptr);
}

TEST(WorldTest, ThrowsWhatLeftTheTask) {
  world world;
  EXPECT_THROW(world.run(fail_after<int>(1s)), std::runtime_error);
  EXPECT_EQ(text_of(world.failure()), "disk full");
  EXPECT_THAT(world.verdicts(), IsEmpty()) << "it is no verdict beside";
  ASSERT_TRUE(world.failure_report());
  EXPECT_EQ(world.failure_report()->kind, verdict_kind::unhandled_exception);
  EXPECT_EQ(world.failure_report()->message, "disk full");
  EXPECT_EQ(world.failure_report()->at, time_point{1s});
  EXPECT_EQ(file_of(world.failure_report()->where), "tasks.hpp");

  // A run that follows knows nothing of it.
  EXPECT_EQ(world.run(value_after(1s, 7)), 7);
  EXPECT_EQ(world.failure(), nullptr);
  EXPECT_FALSE(world.failure_report());
}

TEST(WorldTest, ARunThatCouldNotEndThrowsItsFirstVerdict) {
  world world;
  try {
    world.run(wait_for_ever());
    ADD_FAILURE();
  } catch (const misuse& why) {
    EXPECT_STREQ(why.what(), "deadlock: every task waits");
  }
  const auto spin = []() -> task<int> {
    for (;;) co_await yield();
    co_return 0;
  };
  try {
    world.run(spin(), {.steps_max = 1'000});
    ADD_FAILURE();
  } catch (const misuse& why) {
    EXPECT_THAT(why.what(), HasSubstr("livelock: more than 1000 steps were made"));
  }
  EXPECT_EQ(world.summary().steps, 1'001u);
  try {
    world.run(value_after(1h, 7), {.time_max = 1min});
    ADD_FAILURE();
  } catch (const misuse& why) {
    EXPECT_THAT(why.what(), HasSubstr("virtual-time limit: "));
  }
}

TEST(WorldTest, ARunThatIsStoppedSaysSo) {
  world world;
  const auto main = [&]() -> task<int> {
    world.loop().stop();
    co_await yield();
    co_return 7;
  };
  try {
    world.run(main);
    ADD_FAILURE();
  } catch (const misuse& why) {
    EXPECT_STREQ(why.what(), "the run was stopped before its main task had ended");
  }
}

TEST(WorldTest, ARunThatEndedReturnsAndLeavesItsVerdictsToBeRead) {
  world world;
  const auto main = []() -> task<int> {
    { const auto dropped = spawn(wait_for_ever()); }
    co_return 7;
  };
  EXPECT_EQ(world.run(main), 7);
  ASSERT_EQ(world.verdicts().size(), 1u);
  EXPECT_EQ(world.verdicts()[0].kind, verdict_kind::dropped_handle);
  EXPECT_EQ(world.run(value_after(1s, 7)), 7);
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(WorldTest, TellsVerdictsToTheHookInTheOrderInWhichTheyAreFound) {
  world world;
  std::vector<verdict_kind> told;
  std::vector<std::size_t> known;
  world.on_verdict([&](const verdict& found) {
    told.push_back(found.kind);
    known.push_back(world.verdicts().size());
  });
  std::optional<join_handle<void>> leaked;
  const auto main = [&]() -> task<void> {
    { const auto unawaited = wait_for_ever(); }
    { const auto dropped = spawn(wait_for_ever()); }
    leaked.emplace(spawn(wait_for_ever()));
    co_await yield();
  };
  world.run(main);
  leaked.reset();
  EXPECT_THAT(told, ElementsAre(verdict_kind::unawaited_task, verdict_kind::dropped_handle, verdict_kind::leaked_task));
  EXPECT_THAT(known, ElementsAre(1u, 2u, 3u));
}

// The first few of a kind show what is wrong; thousands more would only fill the terminal, and the memory.
TEST(WorldTest, CountsWhatIsFoundTooOften) {
  world world;
  std::size_t told = 0;
  world.on_verdict([&](const verdict&) { ++told; });
  std::vector<join_handle<void>> leaked;
  const auto main = [&]() -> task<void> {
    for (std::uint64_t i = 0; i < world::verdicts_max + 80; ++i) const auto unawaited = wait_for_ever();
    for (std::uint64_t i = 0; i < world::verdicts_max; ++i) leaked.push_back(spawn(wait_for_ever()));
    co_await yield();
  };
  world.run(main);
  leaked.clear();
  const auto of = [&](verdict_kind kind) {
    std::vector<std::string> messages;
    for (const verdict& each : world.verdicts()) {
      if (each.kind == kind) messages.push_back(each.message);
    }
    return messages;
  };
  ASSERT_EQ(of(verdict_kind::unawaited_task).size(), world::verdicts_max + 1);
  EXPECT_EQ(of(verdict_kind::unawaited_task).back(), "80 more of this kind were found");
  EXPECT_EQ(of(verdict_kind::leaked_task).size(), world::verdicts_max);
  EXPECT_THAT(of(verdict_kind::leaked_task).back(), HasSubstr("still running"));
  EXPECT_EQ(told, world.verdicts().size());
  // The next run counts anew.
  world.run([]() -> task<void> {
    { const auto unawaited = wait_for_ever(); }
    co_return;
  });
  EXPECT_EQ(world.verdicts().size(), 1u);
}

// -- again and again --------------------------------------------------------------------------------------------------

TEST(WorldTest, TheSameRunAgainHasTheSameTrace) {
  world world;
  const auto make = [&](oracle* choices) {
    EXPECT_EQ(world.run(busy, {.choices = choices}), 6);
    return world.summary();
  };
  const run_summary plain = make(nullptr);
  const auto seeded = [&](std::uint64_t seed) {
    const auto choices = make_oracle(schedule::random, seed);
    return make(choices.get());
  };
  const run_summary random = seeded(1);
  EXPECT_NE(random.trace_hash, plain.trace_hash);
  EXPECT_NE(random.trace_hash, seeded(2).trace_hash);
  for (int i = 0; i < 20; ++i) {
    const run_summary again = make(nullptr);
    EXPECT_EQ(again.trace_hash, plain.trace_hash);
    EXPECT_EQ(again.steps, plain.steps);
    EXPECT_EQ(again.records, plain.records);
    EXPECT_EQ(again.virtual_time, plain.virtual_time);
    EXPECT_EQ(seeded(1).trace_hash, random.trace_hash);
  }
  sim::world other;
  EXPECT_EQ(other.run(busy), 6);
  EXPECT_EQ(other.summary().trace_hash, plain.trace_hash);
}

TEST(WorldTest, ARunThatEndedBadlyLeavesNothingToTheNext) {
  world world;
  world.run(busy);
  const std::uint64_t hash = world.summary().trace_hash;
  const auto token = std::make_shared<int>(1);
  const auto holds = [](std::shared_ptr<int>) -> task<void> { co_await wait_for_ever(); };
  const auto deadlock = [&]() -> task<void> {
    task_group group;
    pause_clock();
    shift_wall_clock(1h);
    group.spawn(holds(token));
    spawn_daemon(holds(token));
    auto handle = spawn(holds(token));
    timeout_scope armed(now() + 1h);
    co_await holds(token);
  };
  for (int i = 0; i < 3; ++i) {
    EXPECT_THROW(world.run(deadlock), misuse);
    EXPECT_EQ(token.use_count(), 1) << "a frame is left";
    EXPECT_EQ(world.run(busy), 6);
    EXPECT_EQ(world.summary().trace_hash, hash);
    EXPECT_THAT(world.verdicts(), IsEmpty());
  }
}

TEST(WorldTest, ALimitThatDaemonsReachAtTheEndIsTheOnlyVerdict) {
  const auto serve = []() -> task<void> {
    EXPECT_THROW(co_await wait_for_ever(), cancelled);
    for (;;) co_await shield(pass(1h));
  };
  for (const std::string failure : {"", "disk full"}) {
    const auto main = [&]() -> task<void> {
      spawn_daemon(serve());
      co_await settle();
      if (!failure.empty()) throw std::runtime_error(failure);
    };
    const judged_run run = judge(main, {.time_max = 24h});
    EXPECT_THAT(run.kinds(), ElementsAre(verdict_kind::time_limit));
    EXPECT_EQ(run.failure, failure);
  }
}

// Something foreign that is done at once, on a thread of its own.
struct done_elsewhere {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    std::thread([waiting] { waiting.resume(); }).join();
  }
  void await_resume() const noexcept {}
};

TEST(WorldTest, AWakeUpFromOutsideThatComesTooLateIsNotOfTheNextRun) {
  world world;
  const auto waiter = []() -> task<void> { co_await done_elsewhere(); };
  const auto stops = [&]() -> task<void> {
    auto waiting = spawn(waiter());
    co_await yield();
    current_loop()->stop();
    co_await waiting.join();
  };
  EXPECT_THROW(world.run(stops), misuse);
  EXPECT_EQ(world.run(busy), 6);
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(WorldTest, MayBeAbandonedAtEachStage) {
  const auto token = std::make_shared<int>(1);
  const auto holds = [](std::shared_ptr<int>) -> task<void> { co_await wait_for_ever(); };
  { world unused; }
  {
    world started;
    started.start();
  }
  {
    world driven;
    driven.start();
    EXPECT_FALSE(driven.drive(holds(token)));
    EXPECT_EQ(token.use_count(), 2) << "the frames stay to be looked at";
  }
  EXPECT_EQ(token.use_count(), 1);
  {
    world again;
    again.start();
    again.drive(holds(token));
    again.start();
    EXPECT_EQ(token.use_count(), 1);
    EXPECT_TRUE(again.drive(busy_and_drop()));
  }
  EXPECT_EQ(current_loop(), nullptr);
}

TEST(WorldTest, IsDrivenOnceInEachRun) {
  world world;
  EXPECT_THROW(world.drive(value_to_drop()), misuse);
  world.start();
  EXPECT_TRUE(world.drive(value_to_drop()));
  EXPECT_THROW(world.drive(value_to_drop()), misuse);
  world.finish();
  EXPECT_THROW(world.drive(value_to_drop()), misuse);
  ASSERT_EQ(world.verdicts().size(), 1u);
  EXPECT_THAT(world.verdicts()[0].message, HasSubstr("second time"));
}

TEST(WorldTest, KeepsTheWholeTraceWhenAsked) {
  const auto main = []() -> task<void> {
    for (int i = 0; i < 10'000; ++i) co_await yield();
  };
  for (const bool keep : {false, true}) {
    world world;
    world.start({.keep_trace = keep});
    EXPECT_TRUE(world.drive(main()));
    EXPECT_EQ(world.loop().history().recent().size(), keep ? 10'002u : trace::capacity);  // one is of the task's making
    EXPECT_EQ(world.finish().steps, 10'001u);
  }
}

TEST(WorldTest, CancelsAndAwaitsDaemonsAtTheEnd) {
  std::string log;
  const auto serve = [&]() -> task<void> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
    }
    co_await shield([](std::string& to) -> task<void> {
      co_await sleep_for(1s);
      to += "closed";
    }(log));
    throw cancelled();
  };
  const auto main = [&]() -> task<void> {
    spawn_daemon(serve());
    co_await sleep_for(1s);
  };
  world world;
  world.run(main);
  EXPECT_EQ(log, "closed");
  EXPECT_EQ(world.summary().virtual_time, 2s);
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(WorldTest, AThrowingOracleLeavesTheWorldUsable) {
  class broken final : public oracle {
   public:
    std::size_t pick_task(const candidates& from) override { return from.size(); }
    std::uint64_t pick_value(choice_point, std::uint64_t options) override { return options; }
  } choices;
  world world;
  EXPECT_THROW(world.run(busy, {.choices = &choices}), misuse);
  EXPECT_EQ(world.run(busy), 6);
  EXPECT_EQ(current_loop(), nullptr);
}

// -- several worlds ---------------------------------------------------------------------------------------------------

TEST(WorldTest, WorldsNestOnOneThread) {
  world outer;
  outer.start();
  event of_outer("outer");
  {
    world inner;
    inner.start();
    EXPECT_EQ(current_loop(), &inner.loop());
    event of_inner("inner");
    EXPECT_TRUE(inner.drive(busy_and_drop()));
    inner.finish();
  }
  EXPECT_EQ(current_loop(), &outer.loop());
  const auto main = [&]() -> task<void> {
    of_outer.set();
    co_await of_outer.wait();
    co_await sleep_for(1s);
  };
  EXPECT_TRUE(outer.drive(main()));
  EXPECT_EQ(outer.finish().virtual_time, 1s);
  EXPECT_EQ(current_loop(), nullptr);
}

TEST(WorldTest, AWorldRunsWithinATaskOfAnother) {
  world reference;
  reference.run(busy);
  const std::uint64_t hash = reference.summary().trace_hash;

  const auto main = [&]() -> task<int> {
    co_await sleep_for(3s);
    agent& me = current_task();
    world inner;
    EXPECT_EQ(inner.run(busy), 6);
    EXPECT_EQ(inner.run(value_after(5s, 7)), 7);  // made here, run there
    EXPECT_EQ(&current_task(), &me);
    EXPECT_EQ(now(), time_point{3s});
    EXPECT_THROW(inner.run(fail_after<int>(1s)), std::runtime_error);
    EXPECT_THROW(inner.run(wait_for_ever()), misuse);
    inner.run(busy);
    EXPECT_EQ(inner.summary().trace_hash, hash);
    const int count = co_await busy();
    EXPECT_EQ(now(), time_point{12s});
    co_return count;
  };
  world outer;
  EXPECT_EQ(outer.run(main), 6);
  EXPECT_THAT(outer.verdicts(), IsEmpty());
}

TEST(WorldTest, AnObjectOfOneWorldIsMisusedInAnother) {
  world outer;
  outer.start();
  mutex lock("lock");
  world inner;
  const auto main = [&]() -> task<void> { static_cast<void>(co_await lock.lock()); };
  EXPECT_THROW(inner.run(main), misuse);
  ASSERT_EQ(inner.verdicts().size(), 1u);
  EXPECT_TRUE(inner.verdicts()[0].message.starts_with(
      "mutex \"lock\" was locked in another run than its own (world_test.cpp:"));
}

}  // namespace
}  // namespace lockstep
