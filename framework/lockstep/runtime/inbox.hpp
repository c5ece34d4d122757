// Where wake-ups from other threads arrive, and what went wrong there.
//
// Any thread may post; the loop takes it when nothing else is ready. While a wait is marked as being outside the
// simulation (`outside(x)`), the virtual clock holds and an idle loop waits here.
// Objects share its ownership, so that a thread which uses one of them can always tell the loop that it belongs to.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace lockstep {

namespace detail {
class foreign_wait;
}

class inbox {
 public:
  // Something of the run `run` was used elsewhere.
  struct complaint {
    std::uint64_t run;
    std::string message;
  };
  struct mail {
    std::vector<detail::foreign_wait*> done;  // in order of arrival
    std::vector<complaint> complaints;
  };

  // Hands over a wait that has ended. From any thread.
  void post(detail::foreign_wait& done);
  // Takes back what was posted and is not wanted any more.
  void withdraw(detail::foreign_wait& unwanted) noexcept;
  // From any thread.
  void complain(std::uint64_t run, std::string message);

  // Whether there is nothing to take. Takes no lock.
  bool empty() const noexcept { return !arrived_.load(std::memory_order_acquire); }
  // What has arrived since the last call.
  mail take();
  // Blocks this thread until something is there.
  void wait();

  // The number of waits whose wake-up comes from outside. Loop thread only.
  unsigned in_flight = 0;

 private:
  std::mutex mutex_;
  std::condition_variable waiting_;
  std::atomic<bool> arrived_ = false;
  mail mail_;
};

}  // namespace lockstep
