// What the tests of sockets are made of. Their bodies use the system of the running task, so that they run on any.
#pragma once

#include <lockstep/explore/strategy.hpp>
#include <lockstep/lockstep.hpp>
#include <lockstep/real/world.hpp>
#include <lockstep/sim/world.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace lockstep {

// Runs it on the machine's own kernel, and on the simulated one. Expects that nothing is wrong with it.
inline void run_in_both_worlds(task<void> (*body)()) {
  const auto judge = [](const base_world& world, const std::string& which) {
    for (const verdict& each : world.verdicts()) {
      ADD_FAILURE() << name_of(each.kind) << ": " << each.message << " " << which;
    }
  };
  {
    real::world world;
    real::world_options how;
    how.clock.exact = true;  // what has happened is asked after each turn
    world.run(body(), how);
    judge(world, "on the machine");
  }
  sim::world world;
  world.run(body());
  judge(world, "in the plain run");
}

// The same in a simulation, in so many orders.
inline void run_in_random_orders(task<void> (*body)(), std::uint64_t orders = 20) {
  sim::world world;
  for (std::uint64_t seed = 1; seed <= orders && !testing::Test::HasFailure(); ++seed) {
    const std::unique_ptr<oracle> choices = make_oracle(schedule::random, seed);
    sim::world_options how;
    how.choices = choices.get();
    world.run(body(), how);
    for (const verdict& each : world.verdicts()) {
      ADD_FAILURE() << name_of(each.kind) << ": " << each.message << " with seed " << seed;
    }
  }
}

inline tcp_listener listener_on_loopback() { return tcp_listener::bind("127.0.0.1:0"); }

struct connection {
  tcp_stream client;
  tcp_stream server;
};

inline task<connection> connected_pair() {
  tcp_listener listener = listener_on_loopback();
  tcp_stream client = co_await connect_tcp(listener.local());
  tcp_stream server = co_await listener.accept();
  co_return connection{std::move(client), std::move(server)};
}

// What one call of read_some() takes.
inline task<std::string> read_piece(tcp_stream& from) {
  std::array<char, 4096> buffer;
  const std::size_t count = co_await from.read_some(buffer);
  co_return std::string(buffer.data(), count);
}

inline task<std::string> read_bytes(tcp_stream& from, std::size_t count) {
  std::string text(count, '?');
  co_await from.read_exactly(text);
  co_return text;
}

// The error number that `work` comes to; 0 if it succeeds.
template <class T>
int error_of(const result<T>& came_to) {
  if (came_to) return 0;
  try {
    std::rethrow_exception(came_to.error());
  } catch (const std::system_error& error) {
    return error.code().category() == std::system_category() ? error.code().value() : -1;
  } catch (...) {
    return -1;
  }
}

// Awaits it and returns the same.
template <class T>
task<int> error_of_task(task<T> work) {
  co_return error_of(co_await as_result(std::move(work)));
}

}  // namespace lockstep
