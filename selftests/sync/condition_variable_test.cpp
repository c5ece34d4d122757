#include "schedules.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

struct guarded {
  mutex lock{"lock"};
  condition_variable changed{lock, "changed"};
  int items = 0;
  std::string log;
};

// Waits once, and says that it was woken, with the lock held.
task<void> await_change(guarded& of, std::string name) {
  const mutex_guard held = co_await of.lock.lock();
  co_await of.changed.wait();
  EXPECT_EQ(of.lock.holder(), &current_task());
  of.log += name;
}

task<void> take_item(guarded& from) {
  const mutex_guard held = co_await from.lock.lock();
  co_await from.changed.wait([&] { return from.items > 0; });
  EXPECT_EQ(from.lock.holder(), &current_task());
  --from.items;
}

CO_TEST(ConditionVariableTest, WakesWaitersInFifoOrderWithTheLockHeld) {
  guarded state;
  auto a = spawn(await_change(state, "a"));
  auto b = spawn(await_change(state, "b"));
  auto c = spawn(await_change(state, "c"));
  co_await settle();
  {
    const mutex_guard held = co_await state.lock.lock();
    state.changed.notify_one();
    co_await settle();
    EXPECT_EQ(state.log, "") << "the notifier still holds the lock";
  }
  co_await settle();
  EXPECT_EQ(state.log, "a");
  {
    const mutex_guard held = co_await state.lock.lock();
    state.changed.notify_all();
  }
  co_await a.join();
  co_await b.join();
  co_await c.join();
  EXPECT_EQ(state.log, "abc");
  EXPECT_FALSE(state.lock.locked());
}

CO_TEST(ConditionVariableTest, NotifyWakesAsManyAsItIsTold) {
  guarded state;
  std::vector<join_handle<void>> waiters;
  for (const char* name : {"a", "b", "c"}) waiters.push_back(spawn(await_change(state, name)));
  co_await settle();
  mutex_guard held = co_await state.lock.lock();
  state.changed.notify(2);
  held.unlock();
  co_await settle();
  EXPECT_EQ(state.log, "ab");
  held = co_await state.lock.lock();
  state.changed.notify(7);
  held.unlock();
  for (join_handle<void>& waiter : waiters) co_await waiter.join();
}

CO_TEST(ConditionVariableTest, ANotificationThatNobodyWaitsForIsNotKept) {
  guarded state;
  {
    const mutex_guard held = co_await state.lock.lock();
    state.changed.notify_all();
  }
  auto a = spawn(await_change(state, "a"));
  co_await settle();
  EXPECT_EQ(state.log, "");
  a.cancel();
  EXPECT_TRUE(co_await was_cancelled(a));
}

CO_TEST(ConditionVariableTest, WaitsUntilItsConditionHolds) {
  guarded state;
  auto consumer = spawn(take_item(state));
  co_await settle();
  {
    const mutex_guard held = co_await state.lock.lock();
    state.changed.notify_all();
  }
  co_await settle();
  EXPECT_FALSE(consumer.done());
  {
    const mutex_guard held = co_await state.lock.lock();
    ++state.items;
    state.changed.notify_all();
  }
  co_await consumer.join();
  EXPECT_EQ(state.items, 0);
  ++state.items;
  co_await take_item(state);
}

CO_TEST(ConditionVariableTest, ACancelledWaitEndsWithTheLockHeld) {
  guarded state;
  std::string log;
  const auto work = [&]() -> task<void> {
    const mutex_guard held = co_await state.lock.lock();
    try {
      co_await state.changed.wait();
    } catch (const cancelled& request) {
      EXPECT_EQ(state.lock.holder(), &current_task());
      EXPECT_EQ(request.reason(), "enough");
      log += "cancelled ";
      throw;
    }
  };
  auto waiter = spawn(work());
  co_await settle();
  mutex_guard held = co_await state.lock.lock();
  waiter.cancel("enough");
  co_await settle();
  EXPECT_EQ(log, "") << "it cannot end before it has the lock";
  log += "unlock ";
  held.unlock();
  EXPECT_TRUE(co_await was_cancelled(waiter));
  EXPECT_EQ(log, "unlock cancelled ");
  EXPECT_FALSE(state.lock.locked());
}

CO_TEST(ConditionVariableTest, TakesTheLockAgainHoweverOftenItIsCancelledAndThrowsOnce) {
  guarded state;
  std::string log;
  const auto work = [&]() -> task<void> {
    const mutex_guard held = co_await state.lock.lock();
    try {
      co_await state.changed.wait();
    } catch (const cancelled& request) {
      log += request.reason();
      EXPECT_EQ(state.lock.holder(), &current_task());
      for (unsigned left = current_task().cancelling(); left > 0;) left = current_task().uncancel();
    }
    co_await yield();
    log += " cleaned up";
  };
  auto waiter = spawn(work());
  co_await settle();
  mutex_guard held = co_await state.lock.lock();
  for (const char* reason : {"one", "two", "three"}) {
    waiter.cancel(std::string(reason));
    co_await settle();
  }
  held.unlock();
  co_await waiter.join();
  EXPECT_EQ(log, "three cleaned up");
}

// Whether the receiver has been woken by then and wants the lock, or not.
CO_TEST(ConditionVariableTest, ANotificationThatACancelledWaiterGotGoesToAnother) {
  for (const bool woken : {false, true}) {
    guarded state;
    auto a = spawn(await_change(state, "a"));
    auto b = spawn(await_change(state, "b"));
    co_await settle();
    {
      const mutex_guard held = co_await state.lock.lock();
      state.changed.notify_one();
      if (woken) co_await settle();
      a.cancel();
    }
    EXPECT_TRUE(co_await was_cancelled(a));
    co_await b.join();
    EXPECT_EQ(state.log, "b") << woken;
  }
}

CO_TEST(ConditionVariableTest, ATaskThatIsCancelledAlreadyDoesNotWait) {
  guarded state;
  const auto work = [&]() -> task<void> {
    const mutex_guard held = co_await state.lock.lock();
    current_task().cancel();
    co_await state.changed.wait();
  };
  auto waiter = spawn(work());
  EXPECT_TRUE(co_await was_cancelled(waiter));
  EXPECT_FALSE(state.lock.locked());
}

// `when`: 0 while it waits, 1 when it was notified, 2 when it has been woken and wants the lock.
TEST(ConditionVariableTest, ATaskDestroyedInItsWaitHasNoLockAndKeepsNoNotification) {
  for (const int when : {0, 1, 2}) {
    SCOPED_TRACE(when);
    std::string log;
    const auto main = [&]() -> task<void> {
      guarded state;
      std::optional<join_handle<void>> a(spawn(await_change(state, "a")));
      auto b = spawn(await_change(state, "b"));
      co_await settle();
      {
        const mutex_guard held = co_await state.lock.lock();
        if (when > 0) state.changed.notify_one();
        if (when > 1) co_await settle();
        a.reset();
        EXPECT_EQ(state.lock.holder(), &current_task()) << "the guard of the dead task must not unlock for another";
        if (when == 0) state.changed.notify_one();
      }
      co_await b.join();
      log = state.log;
      EXPECT_FALSE(state.lock.locked());
    };
    const judged_run run = judge(main);
    EXPECT_TRUE(run.ended);
    EXPECT_THAT(run.kinds(), ElementsAre(verdict_kind::dropped_handle));
    EXPECT_EQ(log, "b");
  }
}

TEST(ConditionVariableTest, WaitingOrNotifyingWithoutTheLockIsMisuse) {
  const auto main = []() -> task<void> {
    guarded state;
    EXPECT_THROW(state.changed.notify_one(), misuse);
    EXPECT_THROW(co_await state.changed.wait(), misuse);
    auto always = state.changed.wait([] { return true; });
    EXPECT_THROW(co_await std::move(always), misuse);
    auto holder = spawn(await_change(state, "a"), "holder");
    EXPECT_TRUE(state.lock.try_lock());
    co_await settle();
    const auto stranger = [&]() -> task<void> {
      EXPECT_THROW(state.changed.notify_all(), misuse);
      co_return;
    };
    co_await spawn(stranger()).join();
    state.lock.unlock();
    co_await settle();
    holder.cancel();
    EXPECT_TRUE(co_await was_cancelled(holder));
  };
  EXPECT_EQ(judge(main).messages(),
            "misuse: notify() of condition_variable \"changed\" without holding its mutex \"lock\"\n"
            "misuse: wait() of condition_variable \"changed\" without holding its mutex \"lock\"\n"
            "misuse: wait() of condition_variable \"changed\" without holding its mutex \"lock\"\n"
            "misuse: notify() of condition_variable \"changed\" without holding its mutex \"lock\"\n");
}

TEST(ConditionVariableTest, DyingWithWaitersIsMisuse) {
  const auto main = []() -> task<void> {
    mutex lock;
    auto changed = std::make_unique<condition_variable>(lock, label("changed"));
    const auto work = [&]() -> task<void> {
      const mutex_guard held = co_await lock.lock();
      co_await changed->wait();
    };
    auto waiter = spawn(work(), "reader");
    co_await settle();
    changed.reset();
    co_await waiter.join();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::misuse, verdict_kind::deadlock));
  EXPECT_EQ(run.verdicts[0].message, "the condition_variable \"changed\" died while task \"reader\" waits for it");
}

TEST(ConditionVariableTest, MayDieOnceAllAreNotified) {
  const auto die = [](bool they_have_run) -> task<void> {
    mutex lock;
    auto changed = std::make_unique<condition_variable>(lock, label("changed"));
    int waiting = 0;
    const auto work = [&]() -> task<void> {
      const mutex_guard held = co_await lock.lock();
      ++waiting;
      co_await changed->wait();
    };
    std::vector<join_handle<void>> workers;
    for (int i = 0; i < 3; ++i) workers.push_back(spawn(work()));
    {
      mutex_guard held = co_await lock.lock();
      while (waiting < 3) {
        held.unlock();
        co_await yield();
        held = co_await lock.lock();
      }
      changed->notify_all();
      if (they_have_run) co_await yield();  // and wait for the mutex
      changed.reset();
      workers[0].cancel();  // before it has seen the notification
      co_await yield();
    }
    co_await yield();
    workers[1].cancel();  // perhaps while it waits for the mutex
    for (join_handle<void>& worker : workers) static_cast<void>(co_await was_cancelled(worker));
    EXPECT_FALSE(lock.locked());
  };
  under_every_schedule([&] { return die(false); });
  under_every_schedule([&] { return die(true); });
}

// The classic: as many items as consumers, notified one by one. A notification missed leaves a consumer waiting.
TEST(ConditionVariableTest, NoNotificationIsMissedInAnyOrder) {
  under_every_schedule([]() -> task<void> {
    guarded state;
    const auto produce = [&]() -> task<void> {
      for (int i = 0; i < 4; ++i) {
        const mutex_guard held = co_await state.lock.lock();
        ++state.items;
        state.changed.notify_one();
      }
    };
    std::vector<join_handle<void>> consumers;
    for (int i = 0; i < 2; ++i) consumers.push_back(spawn(take_item(state)));
    auto producer = spawn(produce());
    for (int i = 0; i < 2; ++i) consumers.push_back(spawn(take_item(state)));
    for (join_handle<void>& consumer : consumers) co_await consumer.join();
    co_await producer.join();
    EXPECT_EQ(state.items, 0);
  });
}

// An item for each consumer but the cancelled; whoever is cancelled with a notification must pass it on.
TEST(ConditionVariableTest, ACancelledConsumerLeavesItsItemToAnotherInAnyOrder) {
  under_every_schedule([]() -> task<void> {
    guarded state;
    std::vector<join_handle<void>> consumers;
    for (int i = 0; i < 4; ++i) consumers.push_back(spawn(take_item(state)));
    const auto produce = [&]() -> task<void> {
      for (int i = 0; i < 3; ++i) {
        const mutex_guard held = co_await state.lock.lock();
        ++state.items;
        state.changed.notify_one();
        co_await yield();
      }
    };
    const auto cancel = [&]() -> task<void> {
      for (int i = 0; i < 3; ++i) co_await yield();
      consumers[0].cancel();
    };
    auto producer = spawn(produce());
    auto cancelling = spawn(cancel());
    co_await producer.join();
    co_await cancelling.join();
    co_await settle();
    // Three items, and at least three takers. A taker that the cancellation missed may leave one waiting.
    EXPECT_EQ(state.items, 0);
    int finished = 0;
    for (join_handle<void>& consumer : consumers) {
      consumer.cancel();
      finished += co_await was_cancelled(consumer) ? 0 : 1;
    }
    EXPECT_EQ(finished, 3);
    EXPECT_FALSE(state.lock.locked());
  });
}

}  // namespace
}  // namespace lockstep
