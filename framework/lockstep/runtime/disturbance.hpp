// What is done to a run on purpose, once, to see whether the code stands it: its task is cancelled, an allocation
// fails, or the world is torn down.
//
// Where it can be done are the moments of the run, which count from 1. Run by run, a sweep disturbs each of them.
//   cancel      an await of the task under test: when it comes to it, while it waits, and just before it goes on
//   fail_alloc  an allocation in a step of the task under test, or of one that it spawned, directly or not
//   destroy     an await of any task when it comes to it, and the end of a step
// Those before begin() and after end() do not count.
#pragma once

#include <lockstep/choice/identity.hpp>
#include <lockstep/runtime/context.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace lockstep {

class operation;

enum class disturbance_kind : std::uint8_t { cancel, fail_alloc, destroy };
inline constexpr disturbance_kind all_disturbances[] = {disturbance_kind::cancel, disturbance_kind::fail_alloc,
                                                        disturbance_kind::destroy};

// "cancel", "fail_alloc", "destroy".
std::string_view name_of(disturbance_kind kind) noexcept;

// Of one run, which it must outlive: loop::disturb() takes it.
class disturbance {
 public:
  // Disturbs the `at`-th moment; with 0 it only counts them.
  // If the run is to name its task under test, moments before that do not count.
  disturbance(disturbance_kind kind, std::uint64_t at, bool run_names_task = false) noexcept
      : kind_(kind), at_(at), waits_for_name_(run_names_task) {}
  disturbance(const disturbance&) = delete;
  disturbance& operator=(const disturbance&) = delete;

  disturbance_kind kind() const noexcept { return kind_; }
  // How many have been so far.
  std::uint64_t moments() const noexcept { return moments_; }
  // Whether the run has named its task under test.
  bool named() const noexcept { return named_; }
  // `task "reader" was cancelled at its 3rd suspension, conn.cpp:77, while it waited (mutex "tx")`; empty if nothing
  // was done so far.
  const std::string& done() const noexcept { return done_; }
  // Whether that may be where an exception comes from: `cancelled`, std::bad_alloc, a group of nothing else, or one
  // that has it nested.
  bool explains(const std::exception_ptr& thrown) const noexcept;

  // The running task is under test from here on, unless the run names another.
  void begin();
  // No more is done. Takes back a request to cancel the running task that it has made.
  void end() noexcept;
  // `who` is under test from here on.
  void name(agent& who) noexcept;

 private:
  friend class loop;
  friend bool allocation_fails() noexcept;

  bool is_under_test(const agent& who) const noexcept;
  bool descends(const agent* who) const noexcept;
  bool is_due() noexcept;
  void cancel(agent& who, std::string_view when);
  void destroy(const agent& who);
  // What the loop tells.
  void comes_to(agent& who, const operation& op);
  void before_step(agent& who);
  void after_step(agent& who);
  bool lets_fail(const agent& who) const noexcept;  // its allocations
  bool allocates() noexcept;

  disturbance_kind kind_;
  std::uint64_t at_;
  bool waits_for_name_;
  bool named_ = false;
  bool begun_ = false;
  loop* in_ = nullptr;
  identity under_test_ = 0;
  std::uint64_t moments_ = 0;
  std::uint64_t awaits_ = 0;  // of the task under test, to which it has come
  std::string done_;
};

// While it lives, allocations on this thread succeed and are not counted: those of a report, or of a double that the
// code under test would not have.
class [[nodiscard]] sparing_allocations {
 public:
  sparing_allocations() noexcept : of_(detail::current_context) {
    if (of_ == nullptr) return;
    fails_ = of_->fails;
    of_->fails = nullptr;
  }
  sparing_allocations(const sparing_allocations&) = delete;
  sparing_allocations& operator=(const sparing_allocations&) = delete;
  ~sparing_allocations() {
    if (of_ != nullptr) of_->fails = fails_;
  }

 private:
  detail::context* of_;
  disturbance* fails_ = nullptr;
};

// For replaced allocation functions: whether this allocation is to fail.
bool allocation_fails() noexcept;

}  // namespace lockstep
