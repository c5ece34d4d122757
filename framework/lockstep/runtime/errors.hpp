// The exceptions that the library throws.
#pragma once

#include <lockstep/base/label.hpp>
#include <lockstep/time/clock.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
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
// the test by itself; the exception only stops the code that made the mistake. Where no run could be told, as on
// a thread without a loop, it is an exception like any other.
class misuse : public std::logic_error {
 public:
  using std::logic_error::logic_error;
  // For the library: a verdict of that run tells of it.
  misuse(const std::string& text, std::uint64_t run) : std::logic_error(text), run_(run) {}

  std::uint64_t run() const noexcept { return run_; }

 private:
  std::uint64_t run_ = 0;
};

}  // namespace lockstep
