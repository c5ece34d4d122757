// mutex: one holder at a time, waiters served in the order in which they came.
//
//   const mutex_guard entry = co_await audit.lock();
//   balance -= amount;
//
// As with all that is in sync: an await is a cancel point, and other tasks may run first even if it need not wait. What
// is handed to a waiter (a lock, a permit, an item, a notification) is its own at once; if it is cancelled or dies
// before it has run, the next waiter gets it.
// Threads: an object belongs to the run in which it was made, or, if it was made outside of every run, to the one that
// uses it; use from another run or thread is misuse, and a verdict of the run that it belongs to. One that was made
// outside may serve one run after another.
#pragma once

#include <lockstep/runtime/primitive.hpp>
#include <lockstep/sync/guard.hpp>

#include <utility>

namespace lockstep {

class mutex;

// Unlocks in its destructor; see detail::guard.
using mutex_guard = detail::guard<detail::exclusive_hold<mutex>>;

// Requires that no task waits for it or holds it when it dies; misuse otherwise.
// A task that waits is handed the lock by the one that unlocks; nobody else can take it in between. std::lock_guard and
// the like compile and lock nothing, as they do not await; that is misuse when they unlock.
// Source: asyncio.Lock, but that it knows its holder.
class mutex final : public detail::lockable {
 public:
  explicit mutex(label name = {}) : lockable(std::move(name)) {}
  ~mutex();
  std::string_view noun() const noexcept override { return "mutex"; }

  class locking;
  // Waits until the lock is free and returns a guard that holds it.
  // Cancelled while waiting or just after it was handed the lock: the lock goes to the next.
  // Locking it again in the task that holds it waits for ever, and is reported. Misuse outside of every task.
  LOCKSTEP_AWAIT_IT locking lock(source where = source::current());
  // Takes the lock if it is free, and returns whether it did; never waits. unlock() it, or give it to a mutex_guard.
  // Misuse outside of every task.
  bool try_lock(source where = source::current());
  // Hands the lock to the next waiter, which becomes ready. Misuse if the running task does not hold it.
  void unlock(source where = source::current());

  bool locked() const noexcept {
    touch(access::read);
    return holder_ != 0;
  }

 private:
  friend mutex_guard;
  friend detail::exclusive_hold<mutex>;
  friend class condition_variable;

  bool take_if_free();
  // Requires that it is held.
  void hand_over() noexcept;

  mutex_guard* guard_ = nullptr;  // the last that was made for it
};

class mutex::locking final : public primitive<mutex::locking> {
 public:
  explicit locking(mutex& wanted) noexcept : primitive(operation_kind::lock, wanted) {}

  bool try_now() { return subject<mutex>().take_if_free(); }
  void enqueue() noexcept override { subject<mutex>().waiters_.push_back(*this); }
  void withdraw() noexcept override { unlink(); }
  bool revoke() noexcept override {
    subject<mutex>().hand_over();
    return true;
  }
  bool needs_object_to_return() const noexcept override { return true; }
  std::string describe() const override;
  mutex_guard result() noexcept { return mutex_guard(subject<mutex>()); }
};

inline mutex::locking mutex::lock(source where) {
  enter("was locked", where);
  return locking(*this);
}

inline bool mutex::try_lock(source where) {
  enter_to_change("was locked", where);
  return take_if_free();
}

inline bool mutex::take_if_free() {
  if (holder_ != 0) return false;
  holder_ = taker();
  return true;
}

inline void mutex::hand_over() noexcept {
  touch(access::write);
  if (waiters_.empty()) {
    holder_ = 0;
    return;
  }
  operation& next = waiters_.pop_front();
  holder_ = next.who()->id();
  detail::current_context->owner->grant(next);
}

}  // namespace lockstep
