#include <lockstep/runtime/inbox.hpp>

#include <utility>

namespace lockstep {

// Both notify with the lock held: as soon as it is free, the loop may take what is there, end, and destroy this.

void inbox::post(detail::foreign_wait& done) {
  const std::lock_guard lock(mutex_);
  mail_.done.push_back(&done);
  arrived_.store(true, std::memory_order_release);
  waiting_.notify_one();
}

void inbox::complain(std::uint64_t run, std::string message) {
  const std::lock_guard lock(mutex_);
  mail_.complaints.push_back({run, std::move(message)});
  arrived_.store(true, std::memory_order_release);
  waiting_.notify_one();
}

void inbox::withdraw(detail::foreign_wait& unwanted) noexcept {
  const std::lock_guard lock(mutex_);
  std::erase(mail_.done, &unwanted);
}

inbox::mail inbox::take() {
  const std::lock_guard lock(mutex_);
  arrived_.store(false, std::memory_order_relaxed);
  return std::exchange(mail_, {});
}

void inbox::wait() {
  std::unique_lock lock(mutex_);
  waiting_.wait(lock, [this] { return arrived_.load(std::memory_order_relaxed); });
}

}  // namespace lockstep
