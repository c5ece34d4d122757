// Turns live tasks into the plain data of a verdict.
#pragma once

#include <lockstep/runtime/agent.hpp>
#include <lockstep/runtime/verdict.hpp>

#include <vector>

namespace lockstep {

// A snapshot of each of `tasks`, parents before their children, each task once.
std::vector<task_snapshot> snapshot_of(std::vector<agent*> tasks);

}  // namespace lockstep
