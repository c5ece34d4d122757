// Keeps the failures of a run instead of reporting them, so that a run can be repeated and reported once.
#pragma once

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace lockstep::detail {

struct failure_part {
  testing::TestPartResult::Type type;
  std::string file;  // empty if unknown: then it is the test's line
  int line;
  std::string message;

  bool failed_fatally() const noexcept { return type == testing::TestPartResult::kFatalFailure; }
  bool failed() const noexcept { return failed_fatally() || type == testing::TestPartResult::kNonFatalFailure; }
  bool skipped() const noexcept { return type == testing::TestPartResult::kSkip; }
};

// While it lives, GoogleTest's results come here, whatever thread they are of. Each is given the name of the task that
// caused it, its asynchronous stack, and its CO_SCOPED_TRACEs. May be used on any thread.
class failure_interceptor final : public testing::ScopedFakeTestPartResultReporter {
 public:
  failure_interceptor();

  void ReportTestPartResult(const testing::TestPartResult& result) override;

  // Has it told of each failure from now on, on the failure's thread, which holds GoogleTest's lock; nobody if null.
  void tell(std::function<void(const failure_part&)> listener);

  void add(failure_part part);
  std::vector<failure_part> parts() const;
  bool failed() const;
  bool failed_fatally() const;
  bool skipped() const;

 private:
  testing::TestPartResultArray unused_;
  const std::thread::id thread_ = std::this_thread::get_id();
  mutable std::mutex mutex_;  // for what follows
  std::function<void(const failure_part&)> listener_;
  std::vector<failure_part> parts_;
};

// Reports it to GoogleTest, in UTF-8. Requires that a test runs.
void publish(const failure_part& part);

}  // namespace lockstep::detail
