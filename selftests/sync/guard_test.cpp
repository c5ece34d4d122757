// What all guards and their locks have in common, whatever is held and however.
#include "schedules.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

struct a_mutex {
  static constexpr const char* noun = "mutex";
  // What a report says that a task waits for when it locks it alone; and when it locks it so, and the lock is gone.
  static constexpr const char* waits_alone = "mutex";
  static constexpr const char* waited = "mutex";
  using lock_type = mutex;
  using guard_type = mutex_guard;
  static auto lock(mutex& wanted) { return wanted.lock(); }
  static bool held(const mutex& lock) { return lock.locked(); }
  static bool try_lock(mutex& lock) { return lock.try_lock(); }
  static void unlock(mutex& lock) { lock.unlock(); }
};
struct a_shared_mutex_alone {
  static constexpr const char* noun = "shared_mutex";
  static constexpr const char* waits_alone = "lock of shared_mutex";
  static constexpr const char* waited = "mutex";
  using lock_type = shared_mutex;
  using guard_type = exclusive_guard;
  static auto lock(shared_mutex& wanted) { return wanted.lock(); }
  static bool held(const shared_mutex& lock) { return lock.locked(); }
  static bool try_lock(shared_mutex& lock) { return lock.try_lock(); }
  static void unlock(shared_mutex& lock) { lock.unlock(); }
};
struct a_shared_mutex_beside_others {
  static constexpr const char* noun = "shared_mutex";
  static constexpr const char* waits_alone = "lock of shared_mutex";
  static constexpr const char* waited = "shared lock of shared_mutex";
  using lock_type = shared_mutex;
  using guard_type = shared_guard;
  static auto lock(shared_mutex& wanted) { return wanted.lock_shared(); }
  static bool held(const shared_mutex& lock) { return lock.readers() != 0; }
  static bool try_lock(shared_mutex& lock) { return lock.try_lock_shared(); }
  static void unlock(shared_mutex& lock) { lock.unlock_shared(); }
};

// Locks it alone for a second.
template <class Lock>
task<void> lock_and_rest(Lock& wanted) {
  const auto held = co_await wanted.lock();
  co_await sleep_for(1s);
}

template <class Of>
class GuardTest : public testing::Test {};
using all_kinds = testing::Types<a_mutex, a_shared_mutex_alone, a_shared_mutex_beside_others>;
TYPED_TEST_SUITE(GuardTest, all_kinds);

TYPED_TEST(GuardTest, UnlocksOnceHoweverItIsMoved) {
  const auto main = []() -> task<void> {
    typename TypeParam::lock_type lock("tx");
    EXPECT_TRUE(TypeParam::try_lock(lock));
    {
      typename TypeParam::guard_type first(lock);
      typename TypeParam::guard_type second(std::move(first));
      EXPECT_TRUE(TypeParam::held(lock));
      first = std::move(second);
      typename TypeParam::guard_type& itself = first;
      first = std::move(itself);
      EXPECT_TRUE(TypeParam::held(lock));
    }
    EXPECT_FALSE(TypeParam::held(lock));
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "");
}

TYPED_TEST(GuardTest, LetsGoOfWhatItHeldWhenItIsAssignedTo) {
  const auto main = []() -> task<void> {
    typename TypeParam::lock_type one("one");
    typename TypeParam::lock_type two("two");
    EXPECT_TRUE(TypeParam::try_lock(one));
    EXPECT_TRUE(TypeParam::try_lock(two));
    typename TypeParam::guard_type held(one);
    held = typename TypeParam::guard_type(two);
    EXPECT_FALSE(TypeParam::held(one));
    EXPECT_TRUE(TypeParam::held(two));
    held.unlock();
    held.unlock();
    EXPECT_FALSE(TypeParam::held(two));
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "");
}

TYPED_TEST(GuardTest, LeavesTheLockHeldIfItIsToldSo) {
  const auto main = []() -> task<void> {
    typename TypeParam::lock_type lock("tx");
    EXPECT_TRUE(TypeParam::try_lock(lock));
    {
      typename TypeParam::guard_type held(lock);
      held.keep_locked();
      held.keep_locked();
    }
    EXPECT_TRUE(TypeParam::held(lock));
    TypeParam::unlock(lock);
    EXPECT_FALSE(TypeParam::held(lock));
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "");
}

TYPED_TEST(GuardTest, IsEmptyWhenItsLockHasDied) {
  const auto main = []() -> task<void> {
    auto lock = std::make_unique<typename TypeParam::lock_type>(label("tx"));
    EXPECT_TRUE(TypeParam::try_lock(*lock));
    typename TypeParam::guard_type held(*lock);
    typename TypeParam::guard_type moved(std::move(held));
    lock.reset();
    co_return;
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::misuse)) << "the lock died while it was held";
}

TYPED_TEST(GuardTest, OfWhatWasUnlockedByHandIsMisuse) {
  const auto main = []() -> task<void> {
    typename TypeParam::lock_type lock("tx");
    auto held = std::make_optional(co_await TypeParam::lock(lock));
    auto next = spawn(lock_and_rest(lock), "next");
    co_await settle();
    TypeParam::unlock(lock);
    held.reset();
    EXPECT_EQ(lock.holder(), &next.get()) << "the guard must not unlock for another";
    co_await next.join();
    { const typename TypeParam::guard_type wrong(lock); }
  };
  const std::string misused =
      std::string("misuse: a guard of ") + TypeParam::noun + " \"tx\" unlocks what was unlocked before; it is held by ";
  EXPECT_EQ(judge(main).messages(), misused + "task \"next\"\n" + misused + "nobody\n");
}

TYPED_TEST(GuardTest, MayBeHandedToAnotherTask) {
  const auto main = []() -> task<void> {
    typename TypeParam::lock_type lock("tx");
    const auto acquire = [&]() -> task<typename TypeParam::guard_type> { co_return co_await TypeParam::lock(lock); };
    {
      const typename TypeParam::guard_type held = co_await spawn(acquire()).join();
      EXPECT_TRUE(TypeParam::held(lock)) << "though the task that locked it is gone";
    }
    EXPECT_FALSE(TypeParam::held(lock));
  };
  EXPECT_EQ(judge(main).messages(), "");
}

// A handle that is dropped destroys its task: a verdict, and what the task held or was handed is free for others.
TYPED_TEST(GuardTest, OfATaskThatIsDestroyedLeavesTheLockToTheNext) {
  for (const bool handed : {false, true}) {
    int rested = 0;
    const auto main = [&]() -> task<void> {
      typename TypeParam::lock_type lock("tx");
      auto held = std::make_optional(co_await lock.lock());
      const auto work = [&]() -> task<void> {
        const typename TypeParam::guard_type mine = co_await TypeParam::lock(lock);
        ++rested;
        co_await sleep_until(time_point::max());
      };
      if (!handed) held->unlock();
      std::optional<join_handle<void>> first(spawn(work()));
      auto second = spawn(lock_and_rest(lock));
      co_await settle();
      held->unlock();
      EXPECT_TRUE(TypeParam::held(lock));
      EXPECT_NE(lock.holder(), &second.get());
      first.reset();
      EXPECT_EQ(lock.holder(), &second.get());
      co_await second.join();
      EXPECT_FALSE(TypeParam::held(lock));
    };
    const judged_run run = judge(main);
    EXPECT_TRUE(run.ended);
    EXPECT_THAT(run.kinds(), ElementsAre(verdict_kind::dropped_handle));
    EXPECT_EQ(rested, handed ? 0 : 1);
  }
}

TYPED_TEST(GuardTest, OnAnotherThreadIsMisuseAndTheLockStaysHeld) {
  const auto main = []() -> task<void> {
    typename TypeParam::lock_type lock("tx");
    EXPECT_TRUE(TypeParam::try_lock(lock));
    {
      typename TypeParam::guard_type held(lock);
      std::thread([&] { held.unlock(); }).join();
    }
    co_await yield();
    EXPECT_TRUE(TypeParam::held(lock));
    TypeParam::unlock(lock);
  };
  EXPECT_THAT(judge(main).messages(), testing::HasSubstr("\"tx\" was unlocked by its guard on another thread"));
}

// -- their locks ------------------------------------------------------------------------------------------------------

template <class Of>
class LockTest : public testing::Test {};
TYPED_TEST_SUITE(LockTest, all_kinds);

TYPED_TEST(LockTest, OutsideOfEveryTaskIsMisuse) {
  typename TypeParam::lock_type lock("tx");
  EXPECT_THROW(TypeParam::try_lock(lock), misuse);
  sim::world world;
  world.start();
  EXPECT_THROW(TypeParam::try_lock(lock), misuse);
  EXPECT_FALSE(TypeParam::held(lock));
  world.finish();
  ASSERT_EQ(world.verdicts().size(), 1u);
  EXPECT_EQ(world.verdicts()[0].message,
            TypeParam::noun + std::string(" \"tx\" is locked outside of every task: nobody would hold it"));
}

TYPED_TEST(LockTest, ThatAFinishedTaskLeftBehindIsReportedAsSuch) {
  const auto main = []() -> task<void> {
    typename TypeParam::lock_type lock("tx");
    const auto forget = [&]() -> task<void> {
      auto held = co_await TypeParam::lock(lock);
      held.keep_locked();
    };
    co_await spawn(forget(), "forgetful").join();
    co_await lock_and_rest(lock);
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_EQ(run.verdicts[0].tasks[0].waits_for,
            TypeParam::waits_alone + std::string(" \"tx\", held by a task that has ended"));
}

TYPED_TEST(LockTest, DyingWithAWaiterIsMisuse) {
  const auto main = []() -> task<void> {
    auto lock = std::make_unique<typename TypeParam::lock_type>(label("tx"));
    auto held = co_await TypeParam::lock(*lock);
    auto waiter = spawn(lock_and_rest(*lock), "waiter");
    co_await settle();
    held.keep_locked();
    lock.reset();
    co_await waiter.join();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::misuse, verdict_kind::misuse, verdict_kind::deadlock));
  const std::string died = std::string("the ") + TypeParam::noun + " \"tx\" died while ";
  EXPECT_EQ(run.verdicts[0].message, died + "task \"waiter\" waits for it");
  EXPECT_EQ(run.verdicts[1].message, died + "it is held by task \"main\"");
}

TYPED_TEST(LockTest, DyingWhenAWaiterWasHandedItIsMisuse) {
  const auto main = []() -> task<void> {
    auto lock = std::make_unique<typename TypeParam::lock_type>(label("tx"));
    auto held = co_await lock->lock();
    const auto wait = [](typename TypeParam::lock_type& wanted) -> task<void> {
      const auto mine = co_await TypeParam::lock(wanted);
      ADD_FAILURE() << "it went on";
    };
    auto waiter = spawn(wait(*lock), "waiter");
    co_await settle();
    held.unlock();
    lock.reset();
    waiter.cancel();
    co_await waiter.join();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::misuse, verdict_kind::deadlock));
  EXPECT_EQ(run.verdicts[0].message,
            std::string("the ") + TypeParam::noun + " \"tx\" died while it is held by task \"waiter\"");
  EXPECT_EQ(run.verdicts[1].tasks.back().waits_for, TypeParam::waited + std::string(", which is gone"));
}

TYPED_TEST(LockTest, OutlivesARunInWhichItWasLocked) {
  typename TypeParam::lock_type lock("tx");
  const auto stuck = [&]() -> task<void> {
    const auto held = co_await TypeParam::lock(lock);
    co_await lock_and_rest(lock);
  };
  EXPECT_THAT(judge(stuck).kinds(), ElementsAre(verdict_kind::deadlock));
  const auto main = [&]() -> task<void> { co_await lock_and_rest(lock); };
  EXPECT_EQ(judge(main).messages(), "");
}

}  // namespace
}  // namespace lockstep
