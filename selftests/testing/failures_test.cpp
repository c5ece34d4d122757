#include "child.hpp"

#include <lockstep/testing/failures.hpp>
#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace lockstep::detail {
namespace {

using testing::HasSubstr;

// What an interceptor has kept when `work` ends. What is expected of that must come afterwards: while the interceptor
// lives, it keeps the failures of expectations too.
struct kept {
  std::vector<failure_part> parts;
  bool failed = false;
  bool failed_fatally = false;
  bool skipped = false;
};
template <class F>
kept kept_of(F work) {
  failure_interceptor failures;
  work(failures);
  return {failures.parts(), failures.failed(), failures.failed_fatally(), failures.skipped()};
}

const failure_part skip{testing::TestPartResult::kSkip, "", 0, "no network"};

TEST(FailuresTest, AreKeptInsteadOfReported) {
  const kept found = kept_of([](auto&) { EXPECT_EQ(1, 2) << "kept"; });
  ASSERT_EQ(found.parts.size(), 1u);
  EXPECT_EQ(found.parts[0].type, testing::TestPartResult::kNonFatalFailure);
  EXPECT_THAT(found.parts[0].message, HasSubstr("kept"));
  EXPECT_THAT(found.parts[0].file, HasSubstr("failures_test.cpp"));
  EXPECT_TRUE(found.failed);
  EXPECT_FALSE(found.failed_fatally);
}

TEST(FailuresTest, TellFatalOnesAndSkipsApart) {
  const kept fatal = kept_of([](auto&) { GTEST_FAIL(); });
  EXPECT_TRUE(fatal.failed_fatally);
  EXPECT_FALSE(fatal.skipped);
  const kept skipped = kept_of([](auto& failures) { failures.add(skip); });
  EXPECT_TRUE(skipped.skipped);
  EXPECT_FALSE(skipped.failed);
}

TEST(FailuresTest, ASuccessIsNoFailure) {
  const kept found = kept_of([](auto&) { SUCCEED(); });
  EXPECT_FALSE(found.failed);
}

TEST(FailuresTest, AndNothingElseAreToldOf) {
  std::string told;
  kept_of([&](auto& failures) {
    failures.tell([&](const failure_part& part) { told += part.message; });
    SUCCEED();
    failures.ReportTestPartResult({skip.type, nullptr, -1, skip.message.c_str()});
    ADD_FAILURE() << "disk full";
    failures.tell(nullptr);
    ADD_FAILURE() << "no memory";
  });
  EXPECT_EQ(told, "Failed\ndisk full");
}

task<void> fail_at_a_known_line();

TEST(FailuresTest, AreNotedWithTheirStepWhereTheRunIsKept) {
  std::vector<trace_note> notes;
  kept_of([&](auto&) {
    sim::world world;
    sim::world_options how;
    how.keep_trace = true;
    world.start(how);
    world.drive(fail_at_a_known_line());
    notes = world.loop().history().notes();
    world.finish();
  });
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes[0].record, 2u);
  EXPECT_EQ(notes[0].subject + ' ' + notes[0].text, "failed at disk.cpp:40");
}

TEST(FailuresTest, PublishedWithoutAPlaceTheyAreOfTheTestsLine) {
  const kept found = kept_of([](auto&) { publish({testing::TestPartResult::kNonFatalFailure, "", 0, "somewhere"}); });
  const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
  ASSERT_EQ(found.parts.size(), 1u);
  EXPECT_EQ(found.parts[0].file, test.file());
  EXPECT_EQ(found.parts[0].line, test.line());
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

#line 38 "/src/disk.cpp"
task<void> fail_at_a_known_line() {
  co_await yield();
  ADD_FAILURE() << "disk full";
}

}  // namespace
}  // namespace lockstep::detail
