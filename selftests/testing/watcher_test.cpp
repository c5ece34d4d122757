#include "child.hpp"

#include <lockstep/testing/watcher.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace lockstep {
namespace {

using testing::HasSubstr;
using testing::Not;

// The subject's step blocks until the watcher has asked for attention, however slow the machine is.
const std::string slow = " --lockstep_slow_step=10ms";

TEST(WatcherTest, ASlowStepWarnsWithTheLineWhereItBegan) {
  const child_run run = run_subject("--gtest_filter=Watched.StepInTheMiddle" + slow);
  EXPECT_EQ(run.end, "");
  EXPECT_THAT(run.text, HasSubstr("[       OK ]"));
  EXPECT_THAT(run.text, HasSubstr(": warning: slow step at 1 s (virtual), step 2: the step of task \"main\", from "
                                  "verdicts.cpp:164 up to verdicts.cpp:166, took long in real time: it blocks the "
                                  "thread, or computes without awaiting; run_blocking() is for that\n"));
}

TEST(WatcherTest, EachRunIsWatchedAnew) {
  const std::string runs = " --lockstep_runs=3 --lockstep_schedule=plain";
  for (const std::string test : {"StepInTheMiddle", "FirstStep", "OnlyStep"}) {
    const std::string text = run_subject(fmt::format("--gtest_filter=Watched.{}{}{}", test, runs, slow)).text;
    EXPECT_EQ(count_of("slow step", text), 3) << text;
  }
}

TEST(WatcherTest, ASlowStepFailsTheTestOnRequest) {
  const child_run run = run_subject("--gtest_filter=Watched.StepInTheMiddle --lockstep_fail_on_slow_step" + slow);
  EXPECT_EQ(run.end, "exit status 1\n");
  EXPECT_THAT(run.text, HasSubstr("Failure\nslow step at 1 s (virtual), step 2: the step of task \"main\""));
  EXPECT_THAT(run.text, Not(HasSubstr("warning")));
}

TEST(WatcherTest, TheLastStepMayBeTheSlowOne) {
  const child_run run = run_subject("--gtest_filter=Watched.StepAtTheEnd" + slow);
  EXPECT_EQ(run.end, "");
  EXPECT_THAT(run.text, HasSubstr("warning: slow step at 1 s (virtual), step 2: the last step of task \"main\", from "
                                  "verdicts.cpp:170, took long in real time"));
}

TEST(WatcherTest, AFirstStepWarnsWithTheLineWhereItEnded) {
  EXPECT_THAT(run_subject("--gtest_filter=Watched.FirstStep" + slow).text,
              HasSubstr("\nverdicts.cpp:215: warning: slow step at 0 ns (virtual), step 1: the first step of task "
                        "\"main\", up to verdicts.cpp:215, took long in real time"));
  const std::string of_task = run_subject("--gtest_filter=Watched.FirstStepOfATask" + slow).text;
  EXPECT_THAT(of_task, HasSubstr("\nverdicts.cpp:215: warning: slow step at 0 ns (virtual), step 2: the first step of "
                                 "task \"parser\", up to verdicts.cpp:215, took long in real time"));
  EXPECT_THAT(of_task, HasSubstr("spawned at  verdicts.cpp:220\n"));
}

TEST(WatcherTest, AnOnlyStepWarnsWithTheTestAndTheTask) {
  EXPECT_THAT(run_subject("--gtest_filter=Watched.OnlyStep" + slow).text,
              HasSubstr("\nWatched.OnlyStep: warning: slow step at 0 ns (virtual), step 1: the only step of task "
                        "\"main\" took long in real time"));
}

TEST(WatcherTest, AQuickRunIsNotWarnedOf) {
  const child_run run = run_subject("--gtest_filter=PartsAfter.*");
  EXPECT_EQ(run.end, "");
  EXPECT_THAT(run.text, Not(HasSubstr("warning")));
}

TEST(WatcherTest, WithoutALimitNoStepIsStuck) {
  const child_run run = run_subject("--gtest_filter=Watched.StepInTheMiddle --lockstep_real_time_max=0" + slow);
  EXPECT_EQ(run.end, "") << run.text;
  EXPECT_THAT(run.text, HasSubstr("warning: slow step"));
}

TEST(WatcherTest, AStuckStepEndsTheProcessWithTheTokenAndTheTasks) {
  // The list of tasks is made in a signal handler, which ThreadSanitizer rightly minds: the process ends all the same.
  const child_run run = run_subject("--gtest_filter=Watched.StuckStep --lockstep_real_time_max=400ms",
                                    "TSAN_OPTIONS=report_signal_unsafe=0");
  EXPECT_EQ(run.end, "signal 6\n");
  expect_approved("Watched.StuckStep", report_of(run));
}

}  // namespace
}  // namespace lockstep
