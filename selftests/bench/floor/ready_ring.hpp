// The ready queue: a ring of coroutine handles, first in, first out.
#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>

namespace bench::floor {

class ready_ring {
 public:
  bool empty() const noexcept { return head_ == tail_; }

  void push(std::coroutine_handle<> ready) {
    if (tail_ - head_ > mask_) [[unlikely]] grow();
    handles_[tail_++ & mask_] = ready;
  }
  // Requires !empty().
  std::coroutine_handle<> pop() noexcept { return handles_[head_++ & mask_]; }

 private:
  [[gnu::noinline]] void grow() {
    const std::uint32_t count = tail_ - head_;
    auto larger = std::make_unique<std::coroutine_handle<>[]>(2 * std::size_t{count});
    for (std::uint32_t i = 0; i < count; ++i) larger[i] = handles_[(head_ + i) & mask_];
    handles_ = std::move(larger);
    mask_ = 2 * count - 1;
    head_ = 0;
    tail_ = count;
  }

  // The positions only ever grow; they wrap around together.
  std::unique_ptr<std::coroutine_handle<>[]> handles_ = std::make_unique<std::coroutine_handle<>[]>(256);
  std::uint32_t mask_ = 255;
  std::uint32_t head_ = 0;
  std::uint32_t tail_ = 0;
};

}  // namespace bench::floor
