// A queue of large items, in chunks that never move: for a long log whose items stay where they were made.
//
// A chunk whose items have gone is there for those to come; the memory is given back when all is cleared. It is made of
// huge pages where there is much of it, see slab_source.hpp.
#pragma once

#include <lockstep/base/slab_source.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <new>
#include <optional>
#include <utility>
#include <vector>

namespace lockstep {

template <class T>
class chunk_queue {
 public:
  chunk_queue() = default;
  chunk_queue(const chunk_queue&) = delete;
  chunk_queue& operator=(const chunk_queue&) = delete;
  ~chunk_queue() { clear(); }

  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }
  // The i-th from the front. Requires i < size().
  T& operator[](std::size_t i) noexcept { return *place(i); }
  const T& operator[](std::size_t i) const noexcept { return *place(i); }
  // Require !empty().
  T& front() noexcept { return *place(0); }
  const T& front() const noexcept { return *place(0); }
  T& back() noexcept { return *place(size_ - 1); }
  const T& back() const noexcept { return *place(size_ - 1); }

  // The next `count` items, 32 at the most, need no memory. Throws std::bad_alloc.
  void expect(std::size_t count) {
    if (begin_ + size_ + count > chunks_.size() * items_of_chunk) [[unlikely]]
      add_chunk();
  }
  // Throws std::bad_alloc, unless it is expected, and what T's constructor throws; then nothing has changed.
  template <class... Arguments>
  T& emplace_back(Arguments&&... arguments) {
    if (begin_ + size_ == chunks_.size() * items_of_chunk) [[unlikely]]
      add_chunk();
    T* const made = ::new (place(size_)) T{std::forward<Arguments>(arguments)...};
    ++size_;
    return *made;
  }

  // Requires !empty().
  void pop_front() noexcept {
    front().~T();
    --size_;
    if (++begin_ % items_of_chunk == 0) [[unlikely]]
      drop_chunk();
  }

  // Requires !empty().
  void pop_back() noexcept {
    back().~T();
    --size_;
    if ((begin_ + size_) % items_of_chunk != 0) return;
    release(chunks_.back());
    chunks_.pop_back();
  }

  void clear() noexcept {
    while (!empty()) pop_front();
    begin_ = 0;
    chunks_.clear();
    free_ = nullptr;
    memory_.reset();
  }

 private:
  static constexpr std::size_t items_of_chunk = 32;
  static constexpr std::size_t smallest_slab = 4'096;
  union chunk {
    chunk() noexcept : next(nullptr) {}

    chunk* next;  // of those that are free
    alignas(T) std::byte items[items_of_chunk * sizeof(T)];
  };

  T* place(std::size_t i) const noexcept {
    const std::size_t at = begin_ + i;
    return std::launder(reinterpret_cast<T*>(chunks_[at / items_of_chunk]->items + at % items_of_chunk * sizeof(T)));
  }

  [[gnu::noinline]] void add_chunk() {
    if (chunks_.size() == chunks_.capacity()) chunks_.reserve(2 * chunks_.size() + 1);
    if (free_ == nullptr) {
      if (!memory_) memory_.emplace(std::bit_ceil(std::max(sizeof(chunk), smallest_slab)));
      release(::new (memory_->take()) chunk);
    }
    chunks_.push_back(std::exchange(free_, free_->next));
  }
  void release(chunk* unused) noexcept { unused->next = std::exchange(free_, unused); }

  // Of those that have gone, their places are closed when they are half of all.
  [[gnu::noinline]] void drop_chunk() noexcept {
    const std::size_t gone = begin_ / items_of_chunk;
    release(chunks_[gone - 1]);
    if (2 * gone < chunks_.size()) return;
    chunks_.erase(chunks_.begin(), chunks_.begin() + static_cast<std::ptrdiff_t>(gone));
    begin_ = 0;
  }

  std::vector<chunk*> chunks_;
  chunk* free_ = nullptr;
  std::optional<slab_source> memory_;
  std::size_t begin_ = 0;  // the place of the first item
  std::size_t size_ = 0;
};

}  // namespace lockstep
