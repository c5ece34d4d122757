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
// that can be. Where it fails, `second` may be missing: the run may have ended before.
struct deciding_pair {
  named_step first;
  named_step second;
  token passing;           // the other way round
  std::uint64_t runs = 0;  // that it took to find it
};

// Looks for the pair in the run of `failing`, which should have been shrunk. The order of its steps is changed into
// that of a run that passes with the same values, the plain one if it does, one step after another; and bisection finds
// two neighbours the swap of which makes it pass. That they were made in the other order there is checked. Nothing if
// none of some other orders passes, if a task makes other steps in the two orders, if more than `runs_max` runs are
// needed, or in fifo order, where there is nothing to swap. Source: the schedule search of Meta's Hermit.
std::optional<deciding_pair> explain(program& code, const token& failing, std::uint64_t runs_max = 200);

}  // namespace lockstep
