#include <lockstep/explore/pilot.hpp>

#include "explored.hpp"

#include <lockstep/lockstep.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {
namespace {

searched_program tasks_of(std::vector<int> steps) {
  return [steps](std::string& outcome) -> task<void> {
    const auto write = [&outcome](char letter, int times) -> task<void> {
      for (; times > 0; --times) {
        outcome += letter;
        co_await yield();
      }
    };
    std::vector<join_handle<void>> handles;
    char letter = 'a';
    for (const int each : steps) handles.push_back(spawn(write(letter++, each)));
    for (join_handle<void>& each : handles) co_await each.join();
  };
}

double mean_weight(sim::world& world, const searched_program& program, const profile& known, std::uint64_t seed) {
  constexpr std::uint64_t runs = 48;
  pilot_sampler drawn(known);
  double sum = 0;
  for (std::uint64_t i = 0; i < runs; ++i) {
    drawn.begin(seed * runs + i);
    static_cast<void>(outcome_of_run(world, program, drawn));
    sum += drawn.weight();
  }
  return sum / runs;
}

// Of which a uniform draw nearly never makes one where the short ones are late.
TEST(PilotTest, KnowsHowManyOrdersThereAreOfTasksOfDifferentLengths) {
  sim::world world;
  const searched_program uneven = tasks_of({12, 1, 1});
  const explored all = explore_all(world, uneven, {.reduced_by = reduction::none}, 100'000);
  ASSERT_TRUE(all.complete);
  const profile known = profile_of(world, uneven);
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    EXPECT_NEAR(mean_weight(world, uneven, known, seed) / static_cast<double>(all.runs), 1, 0.5) << seed;
  }
}

TEST(PilotTest, IsNotMisledByWhatIsNotKnown) {
  sim::world world;
  const searched_program even = tasks_of({2, 2, 2});
  const explored all = explore_all(world, even, {.reduced_by = reduction::none});
  ASSERT_TRUE(all.complete);
  const profile of_another = profile_of(world, tasks_of({40, 1, 1}));
  for (const profile& known : {profile(), of_another}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      EXPECT_NEAR(mean_weight(world, even, known, seed) / static_cast<double>(all.runs), 1, 0.5) << seed;
    }
  }
}

TEST(PilotTest, DrawsInTwoWays) {
  sim::world world;
  const searched_program even = tasks_of({2, 2, 2});
  const profile known = profile_of(world, even);
  pilot_sampler drawn(known);
  std::set<std::string> outcomes;
  std::vector<std::string_view> names;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    drawn.begin(seed);
    outcomes.insert(outcome_of_run(world, even, drawn));
    if (seed <= 4) names.push_back(drawn.name());
  }
  EXPECT_EQ(names, (std::vector<std::string_view>{"uniform", "urw", "uniform", "urw"}));
  EXPECT_GT(outcomes.size(), 50u);
}

}  // namespace
}  // namespace lockstep
