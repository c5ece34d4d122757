// Shrinking: the same failure in a run that departs from the plain one in as few places as possible.
#pragma once

#include <lockstep/explore/program.hpp>
#include <lockstep/explore/token.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace lockstep {

struct shrink_options {
  std::uint64_t runs_max = 500;  // re-executions; what is left then stands
  // Asked before each: whether to end here. Null for never.
  std::function<bool()> out_of_time = {};
  // Told after each run how many there were, and how many overrides are left. Null for nobody.
  std::function<void(std::uint64_t runs, std::size_t overrides)> on_progress = {};
};

struct shrunk_run {
  token replay;  // base plain, with the overrides that are left; without a fingerprint
  std::uint64_t runs = 0;
  bool finished = false;  // within its limits: nothing is left that would be tried
};

// Requires that the run of `failing`, of base plain, fails with that signature; of others, nothing is kept.
// Of the steps as few as possible keep their order, which takes 150 runs at most, and overrides are left out, both in
// halves, quarters, and so on down to one; tasks that look again and again whether they may go on do so less or more
// often then. Elements are taken out of sequences, whose sizes go down with them; of two values one is made; values are
// lowered, one at a time and two at once, exchanged so that the lesser one is first, and moved to the front of their
// domains, until none of that does any more, or for 150 runs. Then up to 100 runs with a single override are tried, and
// up to 250 with one instead of several; 50 of both together where there are values. A run counts only if it fails with
// the same signature.
// Source: Zeller, Hildebrandt, "Simplifying and isolating failure-inducing input", TSE 2002; Jalbert, Sen, "A trace
// simplification technique for effective debugging of concurrent programs", FSE 2010.
shrunk_run shrink(program& code, const token& failing, const std::string& signature,
                  const shrink_options& options = {});

// The run of these answers, as fixed_choices takes them, as a token over the plain run. Makes it once.
token token_of_answers(program& code, std::uint16_t test, ordering order, const std::vector<std::uint64_t>& answers);

}  // namespace lockstep
