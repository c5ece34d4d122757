// The exceptions that the library throws.
#pragma once

#include <lockstep/base/label.hpp>
#include <lockstep/time/clock.hpp>

#include <stdexcept>
#include <string_view>
#include <utility>

namespace lockstep {

// Thrown at an await when the task has been asked to stop. Not a std::exception, so that a handler for errors does
// not swallow it; let it pass, or catch it, clean up and throw it again.
// Source: asyncio.CancelledError.
class cancelled {
 public:
  cancelled() noexcept = default;
  explicit cancelled(label reason) noexcept : reason_(std::move(reason)) {}

  // Why, as given to cancel(); empty if nothing was.
  std::string_view reason() const noexcept { return reason_.view(); }

 private:
  label reason_;
};

// Thrown by with_timeout() when the time was up first.
class timed_out : public std::runtime_error {
 public:
  explicit timed_out(duration limit) : std::runtime_error("timed out after " + to_text(limit)) {}
};

// A mistake in the use of the library: awaiting a task twice, unlocking what one does not hold. In a test it fails
// the test by itself; the exception only stops the code that made the mistake.
class misuse : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

}  // namespace lockstep
