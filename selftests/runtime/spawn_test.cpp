#include "judged_run.hpp"
#include "tasks.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

CO_TEST(SpawnTest, RunsBesideItsSpawnerAndStartsInItsTurn) {
  std::string order;
  const auto work = [&](std::string name) -> task<void> {
    order += name + "1 ";
    co_await yield();
    order += name + "2 ";
  };
  auto a = spawn(work("a"));
  auto b = spawn(work("b"));
  EXPECT_EQ(order, "");
  co_await a.join();
  co_await b.join();
  EXPECT_EQ(order, "a1 b1 a2 b2 ");
}

CO_TEST(SpawnTest, JoinReturnsTheResult) {
  auto handle = spawn(value_after(3s, 7));
  EXPECT_FALSE(handle.done());
  EXPECT_EQ(co_await handle.join(), 7);
  EXPECT_TRUE(handle.done());
  EXPECT_FALSE(handle.was_cancelled());
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(SpawnTest, JoinOfAFinishedTaskReturnsAtOnce) {
  auto handle = spawn(value_after(0s, 7));
  co_await sleep_for(1s);
  EXPECT_TRUE(handle.done());
  EXPECT_EQ(co_await handle.join(), 7);
  EXPECT_EQ(now(), time_point{1s});
}

CO_TEST(SpawnTest, JoinOfAMoveOnlyResultMovesItOut) {
  const auto work = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(3); };
  auto handle = spawn(work());
  EXPECT_EQ(*co_await handle.join(), 3);
  EXPECT_EQ(co_await handle.join(), nullptr);
}

CO_TEST(SpawnTest, JoinThrowsWhatLeftTheTask) {
  auto handle = spawn(fail_after(1s));
  EXPECT_THROW(co_await handle.join(), std::runtime_error);
  EXPECT_THROW(co_await handle.join(), std::runtime_error);
  EXPECT_THROW(handle.result(), std::runtime_error);
}

CO_TEST(SpawnTest, SeveralTasksMayJoinOne) {
  auto shared_work = spawn(value_after(1s, 5));
  std::vector<int> seen;
  const auto joiner = [&]() -> task<void> { seen.push_back(co_await shared_work.join()); };
  co_await when_all(joiner(), joiner(), joiner());
  EXPECT_EQ(seen, (std::vector<int>{5, 5, 5}));
}

CO_TEST(SpawnTest, ResultIsThereWhenTheTaskHasFinished) {
  auto handle = spawn(value_after(1s, 5));
  co_await sleep_for(2s);
  EXPECT_EQ(handle.result(), 5);
}

CO_TEST(SpawnTest, ReadingTheExceptionIsLookingAtIt) {
  auto handle = spawn(fail_after(1s));
  EXPECT_EQ(handle.exception(), nullptr);
  co_await sleep_for(2s);
  EXPECT_EQ(text_of(handle.exception()), "disk full");
}

// It has not been seen if it was not there yet.
TEST(SpawnTest, LookingForAnExceptionTooEarlyDoesNotCount) {
  const auto main = []() -> task<void> {
    auto handle = spawn(fail_after(1s), "saving");
    EXPECT_EQ(handle.exception(), nullptr);
    co_await sleep_for(2s);
  };
  EXPECT_EQ(judge(main).messages(), "unread exception: task \"saving\" failed and nobody looked: disk full\n");
}

CO_TEST(SpawnTest, AHandleMoves) {
  auto first = spawn(value_after(1s, 1));
  join_handle<int> second = std::move(first);
  EXPECT_FALSE(first.valid());
  EXPECT_TRUE(second.valid());
  join_handle<int> empty;
  EXPECT_FALSE(empty.valid());
  empty = std::move(second);
  EXPECT_EQ(co_await empty.join(), 1);
}

CO_TEST(SpawnTest, NamesATaskAsGivenOrByItsCoroutineAndPath) {
  auto named = spawn(value_after(0s, 1), "reader");
  auto unnamed = spawn(value_after(0s, 1));
  EXPECT_EQ(named.name(), "reader");
  EXPECT_EQ(unnamed.name(), "value_after 2");
  EXPECT_EQ(unnamed.get().path(), "2");
  EXPECT_EQ(current_task().name(), "main");
  co_await named.join();
  co_await unnamed.join();
}

CO_TEST(SpawnTest, RemembersTheLineOfTheSpawn) {
  const auto line = source::current().line() + 1;
  auto handle = spawn(value_after(0s, 1));
  EXPECT_EQ(handle.get().spawned_at().line(), line);
  EXPECT_EQ(file_of(handle.get().spawned_at()), "spawn_test.cpp");
  co_await handle.join();
}

CO_TEST(SpawnTest, CancelBeforeTheFirstStepRunsNothingOfIt) {
  bool ran = false;
  const auto work = [&]() -> task<void> {
    ran = true;
    co_return;
  };
  auto handle = spawn(work());
  EXPECT_TRUE(handle.cancel("too late"));
  try {
    co_await handle.join();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const cancelled& why) {
    EXPECT_EQ(why.reason(), "too late");
  }
  EXPECT_FALSE(ran);
  EXPECT_TRUE(handle.was_cancelled());
  EXPECT_FALSE(handle.cancel());
}

CO_TEST(SpawnTest, CancelBeforeTheFirstStepDestroysItsArguments) {
  const auto token = std::make_shared<int>(1);
  {
    const auto work = [](std::shared_ptr<int>) -> task<void> { co_return; };
    auto handle = spawn(work(token));
    handle.cancel();
    co_await sleep_for(1s);
    EXPECT_TRUE(handle.was_cancelled());
  }
  EXPECT_EQ(token.use_count(), 1);
}

CO_TEST(SpawnTest, CancellingTheJoinerCancelsTheTaskAndWaitsForItsEnd) {
  std::string order;
  const auto inner = [&]() -> task<void> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled& why) {
      order += std::string(why.reason()) + " ";
      throw;
    }
  };
  const auto outer = [&]() -> task<void> {
    auto handle = spawn(inner());
    try {
      co_await handle.join();
    } catch (const cancelled&) {
      order += "outer";
      EXPECT_TRUE(handle.was_cancelled());
      throw;
    }
  };
  auto handle = spawn(outer());
  co_await settle();
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_EQ(order, " outer");
  EXPECT_TRUE(handle.was_cancelled());
}

CO_TEST(SpawnTest, AJoinerGetsTheValueOfATaskThatSuppressedTheForwardedCancellation) {
  const auto stubborn = []() -> task<int> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
    }
    co_return 5;
  };
  int got = 0;
  const auto outer = [&]() -> task<void> {
    auto handle = spawn(stubborn());
    got = co_await handle.join();
  };
  auto handle = spawn(outer());
  co_await settle();
  handle.cancel();
  co_await handle.join();
  EXPECT_EQ(got, 5);
  EXPECT_FALSE(handle.was_cancelled());
}

CO_TEST(SpawnTest, AShieldedJoinLeavesTheTaskAlone) {
  auto work = spawn(value_after(10s, 1));
  const auto joiner = [&]() -> task<void> { co_await work.join_shielded(); };
  auto handle = spawn(joiner());
  co_await settle();
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_EQ(now(), time_point{});
  EXPECT_FALSE(work.done());
  EXPECT_EQ(co_await work.join(), 1);
}

TEST(SpawnTest, ADaemonIsCancelledAtTheEnd) {
  bool stopped = false;
  const auto serve = [&]() -> task<void> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
      stopped = true;
      throw;
    }
  };
  const auto main = [&]() -> task<void> {
    const agent& daemon = spawn_daemon(serve(), "server");
    EXPECT_TRUE(daemon.daemon());
    EXPECT_EQ(daemon.name(), "server");
    co_await sleep_for(1s);
    EXPECT_FALSE(stopped);
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_TRUE(stopped);
}

TEST(SpawnTest, ADaemonMayCleanUpAfterTheEndInAShield) {
  bool cleaned_up = false;
  const auto flush = [&]() -> task<void> {
    co_await sleep_for(5s);
    cleaned_up = true;
  };
  const auto serve = [&]() -> task<void> {
    bool stopped = false;
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
      stopped = true;
    }
    if (stopped) co_await shield(flush());
  };
  const auto main = [&]() -> task<void> {
    spawn_daemon(serve());
    co_await sleep_for(1s);
  };
  const judged_run run = judge(main);
  EXPECT_EQ(run.messages(), "");
  EXPECT_TRUE(cleaned_up);
  EXPECT_EQ(run.summary.virtual_time, 6s);
}

TEST(SpawnTest, ADaemonThatDoesNotEndIsALeak) {
  const auto serve = []() -> task<void> {
    event never;
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
    }
    co_await shield([](event& waited) -> task<void> { co_await waited.wait(); }(never));
  };
  const auto main = [&]() -> task<void> {
    spawn_daemon(serve(), "server");
    co_await yield();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::leaked_task));
  EXPECT_EQ(run.verdicts[0].message, "daemon \"server\" did not end when it was cancelled");
}

TEST(SpawnTest, ADaemonsExceptionIsAVerdict) {
  const auto main = []() -> task<void> {
    spawn_daemon(fail_after(1s), "server");
    co_await sleep_for(2s);
  };
  const judged_run run = judge(main);
  ASSERT_EQ(run.verdicts.size(), 1u);
  EXPECT_EQ(run.messages(), "unhandled exception: daemon \"server\" failed: disk full\n");
}

TEST(SpawnTest, AnExceptionThatNobodyReadsIsAVerdict) {
  const auto main = []() -> task<void> {
    auto handle = spawn(fail_after(1s), "writer");
    co_await sleep_for(2s);
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::unread_exception));
  EXPECT_EQ(run.verdicts[0].message, "task \"writer\" failed and nobody looked: disk full");
  ASSERT_EQ(run.verdicts[0].tasks.size(), 1u);
  ASSERT_FALSE(run.verdicts[0].tasks[0].stack.empty());
  EXPECT_EQ(file_of(run.verdicts[0].tasks[0].stack[0]), "tasks.hpp");
}

// A verdict tells of it already.
TEST(SpawnTest, OnlyMisuseThatTheRunTellsOfNeedNotBeRead) {
  const auto own = []() -> task<void> {
    auto handle = spawn([]() -> task<void> {
      co_await yield();
      join_handle<void>().cancel();
    }());
    co_await sleep_for(1s);
  };
  EXPECT_THAT(judge(own).kinds(), ElementsAre(verdict_kind::misuse));
  const auto users = []() -> task<void> {
    auto handle = spawn([]() -> task<void> {
      co_await yield();
      throw misuse("mine");
    }());
    co_await sleep_for(1s);
  };
  EXPECT_THAT(judge(users).kinds(), ElementsAre(verdict_kind::unread_exception));
}

TEST(SpawnTest, AnUnreadCancellationIsNoVerdict) {
  const auto main = []() -> task<void> {
    auto handle = spawn(wait_for_ever());
    co_await settle();
    handle.cancel();
    co_await yield();
    co_await yield();
  };
  EXPECT_EQ(judge(main).messages(), "");
}

TEST(SpawnTest, ADroppedHandleDestroysItsTaskThereAndThen) {
  std::string order;
  const auto work = [&]() -> task<void> {
    struct tell {
      std::string& to;
      ~tell() { to += "destroyed "; }
    } const local{order};
    co_await wait_for_ever();
  };
  const auto main = [&]() -> task<void> {
    {
      auto handle = spawn(work(), "reader");
      co_await yield();
    }
    order += "after";
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::dropped_handle));
  EXPECT_THAT(run.verdicts[0].message, HasSubstr("the handle of task \"reader\" died before the task ended"));
  EXPECT_EQ(file_of(run.verdicts[0].where), "spawn_test.cpp");
  EXPECT_EQ(order, "destroyed after");
}

TEST(SpawnTest, AHandleDroppedBeforeItsTaskStartsIsAVerdictToo) {
  const auto main = []() -> task<void> {
    { const auto handle = spawn(wait_for_ever()); }
    co_await yield();
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::dropped_handle));
}

TEST(SpawnTest, AHandleDroppedByAnExceptionIsNoVerdictOfItsOwn) {
  const auto main = []() -> task<void> {
    auto handle = spawn(wait_for_ever());
    co_await yield();
    throw std::runtime_error("x");
  };
  const judged_run run = judge(main);
  EXPECT_EQ(run.messages(), "");
  EXPECT_EQ(run.failure, "x");
}

TEST(SpawnTest, AssigningToAHandleDropsWhatItOwned) {
  const auto main = []() -> task<void> {
    auto handle = spawn(wait_for_ever(), "old");
    co_await yield();
    handle = spawn(wait_for_ever(), "new");
    handle.cancel();
    co_await yield();
    co_await yield();
  };
  EXPECT_THAT(judge(main).messages(), HasSubstr("\"old\""));
}

TEST(SpawnTest, ResultBeforeTheEndIsMisuse) {
  const auto main = []() -> task<void> {
    auto handle = spawn(value_after(1s, 1), "reader");
    EXPECT_THROW(handle.result(), misuse);
    co_await handle.join();
  };
  EXPECT_EQ(judge(main).messages(), "misuse: result() of task \"reader\", which has not finished\n");
}

TEST(SpawnTest, AMovedFromHandleIsMisused) {
  const auto main = []() -> task<void> {
    auto handle = spawn(value_after(1s, 1));
    auto taken = std::move(handle);
    EXPECT_THROW(static_cast<void>(handle.done()), misuse);
    co_await taken.join();
  };
  EXPECT_EQ(judge(main).messages(), "misuse: this handle owns no task: it was moved from, or never given one\n");
}

TEST(SpawnTest, ATaskThatIsStillRunningAtTheEndIsALeak) {
  std::optional<join_handle<void>> kept;
  const auto main = [&]() -> task<void> {
    kept.emplace(spawn(wait_for_ever(), "reader"));
    co_await yield();
  };
  const judged_run run = judge(main);
  kept.reset();
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::leaked_task));
  EXPECT_EQ(run.verdicts[0].message, "task \"reader\" was still running at the end");
}

TEST(SpawnTest, AHandleOfAFinishedTaskMayOutliveItsWorld) {
  std::optional<join_handle<std::unique_ptr<int>>> kept;
  const auto result = std::make_shared<int>(1);
  const auto work = [](std::shared_ptr<int>) -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(1); };
  const auto main = [&]() -> task<void> {
    kept.emplace(spawn(work(result)));
    co_await sleep_for(1s);
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_TRUE(kept->done());
  kept.reset();
  EXPECT_EQ(result.use_count(), 1) << "the frame of the task is still there";
}

TEST(SpawnTest, AFailureThatNobodyReadIsOfItsOwnRunThoughItsHandleIsKept) {
  std::optional<join_handle<void>> kept;
  sim::world world;
  const auto fail = []() -> task<void> {
    co_await yield();
    throw std::runtime_error("no such file");
  };
  const auto keep = [&]() -> task<void> {
    kept.emplace(spawn(fail(), "reader"));
    co_await sleep_for(1s);
  };
  const auto read = [&]() -> task<void> {
    kept.emplace(spawn(fail(), "reader"));
    co_await sleep_for(1s);
    EXPECT_NE(kept->exception(), nullptr);
  };
  const auto drop = [&]() -> task<void> {
    kept.reset();
    co_await yield();
  };
  const auto stop = [&]() -> task<void> {
    kept.emplace(spawn(fail(), "reader"));
    co_await sleep_for(1s);
    current_loop()->stop();
    co_await yield();
  };
  world.run(keep());
  ASSERT_EQ(world.verdicts().size(), 1u);
  EXPECT_EQ(world.verdicts()[0].kind, verdict_kind::unread_exception);
  EXPECT_EQ(world.verdicts()[0].message, "task \"reader\" failed and nobody looked: no such file");
  world.run(drop());
  EXPECT_TRUE(world.verdicts().empty()) << world.verdicts()[0].message;
  EXPECT_THROW(world.run(stop()), misuse);
  EXPECT_TRUE(world.verdicts().empty()) << world.verdicts()[0].message << ", which might have been read";
  world.run(read());
  EXPECT_TRUE(world.verdicts().empty()) << world.verdicts()[0].message;
}

TEST(SpawnTest, ATaskThatJoinsItselfIsADeadlock) {
  std::optional<join_handle<void>> self;
  const auto work = [&]() -> task<void> { co_await self->join(); };
  const auto main = [&]() -> task<void> {
    self.emplace(spawn(work(), "narcissus"));
    co_await self->join();
  };
  const judged_run run = judge(main);
  self.reset();
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_THAT(run.verdicts[0].cycle, ElementsAre("narcissus"));
}

TEST(SpawnTest, ATaskThatDestroysItsOwnHandleIsMisused) {
  std::optional<join_handle<void>> self;
  bool went_on = false;
  const auto work = [&]() -> task<void> {
    self.reset();
    co_await yield();
    went_on = true;
  };
  const auto main = [&]() -> task<void> {
    self.emplace(spawn(work(), "ouroboros"));
    co_await sleep_for(1s);
  };
  const judged_run run = judge(main);
  EXPECT_THAT(run.messages(), HasSubstr("task \"ouroboros\" destroys its own handle"));
  EXPECT_TRUE(went_on);
}

// A destructor may ask for a task, however its own ends.
TEST(SpawnTest, ADestructorAtTheEndOfARunIsGivenTheTaskThatDies) {
  std::vector<std::string> names;
  struct asks {
    std::vector<std::string>& names;
    ~asks() { names.push_back(current_task().name()); }
  };
  const auto work = [&](duration length) -> task<void> {
    const asks local{names};
    co_await sleep_for(length);
  };
  const auto main = [&]() -> task<void> {
    const asks local{names};
    auto ends = spawn(work(1s), "ends");
    co_await ends.join();
    auto left = spawn(work(3h), "left");
    {
      auto dropped = spawn(work(1h), "dropped");
      co_await sleep_for(1s);
    }
    co_await left.join();
  };
  EXPECT_THAT(judge(main, {.time_max = 1h}).kinds(),
              ElementsAre(verdict_kind::dropped_handle, verdict_kind::time_limit));
  EXPECT_THAT(names, ElementsAre("ends", "main", "left", "main"));
}

TEST(SpawnTest, OutsideOfEveryTaskThereIsNoneToAskFor) {
  sim::world world;
  world.start();
  const unsigned line = source::current().line() + 1;
  EXPECT_THROW(current_task(), misuse);
  world.finish();
  ASSERT_EQ(world.verdicts().size(), 1u);
  EXPECT_EQ(world.verdicts()[0].message,
            "there is no running task here; in a fixture, what needs one is for CoSetUp()");
  EXPECT_EQ(world.verdicts()[0].where.line(), line);
}

TEST(SpawnTest, NeedsALoop) {
  EXPECT_THROW(static_cast<void>(spawn(wait_for_ever())), misuse);
  EXPECT_THROW(current_task(), misuse);
}

}  // namespace
}  // namespace lockstep
