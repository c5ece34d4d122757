// Tasks that are destroyed before they have ended: with their handle, by an assertion, at the end of a run.
#include "judged_run.hpp"
#include "tasks.hpp"

#include <lockstep/testing/testing.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

TEST(DestroyedTasksTest, TearingDownDestroysTheYoungestFirstAndThrowsNothing) {
  std::string log;
  const auto work = [&](std::string name) -> task<void> {
    struct tell {
      std::string& to;
      std::string name;
      ~tell() { to += name; }
    } const local{log, name};
    try {
      co_await wait_for_ever();
    } catch (...) {
      log += "thrown";
    }
  };
  const auto main = [&]() -> task<void> { co_await when_all(work("a"), work("b"), work("c")); };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_EQ(log, "cba");
}

// As when an assertion of the main task has failed, and the tear-down of its fixture leaves a task behind.
TEST(DestroyedTasksTest, ADaemonThatWasDestroyedIsNotAwaited) {
  std::optional<join_handle<void>> left;
  const auto main = [&]() -> task<void> {
    spawn_daemon(wait_for_ever());
    current_loop()->kill_descendants(current_task());
    left.emplace(spawn(pass(1h), label("left")));
    co_return;
  };
  const judged_run run = judge(main);
  left.reset();
  EXPECT_EQ(run.messages(), "leaked task: task \"left\" was still running at the end\n");
  EXPECT_EQ(run.summary.virtual_time, 0s);
}

TEST(DestroyedTasksTest, WhatADestroyedDescendantHeldGoesToTheNext) {
  const auto main = []() -> task<void> {
    mutex held("held");
    mutex handed("handed");
    semaphore slots(1);
    const auto hold = [](mutex& lock) -> task<void> {
      const mutex_guard guard = co_await lock.lock();
      co_await wait_for_ever();
    };
    const auto take = [&]() -> task<void> {
      co_await slots.acquire();
      const permit slot(slots);
      co_await wait_for_ever();
    };
    mutex_guard mine = co_await handed.lock();
    auto holder = spawn(hold(held));
    auto next = spawn(hold(handed));
    auto taker = spawn(take());
    co_await settle();
    mine.unlock();
    EXPECT_EQ(handed.holder(), &next.get());
    current_loop()->kill_descendants(current_task());
    EXPECT_TRUE(held.try_lock());
    EXPECT_TRUE(handed.try_lock());
    EXPECT_EQ(slots.available(), 1u);
    held.unlock();
    handed.unlock();
  };
  EXPECT_EQ(judge(main).messages(), "");
}

// Each object has a task that holds it, one that was handed what another has let go and has not run, and one that
// waits.
TEST(DestroyedTasksTest, WhatTornDownTasksHadOfAnObjectGoesBackToIt) {
  mutex held("held");
  mutex handed("handed");
  shared_mutex read("read");
  shared_mutex written("written");
  semaphore slots(2, "slots");
  semaphore none(0, "none");
  queue<int> items(queue<int>::unbounded, "items");
  const auto lock = [](mutex& of) -> task<void> {
    const mutex_guard entry = co_await of.lock();
    co_await wait_for_ever();
  };
  const auto share = [](shared_mutex& of) -> task<void> {
    const shared_guard entry = co_await of.lock_shared();
    co_await wait_for_ever();
  };
  const auto write = [](shared_mutex& of) -> task<void> {
    const exclusive_guard entry = co_await of.lock();
    co_await wait_for_ever();
  };
  const auto acquire = [](semaphore& of) -> task<void> {
    const permit slot = co_await of.acquire_permit();
    co_await wait_for_ever();
  };
  const auto get = [&]() -> task<void> {
    co_await items.get();
    co_await wait_for_ever();
  };
  const auto main = [&]() -> task<void> {
    std::vector<join_handle<void>> all;
    mutex_guard mine = co_await handed.lock();
    exclusive_guard my_own = co_await written.lock();
    for (int i = 0; i < 3; ++i) {
      all.push_back(spawn(lock(held)));
      all.push_back(spawn(lock(handed)));
      all.push_back(spawn(share(read)));
      all.push_back(spawn(i == 1 ? share(written) : write(written)));
      all.push_back(spawn(acquire(slots)));
      all.push_back(spawn(acquire(none)));
      all.push_back(spawn(get()));
    }
    co_await settle();
    mine.unlock();
    my_own.unlock();
    none.release();
    for (int i = 0; i < 2; ++i) co_await items.put(i);
    current_loop()->stop();
    co_await yield();
  };
  EXPECT_FALSE(judge(main).ended);
  EXPECT_FALSE(held.locked());
  EXPECT_FALSE(handed.locked());
  EXPECT_EQ(read.readers(), 0u);
  EXPECT_FALSE(written.locked());
  EXPECT_EQ(written.readers(), 0u);
  EXPECT_EQ(slots.available(), 2u);
  EXPECT_EQ(none.available(), 1u);
  EXPECT_EQ(items.size(), 2u);
}

// A destructor that unlocks by hand may come too late: the lock is another's, or nobody's.
TEST(DestroyedTasksTest, UnlockingByHandInATearDownUnlocksWhatTheTaskHolds) {
  mutex held("held");
  mutex given_up("given up");
  struct unlocks {
    mutex& of;
    ~unlocks() { of.unlock(); }
  };
  const auto main = [&]() -> task<void> {
    condition_variable never(given_up);
    EXPECT_TRUE(held.try_lock());
    const unlocks by_hand{held};
    EXPECT_TRUE(given_up.try_lock());
    const unlocks too_late{given_up};
    co_await never.wait();
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_FALSE(held.locked());
  EXPECT_FALSE(given_up.locked());
}

// It is destroyed with what it holds: one verdict, however many handles lie in its frame.
TEST(DestroyedTasksTest, WhatATaskOwnsIsDestroyedWithItSilently) {
  const auto own_two = []() -> task<void> {
    const auto first = spawn(wait_for_ever());
    const auto second = spawn(wait_for_ever());
    co_await wait_for_ever();
  };
  const auto main = [&]() -> task<void> {
    {
      const auto dropped = spawn(own_two(), "owner");
      co_await settle();
    }
    EXPECT_EQ(current_loop()->alive().size(), 1u);
  };
  EXPECT_EQ(judge(main).messages(),
            "dropped handle: the handle of task \"owner\" died before the task ended; join it, or spawn it as a "
            "daemon\n");
}

TEST(DestroyedTasksTest, WhoJoinsThroughAHandleThatDiesWaitsForEver) {
  const auto main = []() -> task<void> {
    std::optional<join_handle<void>> handle(spawn(wait_for_ever(), "worker"));
    const auto join = [&]() -> task<void> {
      co_await handle->join();
      ADD_FAILURE() << "it was woken for another task";
    };
    auto joiner = spawn(join(), "joiner");
    co_await settle();
    handle.reset();
    co_await spawn(pass(1s)).join();  // which may lie where the other lay
    co_await joiner.join();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::dropped_handle, verdict_kind::deadlock));
  EXPECT_EQ(run.verdicts[1].tasks.back().waits_for, "join, which is gone");
}

// Spawns another daemon when it dies, `left` times.
struct undying {
  int left;
  int& destroyed;
  undying(int times, int& count) noexcept : left(times), destroyed(count) {}
  undying(undying&& other) noexcept : left(std::exchange(other.left, -1)), destroyed(other.destroyed) {}
  ~undying();
};

task<void> serve(undying) { co_await wait_for_ever(); }

undying::~undying() {
  if (left >= 0) ++destroyed;
  if (left > 0) spawn_daemon(serve(undying(left - 1, destroyed)));
}

TEST(DestroyedTasksTest, WhatDestructorsSpawnAtTheEndIsDestroyedAsWell) {
  int destroyed = 0;
  const auto main = [&]() -> task<void> {
    spawn_daemon(serve(undying(5, destroyed)));
    co_await wait_for_ever();
  };
  sim::world world;
  world.start();
  EXPECT_FALSE(world.drive(main()));
  world.tear_down();
  EXPECT_EQ(destroyed, 6);
}

}  // namespace
}  // namespace lockstep
