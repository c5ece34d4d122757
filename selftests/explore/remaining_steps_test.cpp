#include <lockstep/explore/remaining_steps.hpp>

#include "some_candidates.hpp"

#include <lockstep/explore/sampling.hpp>

#include <gtest/gtest.h>

namespace lockstep::detail {
namespace {

candidate at_step(identity task, std::uint32_t step) { return {task, step, operation_kind::yield, 0}; }

// Task 10 makes two steps and spawns 11, which makes three and spawns 12, which makes two.
profile family() {
  profile known;
  known.see(some_candidates{{10, 2, operation_kind::yield, 0, 0}, {11, 1, operation_kind::start, 0, 10}});
  known.see(some_candidates{{11, 3, operation_kind::yield, 0, 10}, {12, 2, operation_kind::yield, 0, 11}});
  known.end_run();
  return known;
}

TEST(RemainingStepsTest, CountsThoseOfTasksThatAreYetToBeSpawned) {
  const profile known = family();
  remaining_steps left;
  left.begin_run(known);
  EXPECT_EQ(left.see(some_candidates{at_step(10, 1)}), 7u);
  EXPECT_EQ(left.see(some_candidates{at_step(10, 2), at_step(11, 1)}), 1u + 5u);
  EXPECT_EQ(left.of(0), 1u);
  EXPECT_EQ(left.of(1), 5u);
  EXPECT_EQ(left.see(some_candidates{at_step(11, 2), at_step(12, 1)}), 2u + 2u);
  left.begin_run(known);
  EXPECT_EQ(left.see(some_candidates{at_step(10, 1)}), 7u) << "anew in each run";
}

TEST(RemainingStepsTest, WhoIsNotKnownHasOne) {
  const profile known = family();
  remaining_steps left;
  left.begin_run(known);
  EXPECT_EQ(left.see(some_candidates{at_step(99, 5), at_step(10, 20)}), 2u);
}

TEST(RemainingStepsTest, SaysWhoseAStepIs) {
  const profile known = family();
  remaining_steps left;
  left.begin_run(known);
  left.see(some_candidates{at_step(10, 2), at_step(12, 1), at_step(11, 3)});
  EXPECT_EQ(left.of(0), 1u);
  EXPECT_EQ(left.of(1), 2u);
  EXPECT_EQ(left.of(2), 1u);
  EXPECT_EQ(left.at(0), 0u);
  EXPECT_EQ(left.at(1), 1u);
  EXPECT_EQ(left.at(2), 1u);
  EXPECT_EQ(left.at(3), 2u);
}

}  // namespace
}  // namespace lockstep::detail
