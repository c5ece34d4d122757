// Ctrl-C, and what a scheduler sends to a job that is to end: what is under way ends early, and what is known is told.
#pragma once

#include <csignal>

namespace lockstep::detail {

inline constexpr int interrupting_signals[] = {SIGINT, SIGTERM};

// While it lives, the first SIGINT or SIGTERM is only noted; a second one ends the process, unless it comes from the
// same process as the first. One that was noted ends the program when all is told, as if it had not been caught:
// whoever has started it then knows that it was not finished. One at a time.
class interruption {
 public:
  interruption();
  interruption(const interruption&) = delete;
  interruption& operator=(const interruption&) = delete;
  ~interruption();

  // Whether one has ever come.
  static bool noted() noexcept;
};

}  // namespace lockstep::detail
