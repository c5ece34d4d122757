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

task<void> await_and_tell(event& awaited, std::string& log, std::string name) {
  co_await awaited.wait();
  log += name;
}

CO_TEST(EventTest, LetsPassWhileItIsSet) {
  event ready;
  EXPECT_FALSE(ready.is_set());
  ready.set();
  ready.set();
  EXPECT_TRUE(ready.is_set());
  co_await ready.wait();
  co_await ready.wait();
  EXPECT_EQ(now(), time_point{});
}

CO_TEST(EventTest, WakesAllThatWaitInFifoOrder) {
  event ready;
  std::string log;
  auto a = spawn(await_and_tell(ready, log, "a"));
  auto b = spawn(await_and_tell(ready, log, "b"));
  auto c = spawn(await_and_tell(ready, log, "c"));
  co_await settle();
  EXPECT_EQ(log, "");
  ready.set();
  co_await c.join();
  EXPECT_EQ(log, "abc");
  co_await a.join();
  co_await b.join();
}

CO_TEST(EventTest, SetReleasesThoseWhoWaitEvenIfItIsClearedAtOnce) {
  event ready;
  std::string log;
  auto a = spawn(await_and_tell(ready, log, "a"));
  co_await settle();
  ready.set();
  ready.clear();
  auto late = spawn(await_and_tell(ready, log, "late"));
  co_await settle();
  EXPECT_EQ(log, "a");
  EXPECT_FALSE(ready.is_set());
  ready.set();
  co_await late.join();
  co_await a.join();
}

CO_TEST(EventTest, SetClearedAndSetAgainWakesAWaiterOnce) {
  event ready;
  std::string log;
  auto a = spawn(await_and_tell(ready, log, "a"));
  co_await settle();
  ready.set();
  ready.clear();
  ready.set();
  co_await a.join();
  EXPECT_EQ(log, "a");
}

CO_TEST(EventTest, ACancelledWaiterLeavesTheOthersWaiting) {
  event ready;
  std::string log;
  auto a = spawn(await_and_tell(ready, log, "a"));
  auto b = spawn(await_and_tell(ready, log, "b"));
  co_await settle();
  a.cancel();
  EXPECT_TRUE(co_await was_cancelled(a));
  ready.set();
  co_await b.join();
  EXPECT_EQ(log, "b");
}

CO_TEST(EventTest, CancellationThatComesAfterTheEventStillCancels) {
  event ready;
  std::string log;
  auto a = spawn(await_and_tell(ready, log, "a"));
  co_await settle();
  ready.set();
  a.cancel();
  EXPECT_TRUE(co_await was_cancelled(a));
  EXPECT_EQ(log, "");
}

TEST(EventTest, DyingUnderAWaiterIsMisuse) {
  std::string log;
  expect_that_death_under_a_waiter_is_misuse([] { return std::make_unique<event>(label("ready")); },
                                             [&](event& ready) { return await_and_tell(ready, log, "a"); },
                                             "event \"ready\"", "event");
}

TEST(EventTest, ADestroyedWaiterIsForgotten) {
  std::string log;
  const auto main = [&]() -> task<void> {
    event ready;
    std::optional<join_handle<void>> a(spawn(await_and_tell(ready, log, "a")));
    auto b = spawn(await_and_tell(ready, log, "b"));
    co_await settle();
    a.reset();
    ready.set();
    co_await b.join();
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::dropped_handle));
  EXPECT_EQ(log, "b");
}

TEST(EventTest, WaitingForWhatNobodySetsIsADeadlock) {
  const auto main = []() -> task<void> {
    event ready("ready");
    co_await ready.wait();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_EQ(run.verdicts[0].tasks[0].waits_for, "event \"ready\"");
}

TEST(EventTest, NoWaiterMissesItInAnyOrder) {
  under_every_schedule([]() -> task<void> {
    event ready;
    std::string log;
    std::vector<join_handle<void>> waiters;
    for (int i = 0; i < 5; ++i) waiters.push_back(spawn(await_and_tell(ready, log, "x")));
    const auto set = [&]() -> task<void> {
      co_await yield();
      ready.set();
    };
    auto setter = spawn(set());
    waiters[3].cancel();
    std::size_t passed = 0;
    for (join_handle<void>& waiter : waiters) passed += co_await was_cancelled(waiter) ? 0u : 1u;
    EXPECT_EQ(passed, log.size());
    EXPECT_GE(passed, 4u);
    co_await setter.join();
  });
}

}  // namespace
}  // namespace lockstep
