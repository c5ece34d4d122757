#include <lockstep/real/worker_threads.hpp>

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <utility>

namespace lockstep::real {

struct worker_threads::desk {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<job> queue;
  std::size_t idle = 0;
  bool over = false;

  void serve();
};

worker_threads::worker_threads(unsigned count, std::string_view name)
    : count_(std::max(count, 1u)), name_(name.substr(0, 15)), desk_(std::make_shared<desk>()) {}

worker_threads::~worker_threads() {
  close();
  for (std::thread& each : threads_) each.join();
}

// Drops what no thread has begun; idle threads end.
void worker_threads::close() noexcept {
  std::deque<job> dropped;
  {
    const std::lock_guard lock(desk_->mutex);
    desk_->over = true;
    dropped.swap(desk_->queue);
  }
  desk_->changed.notify_all();
}

// Each thread ends with the job that it runs.
void worker_threads::leave_jobs() noexcept {
  close();
  for (std::thread& each : threads_) each.detach();
  threads_.clear();
}

void worker_threads::submit(job work) {
  const std::lock_guard lock(desk_->mutex);
  if (desk_->queue.size() >= desk_->idle && threads_.size() < count_) start_one();
  desk_->queue.push_back(std::move(work));
  desk_->changed.notify_one();
}

void worker_threads::start_one() {
  try {
    threads_.emplace_back([at = desk_] { at->serve(); });
  } catch (const std::system_error&) {
    if (threads_.empty()) throw;  // the others will do it
    return;
  }
  if (!name_.empty()) pthread_setname_np(threads_.back().native_handle(), name_.c_str());
}

void worker_threads::desk::serve() {
  std::unique_lock lock(mutex);
  for (;;) {
    ++idle;
    changed.wait(lock, [this] { return over || !queue.empty(); });
    --idle;
    if (queue.empty()) return;
    job next = std::move(queue.front());
    queue.pop_front();
    lock.unlock();
    next();
    lock.lock();
  }
}

std::size_t worker_threads::started() const {
  const std::lock_guard lock(desk_->mutex);
  return threads_.size();
}

}  // namespace lockstep::real
