#include <lockstep/runtime/agent_pool.hpp>

#include <algorithm>
#include <new>

namespace lockstep {

#ifdef LOCKSTEP_HEAP_FRAMES

void* agent_pool::new_slab() { return ::operator new (sizeof(head) + sizeof(agent), std::align_val_t{alignof(head)}); }

void agent_pool::free_last_given_back() noexcept {
  head& emptied = head_of(*free_);
  free_ = free_->parent_;
  --made_;
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

#endif

void agent_pool::retire(std::unique_ptr<agent_pool> pool) noexcept {
  pool->retired_ = true;
  if (pool->lent() != 0) static_cast<void>(pool.release());
}

void agent_pool::refill() {
  if (slabs_.empty() || slabs_.back().made == blocks_per_slab) slabs_.push_back(*::new (new_slab()) head(this));
  head& newest = slabs_.back();
  const std::size_t count = std::min(blocks_at_once, blocks_per_slab - newest.made);
  agent* const first = newest.blocks() + newest.made;
  for (std::size_t i = count; i-- > 0;) {  // the first of them is lent first
    agent* const made = ::new (first + i) agent;
    made->parent_ = free_;
    free_ = made;
  }
  newest.made += count;
  made_ += count;
}

std::size_t agent_pool::lent() const noexcept {
  std::size_t count = made_;
  for (const agent* block = free_; block != nullptr; block = block->parent_) --count;
  return count;
}

std::vector<agent*> agent_pool::found_by(bool (*wanted)(const agent&)) {
  std::vector<agent*> found;
  for (head& each : slabs_) {
    for (std::size_t i = 0; i < each.made; ++i) {
      if (agent& block = each.blocks()[i]; wanted(block)) found.push_back(&block);
    }
  }
  std::sort(found.begin(), found.end(), [](const agent* a, const agent* b) { return a->number() < b->number(); });
  return found;
}

}  // namespace lockstep
