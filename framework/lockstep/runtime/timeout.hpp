// Timeouts: cancelling what takes too long, and saying so.
//
// with_timeout() runs a task in the name of the one that awaits it; when the time is up that task is cancelled at
// its await, unwinds, and the caller gets `timed_out`. A cancellation from outside that came first stays a
// cancellation.
#pragma once

#include <lockstep/runtime/spawn.hpp>
#include <lockstep/runtime/task.hpp>
#include <lockstep/time/timer_wheel.hpp>

namespace lockstep {

// Cancels the running task when the time is up, until the scope ends. The building block of with_timeout().
class timeout_scope : private timer {
 public:
  // Requires a running task. A deadline that has passed cancels at the next await.
  explicit timeout_scope(time_point deadline)
      : timer(&expire), owner_(current_task()), deadline_(deadline), requests_before_(owner_.cancelling()) {
    owner_.add_rescue(1);
    arm();
  }
  timeout_scope(const timeout_scope&) = delete;
  timeout_scope& operator=(const timeout_scope&) = delete;
  ~timeout_scope() {
    if (armed()) detail::current_context->owner->timers().disarm(*this);
    owner_.add_rescue(-1);
    if (expired_ && !absorbed_) [[unlikely]]
      take_back_request();
  }

  time_point when() const noexcept { return deadline_; }
  // Sets a new deadline. Requires that the old one has not passed.
  void reschedule(time_point deadline);
  bool expired() const noexcept { return expired_; }

  // For a handler of `cancelled` at the scope's end: whether the scope itself caused it and nobody else asked. Takes
  // the scope's own request back.
  bool absorb();

 private:
  void arm() {
    loop& owner = *detail::current_context->owner;
    if (deadline_ <= owner.now()) {
      expire(*this);
    } else if (deadline_ != time_point::max()) {
      owner.timers().arm(*this, deadline_);
    }
  }
  void take_back_request();
  static void expire(timer& due) noexcept;

  agent& owner_;
  time_point deadline_;
  unsigned requests_before_;
  bool expired_ = false;
  bool absorbed_ = false;
};

// Awaits `work` for at most `limit`, and returns its result.
// Throws `timed_out` if the time was up first, after the work has unwound; whatever else leaves the work.
// A limit of zero or less still starts the work and cancels it at its first await.
// Source: asyncio.timeout and asyncio.wait_for.
template <class T>
task<T> with_timeout(duration limit, task<T> work) {
  timeout_scope scope(saturating_add(detail::here().owner->now(), limit));
  try {
    co_return co_await std::move(work);
  } catch (const cancelled&) {
    if (!scope.absorb()) throw;
  }
  throw timed_out(limit);
}

}  // namespace lockstep
