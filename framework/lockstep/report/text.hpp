// A finished run in words for a terminal.
#pragma once

#include <lockstep/runtime/verdict.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

// `text` with the bytes that are no UTF-8 as \xNN: what reads a report, such as XML, may stop at them.
std::string in_utf8(std::string_view text);

// A verdict in full: a headline, the tasks concerned as a tree of spawns with what each waits for, at which line, and
// who holds that, each with the asynchronous stack below it. Of many tasks, of a long stack and of a long cycle it
// shows some, and counts the rest.
std::string to_text(const verdict& found);

// The tree alone. Of many tasks, those whose names are in `cycle` are shown before others.
std::string tree_of(const std::vector<task_snapshot>& tasks, const std::vector<std::string>& cycle = {});

}  // namespace lockstep
