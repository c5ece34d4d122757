// Bytes in the order in which they came: what is in a stream and was not read. A ring that grows, in memory that all
// queues of a network share, so that an empty queue holds none.
// The last of them may be lent: they are where their writer has them, and are copied only if nobody has read them when
// the writer wants its memory back.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>

namespace lockstep::sim {

// Blocks whose sizes are powers of two.
class byte_memory {
 public:
  static constexpr unsigned least_order = 8;  // 256 bytes

  byte_memory() = default;
  byte_memory(const byte_memory&) = delete;
  byte_memory& operator=(const byte_memory&) = delete;
  ~byte_memory();

  // A block of 2^order bytes. Throws std::bad_alloc.
  std::byte* take(unsigned order) {
    free_block* const first = free_[order];
    if (first == nullptr) [[unlikely]]
      return make(order);
    free_[order] = first->next;
    return reinterpret_cast<std::byte*>(first);
  }
  void give(std::byte* block, unsigned order) noexcept { free_[order] = ::new (block) free_block{free_[order]}; }

 private:
  struct free_block {
    free_block* next;
  };

  [[gnu::cold, gnu::noinline]] static std::byte* make(unsigned order);

  free_block* free_[64] = {};
};

class byte_queue {
 public:
  explicit byte_queue(byte_memory& memory) noexcept : memory_(memory) {}
  byte_queue(const byte_queue&) = delete;
  byte_queue& operator=(const byte_queue&) = delete;
  ~byte_queue() { release(); }

  std::size_t size() const noexcept { return held() + lent_.size(); }
  bool empty() const noexcept { return size() == 0; }

  // Pushing so many more does not throw then. Throws std::bad_alloc, and has changed nothing then.
  void reserve(std::size_t more) {
    const std::size_t wanted = size() + more;
    if (wanted > capacity_) grow(wanted);
  }
  // Throws std::bad_alloc, and has changed nothing then.
  void push(std::span<const std::byte> more) {
    lend(more);
    keep();
  }
  // The same, but they are not copied yet: keep() must be called before they go.
  void lend(std::span<const std::byte> more) {
    reserve(more.size());
    keep();
    lent_ = more;
  }
  void keep() noexcept {
    if (!lent_.empty()) copy_lent();
  }
  // Copies the first ones from `skipped` on, without taking them. Requires that there are as many.
  void peek(std::span<std::byte> into, std::size_t skipped = 0) const noexcept {
    if (held() != 0) return peek_held(into, skipped);
    if (!into.empty()) std::memmove(into.data(), lent_.data() + skipped, into.size());
  }
  // Takes the first ones. Both require that there are as many.
  void pop(std::span<std::byte> into) noexcept {
    peek(into);
    drop_front(into.size());
  }
  void drop_front(std::size_t count) noexcept {
    const std::size_t of_held = std::min(count, held());
    begin_ += of_held;
    lent_ = lent_.subspan(count - of_held);
    if (empty()) release();
  }
  // Takes the last ones. Requires that there are as many.
  void drop_back(std::size_t count) noexcept {
    const std::size_t of_lent = std::min(count, lent_.size());
    lent_ = lent_.first(lent_.size() - of_lent);
    end_ -= count - of_lent;
    if (empty()) release();
  }

 private:
  unsigned order() const noexcept { return static_cast<unsigned>(std::countr_zero(capacity_)); }
  std::size_t held() const noexcept { return static_cast<std::size_t>(end_ - begin_); }
  void grow(std::size_t wanted);
  void copy_lent() noexcept;
  void peek_held(std::span<std::byte> into, std::size_t skipped) const noexcept;
  void release() noexcept {
    if (block_ != nullptr) memory_.give(block_, order());
    block_ = nullptr;
    capacity_ = 0;
    begin_ = end_ = 0;
  }

  byte_memory& memory_;
  std::byte* block_ = nullptr;
  std::size_t capacity_ = 0;  // a power of two; 0 without a block
  std::uint64_t begin_ = 0;   // places in the ring, without end
  std::uint64_t end_ = 0;
  std::span<const std::byte> lent_;  // behind those in the ring, which has room for them
};

}  // namespace lockstep::sim
