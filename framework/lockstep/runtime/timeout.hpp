// Timeouts: cancelling what takes too long, and saying so.
//
// with_timeout() runs a task in the name of the one that awaits it; when the time is up that task is cancelled at
// its await, unwinds, and the caller gets `timed_out`. A cancellation from outside that came first stays a
// cancellation. What is run may also be a body that is given the scope, and moves the deadline as it gets on.
//
//   co_return co_await with_timeout(5s, from.fetch(path));
//
// An operation of ours, such as queue::get() or tcp_stream::read_some(), needs no cancelling: it either happens in
// time, or is withdrawn as if it had never been there.
//
//   const std::size_t count = co_await with_timeout(5s, peer.read_some(buffer));
#pragma once

#include <lockstep/runtime/select.hpp>
#include <lockstep/runtime/sleep.hpp>
#include <lockstep/runtime/spawn.hpp>
#include <lockstep/runtime/task.hpp>
#include <lockstep/time/timer_wheel.hpp>

#include <array>
#include <functional>
#include <type_traits>
#include <utility>

namespace lockstep {

// Cancels the running task when the time is up, until the scope ends. The building block of with_timeout(). It belongs
// to the task that makes it; scopes of one task end in the reverse order of their beginning.
class timeout_scope : private timer {
 public:
  // Requires a running task. A deadline that has passed cancels at the next await; time_point::max() is none.
  explicit timeout_scope(time_point deadline, source where = source::current())
      : timer(&when_due), owner_(current_task(where)), shield_(owner_.shield()), deadline_(deadline) {
    requests_before_ = owner_.requests_delivered();
    arm();
  }
  timeout_scope(const timeout_scope&) = delete;
  timeout_scope& operator=(const timeout_scope&) = delete;
  ~timeout_scope() {
    disarm();
    if (expired_ && !absorbed_) [[unlikely]]
      take_back_request();
  }

  time_point when() const noexcept {
    detail::touch(owner_.id(), access::read);
    return deadline_;
  }
  // Sets a new deadline, time_point::max() for none. Any task of the loop may. Misuse once the scope has expired.
  void reschedule(time_point deadline, source where = source::current());
  // Whether the time was up. The cancellation need not have been delivered yet.
  bool expired() const noexcept {
    detail::touch(owner_.id(), access::read);
    return expired_;
  }

  // For a handler of `cancelled` at the scope's end: whether the scope itself caused it and nobody else asked. Takes
  // the scope's own request back.
  bool absorb();
  // In the handler, after that: throws `timed_out` instead.
  [[noreturn]] void give_up(duration limit) const;
  // In a handler of anything else, which it throws on: if the time was up, reports of the error say so.
  void note_expiry(duration limit) const noexcept;

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

  bool expired_ = false;
  bool absorbed_ = false;
  unsigned requests_before_ = 0;
  agent& owner_;
  const shield_scope* shield_;  // around the scope
  time_point deadline_;
};

namespace detail {

inline time_point deadline_of(duration limit) { return saturating_add(here().owner->now(), limit); }
inline time_point deadline_of(time_point deadline) { return deadline; }
// What the report of one that expired says, from its beginning on.
inline duration limit_of(duration limit, time_point) { return limit; }
inline duration limit_of(time_point deadline, time_point began) {
  return saturating_add(deadline.time_since_epoch(), -began.time_since_epoch());
}

// `limit` is a duration or a deadline, `work` a task or a body.
template <class T, class Limit, class Work>
task<T> with_timeout(Limit limit, Work work) {
  const time_point began = here().owner->now();
  timeout_scope scope(deadline_of(limit));
  try {
    if constexpr (is_task<Work>) {
      if (scope.expired()) [[unlikely]] {
        const std::coroutine_handle<> never_starts = work.release();
        never_starts.destroy();
        co_await sleep_until(time_point::max());  // where the cancellation is delivered
      }
      co_return co_await std::move(work);
    } else {
      co_return co_await std::invoke(work, scope);
    }
  } catch (const cancelled&) {
    if (!scope.absorb()) throw;
    scope.give_up(limit_of(limit, began));
  } catch (...) {
    scope.note_expiry(limit_of(limit, began));
    throw;
  }
}

template <class F>
using result_within = typename std::invoke_result_t<F&, timeout_scope&>::value_type;

}  // namespace detail

// Awaits `work` for at most `limit`, and returns its result.
// Throws `timed_out` if the time was up first, after the work has unwound; whatever else leaves the work. Work that
// catches `cancelled` and returns has made it after all; an error that leaves it then passes, and reports of it say
// that the time was up. The limit is exact to the nanosecond; of two that end at one instant it is the outer one that
// throws. With zero or less the work never starts. A limit that ends after the end of time is none. Source:
// asyncio.wait_for.
template <class T>
task<T> with_timeout(duration limit, task<T> work) {
  return detail::with_timeout<T>(limit, std::move(work));
}
// The same until the clock shows `deadline`; time_point::max() is none.
template <class T>
task<T> with_timeout_at(time_point deadline, task<T> work) {
  return detail::with_timeout<T>(deadline, std::move(work));
}

// The same for `body(scope)`, a task that may ask when its time is up and move that, `scope.reschedule(now() + 5s)`.
// The scope lives until the body has ended. A body starts even without time, and is cancelled at its first await.
// Source: asyncio.timeout and asyncio.timeout_at.
template <class F>
  requires task_function<F&, timeout_scope&> task<detail::result_within<F>> with_timeout(duration limit, F body) {
    return detail::with_timeout<detail::result_within<F>>(limit, std::move(body));
  }
template <class F>
  requires task_function<F&, timeout_scope&> task<detail::result_within<F>> with_timeout_at(time_point deadline,
                                                                                            F body) {
    return detail::with_timeout<detail::result_within<F>>(deadline, std::move(body));
  }

template <coarser_duration D, class T>
task<T> with_timeout(D limit, task<T> work) {
  return with_timeout(saturating_cast(limit), std::move(work));
}
template <coarser_duration D, class F>
  requires task_function<F&, timeout_scope&> task<detail::result_within<F>> with_timeout(D limit, F body) {
    return with_timeout(saturating_cast(limit), std::move(body));
  }

namespace detail {

// As for operation.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

// An operation that has time until a deadline.
template <class Operation>
class timed final : public primitive<timed<Operation>, selection> {
 public:
  timed(Operation& of, time_point deadline, duration limit)
      : of_(of), end_(deadline), limit_(limit), arms_{&of, &end_} {
    this->take(arms_.data(), arms_.size(), source());
  }
  ~timed() { this->let_go(); }

  bool try_now() { return this->try_in_turn(); }
  result_of_arm<Operation> result() {
    if (this->granted() != 0) throw timed_out(limit_);
    return of_.await_resume();
  }

 private:
  Operation& of_;
  sleep_operation end_;
  duration limit_;
  std::array<operation*, 2> arms_;
};

#pragma GCC diagnostic pop

}  // namespace detail

// Awaits an operation for at most `limit`, and returns its result. Throws `timed_out` if the time was up first: then
// the operation has not happened, and nothing is lost by it. With zero or less it happens if it need not wait. Of an
// operation that is granted at the very instant at which the time is up, that counts which comes first. A task for
// which join() waits is not cancelled. As for select(), the operation lives until the end of the full-expression, so
// co_await it where it is made. Cancellation withdraws the operation.
// Source: select().
template <operation_of_ours Operation>
LOCKSTEP_AWAIT_IT detail::timed<std::remove_reference_t<Operation>> with_timeout(duration limit, Operation&& work) {
  return detail::timed<std::remove_reference_t<Operation>>(work, detail::deadline_of(limit), limit);
}
template <coarser_duration D, operation_of_ours Operation>
LOCKSTEP_AWAIT_IT detail::timed<std::remove_reference_t<Operation>> with_timeout(D limit, Operation&& work) {
  return detail::timed<std::remove_reference_t<Operation>>(work, detail::deadline_of(saturating_cast(limit)),
                                                           saturating_cast(limit));
}
// The same until the clock shows `deadline`; time_point::max() is none.
template <operation_of_ours Operation>
LOCKSTEP_AWAIT_IT detail::timed<std::remove_reference_t<Operation>> with_timeout_at(time_point deadline,
                                                                                    Operation&& work) {
  return detail::timed<std::remove_reference_t<Operation>>(work, deadline,
                                                           detail::limit_of(deadline, detail::here().owner->now()));
}

// Says what to do with anything else.
template <class NoTask>
  requires(!detail::is_task<std::remove_cvref_t<NoTask>> && !operation_of_ours<NoTask> &&
           !task_function<std::remove_cvref_t<NoTask>&, timeout_scope&>)
void with_timeout(duration, NoTask&&) {
  static_assert(detail::is_task<NoTask>,
                "with_timeout() takes a task or an operation of ours: make a task of what can be awaited, as in "
                "const auto next = [&]() -> task<int> { co_return co_await other.next(); }; "
                "with_timeout(1s, next())");
}

}  // namespace lockstep
