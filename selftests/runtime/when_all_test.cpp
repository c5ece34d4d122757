#include "judged_run.hpp"
#include "tasks.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

task<int> stubborn() {
  try {
    co_await sleep_until(time_point::max());
  } catch (const cancelled&) {
  }
  co_return 5;
}
task<int&> reference_after(duration delay, int& target) {
  co_await sleep_for(delay);
  co_return target;
}

CO_TEST(WhenAllTest, ReturnsTheResultsInTheOrderOfTheArguments) {
  auto [a, b, c] = co_await when_all(value_after(3s, 1), value_after(1s, std::string("two")), value_after(2s, 3.0));
  EXPECT_EQ(a, 1);
  EXPECT_EQ(b, "two");
  EXPECT_EQ(c, 3.0);
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(WhenAllTest, StartsThemInTheOrderOfTheArguments) {
  std::string order;
  const auto work = [&](char name) -> task<void> {
    order += name;
    co_await yield();
    order += name;
  };
  co_await when_all(work('a'), work('b'), work('c'));
  EXPECT_EQ(order, "abcabc");
}

CO_TEST(WhenAllTest, GivesMonostateForVoidAndMovesAndRefers) {
  int target = 1;
  auto pointer_work = value_after(1s, std::string());
  const auto make_pointer = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
  const auto nothing = []() -> task<void> { co_return; };
  std::tuple<std::monostate, std::unique_ptr<int>, int&, std::string> all =
      co_await when_all(nothing(), make_pointer(), reference_after(1s, target), std::move(pointer_work));
  EXPECT_EQ(*std::get<1>(all), 7);
  std::get<2>(all) = 2;
  EXPECT_EQ(target, 2);
}

CO_TEST(WhenAllTest, OfOneTaskIsThatTask) {
  auto [only] = co_await when_all(value_after(1s, 1));
  EXPECT_EQ(only, 1);
}

CO_TEST(WhenAllTest, TakesAVector) {
  std::vector<task<int>> works;
  for (int i = 0; i < 5; ++i) works.push_back(value_after(duration(10 - i), i));
  EXPECT_THAT(co_await when_all(std::move(works)), ElementsAre(0, 1, 2, 3, 4));

  std::vector<task<std::unique_ptr<int>>> movable;
  const auto make_pointer = [](int value) -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(value); };
  movable.push_back(make_pointer(1));
  movable.push_back(make_pointer(2));
  EXPECT_EQ(*(co_await when_all(std::move(movable)))[1], 2);

  int done = 0;
  const auto count = [&]() -> task<void> {
    co_await yield();
    ++done;
  };
  std::vector<task<void>> nothings;
  nothings.push_back(count());
  nothings.push_back(count());
  co_await when_all(std::move(nothings));
  EXPECT_EQ(done, 2);

  int target = 1;
  std::vector<task<int&>> references;
  references.push_back(reference_after(1s, target));
  const std::vector<std::reference_wrapper<int>> referred = co_await when_all(std::move(references));
  EXPECT_EQ(&referred[0].get(), &target);
}

CO_TEST(WhenAllTest, OfNothingIsNothing) {
  EXPECT_THAT(co_await when_all(std::vector<task<int>>()), IsEmpty());
  co_await when_all(std::vector<task<void>>());
  EXPECT_EQ(now(), time_point{});
}

CO_TEST(WhenAllTest, TheFirstFailureCancelsTheOthersAndIsThrownWhenAllHaveEnded) {
  std::string log;
  std::string thrown;
  try {
    co_await when_all(until_cancelled<int>(log, 4s), fail_after<int>(1s, "disk full"), until_cancelled<int>(log, 2s));
  } catch (const std::runtime_error& why) {
    thrown = why.what();
  }
  EXPECT_EQ(thrown, "disk full");
  EXPECT_EQ(log, "[another task of when_all failed][another task of when_all failed]");
  EXPECT_EQ(now(), time_point{5s});
}

CO_TEST(WhenAllTest, OfAVectorFailsTheSameWay) {
  std::string log;
  std::vector<task<int>> works;
  works.push_back(until_cancelled<int>(log, 1s));
  works.push_back(fail_after<int>(1s, "disk full"));
  EXPECT_THROW(co_await when_all(std::move(works)), std::runtime_error);
  EXPECT_EQ(log, "[another task of when_all failed]");
  EXPECT_EQ(now(), time_point{2s});
}

CO_TEST(WhenAllTest, ASuccessBesideAFailureIsDropped) {
  EXPECT_THROW(co_await when_all(value_after(1s, 1), fail_after<int>(1s, "x"), value_after(0s, 1)), std::runtime_error);
  EXPECT_EQ(now(), time_point{1s});
}

// The caller has no way to look at it.
TEST(WhenAllTest, ASecondFailureIsNoVerdict) {
  std::string thrown;
  const auto main = [&]() -> task<void> {
    const auto fails_in_clean_up = []() -> task<int> {
      try {
        co_await sleep_until(time_point::max());
      } catch (const cancelled&) {
      }
      throw std::runtime_error("flush failed");
    };
    try {
      co_await when_all(fails_in_clean_up(), fail_after<int>(1s, "disk full"));
    } catch (const std::runtime_error& why) {
      thrown = why.what();
    }
  };
  const judged_run run = judge(main);
  EXPECT_EQ(thrown, "disk full");
  EXPECT_EQ(run.messages(), "");
}

// The same at one instant: both have failed before the caller runs again.
TEST(WhenAllTest, OfTwoFailuresAtOneInstantTheFirstIsThrown) {
  std::string thrown;
  const auto main = [&]() -> task<void> {
    std::vector<task<int>> works;
    works.push_back(fail_after<int>(1s, "first"));
    works.push_back(fail_after<int>(1s, "second"));
    try {
      co_await when_all(std::move(works));
    } catch (const std::runtime_error& why) {
      thrown = why.what();
    }
  };
  const judged_run run = judge(main);
  EXPECT_EQ(thrown, "first");
  EXPECT_EQ(run.messages(), "");
}

CO_TEST(WhenAllTest, AChildThatIsCancelledEndsTheRest) {
  std::string log;
  const auto gives_up = [&]() -> task<int> {
    co_await sleep_for(1s);
    throw cancelled("enough");
  };
  try {
    co_await when_all(gives_up(), until_cancelled<int>(log));
    ADD_FAILURE();
  } catch (const cancelled&) {
  }
  EXPECT_EQ(log, "[another task of when_all failed]");
  EXPECT_EQ(current_task().cancelling(), 0u);
  co_await yield();  // the caller itself was not cancelled
}

CO_TEST(WhenAllTest, CancellingTheCallerCancelsAllAndWaits) {
  std::string log;
  const auto work = [&]() -> task<void> {
    co_await when_all(until_cancelled<int>(log, 3s), until_cancelled<int>(log, 1s));
  };
  auto handle = spawn(work());
  co_await sleep_for(1s);
  handle.cancel("shutdown");
  try {
    co_await handle.join();
    ADD_FAILURE();
  } catch (const cancelled& why) {
    EXPECT_EQ(why.reason(), "shutdown");
  }
  EXPECT_EQ(log, "[shutdown][shutdown]");
  EXPECT_EQ(now(), time_point{4s});
}

CO_TEST(WhenAllTest, TheCancellationOfTheCallerStandsEvenIfAllReturn) {
  const auto work = []() -> task<void> { co_await when_all(stubborn(), stubborn()); };
  auto handle = spawn(work());
  co_await settle();
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
}

TEST(WhenAllTest, AFailureDuringTheCancellationOfTheCallerIsAVerdict) {
  const auto main = []() -> task<void> {
    const auto fails = []() -> task<int> {
      try {
        co_await sleep_until(time_point::max());
      } catch (const cancelled&) {
      }
      throw std::runtime_error("flush failed");
    };
    auto handle = spawn(when_all(fails(), stubborn()));
    co_await settle();
    handle.cancel();
    EXPECT_THROW(co_await handle.join(), cancelled);
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::unread_exception));
  EXPECT_THAT(run.verdicts[0].message, HasSubstr("flush failed"));
}

// The first failure has woken the caller, which is cancelled before it runs: the others must still end in order.
CO_TEST(WhenAllTest, ACancellationRightAfterAFailureStillWaitsForTheRest) {
  std::string log;
  const auto gives_up = []() -> task<int> {
    co_await sleep_for(1s);
    throw cancelled("enough");
  };
  auto handle = spawn(when_all(gives_up(), until_cancelled<int>(log, 2s)));
  co_await settle();
  co_await sleep_for(1s);
  EXPECT_TRUE(handle.cancel("shutdown"));
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_EQ(log, "[another task of when_all failed]");
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(WhenAllTest, ACancellationThatWaitedAlreadyLeavesNothingBehind) {
  bool started = false;
  const auto child = [&]() -> task<void> {
    started = true;
    co_return;
  };
  const auto work = [&]() -> task<void> {
    co_await shield(pass(1s));
    co_await when_all(child(), child());
  };
  auto handle = spawn(work());
  co_await settle();
  handle.cancel();
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_FALSE(started);
}

CO_TEST(WhenAllTest, TakesATimeout) {
  std::string log;
  EXPECT_THROW(co_await with_timeout(1s, when_all(until_cancelled<int>(log), until_cancelled<int>(log))), timed_out);
  EXPECT_EQ(log, "[timeout][timeout]");
  EXPECT_EQ(now(), time_point{1s});
}

CO_TEST(WhenAllTest, Nests) {
  auto [inner, last] = co_await when_all(when_all(value_after(1s, 1), value_after(2s, 2)), value_after(1s, 3));
  EXPECT_EQ(std::get<1>(inner), 2);
  EXPECT_EQ(last, 3);
}

TEST(WhenAllTest, ATaskThatWasMovedFromIsMisuseAndTheOthersLeaveQuietly) {
  const auto main = []() -> task<void> {
    auto gone = value_after(1s, 1);
    const auto taken = std::move(gone);
    try {
      co_await when_all(value_after(1s, 2), std::move(gone), value_after(1s, 3));
    } catch (const misuse&) {
    }
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::misuse, verdict_kind::unawaited_task));
}

CO_TEST(WhenAllTest, NamesItsTasksByTheLineOfTheCaller) {
  source seen;
  const auto look = [&]() -> task<void> {
    seen = current_task().spawned_at();
    co_return;
  };
  const auto line = source::current().line() + 1;
  co_await when_all(look());
  EXPECT_EQ(seen.line(), line);
  EXPECT_EQ(file_of(seen), "when_all_test.cpp");
}

TEST(WhenAllTest, ReportsWhomItWaitsFor) {
  const auto main = []() -> task<void> {
    event never("never");
    const auto wait = [&]() -> task<void> { co_await never.wait(); };
    co_await when_all(wait(), wait());
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  ASSERT_EQ(run.verdicts[0].tasks.size(), 3u);
  EXPECT_EQ(run.verdicts[0].tasks[0].waits_for, "join(lambda 1, lambda 2)");
  EXPECT_EQ(run.verdicts[0].tasks[1].parent, 0u);
}

}  // namespace
}  // namespace lockstep
