// A growable ring buffer of small values: a queue that allocates only when it is told to have more room.
//
// Removal from the middle keeps the order of the rest; it moves the shorter side.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

namespace lockstep {

template <class T>
class ring {
  static_assert(std::is_trivially_copyable_v<T>, "a ring holds pointers and the like");

 public:
  ring() : items_(std::make_unique<T[]>(64)), mask_(63) {}

  bool empty() const noexcept { return head_ == tail_; }
  std::size_t size() const noexcept { return tail_ - head_; }
  // The i-th from the front. Requires i < size().
  T& operator[](std::size_t i) noexcept { return items_[(head_ + i) & mask_]; }
  const T& operator[](std::size_t i) const noexcept { return items_[(head_ + i) & mask_]; }
  // The i-th from the front, or some stale value: for prefetching.
  const T& peek(std::size_t i) const noexcept { return items_[(head_ + i) & mask_]; }

  // Makes room for `count` items in all; pushes do not.
  void reserve(std::size_t count) {
    while (count > mask_ + 1) [[unlikely]] grow();
  }
  // Requires room.
  void push_back(T value) noexcept { items_[tail_++ & mask_] = value; }
  void push_front(T value) noexcept { items_[--head_ & mask_] = value; }
  T pop_front() noexcept { return items_[head_++ & mask_]; }

  // Removes and returns the i-th. Requires i < size().
  T take(std::size_t i) noexcept {
    const T value = (*this)[i];
    if (i <= size() / 2) {
      for (; i > 0; --i) (*this)[i] = (*this)[i - 1];
      ++head_;
    } else {
      for (; i + 1 < size(); ++i) (*this)[i] = (*this)[i + 1];
      --tail_;
    }
    return value;
  }

  void clear() noexcept { head_ = tail_ = 0; }

 private:
  [[gnu::noinline]] void grow() {
    const std::size_t count = size();
    auto larger = std::make_unique<T[]>(2 * (mask_ + 1));
    for (std::size_t i = 0; i < count; ++i) larger[i] = (*this)[i];
    items_ = std::move(larger);
    mask_ = 2 * mask_ + 1;
    head_ = 0;
    tail_ = count;
  }

  std::unique_ptr<T[]> items_;
  std::size_t mask_;
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
};

}  // namespace lockstep
