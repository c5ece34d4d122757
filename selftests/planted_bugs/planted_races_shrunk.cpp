// However a race was found, what is left of it after shrinking is within one deviation of the least that makes it fail.
// Uniform samples have many deviations, and of one in five of them no deviation can be left out although others would
// do.
#include "races/races.hpp"

#include <lockstep/explore/choices.hpp>
#include <lockstep/explore/explain.hpp>
#include <lockstep/explore/observed.hpp>
#include <lockstep/explore/replay.hpp>
#include <lockstep/explore/shrink.hpp>
#include <lockstep/explore/strategy.hpp>
#include <lockstep/explore/world_program.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lockstep::planted {
namespace {

// The first run from that seed on that fails.
struct failing_sample {
  std::uint64_t seed;
  std::string signature;
  token run;
};
std::optional<failing_sample> failing_from(program& code, std::uint64_t seed) {
  constexpr std::uint64_t samples_max = 2'000;
  for (const std::uint64_t end = seed + samples_max; seed < end; ++seed) {
    const std::unique_ptr<oracle> drawn = make_oracle(schedule::random, seed);
    logged_choices choices(drawn.get());
    const run_result result = code.run(choices, ordering::any_order);
    if (!result.failed) continue;
    return failing_sample{seed, result.signature, token_of_answers(code, 0, ordering::any_order, choices.answers())};
  }
  return std::nullopt;
}

TEST(PlantedRacesShrunk, AreWithinOneDeviationOfTheLeast) {
  constexpr int failures_each = 20;
  for (const planted_race& each : planted_races()) {
    world_program code(each.buggy);
    std::uint64_t seed = 0;
    for (int i = 0; i < failures_each; ++i) {
      const std::optional<failing_sample> found = failing_from(code, seed + 1);
      ASSERT_TRUE(found) << each.name << ", seeds from " << seed + 1;
      seed = found->seed;
      SCOPED_TRACE(fmt::format("{}, seed {}", each.name, seed));
      const shrunk_run shrunk = shrink(code, found->run, found->signature);
      const std::size_t left = shrunk.replay.task_overrides.size() + shrunk.replay.value_overrides.size();
      EXPECT_GE(left, each.least_deviations);
      EXPECT_LE(left, each.least_deviations + 1);
      EXPECT_TRUE(shrunk.finished);
      EXPECT_LT(shrunk.runs, 150u);  // nearly all take less than 20
      guided_oracle again(shrunk.replay);
      EXPECT_EQ(code.run(again, ordering::any_order).signature, found->signature);
    }
  }
}

// Whether the one was made before the other, or before an attempt at it, which has the same record; or the other never.
bool in_that_order(const std::vector<observed_choices::step>& run, const named_step& one, const named_step& other) {
  const auto is = [](const named_step& wanted) {
    return
        [wanted](const observed_choices::step& each) { return each.task == wanted.task && each.record == wanted.nth; };
  };
  const auto first = std::find_if(run.begin(), run.end(), is(one));
  if (first == run.end()) return false;
  return std::find_if(first, run.end(), is(other)) != run.end() || std::none_of(run.begin(), run.end(), is(other));
}

TEST(PlantedRacesShrunk, AreExplainedByWhatWasSeenInBothOrders) {
  constexpr int failures_each = 5;
  int explained = 0;
  int all = 0;
  for (const planted_race& each : planted_races()) {
    world_program code(each.buggy);
    std::uint64_t seed = 0;
    for (int i = 0; i < failures_each; ++i) {
      const std::optional<failing_sample> found = failing_from(code, seed + 1);
      ASSERT_TRUE(found) << each.name;
      seed = found->seed;
      SCOPED_TRACE(fmt::format("{}, seed {}", each.name, seed));
      const token failing = shrink(code, found->run, found->signature).replay;
      ++all;
      const std::optional<deciding_pair> pair = explain(code, failing);
      if (!pair) continue;
      ++explained;
      const auto steps_of = [&](const token& of, bool fails) {
        guided_oracle guided(of);
        observed_choices observed;
        observed.begin(&guided);
        EXPECT_EQ(code.run(observed, ordering::any_order).failed, fails);
        return observed.steps();
      };
      EXPECT_TRUE(in_that_order(steps_of(failing, true), pair->first, pair->second));
      const std::vector<observed_choices::step> passing = steps_of(pair->passing, false);
      EXPECT_TRUE(in_that_order(passing, pair->second, pair->first));
    }
  }
  EXPECT_GT(explained, all * 3 / 4) << "of " << all;
}

}  // namespace
}  // namespace lockstep::planted
