// Memory for coroutine frames: free lists of 32-byte classes over slabs that are kept until the end.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <vector>

namespace bench::floor {

class frame_freelist {
 public:
  frame_freelist() = default;
  frame_freelist(const frame_freelist&) = delete;
  frame_freelist& operator=(const frame_freelist&) = delete;

  void* take(std::size_t bytes) {
    const std::size_t kind = kind_of(bytes);
    if (kind >= kinds) [[unlikely]]
      return ::operator new(bytes);
    if (free_block* first = free_[kind]; first != nullptr) [[likely]] {
      free_[kind] = first->next;
      return first;
    }
    return carve(kind * grain);
  }
  void give_back(void* block, std::size_t bytes) noexcept {
    const std::size_t kind = kind_of(bytes);
    if (kind >= kinds) [[unlikely]] {
      ::operator delete(block);
      return;
    }
    free_[kind] = ::new (block) free_block{free_[kind]};
  }

 private:
  struct free_block {
    free_block* next;
  };

  static constexpr std::size_t grain = 32;
  static constexpr std::size_t kinds = 64;
  static constexpr std::size_t slab_bytes = std::size_t{256} * 1024;

  static constexpr std::size_t kind_of(std::size_t bytes) noexcept { return (bytes + grain - 1) / grain; }

  void* carve(std::size_t bytes) {
    if (static_cast<std::size_t>(fresh_end_ - fresh_) < bytes) [[unlikely]]
      add_slab();
    char* const block = fresh_;
    fresh_ += bytes;
    return block;
  }
  [[gnu::noinline]] void add_slab() noexcept {
    slabs_.push_back(std::make_unique_for_overwrite<char[]>(slab_bytes));
    fresh_ = slabs_.back().get();
    fresh_end_ = fresh_ + slab_bytes;
  }

  free_block* free_[kinds] = {};
  char* fresh_ = nullptr;
  char* fresh_end_ = nullptr;
  std::vector<std::unique_ptr<char[]>> slabs_;
};

}  // namespace bench::floor
