#include <lockstep/fs/file_lock.hpp>

#include <lockstep/fs/file_call.hpp>

#include <sys/file.h>

namespace lockstep {

// One lock of an open file replaces another.
file_lock::file_lock(detail::held_file& locked) noexcept : file_(&locked) {
  if (locked.lock() != nullptr) locked.lock()->forget_file();
  locked.locked_by(this);
}

void file_lock::unlock() noexcept {
  if (file_ == nullptr) return;
  detail::held_file& file = *file_;
  forget_file();
  file.touch(access::write);
  file.calls().flock(file.fd(), LOCK_UN);
}

void file_lock::forget_file() noexcept {
  if (file_ == nullptr) return;
  file_->locked_by(nullptr);
  file_ = nullptr;
}

void file_lock::take(file_lock& other) noexcept {
  file_ = std::exchange(other.file_, nullptr);
  if (file_ != nullptr) file_->locked_by(this);
}

}  // namespace lockstep
