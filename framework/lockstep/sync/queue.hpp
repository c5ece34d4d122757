// queue<T>: items handed from tasks that put to tasks that get, first in, first out, bounded if one likes.
//
// basic_queue is the same for any order of items; lifo_queue and priority_queue are made of it too.
#pragma once

#include <lockstep/base/ring.hpp>
#include <lockstep/sync/mutex.hpp>

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace lockstep {

// Thrown by put() into a queue that was shut down, and by get() once it is empty as well.
class queue_shut_down : public std::runtime_error {
 public:
  queue_shut_down() : std::runtime_error("the queue was shut down") {}
};

// What becomes of the items that are in a queue when it is shut down.
enum class shutdown {
  when_empty,  // they can still be got
  immediate,   // they are destroyed, and count as dealt with
};

namespace detail {

[[noreturn]] void refuse_capacity_0(const object& made, const source& where);

// Items in the order in which they were put. An item that goes past them, straight to a getter, gets a number, by which
// it finds its place if it comes back.
template <class T>
class item_line {
 public:
  bool empty() const noexcept { return items_.empty(); }
  std::size_t size() const noexcept { return items_.size(); }

  // For so many more. Throws std::bad_alloc.
  void make_room(std::size_t count) { items_.reserve(items_.size() + count); }
  // The same where so many may be put back.
  void make_room_for_returns(std::size_t count) {
    if (returned_.capacity() - returned_.size() < count) [[unlikely]]
      returned_.reserve(2 * (returned_.size() + count));
  }
  // There is room for it.
  void add(T&& item) noexcept { items_.push_back(std::move(item)); }
  // Both require an item.
  T take_first() noexcept {
    T item = items_.pop_front();
    if (!returned_.empty()) [[unlikely]]
      first_is_back_no_more();
    return item;
  }
  T take_last() noexcept {
    T item = items_.take(items_.size() - 1);
    if (returned_.size() > items_.size()) returned_.pop_back();
    return item;
  }
  // Requires that there is no item.
  std::uint64_t number_past() noexcept { return ++went_past_; }
  // Those that came back before it are still in front of all that never went past, in the order of their numbers.
  // There is room for it.
  [[gnu::cold]] void put_back(T&& item, std::uint64_t number) noexcept {
    std::size_t place = 0;
    while (place < returned_.size() && returned_[place] < number) ++place;
    returned_.insert(returned_.begin() + static_cast<std::ptrdiff_t>(place), number);
    items_.push_front(std::move(item));
    for (std::size_t i = 0; i < place; ++i) std::swap(items_[i], items_[i + 1]);
  }

 private:
  [[gnu::cold]] void first_is_back_no_more() noexcept { returned_.erase(returned_.begin()); }

  ring<T> items_;
  std::uint64_t went_past_ = 0;
  std::vector<std::uint64_t> returned_;  // the numbers of those that came back, which are first in `items_`
};

template <class T>
class fifo_items : public item_line<T> {
 public:
  static constexpr std::string_view noun = "queue";
  T take() noexcept { return this->take_first(); }
};

}  // namespace detail

// An item goes straight to the getter that has waited longest; nobody takes it in between. A getter that is cancelled
// just after it was given an item gives it back in the same position. A put() whose item is in the queue has happened:
// it returns, and a cancellation is delivered at the next await; so an item is put exactly if put() returns.
// Requires that moving a T does not throw, and that no task waits for the queue when it dies; that is misuse.
// Source: asyncio.Queue.
//
// `Items` says which of the items that are there is got next.
template <class T, class Items>
class basic_queue final : public object {
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>,
                "lockstep::queue<T> moves T without a chance to fail, or an item could be lost: declare T's move "
                "constructor and assignment noexcept, or use lockstep::queue<std::unique_ptr<T>>");

 public:
  static constexpr std::size_t unbounded = std::numeric_limits<std::size_t>::max();

  // Holds up to `capacity_items`, at least 1; misuse for 0. Without a capacity, put() never waits.
  explicit basic_queue(std::size_t capacity_items = unbounded, label name = {}, source where = source::current())
      : object(std::move(name)), capacity_(capacity_items) {
    if (capacity_items == 0) detail::refuse_capacity_0(*this, where);
  }
  ~basic_queue() {
    detail::orphan_waiters(getters_, *this, true);
    detail::orphan_waiters(putters_, *this, false);
    detail::orphan_waiters(drainers_, *this, false);
  }
  std::string_view noun() const noexcept override { return Items::noun; }

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
    const detail::context& context = enter_to_change("was put into", where);
    if (shut_down_ || is_full()) return false;
    if (context.running != nullptr) fed_by_ = context.running->id();
    store(std::move(item));
    return true;
  }
  bool try_put(const T& item, source where = source::current()) requires std::copy_constructible<T> {
    enter_to_change("was put into", where);
    return !shut_down_ && !is_full() && try_put(T(item), where);
  }
  std::optional<T> try_get(source where = source::current()) {
    enter_to_change("was taken from", where);
    if (items_.empty()) return std::nullopt;
    return take_next();
  }

  // An item that was got has been dealt with. Misuse if that was said more often than items were put.
  void task_done(source where = source::current()) {
    detail::context& context = enter_to_change("had an item dealt with", where);
    if (unfinished_ == 0) {
      context.owner->misused("task_done() of " + described() + ", which has no unfinished item", where);
    }
    if (--unfinished_ == 0) wake_all(drainers_);
  }
  // Waits until task_done() was said for every item that was put. Cancellation ends the wait.
  LOCKSTEP_AWAIT_IT draining join(source where = source::current()) {
    enter("was joined", where);
    return draining(*this);
  }

  // Refuses further items. Everyone who waits to put gets queue_shut_down, and so do those who wait to get from an
  // empty queue, now or later. Once it was shut down at once, an item that a cancelled getter gives back is gone as
  // well.
  void shut_down(shutdown how = shutdown::when_empty, source where = source::current()) {
    enter_to_change("was shut down", where);
    shut_down_ = true;
    for (operation& each : putters_) static_cast<putting&>(each).refused_ = true;
    wake_all(putters_);
    if (items_.empty()) wake_all(getters_);
    if (how == shutdown::when_empty) return;
    dropped_ = true;
    while (!items_.empty()) {
      [[maybe_unused]] const T dropped = items_.take();  // dies when all is done: its destructor may call the queue
      forget_one();
    }
  }

  std::size_t size() const noexcept {
    this->touch(access::read);
    return items_.size();
  }
  bool empty() const noexcept {
    this->touch(access::read);
    return items_.empty();
  }
  bool full() const noexcept {
    this->touch(access::read);
    return is_full();
  }
  std::size_t capacity() const noexcept { return capacity_; }

 private:
  bool is_full() const noexcept { return items_.size() >= capacity_; }
  void wake_all(wait_list& waiters) {
    while (!waiters.empty()) detail::current_context->owner->grant(waiters.pop_front());
  }
  void forget_one() noexcept {
    if (unfinished_ != 0 && --unfinished_ == 0) wake_all(drainers_);
  }
  // Requires a free place. Measured: GCC would call it.
  [[gnu::always_inline]] void store(T&& item) {
    // Those that getters hold may come back. Leaves the item as it is if it throws std::bad_alloc.
    items_.make_room(in_hand_ + 1);
    if (getters_.empty()) {
      items_.add(std::move(item));
    } else {
      items_.make_room_for_returns(in_hand_ + 1);
      ++in_hand_;
      hand_over(std::move(item), items_.number_past());
    }
    ++unfinished_;
  }
  // Requires a getter that waits.
  void hand_over(T&& item, std::uint64_t number) noexcept {
    auto& getter = static_cast<getting&>(getters_.pop_front());
    getter.item_.emplace(std::move(item));
    getter.number_ = number;
    detail::current_context->owner->grant(getter);
  }
  // Requires an item.
  T take_next() {
    T item = items_.take();
    admit_putter();
    return item;
  }
  // What a getter has got and does not take.
  [[gnu::cold]] void give_back(T&& item, std::uint64_t number) noexcept {
    if (dropped_) {
      --in_hand_;
      forget_one();
    } else if (getters_.empty()) {
      --in_hand_;
      items_.put_back(std::move(item), number);
    } else {
      hand_over(std::move(item), number);
    }
  }
  void admit_putter() {
    if (putters_.empty() || is_full()) return;
    auto& putter = static_cast<putting&>(putters_.pop_front());
    fed_by_ = putter.who()->id();
    store(std::move(*putter.item_));
    detail::current_context->owner->grant(putter);
  }

  std::size_t capacity_;
  Items items_;
  std::uint64_t unfinished_ = 0;
  std::size_t in_hand_ = 0;  // items that getters were given and have not returned with
  identity fed_by_ = 0;      // the task that put last
  bool shut_down_ = false;
  bool dropped_ = false;  // and what was in it
  wait_list getters_;
  wait_list putters_;
  wait_list drainers_;
};

template <class T, class Items>
class basic_queue<T, Items>::putting final : public primitive<putting> {
 public:
  putting(basic_queue& to, T item) : primitive<putting>(operation_kind::put, to), item_(std::move(item)) {}

  // Measured: GCC would call it.
  [[gnu::always_inline]] bool try_now() {
    if (here().shut_down_) [[unlikely]] {
      refused_ = true;
      return true;
    }
    if (here().is_full()) return false;
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
  friend class basic_queue;

  basic_queue& here() const noexcept { return this->template subject<basic_queue>(); }

  std::optional<T> item_;
  bool refused_ = false;
};

template <class T, class Items>
class basic_queue<T, Items>::getting final : public primitive<getting> {
 public:
  explicit getting(basic_queue& from) : primitive<getting>(operation_kind::get, from) {}

  // Measured: GCC would call it.
  [[gnu::always_inline]] bool try_now() {
    if (here().items_.empty()) return here().shut_down_;
    item_.emplace(here().take_next());
    return true;
  }
  void enqueue() noexcept override { here().getters_.push_back(*this); }
  void withdraw() noexcept override { this->unlink(); }
  bool revoke() noexcept override {
    if (item_ && this->what() != nullptr) here().give_back(std::move(*item_), number_);
    return true;
  }
  identity feeder() const noexcept override { return this->what() != nullptr ? here().fed_by_ : 0; }
  T result() {
    if (!item_) throw queue_shut_down();
    if (number_ != 0 && this->what() != nullptr) {
      --here().in_hand_;
      number_ = 0;  // should it be awaited again
    }
    return std::move(*item_);
  }

 private:
  friend class basic_queue;

  basic_queue& here() const noexcept { return this->template subject<basic_queue>(); }

  std::optional<T> item_;
  std::uint64_t number_ = 0;  // of an item that was handed over: its place among the others
};

template <class T, class Items>
class basic_queue<T, Items>::draining final : public primitive<draining> {
 public:
  explicit draining(basic_queue& of) : primitive<draining>(operation_kind::drain, of) {}

  bool try_now() const noexcept { return here().unfinished_ == 0; }
  void enqueue() noexcept override { here().drainers_.push_back(*this); }
  void withdraw() noexcept override { this->unlink(); }
  void result() const noexcept {}

 private:
  basic_queue& here() const noexcept { return this->template subject<basic_queue>(); }
};

// Whoever puts first is got first.
template <class T>
using queue = basic_queue<T, detail::fifo_items<T>>;

}  // namespace lockstep
