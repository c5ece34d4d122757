#include "../sync/schedules.hpp"
#include "judged_run.hpp"
#include "tasks.hpp"

#include <lockstep/testing/testing.hpp>

#include <optional>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

CO_TEST(WaitTest, TellsWhichHaveEndedInTheOrderOfTheArguments) {
  auto slow = spawn(value_after(3s, 1));
  auto fast = spawn(value_after(1s, std::string("x")));
  auto faster = spawn(pass(1s));
  const waited first = co_await wait(wait_until::first_completed, slow, fast, faster);
  EXPECT_EQ(now(), time_point{1s});
  EXPECT_THAT(first.done, testing::Contains(1u));
  EXPECT_THAT(first.pending, testing::Contains(0u));
  const waited all = co_await wait(wait_until::all_completed, slow, fast, faster);
  EXPECT_THAT(all.done, ElementsAre(0, 1, 2));
  EXPECT_THAT(all.pending, IsEmpty());
  EXPECT_EQ(now(), time_point{3s});
  EXPECT_EQ(slow.result(), 1);
  EXPECT_EQ(fast.result(), "x");
}

CO_TEST(WaitTest, TakesAVectorAndASpan) {
  std::vector<join_handle<int>> handles;
  for (int i = 3; i > 0; --i) handles.push_back(spawn(value_after(std::chrono::seconds(i), i)));
  const waited first = co_await wait(wait_until::first_completed, handles);
  EXPECT_THAT(first.done, ElementsAre(2));
  EXPECT_THAT(first.pending, ElementsAre(0, 1));
  const waited second = co_await wait(wait_until::first_completed, std::span(handles).first(2));
  EXPECT_THAT(second.done, ElementsAre(1));
  const waited last = co_await wait(wait_until::all_completed, 5s, handles);
  EXPECT_THAT(last.done, ElementsAre(0, 1, 2));
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(WaitTest, OfNoneReturnsAtOnce) {
  const std::vector<join_handle<int>> none;
  for (const wait_until each : {wait_until::first_completed, wait_until::first_exception, wait_until::all_completed}) {
    const waited found = co_await wait(each, none);
    EXPECT_THAT(found.done, IsEmpty());
    EXPECT_THAT(found.pending, IsEmpty());
  }
  EXPECT_EQ(now(), time_point{});
}

CO_TEST(WaitTest, SeveralMayWaitForOneTaskBesideItsOwner) {
  auto task = spawn(value_after(1s, 5));
  auto one = spawn(wait(wait_until::all_completed, task));
  auto two = spawn(wait(wait_until::all_completed, 500ms, task));
  auto three = spawn(wait(wait_until::first_completed, task));
  EXPECT_EQ(co_await task.join(), 5);
  EXPECT_THAT((co_await one.join()).done, ElementsAre(0));
  EXPECT_THAT((co_await two.join()).pending, ElementsAre(0));
  EXPECT_THAT((co_await three.join()).done, ElementsAre(0));
  EXPECT_EQ(now(), time_point{1s});
}

CO_TEST(WaitTest, OneTaskMayBeGivenTwice) {
  auto task = spawn(pass(1s));
  EXPECT_THAT((co_await wait(wait_until::all_completed, task, task)).done, ElementsAre(0, 1));
}

// The task that waits is granted by whichever comes first, once.
CO_TEST(WaitTest, AnEndAtTheInstantOfTheLimitIsSeen) {
  auto early = spawn(pass(1s));
  co_await settle();
  const waited found = co_await wait(wait_until::all_completed, 1s, early);
  EXPECT_EQ(found.done.size() + found.pending.size(), 1u);
  EXPECT_EQ(now(), time_point{1s});
  co_await early.join();
}

CO_TEST(WaitTest, ATaskThatIsDestroyedHasEnded) {
  std::optional<join_handle<void>> handle(spawn(wait_for_ever()));
  auto waiter = spawn(wait(wait_until::all_completed, *handle));
  co_await settle();
  handle->cancel();
  co_await yield();
  EXPECT_TRUE(handle->was_cancelled());
  EXPECT_THAT((co_await waiter.join()).done, ElementsAre(0));
}

TEST(WaitTest, AHandleThatDiesMeanwhileEndsTheWait) {
  bool ended = false;
  const auto main = [&]() -> task<void> {
    std::optional<join_handle<void>> handle(spawn(wait_for_ever()));
    auto waiter = spawn(wait(wait_until::all_completed, *handle));
    co_await settle();
    handle.reset();
    EXPECT_THAT((co_await waiter.join()).done, ElementsAre(0));
    ended = true;
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::dropped_handle));
  EXPECT_TRUE(ended);
}

TEST(WaitTest, AHandleWithoutATaskIsMisuseAndLeavesNoTrace) {
  const auto main = []() -> task<void> {
    auto good = spawn(pass(1s));
    join_handle<void> empty;
    EXPECT_THROW(static_cast<void>(co_await wait(wait_until::all_completed, good, empty)), misuse);
    co_await good.join();
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::misuse));
}

TEST(WaitTest, ReportsWhomItWaitsForAndSeesACycle) {
  const auto main = []() -> task<void> {
    auto one = spawn(wait_for_ever(), "one");
    auto two = spawn(wait_for_ever(), "two");
    co_await wait(wait_until::first_completed, one, two);
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_EQ(run.verdicts[0].tasks[0].waits_for, "wait(one, two)");

  const auto cycle = []() -> task<void> {
    std::optional<join_handle<waited>> reader;
    const auto writes = [&]() -> task<void> {
      co_await yield();
      co_await wait(wait_until::all_completed, *reader);
    };
    auto writer = spawn(writes(), "writer");
    reader.emplace(spawn(wait(wait_until::all_completed, writer), "reader"));
    co_await writer.join();
  };
  const judged_run stuck = judge(cycle);
  ASSERT_THAT(stuck.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_THAT(stuck.verdicts[0].cycle, testing::UnorderedElementsAre("reader", "writer"));
}

CO_TEST(WaitTest, ALimitBeyondTheEndOfTimeIsNone) {
  std::vector<join_handle<void>> handles;
  handles.push_back(spawn(pass(24h * 300)));
  handles.push_back(spawn(pass(24h * 301)));
  const waited one = co_await wait(wait_until::all_completed, std::chrono::hours::max(), handles[0]);
  EXPECT_THAT(one.done, ElementsAre(0));
  const waited both = co_await wait(wait_until::all_completed, std::chrono::years(400), handles);
  EXPECT_THAT(both.done, ElementsAre(0, 1));
  EXPECT_EQ(now(), time_point{24h * 301});
}

CO_TEST(WaitTest, ALimitBeforeTheBeginningOfTimeLetsOthersRunOnce) {
  auto reader = spawn(pass(1s));
  const waited found = co_await wait(wait_until::all_completed, std::chrono::hours::min(), reader);
  EXPECT_THAT(found.pending, ElementsAre(0));
  EXPECT_EQ(now(), time_point{});
  co_await reader.join();
}

// Some wait, some leave, a group listens, and the handle joins: each is told, whatever the order.
TEST(WaitTest, NobodyIsForgottenUnderEverySchedule) {
  under_every_schedule([]() -> task<void> {
    const auto turns = [](int count) -> task<int> {
      for (int i = 0; i < count; ++i) co_await yield();
      co_return count;
    };
    auto one = spawn(turns(2));
    auto two = spawn(turns(3));
    auto first = spawn(wait(wait_until::first_completed, one, two));
    auto both = spawn(wait(wait_until::all_completed, one, two));
    auto leaves = spawn(wait(wait_until::all_completed, one, two));
    co_await yield();
    leaves.cancel();
    EXPECT_FALSE((co_await first.join()).done.empty());
    EXPECT_THAT((co_await both.join()).done, ElementsAre(0, 1));
    try {
      EXPECT_THAT((co_await leaves.join()).done, ElementsAre(0, 1));
    } catch (const cancelled&) {
    }
    EXPECT_EQ(co_await one.join() + co_await two.join(), 5);
  });
}

}  // namespace
}  // namespace lockstep
