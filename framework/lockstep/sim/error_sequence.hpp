// An error of writing to the disk, of which each open file hears once: as Linux keeps it for a file and for a disk.
//
// Who looks on remembers how far that was. Who begins to after an error hears of it only if nobody has yet.
// Source: Linux's lib/errseq.c, since 4.13.
#pragma once

#include <cstdint>

namespace lockstep::sim {

class error_sequence {
 public:
  // Until where somebody has heard of errors.
  using position = std::uint32_t;

  // Another error; one of which nobody has heard is replaced by it.
  void set(int error) noexcept {
    ++count_;
    is_seen_ = false;
    error_ = error;
  }
  // Where one begins who begins now.
  position now() const noexcept { return is_seen_ ? count_ : count_ - 1; }
  // Of which one has not heard who was there: 0 for none. From now on he has.
  int take(position& since) noexcept {
    if (since == count_) return 0;
    is_seen_ = true;
    since = count_;
    return error_;
  }

 private:
  std::uint32_t count_ = 0;
  bool is_seen_ = true;
  int error_ = 0;
};

}  // namespace lockstep::sim
