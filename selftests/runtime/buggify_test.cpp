#include <lockstep/runtime/buggify.hpp>

#include <lockstep/explore/strategy.hpp>
#include <lockstep/explore/world_program.hpp>
#include <lockstep/lockstep.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace lockstep {
namespace {

struct chances {
  int rare = 0;
  int always = 0;
  int never = 0;
  std::string points;
};

chances pass_with(oracle* choices) {
  sim::world of;
  sim::world_options how;
  how.choices = choices;
  chances found;
  of.run(
      [&]() -> task<void> {
        for (int i = 0; i < 100; ++i) {
          found.rare += buggify("rare", 10) ? 1 : 0;
          found.always += buggify("always", 1) ? 1 : 0;
          found.never += buggify("never", 0) ? 1 : 0;
        }
        for (const fault_point& each : fault_points()) {
          found.points += each.name + " " + std::to_string(each.fired) + "/" + std::to_string(each.passed) + " ";
        }
        co_return;
      },
      how);
  return found;
}

TEST(BuggifyTest, IsFalseOutsideOfASimulation) { EXPECT_FALSE(buggify("anything", 1)); }

// Which is that of the dullest answers.
TEST(BuggifyTest, IsFalseInThePlainRunUnlessItIsTrueEveryTime) {
  const chances found = pass_with(nullptr);
  EXPECT_EQ(found.rare + found.never, 0);
  EXPECT_EQ(found.always, 100);
  EXPECT_EQ(found.points, "always 100/100 rare 0/100 ");
}

TEST(BuggifyTest, IsTrueOneTimeInSoMany) {
  const auto choices = make_oracle(schedule::random, 3);
  const chances found = pass_with(choices.get());
  EXPECT_GT(found.rare, 0);
  EXPECT_LT(found.rare, 30);
  EXPECT_EQ(found.always, 100);
  EXPECT_EQ(found.never, 0);
  EXPECT_EQ(found.points, "always 100/100 rare " + std::to_string(found.rare) + "/100 ");
}

TEST(BuggifyTest, PointsOfOtherNamesShiftNothing) {
  const auto draw = [](bool other) {
    const auto choices = make_oracle(schedule::random, 5);
    sim::world of;
    sim::world_options how;
    how.choices = choices.get();
    return of.run(
        [other]() -> task<std::uint64_t> {
          std::uint64_t bits = 0;
          for (int i = 0; i < 60; ++i) {
            if (other) buggify("other", 2);
            bits = bits << 1 | (buggify("one", 2) ? 1u : 0u);
          }
          co_return bits;
        },
        how);
  };
  EXPECT_EQ(draw(true), draw(false));
}

// A planted bug: the cache forgets to count what it evicts.
TEST(BuggifyTest, ShowsWhatHappensSeldom) {
  world_program code([]() -> task<void> {
    int cached = 3;
    int chances = 3;
    for (int i = 0; i < 3; ++i) {
      if (buggify("cache: full", 20)) --cached;
      if (cached != chances) throw std::runtime_error("the cache miscounts");
    }
    co_return;
  });
  int failed = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const auto choices = make_oracle(schedule::random, seed);
    failed += code.run(*choices, ordering::any_order).failed ? 1 : 0;
  }
  EXPECT_GT(failed, 0);
  EXPECT_LT(failed, 40);
}

}  // namespace
}  // namespace lockstep
