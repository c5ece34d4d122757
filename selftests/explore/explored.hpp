// For tests of searches: a program, made again and again until a search has no more runs, and all that was seen.
#pragma once

#include <lockstep/explore/sampling.hpp>
#include <lockstep/explore/systematic.hpp>
#include <lockstep/sim/world.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <set>
#include <string>

namespace lockstep {

// What a run writes into its argument is what it came to.
using searched_program = std::function<task<void>(std::string&)>;

// Makes one run, and returns what it came to: what it wrote, whether it ended, and its verdicts, in words that are the
// same in each order that comes to the same.
inline std::string outcome_of_run(sim::world& world, const searched_program& program, oracle& choices,
                                  ordering order = ordering::any_order) {
  std::string outcome;
  sim::world_options how;
  how.choices = &choices;
  how.order = order;
  world.start(how);
  const bool ended = world.drive(program(outcome));
  world.finish();
  if (!ended) outcome += " stuck";
  std::multiset<std::string> verdicts;
  for (const verdict& each : world.verdicts()) {
    std::multiset<std::string> tasks;
    for (const task_snapshot& of : each.tasks) tasks.insert(of.name + " " + of.waits_for);
    verdicts.insert(fmt::format(" [{} {}]", name_of(each.kind), fmt::join(tasks, ", ")));
  }
  return outcome + fmt::format("{}", fmt::join(verdicts, ""));
}

// What is known of a program after its plain run.
inline profile profile_of(sim::world& world, const searched_program& program) {
  profile known;
  profiled_choices plain(known);
  static_cast<void>(outcome_of_run(world, program, plain));
  known.end_run();
  return known;
}

struct explored {
  std::set<std::string> outcomes;
  std::uint64_t runs = 0;      // of which none was given up
  std::uint64_t given_up = 0;  // which have no outcome
  double orders = 0;           // of steps that these runs stand for
  bool complete = false;       // and not at odds with itself, or longer than was allowed
  bool left_values_out = false;
  bool left_starving_out = false;
  bool limits_decide = false;
};

// All runs, of at most `runs_max`.
inline explored explore_all(sim::world& world, const searched_program& program, systematic_options options,
                            std::uint64_t runs_max = 1'000'000) {
  explored all;
  systematic_search search(options);
  while (all.runs + all.given_up < runs_max && search.begin_run()) {
    const std::string outcome = outcome_of_run(world, program, search);
    search.end_run();
    all.runs = search.runs();
    all.given_up = search.given_up();
    if (search.departed()) return all;
    if (search.gave_up()) continue;
    all.outcomes.insert(outcome);
    all.orders += search.steps().orders(1'000'000).value_or(1e18);
  }
  all.complete = !search.begin_run() && !search.departed();
  all.left_values_out = search.left_values_out();
  all.left_starving_out = search.left_starving_out();
  all.limits_decide = search.limits_decide();
  return all;
}

}  // namespace lockstep
