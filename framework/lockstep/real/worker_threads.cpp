#include <lockstep/real/worker_threads.hpp>

#include <pthread.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace lockstep::real {

worker_threads::worker_threads(unsigned count, std::string_view name)
    : count_(std::max(count, 1u)), name_(name.substr(0, 15)) {}

worker_threads::~worker_threads() {
  std::deque<job> dropped;
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
    dropped.swap(queue_);
  }
  changed_.notify_all();
  dropped.clear();
  for (std::thread& each : threads_) each.join();
}

void worker_threads::submit(job work) {
  const std::lock_guard lock(mutex_);
  if (queue_.size() >= idle_ && threads_.size() < count_) start_one();
  queue_.push_back(std::move(work));
  changed_.notify_one();
}

void worker_threads::start_one() {
  try {
    threads_.emplace_back([this] { serve(); });
  } catch (const std::system_error&) {
    if (threads_.empty()) throw;  // the others will do it
    return;
  }
  if (!name_.empty()) pthread_setname_np(threads_.back().native_handle(), name_.c_str());
}

void worker_threads::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    changed_.wait(lock, [this] { return over_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty()) return;
    job next = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    next();
    lock.lock();
  }
}

std::size_t worker_threads::started() const {
  const std::lock_guard lock(mutex_);
  return threads_.size();
}

}  // namespace lockstep::real
