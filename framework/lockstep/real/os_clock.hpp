// The machine's steady clock, as the time of a run: integer nanoseconds from its start, never back.
//
// It may be faster than the machine's by a whole factor, so that a program of hours runs for real in seconds; and it
// can be held, for a run whose clock is paused.
// Threads: one.
#pragma once

#include <lockstep/time/clock.hpp>

#include <chrono>
#include <cstdint>

namespace lockstep::real {

class os_clock {
 public:
  using machine = std::chrono::steady_clock;

  // It shows 0 now. `scale` is how many times faster than the machine's it is; at least 1.
  explicit os_clock(std::uint32_t scale = 1) noexcept;

  // What it shows now.
  time_point read() noexcept;
  // What has passed since it was read last does not count: it shows what it showed then.
  time_point hold() noexcept;
  // What the machine's clock showed then.
  machine::time_point read_at() const noexcept { return read_at_; }
  // When the machine's clock will show what makes this one show `at`, or a little later; the end of its time for what
  // never comes.
  machine::time_point when(time_point at) const noexcept;

 private:
  std::uint32_t scale_;
  machine::time_point read_at_;
  time_point shown_{};
};

}  // namespace lockstep::real
