// The locks on a file: those of flock(), which an open file has as a whole, and those of fcntl() on ranges, which a
// process has, or an open file.
//
// Locks of a process go when it closes any descriptor of the file, those of an open file with that.
// Source: flock(2), fcntl_locking(2).
#pragma once

#include <lockstep/base/source.hpp>

#include <fcntl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace lockstep::sim {

// For reports: through which open file a lock was taken, and where the task stood then, at the call or behind it.
struct lock_origin {
  const void* through = nullptr;
  place stood{};
  bool at_the_call = false;
};

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
  int flock(const owner& who, int operation, const lock_origin& taken = {});
  // F_RDLCK, F_WRLCK or F_UNLCK on the bytes from `begin` to `end`. Returns 0 or -EAGAIN.
  int set(const owner& who, short type, std::int64_t begin, std::int64_t end, const lock_origin& taken = {});
  // The one that it has by flock() was taken at that line.
  void flock_taken_at(const owner& who, const source& where) noexcept;
  // What keeps that from being done; false for nothing. Of a lock of an open file the process is -1.
  struct range {
    owner who;
    short type;
    std::int64_t begin;
    std::int64_t end;
    lock_origin taken{};
  };
  bool conflict(const owner& who, short type, std::int64_t begin, std::int64_t end, range& found) const noexcept;
  // All that it has on ranges, or by flock().
  void drop_ranges(const owner& who) noexcept;
  void drop_flock(const owner& who) noexcept;
  // Whether it has any.
  bool holds(const owner& who) const noexcept;
  // Those that were taken through that open file: ", with a lock taken at shop.cpp:12 by flock()", or "behind
  // shop.cpp:12 by F_SETLK on the bytes 0 to 9".
  std::string text_of(const void* through) const;

 private:
  struct whole {
    owner who;
    bool exclusive;
    lock_origin taken{};
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
