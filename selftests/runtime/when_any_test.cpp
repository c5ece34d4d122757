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

task<int&> refer_after(duration delay, int& target) {
  co_await sleep_for(delay);
  co_return target;
}

CO_TEST(WhenAnyTest, ReturnsWhichWasFirstAndItsValue) {
  const auto first = co_await when_any(value_after(3s, 1), value_after(1s, std::string("two")), value_after(2s, 3.0));
  EXPECT_EQ(first.index, 1u);
  EXPECT_EQ(first.value.index(), 1u);
  EXPECT_EQ(std::get<1>(first.value), "two");
  EXPECT_EQ(now(), time_point{1s});
}

CO_TEST(WhenAnyTest, OfSeveralAtOneInstantTheFirstToFinishWins) {
  const auto first = co_await when_any(value_after(2s, 0), value_after(1s, 1), value_after(1s, 2));
  EXPECT_EQ(first.index, 1u);
}

CO_TEST(WhenAnyTest, GivesMonostateForVoidAndMovesAndRefers) {
  std::string log;
  const auto nothing = []() -> task<void> { co_return; };
  EXPECT_EQ((co_await when_any(until_cancelled<int>(log), nothing())).value.index(), 1u);
  const auto make_pointer = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
  auto moved = co_await when_any(make_pointer(), until_cancelled<int>(log));
  EXPECT_EQ(*std::get<0>(moved.value), 7);
  int target = 1;
  const auto referred = co_await when_any(refer_after(1s, target), until_cancelled<int>(log));
  EXPECT_EQ(&std::get<0>(referred.value).get(), &target);
}

CO_TEST(WhenAnyTest, TakesAVector) {
  std::vector<task<int>> works;
  for (int i = 0; i < 5; ++i) works.push_back(value_after(duration(10 - i), i));
  const first_among<int> first = co_await when_any(std::move(works));
  EXPECT_EQ(first.index, 4u);
  EXPECT_EQ(first.value, 4);

  std::vector<task<void>> nothings;
  nothings.push_back(pass(2s));
  nothings.push_back(pass(1s));
  EXPECT_EQ((co_await when_any(std::move(nothings))).index, 1u);

  int target = 1;
  std::vector<task<int&>> references;
  references.push_back(refer_after(1s, target));
  EXPECT_EQ(&(co_await when_any(std::move(references))).value.get(), &target);
}

TEST(WhenAnyTest, OfNothingIsMisuse) {
  const auto main = []() -> task<void> {
    EXPECT_THROW(static_cast<void>(co_await when_any(std::vector<task<int>>())), misuse);
  };
  const judged_run run = judge(main);
  EXPECT_EQ(run.messages(), "misuse: when_any() of no tasks would wait for ever\n");
  EXPECT_EQ(file_of(run.verdicts[0].where), "when_any_test.cpp");
}

CO_TEST(WhenAnyTest, CancelsTheLosersAndWaitsForTheirEnd) {
  std::string log;
  const auto first =
      co_await when_any(until_cancelled<int>(log, 4s), value_after(1s, 7), until_cancelled<int>(log, 2s));
  EXPECT_EQ(std::get<1>(first.value), 7);
  EXPECT_EQ(log, "[another task of when_any was first][another task of when_any was first]");
  EXPECT_EQ(now(), time_point{5s});
}

CO_TEST(WhenAnyTest, ThrowsIfTheFirstFailed) {
  std::string log;
  EXPECT_THROW(co_await when_any(until_cancelled<int>(log, 2s), fail_after<int>(1s, "disk full")), std::runtime_error);
  EXPECT_EQ(log, "[another task of when_any was first]");
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(WhenAnyTest, ThrowsIfTheFirstWasCancelled) {
  const auto gives_up = []() -> task<int> {
    co_await sleep_for(1s);
    throw cancelled("enough");
  };
  EXPECT_THROW(co_await when_any(gives_up(), value_after(2s, 1)), cancelled);
  EXPECT_EQ(now(), time_point{1s});
  co_await yield();
}

CO_TEST(WhenAnyTest, ALoserThatReturnsAllTheSameIsDropped) {
  const auto stubborn = []() -> task<int> {
    try {
      co_await sleep_until(time_point::max());
    } catch (const cancelled&) {
    }
    co_return 5;
  };
  EXPECT_EQ((co_await when_any(stubborn(), value_after(1s, 7))).index, 1u);
}

TEST(WhenAnyTest, ALoserThatFailsIsAVerdict) {
  std::size_t index = 0;
  const auto main = [&]() -> task<void> {
    const auto fails = []() -> task<int> {
      try {
        co_await sleep_until(time_point::max());
      } catch (const cancelled&) {
      }
      throw std::runtime_error("flush failed");
    };
    index = (co_await when_any(fails(), value_after(1s, 7))).index;
  };
  const judged_run run = judge(main);
  EXPECT_EQ(index, 1u);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::unread_exception));
  EXPECT_THAT(run.verdicts[0].message, HasSubstr("flush failed"));
}

CO_TEST(WhenAnyTest, CancellingTheCallerCancelsAllAndWaits) {
  std::string log;
  auto both = when_any(until_cancelled<int>(log, 3s), until_cancelled<int>(log, 1s));
  EXPECT_THROW(co_await shut_down_in_a_second(std::move(both)), cancelled);
  EXPECT_EQ(log, "[shutdown][shutdown]");
  EXPECT_EQ(now(), time_point{4s});
}

// The first has ended and woken the caller, which is cancelled before it runs.
CO_TEST(WhenAnyTest, ACancellationRightAfterTheFirstStillWaitsForTheRest) {
  std::string log;
  auto handle = spawn(when_any(value_after(1s, 7), until_cancelled<int>(log, 2s)));
  co_await settle();
  co_await sleep_for(1s);
  handle.cancel("shutdown");
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_EQ(log, "[shutdown]");
  EXPECT_EQ(now(), time_point{3s});
}

CO_TEST(WhenAnyTest, ACancellationDuringTheEndOfTheLosersIsDeliveredAfterwards) {
  std::string log;
  const auto work = [&]() -> task<void> {
    EXPECT_EQ((co_await when_any(value_after(1s, 7), until_cancelled<int>(log, 2s))).index, 0u);
    log += " returned";
    co_await yield();
    log += " unreached";
  };
  auto handle = spawn(work());
  co_await sleep_for(2s);
  handle.cancel("shutdown");
  EXPECT_THROW(co_await handle.join(), cancelled);
  EXPECT_EQ(log, "[another task of when_any was first] returned");
}

CO_TEST(WhenAnyTest, RacesAgainstASleepAsATimeoutDoes) {
  std::string log;
  const auto first = co_await when_any(until_cancelled<int>(log), pass(1s));
  EXPECT_EQ(first.index, 1u);
  EXPECT_EQ(now(), time_point{1s});
}

// The racers wait for each other, but the race ends them.
CO_TEST(WhenAnyTest, ACycleAmongItsTasksIsNotFinal) {
  mutex a;
  mutex b;
  EXPECT_EQ((co_await when_any(lock_both(a, b), lock_both(b, a), pass(1s))).index, 2u);
}

CO_TEST(WhenAnyTest, Nests) {
  std::string log;
  const auto race = co_await when_any(when_any(until_cancelled<int>(log), value_after(2s, 2)), value_after(1s, 3));
  EXPECT_EQ(race.index, 1u);
  EXPECT_EQ(log, "[another task of when_any was first]");
}

}  // namespace
}  // namespace lockstep
