#include "child.hpp"

#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

// What stands behind `word` up to the end of its line.
std::string behind(const std::string& word, const std::string& text) {
  const std::size_t at = text.find(word);
  if (at == std::string::npos) return "no \"" + word + "\" in: " + text;
  const std::size_t begin = at + word.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

const std::string lost = "--gtest_filter=Replay.LosesAnUpdateInSomeOrders ";

// -- several runs -----------------------------------------------------------------------------------------------------

TEST(RunnerTest, RepeatsWithDerivedSeedsUntilTheFirstFailure) {
  const std::string report = run_subject(lost).text;
  EXPECT_THAT(report, HasSubstr("in run 3 of 100\nrepeat: LOCKSTEP_REPLAY='ls1:ddd5:random-"));
  // Once, however often it ran.
  EXPECT_EQ(report.find("hits.value"), report.rfind("hits.value"));
  expect_approved("Replay.LosesAnUpdateInSomeOrders", report_of(run_subject(lost)));
}

TEST(RunnerTest, DrawsOtherValuesInEachRunAndTheSameInEachProcess) {
  const std::string first = report_of(run_subject("--gtest_filter=Layers.OfTheTest"));
  EXPECT_EQ(report_of(run_subject("--gtest_filter=Layers.OfTheTest")), first);
  EXPECT_NE(report_of(run_subject("--gtest_filter=Layers.OfTheTest", "LOCKSTEP_SEED=2")), first);
  EXPECT_NE(behind("run 1 draws ", first), behind("run 2 draws ", first));
  EXPECT_NE(behind("run 2 draws ", first), behind("run 3 draws ", first));
}

TEST(RunnerTest, PlainRunsAreAllTheSame) {
  const std::string report = report_of(run_subject("--gtest_filter=Layers.OfTheTestThatChoosesPlain"));
  EXPECT_EQ(behind("run 1 draws ", report), "1");
  EXPECT_EQ(behind("run 3 draws ", report), "1");
}

class ShownOutput : public testing::TestWithParam<const char*> {};
TEST_P(ShownOutput, IsThatOfTheFirstRunAndOfTheOneThatIsToldOf) {
  expect_approved_report(std::string("Output.") + GetParam());
}
INSTANTIATE_TEST_SUITE_P(Of, ShownOutput,
                         testing::Values("OfTheFourthRunWhichFails", "OfRunsThatPass", "OfTheThirdRunWhichIsSkipped",
                                         "OfTheFirstRunWhichFails"));

TEST(RunnerTest, ATestMayCaptureItsOutputInEachRun) {
  EXPECT_EQ(run_subject("--gtest_filter=Output.IsCapturedByTheTestItself").end, "");
}

// -- the line that repeats a run --------------------------------------------------------------------------------------

TEST(RunnerTest, ThePastedLineMakesTheSameRunAgain) {
  const std::string first = run_subject(lost).text;
  const child_run again = run_command(behind("repeat: ", first));
  EXPECT_EQ(again.end, "exit status 1\n");
  EXPECT_EQ(behind("\ntrace ", again.text), behind("\ntrace ", first) + ", as in the token's run");
  EXPECT_EQ(behind("repeat: ", again.text), behind("repeat: ", first));
  EXPECT_THAT(again.text, Not(HasSubstr("in run ")));
}

TEST(RunnerTest, EveryFailingSubjectIsRepeatedByItsLine) {
  const std::string all =
      run_subject(
          "--gtest_filter=Verdict.*:Assert.*:Expect.*:Mock.*:Numbers/*:BruteForce.*:Connections.*:Slots.*:Quiesce.*")
          .text;
  for (std::size_t at = all.find("repeat: "); at != std::string::npos; at = all.find("repeat: ", at + 1)) {
    const std::string report = all.substr(at);
    const std::string line = behind("repeat: ", report);
    SCOPED_TRACE(line);
    const child_run again = run_command(line);
    EXPECT_EQ(again.end, "exit status 1\n");
    EXPECT_EQ(behind("\ntrace ", again.text), behind("\ntrace ", report) + ", as in the token's run");
    EXPECT_THAT(again.text, Not(HasSubstr("departed")));
  }
  EXPECT_GT(count_of("repeat: ", all), 25);
}

TEST(RunnerTest, TheLineNamesAParameterizedTest) {
  const std::string report = run_subject("--gtest_filter=Numbers/ReplayOf.*").text;
  EXPECT_THAT(behind("repeat: ", report), EndsWith(" ./testing_subject --gtest_filter=Numbers/ReplayOf.AParameter/1"));
}

TEST(RunnerTest, TheLineQuotesAPathWithSpaces) {
  const std::string link = "'a subject'\\''s link'";
  const child_run run = run_command("ln -sf testing_subject " + link + " && ./" + link +
                                    " --gtest_filter=Assert.FailsPlainly; rm " + link);
  EXPECT_THAT(behind("repeat: ", run.text), HasSubstr("'./a subject'\\''s link' --gtest_filter=Assert.FailsPlainly"));
}

TEST(RunnerTest, TheLineTakesAlongWhatElseShapesTheRun) {
  const std::string livelock = "--gtest_filter=Verdict.Livelock ";
  for (const child_run& run : {run_subject(livelock + "--lockstep_steps_max=7 --lockstep_runs=3"),
                               run_subject(livelock, "LOCKSTEP_STEPS_MAX=7 LOCKSTEP_RUNS=3")}) {
    const std::string line = behind("repeat: ", run.text);
    EXPECT_THAT(line, EndsWith("--gtest_filter=Verdict.Livelock --lockstep_steps_max=7"));
    const child_run again = run_command(line);
    EXPECT_THAT(again.text, HasSubstr(", as in the token's run"));
  }
}

// The options of what fails only on request are part of how it fails.
TEST(RunnerTest, TheLineTakesAlongWhatMakesTheRunFail) {
  const std::string unequal = "--gtest_filter=Determinism.IsOnlyCheckedOnRequest";
  EXPECT_EQ(run_subject(unequal).end, "");
  const std::string slow = "--gtest_filter=Watched.StepAtTheEnd";
  EXPECT_EQ(run_subject(slow + " --lockstep_slow_step=1ms").end, "");
  struct requested {
    std::string filter;
    std::string flags;
    std::string environment;
    std::string end_of_line;
    std::string failure;
  };
  for (const requested& how : {
           requested{unequal, "--lockstep_check_determinism", "", "--lockstep_check_determinism=1", "nondeterminism"},
           requested{unequal, "", "LOCKSTEP_CHECK_DETERMINISM=1", "--lockstep_check_determinism=1", "nondeterminism"},
           requested{slow, "--lockstep_fail_on_slow_step --lockstep_slow_step=1ms", "",
                     "--lockstep_fail_on_slow_step=1 --lockstep_slow_step=1ms", "slow step"},
           requested{slow, "", "LOCKSTEP_FAIL_ON_SLOW_STEP=1 LOCKSTEP_SLOW_STEP=2ms",
                     "--lockstep_fail_on_slow_step=1 --lockstep_slow_step=2ms", "slow step"},
       }) {
    const child_run first = run_subject(how.filter + " " + how.flags, how.environment);
    EXPECT_THAT(first.text, HasSubstr("Failure\n" + how.failure));
    const std::string line = behind("repeat: ", first.text);
    EXPECT_THAT(line, EndsWith(how.filter + " " + how.end_of_line));
    const child_run again = run_command(line);
    EXPECT_EQ(again.end, "exit status 1\n");
    EXPECT_THAT(again.text, HasSubstr("Failure\n" + how.failure));
  }
}

TEST(RunnerTest, AReplayThatPassesSaysSo) {
  const child_run run = run_subject("--gtest_filter=Replay.PassesUnlessEdited --lockstep_replay='ls1:9f1e:plain::;'");
  EXPECT_THAT(run.text, HasSubstr("is of another test"));
  const std::string hash = behind("this is Replay.PassesUnlessEdited, ", run.text).substr(0, 4);
  const child_run right =
      run_subject("--gtest_filter=Replay.PassesUnlessEdited --lockstep_replay='ls1:" + hash + ":plain::;'");
  EXPECT_EQ(right.end, "");
  EXPECT_THAT(right.text, HasSubstr("replayed: Replay.PassesUnlessEdited passes; trace 0da5dd9976d2194d\n"));
}

class RefusedToken : public testing::TestWithParam<std::pair<const char*, const char*>> {};
TEST_P(RefusedToken, IsAnErrorThatSaysWhy) {
  const auto [name, text] = GetParam();
  const child_run run = run_subject(lost, "LOCKSTEP_REPLAY='" + std::string(text) + "'");
  EXPECT_EQ(run.end, "exit status 1\n");
  expect_approved(std::string("Replay.refused-") + name, report_of(run));
}
INSTANTIATE_TEST_SUITE_P(Of, RefusedToken,
                         testing::Values(std::pair("another-test", "ls1:b539:plain::0..3811;"),
                                         std::pair("cut-short", "ls1:ddd5:random-1199"),
                                         std::pair("another-version", "ls2:ddd5:plain::;"),
                                         std::pair("no-token", "hello")),
                         [](const auto& of) {
                           std::string name = of.param.first;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

TEST(RunnerTest, AReplayOfEditedCodeSaysAtWhichChoiceItDeparts) {
  const std::string line = behind("repeat: ", run_subject(lost).text);
  const child_run edited = run_command("SUBJECT_EDITED=1 " + line);
  EXPECT_EQ(edited.end, "exit status 1\n");
  EXPECT_THAT(edited.text, Not(HasSubstr("as in the token's run")));
  expect_approved("Replay.departs", report_of(edited));
}

// -- verdicts ---------------------------------------------------------------------------------------------------------

const std::vector<const char*> verdicts = {"UnawaitedTask",
                                           "UnreadException",
                                           "UnhandledException",
                                           "LeakedTask",
                                           "DroppedHandle",
                                           "Deadlock",
                                           "PartialDeadlock",
                                           "Livelock",
                                           "TimeLimit",
                                           "PausedClock",
                                           "AwaitedTwice",
                                           "ForeignUnlock",
                                           "UnreachedPoint",
                                           "SwallowedCancellation",
                                           "ExceptionThroughJoins",
                                           "ExceptionsOfAGroup",
                                           "Timeout",
                                           "OtherThread",
                                           "OutsideForgotten",
                                           "MisuseWithoutALoop",
                                           "MisuseInANestedWorld",
                                           "LocksLeftHeld",
                                           "LocksLetGoOfAnOpenFile"};

class VerdictReport : public testing::TestWithParam<const char*> {};
TEST_P(VerdictReport, IsAsApproved) { expect_approved_report(std::string("Verdict.") + GetParam()); }
INSTANTIATE_TEST_SUITE_P(Of, VerdictReport, testing::ValuesIn(verdicts));

TEST(RunnerTest, LocksThatAreLetGoAreNoVerdict) { expect_approved_report("Verdict.LocksLetGo"); }

TEST(RunnerTest, MisuseInAFixturesConstructorThatIsNotOfTheRunIsReported) {
  expect_approved_report("WithANestedWorld.NeverBegins");
}

TEST(RunnerTest, AfterEachVerdictTheNextTestStartsClean) {
  const std::string all = run_subject("--gtest_filter=Verdict.*").text;
  const std::string twice = run_subject("--gtest_filter=Verdict.* --gtest_repeat=2 --gtest_shuffle").text;
  for (const char* const name : verdicts) {
    std::string alone = report_of(run_subject(std::string("--gtest_filter=Verdict.") + name));
    alone.resize(alone.find("exit status"));
    EXPECT_THAT(all, HasSubstr(alone));
    const std::size_t first = twice.find(alone);
    ASSERT_NE(first, std::string::npos) << name;
    EXPECT_NE(twice.find(alone, first + 1), std::string::npos) << name;
  }
}

TEST(RunnerTest, NondeterminismIsShownByTheFirstStepThatDiffers) {
  expect_approved_report("Determinism.IsBrokenByWhatOneRunLeavesToTheNext");
}

TEST(RunnerTest, NondeterminismIsAnEndThatDiffersToo) {
  expect_approved_report("Determinism.IsBrokenByAnEndThatDiffers");
}

}  // namespace
}  // namespace lockstep
