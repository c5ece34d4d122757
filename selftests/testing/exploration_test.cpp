#include <lockstep/testing/exploration.hpp>

#include "child.hpp"

#include <lockstep/explore/token.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

namespace lockstep {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string explored(const std::string& name, const std::string& flags = "") {
  return run_subject("--gtest_filter=Explored." + name + " " + flags).text;
}

TEST(ExplorationTest, ShowsTheShrunkRunInColumnsAndWhatDecides) { expect_approved_report("Explored.LosesAVote"); }

TEST(ExplorationTest, ShowsTheTimersOfOneInstant) { expect_approved_report("Explored.TimersOfOneInstant"); }

TEST(ExplorationTest, ShowsTheValuesThatWereDrawn) { expect_approved_report("Explored.SpendsWhatWasDrawn"); }

TEST(ExplorationTest, MarksTheStepOfASelectThatTookTheOther) { expect_approved_report("Explored.LeavesALetterBehind"); }

TEST(ExplorationTest, NamesAStepThatTheRunHasNotComeTo) { expect_approved_report("Explored.AsksTooEarly"); }

TEST(ExplorationTest, NamesNoPairWhereNoOrderMatters) { expect_approved_report("Explored.DrawsTheWrongValue"); }

TEST(ExplorationTest, AFailureOfThePlainRunNeedsNoSearch) { expect_approved_report("Explored.FailsInThePlainRun"); }

TEST(ExplorationTest, SaysWhatWasProven) {
  EXPECT_THAT(explored("CountsUnderItsLock"),
              HasSubstr("explored Explored.CountsUnderItsLock: all 90 orderings checked; any variable may be shared, "
                        "and steps take no time"));
}

TEST(ExplorationTest, SaysWhatWasNotLookedIntoOfALongRun) {
  const std::string text = explored("FailsLate");
  EXPECT_THAT(text, HasSubstr("Shrunk to 1 deviation from the plain run."));
  EXPECT_THAT(text, HasSubstr("It does not happen in fifo order.\nNot looked into, as the run is so long that not each "
                              "step is looked at: which two steps decide.\n"));
}

// The plain run before the search has come by it as well.
TEST(ExplorationTest, FaultPointsAreSearched) {
  EXPECT_THAT(explored("FailsByAFaultPoint"), HasSubstr("Shrunk to 1 deviation from the plain run"));
}

TEST(ExplorationTest, WhatSkipsIsNeitherAPassNorAFailure) {
  for (const std::string jobs : {"--lockstep_jobs=0", "--lockstep_jobs=2"}) {
    const std::string some = explored("SkipsThePlainOrder", jobs);
    EXPECT_THAT(some, HasSubstr("all 2 orderings checked, 1 of them skipped; any variable"));
    EXPECT_THAT(some, HasSubstr("[       OK ] Explored.SkipsThePlainOrder"));
    const std::string fails = explored("SkipsThePlainOrderAndFails", jobs);
    EXPECT_THAT(fails, HasSubstr("fails in 1 of 2 orderings (all checked). Shrunk to 1 deviation"));
    const std::string every = explored("SkipsEveryOrder", jobs);
    EXPECT_THAT(every, HasSubstr("all 2 orderings checked, 2 of them skipped; any variable"));
    EXPECT_THAT(every, HasSubstr("Skipped\nnot on this machine\n"));
    EXPECT_THAT(every, HasSubstr("[  SKIPPED ] Explored.SkipsEveryOrder"));
  }
  EXPECT_THAT(explored("SkipsEveryOrder", "--lockstep_search=random"),
              HasSubstr("10,000 runs, 10,000 of them skipped, by an estimate most of the space, nothing found"));
}

TEST(ExplorationTest, WhatIsDeclaredNeedsFewerOrders) {
  const std::string text = explored("CountsWhatIsDeclared");
  EXPECT_THAT(text, HasSubstr("all 4 orderings checked ("));
  EXPECT_THAT(text, HasSubstr("every shared variable is declared, as the test says"));
}

TEST(ExplorationTest, IsAskedForByAFlag) {
  EXPECT_THAT(explored("LosesAVoteWhenItIsAskedFor"), Not(HasSubstr("FAILED")));
  const std::string found = explored("LosesAVoteWhenItIsAskedFor", "--lockstep_explore");
  EXPECT_THAT(found, HasSubstr("fails in 4 of 6 orderings (all checked). Shrunk to 1 deviation"));
  EXPECT_THAT(explored("LosesAVote", "--lockstep_explore=0"), Not(HasSubstr("FAILED")));
}

TEST(ExplorationTest, FindsTheSameWithinTheProcess) {
  const std::string workers = explored("LosesAVote");
  EXPECT_EQ(report_of(run_subject("--gtest_filter=Explored.LosesAVote --lockstep_jobs=0")),
            report_of(run_subject("--gtest_filter=Explored.LosesAVote")));
  EXPECT_THAT(workers, HasSubstr("repeat: LOCKSTEP_REPLAY='ls1:"));
}

TEST(ExplorationTest, ItsLineRepeatsTheFailure) {
  const std::string found = explored("LosesAVote");
  const std::size_t at = found.find("LOCKSTEP_REPLAY='") + 17;
  const std::string token = found.substr(at, found.find('\'', at) - at);
  const std::string again = explored("LosesAVote", "--lockstep_replay='" + token + "'");
  EXPECT_THAT(again, HasSubstr("FAILED"));
  EXPECT_THAT(again, HasSubstr("as in the token's run"));
}

TEST(ExplorationTest, TriesFirstWhatHasFailedBefore) {
  const std::string file = testing::TempDir() + "lockstep_exploration_test.failures";
  std::remove(file.c_str());
  const std::string flag = " --lockstep_failures=" + file;
  EXPECT_THAT(explored("LosesAVote", flag), HasSubstr("FAILED"));
  const auto kept = [&file] {
    std::ifstream in(file);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string line = kept();
  EXPECT_THAT(line, testing::MatchesRegex("ls1:[^\t]*\tExplored.LosesAVote\tassertion at [^\n]*\n"));
  EXPECT_THAT(explored("LosesAVote", flag + " --lockstep_explore=1 --lockstep_search=random"), HasSubstr("FAILED"));
  EXPECT_EQ(kept(), line);
  // What passes is dropped; of other tests, nothing is.
  token passes;
  passes.test = test_hash("Explored.CountsUnderItsLock");
  passes.task_overrides.push_back({"1", 1, "2"});
  std::ofstream(file, std::ios::app) << to_text(passes) << "\tExplored.CountsUnderItsLock\tmended\n";
  EXPECT_THAT(explored("CountsUnderItsLock", flag), Not(HasSubstr("FAILED")));
  EXPECT_EQ(kept(), line);
  std::remove(file.c_str());
}

TEST(ExplorationTest, WeightsSayWhoMakesTheSamples) {
  for (const std::string name : {"urw", "pos", "uniform", "pct", "coverage"}) {
    EXPECT_THAT(explored("TimersOfOneInstant", "--lockstep_search=random --lockstep_weights=" + name + ":1"),
                HasSubstr("of the search (" + name + ")"));
  }
}

TEST(ExplorationTest, TriesFirstWhatHasEndedAProcess) {
  const std::string file = testing::TempDir() + "lockstep_crash_test.failures";
  std::remove(file.c_str());
  const std::string the_crash = "--gtest_filter=Searched.Aborts ";
  const std::string flags = "--lockstep_jobs=1 --lockstep_failures=" + file;
  const std::string first = run_subject(the_crash + flags).text;
  EXPECT_THAT(first, HasSubstr("crash of the process: SIGABRT"));
  // A search that would not find it by itself.
  const std::string again = run_subject(the_crash + flags + " --lockstep_explore=1 --lockstep_search=random").text;
  EXPECT_THAT(again, HasSubstr("crash of the process: SIGABRT"));
  EXPECT_THAT(again, HasSubstr("1 FAILED TEST\n")) << "the program lives on";
  // Without workers it is left alone.
  EXPECT_THAT(run_subject(the_crash + flags + " --lockstep_jobs=0 --lockstep_explore=1 --lockstep_search=random").text,
              HasSubstr("1 run"));
  std::remove(file.c_str());
}

TEST(ExplorationTest, SaysWhatItLeavesOut) {
  EXPECT_THAT(explored("CountsUnderItsLock", "--lockstep_runs=5"),
              HasSubstr("explored Explored.CountsUnderItsLock: runs is 5, which is left out: the budget of a search is "
                        "that of explore\n"));
}

TEST(ExplorationTest, EachSearchFindsIt) {
  for (const search_by by : all_searches) {
    EXPECT_THAT(explored("LosesAVote", "--lockstep_search=" + std::string(name_of(by))),
                HasSubstr("Shrunk to 1 deviation"))
        << name_of(by);
  }
}

}  // namespace
}  // namespace lockstep
