// condition_variable: waiting, with a mutex given up meanwhile, until another task says that something has changed.
#pragma once

#include <lockstep/runtime/shield.hpp>
#include <lockstep/runtime/task.hpp>
#include <lockstep/sync/mutex.hpp>

#include <concepts>
#include <string_view>
#include <utility>

namespace lockstep {

// Requires that no task waits for it when it dies; misuse otherwise.
// Source: asyncio.Condition.
class condition_variable final : public object {
 public:
  // `guarded` protects what is waited for and must outlive this object.
  explicit condition_variable(mutex& guarded, label name = {}) : object(std::move(name)), mutex_(guarded) {}
  ~condition_variable();
  std::string_view noun() const noexcept override { return "condition_variable"; }

  // Gives up the mutex, waits to be notified, and takes the mutex again before it returns, also by an exception.
  // Misuse if the running task does not hold the mutex. Others may have had the mutex between the notification and the
  // return, so what was waited for need not hold any more: wait in a loop, or use the form with a condition.
  // Cancelled: takes the mutex however often it is cancelled meanwhile, then throws once; a notification that it had
  // received goes to another waiter.
  task<void> wait();
  // Waits until `holds()`, which is called with the mutex held; at once if it does already. Cancelled, it ends as
  // above.
  template <std::predicate Condition>
  task<void> wait(Condition holds) {
    require_held("was waited for", "wait()", detail::users_line());
    while (!holds()) co_await wait();
  }

  // Wakes up to `count` waiters, the longest waiting first; they go on when they have the mutex. A notification for
  // which nobody waits is not kept. Misuse if the running task does not hold the mutex.
  void notify(std::size_t count = 1, source where = source::current());
  void notify_one(source where = source::current()) { notify(1, where); }
  void notify_all(source where = source::current()) { notify(static_cast<std::size_t>(-1), where); }

 private:
  class waiting;
  class notification;

  void require_held(const char* deed, std::string_view what, const source& where);
  // Wakes the one that has waited longest.
  void pass_on() noexcept;

  mutex& mutex_;
  wait_list waiters_;
  intrusive_list<notification> received_;  // by tasks that have yet to return with them
};

}  // namespace lockstep
