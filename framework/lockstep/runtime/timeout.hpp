// Timeouts: cancelling what takes too long, and saying so.
//
// with_timeout() runs a task in the name of the one that awaits it; when the time is up that task is cancelled at
// its await, unwinds, and the caller gets `timed_out`. A cancellation from outside that came first stays a
// cancellation.
//
//   co_return co_await with_timeout(5s, from.fetch(path));
#pragma once

#include <lockstep/runtime/spawn.hpp>
#include <lockstep/runtime/task.hpp>
#include <lockstep/time/timer_wheel.hpp>

#include <utility>

namespace lockstep {

// Cancels the running task when the time is up, until the scope ends. The building block of with_timeout(). It belongs
// to the task that makes it; scopes of one task end in the reverse order of their beginning.
class timeout_scope : private timer {
 public:
  // Requires a running task. A deadline that has passed cancels at the next await.
  explicit timeout_scope(time_point deadline, source where = source::current())
      : timer(&when_due), owner_(current_task(where)), shield_(owner_.shield()), deadline_(deadline),
        requests_before_(owner_.cancel_requests_) {
    arm();
  }
  timeout_scope(const timeout_scope&) = delete;
  timeout_scope& operator=(const timeout_scope&) = delete;
  ~timeout_scope() {
    disarm();
    if (expired_ && !absorbed_) [[unlikely]]
      take_back_request();
  }

  time_point when() const noexcept { return deadline_; }
  // Sets a new deadline. Misuse once the scope has expired.
  void reschedule(time_point deadline, source where = source::current());
  // Whether the time was up. The cancellation need not have been delivered yet.
  bool expired() const noexcept { return expired_; }

  // For a handler of `cancelled` at the scope's end: whether the scope itself caused it and nobody else asked. Takes
  // the scope's own request back.
  bool absorb();
  // In the handler, after that: throws `timed_out` instead.
  [[noreturn]] void give_up(duration limit) const;

 private:
  void arm() {
    loop& owner = *detail::current_context->owner;
    if (deadline_ <= owner.now()) [[unlikely]] {
      expire();
    } else if (deadline_ != time_point::max()) {
      owner.timers().arm(*this, deadline_);
      owner_.add_rescue(1);
    }
  }
  void disarm() noexcept {
    if (!armed()) return;
    detail::current_context->owner->timers().disarm(*this);
    owner_.add_rescue(-1);
  }
  void take_back_request();
  void expire();
  static void when_due(timer& due) noexcept;

  agent& owner_;
  const shield_scope* shield_;  // around the scope
  time_point deadline_;
  unsigned requests_before_;
  bool expired_ = false;
  bool absorbed_ = false;
};

// Awaits `work` for at most `limit`, and returns its result.
// Throws `timed_out` if the time was up first, after the work has unwound; whatever else leaves the work. Work that
// catches `cancelled` and returns has made it after all.
// The limit is exact to the nanosecond; of two that end at one instant it is the outer one that throws. Zero or less
// still starts the work and cancels it at its first await. A limit that ends after the end of time is none.
// Source: asyncio.timeout and asyncio.wait_for.
template <class T>
task<T> with_timeout(duration limit, task<T> work) {
  timeout_scope scope(saturating_add(detail::here().owner->now(), limit));
  try {
    co_return co_await std::move(work);
  } catch (const cancelled&) {
    if (!scope.absorb()) throw;
    scope.give_up(limit);
  }
}

template <coarser_duration D, class T>
task<T> with_timeout(D limit, task<T> work) {
  return with_timeout(saturating_cast(limit), std::move(work));
}

// Says what to do with anything else.
template <class NoTask>
  requires(!detail::is_task<std::remove_cvref_t<NoTask>>)
void with_timeout(duration, NoTask&&) {
  static_assert(detail::is_task<NoTask>,
                "with_timeout() takes a task: make one of what can be awaited, as in "
                "const auto next = [&]() -> task<int> { co_return co_await letters.get(); }; "
                "with_timeout(1s, next())");
}

}  // namespace lockstep
