// However a race was found, what is left of it after shrinking is within one deviation of the least that makes it fail.
// Uniform samples have many deviations, and of one in five of them no deviation can be left out although others would
// do.
#include "races/races.hpp"

#include <lockstep/explore/choices.hpp>
#include <lockstep/explore/replay.hpp>
#include <lockstep/explore/shrink.hpp>
#include <lockstep/explore/strategy.hpp>
#include <lockstep/explore/world_program.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

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

}  // namespace
}  // namespace lockstep::planted
