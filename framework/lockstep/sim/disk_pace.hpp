// How long a disk takes for what it is asked for, on virtual time. At first it takes no time.
//
// Who awaits a call, waits until the disk is done with it: one after the other, as far as the disk has limits, and all
// at once otherwise. See file_calls::disk_time for who that is.
// What is written is in memory first: its bytes come to the disk with a sync, with O_DIRECT, or when the page cache is
// full, and it is then that they take their time.
#pragma once

#include <lockstep/time/clock.hpp>

#include <algorithm>
#include <cstdint>

namespace lockstep::sim {

struct disk_pace {
  // Of one call, whatever else goes on.
  duration read{};
  duration write{};
  duration sync{};
  duration names{};  // of one that opens, looks at or changes names
  // What the disk can do; 0 for anything.
  std::uint64_t bytes_per_second = 0;
  std::uint64_t calls_per_second = 0;
  // It does nothing for so long, each time so much has passed since the run began; 0 for never.
  duration stall{};
  duration stall_every{};
};

class disk_clock {
 public:
  explicit disk_clock(const disk_pace& pace) noexcept : pace_(pace) {}

  const disk_pace& pace() const noexcept { return pace_; }

  // A call of so many bytes, for which the disk takes `latency` besides, is made at `now`.
  void call(time_point now, duration latency, std::uint64_t bytes) noexcept {
    constexpr std::uint64_t second = 1'000'000'000;
    duration busy{};
    if (pace_.bytes_per_second != 0)
      busy += duration(static_cast<std::int64_t>(bytes * second / pace_.bytes_per_second));
    if (pace_.calls_per_second != 0) busy += duration(static_cast<std::int64_t>(second / pace_.calls_per_second));
    time_point begin = std::max(now, free_);
    if (pace_.stall_every > duration::zero()) {
      const duration since = begin.time_since_epoch() % pace_.stall_every;
      const bool after_one = begin.time_since_epoch() >= pace_.stall_every;
      if (after_one && since < pace_.stall) begin += pace_.stall - since;
    }
    free_ = begin + busy;
    done_ = std::max(done_, free_ + latency);
  }
  // It takes so much longer.
  void delay(time_point now, duration by) noexcept { done_ = std::max(done_, now) + by; }
  // For how long whoever made the calls is to wait; once.
  duration take(time_point now) noexcept {
    const duration left = done_ > now ? done_ - now : duration::zero();
    done_ = {};
    return left;
  }

 private:
  disk_pace pace_;
  time_point free_{};
  time_point done_{};
};

}  // namespace lockstep::sim
