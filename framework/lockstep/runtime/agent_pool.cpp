#include <lockstep/runtime/agent_pool.hpp>

#include <algorithm>
#include <new>
#include <utility>

namespace lockstep {

#ifdef LOCKSTEP_HEAP_FRAMES

void* agent_pool::new_slab() { return ::operator new (sizeof(head) + sizeof(agent), std::align_val_t{alignof(head)}); }

void agent_pool::free_last_given_back() noexcept {
  head& emptied = head_of(*free_);
  free_ = free_->parent_;
  --made_;
  --in_play_;
  static_cast<list_hook<head>&>(emptied).unlink();
  ::operator delete (&emptied, std::align_val_t{alignof(head)});
  if (retired_ && lent() == 0) delete this;
}

// Those that were made and never lent.
agent_pool::~agent_pool() {
  retired_ = false;
  while (free_ != nullptr) free_last_given_back();
}

#else

void* agent_pool::new_slab() { return memory_.take(); }

agent_pool::~agent_pool() = default;

// A block is lent if somebody refers to it.
void agent_pool::put_to_rest() noexcept {
  const auto is_lent = [](const agent& block) { return block.references_ != 0; };
  const std::size_t before = in_play_;
  while (in_play_ > blocks_at_once) {
    head& last = *last_in_play_;
    const std::size_t first = (last.in_play - 1) / blocks_at_once * blocks_at_once;
    if (std::any_of(last.blocks() + first, last.blocks() + last.in_play, is_lent)) break;
    in_play_ -= last.in_play - first;
    last.in_play = first;
    if (first == 0) last_in_play_ = last.before;
  }
  if (in_play_ == before) return;
  free_ = nullptr;
  for (head* at = last_in_play_; at != nullptr; at = at->before) {
    for (std::size_t i = at->in_play; i-- > 0;) {
      if (agent& block = at->blocks()[i]; !is_lent(block)) block.parent_ = std::exchange(free_, &block);
    }
  }
}

#endif

void agent_pool::retire(std::unique_ptr<agent_pool> pool) noexcept {
  pool->retired_ = true;
  if (pool->lent() != 0) static_cast<void>(pool.release());
}

// The next block to come into play is in it.
agent_pool::head& agent_pool::slab_with_room() {
  head* const last = last_in_play_;
  if (last != nullptr && last->in_play < blocks_per_slab) return *last;
#ifndef LOCKSTEP_HEAP_FRAMES
  if (last != nullptr && last != &slabs_.back()) return *++intrusive_list<head, head>::iterator(last);
#endif
  head& fresh = *::new (new_slab()) head(this);
  fresh.before = last;
  slabs_.push_back(fresh);
  return fresh;
}

void agent_pool::refill() {
  head& slab = slab_with_room();
  const std::size_t count = std::min(blocks_at_once, blocks_per_slab - slab.in_play);
  agent* const first = slab.blocks() + slab.in_play;
  const bool rested = slab.in_play < slab.made;  // all of them
  for (std::size_t i = count; i-- > 0;) {        // the first of them is lent first
    agent* const block = rested ? first + i : ::new (first + i) agent;
    block->references_ = 0;
    block->parent_ = free_;
    free_ = block;
  }
  slab.in_play += count;
  in_play_ += count;
#ifndef LOCKSTEP_HEAP_FRAMES
  last_in_play_ = &slab;
#endif
  if (rested) return;
  slab.made += count;
  made_ += count;
}

std::size_t agent_pool::lent() const noexcept {
  std::size_t count = in_play_;
  for (const agent* block = free_; block != nullptr; block = block->parent_) --count;
  return count;
}

std::vector<agent*> agent_pool::found_by(bool (*wanted)(const agent&)) {
  std::vector<agent*> found;
  for (head& each : slabs_) {
    for (std::size_t i = 0; i < each.in_play; ++i) {
      if (agent& block = each.blocks()[i]; wanted(block)) found.push_back(&block);
    }
    if (&each == last_in_play_) break;
  }
  std::sort(found.begin(), found.end(), [](const agent* a, const agent* b) { return a->number() < b->number(); });
  return found;
}

}  // namespace lockstep
