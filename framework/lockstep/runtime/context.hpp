// What this thread is running: the library's one mutable global.
//
// A loop makes itself current for as long as it runs or is entered (`loop_scope`), so `now()`, `spawn()` and every
// await find their loop without being handed it. Loops nest; the outer one is current again afterwards.
#pragma once

#include <lockstep/base/frame_pool.hpp>

#include <coroutine>
#include <cstdint>

namespace lockstep {

class loop;
class agent;

namespace detail {

struct context {
  static constexpr unsigned calls_max = 64;  // a deeper one is made by the loop

  loop* owner = nullptr;         // of which this is a part
  agent* running = nullptr;      // the task whose step this is, or that made the fixture
  std::coroutine_handle<> next;  // what the loop resumes when the present coroutine returns to it
  unsigned calls = 0;            // coroutines that were called by others and are on the stack
  frame_pool* frames = nullptr;
  std::uint64_t run = 0;  // tells all runs of the process apart
};

inline constinit thread_local context* current_context = nullptr;

// The context, or misuse if no loop runs on this thread.
[[noreturn]] void no_loop_here();
inline context& here() {
  context* found = current_context;
  if (found == nullptr) [[unlikely]]
    no_loop_here();
  return *found;
}

}  // namespace detail

// The loop that runs on this thread; null if none does.
inline loop* current_loop() noexcept {
  return detail::current_context == nullptr ? nullptr : detail::current_context->owner;
}

}  // namespace lockstep
