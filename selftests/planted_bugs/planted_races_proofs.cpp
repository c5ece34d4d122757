// The exhaustive search finds each planted race, and proves of each fixed twin that no order makes it fail: with plain
// variables, of which the search knows nothing, and so with every order of the steps that run a program's own code.
#include "races/races.hpp"

#include <lockstep/explore/systematic.hpp>
#include <lockstep/sim/world.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace lockstep::planted {
namespace {

// Makes the next run; whether it failed, and as announced. What unwinds on the way may be a verdict of its own.
struct run_of_race {
  bool failed = false;
  bool as_announced = false;
};
run_of_race make_run(sim::world& world, const planted_race& of, task<void> (*program)(), systematic_search& search) {
  sim::world_options how;
  how.choices = &search;
  world.start(how);
  world.drive(program());
  world.finish();
  search.end_run();
  run_of_race made;
  const auto judge = [&](verdict_kind kind, const std::string& message) {
    made.failed = true;
    if (of.deadlocks == (kind == verdict_kind::deadlock) && message.find(of.failure) != std::string::npos) {
      made.as_announced = true;
    }
  };
  for (const verdict& each : world.verdicts()) judge(each.kind, each.message);
  if (const auto& failure = world.failure_report(); failure.has_value()) judge(failure->kind, failure->message);
  return made;
}

TEST(PlantedRacesProofs, FindTheFailureOfEachBuggyProgram) {
  constexpr std::uint64_t runs_max = 20'000;
  sim::world world;
  for (const planted_race& each : planted_races()) {
    SCOPED_TRACE(std::string(each.name));
    systematic_search search;
    run_of_race made;
    while (!made.failed && search.runs() + search.given_up() < runs_max && search.begin_run()) {
      made = make_run(world, each, each.buggy, search);
    }
    EXPECT_TRUE(made.as_announced) << search.runs() << " runs";
  }
}

// Two are too large to be proven here: of those, the first runs do not fail.
TEST(PlantedRacesProofs, FindNoFailureOfAnyFixedProgram) {
  constexpr std::uint64_t runs_max = 2'000;
  sim::world world;
  std::string unproven;
  for (const planted_race& each : planted_races()) {
    SCOPED_TRACE(std::string(each.name));
    systematic_search search;
    bool all = false;
    bool failed = false;
    while (!failed && search.runs() + search.given_up() < runs_max) {
      if (!search.begin_run()) {
        all = true;
        break;
      }
      failed = make_run(world, each, each.fixed, search).failed;
    }
    EXPECT_FALSE(failed || search.departed() || search.left_values_out());
    if (!all) unproven += fmt::format(" {}", each.name);
  }
  EXPECT_EQ(unproven, " one_condition_for_two reply_of_another");
}

}  // namespace
}  // namespace lockstep::planted
