// asyncio.wait and asyncio.as_completed.
#include "../runtime/judged_run.hpp"
#include "../runtime/tasks.hpp"
#include "../sync/schedules.hpp"

#include <lockstep/testing/testing.hpp>

#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// -- wait -------------------------------------------------------------------------------------------------------------

CO_TEST(AsyncioWaitTest, NeitherRaisesNorCancels) {
  auto fails = spawn(fail_after(1s));
  auto goes_on = spawn(value_after(3s, 5));
  const waited first = co_await wait(wait_until::first_completed, fails, goes_on);
  EXPECT_THAT(first.done, ElementsAre(0));
  EXPECT_THAT(first.pending, ElementsAre(1));
  EXPECT_EQ(now(), time_point{1s});
  const waited all = co_await wait(wait_until::all_completed, fails, goes_on);
  EXPECT_THAT(all.done, ElementsAre(0, 1));
  EXPECT_EQ(goes_on.result(), 5);
  EXPECT_THROW(fails.result(), std::runtime_error);
}

CO_TEST(AsyncioWaitTest, ATimeoutIsNoErrorAndLeavesTheTasksRunning) {
  auto slow = spawn(value_after(3s, 5));
  auto fast = spawn(value_after(1s, 4));
  const waited found = co_await wait(wait_until::all_completed, 2s, slow, fast);
  EXPECT_THAT(found.done, ElementsAre(1));
  EXPECT_THAT(found.pending, ElementsAre(0));
  EXPECT_EQ(now(), time_point{2s});
  EXPECT_EQ(co_await slow.join(), 5);
}

CO_TEST(AsyncioWaitTest, WithATimeoutOfZeroTellsWhatHasEndedAlready) {
  auto done = spawn(value_after(0s, 1));
  auto pending = spawn(wait_for_ever());
  co_await settle();
  EXPECT_THAT((co_await wait(wait_until::all_completed, 0s, done, pending)).done, ElementsAre(0));
  EXPECT_EQ(now(), time_point{});
  pending.cancel();
  EXPECT_TRUE(co_await was_cancelled(pending));
}

CO_TEST(AsyncioWaitTest, FirstExceptionIgnoresCancellations) {
  auto stopped = spawn(wait_for_ever());
  auto fails = spawn(fail_after(2s));
  auto slow = spawn(pass(3s));
  co_await sleep_for(1s);
  stopped.cancel();
  const waited found = co_await wait(wait_until::first_exception, stopped, fails, slow);
  EXPECT_THAT(found.done, ElementsAre(0, 1));
  EXPECT_THAT(found.pending, ElementsAre(2));
  EXPECT_EQ(now(), time_point{2s});
  EXPECT_EQ(text_of(fails.exception()), "disk full");
  co_await slow.join();
}

CO_TEST(AsyncioWaitTest, FirstExceptionWithoutOneWaitsForAll) {
  auto one = spawn(pass(1s));
  auto two = spawn(pass(2s));
  EXPECT_THAT((co_await wait(wait_until::first_exception, one, two)).done, ElementsAre(0, 1));
  EXPECT_EQ(now(), time_point{2s});
}

// Behaviour 46.
CO_TEST(AsyncioWaitTest, FirstExceptionWithATaskThatHasFailedTakesNoTime) {
  auto failed = spawn(fail_after(1s));
  auto pending = spawn(pass(9s));
  co_await sleep_for(2s);
  const waited found = co_await wait(wait_until::first_exception, pending, failed);
  EXPECT_EQ(now(), time_point{2s});
  EXPECT_THAT(found.done, ElementsAre(1));
  EXPECT_THAT(found.pending, ElementsAre(0));
  EXPECT_EQ(text_of(failed.exception()), "disk full");
  co_await pending.join();
}

TEST(AsyncioWaitTest, DoesNotReadTheExceptions) {
  const auto main = []() -> task<void> {
    auto fails = spawn(fail_after(1s), "writer");
    static_cast<void>(co_await wait(wait_until::all_completed, fails));
  };
  EXPECT_EQ(judge(main).messages(), "unread exception: task \"writer\" failed and nobody looked: disk full\n");
}

CO_TEST(AsyncioWaitTest, CancellingTheWaiterLeavesTheTasksAlone) {
  auto slow = spawn(value_after(2s, 5));
  auto waiter = spawn(wait(wait_until::all_completed, slow));
  co_await sleep_for(1s);
  waiter.cancel();
  EXPECT_THROW(static_cast<void>(co_await waiter.join()), cancelled);
  EXPECT_EQ(now(), time_point{1s});
  EXPECT_EQ(co_await slow.join(), 5);
}

// Behaviour 22: a waiter that has gone is not woken, its timer does not hold the clock, and the task has forgotten it.
TEST(AsyncioWaitTest, ATimedOutOrCancelledWaiterLeavesNoResidue) {
  const auto main = []() -> task<void> {
    event release;
    const auto waits = [&]() -> task<void> { co_await release.wait(); };
    auto task = spawn(waits());
    for (int i = 0; i < 100; ++i) {
      EXPECT_THAT((co_await wait(wait_until::all_completed, 1ms, task)).pending, ElementsAre(0));
      auto gone = spawn(wait(wait_until::all_completed, 24h, task));
      co_await settle();
      gone.cancel();
      EXPECT_THROW(static_cast<void>(co_await gone.join()), cancelled);
    }
    EXPECT_EQ(now(), time_point{100ms});
    auto last = spawn(wait(wait_until::all_completed, 24h, task));
    release.set();
    EXPECT_THAT((co_await last.join()).done, ElementsAre(0));
    co_await task.join();
    // Were a timer left, the clock would jump to it before this is a deadlock.
    co_await wait_for_ever();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_EQ(run.verdicts[0].at, time_point{100ms});
}

// On purpose: asyncio raises ValueError. A loop that waits until none is pending needs no special case here.
CO_TEST(AsyncioWaitTest, OfNoTasksReturnsAtOnce) {
  std::vector<join_handle<void>> handles;
  EXPECT_THAT((co_await wait(wait_until::first_completed, handles)).done, IsEmpty());
}

// -- as_completed -----------------------------------------------------------------------------------------------------

CO_TEST(AsyncioAsCompletedTest, YieldsTheOriginalsInTheOrderOfTheirEnds) {
  std::vector<join_handle<int>> handles;
  for (const int each : {3, 1, 2}) handles.push_back(spawn(value_after(std::chrono::seconds(each), each)));
  as_completed ends(handles);
  EXPECT_EQ(co_await ends.next(), &handles[1]);
  EXPECT_EQ(co_await ends.next(), &handles[2]);
  EXPECT_EQ(co_await ends.next(), &handles[0]);
  EXPECT_EQ(co_await ends.next(), nullptr);
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(AsyncioAsCompletedTest, ThoseThatHaveEndedComeFirst) {
  std::vector<join_handle<int>> handles;
  handles.push_back(spawn(value_after(3s, 3)));
  handles.push_back(spawn(value_after(0s, 0)));
  handles.push_back(spawn(value_after(0s, 1)));
  co_await sleep_for(1s);
  as_completed ends(handles);
  EXPECT_EQ((co_await ends.next())->result(), 0);
  EXPECT_EQ((co_await ends.next())->result(), 1);
  EXPECT_EQ(now(), time_point{1s});
  EXPECT_EQ((co_await ends.next())->result(), 3);
}

// Behaviour 47: at the very instant, and one may go on.
CO_TEST(AsyncioAsCompletedTest, TimesOutAtTheDeadlineAndMayBeResumed) {
  std::vector<task<std::string>> works;
  works.push_back(value_after(100ms, std::string("a")));
  works.push_back(value_after(150ms, std::string("b")));
  as_completed<std::string> ends(std::move(works));
  const time_point deadline = now() + 120ms;
  EXPECT_EQ((co_await ends.next_until(deadline))->result(), "a");
  EXPECT_THROW(co_await ends.next_until(deadline), timed_out);
  EXPECT_EQ(now(), time_point{120ms});
  EXPECT_THROW(co_await ends.next_until(deadline), timed_out);
  EXPECT_EQ(now(), time_point{120ms});
  EXPECT_EQ((co_await ends.next())->result(), "b");
  EXPECT_EQ(now(), time_point{150ms});
}

CO_TEST(AsyncioAsCompletedTest, MayBeLeftAndResumed) {
  std::vector<join_handle<int>> handles;
  for (int i = 1; i <= 3; ++i) handles.push_back(spawn(value_after(std::chrono::seconds(i), i)));
  as_completed ends(handles);
  int sum = 0;
  for (int i = 0; i < 2; ++i) sum += (co_await ends.next())->result();
  EXPECT_EQ(sum, 3);
  while (join_handle<int>* const each = co_await ends.next()) sum += each->result();
  EXPECT_EQ(sum, 6);
}

CO_TEST(AsyncioAsCompletedTest, ErrorsAndCancellationsAreTheCallersToRead) {
  std::vector<join_handle<void>> handles;
  handles.push_back(spawn(fail_after(1s)));
  handles.push_back(spawn(wait_for_ever()));
  as_completed ends(handles);
  EXPECT_THROW((co_await ends.next())->result(), std::runtime_error);
  handles[1].cancel();
  EXPECT_TRUE((co_await ends.next())->was_cancelled());
}

}  // namespace
}  // namespace lockstep
