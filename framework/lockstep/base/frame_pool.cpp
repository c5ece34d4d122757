#include <lockstep/base/frame_pool.hpp>

namespace lockstep {

void frame_pool::retire(std::unique_ptr<frame_pool> pool) noexcept {
  pool->retired_ = true;
  if (pool->lent() != 0) static_cast<void>(pool.release());
}

void frame_pool::came_back_to_heap() noexcept {
  --on_heap_;
  if (retired_ && lent() == 0) delete this;
}

std::size_t frame_pool::lent() const noexcept {
  std::size_t count = carved_ + on_heap_;
  for (const free_block* block : free_) {
    for (; block != nullptr; block = block->next) --count;
  }
  return count;
}

void* frame_pool::take_slowly(frame_pool* pool, std::size_t kind) {
  if (pool != nullptr && !from_heap(kind)) return mark(pool->carve(kind * grain), kind, pool);
  void* const block = ::operator new(kind* grain);
  if (pool != nullptr) ++pool->on_heap_;
  return mark(block, kind, pool);
}

void* frame_pool::carve(std::size_t bytes) {
  if (static_cast<std::size_t>(fresh_end_ - fresh_) < bytes) {
    fresh_ = static_cast<char*>(slabs_.take());
    fresh_end_ = fresh_ + slab_bytes;
  }
  void* block = fresh_;
  ++carved_;
  fresh_ += bytes;
  return block;
}

}  // namespace lockstep
