// lockstep_soak: whether a task, a hand-off and a group cost the same in a crowd as alone.
//
// Prints a table: for 10^3 to 10^6 of each, all alive at the same time, the bytes that one takes of this process's
// memory beside that of a world with a single task, and the time of one. Bytes are those of the first round in a world.
// Every size does the same amount of work in all, in as many rounds in that world as it takes; the first, for which the
// system has to find the memory, is not among them.

#include "memory.hpp"
#include "require.hpp"
#include "stopwatch.hpp"

#include <lockstep/lockstep.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <vector>

namespace bench {
namespace {

using lockstep::join_handle;
using lockstep::spawn;
using lockstep::task;
using lockstep::task_group;
using namespace std::chrono_literals;

constexpr std::array<std::uint64_t, 4> sizes = {1'000, 10'000, 100'000, 1'000'000};
constexpr std::uint64_t work_in_all = 1'000'000;

// What one round has found.
struct round_result {
  double resident_before = resident_bytes();
  double resident_at_peak = 0;
  std::uint64_t done = 0;
};

// -- sleepers ---------------------------------------------------------------------------------------------------------

task<void> sleeper(std::uint64_t nth, std::uint64_t& done) {
  co_await lockstep::sleep_for(1h + std::chrono::microseconds(static_cast<std::int64_t>(nth)));
  ++done;
}

task<round_result> sleepers(std::uint64_t count) {
  round_result result;
  std::vector<join_handle<void>> all;
  all.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) all.push_back(spawn(sleeper(i, result.done)));
  co_await lockstep::sleep_for(1s);
  result.resident_at_peak = resident_bytes();
  for (auto& each : all) co_await each.join();
  co_return result;
}

// -- hand-offs --------------------------------------------------------------------------------------------------------

task<void> putter(lockstep::queue<std::uint64_t>& to, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) co_await to.put(i);
}

task<round_result> hand_offs(std::uint64_t count) {
  round_result result;
  lockstep::queue<std::uint64_t> items(64);
  auto producer = spawn(putter(items, count));
  for (std::uint64_t i = 0; i < count; ++i) {
    require(co_await items.get() == i, "an item is missing");
    ++result.done;
  }
  co_await producer.join();
  result.resident_at_peak = resident_bytes();
  co_return result;
}

// -- nested groups ----------------------------------------------------------------------------------------------------

constexpr std::uint64_t depth = 100;

// One in another, down to the innermost, whose only task waits for the end.
task<void> nest(std::uint64_t levels, lockstep::event& end, std::uint64_t& done) {
  if (levels == 0) {
    co_await end.wait();
    co_return;
  }
  task_group group;
  group.spawn(nest(levels - 1, end, done));
  co_await group.join();
  ++done;
}

task<round_result> nested_groups(std::uint64_t count) {
  round_result result;
  lockstep::event end;
  task_group all;
  for (std::uint64_t i = 0; i < count / depth; ++i) all.spawn(nest(depth, end, result.done));
  co_await lockstep::settle();
  result.resident_at_peak = resident_bytes();
  end.set();
  co_await all.join();
  co_return result;
}

// -- the table --------------------------------------------------------------------------------------------------------

struct kind {
  const char* name;
  task<round_result> (*round)(std::uint64_t count);
};

void measure(const kind& of, std::uint64_t count) {
  trim_heap();
  double bytes = 0;
  measurement all;
  lockstep::sim::world world;
  lockstep::sim::world_options options;
  options.steps_max = std::numeric_limits<std::uint64_t>::max();
  for (std::uint64_t round = 0; round <= work_in_all / count; ++round) {
    const stopwatch watch;
    const round_result result = world.run(of.round(count), options);
    const measurement time = watch.read(count);
    require(result.done == count, "some have not ended");
    if (round == 0) {
      bytes = (result.resident_at_peak - result.resident_before) / static_cast<double>(count);
      continue;
    }
    all.cpu_ns += time.cpu_ns;
    all.operations += time.operations;
  }
  std::printf("%-14s %9llu %10.0f %10.0f\n", of.name, static_cast<unsigned long long>(count), bytes,
              all.cpu_ns / static_cast<double>(all.operations));
  std::fflush(stdout);
}

}  // namespace
}  // namespace bench

int main() {
  using namespace bench;
  forget_large_blocks();
  std::printf("%-14s %9s %10s %10s\n", "", "how many", "bytes each", "ns each");
  for (const kind& each :
       {kind{"sleeping task", sleepers}, kind{"hand-off", hand_offs}, kind{"nested group", nested_groups}}) {
    for (const std::uint64_t count : sizes) measure(each, count);
  }
}
