// What searching costs: the bookkeeping of a systematic search beside running the same orders again, one more task and
// one more step, and the explorer beside the bare loop.

#include "require.hpp"
#include "stopwatch.hpp"
#include "workload.hpp"

#include <lockstep/explore/explorer.hpp>
#include <lockstep/explore/sampling.hpp>
#include <lockstep/explore/systematic.hpp>
#include <lockstep/explore/world_program.hpp>
#include <lockstep/lockstep.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

namespace bench {
namespace {

using lockstep::join_handle;
using lockstep::spawn;
using lockstep::task;

// -- programs ---------------------------------------------------------------------------------------------------------

// Of plain variables, so that every step depends on every other.
task<void> racer(std::uint64_t& variable, std::uint64_t steps) {
  std::uint64_t read = 0;
  for (std::uint64_t i = 0; i < steps; ++i) {
    if (i != 0) co_await lockstep::yield();
    if (i % 2 == 0) {
      read = variable;
    } else {
      variable = read + 1;
    }
  }
}

task<void> race(std::uint64_t tasks, std::uint64_t steps) {
  std::uint64_t variable = 0;
  std::vector<join_handle<void>> all;
  for (std::uint64_t i = 0; i < tasks; ++i) all.push_back(spawn(racer(variable, steps)));
  for (auto& each : all) co_await each.join();
}

// Of declared variables: each task has one of its own beside the one that they share.
task<void> sharer(lockstep::shared<int>& common, int steps) {
  lockstep::shared<int> own(0);
  for (int i = 0; i < steps; ++i) {
    if (i != 0) co_await lockstep::yield();
    own += 1;
    if (i != 0) common += own;
  }
}

task<void> sharing(int tasks, int steps) {
  lockstep::shared<int> common(0);
  std::vector<join_handle<void>> all;
  for (int i = 0; i < tasks; ++i) all.push_back(spawn(sharer(common, steps)));
  for (auto& each : all) co_await each.join();
}

task<void> locker(lockstep::mutex& lock, lockstep::shared<int>& guarded, int times) {
  for (int i = 0; i < times; ++i) {
    const auto guard = co_await lock.lock();
    const int read = guarded;
    co_await lockstep::yield();
    guarded = read + 1;
  }
}

task<void> locking(int tasks, int times) {
  lockstep::mutex lock;
  lockstep::shared<int> guarded(0);
  std::vector<join_handle<void>> all;
  for (int i = 0; i < tasks; ++i) all.push_back(spawn(locker(lock, guarded, times)));
  for (auto& each : all) co_await each.join();
  require(guarded == tasks * times, "an update is lost");
}

task<void> racing() { return race(3, 3); }
task<void> sharing() { return sharing(3, 4); }
task<void> locking() { return locking(3, 2); }

// -- runs -------------------------------------------------------------------------------------------------------------

using program = task<void> (*)();

template <class Main>
void run(lockstep::sim::world& world, lockstep::oracle& choices, Main main) {
  lockstep::sim::world_options how;
  how.steps_max = std::numeric_limits<std::uint64_t>::max();
  how.choices = &choices;
  world.start(how);
  world.drive(main());
  world.finish();
  require(world.verdicts().empty(), "something was found");
}

// The answers of other runs, in turn.
class old_answers final : public lockstep::oracle {
 public:
  void begin(const std::vector<std::uint64_t>& answers) { next_ = answers.data(); }
  std::size_t pick_task(const lockstep::candidates&) override { return *next_++; }
  std::uint64_t pick_value(lockstep::choice_point, std::uint64_t) override { return *next_++; }

 private:
  const std::uint64_t* next_ = nullptr;
};

constexpr lockstep::systematic_options by_source_sets{.all_shared_declared = true};
constexpr lockstep::systematic_options with_plain_variables{};

// Searches again and again until so many runs were made that differ. Those that were given up are not counted.
template <program Main, const lockstep::systematic_options& How>
measurement searching(std::uint64_t operations) {
  lockstep::sim::world world;
  const stopwatch watch;
  std::uint64_t made = 0;
  while (made < operations) {
    lockstep::systematic_search search(How);
    while (search.begin_run()) {
      run(world, search, Main);
      search.end_run();
    }
    require(!search.departed(), "a run has departed");
    made += search.runs();
  }
  return watch.read(made);
}

// The same runs without the search: by their answers, and nobody observes them.
template <program Main, const lockstep::systematic_options& How>
measurement repeating(std::uint64_t operations) {
  lockstep::sim::world world;
  std::vector<std::vector<std::uint64_t>> orders;
  lockstep::systematic_search search(How);
  while (search.begin_run()) {
    run(world, search, Main);
    if (!search.gave_up()) orders.push_back(search.answers());
    search.end_run();
  }
  old_answers choices;
  const stopwatch watch;
  std::uint64_t made = 0;
  while (made < operations) {
    for (const std::vector<std::uint64_t>& each : orders) {
      choices.begin(each);
      run(world, choices, Main);
    }
    made += orders.size();
  }
  return watch.read(made);
}

// -- growth -----------------------------------------------------------------------------------------------------------

// So many steps in all, in random orders.
template <std::uint64_t Tasks, std::uint64_t Steps>
measurement sampling(std::uint64_t operations) {
  const lockstep::profile unknown;
  const std::unique_ptr<lockstep::sampling_oracle> uniform =
      lockstep::make_sampler(lockstep::sampler::uniform, unknown);
  lockstep::sim::world world;
  const stopwatch watch;
  std::uint64_t made = 0;
  for (std::uint64_t nth = 0; made < operations; ++nth) {
    uniform->begin(nth);
    run(world, *uniform, [] { return race(Tasks, Steps); });
    made += Tasks * Steps;
  }
  return watch.read(made);
}

// The same, in the first orders of a systematic search. What it learns of the steps when it comes to them first is in
// there: for each, who else was ready.
template <std::uint64_t Tasks, std::uint64_t Steps>
measurement beginning_a_search(std::uint64_t operations) {
  lockstep::sim::world world;
  const stopwatch watch;
  std::uint64_t made = 0;
  while (made < operations) {
    lockstep::systematic_search search;
    for (int i = 0; i < 20 && search.begin_run(); ++i) {
      run(world, search, [] { return race(Tasks, Steps); });
      search.end_run();
      made += Tasks * Steps;
    }
  }
  return watch.read(made);
}

// -- the explorer -----------------------------------------------------------------------------------------------------

measurement exploring(std::uint64_t operations) {
  lockstep::world_program code(&racing);
  lockstep::explorer search(code);
  const stopwatch watch;
  const lockstep::exploration found = search.explore({.runs_max = operations, .by = lockstep::search_by::random});
  const measurement result = watch.read(found.runs);
  require(!found.failure && found.runs == operations, "the search ended early");
  return result;
}

// By the strategies that the explorer draws from, each as often.
measurement looping(std::uint64_t operations) {
  lockstep::profile known;
  lockstep::sim::world world;
  lockstep::profiled_choices plain(known);
  run(world, plain, racing);
  known.end_run();
  lockstep::portfolio samplers(known);
  const stopwatch watch;
  for (std::uint64_t nth = 0; nth < operations; ++nth) {
    lockstep::sampling_oracle& by = *samplers.draw(1, nth).by;
    by.begin(nth);
    run(world, by, racing);
  }
  return watch.read(operations);
}

constexpr std::array workloads{
    workload{"W7_race", 100'000, searching<&racing, with_plain_variables>},
    workload{"W7_race_again", 200'000, repeating<&racing, with_plain_variables>},
    workload{"W7_shared", 100'000, searching<&sharing, by_source_sets>},
    workload{"W7_shared_again", 200'000, repeating<&sharing, by_source_sets>},
    workload{"W7_lock", 100'000, searching<&locking, by_source_sets>},
    workload{"W7_lock_again", 200'000, repeating<&locking, by_source_sets>},
    workload{"W8_3x3", 1'000'000, sampling<3, 3>},
    workload{"W8_3x30", 1'000'000, sampling<3, 30>},
    workload{"W8_3x300", 1'000'000, sampling<3, 300>},
    workload{"W8_3x3000", 1'000'000, sampling<3, 3'000>},
    workload{"W8_30x3", 1'000'000, sampling<30, 3>},
    workload{"W8_300x3", 1'000'000, sampling<300, 3>},
    workload{"W9_3x3", 500'000, beginning_a_search<3, 3>},
    workload{"W9_3x30", 500'000, beginning_a_search<3, 30>},
    workload{"W9_3x300", 500'000, beginning_a_search<3, 300>},
    workload{"W9_3x3000", 500'000, beginning_a_search<3, 3'000>},
    workload{"W9_30x3", 500'000, beginning_a_search<30, 3>},
    workload{"W9_300x3", 500'000, beginning_a_search<300, 3>},
    workload{"W10_explorer", 300'000, exploring},
    workload{"W10_loop", 300'000, looping},
};

}  // namespace

variant search_variant() { return {"search", workloads}; }

}  // namespace bench
