// What is beyond the rules of asyncio, which are in conformance/asyncio_locks.cpp, and what all locks have in common,
// which is in guard_test.cpp.
#include "../runtime/tasks.hpp"
#include "schedules.hpp"

#include <lockstep/testing/testing.hpp>

#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// Locks, says so, and holds the lock for a second.
task<void> hold(mutex& lock, std::string& log, std::string name) {
  const mutex_guard held = co_await lock.lock();
  log += name;
  co_await sleep_for(1s);
}

CO_TEST(MutexTest, IsTakenAtOnceWhenItIsFree) {
  mutex lock;
  EXPECT_FALSE(lock.locked());
  {
    const mutex_guard held = co_await lock.lock();
    EXPECT_TRUE(lock.locked());
    EXPECT_EQ(lock.holder(), &current_task());
    EXPECT_FALSE(lock.try_lock());
  }
  EXPECT_FALSE(lock.locked());
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
  EXPECT_EQ(lock.holder(), nullptr);
  EXPECT_EQ(now(), time_point{});
}

CO_TEST(MutexTest, NobodyTakesItBetweenTheUnlockAndTheWaiter) {
  mutex lock;
  std::string log;
  mutex_guard held = co_await lock.lock();
  auto waiter = spawn(hold(lock, log, "waiter "));
  co_await settle();
  held.unlock();
  EXPECT_FALSE(lock.try_lock());
  EXPECT_NE(lock.holder(), &current_task());
  held = co_await lock.lock();
  log += "main";
  EXPECT_EQ(log, "waiter main");
  held.unlock();
  co_await waiter.join();
}

CO_TEST(MutexTest, IsFreeWhenAllThatItWasHandedToAreCancelled) {
  mutex lock;
  std::string log;
  mutex_guard held = co_await lock.lock();
  auto a = spawn(hold(lock, log, "a"));
  auto b = spawn(hold(lock, log, "b"));
  co_await settle();
  held.unlock();
  a.cancel();
  b.cancel();
  EXPECT_TRUE(co_await was_cancelled(a));
  EXPECT_TRUE(co_await was_cancelled(b));
  EXPECT_FALSE(lock.locked());
  EXPECT_EQ(log, "");
}

CO_TEST(MutexTest, ACancellationTakenBackInTimeLeavesTheLockWithItsWaiter) {
  mutex lock;
  std::string log;
  mutex_guard held = co_await lock.lock();
  auto a = spawn(hold(lock, log, "a"));
  co_await settle();
  held.unlock();
  a.cancel();
  a.get().uncancel();
  co_await a.join();
  EXPECT_EQ(log, "a");
}

CO_TEST(MutexTest, ATimeoutLeavesNoWaiterBehind) {
  mutex lock;
  std::string log;
  mutex_guard held = co_await lock.lock();
  auto impatient = spawn(with_timeout(1s, hold(lock, log, "impatient")));
  auto patient = spawn(hold(lock, log, "patient"));
  EXPECT_THROW(co_await impatient.join(), timed_out);
  held.unlock();
  co_await patient.join();
  EXPECT_EQ(log, "patient");
}

TEST(MutexTest, ADestroyedWaiterIsForgotten) {
  std::string log;
  const auto main = [&]() -> task<void> {
    mutex lock;
    mutex_guard held = co_await lock.lock();
    std::optional<join_handle<void>> first(spawn(hold(lock, log, "first ")));
    auto second = spawn(hold(lock, log, "second"));
    co_await settle();
    first.reset();
    held.unlock();
    co_await second.join();
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::dropped_handle));
  EXPECT_EQ(log, "second");
}

TEST(MutexTest, UnlockingWhatAnotherHoldsIsMisuse) {
  const auto main = []() -> task<void> {
    mutex lock("tx");
    EXPECT_THROW(lock.unlock(), misuse);
    std::string log;
    auto holder = spawn(hold(lock, log, "h"), "writer");
    co_await settle();
    EXPECT_THROW(lock.unlock(), misuse);
    EXPECT_EQ(lock.holder(), &holder.get());
    co_await holder.join();
  };
  EXPECT_EQ(judge(main).messages(),
            "misuse: unlock() of mutex \"tx\" by task \"main\"; it is held by nobody\n"
            "misuse: unlock() of mutex \"tx\" by task \"main\"; it is held by task \"writer\"\n");
}

// They take an operation that was made and dropped for a lock that was taken.
TEST(MutexTest, AGuardOfTheStandardLibraryIsMisuseThatSaysWhatToDo) {
  const auto main = []() -> task<void> {
    mutex lock("tx");
    std::unique_lock<mutex> wrong(lock);
    EXPECT_FALSE(lock.locked());
    EXPECT_THROW(wrong.unlock(), misuse);
    wrong.release();
    co_return;
  };
  EXPECT_EQ(
      judge(main).messages(),
      "misuse: unlock() of mutex \"tx\" by task \"main\"; it is held by nobody; std::lock_guard and the like await "
      "nothing, so they lock nothing: keep the guard that co_await lock() gives\n");
}

TEST(MutexTest, LockingItAgainIsADeadlockOfOne) {
  const auto main = []() -> task<void> {
    mutex lock("tx");
    const mutex_guard held = co_await lock.lock();
    const mutex_guard again = co_await lock.lock();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_THAT(run.verdicts[0].cycle, ElementsAre("main"));
  ASSERT_EQ(run.verdicts[0].tasks.size(), 1u);
  EXPECT_EQ(run.verdicts[0].tasks[0].waits_for, "mutex \"tx\"");
  EXPECT_EQ(run.verdicts[0].tasks[0].held_by, "main");
}

TEST(MutexTest, ACycleThatCancellationBreaksIsNoVerdict) {
  const auto main = []() -> task<void> {
    mutex tx;
    mutex rx;
    {
      auto reader = spawn(lock_both(rx, tx));
      auto writer = spawn(lock_both(tx, rx));
      // Wakes behind the two, in the same burst of steps in which they have come to wait for each other.
      co_await yield();
      co_await sleep_for(1ms);
      co_await yield();
      co_await yield();
      reader.cancel();
      EXPECT_TRUE(co_await was_cancelled(reader));
      co_await writer.join();
    }
    co_await sleep_for(1s);
  };
  const judged_run run = judge(main);
  EXPECT_EQ(run.messages(), "");
  EXPECT_TRUE(run.ended);
}

// A destructor that unlocks must not be told off while its frame is destroyed for another reason.
TEST(MutexTest, MayBeUnlockedByADestructorOfADestroyedTask) {
  struct unlocker {
    mutex& held;
    ~unlocker() { held.unlock(); }
  };
  const auto work = [](mutex& lock) -> task<void> {
    (co_await lock.lock()).keep_locked();
    const unlocker at_the_end{lock};
    co_await sleep_for(1h);
  };
  const auto main = [&]() -> task<void> {
    mutex lock;
    {
      auto dropped = spawn(work(lock));
      co_await settle();
    }
    EXPECT_FALSE(lock.locked());
    auto left = spawn(work(lock));
    co_await settle();
    throw std::runtime_error("x");
  };
  const judged_run run = judge(main);
  EXPECT_THAT(run.kinds(), ElementsAre(verdict_kind::dropped_handle));
  EXPECT_EQ(run.failure, "x");
}

// It may have given the lock up to wait for a condition.
TEST(MutexTest, IsNotUnlockedByADestructorOfADestroyedTaskThatDoesNotHoldIt) {
  struct unlocker {
    mutex& held;
    ~unlocker() { held.unlock(); }
  };
  const auto main = []() -> task<void> {
    mutex lock;
    const mutex_guard mine = co_await lock.lock();
    const auto work = [&]() -> task<void> {
      const unlocker at_the_end{lock};
      co_await sleep_for(1h);
    };
    {
      const auto dropped = spawn(work());
      co_await settle();
    }
    EXPECT_EQ(lock.holder(), &current_task());
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::dropped_handle));
}

TEST(MutexTest, HasOneHolderAndLosesNobodyInAnyOrder) {
  under_every_schedule([]() -> task<void> {
    mutex lock;
    int inside = 0;
    int entered = 0;
    const auto work = [&]() -> task<void> {
      for (int i = 0; i < 3; ++i) {
        const mutex_guard held = co_await lock.lock();
        EXPECT_EQ(++inside, 1);
        ++entered;
        try {
          co_await yield();
        } catch (const cancelled&) {
          --inside;
          throw;
        }
        --inside;
      }
    };
    std::vector<join_handle<void>> workers;
    for (int i = 0; i < 6; ++i) workers.push_back(spawn(work()));
    const auto cancel = [&](std::size_t victim) -> task<void> {
      co_await yield();
      workers[victim].cancel();
    };
    auto first = spawn(cancel(1));
    auto second = spawn(cancel(2));
    co_await first.join();
    co_await second.join();
    workers[4].cancel();
    int finished = 0;
    for (join_handle<void>& worker : workers) finished += co_await was_cancelled(worker) ? 0 : 1;
    EXPECT_GE(finished, 3);
    EXPECT_GE(entered, 9);
    EXPECT_EQ(inside, 0);
    EXPECT_FALSE(lock.locked());
  });
}

}  // namespace
}  // namespace lockstep
