#include "mixes.hpp"

#include "../planted_bugs/races/races.hpp"

#include <lockstep/explore/portfolio.hpp>
#include <lockstep/explore/sampling.hpp>
#include <lockstep/explore/strategy.hpp>
#include <lockstep/explore/world_program.hpp>
#include <lockstep/runtime/sleep.hpp>
#include <lockstep/runtime/spawn.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {
namespace {

using namespace lockstep;

constexpr std::uint64_t samples = 4'000;
constexpr double runs_max = 10'000;  // that one would wait for

// Of a single sample, by strategy.
using chances = std::array<double, std::size(all_samplers)>;

chances chances_of(std::function<task<void>()> main) {
  world_program code(std::move(main));
  profile known;
  profiled_choices plain(known);
  code.run(plain, ordering::any_order);
  known.end_run();
  chances of{};
  for (const sampler kind : all_samplers) {
    const auto strategy = make_sampler(kind, known);
    std::uint64_t failed = 0;
    for (std::uint64_t run = 1; run <= samples; ++run) {
      strategy->begin(seed_of_run(1, run));
      if (code.run(*strategy, ordering::any_order).failed) ++failed;
    }
    of[static_cast<std::size_t>(kind)] = static_cast<double>(failed) / static_cast<double>(samples);
  }
  return of;
}

double expected_runs(const chances& of, const sample_weights& mix) {
  const std::pair<sampler, std::uint32_t> shares[] = {
      {sampler::urw, mix.urw}, {sampler::pos, mix.pos}, {sampler::uniform, mix.uniform}, {sampler::pct, mix.pct}};
  double all = 0;
  double chance = 0;
  for (const auto& [kind, share] : shares) {
    all += share;
    chance += share * of[static_cast<std::size_t>(kind)];
  }
  return chance > 0 ? std::min(all / chance, runs_max) : runs_max;
}

// -- programs ---------------------------------------------------------------------------------------------------------

task<void> take_turns(int times) {
  for (int i = 0; i < times; ++i) co_await yield();
}

task<void> beside_others(task<void> (*main)()) {
  std::vector<join_handle<void>> others;
  for (int i = 0; i < 6; ++i) others.push_back(spawn(take_turns(40)));
  co_await main();
  for (join_handle<void>& each : others) co_await each.join();
}

task<void> be_in_time(const bool& closed) {
  co_await yield();
  planted::require(!closed, "came too late");
}

task<void> overtake() {
  bool closed = false;
  auto late = spawn(be_in_time(closed));
  co_await take_turns(60);
  closed = true;
  co_await late.join();
}

struct sums {
  double all = 0;
  double worst = 0;
};

sums of_all(const std::vector<chances>& programs, const sample_weights& mix) {
  sums of;
  for (const chances& each : programs) {
    const double runs = expected_runs(each, mix);
    of.all += runs;
    of.worst = std::max(of.worst, runs);
  }
  return of;
}

}  // namespace

void show_mixes() {
  std::vector<chances> alone;
  std::vector<chances> beside;
  for (const planted::planted_race& race : planted::planted_races()) {
    alone.push_back(chances_of(race.buggy));
    beside.push_back(chances_of([&race] { return beside_others(race.buggy); }));
  }
  const chances overtaken = chances_of(overtake);
  // urw, pos, uniform, pct
  const sample_weights mixes[] = {{},
                                  {40, 30, 20, 10},
                                  {25, 25, 25, 25},
                                  {20, 60, 10, 10},
                                  {60, 20, 10, 10},
                                  {70, 5, 20, 5},
                                  {80, 0, 20, 0},
                                  {100, 0, 0, 0},
                                  {0, 100, 0, 0},
                                  {0, 0, 100, 0},
                                  {0, 0, 0, 100}};
  fmt::print(
      "\n| urw | pos | uniform | pct | races: runs expected | the worst | beside others | the worst | one step "
      "overtaken "
      "|\n|---|---|---|---|---|---|---|---|---|\n");
  for (const sample_weights& mix : mixes) {
    const sums quiet = of_all(alone, mix);
    const sums busy = of_all(beside, mix);
    fmt::print("| {} | {} | {} | {} | {:.0f} | {:.0f} | {:.0f} | {:.0f} | {:.0f} |{}\n", mix.urw, mix.pos, mix.uniform,
               mix.pct, quiet.all, quiet.worst, busy.all, busy.worst, expected_runs(overtaken, mix),
               &mix == std::begin(mixes) ? " the default" : "");
  }
}

}  // namespace bench
