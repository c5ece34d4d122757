// What is beyond the rules of asyncio, which are in conformance/asyncio_locks.cpp.
#include "schedules.hpp"

#include <lockstep/testing/testing.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// Takes a permit for a second.
task<void> use(semaphore& from, std::string& log, std::string name) {
  co_await from.acquire();
  const permit held(from);
  log += name;
  co_await sleep_for(1s);
}

CO_TEST(SemaphoreTest, LetsInAsManyAsItHasPermits) {
  semaphore slots(2);
  std::string log;
  auto a = spawn(use(slots, log, "a"));
  auto b = spawn(use(slots, log, "b"));
  auto c = spawn(use(slots, log, "c"));
  co_await settle();
  EXPECT_EQ(log, "ab");
  EXPECT_EQ(slots.available(), 0u);
  EXPECT_FALSE(slots.try_acquire());
  co_await a.join();
  co_await b.join();
  co_await c.join();
  EXPECT_EQ(log, "abc");
  EXPECT_EQ(now(), time_point{2s});
  EXPECT_EQ(slots.available(), 2u);
  EXPECT_TRUE(slots.try_acquire());
  EXPECT_EQ(slots.available(), 1u);
  slots.release();
  slots.release();
  EXPECT_EQ(slots.available(), 3u) << "more than it began with";
}

CO_TEST(SemaphoreTest, ANewcomerTakesAPermitIfEveryWaiterIsCancelled) {
  semaphore slots(0);
  std::string log;
  auto a = spawn(use(slots, log, "a"));
  co_await settle();
  a.cancel();
  slots.release();
  EXPECT_TRUE(slots.try_acquire());
  EXPECT_TRUE(co_await was_cancelled(a));
  EXPECT_EQ(slots.available(), 0u);
}

CO_TEST(SemaphoreTest, APermitHandedToACancelledWaiterGoesToTheNext) {
  semaphore slots(0);
  std::string log;
  auto a = spawn(use(slots, log, "a"));
  auto b = spawn(use(slots, log, "b"));
  co_await settle();
  slots.release();
  a.cancel();
  EXPECT_TRUE(co_await was_cancelled(a));
  co_await b.join();
  EXPECT_EQ(log, "b");
  EXPECT_EQ(slots.available(), 1u);
}

CO_TEST(SemaphoreTest, APermitHandedToACancelledWaiterIsFreeIfNobodyElseWaits) {
  semaphore slots(0);
  std::string log;
  auto a = spawn(use(slots, log, "a"));
  co_await settle();
  slots.release();
  a.cancel();
  EXPECT_TRUE(co_await was_cancelled(a));
  EXPECT_EQ(slots.available(), 1u);
}

CO_TEST(SemaphoreTest, ATimeoutLeavesNoWaiterBehind) {
  semaphore slots(0);
  std::string log;
  EXPECT_THROW(co_await with_timeout(1s, use(slots, log, "a")), timed_out);
  slots.release();
  EXPECT_EQ(slots.available(), 1u);
}

CO_TEST(SemaphoreTest, APermitMovesAndIsReleasedOnce) {
  semaphore slots(1);
  co_await slots.acquire();
  {
    permit first(slots);
    const permit second = std::move(first);
    EXPECT_EQ(slots.available(), 0u);
  }
  EXPECT_EQ(slots.available(), 1u);
}

CO_TEST(SemaphoreTest, APermitIsWhatItsAwaitReturns) {
  semaphore slots(2);
  {
    const permit first = co_await slots.acquire_permit();
    permit second = co_await slots.acquire_permit();
    EXPECT_EQ(slots.available(), 0u);
    second.release();
    second.release();
    EXPECT_EQ(slots.available(), 1u);
    second = co_await slots.acquire_permit();
    EXPECT_EQ(slots.available(), 0u);
  }
  EXPECT_EQ(slots.available(), 2u);
}

CO_TEST(SemaphoreTest, APermitLetsGoOfWhatItHeldWhenItIsAssignedTo) {
  semaphore one(1);
  semaphore two(1);
  permit held = co_await one.acquire_permit();
  permit other = co_await two.acquire_permit();
  held = std::move(other);
  EXPECT_EQ(one.available(), 1u);
  permit& itself = held;
  held = std::move(itself);
  EXPECT_EQ(two.available(), 0u);
}

CO_TEST(SemaphoreTest, APermitAwaitedByACancelledTaskGoesToTheNext) {
  semaphore slots(0);
  std::string log;
  const auto work = [&](std::string name) -> task<void> {
    const permit held = co_await slots.acquire_permit();
    log += name;
  };
  auto a = spawn(work("a"));
  auto b = spawn(work("b"));
  co_await settle();
  slots.release();
  a.cancel();
  EXPECT_TRUE(co_await was_cancelled(a));
  co_await b.join();
  EXPECT_EQ(log, "b");
  EXPECT_EQ(slots.available(), 1u);
}

CO_TEST(SemaphoreTest, MayDieOnceAPermitIsGrantedThoughItsTaskHasNotRunYet) {
  auto slots = std::make_unique<semaphore>(0u);
  const auto work = [](semaphore& of) -> task<void> { const permit held = co_await of.acquire_permit(); };
  auto worker = spawn(work(*slots));
  co_await settle();
  slots->release();
  slots.reset();
  co_await worker.join();
}

CO_TEST(SemaphoreTest, APermitMayOutliveIt) {
  auto slots = std::make_unique<semaphore>(2u);
  permit first = co_await slots->acquire_permit();
  permit second = co_await slots->acquire_permit();
  const permit moved(std::move(first));
  slots.reset();
  second.release();
}

// The youngest is torn down first: the owner of the semaphore before the task that holds a permit.
TEST(SemaphoreTest, MayBeTornDownBeforeItsPermit) {
  const auto main = []() -> task<void> {
    semaphore* shared = nullptr;
    event made;
    const auto own = [&]() -> task<void> {
      semaphore slots(1);
      shared = &slots;
      made.set();
      co_await sleep_for(1h);
    };
    const auto hold = [&]() -> task<void> {
      co_await made.wait();
      const permit slot = co_await shared->acquire_permit();
      co_await sleep_for(1h);
    };
    auto holder = spawn(hold());
    auto owner = spawn(own());
    co_await settle();
    current_loop()->stop();
    co_await yield();
  };
  EXPECT_FALSE(judge(main).ended);
}

TEST(SemaphoreTest, ATaskThatIsDestroyedLeavesItsPermitToTheNext) {
  for (const bool handed : {false, true}) {
    std::string log;
    const auto main = [&]() -> task<void> {
      semaphore slots(handed ? 0 : 1);
      std::optional<join_handle<void>> first(spawn(use(slots, log, "first ")));
      auto second = spawn(use(slots, log, "second"));
      co_await settle();
      if (handed) slots.release();
      first.reset();
      co_await second.join();
      EXPECT_EQ(slots.available(), 1u);
    };
    const judged_run run = judge(main);
    EXPECT_TRUE(run.ended);
    EXPECT_THAT(run.kinds(), ElementsAre(verdict_kind::dropped_handle));
    EXPECT_EQ(log, handed ? "second" : "first second");
  }
}

TEST(SemaphoreTest, DyingUnderAWaiterIsMisuse) {
  std::string log;
  expect_that_death_under_a_waiter_is_misuse([] { return std::make_unique<semaphore>(0u, label("slots")); },
                                             [&](semaphore& slots) { return use(slots, log, "a"); },
                                             "semaphore \"slots\"", "semaphore");
}

CO_TEST(SemaphoreTest, MayDieOnceAllHavePermitsThoughOneIsCancelled) {
  auto slots = std::make_unique<semaphore>(0u, label("slots"));
  const auto wait = [](semaphore& of) -> task<void> { co_await of.acquire(); };
  auto waiter = spawn(wait(*slots));
  auto other = spawn(wait(*slots));
  co_await settle();
  slots->release();
  slots->release();
  slots.reset();
  waiter.cancel();
  EXPECT_TRUE(co_await was_cancelled(waiter));
  co_await other.join();
}

TEST(SemaphoreTest, BeginningWithANegativeNumberIsMisuse) {
  const auto main = []() -> task<void> {
    EXPECT_THROW(semaphore(static_cast<std::uint64_t>(-1), "slots"), misuse);
    EXPECT_THROW(bounded_semaphore(static_cast<std::uint64_t>(-2)), misuse);
    semaphore as_many_as_can_be(static_cast<std::uint64_t>(-1) / 2);
    co_await as_many_as_can_be.acquire();
  };
  EXPECT_EQ(judge(main).messages(),
            "misuse: semaphore \"slots\" cannot begin with -1 permits\n"
            "misuse: semaphore #2 cannot begin with -2 permits\n");
  EXPECT_THROW(semaphore(static_cast<std::uint64_t>(-1)), misuse);
}

TEST(BoundedSemaphoreTest, KnowsItsBoundWhateverReleasesIt) {
  const auto main = []() -> task<void> {
    bounded_semaphore slots(2, "slots");
    semaphore& as_its_base = slots;
    EXPECT_THROW(as_its_base.release(), misuse);
    { const permit not_acquired(slots); }
    EXPECT_EQ(slots.available(), 2u);
    co_await slots.acquire();
    { const permit acquired(slots); }
    EXPECT_EQ(slots.available(), 2u);
  };
  EXPECT_EQ(judge(main).messages(),
            "misuse: release() of bounded_semaphore \"slots\", all of whose 2 permits are free\n"
            "misuse: a permit is released to bounded_semaphore \"slots\", all of whose 2 permits are free\n");
}

CO_TEST(BoundedSemaphoreTest, ReleasesToAWaiter) {
  bounded_semaphore slots(1);
  std::string log;
  co_await slots.acquire();
  auto a = spawn(use(slots, log, "a"));
  co_await settle();
  slots.release();
  EXPECT_FALSE(slots.try_acquire());
  co_await a.join();
  EXPECT_EQ(log, "a");
}

TEST(SemaphoreTest, ATaskThatIsCancelledWhileOthersGoFirstWaitsAsAnyOtherAfterwards) {
  const auto main = []() -> task<void> {
    semaphore free(1);
    semaphore slots(0);
    const auto work = [&]() -> task<void> {
      try {
        co_await free.acquire();
        co_return;
      } catch (const cancelled&) {
        current_task().uncancel();
      }
      co_await slots.acquire();
    };
    auto worker = spawn(work());
    co_await yield();
    worker.cancel();
    co_await settle();
    if (!worker.done()) slots.release();
    static_cast<void>(co_await was_cancelled(worker));
  };
  under_every_schedule(main);
}

TEST(SemaphoreTest, LosesNoPermitAndStrandsNobodyInAnyOrder) {
  under_every_schedule([]() -> task<void> {
    semaphore slots(2);
    int inside = 0;
    struct visit {
      int& inside;
      explicit visit(int& count) : inside(count) { EXPECT_LE(++inside, 2); }
      ~visit() { --inside; }
    };
    const auto work = [&]() -> task<void> {
      for (int i = 0; i < 3; ++i) {
        co_await slots.acquire();
        const permit held(slots);
        const visit here(inside);
        co_await yield();
      }
    };
    std::vector<join_handle<void>> workers;
    for (int i = 0; i < 6; ++i) workers.push_back(spawn(work()));
    const auto cancel = [&](std::size_t victim) -> task<void> {
      for (std::size_t i = 0; i < victim; ++i) co_await yield();
      workers[victim].cancel();
    };
    auto first = spawn(cancel(1));
    auto second = spawn(cancel(3));
    co_await first.join();
    workers[4].cancel();
    co_await second.join();
    int finished = 0;
    for (join_handle<void>& worker : workers) finished += co_await was_cancelled(worker) ? 0 : 1;
    EXPECT_GE(finished, 3);
    EXPECT_EQ(slots.available(), 2u);
  });
}

// A permit is released while several wait, and any of them may be cancelled around that.
TEST(SemaphoreTest, CancellingAroundAReleaseLetsTheRestInInAnyOrder) {
  under_every_schedule([]() -> task<void> {
    semaphore slots(0);
    std::string log;
    std::vector<join_handle<void>> waiters;
    for (int i = 0; i < 4; ++i) waiters.push_back(spawn(use(slots, log, "x")));
    const auto release = [&]() -> task<void> {
      co_await yield();
      slots.release();
    };
    const auto cancel = [&](std::size_t victim) -> task<void> {
      co_await yield();
      waiters[victim].cancel();
    };
    auto releasing = spawn(release());
    auto first = spawn(cancel(0));
    auto second = spawn(cancel(1));
    co_await releasing.join();
    co_await first.join();
    co_await second.join();
    std::size_t passed = 0;
    for (join_handle<void>& waiter : waiters) passed += co_await was_cancelled(waiter) ? 0u : 1u;
    EXPECT_GE(passed, 2u);
    EXPECT_EQ(slots.available(), 1u);
  });
}

// It was made outside of the runs: what one of them has not given back is no matter of the next.
TEST(SemaphoreTest, OneMadeOutsideBeginsEachRunAsItWasMade) {
  semaphore slots(1, "slots");
  const auto deadlocks = [&]() -> task<void> {
    co_await slots.acquire();
    const permit slot(slots);
    co_await slots.acquire();
  };
  const auto acquires = [&]() -> task<void> {
    co_await slots.acquire();
    const permit slot(slots);
  };
  EXPECT_THAT(judge(deadlocks).kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_EQ(judge(acquires).messages(), "");
}

TEST(SemaphoreTest, APermitOfAnEarlierRunIsOfNoUseInTheNext) {
  semaphore slots(1, "slots");
  std::optional<permit> kept;
  const auto keep = [&]() -> task<void> { kept.emplace(co_await slots.acquire_permit()); };
  const auto let_go = [&]() -> task<void> {
    const permit own = co_await slots.acquire_permit();
    kept.reset();
    EXPECT_EQ(slots.available(), 0u);
  };
  EXPECT_EQ(judge(keep).messages(), "");
  EXPECT_EQ(judge(let_go).messages(), "");
}

}  // namespace
}  // namespace lockstep
