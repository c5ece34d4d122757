#include "judged_run.hpp"
#include "tasks.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <stdexcept>
#include <string>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

task<void> fails_when_cancelled(std::string text) {
  try {
    co_await wait_for_ever();
  } catch (const cancelled&) {
  }
  throw std::runtime_error(text);
}

// What a group's failures say, joined by a bar; "cancelled(reason)"; "done".
task<std::string> outcome_of(task<void> work) {
  try {
    co_await std::move(work);
    co_return "done";
  } catch (const exception_group& all) {
    std::string text;
    for (const std::exception_ptr& each : all.exceptions()) text += (text.empty() ? "" : "|") + text_of(each);
    co_return text;
  } catch (const cancelled& why) {
    co_return "cancelled(" + std::string(why.reason()) + ")";
  }
}

// -- with_task_group --------------------------------------------------------------------------------------------------

CO_TEST(TaskGroupTest, EndsWhenTheBodyAndAllThatItSpawnedHaveEnded) {
  std::string log;
  const auto child = [&](duration length, char name) -> task<void> {
    co_await sleep_for(length);
    log += name;
  };
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(child(3s, 'c'));
    group.spawn(child(1s, 'a'));
    EXPECT_EQ(group.size(), 2u);
    co_await sleep_for(2s);
    log += 'b';
    EXPECT_EQ(group.size(), 1u);
  };
  co_await with_task_group(body);
  EXPECT_EQ(log, "abc");
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(TaskGroupTest, TakesTasksWithResultsWhichItDrops) {
  const auto token = std::make_shared<int>(1);
  const auto child = [](std::shared_ptr<int> kept) -> task<std::shared_ptr<int>> { co_return kept; };
  const auto body = [&](task_group& group) -> task<void> {
    agent& named = group.spawn(child(token), "reader");
    EXPECT_EQ(named.name(), "reader");
    EXPECT_EQ(file_of(named.spawned_at()), "task_group_test.cpp");
    co_return;
  };
  co_await with_task_group(body);
  EXPECT_EQ(token.use_count(), 1) << "a result was kept";
}

CO_TEST(TaskGroupTest, AFailingTaskCancelsItsSiblingsAndTheBody) {
  std::string log;
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(until_cancelled(log, 2s));
    group.spawn(fail_after(1s, "disk full"));
    co_await until_cancelled(log);
  };
  EXPECT_EQ(co_await outcome_of(with_task_group(body)), "disk full");
  EXPECT_EQ(log, "[a task of the group failed][a task of the group failed]");
  EXPECT_EQ(now(), time_point{3s});
  EXPECT_EQ(current_task().cancelling(), 0u);
  co_await sleep_for(1s);  // the caller goes on
}

CO_TEST(TaskGroupTest, AFailureAfterTheBodyHasEndedCancelsTheSiblings) {
  std::string log;
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(until_cancelled(log));
    group.spawn(fail_after(1s, "disk full"));
    co_return;
  };
  EXPECT_EQ(co_await outcome_of(with_task_group(body)), "disk full");
  EXPECT_EQ(log, "[a task of the group failed]");
  EXPECT_EQ(current_task().cancelling(), 0u);
  co_await yield();
}

CO_TEST(TaskGroupTest, CollectsAllFailuresAndLeavesCancellationsOut) {
  std::string log;
  const auto gives_up = []() -> task<void> {
    co_await yield();
    throw cancelled("enough");
  };
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(gives_up());
    group.spawn(until_cancelled(log));
    group.spawn(fails_when_cancelled("flush failed"));
    group.spawn(fail_after(1s, "disk full"));
    co_await fails_when_cancelled("body failed");
  };
  EXPECT_EQ(co_await outcome_of(with_task_group(body)), "disk full|flush failed|body failed");
  co_await yield();
}

CO_TEST(TaskGroupTest, ATaskThatEndsByACancellationIsNoFailure) {
  const auto body = [](task_group& group) -> task<void> {
    agent& child = group.spawn(wait_for_ever());
    group.spawn(pass(2s));
    co_await sleep_for(1s);
    child.cancel();
  };
  EXPECT_EQ(co_await outcome_of(with_task_group(body)), "done");
  EXPECT_EQ(now(), time_point{2s});
}

CO_TEST(TaskGroupTest, AFailingBodyCancelsTheTasks) {
  std::string log;
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(until_cancelled(log, 2s));
    co_await sleep_for(1s);
    throw std::runtime_error("body failed");
  };
  EXPECT_EQ(co_await outcome_of(with_task_group(body)), "body failed");
  EXPECT_EQ(log, "[the body of the group ended early]");
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(TaskGroupTest, ABodyThatEndsByACancellationOfItsOwnThrowsIt) {
  std::string log;
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(until_cancelled(log));
    co_await yield();
    throw cancelled("enough");
  };
  EXPECT_EQ(co_await outcome_of(with_task_group(body)), "cancelled(enough)");
  EXPECT_EQ(log, "[the body of the group ended early]");
  co_await yield();
}

// -- cancelled from outside -------------------------------------------------------------------------------------------

CO_TEST(TaskGroupTest, CancellingTheCallerWithinTheBodyCancelsAll) {
  std::string log;
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(until_cancelled(log, 2s));
    co_await until_cancelled(log);
  };
  EXPECT_EQ(co_await shut_down_in_a_second(outcome_of(with_task_group(body))), "cancelled(shutdown)");
  EXPECT_EQ(log, "[shutdown][the body of the group ended early]");
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(TaskGroupTest, CancellingTheCallerAfterTheBodyCancelsAll) {
  std::string log;
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(until_cancelled(log, 2s));
    co_return;
  };
  EXPECT_EQ(co_await shut_down_in_a_second(outcome_of(with_task_group(body))), "cancelled(shutdown)");
  EXPECT_EQ(log, "[shutdown]");
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(TaskGroupTest, ACancellationThatWaitedForTheBodyToEndCancelsAll) {
  std::string log;
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(until_cancelled(log, 2s));
    co_await shield(pass(2s));
  };
  EXPECT_EQ(co_await shut_down_in_a_second(outcome_of(with_task_group(body))), "cancelled(shutdown)");
  EXPECT_EQ(log, "[shutdown]");
  EXPECT_EQ(now(), time_point{4s});
}

CO_TEST(TaskGroupTest, ATaskOfAGroupThatEndsIsNotCancelledAgainWithItsOwner) {
  unsigned requests = 0;
  const auto clean_up = [&]() -> task<void> {
    EXPECT_THROW(co_await wait_for_ever(), cancelled);
    co_await shield(pass(2s));
    requests = current_task().cancelling();
  };
  const auto own = [&]() -> task<void> {
    task_group group;
    group.spawn(clean_up());
    group.spawn(fail_after(1s));
    co_await group.join();
  };
  auto owner = spawn(own());
  co_await sleep_for(2s);
  owner.cancel();
  EXPECT_THROW(co_await owner.join(), exception_group);
  EXPECT_EQ(requests, 1u);
}

// What failed is told at once, and the cancellation is not forgotten.
CO_TEST(TaskGroupTest, ACancellationBesideAFailureIsDeliveredAfterIt) {
  for (const bool within_body : {true, false}) {
    std::string log;
    const auto body = [&](task_group& group) -> task<void> {
      group.spawn(fails_when_cancelled("flush failed"));
      if (within_body) co_await wait_for_ever();
    };
    const auto caller = [&]() -> task<void> {
      log = co_await outcome_of(with_task_group(body));
      EXPECT_EQ(current_task().cancelling(), 1u);
      co_await wait_for_ever();
    };
    auto handle = spawn(caller());
    co_await sleep_for(1s);
    handle.cancel("shutdown");
    try {
      co_await handle.join();
      ADD_FAILURE();
    } catch (const cancelled& why) {
      EXPECT_EQ(why.reason(), "shutdown");
    }
    EXPECT_EQ(log, "flush failed") << within_body;
  }
}

// The other way round: a task has failed and the body is being cancelled for it when the caller is cancelled as well.
CO_TEST(TaskGroupTest, ACancellationWhileAFailureEndsTheGroupIsDeliveredAfterIt) {
  std::string log;
  std::string outcome;
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(fail_after(1s, "disk full"));
    group.spawn(until_cancelled(log, 4s));
    co_await until_cancelled(log, 2s);
  };
  const auto caller = [&]() -> task<void> {
    outcome = co_await outcome_of(with_task_group(body));
    co_await wait_for_ever();
  };
  for (const duration when : {2s, 4s}) {  // in the clean-up of the body, and when the body has ended
    const time_point start = now();
    auto handle = spawn(caller());
    co_await sleep_for(when);
    handle.cancel("shutdown");
    EXPECT_THROW(co_await handle.join(), cancelled);
    EXPECT_EQ(outcome, "disk full");
    EXPECT_EQ(now() - start, 5s);
  }
}

CO_TEST(TaskGroupTest, ATimeoutAroundItCancelsAll) {
  std::string log;
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(until_cancelled(log));
    co_return;
  };
  EXPECT_THROW(co_await with_timeout(1s, with_task_group(body)), timed_out);
  EXPECT_EQ(log, "[timeout]");
  co_await yield();
}

CO_TEST(TaskGroupTest, AFailureDuringATimeoutReplacesIt) {
  const auto body = [](task_group& group) -> task<void> {
    group.spawn(fails_when_cancelled("flush failed"));
    co_return;
  };
  EXPECT_EQ(co_await outcome_of(with_timeout(1s, with_task_group(body))), "flush failed");
  EXPECT_EQ(current_task().cancelling(), 0u);
  co_await yield();
}

// -- nesting and spawning ---------------------------------------------------------------------------------------------

CO_TEST(TaskGroupTest, AFailureInAnInnerGroupComesOutOfTheOuterOneNested) {
  std::string log;
  const auto inner_body = [&](task_group& group) -> task<void> {
    group.spawn(fail_after(1s, "disk full"));
    co_await until_cancelled(log);
  };
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(until_cancelled(log));
    co_await with_task_group(inner_body);
  };
  try {
    co_await with_task_group(body);
    ADD_FAILURE();
  } catch (const exception_group& outer) {
    EXPECT_EQ(outer.exceptions().size(), 1u);
    EXPECT_THROW(std::rethrow_exception(outer.exceptions().front()), exception_group);
    EXPECT_THAT(outer.what(), HasSubstr("disk full"));
  }
  EXPECT_EQ(log, "[a task of the group failed][the body of the group ended early]");
}

CO_TEST(TaskGroupTest, AFailureInAnOuterGroupEndsTheInnerOneWithoutBeingMistakenForItsOwn) {
  std::string log;
  std::string inner_outcome;
  const auto inner_body = [&](task_group& group) -> task<void> {
    group.spawn(until_cancelled(log));
    co_await wait_for_ever();
  };
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(fail_after(1s, "disk full"));
    inner_outcome = co_await outcome_of(with_task_group(inner_body));
    throw cancelled();
  };
  EXPECT_EQ(co_await outcome_of(with_task_group(body)), "disk full");
  EXPECT_EQ(inner_outcome, "cancelled(a task of the group failed)");
  co_await yield();
}

CO_TEST(TaskGroupTest, FailuresInBothAtOneInstantAreBothTold) {
  std::string inner_outcome;
  const auto inner_body = [&](task_group& group) -> task<void> {
    group.spawn(fail_after(1s, "inner"));
    co_await wait_for_ever();
  };
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(fail_after(1s, "outer"));
    inner_outcome = co_await outcome_of(with_task_group(inner_body));
    co_await wait_for_ever();
  };
  EXPECT_EQ(co_await outcome_of(with_task_group(body)), "outer");
  EXPECT_EQ(inner_outcome, "inner");
  EXPECT_EQ(now(), time_point{1s});
  co_await yield();
}

CO_TEST(TaskGroupTest, ItsTasksMaySpawnIntoIt) {
  int made = 0;
  std::function<task<void>(task_group&, int)> tree = [&](task_group& group, int depth) -> task<void> {
    ++made;
    co_await sleep_for(1s);
    if (depth > 0) {
      group.spawn(tree(group, depth - 1));
      group.spawn(tree(group, depth - 1));
    }
  };
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(tree(group, 3));
    co_return;
  };
  co_await with_task_group(body);
  EXPECT_EQ(made, 15);
  EXPECT_EQ(now(), time_point{4s});
}

TEST(TaskGroupTest, SpawningIntoOneThatIsEndingIsMisuseAndNoSecondVerdict) {
  std::string outcome;
  const auto main = [&]() -> task<void> {
    const auto late = [](task_group& group) -> task<void> {
      try {
        co_await wait_for_ever();
      } catch (const cancelled&) {
      }
      group.spawn(pass(1s));
    };
    const auto body = [&](task_group& group) -> task<void> {
      group.spawn(late(group));
      group.spawn(fail_after(1s, "disk full"));
      co_return;
    };
    outcome = co_await outcome_of(with_task_group(body));
  };
  const std::string text = "spawn() into a task_group that is ending: a task failed or the group was cancelled";
  EXPECT_EQ(judge(main).messages(), "misuse: " + text + "\n");
  EXPECT_EQ(outcome, "disk full|" + text);
}

TEST(TaskGroupTest, SpawningIntoOneWhoseOwnerWasCancelledIsMisuse) {
  const auto main = []() -> task<void> {
    const auto late = [](task_group& group) -> task<void> {
      try {
        co_await wait_for_ever();
      } catch (const cancelled&) {
      }
      EXPECT_THROW(group.spawn(wait_for_ever()), misuse);
    };
    const auto body = [&](task_group& group) -> task<void> {
      group.spawn(late(group));
      co_return;
    };
    auto handle = spawn(with_task_group(body));
    co_await settle();
    handle.cancel();
    EXPECT_THROW(co_await handle.join(), cancelled);
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::misuse));
}

// -- by hand ----------------------------------------------------------------------------------------------------------

CO_TEST(TaskGroupTest, JoinWaitsAndThrowsWhatFailed) {
  task_group group("workers");
  group.spawn(pass(2s));
  co_await sleep_for(1s);
  EXPECT_EQ(group.size(), 1u);
  co_await group.join();
  EXPECT_EQ(now(), time_point{2s});
  EXPECT_EQ(group.size(), 0u);

  task_group failing;
  std::string log;
  failing.spawn(until_cancelled(log, 2s));
  failing.spawn(fail_after(1s, "disk full"));
  EXPECT_EQ(co_await outcome_of(failing.join()), "disk full");
  EXPECT_EQ(log, "[a task of the group failed]");
  EXPECT_EQ(now(), time_point{5s});
}

CO_TEST(TaskGroupTest, AFailureThatCameBeforeJoinIsThrownByIt) {
  task_group group;
  group.spawn(fail_after(1s, "disk full"));
  co_await sleep_for(2s);  // by hand, nobody cancels the owner
  EXPECT_EQ(co_await outcome_of(group.join()), "disk full");
}

CO_TEST(TaskGroupTest, CancelAsksEveryTaskAndIsNoFailure) {
  std::string log;
  task_group group;
  group.spawn(until_cancelled(log, 1s));
  group.spawn(until_cancelled(log, 2s));
  co_await settle();
  group.cancel("enough");
  EXPECT_EQ(group.size(), 2u);
  co_await group.join();
  EXPECT_EQ(log, "[enough][enough]");
  EXPECT_EQ(now(), time_point{2s});
}

CO_TEST(TaskGroupTest, CancellingTheJoinerCancelsAllAndWaits) {
  std::string log;
  const auto owner = [&]() -> task<void> {
    task_group group;
    group.spawn(until_cancelled(log, 2s));
    co_await group.join();
  };
  EXPECT_THROW(co_await shut_down_in_a_second(owner()), cancelled);
  EXPECT_EQ(log, "[shutdown]");
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(TaskGroupTest, ACancelledOwnerMayJoinInAShield) {
  std::string log;
  const auto owner = [&]() -> task<void> {
    task_group group;
    group.spawn(until_cancelled(log, 1s));
    std::string reason;
    try {
      co_await wait_for_ever();
    } catch (const cancelled& why) {
      reason = why.reason();
    }
    group.cancel(reason);
    co_await shield(group.join());
    throw cancelled();
  };
  auto handle = spawn(owner());
  co_await settle();
  handle.cancel("shutdown");
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_EQ(log, "[shutdown]");
}

TEST(TaskGroupTest, SpawningIntoOneThatWasJoinedIsMisuse) {
  const auto main = []() -> task<void> {
    task_group group;
    co_await group.join();
    EXPECT_THROW(group.spawn(wait_for_ever()), misuse);
  };
  EXPECT_EQ(judge(main).messages(), "misuse: spawn() into a task_group that has been joined\n");
}

// As in asyncio, and as if the owner went on at once.
TEST(TaskGroupTest, IsClosedWhenAllHaveFinishedForWhomSomebodyWaits) {
  const auto main = []() -> task<void> {
    task_group group;
    const auto child = []() -> task<void> { co_return; };
    const auto other = [&]() -> task<void> {
      EXPECT_EQ(group.size(), 0u);
      EXPECT_THROW(group.spawn(wait_for_ever()), misuse);
      co_return;
    };
    group.spawn(child());
    auto late = spawn(other());
    co_await group.join();
    co_await late.join();
  };
  EXPECT_EQ(judge(main).messages(), "misuse: spawn() into a task_group that has been joined\n");
}

TEST(TaskGroupTest, JoiningItFromAnotherTaskIsMisuse) {
  const auto main = []() -> task<void> {
    task_group group;
    const auto other = [&]() -> task<void> { EXPECT_THROW(co_await group.join(), misuse); };
    auto handle = spawn(other(), "stranger");
    co_await handle.join();
  };
  EXPECT_EQ(judge(main).messages(),
            "misuse: join() of a task_group by task \"stranger\"; it was made by task \"main\"\n");
}

TEST(TaskGroupTest, DyingItDestroysItsTasksTheYoungestFirstWhichIsAVerdict) {
  std::string log;
  const auto child = [&](std::string name) -> task<void> {
    struct tell {
      std::string& to;
      std::string text;
      ~tell() { to += text; }
    };
    const tell outer{log, name + "-root "};
    const auto leaf = [&]() -> task<void> {
      const tell inner{log, name + "-leaf "};
      co_await wait_for_ever();
    };
    co_await leaf();
  };
  const auto main = [&]() -> task<void> {
    {
      task_group group;
      group.spawn(child("a"), "a");
      group.spawn(child("b"), "b");
      co_await settle();
    }
    log += "after";
  };
  const judged_run run = judge(main);
  EXPECT_EQ(log, "b-leaf b-root a-leaf a-root after");
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::dropped_handle));
  EXPECT_EQ(run.verdicts[0].message,
            "a task_group died before 2 of its tasks ended; await join(), or use with_task_group()");
  EXPECT_EQ(file_of(run.verdicts[0].where), "task_group_test.cpp");
  EXPECT_EQ(run.verdicts[0].tasks.size(), 2u);
}

TEST(TaskGroupTest, DyingByAnExceptionIsNoVerdictOfItsOwn) {
  const auto main = []() -> task<void> {
    task_group group;
    group.spawn(wait_for_ever());
    co_await settle();
    throw std::runtime_error("x");
  };
  const judged_run run = judge(main);
  EXPECT_EQ(run.messages(), "");
  EXPECT_EQ(run.failure, "x");
}

TEST(TaskGroupTest, AFailureThatJoinNeverThrewIsAVerdict) {
  const auto main = []() -> task<void> {
    task_group group;
    group.spawn(fail_after(1s, "disk full"));
    co_await sleep_for(2s);
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::unread_exception));
  EXPECT_THAT(run.verdicts[0].message, HasSubstr("disk full"));
}

TEST(TaskGroupTest, ATaskThatDestroysItsOwnGroupIsMisused) {
  bool went_on = false;
  const auto main = [&]() -> task<void> {
    auto group = std::make_unique<task_group>();
    const auto child = [&]() -> task<void> {
      group.reset();
      co_await yield();
      went_on = true;
    };
    group->spawn(child(), "ouroboros");
    co_await sleep_for(1s);
  };
  const judged_run run = judge(main);
  EXPECT_THAT(run.messages(), HasSubstr("task \"ouroboros\" destroys its own handle"));
  EXPECT_TRUE(went_on);
}

TEST(TaskGroupTest, ReportsWhomItWaitsFor) {
  const auto main = []() -> task<void> {
    event never("never");
    const auto wait = [&]() -> task<void> { co_await never.wait(); };
    task_group group("workers");
    group.spawn(wait(), "a");
    group.spawn(wait(), "b");
    co_await group.join();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_EQ(run.verdicts[0].tasks[0].waits_for, "children of \"workers\"(a, b)");
}

TEST(TaskGroupTest, NeedsATask) { EXPECT_THROW(task_group(), misuse); }

}  // namespace
}  // namespace lockstep
