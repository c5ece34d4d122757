// Who awaits whom, at one moment: data for a picture of all that is going on.
//
// Source: asyncio.capture_call_graph.
#pragma once

#include <lockstep/runtime/verdict.hpp>
#include <lockstep/time/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lockstep {

// Complete when it is made: it holds no pointer into the run.
struct call_graph {
  std::vector<task_snapshot> tasks;              // all_tasks(), the oldest first
  std::vector<std::vector<std::size_t>> awaits;  // for each of them, the places of those for whose end it waits
  time_point at{};
  std::uint64_t step = 0;
  bool inside = false;  // whether a loop runs on this thread; else there is nothing
};

// At any moment, also while a step is being made, in a destructor, and outside of every loop. Never suspends.
call_graph capture_call_graph();

}  // namespace lockstep
