// Keeps what runs print on standard output from appearing, until one of them turns out to matter.
#pragma once

#include <cstdio>

namespace lockstep::detail {

// While it lives, file descriptor 1 leads to a temporary file, whoever writes: stdio, iostreams, or another process.
// If there can be no such file, everything appears at once.
class muted_output {
 public:
  muted_output();
  muted_output(const muted_output&) = delete;
  muted_output& operator=(const muted_output&) = delete;
  // What is kept then never appears.
  ~muted_output();

  // Forgets what was kept so far.
  void forget();
  // Shows what is kept, and mutes no more.
  void show();
  // The same without what stdio still holds. May be called in a signal handler.
  void show_what_was_written() noexcept;

 private:
  void restore() noexcept;

  std::FILE* file_;
  int original_ = -1;  // where the descriptor led; -1 if it does so again
};

}  // namespace lockstep::detail
