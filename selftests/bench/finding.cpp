// lockstep_finding: how many runs it takes to find each planted race, how far its failure shrinks, and how much of the
// space a proof has to try.
//
// Prints a table. For each program: the classes and the interleavings of its buggy form, all of them and those that
// fail; for each strategy the median and the most of the runs until the failure, over 200 seeds; the deviations in the
// shrunk run, the most over these seeds, beside the fewest that exist; the re-executions that shrinking took; and the
// classes of the fixed form, which are all made, with the sample's estimate of them. Then a row for each strategy, over
// all programs, and a table of mixes of them.
// Nothing in here depends on a clock or a machine.

#include "../planted_bugs/races/races.hpp"
#include "mixes.hpp"

#include <lockstep/explore/explorer.hpp>
#include <lockstep/explore/shrink.hpp>
#include <lockstep/explore/strategy.hpp>
#include <lockstep/explore/world_program.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {
namespace {

using namespace lockstep;
using planted::planted_race;

constexpr std::uint64_t seeds = 200;
constexpr std::uint64_t runs_max = 1'000;      // until a search counts as failed
constexpr std::uint64_t classes_max = 30'000;  // of a proof

struct figures {
  std::vector<std::uint64_t> runs;
  std::uint64_t missed = 0;

  void add(std::optional<std::uint64_t> found) {
    if (found) {
      runs.push_back(*found);
    } else {
      ++missed;
    }
  }
  // "3/17": the median and the most; "3/-4" if four were missed.
  std::string text() {
    if (runs.empty()) return "-";
    std::sort(runs.begin(), runs.end());
    return missed == 0 ? fmt::format("{}/{}", median(), runs.back()) : fmt::format("{}/-{}", median(), missed);
  }
  std::uint64_t median() const { return runs[runs.size() / 2]; }
  void add(const figures& others) {
    runs.insert(runs.end(), others.runs.begin(), others.runs.end());
    missed += others.missed;
  }
};

figures by_sampler(program& code, const profile& known, sampler kind) {
  const auto strategy = make_sampler(kind, known);
  figures found;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    std::optional<std::uint64_t> first;
    for (std::uint64_t run = 1; run <= runs_max && !first; ++run) {
      strategy->begin(seed_of_run(seed, run));
      if (code.run(*strategy, ordering::any_order).failed) first = run;
    }
    found.add(first);
  }
  return found;
}

std::string once(program& code, search_by how) {
  explore_options options;
  options.by = how;
  options.runs_max = runs_max;
  const exploration found = explorer(code).explore(options);
  return found.failure ? fmt::format("{}", found.failure->runs) : "-";
}

struct whole_space {
  std::uint64_t classes = 0;
  std::uint64_t failing = 0;
  double interleavings = 0;
  bool cut = false;
};

whole_space space_of(program& code) {
  whole_space space;
  systematic_search search;
  while (search.begin_run() && !space.cut) {
    const bool failed = code.run(search, ordering::any_order).failed;
    search.end_run();
    space.cut = search.runs() + search.given_up() >= classes_max;
    if (search.gave_up()) continue;
    if (failed) ++space.failing;
    space.interleavings += search.steps().orders().value_or(0);
  }
  space.classes = search.runs();
  return space;
}

struct whole_table {
  figures portfolio;
  figures of[std::size(all_samplers)];
  std::uint64_t over_ten = 0;         // programs of depth 1 whose median is
  std::uint64_t not_least = 0;        // programs whose shrunk run has more than one deviation too many
  std::uint64_t twins_that_fail = 0;  // or could not be proven
  std::uint64_t estimates_off = 0;    // by more than a factor of ten
};

void show(const planted_race& race, whole_table& table) {
  world_program buggy(race.buggy);
  world_program fixed(race.fixed);
  profile known;
  profiled_choices plain(known);
  buggy.run(plain, ordering::any_order);
  known.end_run();

  figures portfolio;
  std::size_t left_most = 0;
  std::uint64_t shrinking_most = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    explore_options how;
    how.seed = seed;
    how.runs_max = runs_max;
    const exploration found = explorer(buggy).explore(how);
    portfolio.add(found.failure ? std::optional(found.failure->runs) : std::nullopt);
    if (!found.failure) continue;
    const token failing = token_of_answers(buggy, 0, how.order, found.failure->answers);
    const shrunk_run shrunk = shrink(buggy, failing, found.failure->result.signature);
    left_most = std::max(left_most, shrunk.replay.task_overrides.size() + shrunk.replay.value_overrides.size());
    shrinking_most = std::max(shrinking_most, shrunk.runs);
  }
  const whole_space space = space_of(buggy);
  explore_options prove;
  prove.by = search_by::systematic;
  prove.runs_max = classes_max;
  const exploration proof = explorer(fixed).explore(prove);
  prove.by = search_by::portfolio;
  const exploration sampled = explorer(fixed).explore(prove);
  const double estimate = sampled.estimated.value_or(0);
  const double off = proof.classes == 0 ? 1 : estimate / static_cast<double>(proof.classes);

  table.portfolio.add(portfolio);
  std::string by_strategy;
  for (const sampler kind : {sampler::urw, sampler::pos, sampler::uniform, sampler::pct}) {
    figures found = by_sampler(buggy, known, kind);
    by_strategy += fmt::format("{} | ", found.text());
    table.of[static_cast<std::size_t>(kind)].add(found);
  }

  if (race.least_deviations == 1 && portfolio.median() > 10) ++table.over_ten;
  if (left_most > race.least_deviations + 1) ++table.not_least;
  if (!proof.exhaustive) ++table.twins_that_fail;
  if (estimate != 0 && (off > 10 || off < 0.1)) ++table.estimates_off;
  fmt::print("| {} | {}{} of {} | {} | {} | {}{} | {} | {} of {} | {} | {} | {:.0f} |\n", race.name, space.failing,
             space.cut ? "+" : "", count_text(static_cast<double>(space.classes)), count_text(space.interleavings),
             portfolio.text(), by_strategy, once(buggy, search_by::deviations), once(buggy, search_by::systematic),
             left_most, race.least_deviations, shrinking_most,
             proof.exhaustive ? count_text(static_cast<double>(proof.classes)) : "not proven", estimate);
  std::fflush(stdout);
}

void show_strategies(whole_table& table) {
  fmt::print("\n| strategy | median | worst | missed |\n|---|---|---|---|\n");
  const auto row = [](std::string_view name, figures& of) {
    of.text();  // sorts
    fmt::print("| {} | {} | {} | {} |\n", name, of.median(), of.runs.back(), of.missed);
  };
  row("portfolio", table.portfolio);
  for (const sampler kind : all_samplers) row(name_of(kind), table.of[static_cast<std::size_t>(kind)]);
}

int show_all() {
  fmt::print(
      "| program | classes that fail | interleavings | portfolio | urw | pos | uniform | pct | deviations | systematic "
      "| shrunk to | re-executions | fixed: classes | estimate |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  whole_table table;
  for (const planted_race& each : planted::planted_races()) show(each, table);
  fmt::print(
      "\n{} programs, {} seeds, at most {} runs. Searches that missed: {}. Medians over 10 at depth 1: {}. Shrunk to "
      "more than one deviation too many: {}. Twins not proven: {}. Estimates off by more than ten: {}.\n",
      planted::planted_races().size(), seeds, runs_max, table.portfolio.missed, table.over_ten, table.not_least,
      table.twins_that_fail, table.estimates_off);
  show_strategies(table);
  show_mixes();
  return table.portfolio.missed + table.not_least + table.twins_that_fail == 0 ? 0 : 1;
}

}  // namespace
}  // namespace bench

int main() { return bench::show_all(); }
