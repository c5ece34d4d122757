// latch: tasks wait until so many things have happened, once.
#pragma once

#include <lockstep/sync/mutex.hpp>

#include <cstdint>
#include <utility>

namespace lockstep {

// Counts down from a number to 0, and never up: see barrier for what is used again.
// Requires that no task waits for it when it dies; misuse otherwise. One that was made outside may serve one run after
// another, and begins each as it was made.
// Source: std::latch.
class latch final : public object {
 public:
  // Counts down from `expected`; from 0, nobody ever waits.
  explicit latch(std::uint64_t expected, label name = {})
      : object(std::move(name)), expected_(expected), missing_(expected) {}
  ~latch() { detail::orphan_waiters(waiters_, *this, false); }
  std::string_view noun() const noexcept override { return "latch"; }

  // Counts `by` down; at 0, all that wait become ready, in the order in which they came. Misuse if less than that is
  // missing.
  void count_down(std::uint64_t by = 1, source where = source::current());
  // Whether it has come to 0, so that nobody waits any more.
  bool try_wait() const noexcept {
    touch(access::read);
    return missing_ == 0;
  }

  class waiting;
  // Returns at once if it has come to 0, else when it does. Cancellation ends the wait.
  LOCKSTEP_AWAIT_IT waiting wait(source where = source::current());
  // Counts `by` down and waits. A task that is cancelled before that begins counts nothing; one that is cancelled while
  // it waits has arrived all the same.
  LOCKSTEP_AWAIT_IT waiting arrive_and_wait(std::uint64_t by = 1, source where = source::current());

 private:
  // Requires that so much is missing.
  void lower(std::uint64_t by) noexcept;
  [[noreturn]] void refuse_count(std::uint64_t by, const source& where) const;
  void forget_run() noexcept override { missing_ = expected_; }

  std::uint64_t expected_;
  std::uint64_t missing_;
  wait_list waiters_;
};

class latch::waiting final : public primitive<latch::waiting> {
 public:
  waiting(latch& wanted, std::uint64_t arrives, source where) noexcept
      : primitive(operation_kind::wait_latch, wanted), arrives_(arrives), where_(where) {}

  void touch_what() const noexcept { what()->touch(arrives_ != 0 ? access::write : access::read); }
  bool try_now() noexcept {
    latch& of = subject<latch>();
    if (arrives_ > of.missing_) return true;
    of.lower(std::exchange(arrives_, 0));
    return of.missing_ == 0;
  }
  void enqueue() noexcept override { subject<latch>().waiters_.push_back(*this); }
  void withdraw() noexcept override { unlink(); }
  // Misuse if it would arrive more often than is missing.
  void result() const {
    if (arrives_ != 0) [[unlikely]]
      subject<latch>().refuse_count(arrives_, where_);
  }

 private:
  std::uint64_t arrives_;
  source where_;
};

inline latch::waiting latch::wait(source where) {
  enter("was waited for", where);
  return waiting(*this, 0, where);
}

inline latch::waiting latch::arrive_and_wait(std::uint64_t by, source where) {
  enter("was arrived at", where);
  return waiting(*this, by, where);
}

}  // namespace lockstep
