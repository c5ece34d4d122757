#include "../sync/schedules.hpp"
#include "judged_run.hpp"
#include "tasks.hpp"

#include <lockstep/testing/testing.hpp>

#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

CO_TEST(SharedTaskTest, RunsOnceAndGivesEverybodyTheSameResult) {
  int runs = 0;
  const auto fetch = [&]() -> task<std::string> {
    ++runs;
    co_await sleep_for(2s);
    co_return "page";
  };
  const shared_task<std::string> shared(fetch());
  EXPECT_FALSE(shared.done());
  const shared_task<std::string> copy = shared;
  const auto [first, second] = co_await when_all(shared.get(), copy.get());
  EXPECT_EQ(first, "page");
  EXPECT_EQ(&first, &second);
  EXPECT_TRUE(copy.done());
  EXPECT_EQ(&co_await shared.get(), &first);
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(now(), time_point{2s});
}

CO_TEST(SharedTaskTest, OfVoidAndOfAReference) {
  int target = 1;
  const auto refer = [&]() -> task<int&> { co_return target; };
  const shared_task refers(refer());
  EXPECT_EQ(&co_await refers.get(), &target);
  const shared_task passes(pass(1s));
  co_await passes.get();
  EXPECT_EQ(now(), time_point{1s});
}

CO_TEST(SharedTaskTest, StartsWhenItIsFirstAwaitedOrStarted) {
  const shared_task waits(value_after(1s, 1));
  const shared_task runs(value_after(1s, 2));
  runs.start();
  runs.start();
  co_await sleep_for(2s);
  EXPECT_TRUE(runs.done());
  EXPECT_EQ(co_await waits.get(), 1);
  EXPECT_EQ(now(), time_point{3s});
  EXPECT_EQ(co_await runs.get(), 2);
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(SharedTaskTest, ThrowsWhatLeftTheWorkToEverybody) {
  const shared_task shared(fail_after<int>(1s));
  const auto both = co_await when_all_settled(shared, shared);
  EXPECT_EQ(text_of(std::get<0>(both).error()), "disk full");
  EXPECT_EQ(text_of(std::get<1>(both).error()), "disk full");
}

CO_TEST(SharedTaskTest, CombinatorsTakeItBesideTasks) {
  const shared_task shared(value_after(1s, 5));
  auto [first, other, again] = co_await when_all(shared, value_after(2s, std::string("x")), shared);
  static_assert(std::is_same_v<decltype(first), const int&>);
  EXPECT_EQ(first, 5);
  EXPECT_EQ(other, "x");
  EXPECT_EQ(again, 5);
  const auto raced = co_await when_any(wait_for_ever(), shared);
  EXPECT_EQ(raced.index, 1u);
  EXPECT_EQ(std::get<1>(raced.value), 5);
}

CO_TEST(SharedTaskTest, AWaiterThatIsCancelledLeavesTheWorkToTheOthers) {
  std::string log;
  const auto work = [&]() -> task<int> {
    co_await sleep_for(2s);
    co_return 5;
  };
  const shared_task shared(work());
  auto one = spawn(shared.get());
  auto two = spawn(shared.get());
  co_await sleep_for(1s);
  one.cancel("enough");
  EXPECT_THROW(co_await one.join(), cancelled);
  EXPECT_EQ(now(), time_point{1s});
  EXPECT_EQ(co_await two.join(), 5);
  EXPECT_EQ(now(), time_point{2s});
}

CO_TEST(SharedTaskTest, TheLastWaiterTakesTheWorkAlongAndWaitsForItsEnd) {
  std::string log;
  const shared_task shared(until_cancelled<int>(log, 3s));
  auto one = spawn(shared.get());
  auto two = spawn(shared.get());
  co_await sleep_for(1s);
  one.cancel("first");
  two.cancel("second");
  EXPECT_THROW(co_await one.join(), cancelled);
  EXPECT_EQ(now(), time_point{1s});
  EXPECT_THROW(co_await two.join(), cancelled);
  EXPECT_EQ(now(), time_point{4s});
  EXPECT_EQ(log, "[second]");
  EXPECT_TRUE(shared.done());
  EXPECT_THROW(co_await shared.get(), cancelled);
  EXPECT_EQ(current_task().cancelling(), 0u);
}

// Somebody comes between the cancellation of the last waiter and its step.
CO_TEST(SharedTaskTest, WhoComesBeforeTheLastWaiterHasLeftKeepsTheWork) {
  const shared_task shared(value_after(2s, 5));
  auto one = spawn(shared.get());
  co_await settle();
  auto two = spawn(shared.get());
  one.cancel();
  EXPECT_THROW(co_await one.join(), cancelled);
  EXPECT_EQ(co_await two.join(), 5);
}

CO_TEST(SharedTaskTest, ACancellationThatWaitedAlreadyStartsNothing) {
  bool started = false;
  const auto work = [&]() -> task<void> {
    started = true;
    co_return;
  };
  const shared_task shared(work());
  const auto waiter = [&]() -> task<void> {
    co_await shield(pass(1s));
    co_await shared.get();
  };
  auto handle = spawn(waiter());
  co_await settle();
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_FALSE(started);
  co_await shared.get();
  EXPECT_TRUE(started);
}

CO_TEST(SharedTaskTest, ATimeoutIsAWaiterLikeAnyOther) {
  std::string log;
  const shared_task shared(until_cancelled<int>(log));
  EXPECT_THROW(co_await with_timeout(1s, shared.get()), timed_out);
  EXPECT_EQ(log, "[timeout]");
}

// The way of a group to results.
CO_TEST(SharedTaskTest, AGroupSpawnsItAndTheResultIsReadAfterwards) {
  const shared_task shared(value_after(1s, 5));
  const auto body = [&](task_group& group) -> task<void> {
    group.spawn(shared.get());
    co_return;
  };
  co_await with_task_group(body);
  EXPECT_EQ(co_await shared.get(), 5);
}

CO_TEST(SharedTaskTest, IsTheSingleFlightOfACache) {
  int fetched = 0;
  std::map<std::string, shared_task<std::string>> under_way;
  const auto fetch = [&](std::string url) -> task<std::string> {
    ++fetched;
    co_await sleep_for(1s);
    co_return "page of " + url;
  };
  const auto get = [&](std::string url) -> task<std::string> {
    auto found = under_way.find(url);
    if (found == under_way.end()) found = under_way.emplace(url, shared_task(fetch(url))).first;
    const shared_task<std::string> mine = found->second;
    co_return co_await mine.get();
  };
  auto [a, b, c] = co_await when_all(get("a"), get("b"), get("a"));
  EXPECT_EQ(a + "," + b + "," + c, "page of a,page of b,page of a");
  EXPECT_EQ(fetched, 2);
}

TEST(SharedTaskTest, TheLastCopyThatDiesWhileItRunsIsAVerdict) {
  const auto main = []() -> task<void> {
    std::optional<shared_task<void>> shared(wait_for_ever());
    shared->start();
    const shared_task<void> copy = *shared;
    co_await settle();
    shared.reset();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::dropped_handle));
  EXPECT_THAT(run.verdicts[0].message, HasSubstr("wait_for_ever"));
}

TEST(SharedTaskTest, AnExceptionThatNobodyReadsIsAVerdict) {
  const auto main = []() -> task<void> {
    const shared_task shared(fail_after(1s));
    shared.start();
    co_await sleep_for(2s);
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::unread_exception));
}

TEST(SharedTaskTest, OneThatNeverStartedIsAnUnawaitedTask) {
  const auto main = []() -> task<void> {
    const shared_task shared(pass(1s));
    co_return;
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::unawaited_task));
}

TEST(SharedTaskTest, ReportsWhomItWaitsFor) {
  const auto main = []() -> task<void> {
    const shared_task shared(wait_for_ever());
    co_await shared.get();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_EQ(run.verdicts[0].tasks[0].waits_for, "join(wait_for_ever 1)");
}

// Any number comes and goes at any time: the work ends with the last, once, and nobody is left waiting.
TEST(SharedTaskTest, ComingAndGoingUnderEverySchedule) {
  under_every_schedule([]() -> task<void> {
    int runs = 0;
    int ended = 0;
    const auto work = [&]() -> task<int> {
      struct counted {
        int& of;
        ~counted() { ++of; }
      };
      ++runs;
      const counted end{ended};
      for (int i = 0; i < 4; ++i) co_await yield();
      co_return 5;
    };
    const shared_task shared(work());
    auto one = spawn(shared.get());
    auto two = spawn(shared.get());
    auto three = spawn(shared.get());
    co_await yield();
    one.cancel();
    co_await yield();
    two.cancel();
    co_await yield();
    three.cancel();
    for (auto* each : {&one, &two, &three}) {
      const auto joins = [&]() -> task<int> { co_return co_await each->join(); };
      const result<int> got = co_await as_result(joins());
      EXPECT_TRUE(got.was_cancelled() || got.value() == 5);
    }
    EXPECT_EQ(runs, ended);
    if (runs == 1) {
      EXPECT_TRUE(shared.done());
    }
    const result<const int&> last = co_await as_result(shared.get());
    EXPECT_TRUE(last.was_cancelled() || last.value() == 5);
    EXPECT_EQ(ended, runs);
    EXPECT_LE(runs, 1);
  });
}

}  // namespace
}  // namespace lockstep
