#include <lockstep/explore/fairness.hpp>

#include "some_candidates.hpp"

#include <gtest/gtest.h>

#include <optional>

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

}  // namespace
}  // namespace lockstep
