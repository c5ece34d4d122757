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

#include <lockstep/runtime/object.hpp>
#include <lockstep/runtime/primitive.hpp>

#include <utility>

namespace lockstep {

class mutex;

namespace detail {

// What leaves a wait list whose object dies: nothing will grant it any more. `handed` is as for loop::part_from().
void orphan_waiters(wait_list& waiters, const object& of, std::string_view what, bool handed) noexcept;

[[noreturn]] void throw_no_task_to_hold(const mutex& wanted);

}  // namespace detail

// Unlocks in its destructor. Moves, also to another task, and may be released early.
class [[nodiscard("keep the guard in a variable: the lock ends with it")]] mutex_guard {
 public:
  // Requires that `held` is locked, and that nobody else unlocks it.
  explicit mutex_guard(mutex & held) noexcept;
  mutex_guard(mutex_guard && other) noexcept : held_(other.held_), holder_(other.holder_) { other.move_to(*this); }
  mutex_guard& operator=(mutex_guard&& other) noexcept {
    if (this == &other) return *this;
    unlock();
    held_ = other.held_;
    holder_ = other.holder_;
    other.move_to(*this);
    return *this;
  }
  inline ~mutex_guard();

  // Hands the lock on before the scope ends; a second time does nothing. Misuse, which is reported and not thrown, if
  // the mutex was unlocked by hand; and on another thread, where the mutex stays locked.
  inline void unlock() noexcept;
  // Leaves the lock held, to be unlocked by mutex::unlock().
  inline void keep_locked() noexcept;

 private:
  friend class mutex;

  inline void move_to(mutex_guard & other) noexcept;
  // Where the lock is not simply handed on.
  [[gnu::cold]] void unlock_unusually(mutex & held) noexcept;

  mutex* held_;      // null also when the mutex has died
  identity holder_;  // the task in whose name it holds the lock
};

// Requires that no task waits for it or holds it when it dies; misuse otherwise.
// A task that waits is handed the lock by the one that unlocks; nobody else can take it in between.
// Source: asyncio.Lock, but that it knows its holder.
class mutex final : public object {
 public:
  explicit mutex(label name = {}) : object(std::move(name)) {}
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

  bool locked() const noexcept { return holder_ != 0; }
  // Null also if it has ended and left the lock behind. Slow: for reports.
  agent* holder() const noexcept override;

 private:
  friend class mutex_guard;
  friend class condition_variable;

  bool take_if_free();
  // Requires that it is held.
  void hand_over() noexcept;
  // The lock of a run that is over holds nobody up.
  void forget_run() noexcept override { holder_ = 0; }
  std::string described_holder() const;

  identity holder_ = 0;           // a pointer would dangle when a task ends without unlocking
  mutex_guard* guard_ = nullptr;  // the last that was made for it
  wait_list waiters_;
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
  enter("was locked", where);
  return take_if_free();
}

inline bool mutex::take_if_free() {
  if (holder_ != 0) return false;
  const agent* const taker = detail::current_context->running;
  if (taker == nullptr) [[unlikely]]
    detail::throw_no_task_to_hold(*this);
  holder_ = taker->id();
  return true;
}

inline void mutex::hand_over() noexcept {
  if (waiters_.empty()) {
    holder_ = 0;
    return;
  }
  operation& next = waiters_.pop_front();
  holder_ = next.who()->id();
  detail::current_context->owner->grant(next);
}

inline mutex_guard::mutex_guard(mutex& held) noexcept : held_(&held), holder_(held.holder_) { held.guard_ = this; }

inline void mutex_guard::move_to(mutex_guard& other) noexcept {
  if (held_ != nullptr && held_->guard_ == this) held_->guard_ = &other;
  held_ = nullptr;
}

inline void mutex_guard::unlock() noexcept {
  mutex* const held = std::exchange(held_, nullptr);
  if (held == nullptr) return;
  if (held->guard_ == this) held->guard_ = nullptr;
  const loop* const owner = static_cast<const loop*>(detail::current_context);
  if (owner != nullptr && held->is_of(*owner) && !owner->tearing_down() && held->holder_ == holder_ && holder_ != 0)
      [[likely]] {
    held->hand_over();
  } else {
    unlock_unusually(*held);
  }
}

inline mutex_guard::~mutex_guard() { unlock(); }

inline void mutex_guard::keep_locked() noexcept {
  if (held_ != nullptr && held_->guard_ == this) held_->guard_ = nullptr;
  held_ = nullptr;
}

}  // namespace lockstep
