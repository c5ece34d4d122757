// Letting time pass, letting others run, and moving the virtual clock by hand.
//
// Every await in here is a cancel point, and cancellation ends it at once. All of it requires a loop on this thread,
// and is misuse without one. Time is in integer nanoseconds.
#pragma once

#include <lockstep/runtime/task.hpp>
#include <lockstep/time/clock.hpp>

#include <coroutine>

namespace lockstep {

namespace detail {
// Of a blocking job; misuse elsewhere.
[[gnu::cold]] time_point now_without_loop();
}  // namespace detail

// The time of the loop that runs on this thread; it begins at 0 with the run. In a blocking job, the time
// that has come for it.
inline time_point now() {
  const detail::context* const found = detail::current_context;
  if (found == nullptr) [[unlikely]]
    return detail::now_without_loop();
  return found->owner->now();
}
// The time of day beside it.
inline wall_clock::time_point wall_now() {
  detail::touch(the_clock, access::read);
  return detail::here().owner->wall_now();
}
// Moves the time of day, forwards or back, as an administrator or NTP would. No timer notices.
inline void shift_wall_clock(duration by) {
  detail::touch(the_clock, access::write);
  detail::here().owner->shift_wall_clock(by);
}
template <coarser_duration T>
void shift_wall_clock(T by) {
  shift_wall_clock(saturating_cast(by));
}

namespace detail {

// A yield in a foreign coroutine.
class yield_operation final : public primitive<yield_operation> {
 public:
  yield_operation() noexcept : primitive(operation_kind::yield) {}

  bool try_now() const noexcept { return false; }
  void enqueue() noexcept override { current_context->owner->grant(*this); }
  void withdraw() noexcept override {}
  void result() const noexcept {}
};

// A yield in a task of ours. Whatever must be seen to first is seen to when its turn comes again, which is at once.
class yield_in_task {
 public:
  bool await_ready() const noexcept { return false; }
  template <std::derived_from<frame> Promise>
  void await_suspend(std::coroutine_handle<Promise> leaf) const noexcept {
    static_cast<loop*>(current_context)->requeue(leaf);
  }
  void await_resume() const {
    if (static_cast<loop*>(current_context)->cancels_yield()) [[unlikely]]
      throw_cancelled_yield();
  }
};

struct yielding {
  using in_task = yield_in_task;
  yield_operation operator co_await() const noexcept { return {}; }
};

class sleep_operation final : public primitive<sleep_operation>, private timer {
 public:
  explicit sleep_operation(time_point deadline) noexcept : primitive(operation_kind::sleep), timer(&wake, deadline) {}
  sleep_operation(const sleep_operation&) = delete;
  sleep_operation& operator=(const sleep_operation&) = delete;

  bool try_now() const noexcept { return false; }
  bool waits_in_any_case() const noexcept override { return true; }
  void enqueue() noexcept override {
    loop& owner = *current_context->owner;
    if (deadline() <= owner.now()) {
      owner.grant(*this);
    } else if (deadline() != time_point::max()) {
      owner.timers().arm(*this, deadline());
    }
  }
  void withdraw() noexcept override {
    if (armed()) current_context->owner->timers().disarm(*this);
  }
  std::string describe() const override;
  void result() const noexcept {}

 private:
  static void wake(timer& due) noexcept { current_context->owner->grant(static_cast<sleep_operation&>(due)); }
};

class settle_operation final : public primitive<settle_operation> {
 public:
  settle_operation() noexcept : primitive(operation_kind::settle) {}

  bool try_now() const noexcept { return false; }
  void touch_what() const noexcept { touch(the_settlers, access::write); }  // the first who waits is woken first
  bool waits_in_any_case() const noexcept override { return true; }
  void enqueue() noexcept override { current_context->owner->settlers().push_back(*this); }
  void withdraw() noexcept override { unlink(); }
  void result() const noexcept {}
};

}  // namespace detail

// Goes to the end of the ready queue once. Time does not move while anybody yields.
LOCKSTEP_AWAIT_IT inline detail::yielding yield() noexcept { return {}; }

// Waits until the clock shows `deadline`; one that has passed yields once. time_point::max() waits for ever.
LOCKSTEP_AWAIT_IT inline detail::sleep_operation sleep_until(time_point deadline) noexcept {
  return detail::sleep_operation(deadline);
}

// Waits for `length`, in nanoseconds or anything coarser; zero or less yields once, and what ends after the end of time
// waits for ever.
// Source: asyncio.sleep.
LOCKSTEP_AWAIT_IT inline detail::sleep_operation sleep_for(duration length) {
  return detail::sleep_operation(saturating_add(now(), length));
}
template <coarser_duration T>
LOCKSTEP_AWAIT_IT detail::sleep_operation sleep_for(T length) {
  return sleep_for(saturating_cast(length));
}

// Waits until every other task is blocked, without moving the clock; a wait for something outside the simulation counts
// as blocked. Several settlers are woken one after another, each when all is quiet again.
LOCKSTEP_AWAIT_IT inline detail::settle_operation settle() noexcept { return {}; }

// Moves the clock by `length`, firing every timer on the way in its turn, and settles. The only thing that moves a
// paused clock. Zero or less yields and settles.
task<void> advance(duration length);
template <coarser_duration T>
task<void> advance(T length) {
  return advance(saturating_cast(length));
}

// Stops the clock, which then moves only for advance() and consume(); and lets it jump again.
inline void pause_clock() {
  detail::touch(the_clock, access::write);
  detail::here().owner->pause_clock(true);
}
inline void resume_clock() {
  detail::touch(the_clock, access::write);
  detail::here().owner->pause_clock(false);
}

}  // namespace lockstep
