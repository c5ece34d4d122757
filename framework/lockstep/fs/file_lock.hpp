// file_lock: holds the lock of a whole file until its scope ends.
//
//   const file_lock alone = co_await store.lock();
//
// Lifetime: it may be moved, may let go early, and may outlive its file, which empties it: a file that is closed is
// unlocked.
#pragma once

#include <utility>

namespace lockstep {

namespace detail {
class held_file;
}

class [[nodiscard("keep the lock in a variable: it ends with that")]] file_lock {
 public:
  file_lock() noexcept = default;
  // For the library: of a file that is locked.
  explicit file_lock(detail::held_file & locked) noexcept;
  file_lock(file_lock && other) noexcept { take(other); }
  file_lock& operator=(file_lock&& other) noexcept {
    if (this == &other) return *this;
    unlock();
    take(other);
    return *this;
  }
  ~file_lock() { unlock(); }

  // Whether it holds one.
  explicit operator bool() const noexcept { return file_ != nullptr; }
  // Lets go before the scope ends; a second time does nothing. Never waits.
  void unlock() noexcept;
  // For the library: the file is closed, or locked by another.
  void forget_file() noexcept;

 private:
  void take(file_lock & other) noexcept;

  detail::held_file* file_ = nullptr;
};

}  // namespace lockstep
