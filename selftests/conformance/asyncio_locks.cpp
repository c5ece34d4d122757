// What asyncio promises of Lock, Event, Condition, Semaphore, BoundedSemaphore and Barrier; and where lockstep differs.
// What must hold in every order is tested so: nothing is lost. What is exact to the tick, or to the order of arrival,
// is tested under `fifo`.
#include "../sync/cancellations.hpp"

#include <lockstep/testing/testing.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// -- Lock -------------------------------------------------------------------------------------------------------------

task<void> lock_and_say(mutex& lock, std::string& log, std::string name) {
  const mutex_guard held = co_await lock.lock();
  log += name;
}

CO_TEST(AsyncioLock, WakesWaitersInFifoOrder, .order = ordering::fifo) {
  mutex lock;
  std::string log;
  mutex_guard held = co_await lock.lock();
  auto a = spawn(lock_and_say(lock, log, "a"));
  auto b = spawn(lock_and_say(lock, log, "b"));
  auto c = spawn(lock_and_say(lock, log, "c"));
  co_await settle();
  held.unlock();
  for (auto* each : {&a, &b, &c}) co_await each->join();
  EXPECT_EQ(log, "abc");
}

CO_TEST(AsyncioLock, FirstWaiterCancelledOnTheTickOfTheReleaseLetsTheSecondAcquire) {
  for (const bool release_first : {false, true}) {
    mutex lock;
    std::string log;
    mutex_guard held = co_await lock.lock();
    auto a = spawn(lock_and_say(lock, log, "a"));
    auto b = spawn(lock_and_say(lock, log, "b"));
    co_await settle();
    if (release_first) held.unlock();
    a.cancel();
    held.unlock();
    EXPECT_TRUE(co_await was_cancelled(a));
    co_await b.join();
    EXPECT_EQ(log, "b");
    EXPECT_FALSE(lock.locked());
  }
}

CO_TEST(AsyncioLock, TheSameRaceWithThreeWaitersAdmitsExactlyOne, .order = ordering::fifo) {
  for (const bool release_first : {false, true}) {
    mutex lock;
    std::string log;
    const auto hold = [&](std::string name) -> task<void> {
      const mutex_guard held = co_await lock.lock();
      log += name;
      co_await sleep_for(1s);
    };
    mutex_guard held = co_await lock.lock();
    auto a = spawn(hold("a"));
    auto b = spawn(hold("b"));
    auto c = spawn(hold("c"));
    co_await settle();
    if (release_first) held.unlock();
    a.cancel();
    held.unlock();
    co_await settle();
    EXPECT_EQ(log, "b");
    EXPECT_TRUE(co_await was_cancelled(a));
    co_await b.join();
    co_await c.join();
    EXPECT_EQ(log, "bc");
  }
}

CO_TEST(AsyncioLock, AWaiterCancelledAfterItWasSelectedPassesTheBatonAndTheLockEndsHeld) {
  mutex lock;
  const auto keep = [&]() -> task<void> {
    const mutex_guard held = co_await lock.lock();
    co_await sleep_for(1s);
  };
  mutex_guard held = co_await lock.lock();
  auto a = spawn(keep());
  auto b = spawn(keep());
  co_await settle();
  held.unlock();
  a.cancel();
  EXPECT_TRUE(co_await was_cancelled(a));
  co_await settle();
  EXPECT_EQ(lock.holder(), &b.get());
  co_await b.join();
}

CO_TEST(AsyncioLock, ANewcomerMayTakeAFreeLockOnlyIfEveryWaiterIsCancelled) {
  mutex lock;
  std::string log;
  mutex_guard held = co_await lock.lock();
  auto a = spawn(lock_and_say(lock, log, "a"));
  auto b = spawn(lock_and_say(lock, log, "b"));
  co_await settle();
  a.cancel();
  EXPECT_FALSE(lock.try_lock());
  {
    mutex other;
    mutex_guard other_held = co_await other.lock();
    auto waiter = spawn(lock_and_say(other, log, "waiter"));
    co_await settle();
    other_held.unlock();
    EXPECT_FALSE(other.try_lock()) << "somebody waits";
    co_await waiter.join();
  }
  b.cancel();
  held.unlock();
  EXPECT_TRUE(lock.try_lock());
  EXPECT_TRUE(co_await was_cancelled(a));
  EXPECT_TRUE(co_await was_cancelled(b));
  lock.unlock();
}

TEST(AsyncioLock, IsNeitherLostNorGivenTwiceInAnyOrder) {
  under_every_cancellation([](hunt& hunted) -> task<void> {
    mutex lock;
    bool taken = false;
    const auto work = [&]() -> task<void> {
      const mutex_guard held = co_await lock.lock();
      EXPECT_FALSE(std::exchange(taken, true));
      const shield_scope whole;
      co_await yield();
      taken = false;
    };
    auto a = spawn(work());
    auto victim = spawn(work());
    auto c = spawn(work());
    hunted.begin(victim);
    co_await hunted.end();
    static_cast<void>(co_await was_cancelled(victim));
    co_await a.join();
    co_await c.join();
    EXPECT_FALSE(lock.locked());
  });
}

// Differs: asyncio lets any task release a lock; here a lock belongs to its holder, or to a guard that was handed on.
TEST(AsyncioLock, ReleasingALockThatAnotherTaskHoldsIsMisuse) {
  const auto main = []() -> task<void> {
    mutex lock("tx");
    EXPECT_THROW(lock.unlock(), misuse);  // as there: a RuntimeError
    mutex_guard held = co_await lock.lock();
    const auto release = [&]() -> task<void> {
      EXPECT_THROW(lock.unlock(), misuse);
      co_return;
    };
    co_await spawn(release()).join();
    EXPECT_TRUE(lock.locked());
    const auto release_guard = [](mutex_guard handed) -> task<void> {
      handed.unlock();
      co_return;
    };
    co_await spawn(release_guard(std::move(held))).join();
    EXPECT_FALSE(lock.locked());
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::misuse, verdict_kind::misuse));
}

// -- Event ------------------------------------------------------------------------------------------------------------

CO_TEST(AsyncioEvent, ReleasesPresentWaitersEvenIfItIsClearedAtOnce, .order = ordering::fifo) {
  event go;
  std::string log;
  const auto wait = [&](std::string name) -> task<void> {
    co_await go.wait();
    log += name;
  };
  auto a = spawn(wait("a"));
  auto b = spawn(wait("b"));
  co_await settle();
  go.set();
  go.clear();
  auto late = spawn(wait("late"));
  co_await settle();
  EXPECT_EQ(log, "ab");
  EXPECT_FALSE(go.is_set());
  go.set();
  for (auto* each : {&a, &b, &late}) co_await each->join();
}

CO_TEST(AsyncioEvent, SetClearedAndSetAgainBeforeTheWaiterRunsWakesItOnce) {
  event go;
  int woken = 0;
  const auto wait = [&]() -> task<void> {
    co_await go.wait();
    ++woken;
  };
  auto waiter = spawn(wait());
  co_await settle();
  go.set();
  go.clear();
  go.set();
  co_await waiter.join();
  EXPECT_EQ(woken, 1);
  EXPECT_TRUE(go.is_set());
}

// -- Condition --------------------------------------------------------------------------------------------------------

struct guarded {
  mutex lock{"lock"};
  condition_variable changed{lock, "changed"};
  int items = 0;
};

CO_TEST(AsyncioCondition, ACancelledWaitExitsWithTheLockHeld) {
  guarded state;
  bool held_it = false;
  const auto wait = [&]() -> task<void> {
    const mutex_guard held = co_await state.lock.lock();
    try {
      co_await state.changed.wait();
    } catch (const cancelled&) {
      held_it = state.lock.holder() == &current_task();
      throw;
    }
  };
  auto waiter = spawn(wait());
  co_await settle();
  waiter.cancel();
  EXPECT_TRUE(co_await was_cancelled(waiter));
  EXPECT_TRUE(held_it);
  EXPECT_FALSE(state.lock.locked());
}

CO_TEST(AsyncioCondition, ReacquiresDespiteRepeatedCancelsAndRaisesTheLatest) {
  guarded state;
  std::string reason;
  const auto wait = [&]() -> task<void> {
    const mutex_guard held = co_await state.lock.lock();
    try {
      co_await state.changed.wait();
    } catch (const cancelled& latest) {
      reason = latest.reason();
      EXPECT_EQ(state.lock.holder(), &current_task());
      throw;
    }
  };
  auto waiter = spawn(wait());
  co_await settle();
  mutex_guard held = co_await state.lock.lock();
  waiter.cancel("first");
  co_await settle();
  waiter.cancel("second");
  co_await settle();
  waiter.cancel("third");
  held.unlock();
  EXPECT_TRUE(co_await was_cancelled(waiter));
  EXPECT_EQ(reason, "third");
}

CO_TEST(AsyncioCondition, NotifyAndCancelTogetherLetAnotherConsumerTakeTheItem) {
  for (const bool cancel_first : {false, true}) {
    guarded state;
    std::string log;
    const auto take = [&](std::string name) -> task<void> {
      const mutex_guard held = co_await state.lock.lock();
      co_await state.changed.wait([&] { return state.items > 0; });
      --state.items;
      log += name;
    };
    auto a = spawn(take("a"));
    auto b = spawn(take("b"));
    co_await settle();
    {
      const mutex_guard held = co_await state.lock.lock();
      ++state.items;
      if (cancel_first) a.cancel();
      state.changed.notify_one();
      a.cancel();
    }
    EXPECT_TRUE(co_await was_cancelled(a));
    co_await b.join();
    EXPECT_EQ(log, "b");
  }
}

// In asyncio a spurious wakeup may come of that; here a notification goes on only if one was received.
CO_TEST(AsyncioCondition, AWaitThatIsCancelledWithoutANotificationWakesNobody) {
  guarded state;
  int woken = 0;
  const auto wait = [&]() -> task<void> {
    const mutex_guard held = co_await state.lock.lock();
    co_await state.changed.wait();
    ++woken;
  };
  auto a = spawn(wait());
  auto b = spawn(wait());
  co_await settle();
  a.cancel();
  EXPECT_TRUE(co_await was_cancelled(a));
  co_await settle();
  EXPECT_EQ(woken, 0);
  b.cancel();
  EXPECT_TRUE(co_await was_cancelled(b));
}

// The timed form is with_timeout(), which ends with the lock held.
CO_TEST(AsyncioCondition, AWaitThatTimesOutExitsWithTheLockHeld) {
  guarded state;
  mutex_guard held = co_await state.lock.lock();
  EXPECT_THROW(co_await with_timeout(1s, state.changed.wait()), timed_out);
  EXPECT_EQ(state.lock.holder(), &current_task());
  const auto hold = [&]() -> task<void> {
    const mutex_guard other = co_await state.lock.lock();
    co_await sleep_for(5s);
  };
  auto holder = spawn(hold());
  EXPECT_THROW(co_await with_timeout(1s, state.changed.wait([&] { return state.items > 0; })), timed_out);
  EXPECT_EQ(now(), time_point{6s}) << "it has to wait for the lock";
  EXPECT_EQ(state.lock.holder(), &current_task());
  co_await holder.join();
}

TEST(AsyncioCondition, WaitAndNotifyWithoutTheLockAreErrors) {
  const auto main = []() -> task<void> {
    guarded state;
    EXPECT_THROW(co_await state.changed.wait(), misuse);
    EXPECT_THROW(state.changed.notify_one(), misuse);
    EXPECT_THROW(state.changed.notify_all(), misuse);
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::misuse, verdict_kind::misuse, verdict_kind::misuse));
}

// -- Semaphore --------------------------------------------------------------------------------------------------------

task<void> acquire_and_say(semaphore& from, std::string& log, std::string name) {
  co_await from.acquire();
  log += name;
}

CO_TEST(AsyncioSemaphore, OfFourWaitersTwoCancelledAndOneReleaseLetsTheThirdInAndTheFourthWaits,
        .order = ordering::fifo) {
  semaphore slots(0);
  std::string log;
  auto a = spawn(acquire_and_say(slots, log, "a"));
  auto b = spawn(acquire_and_say(slots, log, "b"));
  auto c = spawn(acquire_and_say(slots, log, "c"));
  auto d = spawn(acquire_and_say(slots, log, "d"));
  co_await settle();
  a.cancel();
  b.cancel();
  slots.release();
  EXPECT_FALSE(slots.try_acquire());
  co_await settle();
  EXPECT_EQ(log, "c");
  EXPECT_FALSE(d.done());
  slots.release();
  for (auto* each : {&a, &b}) EXPECT_TRUE(co_await was_cancelled(*each));
  for (auto* each : {&c, &d}) co_await each->join();
}

CO_TEST(AsyncioSemaphore, ThreeReleasesWakeThreeQueuedTasksBeforeALaterOne, .order = ordering::fifo) {
  semaphore slots(0);
  std::string log;
  auto a = spawn(acquire_and_say(slots, log, "a"));
  auto b = spawn(acquire_and_say(slots, log, "b"));
  auto c = spawn(acquire_and_say(slots, log, "c"));
  co_await settle();
  for (int i = 0; i < 3; ++i) slots.release();
  auto d = spawn(acquire_and_say(slots, log, "d"));
  co_await settle();
  EXPECT_EQ(log, "abc");
  slots.release();
  for (auto* each : {&a, &b, &c, &d}) co_await each->join();
}

// asyncio says locked(); here it is available() == 0.
CO_TEST(AsyncioSemaphore, HandsItsValueOverAtTheWakeSoThatNobodyBargesIn) {
  semaphore slots(0);
  std::string log;
  auto a = spawn(acquire_and_say(slots, log, "a"));
  co_await settle();
  slots.release();
  EXPECT_EQ(slots.available(), 0u);
  EXPECT_FALSE(slots.try_acquire());
  auto late = spawn(acquire_and_say(slots, log, "late"));
  co_await settle();
  EXPECT_EQ(log, "a");
  slots.release();
  co_await a.join();
  co_await late.join();
}

TEST(AsyncioSemaphore, ACancelAndAReleaseNeverStrandTheNextWaiter) {
  under_every_cancellation([](hunt& hunted) -> task<void> {
    semaphore slots(0);
    const auto work = [&]() -> task<void> { const permit held = co_await slots.acquire_permit(); };
    auto victim = spawn(work());
    auto next = spawn(work());
    const auto release = [&]() -> task<void> {
      co_await yield();
      slots.release();
    };
    auto releasing = spawn(release());
    hunted.begin(victim);
    co_await next.join();
    co_await releasing.join();
    co_await hunted.end();
    static_cast<void>(co_await was_cancelled(victim));
    EXPECT_EQ(slots.available(), 1u);
  });
}

TEST(AsyncioBoundedSemaphore, ReleasingMoreThanWasAcquiredIsAnError) {
  const auto main = []() -> task<void> {
    bounded_semaphore slots(1);
    co_await slots.acquire();
    slots.release();
    EXPECT_THROW(slots.release(), misuse);
    EXPECT_EQ(slots.available(), 1u);
    semaphore unbounded(1);
    unbounded.release();
    EXPECT_EQ(unbounded.available(), 2u);
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::misuse));
}

// -- Barrier ----------------------------------------------------------------------------------------------------------

task<void> meet(barrier& at, std::vector<std::size_t>& places) {
  const std::size_t place = co_await at.wait();
  places.push_back(place);
}

TEST(AsyncioBarrier, ReturnsEachIndexOnceInAnyOrder) {
  under_every_schedule([]() -> task<void> {
    barrier all(4);
    std::vector<std::size_t> places;
    std::vector<join_handle<void>> parties;
    for (int i = 0; i < 8; ++i) parties.push_back(spawn(meet(all, places)));
    for (join_handle<void>& party : parties) co_await party.join();
    std::sort(places.begin(), places.end());
    EXPECT_THAT(places, ElementsAre(0, 0, 1, 1, 2, 2, 3, 3));
  });
}

CO_TEST(AsyncioBarrier, ACancelledPartyCanBeReplaced) {
  barrier all(3);
  std::vector<std::size_t> places;
  auto a = spawn(meet(all, places));
  auto b = spawn(meet(all, places));
  co_await settle();
  EXPECT_EQ(all.waiting_now(), 2u);
  a.cancel();
  EXPECT_TRUE(co_await was_cancelled(a));
  EXPECT_EQ(all.waiting_now(), 1u);
  auto c = spawn(meet(all, places));
  co_await settle();
  EXPECT_THAT(places, testing::IsEmpty());
  co_await meet(all, places);
  co_await b.join();
  co_await c.join();
  std::sort(places.begin(), places.end());
  EXPECT_THAT(places, ElementsAre(0, 1, 2)) << "in asyncio, one may come twice then";
}

CO_TEST(AsyncioBarrier, APartyCancelledWhileItDrainsHoldsNobodyUp, .order = ordering::fifo) {
  barrier both(2);
  std::vector<std::size_t> places;
  auto a = spawn(meet(both, places));
  co_await settle();
  auto b = spawn(meet(both, places));
  co_await yield();
  EXPECT_TRUE(b.done());
  a.cancel();
  EXPECT_EQ(both.waiting_now(), 0u);
  static_cast<void>(co_await was_cancelled(a));
  co_await b.join();
}

CO_TEST(AsyncioBarrier, ResetBreaksItsWaitersAndItStaysUsable) {
  barrier both(2);
  std::vector<std::size_t> places;
  auto a = spawn(meet(both, places));
  co_await settle();
  both.reset();
  EXPECT_FALSE(both.broken());
  EXPECT_THROW(co_await a.join(), broken_barrier);
  auto b = spawn(meet(both, places));
  co_await meet(both, places);
  co_await b.join();
  EXPECT_THAT(places, testing::UnorderedElementsAre(0, 1));
}

CO_TEST(AsyncioBarrier, AbortPersistsUntilReset) {
  barrier both(2);
  std::vector<std::size_t> places;
  auto a = spawn(meet(both, places));
  co_await settle();
  both.abort();
  EXPECT_TRUE(both.broken());
  EXPECT_THROW(co_await a.join(), broken_barrier);
  EXPECT_THROW(co_await both.wait(), broken_barrier);
  EXPECT_THROW(co_await both.wait(), broken_barrier);
  both.reset();
  EXPECT_FALSE(both.broken());
  auto b = spawn(meet(both, places));
  co_await meet(both, places);
  co_await b.join();
}

// Differs: in asyncio whoever comes while the barrier drains waits until it has. Here the round is over at once.
CO_TEST(AsyncioBarrier, WhoeverComesWhileItDrainsIsTheFirstOfTheNextRound, .order = ordering::fifo) {
  barrier both(2);
  std::vector<std::size_t> places;
  auto a = spawn(meet(both, places));
  co_await settle();
  co_await meet(both, places);  // a has yet to run
  EXPECT_THAT(places, ElementsAre(1));
  EXPECT_EQ(both.waiting_now(), 0u);
  auto c = spawn(meet(both, places));
  co_await yield();
  EXPECT_EQ(both.waiting_now(), 1u);
  EXPECT_FALSE(c.done());
  co_await meet(both, places);
  co_await a.join();
  co_await c.join();
  std::sort(places.begin(), places.end());
  EXPECT_THAT(places, ElementsAre(0, 0, 1, 1));
}

// Differs: in asyncio, an abort before they have run breaks those too. Here who was let go has it.
CO_TEST(AsyncioBarrier, AbortAndResetDoNotTouchThoseWhoHaveMet) {
  for (const bool aborted : {false, true}) {
    barrier both(2);
    std::vector<std::size_t> places;
    auto a = spawn(meet(both, places));
    co_await settle();
    co_await meet(both, places);
    if (aborted) {
      both.abort();
    } else {
      both.reset();
    }
    co_await a.join();
    EXPECT_THAT(places, testing::UnorderedElementsAre(0, 1));
    EXPECT_EQ(both.broken(), aborted);
  }
}

TEST(AsyncioBarrier, WithoutPartiesIsAnError) {
  const auto main = []() -> task<void> {
    EXPECT_THROW(barrier(0), misuse);
    co_return;
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::misuse));
}

}  // namespace
}  // namespace lockstep
