#include <lockstep/explore/estimate.hpp>

#include "searched_programs.hpp"

#include <lockstep/explore/observed.hpp>
#include <lockstep/explore/pilot.hpp>
#include <lockstep/explore/systematic.hpp>

#include <gtest/gtest.h>

namespace lockstep {
namespace {

TEST(EstimateTest, IsTheMeanOfWhatTheRunsStandFor) {
  space_estimate estimate;
  estimate.add(8, 2);
  estimate.add(4, 4);
  EXPECT_EQ(estimate.interleavings(), 6);
  EXPECT_EQ(estimate.classes(), 2.5);
  space_estimate unknown;
  unknown.add(8, std::nullopt);
  EXPECT_FALSE(unknown.classes());
}

TEST(EstimateTest, ComesCloseToWhatASearchCounts) {
  for (task<void> (*const main)() :
       {searched::loses_an_update, searched::keeps_all_updates, searched::locks_in_opposite_orders}) {
    world_program code(main);
    systematic_search all;
    double interleavings = 0;
    while (all.begin_run()) {
      code.run(all, ordering::any_order);
      all.end_run();
      if (!all.gave_up()) interleavings += all.steps().orders().value_or(0);
    }
    const profile known;
    pilot_sampler drawn(known);
    observed_choices observed;
    space_estimate estimate;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      drawn.begin(seed);
      observed.begin(&drawn);
      code.run(observed, ordering::any_order);
      observed.end_run();
      estimate.add(drawn.weight(), observed.causes().orders());
    }
    const auto classes = static_cast<double>(all.runs());
    EXPECT_NEAR(estimate.classes().value_or(0) / classes, 1, 0.5);
    EXPECT_NEAR(estimate.interleavings() / interleavings, 1, 0.5);
  }
}

}  // namespace
}  // namespace lockstep
