// A bounded queue of numbers. An item goes straight into the receiver that has waited longest, and a place that
// becomes free is filled by the sender that has waited longest.
#pragma once

#include "scheduler.hpp"
#include "wait_list.hpp"

#include <coroutine>
#include <cstdint>

namespace bench::floor {

template <unsigned Capacity>
class channel {
 public:
  class sending;
  class receiving;
  sending send(std::uint64_t item) noexcept { return sending(*this, item); }
  receiving receive() noexcept { return receiving(*this); }

 private:
  struct party : waiting {
    channel& channel_;
    std::uint64_t item_;  // what is sent; of a receiver, set when it is handed something

    explicit party(channel& used) noexcept : channel_(used) {}
  };

  void store(std::uint64_t item) noexcept { items_[(first_ + count_++) % Capacity] = item; }
  std::uint64_t take() noexcept {
    const std::uint64_t item = items_[first_];
    first_ = (first_ + 1) % Capacity;
    --count_;
    return item;
  }

  std::uint64_t items_[Capacity];
  unsigned first_ = 0;
  unsigned count_ = 0;
  wait_list<party> receivers_;
  wait_list<party> senders_;
};

template <unsigned Capacity>
class channel<Capacity>::sending : party {
 public:
  sending(channel& to, std::uint64_t item) noexcept : party(to) { this->item_ = item; }

  bool await_ready() noexcept {
    if (party* const receiver = this->channel_.receivers_.pop(); receiver != nullptr) {
      receiver->item_ = this->item_;
      here.ready.push(receiver->waiter);
      return true;
    }
    if (this->channel_.count_ == Capacity) return false;
    this->channel_.store(this->item_);
    return true;
  }
  void await_suspend(std::coroutine_handle<> sender) noexcept {
    this->waiter = sender;
    this->channel_.senders_.push(*this);
  }
  void await_resume() const noexcept {}
};

template <unsigned Capacity>
class channel<Capacity>::receiving : party {
 public:
  explicit receiving(channel& from) noexcept : party(from) {}

  bool await_ready() noexcept {
    if (this->channel_.count_ == 0) return false;
    this->item_ = this->channel_.take();
    if (party* const sender = this->channel_.senders_.pop(); sender != nullptr) {
      this->channel_.store(sender->item_);
      here.ready.push(sender->waiter);
    }
    return true;
  }
  void await_suspend(std::coroutine_handle<> receiver) noexcept {
    this->waiter = receiver;
    this->channel_.receivers_.push(*this);
  }
  std::uint64_t await_resume() const noexcept { return this->item_; }
};

}  // namespace bench::floor
