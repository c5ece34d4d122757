// Bytes in the order in which they came: what is in a stream and was not read. A ring that grows, in memory that all
// queues of a network share, so that an empty queue holds little or none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace lockstep::sim {

// Blocks whose sizes are powers of two.
class byte_memory {
 public:
  static constexpr unsigned least_order = 8;  // 256 bytes

  // A block of 2^order bytes. Throws std::bad_alloc.
  std::byte* take(unsigned order) {
    std::vector<std::unique_ptr<std::byte[]>>& free = free_[order];
    if (free.empty()) [[unlikely]]
      return make(order);
    std::byte* const taken = free.back().release();
    free.pop_back();
    return taken;
  }
  void give(std::byte* block, unsigned order) noexcept {
    free_[order].emplace_back(block);  // there is room, see make()
  }

 private:
  [[gnu::cold, gnu::noinline]] std::byte* make(unsigned order);

  std::vector<std::unique_ptr<std::byte[]>> free_[64];
  std::size_t made_[64] = {};
};

class byte_queue {
 public:
  explicit byte_queue(byte_memory& memory) noexcept : memory_(memory) {}
  byte_queue(const byte_queue&) = delete;
  byte_queue& operator=(const byte_queue&) = delete;
  ~byte_queue() { release(); }

  std::size_t size() const noexcept { return static_cast<std::size_t>(end_ - begin_); }
  bool empty() const noexcept { return begin_ == end_; }

  // Pushing so many more does not throw then. Throws std::bad_alloc, and has changed nothing then.
  void reserve(std::size_t more) {
    if (size() + more > capacity()) grow(size() + more);
  }
  // Throws std::bad_alloc, and has changed nothing then.
  void push(std::span<const std::byte> more);
  // Copies the first ones from `skipped` on, without taking them. Requires that there are as many.
  void peek(std::span<std::byte> into, std::size_t skipped = 0) const noexcept;
  // Takes the first ones. Both require that there are as many.
  void pop(std::span<std::byte> into) noexcept {
    peek(into);
    drop_front(into.size());
  }
  void drop_front(std::size_t count) noexcept {
    begin_ += count;
    if (empty()) empty_out();
  }
  // Takes the last ones. Requires that there are as many.
  void drop_back(std::size_t count) noexcept {
    end_ -= count;
    if (empty()) empty_out();
  }

 private:
  std::size_t capacity() const noexcept { return block_ == nullptr ? 0 : std::size_t{1} << order_; }
  [[gnu::noinline]] void grow(std::size_t wanted);
  // The least block is kept: a short message is likely to follow a short message.
  void empty_out() noexcept {
    if (order_ != byte_memory::least_order) release();
  }
  void release() noexcept {
    if (block_ != nullptr) memory_.give(block_, order_);
    block_ = nullptr;
    begin_ = end_ = 0;
  }

  byte_memory& memory_;
  std::byte* block_ = nullptr;
  unsigned order_ = 0;
  std::uint64_t begin_ = 0;  // places in the ring, without end
  std::uint64_t end_ = 0;
};

}  // namespace lockstep::sim
