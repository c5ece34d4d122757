// Calls on the system of a simulation, from a task that runs in a world of its own.
#pragma once

#include <lockstep/explore/strategy.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/system/current.hpp>
#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace lockstep {

// Runs what `body` does at once, in a task. Nothing must be found.
template <class F>
void in_world(const F& body, const sim::world_options& how = {}) {
  sim::world world;
  const auto main = [&body]() -> task<void> {
    body(current_system());
    co_return;
  };
  world.run(main(), how);
  EXPECT_THAT(world.verdicts(), ::testing::IsEmpty());
}

// The same in so many worlds, each of which chooses at random.
template <class F>
void in_random_worlds(std::uint64_t count, const F& body) {
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    const auto choices = make_oracle(schedule::random, seed);
    sim::world_options how;
    how.choices = choices.get();
    in_world(body, how);
  }
}

// What is said of the misuse that `body`, done at once in a task, is; "none" if it is none.
template <class F>
std::string text_of_misuse(const F& body) {
  sim::world world;
  const auto main = [&body]() -> task<void> {
    body();
    co_return;
  };
  try {
    world.run(main());
  } catch (const misuse& refused) {
    return refused.what();
  }
  return "none";
}

// The same as in_world() for a task that also waits.
template <class F>
void in_world_for_a_while(const F& body) {
  sim::world world;
  world.run(body());
  EXPECT_THAT(world.verdicts(), ::testing::IsEmpty());
}

// The host whose calls the running task makes.
inline sim::host& here() { return static_cast<sim::host&>(current_system()); }

inline std::int64_t write_text(system_calls& system, int fd, std::string_view text) {
  return system.write(fd, text.data(), text.size());
}

// What a reading of so many bytes brings; "-11" for an error.
inline std::string read_text(system_calls& system, int fd, std::size_t size) {
  std::string text(size, '\0');
  const std::int64_t got = system.read(fd, text.data(), size);
  if (got < 0) return std::to_string(got);
  text.resize(static_cast<std::size_t>(got));
  return text;
}

inline unsigned ready(system_calls& system, int fd) {
  pollfd asked{fd, POLLIN | POLLOUT | POLLRDHUP, 0};
  system.poll(&asked, 1);
  return static_cast<unsigned short>(asked.revents);
}

// Two descriptors, as pipe2() or socketpair() makes them.
struct descriptor_pair {
  int fds[2] = {-1, -1};
  int operator[](int i) const { return fds[i]; }
  void close(system_calls& system) const {
    system.close(fds[0]);
    system.close(fds[1]);
  }
};

// Counts how often it is told.
class counting_watch final : public readiness_watch {
 public:
  void may_be_ready() noexcept override { ++told; }
  void was_closed() noexcept override { ++closed; }

  int told = 0;
  int closed = 0;
};

}  // namespace lockstep
