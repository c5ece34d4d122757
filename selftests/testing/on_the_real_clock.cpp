// Tests with clock=real, which run on the operating system.
#include "child.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(OnTheRealClockTest, RunsATestWhoseClockMayBeFaster) {
  const child_run run = run_subject("--gtest_filter=OnTheRealClock.Passes");
  EXPECT_EQ(run.end, "") << run.text;
}

TEST(OnTheRealClockTest, SaysOfAFailureThatNoTokenRepeatsIt) {
  const child_run run = run_subject("--gtest_filter=OnTheRealClock.Fails");
  EXPECT_EQ(run.end, "exit status 1\n");
  EXPECT_THAT(run.text, HasSubstr("it fails\n"));
  EXPECT_THAT(run.text, HasSubstr("\non the real clock, so no token repeats this run\n"));
  EXPECT_THAT(run.text, Not(HasSubstr("repeat:")));
}

TEST(OnTheRealClockTest, FindsADeadlock) {
  const child_run run = run_subject("--gtest_filter=OnTheRealClock.CannotEnd");
  EXPECT_THAT(run.text, HasSubstr("deadlock at "));
  EXPECT_THAT(run.text, HasSubstr("main  event \"never\""));
  EXPECT_THAT(run.text, Not(HasSubstr("(virtual)")));
}

TEST(OnTheRealClockTest, SaysWhenATestFailedWithoutCallingThatVirtual) {
  expect_approved_report("OnTheRealClock.SaysWhenItFailed");
}

TEST(OnTheRealClockTest, RunsATestOnceWhateverTheTestAsksFor) {
  const child_run run =
      run_subject("--gtest_filter=OnAnyClock.IsRunAHundredTimes --lockstep_clock=real --lockstep_time_scale=10000000");
  EXPECT_EQ(run.end, "") << run.text;
  EXPECT_EQ(count_of("run 1\n", run.text), 1);
  EXPECT_EQ(count_of("run 2\n", run.text), 0);
}

TEST(OnTheRealClockTest, RefusesWhatItCannotDoIfOnePlaceAsksForBoth) {
  const std::string refusal =
      "on the real clock a test is run once, in the order in which tasks become ready, without limits of steps and "
      "time; leave out ";
  EXPECT_THAT(run_subject("--gtest_filter=OnTheRealClock.AsksForRunsAsWell").text, HasSubstr(refusal + "runs\n"));
  for (const std::string what : {"schedule=random", "runs=5", "seed=2", "order=any_order", "steps_max=5", "time_max=5s",
                                 "check_determinism", "replay=ls1:"}) {
    const child_run run =
        run_subject("--gtest_filter=OnAnyClock.IsRunAHundredTimes --lockstep_clock=real --lockstep_" + what);
    EXPECT_EQ(run.end, "exit status 1\n") << what;
    EXPECT_THAT(run.text, HasSubstr(refusal + what.substr(0, what.find('=')) + "\n"));
  }
}

TEST(OnTheRealClockTest, SaysThatATestIsNotExploredThere) {
  const child_run run = run_subject("--gtest_filter=Explored.CountsUnderItsLock --lockstep_clock=real");
  EXPECT_EQ(run.end, "") << run.text;
  EXPECT_THAT(run.text, HasSubstr("not explored: Explored.CountsUnderItsLock: the real clock has one order only\n"));
}

TEST(OnTheRealClockTest, SaysThatItsNetworkIsNotShown) {
  const std::string said =
      "no calls or packets of OnTheRealClock.Passes: on the real clock its network is that of the machine";
  for (const char* const flag : {"--lockstep_network_trace", "--lockstep_capture=/no/such/folder/run.pcapng"}) {
    const child_run run = run_subject(std::string("--gtest_filter=OnTheRealClock.Passes ") + flag);
    EXPECT_EQ(run.end, "");
    EXPECT_THAT(run.text, HasSubstr(said));
  }
}

TEST(OnTheRealClockTest, CallsAWaitForTheWorldOutsideNoSlowStep) {
  const child_run run = run_subject("--gtest_filter=OnTheRealClock.WaitsLongerThanAStepMay --lockstep_slow_step=500ms");
  EXPECT_EQ(run.end, "") << run.text;
  EXPECT_THAT(run.text, Not(HasSubstr("slow step")));
}

TEST(OnTheRealClockTest, EndsAProcessInWhichNothingHappensForTooLong) {
  const child_run run = run_subject("--gtest_filter=OnTheRealClock.Waits --lockstep_real_time_max=200ms",
                                    "TSAN_OPTIONS=report_signal_unsafe=0");
  EXPECT_EQ(run.end, "signal 6\n");
  EXPECT_THAT(run.text, HasSubstr("lockstep: nothing has happened after 200 ms of real time (real_time_max)"));
  EXPECT_THAT(run.text, HasSubstr("sleep until 1 h"));
}

}  // namespace
}  // namespace lockstep
