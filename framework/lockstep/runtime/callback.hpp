// Calling a function later: soon, after a while, at a time, when a task or a future is done.
//
// The loop makes the call, in a task of its own: reports name it `callback 3 (cache.cpp:41)`, 3 being its place in the
// tree of spawns, and among tasks that are ready the oracle picks it as any other. In the order of a single thread the
// calls are made in the order in which they became due, behind all that were ready before.
//
//   callback_handle reminder = call_later(5s, [&] { late = true; });
//   ...
//   reminder.cancel();
//
// Lifetime: the loop keeps the function, and destroys it when it has been called or is cancelled. A handle may be
// dropped: the call is made all the same. Calls that were not made when the main task and the daemons have ended are
// never made, which is no verdict.
// Errors: an exception that leaves the function goes to the exception handler, and the loop goes on.
// Threads: all of it on the loop's thread. From another one, see loop_remote.
// Source: asyncio's loop.call_soon, call_later and call_at; asyncio.Handle.
#pragma once

#include <lockstep/runtime/sleep.hpp>
#include <lockstep/runtime/task.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace lockstep {

namespace detail {

// One call. The loop keeps it until it has been made or dropped; handles may keep it longer.
class scheduled_call : public list_hook<scheduled_call>,
                       public std::enable_shared_from_this<scheduled_call>,
                       private finish_listener {
 public:
  scheduled_call(source where, std::optional<time_point> when) noexcept : where_(where), when_(when) {}
  scheduled_call(const scheduled_call&) = delete;
  scheduled_call& operator=(const scheduled_call&) = delete;
  virtual ~scheduled_call() = default;

  // Gives it to the loop that runs here, as a child of the running task.
  void start(loop& on);
  bool cancel(source where);
  bool cancelled() const noexcept { return state_ == state::cancelled; }
  std::optional<time_point> when() const noexcept { return when_; }
  // Its task, as long as it has one.
  agent* who() const noexcept { return agent_; }

 private:
  enum class state { pending, called, cancelled };

  static task<void> callback(scheduled_call* of);
  void make();
  void finished(agent& who) noexcept final;
  bool watches_callback() const noexcept final { return true; }

  virtual void call() = 0;
  // In its place, if its task was cancelled while it waited.
  virtual void was_cancelled() {}
  virtual operation* until() noexcept = 0;  // null to start at once
  virtual void forget_function() noexcept = 0;
  virtual void forget_until() noexcept = 0;

  source where_;
  std::optional<time_point> when_;
  state state_ = state::pending;
  agent* agent_ = nullptr;
  std::shared_ptr<scheduled_call> kept_;  // itself, for as long as it has a task
  std::shared_ptr<inbox> home_;
  std::uint64_t run_ = 0;
  identity id_ = 0;
};

template <class F, class Until>
class call_of final : public scheduled_call {
  static_assert(!is_task<std::remove_cvref_t<std::invoke_result_t<F&>>>,
                "a callback is a function that returns at once; to run a task, spawn() it");

 public:
  template <class... Args>
  call_of(F function, source where, std::optional<time_point> when, Args&&... until)
      : scheduled_call(where, when), function_(std::move(function)),
        until_(std::in_place, std::forward<Args>(until)...) {}

 private:
  void call() override { static_cast<void>(std::invoke(*function_)); }
  operation* until() noexcept override {
    if constexpr (std::derived_from<Until, operation>) {
      return &*until_;
    } else {
      return nullptr;
    }
  }
  void forget_function() noexcept override { function_.reset(); }
  void forget_until() noexcept override { until_.reset(); }

  std::optional<F> function_;
  std::optional<Until> until_;
};

// For who is about to schedule a call: misuse if no task runs, in whose name it would be made.
[[gnu::cold]] loop& loop_to_call(const source& where);

}  // namespace detail

// One call that the loop is to make. Copies are about the same call, and none of them owns it.
class callback_handle {
 public:
  // About no call.
  callback_handle() noexcept = default;
  explicit callback_handle(std::shared_ptr<detail::scheduled_call> call) noexcept : call_(std::move(call)) {}

  // Takes the call back. Returns whether it had not begun; then the function is destroyed, and never called. Misuse on
  // another thread while the run goes on.
  bool cancel(source where = source::current()) { return call_ != nullptr && call_->cancel(where); }
  // Whether it was taken back before it began.
  bool cancelled() const noexcept { return call_ != nullptr && call_->cancelled(); }
  // When it is to be made, for those of call_later() and call_at(). Nothing for others.
  std::optional<time_point> when() const noexcept { return call_ != nullptr ? call_->when() : std::nullopt; }

 private:
  std::shared_ptr<detail::scheduled_call> call_;
};

namespace detail {

// Calls `function` when the operation `Until`, made of `until`, is granted.
template <class Until, class F, class... Args>
callback_handle call_when(F function, source where, std::optional<time_point> when, Args&&... until) {
  loop& owner = loop_to_call(where);
  auto made = std::make_shared<call_of<F, Until>>(std::move(function), where, when, std::forward<Args>(until)...);
  made->start(owner);
  return callback_handle(std::move(made));
}

}  // namespace detail

// Calls `function()` when its turn comes: behind all tasks and calls that are ready now. Does not suspend. Its result
// is ignored.
// Misuse where no task runs, as in a fixture's constructor.
template <std::invocable F>
callback_handle call_soon(F function, source where = source::current()) {
  return detail::call_when<std::monostate>(std::move(function), where, std::nullopt);
}

// The same when the clock shows `when`; soon, if that has passed; never at time_point::max().
template <std::invocable F>
callback_handle call_at(time_point when, F function, source where = source::current()) {
  return detail::call_when<detail::sleep_operation>(std::move(function), where, when, when);
}

// The same after `delay`, in nanoseconds or anything coarser; soon, for zero or less.
template <std::invocable F>
callback_handle call_later(duration delay, F function, source where = source::current()) {
  return call_at(saturating_add(now(), delay), std::move(function), where);
}
template <coarser_duration D, std::invocable F>
callback_handle call_later(D delay, F function, source where = source::current()) {
  return call_later(saturating_cast(delay), std::move(function), where);
}

}  // namespace lockstep
