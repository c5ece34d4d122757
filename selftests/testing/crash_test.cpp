#include "../base/sanitizers.hpp"
#include "child.hpp"

#include <lockstep/testing/crash.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <map>
#include <string>

namespace lockstep {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

child_run crash(const std::string& name, const std::string& environment = "") {
  return run_subject("--gtest_filter=" + name,
                     "ASAN_OPTIONS=symbolize=0 TSAN_OPTIONS=symbolize=0 UBSAN_OPTIONS=symbolize=0 " + environment);
}

// Expects the notice once, with the line that repeats the run.
void expect_notice(const child_run& run, const std::string& test) {
  SCOPED_TRACE(run.text);
  EXPECT_NE(run.end, "");
  const std::string begin = "\nlockstep: the process ends inside a test";
  EXPECT_EQ(count_of(begin, run.text), 1);
  EXPECT_THAT(run.text, ContainsRegex(begin +
                                      "(, of SIG[A-Z0-9+]+)?\nrepeat: LOCKSTEP_REPLAY='ls1:[^\n]*' "
                                      "./testing_subject --gtest_filter=" +
                                      test));
}

class CrashNotice : public testing::TestWithParam<const char*> {};
TEST_P(CrashNotice, IsPrintedOnceWithTheTokenAhead) {
  const std::string test = std::string("Crash.") + GetParam();
  expect_notice(crash(test), test);
}
INSTANTIATE_TEST_SUITE_P(Of, CrashNotice,
                         testing::Values("ReadsThroughANullPointer", "Aborts", "Terminates", "Exits",
                                         "ExitsAsIfAllWereWell", "ExitsQuickly", "ExitsOnAnotherThread",
                                         "OverflowsTheStack"));

TEST(CrashTest, AnExitInsideATestIsNoSuccess) {
  for (const std::string test : {"Crash.ExitsAsIfAllWereWell", "Crash.ExitsQuickly"}) {
    const child_run run = crash(test);
    EXPECT_EQ(run.end, "exit status 1\n");
    EXPECT_THAT(run.text, HasSubstr("its output"));
  }
  EXPECT_EQ(crash("Crash.ExitsOnAnotherThread").end, "exit status 1\n");
  EXPECT_EQ(crash("Crash.Exits").end, "exit status 3\n") << "which says that something is wrong, is left";
}

// Nothing of the process runs then. GoogleTest's file, which is there until all tests have ended, tells of it.
TEST(CrashTest, AnImmediateExitIsSeenFromOutsideOnly) {
  const std::string file = testing::TempDir() + "lockstep_premature_exit";
  const child_run run = crash("Crash.ExitsAtOnce", "TEST_PREMATURE_EXIT_FILE=" + file);
  EXPECT_EQ(run.end, "");
  EXPECT_THAT(run.text, Not(HasSubstr("lockstep:")));
  EXPECT_EQ(std::remove(file.c_str()), 0);
  crash("Crash.HasADeathTest", "TEST_PREMATURE_EXIT_FILE=" + file);
  EXPECT_NE(std::remove(file.c_str()), 0);
}

// What is thrown cannot leave a destructor, or a thread: the verdict is printed when the process ends of it.
TEST(CrashTest, TellsOfMisuseThatNothingCatches) {
  const std::string line =
      "selftests/testing/subject/crashes.cpp:[0-9]+: Failure\nmisuse at 0 ns .virtual., step [0-9]: "
      "task_done.. of queue \"jobs\", which has no unfinished item\n +";
  for (const std::string test : {"Crash.MisuseInADestructor", "Crash.MisuseInADestructorOfTheTearDown"}) {
    const child_run run = crash(test);
    EXPECT_EQ(run.end, "signal 6\n");
    EXPECT_THAT(run.text, ContainsRegex(line + (test.ends_with("TearDown") ? "worker  " : "main  "))) << run.text;
    EXPECT_THAT(run.text, HasSubstr("\nrepeat: LOCKSTEP_REPLAY='ls1:"));
  }
}

TEST(CrashTest, TellsOfTheDeadlockWhoseTearDownFailed) {
  EXPECT_THAT(crash("Crash.MisuseInADestructorOfTheTearDown").text, HasSubstr("step 2: every task waits\n  main"));
}

TEST(CrashTest, TellsOfMisuseOnAnotherThreadThatNothingCatches) {
  const child_run run = crash("Crash.MisuseOnAnotherThread");
  expect_notice(run, "Crash.MisuseOnAnotherThread");
  EXPECT_EQ(run.end, "signal 6\n");
  EXPECT_THAT(run.text, ContainsRegex("mutex \"tx\" was unlocked on another thread .crashes.cpp:[0-9]+."));
}

TEST(CrashTest, ShowsTheFailuresOfTheRunThatDies) {
  const child_run run = crash("Crash.AbortsAfterAFailure");
  EXPECT_THAT(run.text,
              ContainsRegex("inside a test, of SIGABRT\nselftests/testing/subject/crashes.cpp:[0-9]+: Failure\n"));
  EXPECT_THAT(run.text, HasSubstr("the cause\n"));
  EXPECT_THAT(run.text, HasSubstr("repeat: LOCKSTEP_REPLAY='ls1:"));
}

TEST(CrashTest, TellsOfASignalThatEndsTheProcess) { expect_notice(crash("Crash.IsToldToTerminate"), "Crash.IsTold"); }

// As nohup does it.
TEST(CrashTest, ASignalThatIsIgnoredStaysIgnored) {
  const child_run run = run_command("trap '' TERM; exec ./testing_subject --gtest_filter=Crash.IsToldToTerminate");
  EXPECT_EQ(run.end, "") << run.text;
  EXPECT_THAT(run.text, Not(HasSubstr("lockstep:")));
}

TEST(CrashTest, NamesTheSignal) {
  const std::map<int, std::string> names = {
      {SIGTERM, "SIGTERM"},
      {SIGINT, "SIGINT"},
      {SIGHUP, "SIGHUP"},
      {SIGQUIT, "SIGQUIT"},
      {SIGALRM, "SIGALRM"},
      {SIGXCPU, "SIGXCPU"},
      {SIGXFSZ, "SIGXFSZ"},
      {SIGSYS, "SIGSYS"},
      {SIGTRAP, "SIGTRAP"},
      {SIGUSR1, "SIGUSR1"},
      {SIGUSR2, "SIGUSR2"},
      {SIGPIPE, "SIGPIPE"},
      {SIGABRT, "SIGABRT"},
      {SIGPROF, "SIGPROF"},
      {SIGVTALRM, "SIGVTALRM"},
#ifdef __linux__
      {SIGPOLL, "SIGPOLL"},
      {SIGSTKFLT, "SIGSTKFLT"},
      {SIGPWR, "SIGPWR"},
      {SIGRTMIN, "SIGRTMIN+0"},
      {SIGRTMAX, fmt::format("SIGRTMIN+{}", SIGRTMAX - SIGRTMIN)},
#endif
  };
  for (const auto& [number, name] : names) {
    const child_run run = crash("Crash.IsSentASignal", fmt::format("SUBJECT_SIGNAL={}", number));
    expect_notice(run, "Crash.IsSentASignal");
    EXPECT_EQ(run.end, fmt::format("signal {}\n", number));
    EXPECT_THAT(run.text, HasSubstr("inside a test, of " + name + '\n'));
  }
  EXPECT_THAT(crash("Crash.WritesToAClosedPipe", fmt::format("SUBJECT_SIGNAL={}", SIGPIPE)).text,
              HasSubstr("inside a test, of SIGPIPE\n"));
}

TEST(CrashTest, AnEarlierHandlerOfNewsIsLeftAlone) {
  const child_run run = crash("Crash.IsSentNewsThatItHandles", "SUBJECT_HANDLER=1");
  EXPECT_EQ(run.end, "") << run.text;
  EXPECT_THAT(run.text, Not(HasSubstr("lockstep:")));
}

TEST(CrashTest, AProfilerMayBeginBeforeTheTestsOrInOne) {
  for (const std::string handler : {"SUBJECT_HANDLER=1", ""}) {
    const child_run run = crash("Crash.IsProfiled", handler);
    EXPECT_EQ(run.end, "") << run.text;
    EXPECT_THAT(run.text, Not(HasSubstr("lockstep:")));
  }
}

#ifdef LOCKSTEP_UNDER_ASAN
TEST(CrashTest, ASanitizersReportEndsWithTheToken) {
  const child_run run = crash("Crash.UsesFreedMemory");
  EXPECT_THAT(run.text, HasSubstr("heap-use-after-free"));
  expect_notice(run, "Crash.UsesFreedMemory");
}
#endif

TEST(CrashTest, TheTokenIsThatOfTheRunWhichCrashed) {
  const child_run run = crash("Crash.InSetUpOfTheNextRun");
  expect_notice(run, "Crash.InSetUpOfTheNextRun");
  EXPECT_THAT(run.text, HasSubstr("ls1:64bd:random-119995821::;"));  // the seed of the second run
}

TEST(CrashTest, OutputThatWasMutedIsShownByThen) {
  for (const std::string test : {"Crash.InSetUpOfTheNextRun", "Crash.ExitsInTheNextRun"}) {
    const child_run run = crash(test);
    expect_notice(run, test);
    EXPECT_THAT(run.text, ContainsRegex("run 1 of three\n(.*\n)*run 2 of three\n"));
    EXPECT_THAT(run.text, Not(HasSubstr("run 3")));
  }
}

TEST(CrashTest, ADeathTestInAMutedRunShowsNothing) {
  const child_run run = crash("Crash.HasADeathTestInEachRun");
  EXPECT_EQ(run.end, "") << run.text;
  EXPECT_EQ(run.text.find("of three"), run.text.rfind("of three")) << run.text;
  EXPECT_THAT(run.text, HasSubstr("run 1 of three"));
}

TEST(CrashTest, TheTokenRepeatsTheCrash) {
  const child_run first = crash("Crash.Aborts");
  const std::size_t at = first.text.find("LOCKSTEP_REPLAY=");
  ASSERT_NE(at, std::string::npos);
  const std::string line = first.text.substr(at, first.text.find('\n', at) - at);
  const child_run again = run_command("exec env " + line);
  EXPECT_EQ(again.end, first.end);
  EXPECT_THAT(again.text, HasSubstr(line));
}

TEST(CrashTest, OutsideACoroutineTestNothingOfOursIsPrinted) {
  const child_run run = crash("CrashOutside.*");
  EXPECT_EQ(run.end, "signal 6\n");
  EXPECT_THAT(run.text, HasSubstr("[       OK ] CrashOutside.First"));
  EXPECT_THAT(run.text, Not(HasSubstr("lockstep:")));
}

TEST(CrashTest, ADeathTestIsNotDisturbed) {
  for (const std::string style : {"", "GTEST_DEATH_TEST_STYLE=threadsafe"}) {
    for (const std::string test : {"Crash.HasADeathTest", "Crash.HasADeathTestThatSucceeds"}) {
      const child_run run = crash(test, style);
      EXPECT_EQ(run.end, "") << run.text;
      EXPECT_THAT(run.text, Not(HasSubstr("lockstep:")));
    }
  }
}

#ifndef LOCKSTEP_UNDER_SANITIZER  // which handles this signal itself
TEST(CrashTest, AnEarlierHandlerIsCalledWithTheAddress) {
  const child_run run = crash("Crash.ReadsThroughANullPointer", "SUBJECT_HANDLER=1");
  EXPECT_EQ(run.end, "exit status 5\n");
  expect_notice(run, "Crash.ReadsThroughANullPointer");
  EXPECT_THAT(run.text, HasSubstr("the earlier handler sees address 0\n"));
}
#endif

}  // namespace
}  // namespace lockstep
