// queue<T>: items handed from tasks that put to tasks that get, first in, first out, bounded if one likes.
#pragma once

#include <lockstep/base/ring.hpp>
#include <lockstep/sync/mutex.hpp>

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace lockstep {

// Thrown by put() into a queue that was shut down, and by get() once it is empty as well.
class queue_shut_down : public std::runtime_error {
 public:
  queue_shut_down() : std::runtime_error("the queue was shut down") {}
};

namespace detail {

[[noreturn]] void refuse_capacity_0(const object& made, const source& where);

}  // namespace detail

// An item goes straight to the getter that has waited longest; nobody takes it in between. A getter that is cancelled
// just after it was given an item gives it back in the same position. A put() whose item is in the queue has happened:
// it returns, and a cancellation is delivered at the next await; so an item is put exactly if put() returns.
// Requires that moving a T does not throw, and that no task waits for the queue when it dies; that is misuse.
// Source: asyncio.Queue.
template <class T>
class queue final : public object {
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>,
                "lockstep::queue<T> moves T without a chance to fail, or an item could be lost: declare T's move "
                "constructor and assignment noexcept, or use lockstep::queue<std::unique_ptr<T>>");

 public:
  static constexpr std::size_t unbounded = std::numeric_limits<std::size_t>::max();

  // Holds up to `capacity_items`, at least 1; misuse for 0. Without a capacity, put() never waits.
  explicit queue(std::size_t capacity_items = unbounded, label name = {}, source where = source::current())
      : object(std::move(name)), capacity_(capacity_items) {
    if (capacity_items == 0) detail::refuse_capacity_0(*this, where);
  }
  ~queue() {
    detail::orphan_waiters(getters_, *this, "queue", true);
    detail::orphan_waiters(putters_, *this, "queue", false);
    detail::orphan_waiters(drainers_, *this, "queue", false);
  }
  std::string_view noun() const noexcept override { return "queue"; }

  class putting;
  class getting;
  class draining;

  // Waits for a free place and puts the item there. Throws queue_shut_down if the queue is shut down before that. If it
  // throws, the item is destroyed.
  LOCKSTEP_AWAIT_IT putting put(T item, source where = source::current()) {
    enter("was put into", where);
    return putting(*this, std::move(item));
  }
  // Waits for an item and takes it. Throws queue_shut_down if the queue is empty and shut down.
  LOCKSTEP_AWAIT_IT getting get(source where = source::current()) {
    enter("was taken from", where);
    return getting(*this);
  }
  // Never wait: false or nothing if it cannot be done at once. An item that was not put is left as it is.
  bool try_put(T&& item, source where = source::current()) {
    const detail::context& context = enter("was put into", where);
    if (shut_down_ || full()) return false;
    if (context.running != nullptr) fed_by_ = context.running->id();
    store(std::move(item));
    return true;
  }
  bool try_put(const T& item, source where = source::current()) requires std::copy_constructible<T> {
    enter("was put into", where);
    return !shut_down_ && !full() && try_put(T(item), where);
  }
  std::optional<T> try_get(source where = source::current()) {
    enter("was taken from", where);
    if (items_.empty()) return std::nullopt;
    return take();
  }

  // An item that was got has been dealt with. Misuse if that was said more often than items were put.
  void task_done(source where = source::current()) {
    detail::context& context = enter("had an item dealt with", where);
    if (unfinished_ == 0)
      context.owner->misused("task_done() of queue \"" + std::string(name()) + "\", which has no unfinished item",
                             where);
    if (--unfinished_ == 0) wake_all(drainers_);
  }
  // Waits until task_done() was said for every item that was put. Cancellation ends the wait.
  LOCKSTEP_AWAIT_IT draining join(source where = source::current()) {
    enter("was joined", where);
    return draining(*this);
  }

  // Refuses further items; those that are there can still be got. Everyone who waits to put gets queue_shut_down, and
  // so do those who wait to get from an empty queue.
  void shut_down(source where = source::current()) {
    enter("was shut down", where);
    shut_down_ = true;
    for (operation& each : putters_) static_cast<putting&>(each).refused_ = true;
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
  void store(T&& item) {
    // With room for all that may come back from getters.
    items_.reserve(items_.size() + in_hand_ + 1);
    returned_.reserve(returned_.size() + in_hand_ + 1);
    ++unfinished_;
    if (getters_.empty()) {
      items_.push_back(std::move(item));
    } else {
      ++in_hand_;
      auto& getter = static_cast<getting&>(getters_.pop_front());
      getter.item_.emplace(std::move(item));
      getter.number_ = ++handed_over_;
      detail::current_context->owner->grant(getter);
    }
  }
  // Requires an item.
  T take() {
    T item = items_.pop_front();
    if (!returned_.empty()) [[unlikely]]
      returned_.erase(returned_.begin());
    admit_putter();
    return item;
  }
  // Puts back what was handed over as the `number`-th. Those that came back before it are still in front of all that
  // were never handed over, in the order of their numbers.
  void put_back(T&& item, std::uint64_t number) noexcept {
    --in_hand_;
    std::size_t place = 0;
    while (place < returned_.size() && returned_[place] < number) ++place;
    returned_.insert(returned_.begin() + static_cast<std::ptrdiff_t>(place), number);
    items_.push_front(std::move(item));
    for (std::size_t i = 0; i < place; ++i) std::swap(items_[i], items_[i + 1]);
  }
  void admit_putter() {
    if (putters_.empty() || full()) return;
    auto& putter = static_cast<putting&>(putters_.pop_front());
    fed_by_ = putter.who()->id();
    store(std::move(*putter.item_));
    detail::current_context->owner->grant(putter);
  }

  std::size_t capacity_;
  ring<T> items_;
  std::uint64_t unfinished_ = 0;
  std::uint64_t handed_over_ = 0;        // how many went straight to a getter
  std::size_t in_hand_ = 0;              // of them, those whose getters have not run yet
  std::vector<std::uint64_t> returned_;  // the numbers of those that came back and are first in `items_`
  identity fed_by_ = 0;                  // the task that put last
  bool shut_down_ = false;
  wait_list getters_;
  wait_list putters_;
  wait_list drainers_;
};

template <class T>
class queue<T>::putting final : public primitive<putting> {
 public:
  putting(queue& to, T item) : primitive<putting>(operation_kind::put, to), item_(std::move(item)) {}

  bool try_now() {
    if (here().shut_down_) [[unlikely]] {
      refused_ = true;
      return true;
    }
    if (here().full()) return false;
    here().fed_by_ = detail::current_context->running->id();
    here().store(std::move(*item_));
    return true;
  }
  void enqueue() noexcept override { here().putters_.push_back(*this); }
  void withdraw() noexcept override { this->unlink(); }
  bool revoke() noexcept override { return refused_; }
  void result() const {
    if (refused_) throw queue_shut_down();
  }

 private:
  friend class queue;

  queue& here() const noexcept { return this->template subject<queue>(); }

  std::optional<T> item_;
  bool refused_ = false;
};

template <class T>
class queue<T>::getting final : public primitive<getting> {
 public:
  explicit getting(queue& from) : primitive<getting>(operation_kind::get, from) {}

  bool try_now() {
    if (here().items_.empty()) return here().shut_down_;
    item_.emplace(here().take());
    return true;
  }
  void enqueue() noexcept override { here().getters_.push_back(*this); }
  void withdraw() noexcept override { this->unlink(); }
  bool revoke() noexcept override {
    if (!item_ || this->what() == nullptr) return true;
    if (here().getters_.empty()) {
      here().put_back(std::move(*item_), number_);
    } else {
      auto& next = static_cast<getting&>(here().getters_.pop_front());
      next.item_.emplace(std::move(*item_));
      next.number_ = number_;
      detail::current_context->owner->grant(next);
    }
    return true;
  }
  identity feeder() const noexcept override { return this->what() != nullptr ? here().fed_by_ : 0; }
  T result() {
    if (!item_) throw queue_shut_down();
    if (number_ != 0 && this->what() != nullptr) --here().in_hand_;
    return std::move(*item_);
  }

 private:
  friend class queue;

  queue& here() const noexcept { return this->template subject<queue>(); }

  std::optional<T> item_;
  std::uint64_t number_ = 0;  // of an item that was handed over, in that order
};

template <class T>
class queue<T>::draining final : public primitive<draining> {
 public:
  explicit draining(queue& of) : primitive<draining>(operation_kind::drain, of) {}

  bool try_now() const noexcept { return here().unfinished_ == 0; }
  void enqueue() noexcept override { here().drainers_.push_back(*this); }
  void withdraw() noexcept override { this->unlink(); }
  void result() const noexcept {}

 private:
  queue& here() const noexcept { return this->template subject<queue>(); }
};

}  // namespace lockstep
