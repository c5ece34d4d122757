// Whose system calls a task makes: those of the host that it runs on, which a task that it spawns inherits.
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/runtime/task_local.hpp>
#include <lockstep/system/calls.hpp>

namespace lockstep {

namespace detail {

// Null for the system of the world, which is a simulation's first host, or the operating system.
extern constinit task_local<system_calls*> system_of_task;

}  // namespace detail

// The system of the running task; in what destroying a task destroys, that task's own. Misuse without a loop, or where
// the world has none.
system_calls& current_system(source where = source::current());

}  // namespace lockstep
