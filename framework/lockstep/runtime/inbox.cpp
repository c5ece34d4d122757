#include <lockstep/runtime/inbox.hpp>

#include <utility>

namespace lockstep {

void inbox::post(operation& done) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(&done);
    has_posts_.store(true, std::memory_order_release);
  }
  arrived_.notify_one();
}

std::vector<operation*> inbox::take() {
  const std::lock_guard lock(mutex_);
  has_posts_.store(false, std::memory_order_relaxed);
  return std::exchange(posted_, {});
}

void inbox::wait() {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [this] { return !posted_.empty(); });
}

}  // namespace lockstep
