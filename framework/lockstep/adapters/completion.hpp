// Where the end of work that another library does meets the task that awaits it. Each may go before the other.
//
// The work's side completes it once, on any thread; the task's side waits, takes the result, or forgets it when the
// task is destroyed.
#pragma once

#include <lockstep/runtime/spawn.hpp>

#include <coroutine>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>

namespace lockstep::detail {

template <class Result>
class completion {
 public:
  completion() = default;
  completion(const completion&) = delete;
  completion& operator=(const completion&) = delete;

  // -- the task's side, on its loop's thread ------------------------------------------------------------------------

  // The work has begun. Returns whether the task has to wait for it; `waiter` is resumed then.
  bool wait(std::coroutine_handle<> waiter) {
    const std::lock_guard lock(mutex_);
    if (ended_) return false;
    waiter_ = waiter;
    return true;
  }
  // Nothing if the work was dropped. Requires that it has ended.
  std::optional<Result> take() { return std::move(result_); }
  // The task is being destroyed. When this has returned it is not resumed any more. Returns whether the work goes on.
  bool forget_waiter() {
    const std::lock_guard lock(mutex_);
    waiter_ = nullptr;
    return !ended_;
  }

  // -- the work's side, on any thread -------------------------------------------------------------------------------

  template <class... Parts>
  void arrive(Parts&&... of_result) {
    const std::lock_guard lock(mutex_);
    result_.emplace(std::forward<Parts>(of_result)...);
    end();
  }
  // It will not complete, as who does the work has gone.
  void be_dropped() {
    const std::lock_guard lock(mutex_);
    if (!ended_) end();
  }

 private:
  // With the lock held: resuming only posts, and the task must not go meanwhile.
  void end() {
    ended_ = true;
    if (const std::coroutine_handle<> waiter = std::exchange(waiter_, nullptr)) waiter.resume();
  }

  std::mutex mutex_;
  std::coroutine_handle<> waiter_;
  bool ended_ = false;
  std::optional<Result> result_;
};

// What an await returns of the values that work completes with: nothing, the value, or a tuple of several.
template <class... T>
auto unpacked(std::tuple<T...>&& values) {
  if constexpr (sizeof...(T) == 1) {
    return std::get<0>(std::move(values));
  } else if constexpr (sizeof...(T) > 1) {
    return std::move(values);
  }
}

// Throws `cancelled` if the running task was asked to stop: then that is why its work was stopped.
inline void throw_if_asked_to_stop() {
  agent& who = current_task();
  if (who.accept_cancellation()) throw_cancelled(who);
}

}  // namespace lockstep::detail
