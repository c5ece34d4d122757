#include "child.hpp"

#include <lockstep/testing/failures.hpp>
#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>

namespace lockstep::detail {
namespace {

using testing::HasSubstr;

TEST(FailuresTest, AreKeptInsteadOfReported) {
  const failure_interceptor failures;
  EXPECT_FALSE(failures.failed());
  EXPECT_EQ(1, 2) << "kept";
  ASSERT_EQ(failures.parts().size(), 1u);
  EXPECT_EQ(failures.parts()[0].type, testing::TestPartResult::kNonFatalFailure);
  EXPECT_THAT(failures.parts()[0].message, HasSubstr("kept"));
  EXPECT_THAT(failures.parts()[0].file, HasSubstr("failures_test.cpp"));
  EXPECT_TRUE(failures.failed());
  EXPECT_FALSE(failures.failed_fatally());
}

TEST(FailuresTest, TellFatalOnesAndSkipsApart) {
  failure_interceptor failures;
  [] { GTEST_FAIL(); }();
  EXPECT_TRUE(failures.failed_fatally());
  EXPECT_FALSE(failures.skipped());
  failures.add({testing::TestPartResult::kSkip, "", 0, "no network"});
  EXPECT_TRUE(failures.skipped());
}

TEST(FailuresTest, ASuccessIsNoFailure) {
  const failure_interceptor failures;
  SUCCEED();
  EXPECT_FALSE(failures.failed());
}

TEST(FailuresTest, PublishedWithoutAPlaceTheyAreOfTheTestsLine) {
  const failure_interceptor failures;
  publish({testing::TestPartResult::kNonFatalFailure, "", 0, "somewhere"});
  const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
  ASSERT_EQ(failures.parts().size(), 1u);
  EXPECT_EQ(failures.parts()[0].file, test.file());
  EXPECT_EQ(failures.parts()[0].line, test.line());
}

TEST(FailuresTest, ArePublishedInUtf8) {
  const failure_interceptor failures;
  publish({testing::TestPartResult::kNonFatalFailure, "", 0, "page \xFF"});
  EXPECT_THAT(failures.parts().front().message, testing::StartsWith("page \\xff"));
}

TEST(FailuresTest, NameTheTaskAndItsCallers) { expect_approved_report("Expect.NamesTheTaskAndItsCallers"); }

TEST(FailuresTest, ShowTheTracesOfTheirTaskOnly) { expect_approved_report("Expect.ShowsTheTracesOfItsTaskOnly"); }

TEST(FailuresTest, WithoutAFileTheyAreOfTheTestsLine) { expect_approved_report("Expect.NamesNoFile"); }

TEST(FailuresTest, OnAnotherThreadTheyAreOfTheRun) { expect_approved_report("Expect.FailsOnAnotherThreadInALaterRun"); }

TEST(FailuresTest, OfThreadsAtTheSameTimeAreAllKept) {
  const child_run run = run_subject("--gtest_filter=Expect.FailsOnManyThreads");
  EXPECT_EQ(run.end, "exit status 1\n");
  EXPECT_EQ(count_of("once\n", run.text), 3) << run.text;
  EXPECT_EQ(count_of("on another thread\n", run.text), 2) << run.text;
  EXPECT_EQ(count_of("repeat: ", run.text), 1) << run.text;
}

}  // namespace
}  // namespace lockstep::detail
