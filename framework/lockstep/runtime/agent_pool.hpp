// The control blocks of one loop's tasks: recycled, and all in one place, so that those alive are found without a list.
//
// A block that has come back stays an agent, and only what a new task changes is set anew. Slabs are aligned to their
// size, so that a block finds its pool. They are kept until the pool dies, which requires that every block has come
// back.
// The first so many blocks are in play; the others rest until those are all lent. So whoever looks at all blocks looks
// at no more than the present run has needed, whatever runs before it have.
// Under AddressSanitizer, or with LOCKSTEP_HEAP_FRAMES defined, every block is on the heap and freed when it comes
// back, so that the sanitizer and valgrind see each one.
#pragma once

#include <lockstep/base/frame_pool.hpp>
#include <lockstep/base/intrusive_list.hpp>
#include <lockstep/base/slab_source.hpp>
#include <lockstep/runtime/agent.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace lockstep {

class agent_pool {
 public:
  // `home` is the inbox of the loop.
  explicit agent_pool(std::shared_ptr<inbox> home) noexcept : home_(std::move(home)) {}
  agent_pool(const agent_pool&) = delete;
  agent_pool& operator=(const agent_pool&) = delete;
  ~agent_pool();

  // The pool ends with its last block. (But that it stays for ever if blocks out of its slabs come back late.)
  static void retire(std::unique_ptr<agent_pool> pool) noexcept;

  // The pool of a block, from any thread.
  static agent_pool& of(const agent& block) noexcept { return *head_of(block).home; }
  inbox& home() const noexcept { return *home_; }

  // Whether take() may be called.
  bool has_free() const noexcept { return free_ != nullptr; }
  // A block for agent::begin(), with nobody who joins it and no rarities.
  agent& take() noexcept {
    agent& taken = *free_;
    free_ = taken.parent_;
    return taken;
  }
  // Brings that many blocks that are free into play, or fewer. Requires !has_free(). Throws std::bad_alloc.
  static constexpr std::size_t blocks_at_once = 16;
  void refill();
  // A run begins: puts to rest what is behind the last block that is lent, but for the first few.
  void start() noexcept {
#ifndef LOCKSTEP_HEAP_FRAMES
    if (in_play_ > blocks_at_once) [[unlikely]]
      put_to_rest();
#endif
  }
  static void give_back(agent& block) noexcept {
    head& at = head_of(block);
    block.parent_ = at.home->free_;
    at.home->free_ = &block;
#ifdef LOCKSTEP_HEAP_FRAMES
    at.home->free_last_given_back();
#endif
  }

  // The number of blocks that there are, of those in play, and of those that have not come back.
  std::size_t made() const noexcept { return made_; }
  std::size_t in_play() const noexcept { return in_play_; }
  std::size_t lent() const noexcept;
  // The tasks that have not finished, in the order in which they were spawned.
  std::vector<agent*> alive() {
    return found_by([](const agent& who) { return !who.finished(detail::unseen); });
  }
  // Those that have finished, and whose owner still keeps the frame with the result.
  std::vector<agent*> kept() {
    return found_by([](const agent& who) { return who.finished(detail::unseen) && who.root_; });
  }

 private:
  // At the start of a slab.
  struct alignas(64) head : list_hook<head> {
    explicit head(agent_pool* pool) noexcept : home(pool) {}

    agent_pool* home;
    std::size_t made = 0;     // blocks in it, which follow
    std::size_t in_play = 0;  // of them
    head* before = nullptr;

    agent* blocks() noexcept { return reinterpret_cast<agent*>(this + 1); }
  };
#ifdef LOCKSTEP_HEAP_FRAMES
  static constexpr std::size_t blocks_per_slab = 1;

  static std::size_t bytes_before(const agent&) noexcept { return sizeof(head); }
  void free_last_given_back() noexcept;
#else
  static constexpr std::size_t slab_bytes = std::size_t{64} * 1024;
  static constexpr std::size_t blocks_per_slab = (slab_bytes - sizeof(head)) / sizeof(agent);

  static std::size_t bytes_before(const agent& block) noexcept {
    return reinterpret_cast<std::uintptr_t>(&block) % slab_bytes;
  }
  void put_to_rest() noexcept;
  slab_source memory_{slab_bytes};
#endif
  static head& head_of(const agent& block) noexcept {
    auto* const bytes = reinterpret_cast<char*>(const_cast<agent*>(&block));
    return *reinterpret_cast<head*>(bytes - bytes_before(block));
  }
  void* new_slab();
  head& slab_with_room();
  std::vector<agent*> found_by(bool (*wanted)(const agent&));

  agent* free_ = nullptr;  // in play; linked by `parent_`
  std::size_t made_ = 0;
  std::size_t in_play_ = 0;
  head* last_in_play_ = nullptr;  // the slab with the last of those
  bool retired_ = false;
  std::shared_ptr<inbox> home_;
  intrusive_list<head, head> slabs_;
};

inline bool agent::is_here() const noexcept {
  const detail::context* context = detail::current_context;
  return context != nullptr && context->agents == &agent_pool::of(*this);
}

inline void agent::require_here(const char* deed, source where) const {
  if (!is_here()) [[unlikely]]
    refuse(deed, where);
}

}  // namespace lockstep
