// Turns live tasks into the plain data of a verdict.
#pragma once

#include <lockstep/runtime/agent.hpp>
#include <lockstep/runtime/verdict.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

// A snapshot of each of `tasks`, parents before their children, each task once.
std::vector<task_snapshot> snapshot_of(std::vector<agent*> tasks);

// A task that has ended by an exception, followed by those that this exception had ended before it: what was joined and
// failed, the failures of a group. `parent` is the place within this trail. Empty if there is no memory for it.
std::vector<task_snapshot> trail_of(const agent& failed) noexcept;
// The same of a part of a task that goes on. In a handler of the task's innermost frame.
std::vector<task_snapshot> trail_of_caught(agent& catcher, std::string_view part) noexcept;
// Adds a trail to `tasks`, as what ended the task at `parent`, or beside the others.
void add_trail(std::vector<task_snapshot>& tasks, std::optional<std::size_t> parent,
               const std::vector<task_snapshot>& trail);

}  // namespace lockstep
