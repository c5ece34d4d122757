// All tasks as a tree: what is awaited stands below its awaiter, each with the lines at which it stands.
//
// A task that nobody awaits is a root. One that several await is shown in full below the first of them.
//
//   call graph at 1 s, step 9: 4 tasks
//     main       children(reader, writer)  cache.cpp:40
//     └ reader   sleep until 2 s           cache.cpp:12
//     ...
//
// From a debugger that has stopped the loop's thread: call lockstep_print_call_graph().
// Source: asyncio.print_call_graph, python -m asyncio pstree.
#pragma once

#include <lockstep/runtime/call_graph.hpp>

#include <cstddef>
#include <cstdio>
#include <string>

// Prints it to stderr, for debuggers.
extern "C" void lockstep_print_call_graph();

namespace lockstep {

class agent;

// Of more than `tasks_max` tasks it shows those that come first, and counts the rest.
std::string format_call_graph(const call_graph& graph = capture_call_graph(), std::size_t tasks_max = 64);
// At any moment, also within a step.
void print_call_graph(std::FILE* to = stderr);

// What one task does and where it stands, as it is shown there.
// Source: asyncio.Task.print_stack.
std::string format_stack(agent& who);

namespace detail {
// So that the linker keeps it.
[[gnu::used]] inline void (*const for_debuggers)() = &lockstep_print_call_graph;
}  // namespace detail

}  // namespace lockstep
