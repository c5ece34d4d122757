// What a power cut has lost, change by change, so that some of it can be put back.
#pragma once

#include <lockstep/sim/crash_log.hpp>
#include <lockstep/sim/crash_model.hpp>
#include <lockstep/sim/crash_plan.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace lockstep::sim {
class file_system;
}

namespace lockstep::detail {

// The answer, other than that nothing is lost, to the `question`-th question, from 1, of that change of that disk.
struct lost_change {
  std::size_t disk = 0;
  std::uint64_t change = 0;
  std::uint64_t question = 0;
  std::uint64_t answer = 0;

  friend bool operator==(const lost_change&, const lost_change&) = default;
};

using lost_changes = std::vector<lost_change>;

// Of the image that these answers leave of the disk of that number. What others take with it is among them, as lost by
// itself: so it can be lost without them.
lost_changes losses_of(sim::file_system& disk, std::size_t number, const sim::crash_model& model,
                       const sim::crash_plan::answers& given);

// Leaves of that disk all but these, and what they take with them.
sim::change_chooser chooser_of(const lost_changes& lost, std::size_t disk);

// Puts back whatever it can, while `still_fails` says so: then none can be put back alone. Makes `tries_max` tries at
// most.
// Source: Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002.
void shrink(lost_changes& lost, const std::function<bool(const lost_changes&)>& still_fails, std::uint64_t tries_max);

}  // namespace lockstep::detail
