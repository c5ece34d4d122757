// Measures a stretch of work in processor time of this process, which neighbours on the machine disturb least, and in
// real time.
#pragma once

#include "workload.hpp"

#include <cstdint>
#include <ctime>

namespace bench {

class stopwatch {
 public:
  stopwatch() noexcept { restart(); }

  void restart() noexcept {
    wall_ns_ = now(CLOCK_MONOTONIC);
    cpu_ns_ = now(CLOCK_PROCESS_CPUTIME_ID);
  }
  // The time since the last restart, in which `operations` were done.
  measurement read(std::uint64_t operations) const noexcept {
    measurement result;
    result.cpu_ns = now(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns_;
    result.wall_ns = now(CLOCK_MONOTONIC) - wall_ns_;
    result.operations = operations;
    return result;
  }

 private:
  static double now(clockid_t clock) noexcept {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
  }

  double cpu_ns_ = 0;
  double wall_ns_ = 0;
};

}  // namespace bench
