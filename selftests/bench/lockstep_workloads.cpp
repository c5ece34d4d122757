// The workloads on lockstep, through what its users use; recording, hash and every detector on.

#include "choice_stack.hpp"
#include "deadlines.hpp"
#include "in_a_world.hpp"
#include "memory.hpp"
#include "require.hpp"
#include "stopwatch.hpp"
#include "workload.hpp"

#include <lockstep/explore/strategy.hpp>
#include <lockstep/lockstep.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

namespace bench {
namespace {

using lockstep::join_handle;
using lockstep::spawn;
using lockstep::task;
using std::chrono::nanoseconds;

using handles = std::vector<join_handle<void>>;

nanoseconds to_duration(std::uint64_t length_ns) { return nanoseconds(static_cast<std::int64_t>(length_ns)); }

// -- yielding ---------------------------------------------------------------------------------------------------------

task<void> yielder(std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) co_await lockstep::yield();
  done += times;
}

task<measurement> yielding(std::uint64_t tasks, std::uint64_t operations) {
  const std::uint64_t times = operations / tasks > 0 ? operations / tasks : 1;
  handles children;
  for (std::uint64_t i = 0; i < tasks; ++i) children.push_back(spawn(yielder(times)));
  const stopwatch watch;
  for (auto& child : children) co_await child.join();
  const measurement result = watch.read(tasks * times);
  require(done == tasks * times, "yields are missing");
  co_return result;
}

// -- calling and spawning ---------------------------------------------------------------------------------------------

[[gnu::noinline]] task<void> leaf() {
  ++done;
  co_return;
}

task<measurement> calling(std::uint64_t operations) {
  const stopwatch watch;
  for (std::uint64_t i = 0; i < operations; ++i) co_await leaf();
  const measurement result = watch.read(operations);
  require(done == operations, "calls are missing");
  co_return result;
}

inline task<void> trivial() {
  ++done;
  co_return;
}

task<measurement> spawning_in_turn(std::uint64_t operations) {
  const stopwatch watch;
  for (std::uint64_t i = 0; i < operations; ++i) {
    auto child = spawn(trivial());
    co_await child.join();
  }
  const measurement result = watch.read(operations);
  require(done == operations, "tasks are missing");
  co_return result;
}

task<measurement> spawning_a_batch(std::uint64_t operations) {
  const double resident_before = resident_bytes();
  const stopwatch watch;
  handles children;
  children.reserve(operations);
  for (std::uint64_t i = 0; i < operations; ++i) children.push_back(spawn(trivial()));
  const double resident_at_peak = resident_bytes();
  for (auto& child : children) co_await child.join();
  children.clear();
  measurement result = watch.read(operations);
  require(done == operations, "tasks are missing");
  result.bytes_per_task = (resident_at_peak - resident_before) / static_cast<double>(operations);
  co_return result;
}

// -- timers -----------------------------------------------------------------------------------------------------------

firing_order order;

task<void> sleeper(std::uint64_t length_ns) {
  co_await lockstep::sleep_for(to_duration(length_ns));
  order.fired(static_cast<std::uint64_t>(lockstep::now().time_since_epoch().count()));
}

task<measurement> sleeping(std::uint64_t tasks, std::uint64_t operations) {
  order = {};
  const std::uint64_t rounds = operations / tasks > 0 ? operations / tasks : 1;
  sleep_lengths lengths(42);
  const stopwatch watch;
  handles children;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    for (std::uint64_t i = 0; i < tasks; ++i) children.push_back(spawn(sleeper(lengths.next_ns())));
    for (auto& child : children) co_await child.join();
    children.clear();
  }
  measurement result = watch.read(rounds * tasks);
  require(order.count == rounds * tasks, "sleepers are missing");
  result.firing_order = order.hash;
  co_return result;
}

task<measurement> cancelling_timers(std::uint64_t operations) {
  order = {};
  handles standing;
  sleep_lengths lengths(3);
  for (int i = 0; i < 10'000; ++i) standing.push_back(spawn(sleeper(lengths.next_ns())));
  co_await lockstep::yield();  // they go to sleep
  const stopwatch watch;
  for (std::uint64_t i = 0; i < operations; ++i) {
    const lockstep::timeout_scope limit(lockstep::now() + to_duration(30'000'000'000 + i));
    asm volatile("" : : "r"(&limit) : "memory");  // what the timeout is for
  }
  const measurement result = watch.read(operations);
  require(order.count == 0, "a sleeper woke up early");
  for (auto& other : standing) co_await other.join();
  co_return result;
}

// -- handing over -----------------------------------------------------------------------------------------------------

task<void> producer(lockstep::queue<std::uint64_t>& to, std::uint64_t items) {
  for (std::uint64_t i = 0; i < items; ++i) co_await to.put(i);
}

task<void> consumer(lockstep::queue<std::uint64_t>& from, std::uint64_t items) {
  for (std::uint64_t i = 0; i < items; ++i) done += co_await from.get();
}

task<measurement> handing_over(std::size_t capacity, std::uint64_t operations) {
  lockstep::queue<std::uint64_t> between(capacity);
  auto producing = spawn(producer(between, operations));
  auto consuming = spawn(consumer(between, operations));
  const stopwatch watch;
  co_await producing.join();
  co_await consuming.join();
  const measurement result = watch.read(operations);
  require(done == operations * (operations - 1) / 2, "items are missing");
  co_return result;
}

task<void> player(lockstep::semaphore& mine, lockstep::semaphore& other, std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) {
    co_await mine.acquire();
    other.release();
    ++done;
  }
}

task<measurement> playing_ping_pong(std::uint64_t operations) {
  const std::uint64_t times = (operations + 1) / 2;
  lockstep::semaphore ping(1);
  lockstep::semaphore pong(0);
  auto first = spawn(player(ping, pong, times));
  auto second = spawn(player(pong, ping, times));
  const stopwatch watch;
  co_await first.join();
  co_await second.join();
  const measurement result = watch.read(2 * times);
  require(done == 2 * times, "hand-offs are missing");
  co_return result;
}

task<void> locker(lockstep::mutex& lock, std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) {
    const auto guard = co_await lock.lock();
    ++done;
    co_await lockstep::yield();
  }
}

task<measurement> locking(std::uint64_t operations) {
  constexpr std::uint64_t tasks = 100;
  const std::uint64_t times = operations / tasks > 0 ? operations / tasks : 1;
  lockstep::mutex lock;
  handles children;
  for (std::uint64_t i = 0; i < tasks; ++i) children.push_back(spawn(locker(lock, times)));
  const stopwatch watch;
  for (auto& child : children) co_await child.join();
  const measurement result = watch.read(tasks * times);
  require(done == tasks * times, "locks are missing");
  co_return result;
}

// -- exploring --------------------------------------------------------------------------------------------------------

class depth_first final : public lockstep::oracle {
 public:
  std::size_t pick_task(const lockstep::candidates& from) override { return choices_.answer(from.size()); }
  std::uint64_t pick_value(lockstep::choice_point, std::uint64_t options) override { return choices_.answer(options); }
  void next() { choices_.next(); }

 private:
  choice_stack choices_;
};

task<void> racer(std::uint64_t& shared, unsigned steps) {
  std::uint64_t read = 0;
  for (unsigned i = 0; i < steps; ++i) {
    if (i != 0) co_await lockstep::yield();
    if (i % 2 == 0) {
      read = shared;
    } else {
      shared = read + 1;
    }
  }
  ++done;
}

task<void> race_of_two(unsigned steps) {
  std::uint64_t shared = 0;
  auto first = spawn(racer(shared, steps));
  auto second = spawn(racer(shared, steps));
  co_await first.join();
  co_await second.join();
  require(shared >= 1, "no task has written");
}

task<void> race_of_three(unsigned steps) {
  std::uint64_t shared = 0;
  auto first = spawn(racer(shared, steps));
  auto second = spawn(racer(shared, steps));
  auto third = spawn(racer(shared, steps));
  co_await first.join();
  co_await second.join();
  co_await third.join();
  require(shared >= 1, "no task has written");
}

// `choices(i)` makes those of the i-th run.
template <class Choices>
measurement racing(unsigned tasks, unsigned steps, std::uint64_t operations, Choices choices) {
  done = 0;
  lockstep::sim::world world;
  lockstep::sim::world_options options;
  const stopwatch watch;
  for (std::uint64_t i = 0; i < operations; ++i) {
    options.choices = choices(i);
    world.start(options);
    world.drive(tasks == 2 ? race_of_two(steps) : race_of_three(steps));
    world.finish();
    require(world.verdicts().empty(), "something was found");
  }
  const measurement result = watch.read(operations);
  require(done == operations * tasks, "tasks are missing");
  return result;
}

template <unsigned Tasks, unsigned Steps>
measurement exploring(std::uint64_t operations) {
  depth_first choices;
  return racing(Tasks, Steps, operations, [&](std::uint64_t run) {
    if (run != 0) choices.next();
    return &choices;
  });
}

template <unsigned Tasks, unsigned Steps>
measurement exploring_at_random(std::uint64_t operations) {
  std::unique_ptr<lockstep::oracle> choices;
  return racing(Tasks, Steps, operations, [&](std::uint64_t run) {
    choices = lockstep::make_oracle(lockstep::schedule::random, lockstep::seed_of_run(5, run));
    return choices.get();
  });
}

constexpr std::array workloads{
    workload{"W1_1", 10'000'000, run<yielding, 1>},
    workload{"W1_100", 10'000'000, run<yielding, 100>},
    workload{"W1_10k", 10'000'000, run<yielding, 10'000>},
    workload{"W2_call", 10'000'000, run<calling>},
    workload{"W2_seq", 3'000'000, run<spawning_in_turn>},
    workload{"W2_batch", 1'000'000, run<spawning_a_batch>},
    workload{"W3_1e3", 1'000'000, run<sleeping, 1'000>},
    workload{"W3_1e5", 1'000'000, run<sleeping, 100'000>},
    workload{"W3_1e6", 1'000'000, run<sleeping, 1'000'000>},
    workload{"W3_cancel1e4", 5'000'000, run<cancelling_timers>},
    workload{"W4_chan1", 5'000'000, run<handing_over, 1>},
    workload{"W4_chan64", 5'000'000, run<handing_over, 64>},
    workload{"W4_sem", 5'000'000, run<playing_ping_pong>},
    workload{"W4_lock100", 5'000'000, run<locking>},
    workload{"W6_3x3", 500'000, exploring<3, 3>},
    workload{"W6_3x3r", 500'000, exploring_at_random<3, 3>},
    workload{"W6_2x5", 500'000, exploring<2, 5>},
};

}  // namespace

variant lockstep_variant() { return {"lockstep", workloads}; }

}  // namespace bench
