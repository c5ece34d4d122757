// The locks on a file: those of flock(), which an open file has as a whole, and those of fcntl() on ranges, which a
// process has, or an open file.
//
// Locks of a process go when it closes any descriptor of the file, those of an open file with that.
// Source: flock(2), fcntl_locking(2).
#pragma once

#include <fcntl.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace lockstep::sim {

class file_locks {
 public:
  // An open file, or a process; `process` is then its number.
  struct owner {
    const void* who;
    int process = -1;
    bool operator==(const owner& other) const noexcept { return who == other.who; }
  };

  bool empty() const noexcept { return held_ == nullptr; }
  // LOCK_SH, LOCK_EX or LOCK_UN. Returns 0 or -EWOULDBLOCK; then one that it had is gone, if it was to be changed.
  int flock(const owner& who, int operation);
  // F_RDLCK, F_WRLCK or F_UNLCK on the bytes from `begin` to `end`. Returns 0 or -EAGAIN.
  int set(const owner& who, short type, std::int64_t begin, std::int64_t end);
  // What keeps that from being done; false for nothing. Of a lock of an open file the process is -1.
  struct range {
    owner who;
    short type;
    std::int64_t begin;
    std::int64_t end;
  };
  bool conflict(const owner& who, short type, std::int64_t begin, std::int64_t end, range& found) const noexcept;
  // All that it has on ranges, or by flock().
  void drop_ranges(const owner& who) noexcept;
  void drop_flock(const owner& who) noexcept;
  // Whether it has any.
  bool holds(const owner& who) const noexcept;

 private:
  struct whole {
    owner who;
    bool exclusive;
  };
  struct lists {
    std::vector<whole> wholes;
    std::vector<range> ranges;
  };

  lists& held();
  void forget_if_empty() noexcept;

  std::unique_ptr<lists> held_;
};

}  // namespace lockstep::sim
