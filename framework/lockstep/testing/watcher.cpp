#include <lockstep/testing/watcher.hpp>

#include <lockstep/runtime/loop.hpp>
#include <lockstep/testing/crash.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace lockstep::detail {

watcher::watcher(loop& watched, duration slow, duration stuck, std::string_view limit)
    : watched_(watched), slow_(slow), stuck_(stuck), limit_(limit), thread_([this] { watch(); }) {}

watcher::~watcher() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  ended_.notify_one();
  thread_.join();
}

// Holds the lock but while it waits, so that what it asks for reaches the run that it has looked at.
void watcher::watch() {
  using steady = std::chrono::steady_clock;
  std::uint64_t run = 0;
  std::uint64_t seen = 0;
  steady::time_point since;
  steady::time_point busy_since;  // the same, or when it was last seen to rest
  bool told = false;
  std::unique_lock lock(mutex_);
  const auto tick = std::clamp<duration>(slow_ / 4, std::chrono::milliseconds(1), std::chrono::milliseconds(100));
  while (!ended_.wait_for(lock, tick, [this] { return over_; })) {
    if (notice_ == nullptr) continue;
    const std::uint64_t steps = watched_.steps();
    const auto now = steady::now();
    if (run != runs_ || steps != seen) {
      run = runs_;
      seen = steps;
      since = busy_since = now;
      told = false;
      continue;
    }
    const bool resting = watched_.resting();
    if (resting) busy_since = now;
    if (!told && now - busy_since >= slow_) {
      watched_.request(loop::attention_slow);
      told = true;
    }
    if (stuck_.count() != 0 && now - since >= stuck_) {
      notice_->end_stuck_process(fmt::format("\nlockstep: {} after {} of real time ({})",
                                             resting ? "nothing has happened" : "a step has not ended", to_text(stuck_),
                                             limit_));
    }
  }
}

watched_run::watched_run(watcher& by, crash_notice& notice) : by_(by) {
  const std::lock_guard lock(by_.mutex_);
  ++by_.runs_;
  by_.notice_ = &notice;
}

watched_run::~watched_run() {
  const std::lock_guard lock(by_.mutex_);
  by_.notice_ = nullptr;
}

}  // namespace lockstep::detail
