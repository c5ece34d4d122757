// A growable ring buffer: a queue that allocates only when it is told to have more room.
//
// Removal from the middle keeps the order of the rest; it moves the shorter side.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace lockstep {

template <class T>
class ring {
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>);

 public:
  ring() : items_(allocate(first_capacity)), mask_(first_capacity - 1) {}
  ring(const ring&) = delete;
  ring& operator=(const ring&) = delete;
  ~ring() {
    clear();
    deallocate(items_, mask_ + 1);
  }

  bool empty() const noexcept { return head_ == tail_; }
  std::size_t size() const noexcept { return tail_ - head_; }
  // The i-th from the front. Requires i < size().
  T& operator[](std::size_t i) noexcept { return items_[(head_ + i) & mask_]; }
  const T& operator[](std::size_t i) const noexcept { return items_[(head_ + i) & mask_]; }
  // Where the i-th from the front is or would be: for prefetching.
  const T* place(std::size_t i) const noexcept { return &items_[(head_ + i) & mask_]; }

  // Makes room for `count` items in all. Throws std::bad_alloc.
  void reserve(std::size_t count) {
    while (count > mask_ + 1) [[unlikely]] grow();
  }
  // Both require room.
  void push_back(T value) noexcept { ::new (&items_[tail_++ & mask_]) T(std::move(value)); }
  void push_front(T value) noexcept { ::new (&items_[--head_ & mask_]) T(std::move(value)); }

  // Requires !empty().
  T pop_front() noexcept {
    T& first = items_[head_++ & mask_];
    T value = std::move(first);
    first.~T();
    return value;
  }

  // Removes and returns the i-th. Requires i < size().
  T take(std::size_t i) noexcept {
    std::size_t gap = head_ + i;
    T value = std::move(items_[gap & mask_]);
    constexpr std::size_t few = 4;  // which side is shorter takes no less to find out than they take to move
    if (i <= few || i <= size() / 2) [[likely]] {
      for (; gap != head_; --gap) items_[gap & mask_] = std::move(items_[(gap - 1) & mask_]);
      ++head_;
    } else {
      for (; gap + 1 != tail_; ++gap) items_[gap & mask_] = std::move(items_[(gap + 1) & mask_]);
      --tail_;
    }
    items_[gap & mask_].~T();
    return value;
  }

  void clear() noexcept {
    for (; head_ != tail_; ++head_) items_[head_ & mask_].~T();
    head_ = tail_ = 0;
  }

 private:
  static constexpr std::size_t first_capacity = 16;

  static T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  static void deallocate(T* items, std::size_t count) noexcept { std::allocator<T>().deallocate(items, count); }

  [[gnu::noinline]] void grow() {
    const std::size_t count = size();
    T* const larger = allocate(2 * (mask_ + 1));
    for (std::size_t i = 0; i < count; ++i) ::new (&larger[i]) T(std::move((*this)[i]));
    clear();
    deallocate(items_, mask_ + 1);
    items_ = larger;
    mask_ = 2 * mask_ + 1;
    tail_ = count;
  }

  T* items_;
  std::size_t mask_;
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
};

}  // namespace lockstep
