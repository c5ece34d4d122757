// The workloads on Boost.Asio's awaitable<>, as its documentation would have one write them.

#include "deadlines.hpp"
#include "memory.hpp"
#include "require.hpp"
#include "stopwatch.hpp"
#include "workload.hpp"

#include <boost/asio/detail/config.hpp>
// With a timerfd each jump of virtual time is a system call of 65 us; without it Asio asks its heap of timers.
#undef BOOST_ASIO_HAS_TIMERFD
#include <boost/asio.hpp>
#include <boost/asio/experimental/channel.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <vector>

namespace bench {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using asio::detached;
using asio::io_context;
using asio::use_awaitable;

std::uint64_t done = 0;

// -- virtual time -----------------------------------------------------------------------------------------------------

struct virtual_clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<virtual_clock>;
  [[maybe_unused]] static constexpr bool is_steady = true;

  static inline time_point time{};
  static time_point now() noexcept { return time; }
};

// Asio asks how long to block only when nothing is ready: the moment to jump instead.
struct jump_instead_of_waiting {
  static virtual_clock::duration to_wait_duration(virtual_clock::duration wait) {
    if (wait > virtual_clock::duration::zero()) virtual_clock::time += wait;
    return virtual_clock::duration::zero();
  }
  static virtual_clock::duration to_wait_duration(virtual_clock::time_point until) {
    return to_wait_duration(until - virtual_clock::now());
  }
};

using virtual_timer = asio::basic_waitable_timer<virtual_clock, jump_instead_of_waiting>;

std::chrono::nanoseconds to_duration(std::uint64_t length_ns) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(length_ns));
}

// -- yielding ---------------------------------------------------------------------------------------------------------

awaitable<void> yielder(std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) co_await asio::post(use_awaitable);
  done += times;
}

measurement yielding(std::uint64_t tasks, std::uint64_t operations) {
  done = 0;
  const std::uint64_t times = operations / tasks > 0 ? operations / tasks : 1;
  io_context context{1};
  for (std::uint64_t i = 0; i < tasks; ++i) asio::co_spawn(context, yielder(times), detached);
  const stopwatch watch;
  context.run();
  const measurement result = watch.read(tasks * times);
  require(done == tasks * times, "yields are missing");
  return result;
}

// -- calling and spawning ---------------------------------------------------------------------------------------------

awaitable<void> trivial() {
  ++done;
  co_return;
}

awaitable<void> caller(std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) co_await trivial();
}

measurement calling(std::uint64_t operations) {
  done = 0;
  io_context context{1};
  asio::co_spawn(context, caller(operations), detached);
  const stopwatch watch;
  context.run();
  const measurement result = watch.read(operations);
  require(done == operations, "calls are missing");
  return result;
}

awaitable<void> one_after_another(io_context& context, std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) co_await asio::co_spawn(context, trivial(), use_awaitable);
}

measurement spawning_in_turn(std::uint64_t operations) {
  done = 0;
  io_context context{1};
  asio::co_spawn(context, one_after_another(context, operations), detached);
  const stopwatch watch;
  context.run();
  const measurement result = watch.read(operations);
  require(done == operations, "tasks are missing");
  return result;
}

measurement spawning_a_batch(std::uint64_t operations) {
  done = 0;
  std::uint64_t joined = 0;
  io_context context{1};
  const double resident_before = resident_bytes();
  const stopwatch watch;
  for (std::uint64_t i = 0; i < operations; ++i) {
    asio::co_spawn(context, trivial(), [&joined](const std::exception_ptr&) { ++joined; });
  }
  const double resident_at_peak = resident_bytes();
  context.run();
  measurement result = watch.read(operations);
  require(done == operations && joined == operations, "tasks are missing");
  result.bytes_per_task = (resident_at_peak - resident_before) / static_cast<double>(operations);
  return result;
}

// -- timers -----------------------------------------------------------------------------------------------------------

awaitable<void> sleeper(io_context& context, std::uint64_t length_ns) {
  virtual_timer timer(context, to_duration(length_ns));
  co_await timer.async_wait(use_awaitable);
  ++done;
}

measurement sleeping(std::uint64_t tasks, std::uint64_t operations) {
  done = 0;
  const std::uint64_t rounds = operations / tasks > 0 ? operations / tasks : 1;
  sleep_lengths lengths(42);
  const stopwatch watch;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    io_context context{1};
    virtual_clock::time = {};
    std::uint64_t longest_ns = 0;
    for (std::uint64_t i = 0; i < tasks; ++i) {
      const std::uint64_t length_ns = lengths.next_ns();
      longest_ns = std::max(longest_ns, length_ns);
      asio::co_spawn(context, sleeper(context, length_ns), detached);
    }
    context.run();
    require(virtual_clock::time.time_since_epoch() == to_duration(longest_ns), "virtual time ended elsewhere");
  }
  const measurement result = watch.read(rounds * tasks);
  require(done == rounds * tasks, "sleepers are missing");
  return result;
}

measurement cancelling_timers(std::uint64_t operations) {
  const auto ignore = [](const boost::system::error_code&) {};
  io_context context{1};
  virtual_clock::time = {};
  sleep_lengths lengths(3);
  std::vector<virtual_timer> standing;
  standing.reserve(10'000);
  for (int i = 0; i < 10'000; ++i) {
    standing.emplace_back(context, to_duration(lengths.next_ns()));
    standing.back().async_wait(ignore);
  }
  virtual_timer far(context);
  const stopwatch watch;
  for (std::uint64_t i = 0; i < operations; ++i) {
    far.expires_after(to_duration(30'000'000'000 + i));
    far.async_wait(ignore);
    far.cancel();
    if (i % 64 == 0) context.poll();  // runs the handlers of what was cancelled
  }
  return watch.read(operations);
}

// -- handing over -----------------------------------------------------------------------------------------------------

using channel = asio::experimental::channel<void(boost::system::error_code, std::uint64_t)>;

// Asio has neither a semaphore nor a mutex for coroutines: a channel with room for the permit stands for both.
void release(channel& permit) {
  require(permit.try_send(boost::system::error_code{}, std::uint64_t{1}), "a permit was refused");
}

awaitable<void> producer(channel& to, std::uint64_t items) {
  for (std::uint64_t i = 0; i < items; ++i) co_await to.async_send({}, i, use_awaitable);
}

awaitable<void> consumer(channel& from, std::uint64_t items) {
  for (std::uint64_t i = 0; i < items; ++i) done += co_await from.async_receive(use_awaitable);
}

measurement handing_over(std::size_t capacity, std::uint64_t operations) {
  done = 0;
  io_context context{1};
  channel between(context, capacity);
  asio::co_spawn(context, producer(between, operations), detached);
  asio::co_spawn(context, consumer(between, operations), detached);
  const stopwatch watch;
  context.run();
  const measurement result = watch.read(operations);
  require(done == operations * (operations - 1) / 2, "items are missing");
  return result;
}

awaitable<void> player(channel& mine, channel& other, std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) {
    co_await mine.async_receive(use_awaitable);
    release(other);
    ++done;
  }
}

measurement playing_ping_pong(std::uint64_t operations) {
  done = 0;
  const std::uint64_t times = (operations + 1) / 2;
  io_context context{1};
  channel ping(context, 1);
  channel pong(context, 1);
  release(ping);
  asio::co_spawn(context, player(ping, pong, times), detached);
  asio::co_spawn(context, player(pong, ping, times), detached);
  const stopwatch watch;
  context.run();
  const measurement result = watch.read(2 * times);
  require(done == 2 * times, "hand-offs are missing");
  return result;
}

awaitable<void> locker(channel& lock, std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) {
    co_await lock.async_receive(use_awaitable);
    ++done;
    co_await asio::post(use_awaitable);
    release(lock);
  }
}

measurement locking(std::uint64_t operations) {
  done = 0;
  constexpr std::uint64_t tasks = 100;
  const std::uint64_t times = operations / tasks > 0 ? operations / tasks : 1;
  io_context context{1};
  channel lock(context, 1);
  release(lock);
  for (std::uint64_t i = 0; i < tasks; ++i) asio::co_spawn(context, locker(lock, times), detached);
  const stopwatch watch;
  context.run();
  const measurement result = watch.read(tasks * times);
  require(done == tasks * times, "locks are missing");
  return result;
}

// -- running again ----------------------------------------------------------------------------------------------------

awaitable<void> racer(std::uint64_t& shared, unsigned steps) {
  std::uint64_t read = 0;
  for (unsigned i = 0; i < steps; ++i) {
    if (i != 0) co_await asio::post(use_awaitable);
    if (i % 2 == 0) {
      read = shared;
    } else {
      shared = read + 1;
    }
  }
  ++done;
}

// It has no orders to explore.
measurement running_again(unsigned tasks, unsigned steps, std::uint64_t operations) {
  done = 0;
  const stopwatch watch;
  for (std::uint64_t i = 0; i < operations; ++i) {
    std::uint64_t shared = 0;
    io_context context{1};
    for (unsigned k = 0; k < tasks; ++k) asio::co_spawn(context, racer(shared, steps), detached);
    context.run();
    require(shared >= 1, "no task has written");
  }
  const measurement result = watch.read(operations);
  require(done == operations * tasks, "tasks are missing");
  return result;
}

constexpr std::array workloads{
    workload{"W1_1", 3'000'000, [](std::uint64_t n) { return yielding(1, n); }},
    workload{"W1_100", 3'000'000, [](std::uint64_t n) { return yielding(100, n); }},
    workload{"W1_10k", 3'000'000, [](std::uint64_t n) { return yielding(10'000, n); }},
    workload{"W2_call", 3'000'000, calling},
    workload{"W2_seq", 1'000'000, spawning_in_turn},
    workload{"W2_batch", 1'000'000, spawning_a_batch},
    workload{"W3_1e3", 200'000, [](std::uint64_t n) { return sleeping(1'000, n); }},
    workload{"W3_1e5", 100'000, [](std::uint64_t n) { return sleeping(100'000, n); }},
    workload{"W3_1e6", 1'000'000, [](std::uint64_t n) { return sleeping(1'000'000, n); }},
    workload{"W3_cancel1e4", 1'000'000, cancelling_timers},
    workload{"W4_chan1", 2'000'000, [](std::uint64_t n) { return handing_over(1, n); }},
    workload{"W4_chan64", 2'000'000, [](std::uint64_t n) { return handing_over(64, n); }},
    workload{"W4_sem", 2'000'000, playing_ping_pong},
    workload{"W4_lock100", 1'000'000, locking},
    workload{"W6_3x3", 300'000, [](std::uint64_t n) { return running_again(3, 3, n); }},
    workload{"W6_2x5", 300'000, [](std::uint64_t n) { return running_again(2, 5, n); }},
};

}  // namespace

variant asio_variant() { return {"asio", workloads}; }

}  // namespace bench
