// SIGINT, as asyncio.Runner takes it: the first asks a task to end, the second ends the process.
//
// It is taken only where it would otherwise end the process, on the process's main thread, and by one at a time:
// elsewhere, and where the program has a handler of its own or ignores it, this does nothing.
//
// The handler is async-signal-safe: it writes one byte into a pipe, which the driver watches; the second time, it puts
// the default action back and raises the signal again.
#pragma once

#include <lockstep/real/os_driver.hpp>

#include <csignal>
#include <functional>

namespace lockstep::real {

// Takes the signal for as long as it lives, and then puts back what was there.
class interrupts {
 public:
  // Calls `first` on the loop's thread, between two turns.
  interrupts(os_driver& on, std::function<void()> first);
  interrupts(const interrupts&) = delete;
  interrupts& operator=(const interrupts&) = delete;
  ~interrupts();

  // Whether the signal is taken.
  bool taken() const noexcept { return read_end_ >= 0; }

 private:
  os_driver& on_;
  int read_end_ = -1;
  int write_end_ = -1;
  struct sigaction before_ {};
};

}  // namespace lockstep::real
