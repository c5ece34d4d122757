#include <lockstep/explore/fairness.hpp>

#include "explored.hpp"
#include "some_candidates.hpp"

#include <lockstep/lockstep.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace lockstep {
namespace {

candidate waits(identity task, std::uint32_t step) { return {task, step, operation_kind::yield, 0}; }

TEST(FairnessTest, WhoHasWaitedTooLongIsNext) {
  detail::fairness fair;
  fair.begin_run(10);
  std::uint32_t choices = 0;
  std::optional<std::size_t> due;
  while (!due) {
    ++choices;
    ASSERT_LE(choices, 20u);
    due = fair.due(some_candidates({waits(1, choices), waits(2, 7)}));  // the first goes on all the time
  }
  EXPECT_GE(choices, 10u);
  EXPECT_EQ(*due, 1u);
  EXPECT_FALSE(fair.due(some_candidates({waits(1, choices), waits(2, 8)})));
}

TEST(FairnessTest, AllWhoHaveWaitedAreNextInTurn) {
  detail::fairness fair;
  fair.begin_run(10);
  for (std::uint32_t choice = 1; choice < 20; ++choice) {
    EXPECT_FALSE(fair.due(some_candidates({waits(1, choice), waits(2, 1), waits(3, 1)})));
  }
  EXPECT_EQ(fair.due(some_candidates({waits(1, 20), waits(2, 1), waits(3, 1)})), 1u);
  EXPECT_EQ(fair.due(some_candidates({waits(1, 20), waits(3, 1), waits(2, 2)})), 1u);
  EXPECT_FALSE(fair.due(some_candidates({waits(1, 20), waits(2, 2), waits(3, 2)})));
}

TEST(FairnessTest, LeavesThoseAloneWhoTakeTurns) {
  detail::fairness fair;
  fair.begin_run(10);
  for (std::uint32_t choice = 1; choice < 200; ++choice) {
    EXPECT_FALSE(fair.due(some_candidates({waits(1, choice / 2), waits(2, (choice + 1) / 2)})));
  }
}

TEST(FairnessTest, KnowsNothingOfTheRunBefore) {
  detail::fairness fair;
  for (int run = 0; run < 3; ++run) {
    fair.begin_run(10);
    for (std::uint32_t choice = 1; choice < 15; ++choice) {
      EXPECT_FALSE(fair.due(some_candidates({waits(1, choice), waits(2, 1)})));
    }
  }
}

TEST(FairnessTest, ARunIsLongThatIsMuchLongerThanThePlainOne) {
  detail::fairness fair;
  fair.begin_run(detail::patience_for(4));
  EXPECT_FALSE(fair.is_long());
  for (std::uint32_t choice = 1; choice <= 2'000; ++choice) {
    fair.due(some_candidates({waits(1, choice), waits(2, choice)}));
  }
  EXPECT_TRUE(fair.is_long());
}

// Each letter between two yields.
searched_program letters_and_yields(int times) {
  return [times](std::string& outcome) -> task<void> {
    const auto write = [&outcome, times](char letter) -> task<void> {
      for (int i = 0; i < times; ++i) {
        outcome += letter;
        co_await yield();
      }
    };
    auto a = spawn(write('a'));
    auto b = spawn(write('b'));
    co_await a.join();
    co_await b.join();
  };
}

TEST(FairSystematicSearchTest, SaysWhereSomebodyWasNotLeftWaiting) {
  sim::world world;
  for (const reduction by : {reduction::none, reduction::sleep_sets, reduction::source_sets}) {
    const explored all = explore_all(world, letters_and_yields(5), {.reduced_by = by});
    EXPECT_TRUE(all.complete);
    EXPECT_FALSE(all.left_starving_out);
    const explored some = explore_all(world, letters_and_yields(5), {.reduced_by = by, .yields_max = 2});
    EXPECT_TRUE(some.complete);
    EXPECT_TRUE(some.left_starving_out);
    EXPECT_LT(some.outcomes.size(), all.outcomes.size());
    EXPECT_GT(some.outcomes.size(), 20u);
    const explored impatient =
        explore_all(world, letters_and_yields(5), {.reduced_by = by, .yields_max = 2, .patience = 3});
    EXPECT_TRUE(impatient.complete);
    EXPECT_TRUE(impatient.left_starving_out);
  }
}

// Whom the limit lets go first depends on the order of steps that are independent.
TEST(FairSystematicSearchTest, LeavesNothingElseOutByReduction) {
  sim::world world;
  const searched_program three = [](std::string& outcome) -> task<void> {
    const auto write = [&outcome](char letter, int yields) -> task<void> {
      outcome += letter;
      for (int i = 0; i < yields; ++i) {
        co_await yield();
        outcome += letter;
      }
    };
    co_await when_all(write('a', 3), write('b', 1), write('c', 1));
  };
  const explored all = explore_all(world, three, {.reduced_by = reduction::none, .yields_max = 1});
  EXPECT_TRUE(all.left_starving_out);
  for (const reduction by : {reduction::sleep_sets, reduction::source_sets}) {
    const explored some = explore_all(world, three, {.reduced_by = by, .yields_max = 1});
    EXPECT_EQ(some.outcomes, all.outcomes) << static_cast<int>(by);
  }
}

// Whoever looks knows how often the loop was repeated before, up to the limit.
TEST(FairSystematicSearchTest, EndsWhereALoopWaitsForAnother) {
  sim::world world;
  const searched_program wait = [](std::string& outcome) -> task<void> {
    bool set = false;
    const auto loop = [&]() -> task<void> {
      int times = 0;
      while (!set) {
        co_await yield();
        ++times;
      }
      outcome += std::to_string(times);
    };
    const auto end_it = [&]() -> task<void> {
      set = true;
      co_return;
    };
    auto first = spawn(loop());
    auto second = spawn(end_it());
    co_await first.join();
    co_await second.join();
  };
  for (const reduction by : {reduction::none, reduction::sleep_sets, reduction::source_sets}) {
    const explored all = explore_all(world, wait, {.reduced_by = by});
    EXPECT_TRUE(all.complete);
    EXPECT_TRUE(all.left_starving_out);
    EXPECT_GE(all.outcomes.size(), 17u);
    EXPECT_LT(all.outcomes.size(), 50u);
    EXPECT_EQ(all.outcomes.count("0"), 1u);
    EXPECT_EQ(all.outcomes.count("16"), 1u);
  }
}

}  // namespace
}  // namespace lockstep
