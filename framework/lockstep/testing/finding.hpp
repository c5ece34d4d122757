// All that is known about a failing run that a search has found.
#pragma once

#include <lockstep/explore/explain.hpp>
#include <lockstep/explore/explorer.hpp>
#include <lockstep/explore/program.hpp>
#include <lockstep/explore/token.hpp>
#include <lockstep/testing/worker_process.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace lockstep::detail {

struct finding {
  std::string signature{};
  token replay{};          // the shrunk run; of one that dies with the part of its fingerprint that tells of overrides
  bool repeats = false;    // it fails in the same way when it is made again; otherwise nothing else is known
  bool finished = false;   // shrinking, within its budget
  bool explained = false;  // the search for the pair has come to an end
  bool too_long = false;   // it makes so many steps that it was not looked at each
  std::uint64_t shrink_runs = 0;
  std::vector<named_step> deviations{};  // the steps by which it departs from the plain run
  std::optional<deciding_pair> pair{};
  std::optional<explorer::failing_share> share{};  // of all orders, where they could all be made
  std::string in_fifo_order{};                     // a sentence; empty if it was searched in that order

  std::string sent_form() const;
  static finding read(message from);
};

struct finding_options {
  std::uint16_t test = 0;
  // At most so many orders are made to count those that fail.
  std::uint64_t share_runs_max = 20'000;
  // Asked before each run: whether to end here, with what is known. Null for never.
  std::function<bool()> out_of_time = {};
  // Told after each run of the shrinking: how many there were, and how many deviations are left. Returns false to end
  // it there; then the run is left as it was found, and nothing else is looked into. Null for nobody.
  std::function<bool(std::uint64_t runs, std::size_t deviations)> on_progress = {};
};

// Shrinks and explains what the search `how` has found, with as many runs again as that had, at most.
finding look_into(program& code, const explore_options& how, const failing_run& failure,
                  const finding_options& options);

}  // namespace lockstep::detail
