// Runs a coroutine test: as often as its options say, each time in a new world with a new fixture, and reports once.
#pragma once

#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/task.hpp>
#include <lockstep/testing/options.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace lockstep::detail {

// One instance of a fixture with the body of a test.
class test_instance {
 public:
  test_instance() = default;
  test_instance(const test_instance&) = delete;
  test_instance& operator=(const test_instance&) = delete;
  virtual ~test_instance() = default;

  // Set-up, body and tear-down.
  virtual task<void> run_all() = 0;
  // Tear-down alone, for a run that could not go on; plain functions only.
  virtual void tear_down_after_failure() = 0;

  // Whether the run has failed fatally so far, or was skipped. Set by the runner.
  std::function<bool()> run_ends_early;
  // What disturbs the body of the test; null for nothing. Set by the runner.
  disturbance* disturbs = nullptr;

  // The part that threw what left run_all(), such as "SetUp()"; empty for the body.
  const std::string& failed_in() const noexcept { return failed_in_; }
  // What parts after that one threw, a sentence each.
  const std::vector<std::string>& later_failures() const noexcept { return later_failures_; }

 protected:
  void enter(const char* part) { part_ = part; }
  // For a handler: keeps the exception under way as the run's failure, if there is none yet.
  void keep(std::exception_ptr& failure);

 private:
  std::string part_;
  std::string failed_in_;
  std::vector<std::string> later_failures_;
};

// While it lives, the body of a test runs.
class body_scope {
 public:
  explicit body_scope(disturbance* by) : by_(by) {
    if (by_ != nullptr) by_->begin();
  }
  body_scope(const body_scope&) = delete;
  body_scope& operator=(const body_scope&) = delete;
  ~body_scope() {
    if (by_ != nullptr) by_->end();
  }

 private:
  disturbance* by_;
};

struct test_plan {
  options of_fixture;
  options of_test;
  std::function<std::unique_ptr<test_instance>()> make;
};

// Makes our flags be read when GoogleTest has read its own, so that a wrong one is told before any test runs. May be
// called more than once, before main().
void read_flags_with_googletest();

// Runs the test that GoogleTest runs now, and reports to it.
void run_test(const test_plan& plan);

// The same for a test that makes one run of another: that of the token, of the test with the full name `of`. Fails as
// well if an override of the token cannot be made any more; other steps than the token's are no failure.
void run_replay(const test_plan& plan, const std::string& of, const std::string& token_text);

}  // namespace lockstep::detail
