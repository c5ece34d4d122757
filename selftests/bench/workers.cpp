// lockstep_workers: what a second worker process adds to a search, and each one more that has a core of its own.
//
// Prints a table: for each number of workers the schedules that they make in a second of real time together, and how
// many times those of one alone that is. Needs a machine that does nothing else.

#include "require.hpp"
#include "stopwatch.hpp"

#include <lockstep/explore/explorer.hpp>
#include <lockstep/explore/world_program.hpp>
#include <lockstep/lockstep.hpp>
#include <lockstep/testing/workers.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>

namespace bench {
namespace {

using lockstep::task;

constexpr std::uint64_t runs = 3'000'000;
constexpr int repetitions = 5;
constexpr double wanted_of_two = 1.8;

task<void> racer(std::uint64_t& variable) {
  const std::uint64_t read = variable;
  co_await lockstep::yield();
  variable = read + 1;
  co_await lockstep::yield();
}

task<void> racing() {
  std::uint64_t variable = 0;
  auto first = lockstep::spawn(racer(variable));
  auto second = lockstep::spawn(racer(variable));
  auto third = lockstep::spawn(racer(variable));
  co_await first.join();
  co_await second.join();
  co_await third.join();
}

// Schedules a second, of the repetition that was disturbed least.
double rate_of(std::uint32_t jobs) {
  double best = 0;
  for (int i = 0; i < repetitions; ++i) {
    lockstep::world_program code(&racing);
    const stopwatch watch;
    const lockstep::detail::search_result found = lockstep::detail::search_in_workers(
        code, {.runs_max = runs, .by = lockstep::search_by::random}, {.jobs = jobs});
    require(found.failures.empty() && found.together.runs >= runs, "the search ended early");
    best = std::max(best, static_cast<double>(found.together.runs) * 1e9 / watch.read(found.together.runs).wall_ns);
  }
  return best;
}

void print_table() {
  const std::uint32_t cores = lockstep::detail::usable_cores();
  const double alone = rate_of(1);
  std::printf("workers  schedules/s       x\n%7u  %11.0f  %6.2f\n", 1u, alone, 1.0);
  for (std::uint32_t jobs = 2; jobs <= cores; jobs *= 2) {
    const double rate = rate_of(jobs);
    std::printf("%7u  %11.0f  %6.2f\n", jobs, rate, rate / alone);
  }
  std::printf("wanted of two: %.1f\n", wanted_of_two);
}

}  // namespace
}  // namespace bench

int main() {
  bench::print_table();
  return 0;
}
