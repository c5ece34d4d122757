// What this thread is running: the library's one mutable global; beside it, what runs where no loop does.
//
// A loop makes itself current for as long as it runs or is entered (`loop_scope`), so `now()`, `spawn()` and every
// await find their loop without being handed it. Loops nest; the outer one is current again afterwards.
#pragma once

#include <lockstep/base/frame_pool.hpp>
#include <lockstep/choice/step_observer.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>

namespace lockstep {

class loop;
class agent;
struct frame;
class agent_pool;
class disturbance;

namespace detail {

struct context {
  // The stack that awaited tasks may take when they are called where they are awaited; deeper ones the loop resumes.
  static constexpr std::ptrdiff_t stack_bytes = std::ptrdiff_t{64} * 1024;

  loop* owner = nullptr;            // of which this is a part
  agent* running = nullptr;         // the task whose step this is, or that made the fixture
  std::coroutine_handle<> next;     // what the loop resumes when the present coroutine returns to it
  const char* stack_end = nullptr;  // of that stack; its begin while the loop is to make all calls
  frame_pool* frames = nullptr;
  const agent_pool* agents = nullptr;
  const frame* destroyed = nullptr;   // the one whose locals are destroyed before it has ended
  std::uint64_t run = 0;              // tells all runs of the process apart
  const char* stack_limit = nullptr;  // where the stack ends
  disturbance* fails = nullptr;       // allocations, in the present step; null for none
  step_observer* observer = nullptr;  // null for none
  bool simulates = false;             // the clock is virtual, and faults may happen
};

inline constinit thread_local context* current_context = nullptr;

// The blocking job that runs on this thread, if no loop does: see blocking_job.hpp.
class job_state;
inline constinit thread_local job_state* current_job = nullptr;

// The context, or misuse if no loop runs on this thread; so within a blocking job.
[[noreturn]] void no_loop_here();
inline context& here() {
  context* found = current_context;
  if (found == nullptr) [[unlikely]]
    no_loop_here();
  return *found;
}

// Whether the run has an observer.
inline bool observed() noexcept {
  const context* const found = current_context;
  return found != nullptr && found->observer != nullptr;
}
// Tells it, if there is one, that the present step touches that object.
inline void touch(identity object, access how) {
  if (observed()) [[unlikely]]
    current_context->observer->touches(object, how);
}

}  // namespace detail

// The loop that runs on this thread; null if none does.
inline loop* current_loop() noexcept {
  return detail::current_context == nullptr ? nullptr : detail::current_context->owner;
}

}  // namespace lockstep
