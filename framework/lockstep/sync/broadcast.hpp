// broadcast<T>: every subscriber sees every item that is sent after it has subscribed.
//
//   broadcast<price> prices(16);
//   subscription<price> seen = prices.subscribe();
//   co_await prices.send({"LCK", 42});            // in another task, as a rule
//   const price latest = co_await seen.receive();
#pragma once

#include <lockstep/base/ring.hpp>
#include <lockstep/sync/channel.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace lockstep {

// Thrown to a subscriber that was too slow, once for the items that it has missed. The next receive() goes on.
class lagged : public std::runtime_error {
 public:
  explicit lagged(std::uint64_t missed)
      : std::runtime_error("the subscriber was too slow, and has missed " + std::to_string(missed) +
                           (missed == 1 ? " item" : " items")),
        missed_(missed) {}

  std::uint64_t missed() const noexcept { return missed_; }

 private:
  std::uint64_t missed_;
};

// What a broadcast does when a subscriber is as many items behind as it has room for.
enum class overflow {
  wait,         // the sender waits until there is room: nothing is lost, and the slowest sets the pace
  drop_oldest,  // the oldest item goes: who has not received it yet gets `lagged`
};

template <class T>
class subscription;

namespace detail {

[[noreturn]] void refuse_room_for_0(const object& made, const source& where);
[[noreturn]] void refuse_to_receive(bool alone, const source& where);
void report_death_with_subscribers(const object& dying, std::size_t subscribers) noexcept;

}  // namespace detail

// Each item is kept once, until the last subscriber has received it: that one gets it moved, the others a copy.
// Requires that moving a T does not throw, that the broadcast outlives its subscriptions, and that no task waits for it
// when it dies; misuse otherwise.
// Source: tokio::sync::broadcast, whose senders never wait.
template <class T>
class broadcast final : public object {
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>,
                "lockstep::broadcast<T> moves T without a chance to fail, or an item could be lost: declare T's move "
                "constructor and assignment noexcept, or use lockstep::broadcast<std::shared_ptr<const T>>");
  static_assert(
      std::copy_constructible<T>,
      "lockstep::broadcast<T> gives each subscriber a copy; use lockstep::broadcast<std::shared_ptr<const T>>");

 public:
  // Holds up to `capacity_items`, at least 1; misuse for 0.
  explicit broadcast(std::size_t capacity_items, overflow when_full = overflow::wait, label name = {},
                     source where = source::current())
      : object(std::move(name)), capacity_(capacity_items), when_full_(when_full) {
    if (capacity_items == 0) detail::refuse_room_for_0(*this, where);
  }
  ~broadcast() {
    detail::orphan_waiters(receivers_, *this, true);
    detail::orphan_waiters(senders_, *this, false);
    if (!readers_.empty()) detail::report_death_with_subscribers(*this, readers_.size());
    while (!readers_.empty()) readers_.pop_front().leave();
  }
  std::string_view noun() const noexcept override { return "broadcast"; }

  class sending;

  // Sees what is sent from now on. Does not suspend.
  subscription<T> subscribe(source where = source::current()) {
    enter_to_change("was subscribed to", where);
    return subscription<T>(*this);
  }

  // Gives the item to all subscribers; if there is none, it is gone. Waits for room with overflow::wait. Whoever
  // subscribes meanwhile gets it too. Throws channel_closed if the broadcast is closed before that. A send() whose item
  // is in has happened: it returns, and a cancellation is delivered at the next await.
  LOCKSTEP_AWAIT_IT sending send(T item, source where = source::current()) {
    enter("was sent to", where);
    return sending(*this, std::move(item));
  }
  // Never waits: false if send() would wait or throw, and the item is left as it is.
  bool try_send(T&& item, source where = source::current()) {
    const detail::context& context = enter_to_change("was sent to", where);
    if (closed_ || !has_room()) return false;
    store(item, context.running);
    return true;
  }
  bool try_send(const T& item, source where = source::current()) {
    enter_to_change("was sent to", where);
    return !closed_ && has_room() && try_send(T(item), where);
  }

  // Refuses further items: all that wait to send get channel_closed. Subscribers receive what is there, then
  // channel_closed. A second time does nothing.
  void close(source where = source::current()) {
    enter_to_change("was closed", where);
    closed_ = true;
    for (operation& each : senders_) static_cast<sending&>(each).refused_ = true;
    wake_all(senders_);
    wake_all(receivers_);
  }
  bool closed() const noexcept {
    touch(access::read);
    return closed_;
  }

  std::size_t subscribers() const noexcept {
    touch(access::read);
    return subscribers_;
  }
  // The items that somebody has yet to receive.
  std::size_t size() const noexcept {
    touch(access::read);
    return items_.size();
  }
  std::size_t capacity() const noexcept { return capacity_; }

 private:
  friend class subscription<T>;

  // Where a subscriber is; what it awaits knows this too, in case the subscription dies.
  struct reader : list_hook<> {
    broadcast* of = nullptr;  // null when one of the two has died
    std::uint64_t next = 0;
    operation* receiving = nullptr;  // that waits, or has waited and not returned
    std::shared_ptr<reader> kept;    // itself, while it is in the list: a subscription may die on another thread

    void leave() noexcept {
      of = nullptr;
      kept.reset();
    }
  };
  struct entry {
    T item;
    std::size_t missing;  // how many have yet to receive it
  };

  bool has_room() const noexcept {
    return items_.size() < capacity_ || when_full_ == overflow::drop_oldest || subscribers_ == 0;
  }
  std::uint64_t end() const noexcept { return first_ + items_.size(); }
  entry& at(std::uint64_t number) noexcept { return items_[static_cast<std::size_t>(number - first_)]; }
  void wake_all(wait_list& waiters) noexcept {
    while (!waiters.empty()) detail::current_context->owner->grant(waiters.pop_front());
  }
  // Requires room. Leaves the item as it is if it throws std::bad_alloc.
  void store(T& item, const agent* sender) {
    if (sender != nullptr) sent_last_ = sender->id();
    if (subscribers_ == 0) return;
    items_.reserve(items_.size() + 1);
    std::optional<entry> oldest;  // dies when all is done: its destructor may call the broadcast
    if (items_.size() == capacity_) oldest.emplace(drop_first());
    items_.push_back({std::move(item), subscribers_});
    wake_all(receivers_);  // none of them had anything to receive
  }
  entry drop_first() noexcept {
    ++first_;
    return items_.pop_front();
  }
  // The reader goes on by an item. Requires that there is one.
  T receive(reader& by) {
    if (at(by.next).missing > 1) {
      T copy = at(by.next).item;  // which may throw
      --at(by.next++).missing;
      return copy;
    }
    ++by.next;  // the last one: those before it have been received by all
    entry taken = drop_first();
    admit_senders();
    return std::move(taken.item);
  }
  void admit_senders() {
    while (!senders_.empty() && has_room()) {
      auto& sender = static_cast<sending&>(senders_.pop_front());
      store(*sender.item_, sender.who());
      detail::current_context->owner->grant(sender);
    }
  }
  // What the reader has not received is no longer kept for it.
  void part_from(reader& leaving) noexcept {
    this->touch(access::write);
    leaving.unlink();
    leaving.leave();
    --subscribers_;
    const std::uint64_t unread = std::max(leaving.next, first_);
    for (std::uint64_t number = unread; number < end(); ++number) --at(number).missing;
    while (!items_.empty() && items_[0].missing == 0) {
      [[maybe_unused]] const entry dropped = drop_first();
    }
    const loop* const owner = current_loop();
    if (owner != nullptr && this->is_of(*owner)) admit_senders();
  }

  std::size_t capacity_;
  overflow when_full_;
  bool closed_ = false;
  ring<entry> items_;
  std::uint64_t first_ = 0;  // the number of the first of them; items are numbered as they were sent
  std::size_t subscribers_ = 0;
  identity sent_last_ = 0;
  intrusive_list<reader> readers_;
  wait_list senders_;
  wait_list receivers_;
};

template <class T>
class broadcast<T>::sending final : public primitive<sending> {
 public:
  sending(broadcast& to, T item) noexcept : primitive<sending>(operation_kind::publish, to), item_(std::move(item)) {}

  bool try_now() {
    refused_ = here().closed_;
    if (refused_) return true;
    if (!here().has_room()) return false;
    here().store(*item_, detail::current_context->running);
    return true;
  }
  void enqueue() noexcept override { here().senders_.push_back(*this); }
  void withdraw() noexcept override { this->unlink(); }
  bool revoke() noexcept override { return refused_; }
  void result() const {
    if (refused_) throw channel_closed();
  }

 private:
  friend class broadcast;

  broadcast& here() const noexcept { return this->template subject<broadcast>(); }

  std::optional<T> item_;
  bool refused_ = false;
};

// A place in a broadcast. One task at a time receives from it. When it dies, what it has not received is gone.
// Requires that the broadcast outlives it; misuse otherwise. May be moved while nobody receives from it.
template <class T>
class [[nodiscard("keep the subscription: it ends with its scope")]] subscription {
 public:
  subscription(subscription && other) noexcept = default;
  subscription& operator=(subscription&& other) noexcept {
    if (this == &other) return *this;
    end();
    reader_ = std::move(other.reader_);
    return *this;
  }
  ~subscription() { end(); }

  class receiving;
  // Waits for the next item and returns it. Throws `lagged` if items were dropped before this subscriber had received
  // them, and channel_closed when it has received all and the broadcast is closed. Cancelled before it has returned:
  // the item is there for the next receive(). If copying the item throws, so is it. Misuse if another task receives
  // from this subscription, or if the broadcast has died.
  LOCKSTEP_AWAIT_IT receiving receive(source where = source::current()) {
    if (reader_ == nullptr || reader_->of == nullptr) detail::refuse_to_receive(true, where);
    reader_->of->enter("was received from", where);
    return receiving(*reader_->of, reader_, where);
  }
  // The same if it need not wait, else nothing: also when all is received and the broadcast is closed.
  std::optional<T> try_receive(source where = source::current()) {
    if (reader_ == nullptr || reader_->of == nullptr) detail::refuse_to_receive(true, where);
    reader_->of->enter_to_change("was received from", where);
    if (reader_->receiving != nullptr) detail::refuse_to_receive(false, where);
    if (backlog() == 0) return std::nullopt;
    return next_of(*reader_);
  }
  // The items that were sent and not received yet, those that were dropped included.
  std::uint64_t backlog() const noexcept {
    if (reader_ == nullptr || reader_->of == nullptr) return 0;
    reader_->of->touch(access::read);
    return reader_->of->end() - reader_->next;
  }

 private:
  friend class broadcast<T>;
  using reader = typename broadcast<T>::reader;

  explicit subscription(broadcast<T> & of) : reader_(std::make_shared<reader>()) {
    reader_->of = &of;
    reader_->next = of.end();
    reader_->kept = reader_;
    of.readers_.push_back(*reader_);
    ++of.subscribers_;
  }
  void end() noexcept {
    if (reader_ == nullptr || reader_->of == nullptr) return;
    broadcast<T>& of = *reader_->of;
    if (of.tell_elsewhere("lost a subscription")) return;
    // Whoever waits for it finds that it is gone.
    if (reader_->receiving != nullptr && reader_->receiving->linked()) {
      reader_->receiving->unlink();
      detail::current_context->owner->grant(*reader_->receiving);
    }
    of.part_from(*reader_);
  }
  static T next_of(reader & by) {
    broadcast<T>& of = *by.of;
    if (by.next < of.first_) {
      const std::uint64_t missed = of.first_ - std::exchange(by.next, of.first_);
      throw lagged(missed);
    }
    return of.receive(by);
  }

  std::shared_ptr<reader> reader_;
};

template <class T>
class subscription<T>::receiving final : public primitive<receiving> {
 public:
  receiving(broadcast<T>& from, std::shared_ptr<reader> by, source where) noexcept
      : primitive<receiving>(operation_kind::receive_broadcast, from), reader_(std::move(by)), where_(where) {}
  ~receiving() { end(); }

  bool try_now() noexcept {
    return reader_->of == nullptr || reader_->receiving != nullptr || reader_->next < here().end() || here().closed_;
  }
  void enqueue() noexcept override {
    reader_->receiving = this;
    here().receivers_.push_back(*this);
  }
  void withdraw() noexcept override {
    this->unlink();
    end();
  }
  bool revoke() noexcept override {
    end();
    return true;
  }
  bool needs_object_to_return() const noexcept override { return true; }
  identity feeder() const noexcept override { return this->what() != nullptr ? here().sent_last_ : 0; }
  T result() {
    if (reader_->of == nullptr) detail::refuse_to_receive(true, where_);
    if (reader_->receiving != nullptr && reader_->receiving != this) detail::refuse_to_receive(false, where_);
    end();
    here().touch(access::write);
    if (reader_->next == here().end()) throw channel_closed();
    return next_of(*reader_);
  }

 private:
  broadcast<T>& here() const noexcept { return this->template subject<broadcast<T>>(); }
  void end() noexcept {
    if (reader_->receiving == this) reader_->receiving = nullptr;
  }

  std::shared_ptr<reader> reader_;
  source where_;
};

}  // namespace lockstep
