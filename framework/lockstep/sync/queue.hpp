// queue<T>: items handed from tasks that put to tasks that get, first in, first out, bounded if one likes.
#pragma once

#include <lockstep/base/ring.hpp>
#include <lockstep/sync/mutex.hpp>

#include <limits>
#include <optional>
#include <stdexcept>
#include <utility>

namespace lockstep {

// Thrown by put() into a queue that was shut down, and by get() once it is empty as well.
class queue_shut_down : public std::runtime_error {
 public:
  queue_shut_down() : std::runtime_error("the queue was shut down") {}
};

// An item goes straight to the getter that has waited longest; nobody takes it in between. Whoever is cancelled just
// after it was given an item or a place gives it back in the same position.
// Requires that no task waits for it when it dies.
template <class T>
class queue final : public object {
 public:
  static constexpr std::size_t unbounded = std::numeric_limits<std::size_t>::max();

  // Holds up to `capacity_items`, at least 1.
  explicit queue(std::size_t capacity_items = unbounded, label name = {})
      : object(std::move(name)), capacity_(capacity_items) {}
  ~queue() {
    detail::orphan_waiters(getters_, *this, "queue");
    detail::orphan_waiters(putters_, *this, "queue");
    detail::orphan_waiters(drainers_, *this, "queue");
  }

  class putting;
  class getting;
  class draining;

  // Waits for a free place and puts the item there. Throws queue_shut_down.
  LOCKSTEP_AWAIT_IT putting put(T item) {
    enter();
    return putting(*this, std::move(item));
  }
  // Waits for an item and takes it. Throws queue_shut_down.
  LOCKSTEP_AWAIT_IT getting get() {
    enter();
    return getting(*this);
  }
  // Never wait: false or nothing if it cannot be done at once.
  bool try_put(T item) {
    enter();
    if (shut_down_ || full()) return false;
    store(std::move(item));
    return true;
  }
  std::optional<T> try_get() {
    enter();
    if (items_.empty()) return std::nullopt;
    return take();
  }

  // An item that was got has been dealt with. Misuse if that was said more often than items were put.
  void task_done(source where = source::current()) {
    detail::context& context = enter();
    if (unfinished_ == 0)
      context.owner->misused("task_done() of queue \"" + std::string(name()) + "\", which has no unfinished item",
                             where);
    if (--unfinished_ == 0) wake_all(drainers_);
  }
  // Waits until task_done() was said for every item.
  LOCKSTEP_AWAIT_IT draining join() {
    enter();
    return draining(*this);
  }

  // Refuses further items; those that are there can still be got. Everyone who waits to put gets queue_shut_down, and
  // so do those who wait to get from an empty queue.
  void shut_down() {
    enter();
    shut_down_ = true;
    wake_all(putters_);
    if (items_.empty()) wake_all(getters_);
  }

  std::size_t size() const noexcept { return items_.size(); }
  bool empty() const noexcept { return items_.empty(); }
  bool full() const noexcept { return items_.size() >= capacity_; }

 private:
  void wake_all(wait_list& waiters) {
    while (!waiters.empty()) detail::current_context->owner->grant(waiters.pop_front());
  }
  // Requires a free place.
  void store(T item) {
    ++unfinished_;
    if (getters_.empty()) {
      items_.reserve(items_.size() + 1);
      items_.push_back(std::move(item));
    } else {
      auto& getter = static_cast<getting&>(getters_.pop_front());
      getter.item_.emplace(std::move(item));
      detail::current_context->owner->grant(getter);
    }
  }
  // Requires an item.
  T take() {
    T item = items_.pop_front();
    admit_putter();
    return item;
  }
  void admit_putter() {
    if (putters_.empty() || full()) return;
    auto& putter = static_cast<putting&>(putters_.pop_front());
    store(std::move(*putter.item_));
    detail::current_context->owner->grant(putter);
  }

  std::size_t capacity_;
  ring<T> items_;
  std::uint64_t unfinished_ = 0;
  bool shut_down_ = false;
  wait_list getters_;
  wait_list putters_;
  wait_list drainers_;
};

template <class T>
class queue<T>::putting final : public primitive<putting> {
 public:
  putting(queue& to, T item) : primitive<putting>(operation_kind::put, to), queue_(to), item_(std::move(item)) {}

  bool try_now() {
    if (queue_.shut_down_) return true;
    if (queue_.full()) return false;
    queue_.store(std::move(*item_));
    stored_ = true;
    return true;
  }
  void enqueue() noexcept override { queue_.putters_.push_back(*this); }
  void withdraw() noexcept override { this->unlink(); }
  void result() const {
    if (!stored_ && queue_.shut_down_) throw queue_shut_down();
  }

 private:
  friend class queue;

  queue& queue_;
  std::optional<T> item_;
  bool stored_ = false;
};

template <class T>
class queue<T>::getting final : public primitive<getting> {
 public:
  explicit getting(queue& from) : primitive<getting>(operation_kind::get, from), queue_(from) {}

  bool try_now() {
    if (queue_.items_.empty()) return queue_.shut_down_;
    item_.emplace(queue_.take());
    return true;
  }
  void enqueue() noexcept override { queue_.getters_.push_back(*this); }
  void withdraw() noexcept override { this->unlink(); }
  void revoke() noexcept override {
    if (!item_) return;
    if (queue_.getters_.empty()) {
      queue_.items_.reserve(queue_.items_.size() + 1);
      queue_.items_.push_front(std::move(*item_));
    } else {
      auto& next = static_cast<getting&>(queue_.getters_.pop_front());
      next.item_ = std::move(item_);
      detail::current_context->owner->grant(next);
    }
  }
  T result() {
    if (!item_) throw queue_shut_down();
    return std::move(*item_);
  }

 private:
  friend class queue;

  queue& queue_;
  std::optional<T> item_;
};

template <class T>
class queue<T>::draining final : public primitive<draining> {
 public:
  explicit draining(queue& of) : primitive<draining>(operation_kind::drain, of), queue_(of) {}

  bool try_now() const noexcept { return queue_.unfinished_ == 0; }
  void enqueue() noexcept override { queue_.drainers_.push_back(*this); }
  void withdraw() noexcept override { this->unlink(); }
  void result() const noexcept {}

 private:
  queue& queue_;
};

}  // namespace lockstep
