// Keeps the failures of a run instead of reporting them, so that a run can be repeated and reported once.
#pragma once

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
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

// While it lives, GoogleTest's results on this thread come here. Each is given the name of the task that caused it,
// its asynchronous stack, and its CO_SCOPED_TRACEs.
class failure_interceptor final : public testing::ScopedFakeTestPartResultReporter {
 public:
  failure_interceptor();

  void ReportTestPartResult(const testing::TestPartResult& result) override;

  // Told of each failure when it is reported.
  std::function<void(const failure_part&)> on_failure;

  void add(failure_part part) { parts_.push_back(std::move(part)); }
  const std::vector<failure_part>& parts() const noexcept { return parts_; }
  bool failed() const noexcept;
  bool failed_fatally() const noexcept;
  bool skipped() const noexcept;

 private:
  testing::TestPartResultArray unused_;
  std::vector<failure_part> parts_;
};

// Reports it to GoogleTest. Requires that a test runs.
void publish(const failure_part& part);

}  // namespace lockstep::detail
