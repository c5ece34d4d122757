// shared_mutex: one writer alone, or any number of readers; waiters are served in the order in which they came.
//
//   const shared_guard reading = co_await cache.lock_shared();
//   const auto found = pages.find(url);
#pragma once

#include <lockstep/sync/mutex.hpp>

#include <cstddef>
#include <vector>

namespace lockstep {

class shared_mutex;

namespace detail {

// Beside others. The lock knows all of its guards.
struct shared_hold {
  using lock = shared_mutex;
  using link = list_hook<shared_hold>;

  static inline identity holder_of(const shared_mutex& of) noexcept;
  static inline bool is_held(const shared_mutex& of, identity by) noexcept;
  static inline void hand_over(shared_mutex& held, identity by) noexcept;
  static inline void attach(shared_mutex& to, guard<shared_hold>& made) noexcept;
  static inline void detach(shared_mutex& from, guard<shared_hold>& left) noexcept;
  static inline void replace(shared_mutex& of, guard<shared_hold>& left, guard<shared_hold>& by) noexcept;
};

}  // namespace detail

// Unlock in their destructors; see detail::guard.
using exclusive_guard = detail::guard<detail::exclusive_hold<shared_mutex>>;
using shared_guard = detail::guard<detail::shared_hold>;

// Requires that no task waits for it or holds it when it dies; misuse otherwise.
// Fair: whoever comes behind a waiting writer waits, readers too, so that readers starve no writer. When a writer lets
// go, all readers that wait in front of the next writer are let in together.
// A reader cannot become a writer: of two that tried, each would wait for the other to leave. One that locks it alone,
// or once more behind a waiting writer, waits for ever, and is reported. Let go first, and look again at what was read.
// Source: std::shared_mutex, with the order of asyncio.Lock.
class shared_mutex final : public detail::lockable {
 public:
  explicit shared_mutex(label name = {}) : lockable(std::move(name)) {}
  ~shared_mutex();
  std::string_view noun() const noexcept override { return "shared_mutex"; }

  class locking;
  class locking_shared;
  // Wait until the running task may hold it, alone or beside other readers, and return a guard that does.
  // Cancelled while waiting or just after it was handed the lock: those behind it go on as if it had not come.
  // Misuse outside of every task.
  LOCKSTEP_AWAIT_IT locking lock(source where = source::current());
  LOCKSTEP_AWAIT_IT locking_shared lock_shared(source where = source::current());
  // Take the lock if that is possible without waiting and overtaking, and return whether they did. Unlock it by hand,
  // or give it to a guard. Misuse outside of every task.
  bool try_lock(source where = source::current());
  bool try_lock_shared(source where = source::current());
  // Let go. Misuse if the running task does not hold it that way.
  void unlock(source where = source::current());
  void unlock_shared(source where = source::current());

  // Whether one task holds it alone.
  bool locked() const noexcept {
    touch(access::read);
    return holder_ != 0;
  }
  // How many hold it beside each other.
  std::size_t readers() const noexcept {
    touch(access::read);
    return readers_.size();
  }

 private:
  friend exclusive_guard;
  friend shared_guard;
  friend detail::exclusive_hold<shared_mutex>;
  friend detail::shared_hold;

  bool take_if_free();
  bool share_if_free();
  // Both require that it is held.
  void hand_over() noexcept {
    touch(access::write);
    holder_ = 0;
    admit();
  }
  void hand_over_shared(identity by) noexcept;
  // Lets in whom the holders do not keep out.
  void admit() noexcept;
  // So that admit() need not allocate.
  void reserve_for_one_more();
  // Of the readers one that keeps `waiter` waiting; rather one that waits itself, as a cycle may go on from there.
  agent* reader_before(const agent* waiter) const noexcept;
  std::string described_holder() const override;
  void forget_run() noexcept override {
    lockable::forget_run();
    readers_.clear();
  }

  std::vector<identity> readers_;  // those who hold it, each as often as it does, the longest first
  std::size_t readers_waiting_ = 0;
  exclusive_guard* guard_ = nullptr;  // the last that was made for it
  intrusive_list<shared_guard, detail::shared_hold> guards_;
};

class shared_mutex::locking final : public primitive<shared_mutex::locking> {
 public:
  explicit locking(shared_mutex& wanted) noexcept : primitive(operation_kind::lock, wanted) {}

  bool try_now() { return subject<shared_mutex>().take_if_free(); }
  void enqueue() noexcept override { subject<shared_mutex>().waiters_.push_back(*this); }
  void withdraw() noexcept override {
    unlink();
    subject<shared_mutex>().admit();  // it may have kept out readers behind it
  }
  bool revoke() noexcept override {
    subject<shared_mutex>().hand_over();
    return true;
  }
  bool needs_object_to_return() const noexcept override { return true; }
  agent* holder() const noexcept override;
  std::string describe() const override;
  exclusive_guard result() noexcept { return exclusive_guard(subject<shared_mutex>()); }
};

class shared_mutex::locking_shared final : public primitive<shared_mutex::locking_shared> {
 public:
  explicit locking_shared(shared_mutex& wanted) noexcept : primitive(operation_kind::lock_shared, wanted) {}

  bool try_now() { return subject<shared_mutex>().share_if_free(); }
  void enqueue() noexcept override {
    ++subject<shared_mutex>().readers_waiting_;
    subject<shared_mutex>().waiters_.push_back(*this);
  }
  void withdraw() noexcept override {
    --subject<shared_mutex>().readers_waiting_;
    unlink();
  }
  bool revoke() noexcept override {
    subject<shared_mutex>().hand_over_shared(who()->id());
    return true;
  }
  bool needs_object_to_return() const noexcept override { return true; }
  // Who holds it alone, else the writer that is next in front of it.
  agent* holder() const noexcept override;
  shared_guard result() noexcept { return shared_guard(subject<shared_mutex>()); }
};

inline shared_mutex::locking shared_mutex::lock(source where) {
  enter("was locked", where);
  return locking(*this);
}

inline shared_mutex::locking_shared shared_mutex::lock_shared(source where) {
  enter("was locked", where);
  return locking_shared(*this);
}

inline bool shared_mutex::try_lock(source where) {
  enter_to_change("was locked", where);
  return take_if_free();
}

inline identity detail::shared_hold::holder_of(const shared_mutex&) noexcept {
  const agent* const running = current_context != nullptr ? current_context->running : nullptr;
  return running != nullptr ? running->id() : 0;
}

inline bool detail::shared_hold::is_held(const shared_mutex& of, identity by) noexcept {
  for (const identity each : of.readers_) {
    if (each == by) return true;
  }
  return false;
}

inline void detail::shared_hold::hand_over(shared_mutex& held, identity by) noexcept { held.hand_over_shared(by); }

inline void detail::shared_hold::attach(shared_mutex& to, shared_guard& made) noexcept { to.guards_.push_back(made); }

inline void detail::shared_hold::detach(shared_mutex&, shared_guard& left) noexcept { left.unlink(); }

inline void detail::shared_hold::replace(shared_mutex& of, shared_guard& left, shared_guard& by) noexcept {
  left.unlink();
  of.guards_.push_back(by);
}

}  // namespace lockstep
