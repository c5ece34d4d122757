#include "foreign_coroutines.hpp"
#include "judged_run.hpp"
#include "tasks.hpp"

#include <lockstep/runtime/task_local.hpp>
#include <lockstep/testing/testing.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

constinit task_local<int> request_id{-1};
constinit task_local<const char*> user;
task_local<std::string> route("/");

CO_TEST(TaskLocalTest, HasItsInitialValueUntilItIsSet) {
  EXPECT_EQ(request_id.get(), -1);
  EXPECT_EQ(user.get(), nullptr);
  request_id.set(5);
  route.set("/index");
  EXPECT_EQ(request_id.get(), 5);
  EXPECT_EQ(route.get(), "/index");
  EXPECT_EQ(user.get(), nullptr);
  co_await yield();
  EXPECT_EQ(request_id.get(), 5);
  request_id.set(6);
  EXPECT_EQ(request_id.get(), 6);
  EXPECT_EQ(route.get(), "/index");
}

// That of the test before is gone.
CO_TEST(TaskLocalTest, BelongsToItsTask) {
  EXPECT_EQ(request_id.get(), -1);
  co_return;
}

TEST(TaskLocalTest, OutsideOfEveryTaskItHasItsInitialValue) { EXPECT_EQ(request_id.get(), -1); }

CO_TEST(TaskLocalTest, AChildBeginsWithACopyAndNeitherSeesWhatTheOtherSets) {
  request_id.set(1);
  const auto work = [](int expected) -> task<void> {
    EXPECT_EQ(request_id.get(), expected);
    request_id.set(100 + expected);
    co_await sleep_for(1s);
    EXPECT_EQ(request_id.get(), 100 + expected);
  };
  auto first = spawn(work(1));
  request_id.set(2);
  auto second = spawn(work(2), "second");
  task_group group;
  request_id.set(3);
  group.spawn(work(3));
  request_id.set(4);
  auto eager = spawn_eager(work(4));
  EXPECT_EQ(request_id.get(), 4);
  co_await first.join();
  co_await second.join();
  co_await eager.join();
  co_await group.join();
  EXPECT_EQ(request_id.get(), 4);
}

CO_TEST(TaskLocalTest, GoesDownAllGenerations) {
  const auto work = [](int generations, const auto& again) -> task<int> {
    if (generations == 0) co_return request_id.get();
    auto child = spawn(again(generations - 1, again));
    co_return co_await child.join();
  };
  const scoped_value bound = request_id.bind(7);
  EXPECT_EQ(co_await work(3, work), 7);
}

CO_TEST(TaskLocalTest, AnAwaitedTaskIsACall) {
  const auto work = []() -> task<void> {
    EXPECT_EQ(request_id.get(), 1);
    request_id.set(2);
    co_return;
  };
  request_id.set(1);
  co_await work();
  EXPECT_EQ(request_id.get(), 2);
}

CO_TEST(TaskLocalTest, AScopeEndsWithTheValueFromBefore) {
  {
    const scoped_value one = request_id.bind(1);
    EXPECT_EQ(request_id.get(), 1);
    {
      const auto two = request_id.bind(2);
      route.set("/two");
      EXPECT_EQ(request_id.get(), 2);
      request_id.set(3);
      EXPECT_EQ(request_id.get(), 3);
      co_await yield();
    }
    EXPECT_EQ(request_id.get(), 1);
    EXPECT_EQ(route.get(), "/two") << "what else was set stays";
  }
  EXPECT_EQ(request_id.get(), -1);
}

CO_TEST(TaskLocalTest, AScopeEndsByAnExceptionToo) {
  const auto work = []() -> task<void> {
    const scoped_value bound = request_id.bind(1);
    co_await fail_after(1s);
  };
  EXPECT_THROW(co_await work(), std::runtime_error);
  EXPECT_EQ(request_id.get(), -1);
}

// Its frames are destroyed while another runs.
TEST(TaskLocalTest, TheScopeOfATaskThatIsDestroyedLeavesOthersAlone) {
  const auto main = []() -> task<void> {
    const scoped_value bound = request_id.bind(1);
    const auto work = []() -> task<void> {
      const scoped_value inner = request_id.bind(2);
      co_await wait_for_ever();
    };
    {
      const auto dropped = spawn(work());
      co_await yield();
    }
    EXPECT_EQ(request_id.get(), 1);
  };
  EXPECT_THAT(judge(main).kinds(), testing::ElementsAre(verdict_kind::dropped_handle));
}

CO_TEST(TaskLocalTest, ItsValuesDieWithTheirTasks) {
  task_local<std::shared_ptr<int>> shared;
  const std::shared_ptr<int> held = std::make_shared<int>(1);
  const auto work = [&]() -> task<void> {
    EXPECT_EQ(shared.get(), held);
    co_return;
  };
  const auto bind = [&]() -> task<void> {
    const scoped_value bound = shared.bind(held);
    auto child = spawn(work());
    co_await child.join();
  };
  auto binds = spawn(bind());
  co_await binds.join();
  EXPECT_EQ(held.use_count(), 1);
  {
    const auto sets = [&]() -> task<void> {
      shared.set(held);
      co_return;
    };
    auto child = spawn(sets());
    co_await child.join();
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(TaskLocalTest, ToSetOneWhereNoTaskRunsIsMisuse) {
  EXPECT_THROW(request_id.set(1), misuse);
  EXPECT_THROW(static_cast<void>(request_id.bind(1)), misuse);
  EXPECT_EQ(request_id.get(), -1);
}

foreign::fire_and_forget note_in_foreign(std::vector<int>& seen) {
  seen.push_back(request_id.get());
  co_await sleep_for(1s);
  seen.push_back(request_id.get());
}

CO_TEST(TaskLocalTest, AForeignCoroutineBeginsWithThemWhenItFirstWaits) {
  std::vector<int> seen;
  request_id.set(1);
  note_in_foreign(seen);
  request_id.set(2);
  co_await sleep_for(2s);
  EXPECT_EQ(seen, (std::vector<int>{1, 1}));
}

TEST(TaskLocalTest, AWorldWithinATaskBeginsWithNone) {
  const auto inner = []() -> task<int> { co_return request_id.get(); };
  const auto main = [&]() -> task<void> {
    request_id.set(1);
    EXPECT_EQ(sim::world().run(inner()), -1);
    EXPECT_EQ(request_id.get(), 1);
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "");
}

// -- copies -----------------------------------------------------------------------------------------------------------

CO_TEST(TaskLocalsTest, ACopyKeepsWhatTheTaskHadThen) {
  request_id.set(1);
  task_locals copied = task_locals::current();
  request_id.set(2);
  EXPECT_EQ(copied.run([] { return request_id.get(); }), 1);
  EXPECT_EQ(request_id.get(), 2);
  co_return;
}

CO_TEST(TaskLocalsTest, WhatIsSetInARunStaysInTheCopy) {
  request_id.set(1);
  task_locals copied = task_locals::current();
  copied.run([] {
    request_id.set(3);
    const scoped_value bound = user.bind("root");
    EXPECT_STREQ(user.get(), "root");
  });
  EXPECT_EQ(request_id.get(), 1);
  EXPECT_EQ(copied.run([] { return request_id.get(); }), 3);
  EXPECT_EQ(copied.run([] { return user.get(); }), nullptr);
  task_locals again = copied;
  copied.run([] { request_id.set(4); });
  EXPECT_EQ(again.run([] { return request_id.get(); }), 3);
  co_return;
}

CO_TEST(TaskLocalsTest, ATaskThatIsSpawnedInARunBeginsWithThem) {
  const auto work = []() -> task<int> { co_return request_id.get(); };
  task_locals copied;
  copied.run([] { request_id.set(3); });
  auto child = copied.run([&] { return spawn(work()); });
  auto own = spawn(work());
  EXPECT_EQ(co_await child.join(), 3);
  EXPECT_EQ(co_await own.join(), -1);
}

CO_TEST(TaskLocalsTest, ATaskThatIsStartedInARunHasItsOwn) {
  task_locals copied;
  copied.run([] { request_id.set(3); });
  const auto work = []() -> task<void> {
    EXPECT_EQ(request_id.get(), 3);
    request_id.set(4);
    co_return;
  };
  copied.run([&] {
    auto eager = spawn_eager(work());
    EXPECT_EQ(request_id.get(), 3);
  });
  co_return;
}

CO_TEST(TaskLocalsTest, ARunThatThrowsEndsAsAny) {
  request_id.set(1);
  task_locals none;
  EXPECT_THROW(none.run([] {
    EXPECT_EQ(request_id.get(), -1);
    throw std::runtime_error("x");
  }),
               std::runtime_error);
  EXPECT_EQ(request_id.get(), 1);
  co_return;
}

CO_TEST(TaskLocalsTest, RunsNest) {
  task_locals one;
  task_locals two;
  one.run([&] {
    request_id.set(1);
    two.run([&] {
      request_id.set(2);
      one.run([] { EXPECT_EQ(request_id.get(), 1); });
      EXPECT_EQ(request_id.get(), 2);
    });
    EXPECT_EQ(request_id.get(), 1);
  });
  EXPECT_EQ(request_id.get(), -1);
  co_return;
}

CO_TEST(TaskLocalsTest, MayBeReadOnAnotherThread) {
  request_id.set(1);
  route.set("/index");
  task_locals copied = task_locals::current();
  int seen = 0;
  int without = 0;
  std::thread([&] {
    without = request_id.get();
    copied.run([&] {
      seen = request_id.get();
      request_id.set(2);
      const scoped_value bound = route.bind("/job");
      EXPECT_EQ(route.get(), "/job");
    });
    EXPECT_EQ(request_id.get(), -1);
  }).join();
  EXPECT_EQ(without, -1);
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(request_id.get(), 1);
  EXPECT_EQ(copied.run([] { return request_id.get(); }), 2);
  co_return;
}

TEST(TaskLocalsTest, AWorldBeginsWithThoseOfTheRunAroundIt) {
  const auto inner = []() -> task<int> { co_return request_id.get(); };
  task_locals values;
  values.run([&] {
    request_id.set(8);
    EXPECT_EQ(sim::world().run(inner()), 8);
  });
  EXPECT_EQ(sim::world().run(inner()), -1);
}

}  // namespace
}  // namespace lockstep
