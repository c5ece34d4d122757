// Memory in slabs of one size, each aligned to it, for pools.
//
// Slabs are cut from regions that double in size, so that a small run takes little and a large one asks seldom. Large
// regions are made of huge pages where the system has them: a fault for each 4 KiB would cost more than all that a
// million tasks do. Freed as a whole.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace lockstep {

class slab_source {
 public:
  // `slab_bytes` is a power of two from 4 KiB to 4 MiB.
  explicit slab_source(std::size_t slab_bytes) noexcept : slab_bytes_(slab_bytes) {}
  slab_source(const slab_source&) = delete;
  slab_source& operator=(const slab_source&) = delete;
  ~slab_source();

  // A slab that was not taken before. Throws std::bad_alloc.
  void* take() {
    if (next_ == end_) add_region();
    char* const taken = next_;
    next_ += slab_bytes_;
    return taken;
  }

 private:
  struct region {
    void* begin;
    std::size_t bytes;
  };

  std::align_val_t alignment_of(std::size_t region_bytes) const noexcept;
  void add_region();

  std::size_t slab_bytes_;
  char* next_ = nullptr;
  char* end_ = nullptr;
  std::size_t bytes_ = 0;
  std::vector<region> regions_;
};

}  // namespace lockstep
