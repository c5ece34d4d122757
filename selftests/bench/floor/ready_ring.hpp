// The ready queue: a ring of coroutine handles, first in, first out.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace bench::floor {

class ready_ring {
 public:
  bool empty() const noexcept { return head_ == tail_; }

  void push(std::coroutine_handle<> ready) noexcept {
    if (tail_ - head_ > mask_) [[unlikely]]
      grow();
    frames_[tail_++ & mask_] = ready.address();
  }
  // Requires !empty().
  std::coroutine_handle<> pop() noexcept { return std::coroutine_handle<>::from_address(frames_[head_++ & mask_]); }

 private:
  // Frames' addresses, because handles would be set to null before they are written.
  using array = std::unique_ptr<void*[]>;

  [[gnu::noinline]] void grow() noexcept {
    const std::uint32_t count = tail_ - head_;
    array larger = std::make_unique_for_overwrite<void*[]>(2 * std::size_t{count});
    for (std::uint32_t i = 0; i < count; ++i) larger[i] = frames_[(head_ + i) & mask_];
    frames_ = std::move(larger);
    mask_ = 2 * count - 1;
    head_ = 0;
    tail_ = count;
  }

  // The positions only ever grow; they wrap around together.
  array frames_ = std::make_unique_for_overwrite<void*[]>(256);
  std::uint32_t mask_ = 255;
  std::uint32_t head_ = 0;
  std::uint32_t tail_ = 0;
};

}  // namespace bench::floor
