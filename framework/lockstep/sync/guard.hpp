// guard: holds a lock until its scope ends. What mutex and shared_mutex have in common.
//
// Lifetime: a guard may be moved, also to another task, may let go early, and may outlive its lock, which empties it.
#pragma once

#include <lockstep/base/intrusive_list.hpp>
#include <lockstep/runtime/loop.hpp>
#include <lockstep/runtime/object.hpp>
#include <lockstep/runtime/operation.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace lockstep::detail {

// What leaves a wait list whose object dies: nothing will grant it any more. `handed` is as for loop::part_from().
void orphan_waiters(wait_list& waiters, const object& of, bool handed) noexcept;

// What tasks lock: it knows who holds it alone, by identity.
class lockable : public object {
 public:
  // Null also if it has ended and left the lock behind. Slow: for reports.
  agent* holder() const noexcept override;

 protected:
  explicit lockable(label name) : object(std::move(name)) {}
  ~lockable() = default;

  // "nobody", "task "writer"", "a task that has ended".
  virtual std::string described_holder() const;
  // The running task. Misuse outside of every task: nobody would hold the lock.
  identity taker() const {
    const agent* const running = current_context->running;
    if (running == nullptr) [[unlikely]]
      refuse_to_lock();
    return running->id();
  }
  // Whose lock an unlock by hand ends. It is excused, and does nothing, if they hold none: a destructor calls it, for a
  // task that may have given the lock up to wait for a condition, or at the end of the run.
  struct unlocking {
    identity who;
    bool is_excused;
  };
  unlocking begin_unlock(source where);
  [[noreturn]] void refuse_unlock(std::string_view call, source where) const;
  // Where a guard does not simply hand the lock on: whether it is to do so. `holds` says whether it holds it still.
  [[gnu::cold]] bool guard_may_unlock(bool holds, identity in_whose_name) const noexcept;
  // For the destructor: nobody waits for it any more, or holds it.
  void part(bool held) noexcept;
  // The lock of a run that is over holds nobody up.
  void forget_run() noexcept override { holder_ = 0; }

  identity holder_ = 0;  // a pointer would dangle when a task ends without unlocking
  wait_list waiters_;

 private:
  [[noreturn]] void refuse_to_lock() const;
};

// `Hold` says how: of which lock, and what that remembers of its guards.
template <class Hold>
class [[nodiscard("keep the guard in a variable: the lock ends with it")]] guard : public Hold::link {
 public:
  using lock = typename Hold::lock;

  // Requires that `held` is locked, and that nobody else unlocks it.
  explicit guard(lock & held) noexcept : held_(&held), holder_(Hold::holder_of(held)) { Hold::attach(held, *this); }
  guard(guard && other) noexcept : held_(other.held_), holder_(other.holder_) { other.move_to(*this); }
  guard& operator=(guard&& other) noexcept {
    if (this == &other) return *this;
    unlock();
    held_ = other.held_;
    holder_ = other.holder_;
    other.move_to(*this);
    return *this;
  }
  ~guard() { unlock(); }

  // Hands the lock on before the scope ends; a second time does nothing. Misuse, which is reported and not thrown, if
  // the lock was unlocked by hand; and on another thread, where it stays locked.
  void unlock() noexcept {
    lock* const held = std::exchange(held_, nullptr);
    if (held == nullptr) return;
    Hold::detach(*held, *this);
    const loop* const owner = static_cast<const loop*>(current_context);
    if (owner != nullptr && held->is_of(*owner) && Hold::is_held(*held, holder_)) [[likely]] {
      Hold::hand_over(*held, holder_);
    } else {
      unlock_unusually(*held);
    }
  }
  // Leaves the lock held, to be unlocked by hand.
  void keep_locked() noexcept {
    if (held_ != nullptr) Hold::detach(*held_, *this);
    held_ = nullptr;
  }

 private:
  friend lock;

  void move_to(guard & other) noexcept {
    if (held_ != nullptr) Hold::replace(*held_, *this, other);
    held_ = nullptr;
  }
  [[gnu::cold, gnu::noinline]] void unlock_unusually(lock & held) noexcept {
    if (held.guard_may_unlock(Hold::is_held(held, holder_), holder_)) Hold::hand_over(held, holder_);
  }

  lock* held_;       // null also when the lock has died
  identity holder_;  // the task in whose name it holds the lock
};

// Alone. The lock knows the last guard that was made for it.
template <class Lock>
struct exclusive_hold {
  using lock = Lock;
  struct link {};

  static identity holder_of(const Lock& of) noexcept { return of.holder_; }
  static bool is_held(const Lock& of, identity by) noexcept { return of.holder_ == by && by != 0; }
  static void hand_over(Lock& held, identity) noexcept { held.hand_over(); }
  static void attach(Lock& to, guard<exclusive_hold>& made) noexcept { to.guard_ = &made; }
  static void detach(Lock& from, const guard<exclusive_hold>& left) noexcept {
    if (from.guard_ == &left) from.guard_ = nullptr;
  }
  static void replace(Lock& of, const guard<exclusive_hold>& left, guard<exclusive_hold>& by) noexcept {
    if (of.guard_ == &left) of.guard_ = &by;
  }
};

}  // namespace lockstep::detail
