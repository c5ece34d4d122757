// Beyond what all locks have in common, which is in guard_test.cpp.
#include "cancellations.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

// Hold the lock for a second, and say so.
task<void> write(shared_mutex& lock, std::string& log, std::string name) {
  const exclusive_guard held = co_await lock.lock();
  log += name;
  co_await sleep_for(1s);
}
task<void> read(shared_mutex& lock, std::string& log, std::string name) {
  const shared_guard held = co_await lock.lock_shared();
  log += name;
  co_await sleep_for(1s);
}

CO_TEST(SharedMutexTest, IsTakenAtOnceWhenItIsFree) {
  shared_mutex lock;
  {
    const exclusive_guard held = co_await lock.lock();
    EXPECT_TRUE(lock.locked());
    EXPECT_EQ(lock.holder(), &current_task());
    EXPECT_FALSE(lock.try_lock());
    EXPECT_FALSE(lock.try_lock_shared());
  }
  {
    const shared_guard held = co_await lock.lock_shared();
    EXPECT_FALSE(lock.locked());
    EXPECT_EQ(lock.readers(), 1u);
    EXPECT_FALSE(lock.try_lock());
    EXPECT_TRUE(lock.try_lock_shared());
    EXPECT_EQ(lock.readers(), 2u);
    lock.unlock_shared();
  }
  EXPECT_EQ(lock.readers(), 0u);
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
  EXPECT_EQ(now(), time_point{});
}

CO_TEST(SharedMutexTest, LetsReadersInTogetherAndWritersAlone) {
  shared_mutex lock;
  std::string log;
  auto a = spawn(read(lock, log, "a"));
  auto b = spawn(read(lock, log, "b"));
  auto x = spawn(write(lock, log, "x"));
  auto y = spawn(write(lock, log, "y"));
  co_await settle();
  EXPECT_EQ(log, "ab");
  co_await a.join();
  co_await b.join();
  co_await settle();
  EXPECT_EQ(log, "abx");
  co_await x.join();
  co_await y.join();
  EXPECT_EQ(log, "abxy");
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(SharedMutexTest, AReaderBehindAWaitingWriterWaits) {
  shared_mutex lock;
  std::string log;
  auto a = spawn(read(lock, log, "a"));
  auto x = spawn(write(lock, log, "x"));
  co_await settle();
  EXPECT_FALSE(lock.try_lock_shared()) << "or readers could starve the writer";
  auto b = spawn(read(lock, log, "b"));
  co_await settle();
  EXPECT_EQ(log, "a");
  co_await a.join();
  co_await x.join();
  co_await b.join();
  EXPECT_EQ(log, "axb");
}

CO_TEST(SharedMutexTest, ReadersInARowAreLetInTogetherUpToTheNextWriter) {
  shared_mutex lock;
  std::string log;
  exclusive_guard held = co_await lock.lock();
  auto a = spawn(read(lock, log, "a"));
  auto b = spawn(read(lock, log, "b"));
  auto x = spawn(write(lock, log, "x"));
  auto c = spawn(read(lock, log, "c"));
  auto d = spawn(read(lock, log, "d"));
  co_await settle();
  held.unlock();
  EXPECT_EQ(lock.readers(), 2u);
  EXPECT_FALSE(lock.try_lock_shared());
  co_await settle();
  EXPECT_EQ(log, "ab");
  co_await x.join();
  EXPECT_EQ(lock.readers(), 2u);
  co_await d.join();
  EXPECT_EQ(log, "abxcd");
  for (auto* each : {&a, &b, &c}) co_await each->join();
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(SharedMutexTest, AWriterThatIsCancelledLetsTheReadersBehindItIn) {
  shared_mutex lock;
  std::string log;
  auto a = spawn(read(lock, log, "a"));
  auto x = spawn(write(lock, log, "x"));
  auto b = spawn(read(lock, log, "b"));
  auto c = spawn(read(lock, log, "c"));
  co_await settle();
  x.cancel();
  EXPECT_TRUE(co_await was_cancelled(x));
  EXPECT_EQ(lock.readers(), 3u);
  co_await settle();
  EXPECT_EQ(log, "abc");
  for (auto* each : {&a, &b, &c}) co_await each->join();
  EXPECT_EQ(now(), time_point{1s});
}

CO_TEST(SharedMutexTest, WhatACancelledWaiterWasHandedGoesToThoseBehindIt) {
  shared_mutex lock;
  std::string log;
  exclusive_guard held = co_await lock.lock();
  auto x = spawn(write(lock, log, "x"));
  auto a = spawn(read(lock, log, "a"));
  auto y = spawn(write(lock, log, "y"));
  co_await settle();
  held.unlock();
  EXPECT_EQ(lock.holder(), &x.get());
  x.cancel();
  EXPECT_TRUE(co_await was_cancelled(x));
  EXPECT_EQ(lock.readers(), 1u);
  co_await settle();
  a.cancel();
  EXPECT_TRUE(co_await was_cancelled(a));
  EXPECT_EQ(lock.holder(), &y.get());
  co_await y.join();
  EXPECT_EQ(log, "ay");
  EXPECT_FALSE(lock.locked());
}

CO_TEST(SharedMutexTest, ATimeoutLeavesNoWaiterBehind) {
  shared_mutex lock;
  std::string log;
  shared_guard held = co_await lock.lock_shared();
  EXPECT_THROW(co_await with_timeout(1s, write(lock, log, "x")), timed_out);
  EXPECT_TRUE(lock.try_lock_shared());
  lock.unlock_shared();
  held.unlock();
  EXPECT_TRUE(lock.try_lock());
  EXPECT_EQ(log, "");
  lock.unlock();
}

TEST(SharedMutexTest, ADestroyedWriterThatWaitsLetsTheReadersBehindItIn) {
  std::string log;
  const auto main = [&]() -> task<void> {
    shared_mutex lock;
    auto a = spawn(read(lock, log, "a"));
    std::optional<join_handle<void>> x(spawn(write(lock, log, "x")));
    auto b = spawn(read(lock, log, "b"));
    co_await settle();
    x.reset();
    EXPECT_EQ(lock.readers(), 2u);
    co_await b.join();
    co_await a.join();
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::dropped_handle));
  EXPECT_EQ(log, "ab");
}

TEST(SharedMutexTest, UnlockingWhatOneDoesNotHoldIsMisuse) {
  const auto main = []() -> task<void> {
    shared_mutex lock("cache");
    EXPECT_THROW(lock.unlock(), misuse);
    EXPECT_THROW(lock.unlock_shared(), misuse);
    std::string log;
    auto a = spawn(read(lock, log, "a"), "a");
    auto b = spawn(read(lock, log, "b"), "b");
    co_await settle();
    EXPECT_THROW(lock.unlock(), misuse);
    EXPECT_THROW(lock.unlock_shared(), misuse);
    EXPECT_EQ(lock.readers(), 2u);
    co_await a.join();
    co_await b.join();
  };
  EXPECT_EQ(judge(main).messages(),
            "misuse: unlock() of shared_mutex \"cache\" by task \"main\"; it is held by nobody\n"
            "misuse: unlock_shared() of shared_mutex \"cache\" by task \"main\"; it is held by nobody\n"
            "misuse: unlock() of shared_mutex \"cache\" by task \"main\"; it is held by tasks a, b\n"
            "misuse: unlock_shared() of shared_mutex \"cache\" by task \"main\"; it is held by tasks a, b\n");
}

TEST(SharedMutexTest, UnlockingWhatOneHoldsTheOtherWayIsMisuseThatSaysSo) {
  const auto main = []() -> task<void> {
    shared_mutex lock("cache");
    {
      const shared_guard reading = co_await lock.lock_shared();
      EXPECT_THROW(lock.unlock(), misuse);
    }
    const exclusive_guard writing = co_await lock.lock();
    EXPECT_THROW(lock.unlock_shared(), misuse);
  };
  EXPECT_EQ(
      judge(main).messages(),
      "misuse: unlock() instead of unlock_shared() of shared_mutex \"cache\" by task \"main\"; it is held by task "
      "\"main\"\n"
      "misuse: unlock_shared() instead of unlock() of shared_mutex \"cache\" by task \"main\"; it is held by task "
      "\"main\"\n");
}

TEST(SharedMutexTest, AReaderThatWantsItAloneIsADeadlockOfOne) {
  const auto main = []() -> task<void> {
    shared_mutex lock("cache");
    const shared_guard reading = co_await lock.lock_shared();
    const exclusive_guard writing = co_await lock.lock();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_THAT(run.verdicts[0].cycle, ElementsAre("main"));
  EXPECT_EQ(run.verdicts[0].tasks[0].waits_for, "lock of shared_mutex \"cache\"");
  EXPECT_EQ(run.verdicts[0].tasks[0].held_by, "main");
}

TEST(SharedMutexTest, AReaderThatReadsAgainBehindAWriterIsADeadlockOfTwo) {
  const auto main = []() -> task<void> {
    shared_mutex lock("cache");
    std::string log;
    const shared_guard reading = co_await lock.lock_shared();
    auto writer = spawn(write(lock, log, "x"), "writer");
    co_await settle();
    const shared_guard again = co_await lock.lock_shared();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_THAT(run.verdicts[0].cycle, ElementsAre("main", "writer"));
  EXPECT_EQ(run.verdicts[0].tasks[0].waits_for, "shared lock of shared_mutex \"cache\"");
  EXPECT_EQ(run.verdicts[0].tasks[0].held_by, "writer");
  EXPECT_EQ(run.verdicts[0].tasks[1].held_by, "main");
}

// Of several readers the report names one that waits, and all by name.
TEST(SharedMutexTest, AReportNamesTheReadersAndFollowsOneThatWaits) {
  const auto main = []() -> task<void> {
    shared_mutex lock("cache");
    mutex other("tx");
    std::string log;
    const auto take = [&]() -> task<void> {
      const shared_guard reading = co_await lock.lock_shared();
      co_await sleep_for(1s);
      const mutex_guard held = co_await other.lock();
    };
    auto idle = spawn(read(lock, log, "i"), "idle");
    auto reader = spawn(take(), "reader");
    auto asleep = spawn(read(lock, log, "s"), "asleep");
    const mutex_guard held = co_await other.lock();
    co_await sleep_for(500ms);
    const exclusive_guard writing = co_await lock.lock();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_THAT(run.verdicts[0].cycle, ElementsAre("main", "reader"));
  EXPECT_EQ(run.verdicts[0].tasks[0].held_by, "reader");
}

TEST(SharedMutexTest, DyingUnderSeveralGuardsLeavesThemAllEmpty) {
  const auto main = [&]() -> task<void> {
    auto lock = std::make_unique<shared_mutex>(label("cache"));
    shared_guard first = co_await lock->lock_shared();
    shared_guard second = co_await lock->lock_shared();
    const shared_guard moved = std::move(first);
    lock.reset();
    second.unlock();
    co_await yield();
  };
  EXPECT_EQ(judge(main).messages(), "misuse: the shared_mutex \"cache\" died while it is held by task \"main\"\n");
}

// Who is inside, and that nobody is who must not be.
struct room {
  shared_mutex lock;
  int readers = 0;
  int writers = 0;

  task<void> read(int times) {
    for (int i = 0; i < times; ++i) {
      const shared_guard held = co_await lock.lock_shared();
      const counter inside(readers);
      EXPECT_EQ(writers, 0);
      co_await yield();
      EXPECT_EQ(writers, 0);
    }
  }
  task<void> write(int times) {
    for (int i = 0; i < times; ++i) {
      const exclusive_guard held = co_await lock.lock();
      const counter inside(writers);
      EXPECT_EQ(writers, 1);
      co_await yield();
      EXPECT_EQ(readers, 0);
    }
  }

 private:
  struct counter {
    int& count;
    explicit counter(int& counted) : count(counted) { ++count; }
    ~counter() { --count; }
  };
};

TEST(SharedMutexTest, KeepsWritersAloneAndLosesNobodyInAnyOrder) {
  under_every_schedule([]() -> task<void> {
    room of;
    std::vector<join_handle<void>> workers;
    for (int i = 0; i < 3; ++i) {
      workers.push_back(spawn(of.read(3)));
      workers.push_back(spawn(of.write(2)));
    }
    const auto cancel = [&](std::size_t victim) -> task<void> {
      co_await yield();
      workers[victim].cancel();
    };
    auto first = spawn(cancel(1));
    auto second = spawn(cancel(2));
    co_await first.join();
    co_await second.join();
    int finished = 0;
    for (join_handle<void>& worker : workers) finished += co_await was_cancelled(worker) ? 0 : 1;
    EXPECT_GE(finished, 4);
    EXPECT_FALSE(of.lock.locked());
    EXPECT_EQ(of.lock.readers(), 0u);
  });
}

TEST(SharedMutexTest, KeepsOrderWithAReaderOrWriterCancelledAnywhere) {
  for (const bool writer : {false, true}) {
    under_every_cancellation([writer](hunt& hunted) -> task<void> {
      room of;
      auto reader_before = spawn(of.read(2));
      auto victim = spawn(writer ? of.write(2) : of.read(2));
      auto other = spawn(of.write(2));
      auto reader_behind = spawn(of.read(2));
      hunted.begin(victim);
      co_await hunted.end();
      static_cast<void>(co_await was_cancelled(victim));
      for (auto* each : {&reader_before, &other, &reader_behind}) co_await each->join();
      EXPECT_FALSE(of.lock.locked());
      EXPECT_EQ(of.lock.readers(), 0u);
      EXPECT_TRUE(of.lock.try_lock());
      of.lock.unlock();
    });
  }
}

}  // namespace
}  // namespace lockstep
