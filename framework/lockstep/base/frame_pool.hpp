// Memory for coroutine frames: free lists of 16-byte classes over slabs.
//
// A pool belongs to one loop and one thread. Each block carries a pointer to its pool behind it, so a block goes
// back where it came from, also when it was taken before the loop began (then from the heap). Slabs are kept until
// the pool dies, which requires that every block has come back; retire() sees to that.
// Under AddressSanitizer, or with LOCKSTEP_HEAP_FRAMES defined, every block comes from the heap, so that the
// sanitizer and valgrind see each one.
#pragma once

#include <lockstep/base/slab_source.hpp>

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define LOCKSTEP_HEAP_FRAMES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define LOCKSTEP_HEAP_FRAMES 1
#endif
#endif

namespace lockstep {

class frame_pool {
 public:
  // `home` says whose the blocks are, for who finds one on a thread that is not theirs; it lives as long as the pool.
  explicit frame_pool(std::shared_ptr<void> home = nullptr) noexcept : home_(std::move(home)) {}
  frame_pool(const frame_pool&) = delete;
  frame_pool& operator=(const frame_pool&) = delete;
  // The pool ends with its last block. (But that it stays for ever if blocks out of its slabs come back late.)
  static void retire(std::unique_ptr<frame_pool> pool) noexcept;

  // A block of `bytes`, aligned for any fundamental type; from the heap when `pool` is null.
  // Throws std::bad_alloc.
  static void* take(frame_pool* pool, std::size_t bytes) {
    const std::size_t kind = kind_of(bytes);
    if (pool == nullptr || from_heap(kind)) [[unlikely]]
      return take_slowly(pool, kind);
    free_block* const first = pool->free_[kind];
    if (first == nullptr) [[unlikely]]
      return take_slowly(pool, kind);
    pool->free_[kind] = first->next;
    return mark(first, kind, pool);
  }

  // Gives back a block that take() returned for the same number of bytes.
  static void give_back(void* block, std::size_t bytes) noexcept {
    const std::size_t kind = kind_of(bytes);
    frame_pool* const pool = of(block, bytes);
    if (pool == nullptr || from_heap(kind)) [[unlikely]] {
      ::operator delete(block);
      if (pool != nullptr) pool->came_back_to_heap();
      return;
    }
    pool->free_[kind] = ::new (block) free_block{pool->free_[kind]};
  }

  // The pool of a block that take() returned for that number of bytes; null if it was taken without one.
  static frame_pool* of(const void* block, std::size_t bytes) noexcept {
    frame_pool* pool;
    std::memcpy(&pool, static_cast<const char*>(block) + kind_of(bytes) * grain - sizeof pool, sizeof pool);
    return pool;
  }
  void* home() const noexcept { return home_.get(); }

  // The number of blocks that have not come back.
  std::size_t lent() const noexcept;

 private:
  struct free_block {
    free_block* next;
  };

  static constexpr std::size_t grain = 16;
  static constexpr std::size_t kinds = 128;
  static constexpr std::size_t slab_bytes = std::size_t{64} * 1024;

  static constexpr std::size_t kind_of(std::size_t bytes) noexcept {
    return (bytes + sizeof(frame_pool*) + grain - 1) / grain;
  }
  static constexpr bool from_heap(std::size_t kind) noexcept {
#ifdef LOCKSTEP_HEAP_FRAMES
    return kind != 0;  // all
#else
    return kind >= kinds;
#endif
  }
  static void* mark(void* block, std::size_t kind, frame_pool* pool) noexcept {
    std::memcpy(static_cast<char*>(block) + kind * grain - sizeof pool, &pool, sizeof pool);
    return block;
  }
  [[gnu::cold]] static void* take_slowly(frame_pool* pool, std::size_t kind);
  void* carve(std::size_t bytes);
  void came_back_to_heap() noexcept;

  free_block* free_[kinds] = {};
  std::size_t carved_ = 0;
  char* fresh_ = nullptr;
  char* fresh_end_ = nullptr;
  slab_source slabs_{slab_bytes};
  std::size_t on_heap_ = 0;
  bool retired_ = false;
  std::shared_ptr<void> home_;
};

}  // namespace lockstep
