// One line on the terminal that tells how far a search has come, written anew in its place.
#pragma once

#include <lockstep/explore/explorer.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace lockstep::detail {

// Nobody waits in front of a log: nothing appears where standard error is no terminal, or CI, NO_COLOR or a dumb TERM
// is set. Gone when this is.
class progress_line {
 public:
  progress_line();
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;
  ~progress_line() { clear(); }

  // At most about four times a second.
  void show(const std::string& text);
  void clear();

 private:
  bool shown_ = false;
  bool wanted_;
  std::chrono::steady_clock::time_point due_ = {};
};

// "12,000 runs (41,000/s), 8,314 distinct, 40 pairs; samples, 37 % of the budget". `seconds` is how long it has been
// searched, `seconds_max` how long that may take; negative if there is no such limit.
std::string progress_text(const exploration_progress& now, std::uint64_t runs_max, double seconds, double seconds_max);

}  // namespace lockstep::detail
