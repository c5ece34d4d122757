// The ready queue of a program that is explored: any of the waiting may go next, and the others keep their order.
#pragma once

#include <array>
#include <coroutine>
#include <cstddef>

namespace bench::floor {

class unordered_queue {
 public:
  bool empty() const noexcept { return count_ == 0; }
  std::size_t size() const noexcept { return count_; }

  // Requires room.
  void push(std::coroutine_handle<> ready) noexcept { frames_[count_++] = ready.address(); }
  // Requires i < size().
  std::coroutine_handle<> take(std::size_t i) noexcept {
    void* const taken = frames_[i];
    for (--count_; i < count_; ++i) frames_[i] = frames_[i + 1];
    return std::coroutine_handle<>::from_address(taken);
  }

 private:
  std::array<void*, 64> frames_;
  std::size_t count_ = 0;
};

// Where explored tasks wait. At a fixed address, as the scheduler is.
inline unordered_queue explored;

struct explored_yield {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) const noexcept { explored.push(waiter); }
  void await_resume() const noexcept {}
};

}  // namespace bench::floor
