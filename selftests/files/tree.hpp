// All that is to be seen of a directory and what is in it.
#pragma once

#include "machine.hpp"

#include <string>

namespace lockstep::files {

// A line for each name, by name: kind, mode, links, size, content, what a symbolic link says, and which names are the
// same file. Modification times only if they are in `set_times`, which a sequence sets; all others are the clock's.
std::string tree_text(machine& on, const std::string& path);

// Seconds that no clock shows.
inline constexpr std::int64_t set_times_begin = 123'456'780;
inline constexpr std::int64_t set_times_end = 123'456'790;

}  // namespace lockstep::files
