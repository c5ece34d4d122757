// Runs of lockstep, each in a world of its own, which is new as the floor's scheduler is, and has no limits.
#pragma once

#include "workload.hpp"

#include <lockstep/sim/world.hpp>
#include <lockstep/time/clock.hpp>

#include <cstdint>
#include <limits>

namespace bench {

// Counts what the tasks of a run did. Not a parameter, which would make trivial tasks less trivial.
inline std::uint64_t done = 0;

// A run of `Work(arguments…, operations)`.
template <auto Work, auto... Arguments>
measurement run(std::uint64_t operations) {
  done = 0;
  lockstep::sim::world world;
  lockstep::sim::world_options options;
  options.steps_max = std::numeric_limits<std::uint64_t>::max();
  options.time_max = lockstep::duration::max();
  return world.run([operations] { return Work(Arguments..., operations); }, options);
}

}  // namespace bench
