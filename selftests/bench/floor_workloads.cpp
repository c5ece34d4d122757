// The workloads on the hand-written floor: what the work costs when nothing but the work is done.

#include "choice_stack.hpp"
#include "deadlines.hpp"
#include "floor/channel.hpp"
#include "floor/scheduler.hpp"
#include "floor/semaphore.hpp"
#include "floor/task.hpp"
#include "floor/unordered_queue.hpp"
#include "memory.hpp"
#include "require.hpp"
#include "stopwatch.hpp"
#include "workload.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace bench {
namespace {

using floor::call;
using floor::channel;
using floor::detached;
using floor::explored;
using floor::explored_yield;
using floor::here;
using floor::semaphore;
using floor::sleep_for;
using floor::start_afresh;
using floor::task;
using floor::yield;

// Counts what the tasks did. Not a parameter, which would make trivial tasks less trivial.
std::uint64_t done = 0;

void begin() {
  start_afresh();
  done = 0;
}

// -- yielding ---------------------------------------------------------------------------------------------------------

detached yielder(std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) co_await yield{};
  done += times;
}

measurement yielding(std::uint64_t tasks, std::uint64_t operations) {
  begin();
  const std::uint64_t times = operations / tasks > 0 ? operations / tasks : 1;
  for (std::uint64_t i = 0; i < tasks; ++i) yielder(times).spawn();
  const stopwatch watch;
  here.run();
  const measurement result = watch.read(tasks * times);
  require(done == tasks * times, "yields are missing");
  return result;
}

// -- calling and spawning ---------------------------------------------------------------------------------------------

[[gnu::noinline]] call leaf() {
  ++done;
  co_return;
}

detached caller(std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) co_await leaf();
}

measurement calling(std::uint64_t operations) {
  begin();
  caller(operations).spawn();
  const stopwatch watch;
  here.run();
  const measurement result = watch.read(operations);
  require(done == operations, "calls are missing");
  return result;
}

// GCC makes such a coroutine where it is called only when asked to.
inline task trivial() {
  ++done;
  co_return;
}

detached one_after_another(std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) {
    const task child = trivial();
    child.spawn();
    co_await child.join();
  }
}

measurement spawning_in_turn(std::uint64_t operations) {
  begin();
  one_after_another(operations).spawn();
  const stopwatch watch;
  here.run();
  const measurement result = watch.read(operations);
  require(done == operations, "tasks are missing");
  return result;
}

detached all_at_once(std::uint64_t tasks, std::vector<task>& children, double& resident_at_peak) {
  for (std::uint64_t i = 0; i < tasks; ++i) {
    children.push_back(trivial());
    children.back().spawn();
  }
  resident_at_peak = resident_bytes();
  for (const task& child : children) co_await child.join();
  children.clear();
}

measurement spawning_a_batch(std::uint64_t operations) {
  begin();
  std::vector<task> children;
  const double resident_before = resident_bytes();
  double resident_at_peak = 0;
  const stopwatch watch;
  children.reserve(operations);
  all_at_once(operations, children, resident_at_peak).spawn();
  here.run();
  measurement result = watch.read(operations);
  require(done == operations, "tasks are missing");
  result.bytes_per_task = (resident_at_peak - resident_before) / static_cast<double>(operations);
  return result;
}

// -- timers -----------------------------------------------------------------------------------------------------------

firing_order order;

detached sleeper(std::uint64_t length_ns) {
  co_await sleep_for(length_ns);
  order.fired(here.now_ns);
}

measurement sleeping(std::uint64_t tasks, std::uint64_t operations) {
  begin();
  order = {};
  const std::uint64_t rounds = operations / tasks > 0 ? operations / tasks : 1;
  sleep_lengths lengths(42);
  const stopwatch watch;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    for (std::uint64_t i = 0; i < tasks; ++i) sleeper(lengths.next_ns()).spawn();
    here.run();
  }
  measurement result = watch.read(rounds * tasks);
  require(order.count == rounds * tasks, "sleepers are missing");
  result.firing_order = order.hash;
  return result;
}

measurement cancelling_timers(std::uint64_t operations) {
  begin();
  std::vector<floor::timer> standing(10'000);
  sleep_lengths lengths(3);
  for (floor::timer& other : standing) {
    other.deadline_ns = lengths.next_ns();
    here.timers.arm(other);
  }
  floor::timer far{};
  const stopwatch watch;
  for (std::uint64_t i = 0; i < operations; ++i) {
    far.deadline_ns = 30'000'000'000 + i;
    here.timers.arm(far);
    // What the timeout is for happens here. Without it the compiler sees that cancelling undoes arming, and does
    // neither.
    asm volatile("" : : "r"(&far) : "memory");
    here.timers.cancel(far);
  }
  const measurement result = watch.read(operations);
  for (floor::timer& other : standing) here.timers.cancel(other);
  require(here.timers.empty(), "a cancelled timer is still armed");
  return result;
}

// -- handing over -----------------------------------------------------------------------------------------------------

template <unsigned Capacity>
detached producer(channel<Capacity>& to, std::uint64_t items) {
  for (std::uint64_t i = 0; i < items; ++i) co_await to.send(i);
}

template <unsigned Capacity>
detached consumer(channel<Capacity>& from, std::uint64_t items) {
  for (std::uint64_t i = 0; i < items; ++i) done += co_await from.receive();
}

template <unsigned Capacity>
measurement handing_over(std::uint64_t operations) {
  begin();
  channel<Capacity> between;
  producer(between, operations).spawn();
  consumer(between, operations).spawn();
  const stopwatch watch;
  here.run();
  const measurement result = watch.read(operations);
  require(done == operations * (operations - 1) / 2, "items are missing");
  return result;
}

detached player(semaphore& mine, semaphore& other, std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) {
    co_await mine.acquire();
    other.release();
    ++done;
  }
}

measurement playing_ping_pong(std::uint64_t operations) {
  begin();
  const std::uint64_t times = (operations + 1) / 2;
  semaphore ping(1);
  semaphore pong(0);
  player(ping, pong, times).spawn();
  player(pong, ping, times).spawn();
  const stopwatch watch;
  here.run();
  const measurement result = watch.read(2 * times);
  require(done == 2 * times, "hand-offs are missing");
  return result;
}

detached locker(semaphore& lock, std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) {
    co_await lock.acquire();
    ++done;
    co_await yield{};
    lock.release();
  }
}

measurement locking(std::uint64_t operations) {
  begin();
  constexpr std::uint64_t tasks = 100;
  const std::uint64_t times = operations / tasks > 0 ? operations / tasks : 1;
  semaphore lock(1);
  for (std::uint64_t i = 0; i < tasks; ++i) locker(lock, times).spawn();
  const stopwatch watch;
  here.run();
  const measurement result = watch.read(tasks * times);
  require(done == tasks * times, "locks are missing");
  return result;
}

// -- exploring --------------------------------------------------------------------------------------------------------

// Reads, and writes what it has read plus one: an update may be lost.
detached racer(std::uint64_t& shared, unsigned steps) {
  std::uint64_t read = 0;
  for (unsigned i = 0; i < steps; ++i) {
    if (i != 0) co_await explored_yield{};
    if (i % 2 == 0) {
      read = shared;
    } else {
      shared = read + 1;
    }
  }
  ++done;
}

// One schedule. `pick(n)` says which of n tasks is next.
template <class Pick>
void race(unsigned tasks, unsigned steps, Pick pick) {
  std::uint64_t shared = 0;
  for (unsigned i = 0; i < tasks; ++i) racer(shared, steps).spawn_into(explored);
  while (!explored.empty()) explored.take(explored.size() > 1 ? pick(explored.size()) : 0).resume();
  require(shared >= 1, "no task has written");
}

measurement exploring(unsigned tasks, unsigned steps, std::uint64_t orders, std::uint64_t operations) {
  begin();
  choice_stack choices;
  std::uint64_t left = orders;
  const stopwatch watch;
  for (std::uint64_t i = 0; i < operations; ++i) {
    race(tasks, steps, [&](std::size_t options) { return choices.answer(options); });
    --left;
    if (choices.next()) continue;
    require(left == 0, "there are not as many orders as there must be");
    left = orders;
  }
  const measurement result = watch.read(operations);
  require(done == operations * tasks, "tasks are missing");
  return result;
}

measurement exploring_at_random(unsigned tasks, unsigned steps, std::uint64_t operations) {
  begin();
  random_numbers random(5);
  const stopwatch watch;
  for (std::uint64_t i = 0; i < operations; ++i) {
    race(tasks, steps, [&](std::size_t options) { return random.next_below(static_cast<std::uint32_t>(options)); });
  }
  const measurement result = watch.read(operations);
  require(done == operations * tasks, "tasks are missing");
  return result;
}

constexpr std::array workloads{
    workload{"W1_1", 20'000'000, [](std::uint64_t n) { return yielding(1, n); }},
    workload{"W1_100", 20'000'000, [](std::uint64_t n) { return yielding(100, n); }},
    workload{"W1_10k", 20'000'000, [](std::uint64_t n) { return yielding(10'000, n); }},
    workload{"W2_call", 10'000'000, calling},
    workload{"W2_seq", 5'000'000, spawning_in_turn},
    workload{"W2_batch", 1'000'000, spawning_a_batch},
    workload{"W3_1e3", 1'000'000, [](std::uint64_t n) { return sleeping(1'000, n); }},
    workload{"W3_1e5", 1'000'000, [](std::uint64_t n) { return sleeping(100'000, n); }},
    workload{"W3_1e6", 1'000'000, [](std::uint64_t n) { return sleeping(1'000'000, n); }},
    workload{"W3_cancel1e4", 5'000'000, cancelling_timers},
    workload{"W4_chan1", 10'000'000, handing_over<1>},
    workload{"W4_chan64", 10'000'000, handing_over<64>},
    workload{"W4_sem", 10'000'000, playing_ping_pong},
    workload{"W4_lock100", 5'000'000, locking},
    workload{"W6_3x3", 2'000'000, [](std::uint64_t n) { return exploring(3, 3, 1680, n); }},
    workload{"W6_3x3r", 2'000'000, [](std::uint64_t n) { return exploring_at_random(3, 3, n); }},
    workload{"W6_2x5", 2'000'000, [](std::uint64_t n) { return exploring(2, 5, 252, n); }},
};

}  // namespace

variant floor_variant() { return {"floor", workloads}; }

}  // namespace bench
