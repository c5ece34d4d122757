// Where wake-ups from other threads arrive.
//
// Any thread may post; the loop takes them when nothing else is ready. While a wait is marked as being outside the
// simulation (`outside(x)`), the virtual clock holds and an idle loop waits here.
#pragma once

#include <lockstep/runtime/operation.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

namespace lockstep {

class inbox {
 public:
  // Hands over an operation to grant. From any thread.
  void post(operation& done);
  // Whether something was posted since the last take().
  bool has_posts() const noexcept { return has_posts_.load(std::memory_order_acquire); }
  // What was posted since the last call, in order of arrival.
  std::vector<operation*> take();
  // Blocks this thread until something was posted.
  void wait();

  // The number of waits whose wake-up comes from outside. Loop thread only.
  unsigned in_flight = 0;

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<operation*> posted_;
  std::atomic<bool> has_posts_ = false;  // so that a loop need not lock to see that nothing has come
};

}  // namespace lockstep
