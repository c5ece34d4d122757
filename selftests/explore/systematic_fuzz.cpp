// Whether the systematic search leaves anything out, or makes anything twice: on random programs, compared with the
// search that leaves nothing out.
//
// Three things must hold of each program. All searches see the same outcomes. Those by source sets and by sleep sets
// make each class of runs once, also if several searches share the work. And the classes together stand for as many
// orders of steps as there are: if a step's touch were not reported, a class would be missing, and if the orders were
// counted wrong, the sum would be. And where nobody may wait for long, the search leaves nothing out, or says so.
#include "../base/sanitizers.hpp"
#include "explored.hpp"
#include "small_programs.hpp"

#include <lockstep/explore/choices.hpp>

#include <gtest/gtest.h>

#include <cstdlib>

namespace lockstep {
namespace {

using small::program;

struct totals {
  std::uint64_t programs = 0;
  std::uint64_t too_large = 0;
  std::uint64_t orders = 0;
  std::uint64_t classes = 0;
  std::uint64_t conservative = 0;
  std::uint64_t patient = 0;  // searches that had a limit to who waits, and never came to it
};

std::string first_missing(const explored& all, const explored& reduced) {
  for (const std::string& each : all.outcomes) {
    if (!reduced.outcomes.contains(each)) return "lacks " + each;
  }
  for (const std::string& each : reduced.outcomes) {
    if (!all.outcomes.contains(each)) return "has but should not " + each;
  }
  return {};
}

explored explore_in_parts(sim::world& world, const searched_program& made, systematic_options how) {
  explored together;
  for (how.part = 0; how.part < how.parts; ++how.part) {
    explored found = explore_all(world, made, how, 100'000);
    EXPECT_TRUE(found.complete);
    together.runs += found.runs;
    together.outcomes.merge(found.outcomes);
    together.limits_decide |= found.limits_decide;
  }
  return together;
}

// The plain run, which asks nobody, is that of the dullest answers.
void compare_plain_runs(sim::world& world, const searched_program& made) {
  const auto hash_by = [&](oracle* choices) {
    std::string outcome;
    sim::world_options how;
    how.choices = choices;
    world.start(how);
    world.drive(made(outcome));
    return world.finish().trace_hash;
  };
  logged_choices dullest;
  EXPECT_EQ(hash_by(nullptr), hash_by(&dullest));
}

// Larger ones are left.
void compare(sim::world& world, program& tried, std::uint64_t orders_max, totals& sums) {
  const searched_program made = [&tried](std::string& outcome) { return small::run(tried, outcome); };
  const auto explore = [&](reduction how, bool declared, std::uint64_t most) {
    return explore_all(world, made, {.reduced_by = how, .all_shared_declared = declared}, most);
  };
  compare_plain_runs(world, made);
  const explored all = explore(reduction::none, false, orders_max);
  if (all.runs >= orders_max) {
    ++sums.too_large;
    return;
  }
  ASSERT_TRUE(all.complete);
  ++sums.programs;
  sums.orders += all.runs;
  const explored not_reduced =
      explore_all(world, made, {.reduced_by = reduction::none, .yields_max = 1, .patience = 4}, orders_max);
  for (const bool declared : {true, false}) {
    SCOPED_TRACE(declared ? "all shared declared" : "conservative");
    tried.declared = declared;
    const explored by_source_sets = explore(reduction::source_sets, declared, 10 * orders_max);
    const explored by_sleep_sets = explore(reduction::sleep_sets, declared, 10 * orders_max);
    EXPECT_TRUE(by_source_sets.complete && by_sleep_sets.complete);
    EXPECT_EQ(first_missing(all, by_source_sets), "");
    EXPECT_EQ(first_missing(all, by_sleep_sets), "");
    EXPECT_EQ(by_source_sets.runs, by_sleep_sets.runs);
    systematic_options shared{.all_shared_declared = declared};
    shared.parts = 2 + static_cast<std::uint32_t>(all.runs % 3);
    const explored together = explore_in_parts(world, made, shared);
    EXPECT_EQ(first_missing(all, together), "");
    const explored impatient = explore_all(
        world, made,
        {.reduced_by = reduction::source_sets, .all_shared_declared = declared, .yields_max = 1, .patience = 4},
        10 * orders_max);
    EXPECT_TRUE(impatient.complete);
    EXPECT_EQ(first_missing(not_reduced, impatient), "");
    shared.yields_max = 1;
    shared.patience = 4;
    const explored impatient_parts = explore_in_parts(world, made, shared);
    EXPECT_GE(impatient_parts.limits_decide, impatient.limits_decide) << "who shares the work knows it too";
    if (!impatient_parts.limits_decide) {
      EXPECT_EQ(first_missing(not_reduced, impatient_parts), "");
    }
    if (!impatient.left_starving_out) {
      EXPECT_EQ(first_missing(all, impatient), "");
      ++sums.patient;
    }
    // Which arm a select() tries first is a value, and it touches no others if that succeeds. A task is known by what
    // it touches with any value, so that some classes are made more than once.
    if (tried.branches_on_values()) {
      EXPECT_GE(by_source_sets.orders, static_cast<double>(all.runs));
    } else {
      EXPECT_EQ(by_source_sets.orders, static_cast<double>(all.runs));
      EXPECT_EQ(together.runs, by_source_sets.runs);
    }
    (declared ? sums.classes : sums.conservative) += by_source_sets.runs;
  }
}

#ifdef LOCKSTEP_UNDER_SANITIZER
constexpr std::uint64_t programs_otherwise = 60;
#else
constexpr std::uint64_t programs_otherwise = 300;
#endif

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

// More of them: LOCKSTEP_FUZZ_PROGRAMS=20000, and LOCKSTEP_FUZZ_FIRST, LOCKSTEP_FUZZ_ORDERS.
TEST(SystematicFuzz, FindsWhatThePlainSearchFinds) {
  const std::uint64_t first = number_from("LOCKSTEP_FUZZ_FIRST", 1);
  const std::uint64_t programs = number_from("LOCKSTEP_FUZZ_PROGRAMS", programs_otherwise);
  const std::uint64_t orders_max = number_from("LOCKSTEP_FUZZ_ORDERS", 300);
  sim::world world;
  totals sums;
  for (std::uint64_t seed = first; seed < first + programs; ++seed) {
    program tried = small::program_of(seed, 2 + static_cast<int>(seed % 2), 1 + static_cast<int>(seed / 2 % 3));
    SCOPED_TRACE(fmt::format("program {}:{}", seed, tried.text()));
    compare(world, tried, orders_max, sums);
    if (testing::Test::HasFailure() && number_from("LOCKSTEP_FUZZ_GO_ON", 0) == 0) break;
  }
  EXPECT_GT(sums.patient, 0u);
  EXPECT_LT(sums.patient, 2 * sums.programs);
  RecordProperty("summary", fmt::format("{} programs, {} too large; {} orders, {} classes, {} if not declared",
                                        sums.programs, sums.too_large, sums.orders, sums.classes, sums.conservative));
  if (std::getenv("LOCKSTEP_FUZZ_PROGRAMS") != nullptr) {
    fmt::print("{} programs, {} too large; {} orders, {} classes, {} if not declared; {} never waited\n", sums.programs,
               sums.too_large, sums.orders, sums.classes, sums.conservative, sums.patient);
  }
}

}  // namespace
}  // namespace lockstep
