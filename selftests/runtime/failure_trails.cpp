// What a report says of an exception that has gone through several tasks: where it was thrown, and the way it took.
#include "judged_run.hpp"

#include <lockstep/testing/testing.hpp>

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// "  writer failed: write_page < save, spawned in joins": the functions of the stack, innermost first.
std::vector<std::string> trail_in(const verdict& found) {
  std::vector<std::string> rows;
  for (const task_snapshot& each : found.tasks) {
    std::string row;
    for (auto parent = each.parent; parent; parent = found.tasks[*parent].parent) row += "  ";
    row += each.name;
    if (each.state == task_snapshot::condition::failed) row += " failed";
    if (each.state == task_snapshot::condition::cancelled) row += " cancelled";
    for (std::size_t i = 0; i < each.stack.size(); ++i) {
      row += fmt::format("{} {}", i == 0 ? ":" : " <", function_of(each.stack[i]));
    }
    if (each.spawned_at.line() != 0) row += fmt::format(", spawned in {}", function_of(each.spawned_at));
    if (!each.threw.empty()) row += fmt::format(" ({})", each.threw);
    rows.push_back(row);
  }
  return rows;
}

struct failed_run {
  std::vector<std::string> trail;
  std::string blamed;  // the function that the verdict names first
  std::string text;
};

// The verdict on what left the main task; or, if nothing did, the first.
failed_run fail(const std::function<task<void>()>& make) {
  sim::world world;
  world.start();
  world.drive(make());
  world.finish();
  EXPECT_TRUE(world.failure_report() || !world.verdicts().empty());
  const verdict found = world.failure_report() ? *world.failure_report() : world.verdicts().front();
  return {trail_in(found), std::string(function_of(found.where)), found.message};
}

unsigned throwing_line = 0;

task<void> write_page() {
  throwing_line = source::current().line() + 1;
  co_await sleep_for(1s);
  throw std::runtime_error("disk full");
}
task<void> save() { co_await write_page(); }
task<int> count() {
  co_await save();
  co_return 1;
}
task<void> wait_long() { co_await sleep_for(1h); }

task<void> joins() {
  auto writer = spawn(save(), "writer");
  co_await writer.join();
}

TEST(FailureTrailTest, AJoinNamesWhereTheExceptionWasThrown) {
  const std::vector<std::string> joined = {"main failed: joins",
                                           "  writer failed: write_page < save, spawned in joins"};
  const failed_run run = fail(joins);
  EXPECT_EQ(run.trail, joined);
  EXPECT_EQ(run.blamed, "write_page");
}

TEST(FailureTrailTest, TheVerdictNamesTheLineFromWhichTheTaskWentOnToThrow) {
  sim::world world;
  world.start();
  world.drive(joins());
  world.finish();
  ASSERT_TRUE(world.failure_report());
  EXPECT_EQ(world.failure_report()->where.line(), throwing_line);
}

task<void> takes_the_result() {
  auto counter = spawn(count(), "counter");
  co_await sleep_for(2s);
  static_cast<void>(counter.result());
}
task<void> calls_what_takes_the_result() { co_await takes_the_result(); }

TEST(FailureTrailTest, SoDoesTakingTheResult) {
  EXPECT_THAT(fail(calls_what_takes_the_result).trail,
              ElementsAre("main failed: takes_the_result < calls_what_takes_the_result",
                          "  counter failed: write_page < save < count, spawned in takes_the_result"));
}

task<void> reads_the_exception() {
  auto writer = spawn(save(), "writer");
  co_await sleep_for(2s);
  std::rethrow_exception(writer.exception());
}

TEST(FailureTrailTest, SoDoesThrowingTheExceptionThatWasRead) {
  EXPECT_THAT(fail(reads_the_exception).trail,
              ElementsAre("main failed: reads_the_exception",
                          "  writer failed: write_page < save, spawned in reads_the_exception"));
}

task<void> joins_what_joins() {
  auto middle = spawn(joins(), "middle");
  co_await middle.join();
}

TEST(FailureTrailTest, EachTaskOnTheWayIsNamed) {
  const failed_run run = fail(joins_what_joins);
  EXPECT_THAT(run.trail,
              ElementsAre("main failed: joins_what_joins", "  middle failed: joins, spawned in joins_what_joins",
                          "    writer failed: write_page < save, spawned in joins"));
  EXPECT_EQ(run.blamed, "write_page");
}

task<void> joins_one_more(int left) {
  if (left == 0) {
    co_await count();
  } else {
    auto next = spawn(joins_one_more(left - 1), label("task " + std::to_string(left)));
    co_await next.join();
  }
}
task<void> joins_a_long_chain() { co_await joins_one_more(1'000); }

TEST(FailureTrailTest, OfALongChainThoseAreNamedThatAreNextToWhereItWasThrown) {
  const failed_run run = fail(joins_a_long_chain);
  ASSERT_EQ(run.trail.size(), 33u);
  EXPECT_THAT(run.trail[1], testing::HasSubstr("task 32 failed"));
  EXPECT_THAT(run.trail[32], testing::HasSubstr("task 1 failed: write_page < save < count"));
  EXPECT_EQ(run.blamed, "write_page");
}

task<void> waits_for_all() {
  auto waiting = wait_long();
  auto saving = save();
  co_await when_all(std::move(waiting), std::move(saving));
}
task<void> waits_for_a_vector() {
  std::vector<task<void>> works;
  works.push_back(wait_long());
  works.push_back(save());
  co_await when_all(std::move(works));
}
task<void> waits_for_any() {
  auto waiting = wait_long();
  auto counting = count();
  co_await when_any(std::move(waiting), std::move(counting));
}

TEST(FailureTrailTest, TasksOfACombinatorAreNamed) {
  EXPECT_THAT(fail(waits_for_all).trail, ElementsAre("main failed: waits_for_all",
                                                     "  save 2 failed: write_page < save, spawned in waits_for_all"));
  EXPECT_THAT(fail(waits_for_a_vector).trail,
              ElementsAre("main failed: waits_for_a_vector",
                          "  save 2 failed: write_page < save, spawned in waits_for_a_vector"));
  EXPECT_THAT(fail(waits_for_any).trail,
              ElementsAre("main failed: waits_for_any",
                          "  count 2 failed: write_page < save < count, spawned in waits_for_any"));
}

task<void> fails_when_cancelled() {
  try {
    co_await wait_long();
  } catch (const cancelled&) {
    throw std::runtime_error("cannot close");
  }
}
task<void> two_fail(task_group& group) {
  group.spawn(fails_when_cancelled(), "first");
  group.spawn(joins(), "second");
  co_return;
}
task<void> runs_a_group() { co_await with_task_group(two_fail); }

TEST(FailureTrailTest, EachMemberOfAGroupShowsItsOwnWay) {
  const failed_run run = fail(runs_a_group);
  EXPECT_EQ(run.text, "2 tasks failed: disk full; cannot close");
  EXPECT_THAT(run.trail,
              ElementsAre("main failed: runs_a_group", "  second failed: joins, spawned in two_fail (disk full)",
                          "    writer failed: write_page < save, spawned in joins",
                          "  first failed: fails_when_cancelled, spawned in two_fail (cannot close)"));
  EXPECT_EQ(run.blamed, "write_page");
}

task<void> joins_a_group() {
  task_group group;
  group.spawn(save(), "saving");
  co_await group.join();
}

TEST(FailureTrailTest, SoDoesAGroupThatIsJoined) {
  EXPECT_THAT(fail(joins_a_group).trail,
              ElementsAre("main failed: joins_a_group",
                          "  saving failed: write_page < save, spawned in joins_a_group (disk full)"));
}

task<void> fails_beside_its_children(task_group& group) {
  group.spawn(wait_long());
  co_await joins();
}
task<void> runs_a_failing_body() { co_await with_task_group(fails_beside_its_children); }

TEST(FailureTrailTest, SoDoesTheBodyOfAGroup) {
  EXPECT_THAT(
      fail(runs_a_failing_body).trail,
      ElementsAre("main failed: runs_a_failing_body",
                  "  body of the group failed: joins < fails_beside_its_children < runs_a_failing_body (disk full)",
                  "    writer failed: write_page < save, spawned in joins"));
}

task<void> forgets_a_group() {
  task_group group;
  group.spawn(save(), "saving");
  co_await sleep_for(2s);
}

TEST(FailureTrailTest, SoDoesAGroupThatNobodyJoined) {
  const failed_run run = fail(forgets_a_group);
  EXPECT_THAT(run.trail, ElementsAre("main: forgets_a_group",
                                     "  saving failed: write_page < save, spawned in forgets_a_group (disk full)"));
  EXPECT_EQ(run.blamed, "write_page");
}

task<void> forgets_what_joins() {
  const auto forgotten = spawn(joins(), "forgotten");
  co_await sleep_for(2s);
}

TEST(FailureTrailTest, AnExceptionThatNobodyReadShowsItsWay) {
  EXPECT_THAT(fail(forgets_what_joins).trail, ElementsAre("forgotten failed: joins, spawned in forgets_what_joins",
                                                          "  writer failed: write_page < save, spawned in joins"));
}

task<void> gives_a_second() { co_await with_timeout(1s, wait_long()); }
task<void> gives_enough() { co_await with_timeout(1min, joins()); }

TEST(FailureTrailTest, ATimeoutShowsWhereTheWorkWas) {
  const failed_run run = fail(gives_a_second);
  EXPECT_EQ(run.text, "timed out after 1 s");
  EXPECT_THAT(run.trail, ElementsAre("main failed: wait_long < gives_a_second"));
}

TEST(FailureTrailTest, AnExceptionGoesThroughATimeout) {
  EXPECT_THAT(fail(gives_enough).trail,
              ElementsAre("main failed: joins < gives_enough", "  writer failed: write_page < save, spawned in joins"));
}

task<void> joins_what_it_cancelled() {
  auto waiting = spawn(wait_long(), "waiting");
  co_await settle();
  waiting.cancel();
  co_await waiting.join();
}

TEST(FailureTrailTest, ACancelledTaskShowsWhereItWas) {
  const failed_run run = fail(joins_what_it_cancelled);
  EXPECT_THAT(run.trail, ElementsAre("main cancelled: joins_what_it_cancelled",
                                     "  waiting cancelled: wait_long, spawned in joins_what_it_cancelled"));
  EXPECT_EQ(run.blamed, "joins_what_it_cancelled");
}

// Cleans up, with exceptions that come and go, before it throws the first one on.
task<void> keeps_it_while_it_cleans_up() {
  std::exception_ptr kept;
  try {
    co_await joins();
  } catch (const std::runtime_error&) {
    kept = std::current_exception();
  }
  for (int i = 0; i < 5; ++i) {
    auto server = spawn(wait_long());
    server.cancel();
    try {
      co_await server.join();
    } catch (const cancelled&) {
    }
  }
  std::rethrow_exception(kept);
}

TEST(FailureTrailTest, AnExceptionIsKnownAgainAfterACleanUp) {
  EXPECT_THAT(fail(keeps_it_while_it_cleans_up).trail,
              ElementsAre("main failed: joins < keeps_it_while_it_cleans_up",
                          "  writer failed: write_page < save, spawned in joins"));
}

task<void> throws_another() {
  try {
    co_await joins();
  } catch (const std::runtime_error&) {
  }
  throw std::invalid_argument("not that one");
}

TEST(FailureTrailTest, AnotherExceptionHasAWayOfItsOwn) {
  const failed_run run = fail(throws_another);
  EXPECT_EQ(run.text, "not that one");
  EXPECT_THAT(run.trail, ElementsAre("main failed: throws_another"));
}

struct holds_something {
  std::shared_ptr<int> held;
};

task<void> throw_it(std::shared_ptr<int> held) {
  co_await yield();
  throw holds_something{std::move(held)};
}

CO_TEST(FailureTrailTest, AnExceptionThatWasCaughtDiesWithItsHandler) {
  const auto held = std::make_shared<int>(1);
  try {
    co_await throw_it(held);
  } catch (const holds_something&) {
    EXPECT_GT(held.use_count(), 1);
  }
  EXPECT_EQ(held.use_count(), 1);
}

// -- destructors that throw -------------------------------------------------------------------------------------------

struct throws_when_it_dies {
  ~throws_when_it_dies() noexcept(false) { throw std::runtime_error("cannot close"); }
};

task<void> holds_one_that_throws() {
  const throws_when_it_dies local;
  co_await sleep_until(time_point::max());
}

task<void> awaits_it() { co_await holds_one_that_throws(); }

task<void> drops_it() {
  auto handle = spawn(awaits_it());
  co_await yield();
}

TEST(FailureTrailDeathTest, ADestructorThatThrowsWhenItsTaskIsDestroyedEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(judge(drops_it),
               "a destructor threw while holds_one_that_throws.. was destroyed before its end: cannot "
               "close");
}

task<void> leaves_it_in_order() {
  const throws_when_it_dies local;
  co_await yield();
}

CO_TEST(FailureTrailTest, ADestructorThatThrowsAtTheEndOfItsScopeIsAnExceptionAsAnyOther) {
  EXPECT_THROW(co_await leaves_it_in_order(), std::runtime_error);
}

}  // namespace
}  // namespace lockstep
