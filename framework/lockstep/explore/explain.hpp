// Why a run fails: the two steps whose order decides.
#pragma once

#include <lockstep/choice/identity.hpp>
#include <lockstep/explore/program.hpp>
#include <lockstep/explore/token.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace lockstep {

// A step, as a trace has it: the n-th record of a step of that task.
struct named_step {
  identity task;
  std::uint32_t nth;
};

// The steps by which the run of `replay` departs from the plain one: of each override of a task, the step that was made
// instead. Makes the run once.
std::vector<named_step> deviations_of(program& code, const token& replay);

// It fails when `first` is made before `second`, and passes the other way round, all else being as it was as far as
// that can be.
struct deciding_pair {
  named_step first;
  named_step second;
  std::uint64_t runs = 0;  // that it took to find it
};

// Looks for the pair in the run of `failing`, which should have been shrunk: swaps steps of different tasks that depend
// on each other until the run passes: steps by which the run departs from the plain one first, and of those the ones
// next to each other. Nothing if none of at most `runs_max` swaps makes it pass, or if there is nothing to swap, as in
// fifo order. Source: the schedule search of Meta's Hermit.
std::optional<deciding_pair> explain(program& code, const token& failing, bool all_shared_declared = false,
                                     std::uint64_t runs_max = 200);

}  // namespace lockstep
