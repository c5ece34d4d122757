// Each planted race passes in plain order, fails as it says in some order that a seed finds, and has a twin that passes
// in all that are tried here. That no other order makes the twin fail is for the search to prove.
#include "races/races.hpp"

#include <lockstep/explore/strategy.hpp>
#include <lockstep/sim/world.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace lockstep::planted {
namespace {

void run(sim::world& world, task<void> (*program)(), schedule strategy, std::uint64_t seed) {
  const std::unique_ptr<oracle> choices = make_oracle(strategy, seed);
  sim::world_options how;
  how.choices = choices.get();
  world.start(how);
  world.drive(program());
  world.finish();
}

// What is wrong with one run, a line each: the kinds and messages of its verdicts, and what left the main task.
std::string trouble_of(sim::world& world, task<void> (*program)(), schedule strategy, std::uint64_t seed = 0) {
  run(world, program, strategy, seed);
  std::string trouble;
  for (const verdict& each : world.verdicts()) trouble += fmt::format("{}: {}\n", name_of(each.kind), each.message);
  if (const auto& failure = world.failure_report(); failure.has_value()) {
    trouble += fmt::format("{}: {}\n", name_of(failure->kind), failure->message);
  }
  return trouble;
}

// Whether the trouble is the failure that is announced. What unwinds on the way may be a verdict of its own.
bool is_announced(const planted_race& of, const std::string& trouble) {
  const bool deadlocks = trouble.find("deadlock: ") == 0;
  return deadlocks == of.deadlocks && trouble.find(of.failure) != std::string::npos;
}

TEST(PlantedRacesTest, HasEachNameOnce) {
  std::set<std::string_view> names;
  for (const planted_race& each : planted_races()) {
    EXPECT_TRUE(names.insert(each.name).second) << each.name;
    EXPECT_GE(each.least_deviations, 1u) << each.name;
  }
}

TEST(PlantedRacesTest, PassesInPlainOrder) {
  sim::world world;
  for (const planted_race& each : planted_races()) {
    SCOPED_TRACE(std::string(each.name));
    EXPECT_EQ(trouble_of(world, each.buggy, schedule::plain), "");
    EXPECT_EQ(trouble_of(world, each.fixed, schedule::plain), "");
  }
}

TEST(PlantedRacesTest, FailsAsAnnouncedForSomeSeed) {
  constexpr std::uint64_t seeds = 2000;
  sim::world world;
  std::string table;
  bool all_found = true;
  for (const planted_race& each : planted_races()) {
    SCOPED_TRACE(std::string(each.name));
    std::uint64_t found_at = 0;
    for (std::uint64_t seed = 1; seed <= seeds && found_at == 0; ++seed) {
      const std::string trouble = trouble_of(world, each.buggy, schedule::random, seed);
      if (trouble.empty()) continue;
      found_at = seed;
      EXPECT_TRUE(is_announced(each, trouble)) << trouble;
    }
    all_found &= found_at != 0;
    table += fmt::format("{:32} {}\n", each.name, found_at == 0 ? "never" : fmt::format("seed {}", found_at));
  }
  EXPECT_TRUE(all_found) << table;
}

TEST(PlantedRacesTest, HasFixedTwinsThatPass) {
  sim::world world;
  for (const planted_race& each : planted_races()) {
    SCOPED_TRACE(std::string(each.name));
    EXPECT_EQ(trouble_of(world, each.fixed, schedule::round_robin), "");
    for (std::uint64_t seed = 1; seed <= 300 && !testing::Test::HasFailure(); ++seed) {
      EXPECT_EQ(trouble_of(world, each.fixed, schedule::random, seed), "") << "seed " << seed;
    }
  }
}

TEST(PlantedRacesTest, DependsOnNothingButTheOracle) {
  const auto hashes = [](sim::world& world) {
    std::vector<std::uint64_t> found;
    for (const planted_race& each : planted_races()) {
      for (const auto program : {each.buggy, each.fixed}) {
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
          run(world, program, schedule::random, seed);
          found.push_back(world.summary().trace_hash);
        }
      }
    }
    return found;
  };
  sim::world world;
  const std::vector<std::uint64_t> first = hashes(world);
  EXPECT_EQ(hashes(world), first);
}

}  // namespace
}  // namespace lockstep::planted
