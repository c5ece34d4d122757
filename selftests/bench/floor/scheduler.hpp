// The floor: the least that a scheduler of coroutines on virtual time can do. One thread, no cancellation, no
// exceptions, no names, no record of what happened; but everything that makes tasks run in order, wait and be woken.
//
// What a real runtime adds is measured against this, so nothing here may be left out that any scheduler has to do.
#pragma once

#include "frame_freelist.hpp"
#include "ready_ring.hpp"
#include "timer_wheel.hpp"

#include <coroutine>
#include <cstdint>
#include <memory>

namespace bench::floor {

struct scheduler {
  frame_freelist frames;
  ready_ring ready;
  timer_wheel timers;
  std::uint64_t now_ns = 0;

  // Runs until nothing is ready and no timer is armed.
  void run() {
    run_ready();
    while (!timers.empty()) {
      timer& due = timers.pop();
      now_ns = due.deadline_ns;
      due.waiter.resume();
      run_ready();
    }
  }

 private:
  void run_ready() {
    while (!ready.empty()) ready.pop().resume();
  }
};

// The only scheduler, at a fixed address: even a pointer to it would be work that a scheduler need not do.
inline scheduler here;

// Replaces it by a new one. Requires that no frame is left.
inline void start_afresh() {
  std::destroy_at(&here);
  std::construct_at(&here);
}

// Goes to the end of the ready queue once.
struct yield {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) const noexcept { here.ready.push(waiter); }
  void await_resume() const noexcept {}
};

class sleep_for : private timer {
 public:
  explicit sleep_for(std::uint64_t length_ns) noexcept : length_ns_(length_ns) {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> sleeper) noexcept {
    waiter = sleeper;
    deadline_ns = here.now_ns + length_ns_;
    here.timers.arm(*this);
  }
  void await_resume() const noexcept {}

 private:
  std::uint64_t length_ns_;
};

}  // namespace bench::floor
