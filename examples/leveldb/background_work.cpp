#include "background_work.hpp"

#include <lockstep/runtime/loop.hpp>
#include <lockstep/runtime/spawn.hpp>
#include <lockstep/runtime/task.hpp>

#include <pthread.h>

#include <condition_variable>
#include <mutex>
#include <utility>

namespace stored {

namespace {

// A wait has no way to be told which of them it is for; the library knows of none.
constinit thread_local background_work* first_of_thread = nullptr;

}  // namespace

struct piece_as_task {
  // Whoever waited may have done it already.
  static lockstep::task<void> run(std::shared_ptr<background_work::pieces> left) {
    background_work::do_oldest_of(*left);
    co_return;
  }
};

background_work::background_work() : next_(std::exchange(first_of_thread, this)) {}

background_work::~background_work() {
  left_->clear();
  background_work** link = &first_of_thread;
  while (*link != this) link = &(*link)->next_;
  *link = next_;
}

// [schedule]
void background_work::schedule(void (*function)(void*), void* argument) {
  left_->push_back({function, argument});
  lockstep::spawn_daemon(piece_as_task::run(left_), "background work");
}
// [/schedule]

bool background_work::do_oldest() { return do_oldest_of(*left_); }

bool background_work::do_oldest_of(pieces& left) {
  if (left.empty()) return false;
  const piece oldest = left.front();
  left.pop_front();
  oldest.function(oldest.argument);
  return true;
}

bool background_work::do_oldest_of_thread() {
  for (background_work* each = first_of_thread; each != nullptr; each = each->next_) {
    if (each->do_oldest()) return true;
  }
  return false;
}

bool background_work::is_used_here() noexcept { return first_of_thread != nullptr; }

}  // namespace stored

// LevelDB calls it by name, so that this one is found before that of the standard library.
// [wait]
void std::condition_variable::wait(std::unique_lock<std::mutex>& held) {
  if (stored::background_work::is_used_here()) {
    held.unlock();
    const bool done = stored::background_work::do_oldest_of_thread();
    held.lock();
    if (done) return;
    const lockstep::detail::context* const here = lockstep::detail::current_context;
    if (here != nullptr && here->running != nullptr) {
      here->owner->misused(
          "a std::condition_variable is waited for on the thread of a test, and no background work is left that could "
          "end the wait: a deadlock");
    }
  }
  pthread_cond_wait(native_handle(), held.mutex()->native_handle());
}
// [/wait]
