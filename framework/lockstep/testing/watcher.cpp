#include <lockstep/testing/watcher.hpp>

#include <lockstep/runtime/loop.hpp>
#include <lockstep/testing/crash.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace lockstep::detail {

watcher::watcher(loop& watched, crash_notice& notice, duration slow, duration stuck)
    : watched_(watched), notice_(notice), slow_(slow), stuck_(stuck), thread_([this] { watch(); }) {}

watcher::~watcher() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  ended_.notify_one();
  thread_.join();
}

void watcher::watch() {
  using real = std::chrono::steady_clock;
  std::uint64_t seen = watched_.history().pulse();
  real::time_point since = real::now();
  bool told = false;
  std::unique_lock lock(mutex_);
  const auto tick = std::clamp<duration>(slow_ / 4, std::chrono::milliseconds(1), std::chrono::milliseconds(100));
  while (!ended_.wait_for(lock, tick, [this] { return over_; })) {
    const std::uint64_t steps = watched_.history().pulse();
    const auto now = real::now();
    if (steps != seen) {
      seen = steps;
      since = now;
      told = false;
      continue;
    }
    if (!told && now - since >= slow_) {
      watched_.request(loop::attention_slow);
      told = true;
    }
    if (stuck_.count() != 0 && now - since >= stuck_) {
      notice_.end_stuck_process(fmt::format("\nlockstep: step {} has not ended after {} of real time (real_time_max)",
                                            steps, to_text(stuck_)));
    }
  }
}

}  // namespace lockstep::detail
