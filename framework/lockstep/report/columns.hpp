// A run as a column per task: who made which step where, what it awaited, and which values it saw.
//
//      withdraw 1                                  withdraw 2
//      account.hpp in withdraw()  balance 100
//                                                  account.hpp in withdraw()  balance 100     *
//      account.hpp:6  mutex "audit", balance = 20
//                                                  account.hpp:6  mutex "audit", balance = -60
//
// A line is a step, in the column of its task, moved time, or something that happened beside the tasks: a message that
// came from another host, one that was lost, a fault. A place is the line at which the task stood when the step began.
// One screen at most: of a long run it shows the steps that matter, and counts the rest.
#pragma once

#include <lockstep/explore/determinism.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {

struct column_options {
  std::vector<bool> marked;  // by record: its step is shown with "*"; those that are missing are not marked
  // Records of the two steps whose order decides: the earlier has a remark. One behind the last is of a step that the
  // run has not come to.
  std::optional<std::pair<std::size_t, std::size_t>> deciding;
  std::size_t lines_max = 40;   // at least 4
  std::size_t width_max = 120;  // in characters; at least 40
};

// Lines that end in '\n'; nothing if the run made no step. The same text for the same run. Steps that repeat what is
// above them are counted. Shown before others are the deciding steps, then the last, the marked ones, and what is
// around all these; where something decides and not all fits, none of tasks that have none of those. Where there is no
// room for a column per task, those that have the fewest steps to show share the last one.
std::string columns_of(const recorded_run& run, const column_options& how = {});

}  // namespace lockstep
