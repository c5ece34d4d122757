// The one thread beside the loop's: it watches in real time whether the step counter moves.
#pragma once

#include <lockstep/time/clock.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace lockstep {
class loop;
}

namespace lockstep::detail {

class crash_notice;

// Watches one run. A step that takes `slow` of real time makes the loop report it at its next await; one that takes
// `stuck`, if that is not 0, ends the process by way of `notice`.
class watcher {
 public:
  watcher(loop& watched, crash_notice& notice, duration slow, duration stuck);
  watcher(const watcher&) = delete;
  watcher& operator=(const watcher&) = delete;
  ~watcher();

 private:
  void watch();

  loop& watched_;
  crash_notice& notice_;
  duration slow_;
  duration stuck_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace lockstep::detail
