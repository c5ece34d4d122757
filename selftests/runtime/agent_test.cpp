// The control block, and cancellation as asyncio has it: counted, and delivered at the next suspension.
#include "judged_run.hpp"
#include "tasks.hpp"

#include <lockstep/testing/testing.hpp>

#include <string>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

task<void> ends_at_once() { co_return; }

// -- who it is --------------------------------------------------------------------------------------------------------

CO_TEST(AgentTest, ItsIdentityIsItsPlaceInTheTreeOfSpawns) {
  const agent& me = current_task();
  auto first = spawn(ends_at_once());
  auto second = spawn(ends_at_once());
  EXPECT_EQ(first.get().id(), task_identity(me.id(), 1));
  EXPECT_EQ(second.get().id(), task_identity(me.id(), 2));
  EXPECT_EQ(first.get().parent(), &me);
  EXPECT_EQ(second.get().number(), first.get().number() + 1);
  EXPECT_EQ(second.get().path(), "2");
  const auto nest = []() -> task<std::string> {
    auto inner = spawn(ends_at_once());
    const std::string path = inner.get().path();
    co_await inner.join();
    co_return path;
  };
  auto third = spawn(nest());
  EXPECT_EQ(co_await third.join(), "3.1");
  co_await first.join();
  co_await second.join();
}

TEST(AgentTest, TheMainTaskIsTheSameInEveryRun) {
  const auto main = []() -> task<void> {
    EXPECT_EQ(current_task().id(), main_identity);
    EXPECT_EQ(current_task().path(), "main");
    EXPECT_EQ(current_task().parent(), nullptr);
    EXPECT_EQ(current_task().number(), 0u);
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_EQ(judge(main).messages(), "");
}

CO_TEST(AgentTest, GoesThroughItsStates) {
  agent::state in_its_step = agent::state::ready;
  const auto work = [&]() -> task<void> {
    in_its_step = current_task().condition();
    co_await sleep_for(1s);
  };
  auto child = spawn(work());
  const agent& who = child.get();
  EXPECT_EQ(who.condition(), agent::state::ready);
  co_await settle();
  EXPECT_EQ(in_its_step, agent::state::running);
  EXPECT_EQ(who.condition(), agent::state::parked);
  EXPECT_FALSE(who.finished());
  co_await child.join();
  EXPECT_EQ(who.condition(), agent::state::done);
  EXPECT_TRUE(who.finished());
  EXPECT_EQ(who.parked_at(), nullptr);
}

TEST(AgentTest, IsDeadWhenItsFramesWereDestroyed) {
  const auto main = []() -> task<void> {
    agent* who = nullptr;
    {
      const auto child = spawn(wait_for_ever());
      who = &child.get();
      loop::retain(*who);
      co_await settle();
    }
    EXPECT_EQ(who->condition(), agent::state::dead);
    EXPECT_TRUE(who->finished());
    EXPECT_FALSE(who->cancel());
    EXPECT_EQ(who->failure(), nullptr);
    EXPECT_THAT(who->stack(), IsEmpty());
    loop::release(*who);
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::dropped_handle));
}

TEST(AgentTest, OutlivesItsSpawnerAsItsChildsParent) {
  std::string path;
  const auto grandchild = [&]() -> task<void> {
    co_await sleep_for(1s);
    path = current_task().path();
  };
  const auto child = [&]() -> task<void> {
    spawn_daemon(grandchild());
    co_return;
  };
  const auto main = [&]() -> task<void> {
    {
      auto handle = spawn(child());
      co_await handle.join();
    }
    co_await sleep_for(2s);
  };
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_EQ(path, "1.1");
}

// -- cancellation -----------------------------------------------------------------------------------------------------

CO_TEST(AgentTest, CancellationsAreCountedAndTakenBackOneByOne) {
  agent& me = current_task();
  EXPECT_EQ(me.cancelling(), 0u);
  EXPECT_TRUE(me.cancel());
  EXPECT_TRUE(me.cancel());
  EXPECT_EQ(me.cancelling(), 2u);
  EXPECT_EQ(me.uncancel(), 1u);
  EXPECT_EQ(me.uncancel(), 0u);
  co_await yield();  // nothing is left to deliver
}

CO_TEST(AgentTest, OneOfTwoRequestsTakenBackLeavesTheOther) {
  const auto work = []() -> task<void> {
    current_task().cancel();
    current_task().cancel();
    current_task().uncancel();
    co_await yield();
    ADD_FAILURE() << "it was not cancelled";
  };
  auto child = spawn(work());
  EXPECT_THROW(co_await child.join(), cancelled);
}

CO_TEST(AgentTest, TwoRequestsAreOneException) {
  int caught = 0;
  const auto work = [&]() -> task<void> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
      ++caught;
    }
    EXPECT_EQ(current_task().cancelling(), 2u);
    EXPECT_EQ(current_task().uncancel(), 1u);
    EXPECT_EQ(current_task().uncancel(), 0u);
    co_await sleep_for(1s);
  };
  auto child = spawn(work());
  co_await settle();
  child.cancel();
  child.cancel();
  co_await child.join();
  EXPECT_EQ(caught, 1);
}

CO_TEST(AgentTest, TheLastReasonIsTheOneDelivered) {
  std::string log;
  auto child = spawn(until_cancelled(log));
  co_await settle();
  child.cancel("first");
  child.cancel("second");
  EXPECT_THROW(co_await child.join(), cancelled);
  EXPECT_EQ(log, "[second]");
  EXPECT_EQ(child.get().cancel_reason().view(), "second");
}

CO_TEST(AgentTest, ATaskThatCancelsItselfGoesOnToItsNextAwait) {
  std::string log;
  const auto work = [&]() -> task<void> {
    current_task().cancel("enough");
    log += "on ";
    co_await ends_at_once();  // a call is no suspension
    log += "and on ";
    try {
      co_await sleep_for(1h);
    } catch (const cancelled& why) {
      log += why.reason();
      throw;
    }
  };
  auto child = spawn(work());
  EXPECT_THROW(co_await child.join(), cancelled);
  EXPECT_EQ(log, "on and on enough");
  EXPECT_EQ(now(), time_point{});
}

// Whatever it awaits: also what could be had without waiting, and a yield.
CO_TEST(AgentTest, APendingCancellationIsDeliveredBeforeTheAwaitBegins) {
  event is_set;
  is_set.set();
  semaphore free(1);
  const auto wait = [&]() -> task<void> {
    current_task().cancel();
    co_await is_set.wait();
  };
  const auto acquire = [&]() -> task<void> {
    current_task().cancel();
    co_await free.acquire();
  };
  const auto give_way = []() -> task<void> {
    current_task().cancel();
    co_await yield();
  };
  auto a = spawn(wait());
  auto b = spawn(acquire());
  auto c = spawn(give_way());
  EXPECT_THROW(co_await a.join(), cancelled);
  EXPECT_THROW(co_await b.join(), cancelled);
  EXPECT_THROW(co_await c.join(), cancelled);
  EXPECT_TRUE(free.try_acquire());
}

CO_TEST(AgentTest, ATaskThatWasGrantedAndNotResumedGivesItBack) {
  mutex lock;
  auto held = std::make_unique<mutex_guard>(co_await lock.lock());
  const auto want = [&]() -> task<void> { const auto guard = co_await lock.lock(); };
  auto first = spawn(want());
  auto second = spawn(want());
  co_await settle();
  held.reset();
  EXPECT_EQ(lock.holder(), &first.get());
  first.cancel();
  EXPECT_THROW(co_await first.join(), cancelled);
  co_await second.join();
  EXPECT_FALSE(lock.locked());
}

CO_TEST(AgentTest, ATaskThatYieldedIsCancelledThere) {
  bool went_on = false;
  const auto work = [&]() -> task<void> {
    co_await yield();
    went_on = true;
  };
  auto child = spawn(work());
  co_await yield();
  child.cancel();
  EXPECT_THROW(co_await child.join(), cancelled);
  EXPECT_FALSE(went_on);
}

// As asyncio's: what was thrown stays thrown, and the task is free afterwards.
CO_TEST(AgentTest, TakingBackARequestThatIsOnItsWayDoesNotStopIt) {
  int caught = 0;
  const auto work = [&]() -> task<void> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
      ++caught;
    }
    co_await sleep_for(1s);
  };
  auto child = spawn(work());
  co_await settle();
  child.cancel();
  EXPECT_EQ(child.get().uncancel(), 0u);
  co_await child.join();
  EXPECT_EQ(caught, 1);
}

CO_TEST(AgentTest, ATaskThatReturnsAfterACancellationWasNotCancelled) {
  const auto work = []() -> task<int> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
    }
    co_return 5;
  };
  auto child = spawn(work());
  co_await settle();
  child.cancel();
  EXPECT_EQ(co_await child.join(), 5);
  EXPECT_FALSE(child.was_cancelled());
}

CO_TEST(AgentTest, AnErrorWhileItUnwindsIsItsFailure) {
  const auto work = []() -> task<void> {
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
      throw std::runtime_error("cannot clean up");
    }
  };
  auto child = spawn(work());
  co_await settle();
  child.cancel();
  EXPECT_THROW(co_await child.join(), std::runtime_error);
  EXPECT_FALSE(child.was_cancelled());
}

// What a task does with a caught cancellation, and what is found wrong with it.
template <class F>
judged_run judge_cancelled(F after_catching) {
  const auto work = [&]() -> task<void> {
    bool caught = false;
    try {
      co_await wait_for_ever();
    } catch (const cancelled&) {
      caught = true;
    }
    if (caught) co_await after_catching();
  };
  const auto main = [&]() -> task<void> {
    auto child = spawn(work(), "stubborn");
    co_await settle();
    child.cancel();
    co_await child.join();
  };
  return judge(main);
}

TEST(AgentTest, SwallowingACancellationIsAVerdictOnce) {
  const auto go_on = []() -> task<void> {
    co_await sleep_for(1s);
    co_await sleep_for(1s);
  };
  const judged_run run = judge_cancelled(go_on);
  EXPECT_TRUE(run.ended);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::swallowed_cancellation));
  EXPECT_THAT(run.verdicts[0].message, HasSubstr("task \"stubborn\" caught `cancelled` and awaits again"));
  EXPECT_EQ(file_of(run.verdicts[0].where), "agent_test.cpp");
}

TEST(AgentTest, SwallowingItAndYieldingIsAVerdictToo) {
  const auto go_on = []() -> task<void> { co_await yield(); };
  EXPECT_THAT(judge_cancelled(go_on).kinds(), ElementsAre(verdict_kind::swallowed_cancellation));
}

TEST(AgentTest, SwallowingItAndTakingWhatIsFreeIsAVerdictToo) {
  const auto go_on = []() -> task<void> {
    mutex free;
    const auto guard = co_await free.lock();
  };
  EXPECT_THAT(judge_cancelled(go_on).kinds(), ElementsAre(verdict_kind::swallowed_cancellation));
}

TEST(AgentTest, TakingItBackIsNotSwallowingIt) {
  const auto go_on = []() -> task<void> {
    EXPECT_EQ(current_task().uncancel(), 0u);
    co_await sleep_for(1s);
    co_await yield();
  };
  EXPECT_EQ(judge_cancelled(go_on).messages(), "");
}

TEST(AgentTest, CleaningUpInAShieldIsNotSwallowingIt) {
  const auto flush = []() -> task<void> { co_await sleep_for(1s); };
  const auto go_on = [&]() -> task<void> { co_await shield(flush()); };
  EXPECT_EQ(judge_cancelled(go_on).messages(), "");
}

TEST(AgentTest, WhoIsCancelledAgainBeforeItAwaitsHasNotSwallowedTheFirst) {
  const auto yield_again = []() -> task<void> {
    current_task().cancel();
    EXPECT_THROW(co_await yield(), cancelled);
  };
  const auto sleep_again = []() -> task<void> {
    current_task().cancel();
    EXPECT_THROW(co_await sleep_for(1s), cancelled);
  };
  EXPECT_EQ(judge_cancelled(yield_again).messages(), "");
  EXPECT_EQ(judge_cancelled(sleep_again).messages(), "");
}

TEST(AgentTest, ASelfCancellationThatIsSwallowedIsAVerdict) {
  for (const bool at_a_yield : {true, false}) {
    const auto main = [at_a_yield]() -> task<void> {
      current_task().cancel();
      try {
        if (at_a_yield) co_await yield();
        co_await sleep_for(1s);
      } catch (const cancelled&) {
      }
      co_await yield();
    };
    EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::swallowed_cancellation)) << at_a_yield;
  }
}

TEST(AgentTest, TakingBackWhatNobodyAskedIsMisuse) {
  const auto main = []() -> task<void> {
    EXPECT_THROW(current_task().uncancel(), misuse);
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "misuse: uncancel() of task \"main\", which has no request to cancel it\n");
}

TEST(AgentTest, AMainTaskThatIsCancelledHasFailed) {
  const auto main = []() -> task<void> {
    current_task().cancel("nobody wants it");
    co_await yield();
  };
  const judged_run run = judge(main);
  EXPECT_TRUE(run.ended);
  EXPECT_EQ(run.failure, "cancelled: nobody wants it");
  sim::world world;
  const auto never_a_value = []() -> task<int> {
    current_task().cancel();
    co_await yield();
    co_return 1;
  };
  EXPECT_THROW(world.run(never_a_value()), cancelled);
}

TEST(AgentTest, ADoomedTaskGoesNoFurtherThanItsNextAwait) {
  std::string log;
  const auto main = [&]() -> task<void> {
    current_task().doom();
    log += "to here ";
    co_await yield();
    log += "too far";
  };
  EXPECT_FALSE(judge(main).ended);
  EXPECT_EQ(log, "to here ");
}

CO_TEST(AgentTest, APardonedTaskGoesOn) {
  current_task().doom();
  current_task().pardon();
  co_await yield();
}

}  // namespace
}  // namespace lockstep
