#include "judged_run.hpp"

#include <lockstep/testing/testing.hpp>

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace lockstep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;

// -- identity ---------------------------------------------------------------------------------------------------------

CO_TEST(ObjectTest, HasANameANumberAndAnIdentity) {
  const event first("first");
  const event second;
  EXPECT_EQ(first.name(), "first");
  EXPECT_EQ(second.name(), "");
  EXPECT_EQ(second.number(), first.number() + 1);
  EXPECT_NE(first.id(), second.id());
  EXPECT_EQ(first.holder(), nullptr);
  co_return;
}

struct made {
  identity first_of_a = 0;
  identity second_of_a = 0;
  identity first_of_b = 0;
  std::uint32_t number_of_b = 0;
};

// Two tasks that make objects, under an oracle's choice of who is first.
made make_objects(oracle* choices, std::size_t ballast) {
  made found;
  const auto a = [&]() -> task<void> {
    const std::vector<char> moves_addresses(ballast);
    const mutex first;
    co_await yield();
    const mutex second;
    found.first_of_a = first.id();
    found.second_of_a = second.id();
  };
  const auto b = [&]() -> task<void> {
    const mutex first;
    found.first_of_b = first.id();
    found.number_of_b = first.number();
    co_return;
  };
  const auto main = [&]() -> task<void> {
    auto in_a = spawn(a());
    auto in_b = spawn(b());
    co_await in_a.join();
    co_await in_b.join();
  };
  sim::world_options how;
  how.choices = choices;
  EXPECT_EQ(judge(main, how).messages(), "");
  return found;
}

TEST(ObjectTest, ItsIdentityDependsNeitherOnTheScheduleNorOnAddresses) {
  const made plain = make_objects(nullptr, 1);
  contrary other_way_round;
  const made other = make_objects(&other_way_round, 100'000);
  EXPECT_NE(plain.number_of_b, other.number_of_b) << "the schedules are the same: this test proves nothing";
  EXPECT_EQ(plain.first_of_a, other.first_of_a);
  EXPECT_EQ(plain.second_of_a, other.second_of_a);
  EXPECT_EQ(plain.first_of_b, other.first_of_b);
  EXPECT_NE(plain.first_of_a, plain.second_of_a);
  EXPECT_NE(plain.first_of_a, plain.first_of_b);
}

TEST(ObjectTest, OneMadeBeforeTheRunBelongsToTheTaskThatUsesItFirst) {
  mutex early("early");
  EXPECT_EQ(early.number(), 0u);
  identity in_first_run = 0;
  const auto main = [&]() -> task<void> {
    const mutex mine;
    EXPECT_TRUE(early.try_lock());
    early.unlock();
    EXPECT_EQ(early.number(), mine.number() + 1);
    in_first_run = early.id();
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "");
  const identity before = in_first_run;
  EXPECT_EQ(judge(main).messages(), "");
  EXPECT_EQ(in_first_run, before);
}

// Each world lies where the one before it lay; the object must not take them for one.
TEST(ObjectTest, OneMadeBeforeIsNewInEveryRunWhereverTheLoopLies) {
  mutex early;
  const auto number_in_a_run = [&] {
    std::uint32_t number = 0;
    const auto main = [&]() -> task<void> {
      const mutex mine;
      EXPECT_TRUE(early.try_lock());
      early.unlock();
      number = early.number();
      const mutex next;
      EXPECT_EQ(next.number(), number + 1);
      co_return;
    };
    EXPECT_EQ(judge(main).messages(), "");
    return number;
  };
  EXPECT_EQ(number_in_a_run(), number_in_a_run());
}

TEST(ObjectTest, OneMadeInAFixtureIsTheMainTasks) {
  std::vector<identity> found;
  sim::world world;
  for (int i = 0; i < 2; ++i) {
    world.start();
    const mutex of_fixture;
    const mutex second;
    EXPECT_NE(of_fixture.id(), second.id());
    found.push_back(of_fixture.id());
    const auto main = [&]() -> task<void> {
      const mutex mine;
      found.push_back(mine.id());
      co_return;
    };
    EXPECT_TRUE(world.drive(main()));
  }
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0], found[2]);
  EXPECT_EQ(found[1], found[3]);
}

// -- use from elsewhere -----------------------------------------------------------------------------------------------

TEST(ObjectTest, OneMadeInsideARunIsNotForTheNext) {
  std::unique_ptr<mutex> kept;
  const auto make = [&]() -> task<void> {
    kept = std::make_unique<mutex>(label("kept"));
    co_return;
  };
  unsigned line = 0;
  const auto use = [&]() -> task<void> {
    line = source::current().line() + 1;
    EXPECT_THROW(kept->try_lock(), misuse);
    co_return;
  };
  EXPECT_EQ(judge(make).messages(), "");
  const std::string found = judge(use).messages();
  EXPECT_EQ(found,
            fmt::format("misuse: mutex \"kept\" was locked in another run than its own (object_test.cpp:{})\n", line));
}

TEST(ObjectTest, OneThatIsKeptIsNotForTheNextRunOfTheSameLoop) {
  std::optional<mutex> kept;
  const auto use = [&]() -> task<void> {
    if (!kept) kept.emplace(label("kept"));
    EXPECT_TRUE(kept->try_lock());
    kept->unlock();
    co_return;
  };
  sim::world world;
  world.run(use);
  EXPECT_THAT(world.verdicts(), IsEmpty());
  EXPECT_THROW(world.run(use), misuse);
  ASSERT_EQ(world.verdicts().size(), 1u);
  EXPECT_THAT(world.verdicts()[0].message, HasSubstr("mutex \"kept\" was locked in another run than its own"));
}

TEST(ObjectTest, UseFromALoopWithinALoopIsAVerdictOfBoth) {
  std::string inner;
  unsigned line = 0;
  const auto main = [&]() -> task<void> {
    mutex mine("mine");
    const auto nested = [&]() -> task<void> {
      line = source::current().line() + 1;
      EXPECT_THROW(mine.try_lock(), misuse);
      co_return;
    };
    inner = judge(nested).messages();
    co_return;
  };
  const std::string outer = judge(main).messages();
  EXPECT_EQ(outer,
            fmt::format("misuse: mutex \"mine\" was locked in another run than its own (object_test.cpp:{})\n", line));
  EXPECT_EQ(inner, outer);
}

// To the run in which it is thrown it is no failure besides.
TEST(ObjectTest, MisuseOfAnotherRunsObjectThatNobodyReadsIsToldOnce) {
  std::vector<verdict_kind> inner;
  const auto main = [&]() -> task<void> {
    event go("go");
    const auto set = [&]() -> task<void> {
      go.set();
      co_return;
    };
    const auto nested = [&]() -> task<void> {
      const auto setter = spawn(set());
      co_await yield();
    };
    inner = judge(nested).kinds();
    co_return;
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::misuse));
  EXPECT_THAT(inner, ElementsAre(verdict_kind::misuse));
}

void use_and_swallow(mutex& of_others) {
  try {
    of_others.try_lock();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const misuse& error) {
    EXPECT_THAT(error.what(), MatchesRegex("mutex \"theirs\" was locked on another thread \\(object_test.cpp:.*\\)"));
  }
}

const auto is_misuse_by_thread =
    MatchesRegex("misuse: mutex \"theirs\" was locked on another thread \\(object_test.cpp:.*\\)\n");

TEST(ObjectTest, UseFromAThreadWithoutALoopFailsTheRunThatOwnsIt) {
  const auto main = []() -> task<void> {
    mutex mine("theirs");
    std::thread other([&] { use_and_swallow(mine); });
    other.join();
    EXPECT_FALSE(mine.locked());
    co_return;
  };
  EXPECT_THAT(judge(main).messages(), is_misuse_by_thread);
}

TEST(ObjectTest, UseFromAThreadIsReportedWhenTheLoopIsIdle) {
  std::size_t verdicts_when_idle = 0;
  sim::world world;
  const auto main = [&]() -> task<void> {
    mutex mine("theirs");
    std::thread other([&] { use_and_swallow(mine); });
    other.join();
    co_await sleep_for(std::chrono::seconds(1));
    verdicts_when_idle = world.verdicts().size();
  };
  world.start();
  EXPECT_TRUE(world.drive(main()));
  world.finish();
  EXPECT_EQ(verdicts_when_idle, 1u);
  EXPECT_EQ(world.verdicts().size(), 1u);
}

TEST(ObjectTest, UseFromAThreadWithALoopOfItsOwnFailsBothRuns) {
  std::string elsewhere;
  const auto main = [&]() -> task<void> {
    mutex mine("theirs");
    std::thread other([&] {
      const auto use = [&]() -> task<void> {
        use_and_swallow(mine);
        co_return;
      };
      elsewhere = judge(use).messages();
    });
    other.join();
    co_return;
  };
  EXPECT_THAT(judge(main).messages(), is_misuse_by_thread);
  EXPECT_THAT(elsewhere, is_misuse_by_thread);
}

TEST(ObjectTest, UseFromAThreadThatIsJoinedInTheTearDownCounts) {
  const auto main = []() -> task<void> {
    struct user {
      mutex mine{"theirs"};
      std::thread other;
      ~user() { other.join(); }
    } local;
    local.other = std::thread([&] { use_and_swallow(local.mine); });
    co_await sleep_until(time_point::max());
  };
  EXPECT_THAT(judge(main).kinds(), testing::UnorderedElementsAre(verdict_kind::deadlock, verdict_kind::misuse));
}

TEST(ObjectTest, UseFromAThreadAfterTheRunIsNoVerdictOfTheNext) {
  sim::world world;
  std::unique_ptr<mutex> kept;
  const auto make = [&]() -> task<void> {
    kept = std::make_unique<mutex>(label("theirs"));
    co_return;
  };
  world.start();
  EXPECT_TRUE(world.drive(make()));
  world.finish();
  std::thread late([&] { use_and_swallow(*kept); });
  late.join();
  const auto idle = []() -> task<void> { co_await sleep_for(std::chrono::seconds(1)); };
  world.start();
  EXPECT_TRUE(world.drive(idle()));
  world.finish();
  EXPECT_THAT(world.verdicts(), IsEmpty());
}

TEST(ObjectTest, WhatIsLeftOfARunThatIsOverMayDieInAnother) {
  auto guarded = std::make_unique<mutex>();
  auto locked = std::make_unique<mutex>();
  std::optional<mutex_guard> guard;
  const auto keep = [&]() -> task<void> {
    guard.emplace(co_await guarded->lock());
    (co_await locked->lock()).keep_locked();
  };
  const auto drop = [&]() -> task<void> {
    guard.reset();
    guarded.reset();
    locked.reset();
    co_return;
  };
  EXPECT_EQ(judge(keep).messages(), "");
  EXPECT_EQ(judge(drop).messages(), "");
}

TEST(ObjectTest, UseFromAThreadAfterTheWorldIsGoneIsMisuseAllTheSame) {
  std::unique_ptr<mutex> kept;
  const auto make = [&]() -> task<void> {
    kept = std::make_unique<mutex>(label("theirs"));
    co_return;
  };
  EXPECT_EQ(judge(make).messages(), "");
  std::thread late([&] { use_and_swallow(*kept); });
  late.join();
}

TEST(ObjectTest, OneThatNoLoopHasUsedNeedsALoop) {
  mutex early("early");
  try {
    early.try_lock();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const misuse& error) {
    EXPECT_THAT(error.what(), HasSubstr("no lockstep loop runs on this thread"));
  }
}

// Every primitive asks where it is.
TEST(ObjectTest, NoPrimitiveMayBeUsedFromAThread) {
  const auto main = []() -> task<void> {
    mutex m;
    event e;
    semaphore s(1);
    queue<int> q;
    barrier b(1);
    condition_variable c(m);
    const std::vector<std::function<void()>> uses = {
        [&] { static_cast<void>(m.lock()); },
        [&] { static_cast<void>(e.wait()); },
        [&] { e.set(); },
        [&] { static_cast<void>(s.acquire()); },
        [&] { s.release(); },
        [&] { static_cast<void>(q.get()); },
        [&] { static_cast<void>(q.try_put(1)); },
        [&] { static_cast<void>(b.wait()); },
        [&] { c.notify_one(); },
    };
    std::size_t refused = 0;
    std::thread other([&] {
      for (const auto& use : uses) {
        try {
          use();
        } catch (const misuse&) {
          ++refused;
        }
      }
    });
    other.join();
    EXPECT_EQ(refused, uses.size());
    co_return;
  };
  EXPECT_EQ(judge(main).verdicts.size(), 9u);
}

// A report tells one from another also where they have no names.
TEST(ObjectTest, WithoutANameIsCalledByItsNumber) {
  const auto main = []() -> task<void> {
    queue<int> first;
    latch second(1);
    queue<int> third;
    EXPECT_THROW(third.task_done(), misuse);
    EXPECT_THROW(second.count_down(2), misuse);
    bounded_semaphore fourth(1);
    EXPECT_THROW(fourth.release(), misuse);
    mutex fifth;
    EXPECT_THROW(fifth.unlock(), misuse);
    condition_variable sixth(fifth);
    EXPECT_THROW(sixth.notify_one(), misuse);
    auto seventh = std::make_unique<event>();
    auto waiter = spawn([](event& of) -> task<void> { co_await of.wait(); }(*seventh), "waiter");
    co_await settle();
    seventh.reset();
    EXPECT_THROW(broadcast<int> eighth(0), misuse);
  };
  EXPECT_THAT(judge(main).messages(),
              testing::StartsWith("misuse: task_done() of queue #3, which has no unfinished item\n"
                                  "misuse: latch #2 is counted down by 2, and only 1 of 1 are missing\n"
                                  "misuse: release() of bounded_semaphore #4, all of whose 1 permits are free\n"
                                  "misuse: unlock() of mutex #5 by task \"main\"; it is held by nobody\n"
                                  "misuse: notify() of condition_variable #6 without holding its mutex #5\n"
                                  "misuse: the event #7 died while task \"waiter\" waits for it\n"
                                  "misuse: broadcast #8 has room for 0 items (capacity_items); it needs at least 1\n"));
}

}  // namespace
}  // namespace lockstep
