// What all guards have in common, whatever they hold and however.
#include "schedules.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace lockstep {
namespace {

using testing::ElementsAre;

struct a_mutex {
  using lock_type = mutex;
  using guard_type = mutex_guard;
  static bool held(const mutex& lock) { return lock.locked(); }
  static bool try_lock(mutex& lock) { return lock.try_lock(); }
  static void unlock(mutex& lock) { lock.unlock(); }
};
struct a_shared_mutex_alone {
  using lock_type = shared_mutex;
  using guard_type = exclusive_guard;
  static bool held(const shared_mutex& lock) { return lock.locked(); }
  static bool try_lock(shared_mutex& lock) { return lock.try_lock(); }
  static void unlock(shared_mutex& lock) { lock.unlock(); }
};
struct a_shared_mutex_beside_others {
  using lock_type = shared_mutex;
  using guard_type = shared_guard;
  static bool held(const shared_mutex& lock) { return lock.readers() != 0; }
  static bool try_lock(shared_mutex& lock) { return lock.try_lock_shared(); }
  static void unlock(shared_mutex& lock) { lock.unlock_shared(); }
};

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
    EXPECT_TRUE(TypeParam::try_lock(lock));
    const typename TypeParam::guard_type held(lock);
    TypeParam::unlock(lock);
    co_return;
  };
  EXPECT_THAT(judge(main).messages(), testing::HasSubstr("\"tx\" unlocks what was unlocked before"));
}

TYPED_TEST(GuardTest, OfATaskThatIsDestroyedLetsGo) {
  const auto main = []() -> task<void> {
    typename TypeParam::lock_type lock("tx");
    const auto work = [&]() -> task<void> {
      EXPECT_TRUE(TypeParam::try_lock(lock));
      const typename TypeParam::guard_type held(lock);
      co_await sleep_until(time_point::max());
    };
    {
      auto dropped = spawn(work());
      co_await settle();
      EXPECT_TRUE(TypeParam::held(lock));
    }
    EXPECT_FALSE(TypeParam::held(lock));
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::dropped_handle));
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

}  // namespace
}  // namespace lockstep
