// The one thread beside the loop's: it watches in real time whether the step counter moves.
#pragma once

#include <lockstep/time/clock.hpp>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <thread>

namespace lockstep {
class loop;
}

namespace lockstep::detail {

class crash_notice;

// Watches the runs of one test, each for as long as its `watched_run` lives. A step that takes `slow` of real time
// makes the loop report it at its next await; one that takes `stuck`, if that is not 0, ends the process, and so does a
// loop that waits for the outside for so long.
class watcher {
 public:
  // `limit` says what `stuck` is.
  watcher(loop& watched, duration slow, duration stuck, std::string_view limit = "real_time_max");
  watcher(const watcher&) = delete;
  watcher& operator=(const watcher&) = delete;
  ~watcher();

 private:
  friend class watched_run;

  void watch();

  loop& watched_;
  duration slow_;
  duration stuck_;
  std::string_view limit_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::uint64_t runs_ = 0;          // begun so far
  crash_notice* notice_ = nullptr;  // of the run under way; null between runs
  std::thread thread_;
};

// From when the loop was started until its run has ended. A stuck step ends the process by way of `notice`.
class watched_run {
 public:
  watched_run(watcher& by, crash_notice& notice);
  watched_run(const watched_run&) = delete;
  watched_run& operator=(const watched_run&) = delete;
  ~watched_run();

 private:
  watcher& by_;
};

}  // namespace lockstep::detail
