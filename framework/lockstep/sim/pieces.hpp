// The pieces of memory of a call, such as readv()'s, one after the other.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <span>

namespace lockstep::sim {

class pieces {
 public:
  pieces(const iovec* first, int count) noexcept : at_(first) {
    for (int i = 0; i < count; ++i) left_ += first[i].iov_len;
  }

  // The bytes of all that are left.
  std::size_t left() const noexcept { return left_; }
  // The next bytes that lie together, `most` at the most. Requires that as many are left, and most > 0.
  std::span<std::byte> next(std::size_t most) noexcept {
    while (used_ == at_->iov_len) {
      ++at_;
      used_ = 0;
    }
    const std::size_t size = std::min(most, at_->iov_len - used_);
    const std::span<std::byte> part(static_cast<std::byte*>(at_->iov_base) + used_, size);
    used_ += size;
    left_ -= size;
    return part;
  }
  // Calls `use` with each part of the next `count` bytes. Requires that as many are left.
  template <class F>
  void take(std::size_t count, const F& use) {
    while (count != 0) {
      const std::span<std::byte> part = next(count);
      use(part);
      count -= part.size();
    }
  }

 private:
  const iovec* at_;
  std::size_t used_ = 0;
  std::size_t left_ = 0;
};

}  // namespace lockstep::sim
