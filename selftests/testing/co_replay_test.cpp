#include <lockstep/testing/co_replay.hpp>

#include "child.hpp"

#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>

#include <string>

namespace lockstep {
namespace {

using testing::HasSubstr;
using testing::Not;

// -- tests that pass, replayed ----------------------------------------------------------------------------------------

class Tills : public testing::Test {
 public:
  static options lockstep_options() { return {.time_max = std::chrono::hours(1)}; }

 protected:
  int balance_ = 100;
};

task<void> withdraw(int& balance, mutex& door, int amount) {
  auto entry = co_await door.lock();
  if (balance < amount) co_return;
  co_await yield();
  balance -= amount;
}

CO_TEST_F(Tills, StandTheOrderThatFailedOnce) {
  mutex door;
  auto one = spawn(withdraw(balance_, door, 80));
  auto other = spawn(withdraw(balance_, door, 80));
  co_await one.join();
  co_await other.join();
  EXPECT_EQ(balance_, 20);
}
CO_REPLAY(Tills, StandTheOrderThatFailedOnce, "ls1:89e7:plain:1@1>2:;");
// Its run had other steps, which is no failure.
CO_REPLAY(Tills, StandTheOrderThatFailedOnce, "ls1:89e7:plain:1@1>2:3.123.abcd;");

TEST(CoReplayTest, RegistersATestOfItsOwnForEachToken) {
  const testing::TestSuite* found = nullptr;
  for (int i = 0; i < testing::UnitTest::GetInstance()->total_test_suite_count(); ++i) {
    const testing::TestSuite* each = testing::UnitTest::GetInstance()->GetTestSuite(i);
    if (std::string(each->name()) == "Tills") found = each;
  }
  ASSERT_NE(found, nullptr);
  ASSERT_EQ(found->total_test_count(), 3);
  const std::string replay = found->GetTestInfo(1)->name();
  EXPECT_THAT(replay, testing::MatchesRegex("StandTheOrderThatFailedOnce_replay_[0-9a-f]{4}"));
  EXPECT_NE(replay, found->GetTestInfo(2)->name());
}

// -- tests that fail --------------------------------------------------------------------------------------------------

std::string report_on(const std::string& test) {
  return report_of(run_subject("--gtest_filter=" + test + "_replay_*"));
}

TEST(CoReplayTest, FailsAsTheRunDoes) {
  const std::string report = report_on("Replayed.Overdraws");
  EXPECT_EQ(count_of("Failure\n", report), 1) << report;
  EXPECT_THAT(report, HasSubstr("balance"));
  // The line repeats the test itself.
  EXPECT_THAT(report, HasSubstr(" --gtest_filter=Replayed.Overdraws\n"));
  EXPECT_EQ(report_of(run_subject("--gtest_filter=Replayed.Overdraws")).find("Failure"), std::string::npos);
}

TEST(CoReplayTest, TheLineThatItPrintsRepeatsTheRun) {
  const std::string report = report_on("Replayed.Overdraws");
  const std::size_t at = report.find("repeat: ") + std::string("repeat: ").size();
  const child_run again = run_command(report.substr(at, report.find('\n', at) - at));
  EXPECT_EQ(again.end, "exit status 1\n");
  EXPECT_THAT(again.text, HasSubstr(", as in the token's run"));
}

TEST(CoReplayTest, SaysThatAStepNeverComesUp) {
  const std::string report = report_on("Replayed.HasNoSuchStep");
  EXPECT_THAT(report, HasSubstr("replays.cpp:"));
  EXPECT_THAT(report, HasSubstr("the token no longer applies: step 7 of task 1 never comes up beside another task; if "
                                "that order cannot happen any more, remove the CO_REPLAY; otherwise explore again and "
                                "replace the token\n"));
}

TEST(CoReplayTest, SaysThatATaskIsNotReady) {
  EXPECT_THAT(report_on("Replayed.HasNoSuchTask"),
              HasSubstr("the token no longer applies: at choice 2 the task that should run instead is not ready; if"));
}

TEST(CoReplayTest, SaysThatAStepIsAnotherByNow) {
  EXPECT_THAT(report_on("Replayed.YieldsBeforeTheStep"),
              HasSubstr("Failure\nthe token no longer applies: step 2 of task 1 was \"mutex\" then, and "
                        "is \"yield\" now; if"));
  EXPECT_THAT(report_on("Replayed.YieldsBeforeTheCrash"),
              HasSubstr("Failure\nthe token no longer applies: step 2 of task 1 was \"mutex\" then, and "
                        "is \"yield\" now; if"));
  EXPECT_THAT(report_on("Replayed.HasAnotherDoorBefore"),
              HasSubstr("the token no longer applies: step 2 of task 1, \"mutex\", is about another object now; if"));
  EXPECT_EQ(report_on("Replayed.SleepsBeforeThat").find("Failure"), std::string::npos);
}

TEST(CoReplayTest, SaysThatATokenWithoutDigitsIsNotCompared) {
  const std::string says = "the token has no digits for its overrides of tasks, so nothing notices if these apply to";
  EXPECT_THAT(run_subject("--gtest_filter=Replayed.Overdraws_replay_*").text,
              HasSubstr("replayed Replayed.Overdraws: " + says));
  EXPECT_THAT(run_subject("--gtest_filter=Replayed.SleepsBeforeThat_replay_*").text, Not(HasSubstr(says)));
  EXPECT_THAT(run_subject("--gtest_filter=Replayed.HasNoSuchValue_replay_*").text, Not(HasSubstr(says)));
}

TEST(CoReplayTest, SaysThatAValueIsNotAskedFor) {
  EXPECT_THAT(report_on("Replayed.HasNoSuchValue"),
              HasSubstr("the token no longer applies: the question amount#2 never comes up; if"));
}

TEST(CoReplayTest, SaysThatARunCannotBeDisturbedThere) {
  EXPECT_THAT(report_on("Replayed.HasNoSuchMoment"),
              HasSubstr("the token no longer applies: it comes to 2 moments at which it could be disturbed, not to "
                        "number 99; if"));
}

// What fails is what matters; that the token does not apply follows from it.
TEST(CoReplayTest, SaysNothingOfTheTokenWhereTheRunFails) {
  const std::string report = report_on("Replayed.FailsBeforeTheStep");
  EXPECT_EQ(count_of("Failure\n", report), 1) << report;
  EXPECT_THAT(report, Not(HasSubstr("no longer applies")));
}

TEST(CoReplayTest, RefusesADamagedTokenAndThatOfAnotherTest) {
  EXPECT_THAT(report_on("Replayed.HasADamagedToken"),
              HasSubstr("replay refused: the token \"ls1:1234:plain:\" was cut"));
  EXPECT_THAT(report_on("Replayed.HasATokenOfAnotherTest"),
              HasSubstr("replay refused: the token \"ls1:0000:plain::;\" is of another test (0000; this is "
                        "Replayed.HasATokenOfAnotherTest, "));
}

TEST(CoReplayTest, LeavesTheFlagForReplaysToTheTestItself) {
  const child_run run =
      run_subject("--gtest_filter=Replayed.HasNoSuchTask_replay_*", "LOCKSTEP_REPLAY='ls1:0000:plain::;'");
  EXPECT_THAT(run.text, HasSubstr("the token no longer applies"));
}

}  // namespace
}  // namespace lockstep
