// channel<T>: a sender and a receiver meet, and an item goes from one to the other.
//
//   co_await requests.send(question);             // returns when somebody has it
//   const request next = co_await requests.receive();
#pragma once

#include <lockstep/sync/mutex.hpp>

#include <concepts>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace lockstep {

// Thrown to those who send to, or receive from, a channel or a broadcast that was closed.
class channel_closed : public std::runtime_error {
 public:
  channel_closed() : std::runtime_error("the channel was closed") {}
};

// It holds no items; a queue does. Senders and receivers meet in the order in which they came, and nobody takes an item
// in between. When they have met, both awaits have happened: neither can be undone, and a cancellation is delivered at
// the next await. So an item has exactly one receiver if send() returns, and none if it throws.
// Requires that moving a T does not throw, and that no task waits for the channel when it dies; that is misuse.
// Source: Go's unbuffered channel, but that sending to a closed one and receiving from it are exceptions.
template <class T>
class channel final : public object {
  static_assert(std::is_nothrow_move_constructible_v<T>,
                "lockstep::channel<T> moves T without a chance to fail, or an item could be lost: declare T's move "
                "constructor noexcept, or use lockstep::channel<std::unique_ptr<T>>");

 public:
  explicit channel(label name = {}) : object(std::move(name)) {}
  ~channel() {
    detail::orphan_waiters(senders_, *this, false);
    detail::orphan_waiters(receivers_, *this, false);
  }
  std::string_view noun() const noexcept override { return "channel"; }

  class sending;
  class receiving;

  // Waits until a receiver has the item. Throws channel_closed if the channel is closed before that. If it throws, the
  // item is destroyed.
  LOCKSTEP_AWAIT_IT sending send(T item, source where = source::current()) {
    enter("was sent to", where);
    return sending(*this, std::move(item));
  }
  // Waits for a sender and returns its item. Throws channel_closed if the channel is closed before that.
  LOCKSTEP_AWAIT_IT receiving receive(source where = source::current()) {
    enter("was received from", where);
    return receiving(*this);
  }
  // Never wait: false or nothing if nobody waits on the other side. An item that was not sent is left as it is.
  bool try_send(T&& item, source where = source::current()) {
    const detail::context& context = enter_to_change("was sent to", where);
    return hand_over(item, context.running);
  }
  bool try_send(const T& item, source where = source::current()) requires std::copy_constructible<T> {
    enter_to_change("was sent to", where);
    return !receivers_.empty() && try_send(T(item), where);
  }
  std::optional<T> try_receive(source where = source::current()) {
    const detail::context& context = enter_to_change("was received from", where);
    std::optional<T> item;
    take_into(item, context.running);
    return item;
  }

  // Ends it: all that wait get channel_closed, and so do those who come later. A second time does nothing.
  void close(source where = source::current()) {
    enter_to_change("was closed", where);
    closed_ = true;
    for (operation& each : senders_) static_cast<sending&>(each).refused_ = true;
    while (!senders_.empty()) detail::current_context->owner->grant(senders_.pop_front());
    while (!receivers_.empty()) detail::current_context->owner->grant(receivers_.pop_front());
  }
  bool closed() const noexcept {
    touch(access::read);
    return closed_;
  }

 private:
  // To the receiver that has waited longest; false if none waits.
  bool hand_over(T& item, const agent* sender) noexcept {
    if (receivers_.empty()) return false;
    auto& receiver = static_cast<receiving&>(receivers_.pop_front());
    receiver.item_.emplace(std::move(item));
    note(sender, receiver.who());
    detail::current_context->owner->grant(receiver);
    return true;
  }
  // From the sender that has waited longest; false if none waits.
  bool take_into(std::optional<T>& item, const agent* receiver) noexcept {
    if (senders_.empty()) return false;
    auto& sender = static_cast<sending&>(senders_.pop_front());
    item.emplace(std::move(*sender.item_));
    note(sender.who(), receiver);
    detail::current_context->owner->grant(sender);
    return true;
  }
  void note(const agent* sender, const agent* receiver) noexcept {
    if (sender != nullptr) sent_last_ = sender->id();
    if (receiver != nullptr) received_last_ = receiver->id();
  }

  bool closed_ = false;
  identity sent_last_ = 0;
  identity received_last_ = 0;
  wait_list senders_;  // one of the two is empty
  wait_list receivers_;
};

template <class T>
class channel<T>::sending final : public primitive<sending> {
 public:
  sending(channel& to, T item) noexcept : primitive<sending>(operation_kind::send, to), item_(std::move(item)) {}

  bool try_now() noexcept {
    refused_ = here().closed_;
    return refused_ || here().hand_over(*item_, detail::current_context->running);
  }
  void enqueue() noexcept override { here().senders_.push_back(*this); }
  void withdraw() noexcept override { this->unlink(); }
  bool revoke() noexcept override { return refused_; }
  identity feeder() const noexcept override { return this->what() != nullptr ? here().received_last_ : 0; }
  void result() const {
    if (refused_) throw channel_closed();
  }

 private:
  friend class channel;

  channel& here() const noexcept { return this->template subject<channel>(); }

  std::optional<T> item_;
  bool refused_ = false;
};

template <class T>
class channel<T>::receiving final : public primitive<receiving> {
 public:
  explicit receiving(channel& from) noexcept : primitive<receiving>(operation_kind::receive, from) {}

  bool try_now() noexcept { return here().closed_ || here().take_into(item_, detail::current_context->running); }
  void enqueue() noexcept override { here().receivers_.push_back(*this); }
  void withdraw() noexcept override { this->unlink(); }
  // The sender has gone on, so there is no giving back.
  bool revoke() noexcept override { return !item_; }
  identity feeder() const noexcept override { return this->what() != nullptr ? here().sent_last_ : 0; }
  T result() {
    if (!item_) throw channel_closed();
    return std::move(*item_);
  }

 private:
  friend class channel;

  channel& here() const noexcept { return this->template subject<channel>(); }

  std::optional<T> item_;
};

}  // namespace lockstep
