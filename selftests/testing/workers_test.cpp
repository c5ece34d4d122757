#include "../base/sanitizers.hpp"
#include "child.hpp"
#include "lost_update.hpp"

#include <lockstep/explore/world_program.hpp>
#include <lockstep/lockstep.hpp>
#include <lockstep/testing/workers.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

namespace lockstep::detail {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

// -- the search -------------------------------------------------------------------------------------------------------

search_result search_for(std::function<void()> lost, std::uint32_t jobs, explore_options how = {}) {
  world_program code([lost] { return add_two(lost); });
  return search_in_workers(code, how, {.jobs = jobs});
}

class Workers : public testing::TestWithParam<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Of, Workers, testing::Values(1, 2, 5));

TEST_P(Workers, ProveWhatOneProves) {
  world_program code([] { return add_two([] {}); });
  const exploration here = explorer(code).explore({});
  const search_result found = search_for([] {}, GetParam());
  EXPECT_TRUE(found.failures.empty());
  EXPECT_TRUE(found.together.exhaustive);
  EXPECT_EQ(found.together.classes, here.classes);
}

TEST_P(Workers, FindTheSameFailureEachTime) {
  explore_options how;
  how.by = search_by::random;
  std::vector<found_failure> first;
  for (int i = 0; i < 5; ++i) {
    search_result found = search_for([] { throw std::runtime_error("lost"); }, GetParam(), how);
    ASSERT_EQ(found.failures.size(), 1u);
    EXPECT_FALSE(found.failures[0].death);
    if (i == 0) first = found.failures;
    EXPECT_EQ(found.failures[0].run.runs, first[0].run.runs);
    EXPECT_EQ(found.failures[0].run.answers, first[0].run.answers);
    EXPECT_EQ(found.failures[0].run.found_by, first[0].run.found_by);
  }
}

TEST_P(Workers, ShareTheBudget) {
  world_program code([] { return add_two([] {}); });
  explore_options how;
  how.by = search_by::random;
  how.runs_max = 1'001;
  how.check_every = 0;
  EXPECT_EQ(search_in_workers(code, how, {.jobs = GetParam()}).together.runs, 1'001u);
}

// Three tasks of three, three and two steps, which all depend on each other. Tells who made which step.
task<void> take_turns(std::function<void(const std::string& turns)> look) {
  std::string turns;
  const auto take = [&turns](char name, int steps) -> task<void> {
    for (int i = 0; i < steps; ++i) {
      if (i != 0) co_await yield();
      turns.push_back(name);
    }
  };
  auto a = spawn(take('a', 3));
  auto b = spawn(take('b', 3));
  auto c = spawn(take('c', 2));
  co_await a.join();
  co_await b.join();
  co_await c.join();
  look(turns);
}

TEST_P(Workers, ShareAllOrdersOfALargerProgram) {
  const auto code = [] { return take_turns([](const std::string&) {}); };
  world_program here(code);
  explore_options how;
  how.by = search_by::systematic;
  how.runs_max = 100'000;
  const exploration alone = explorer(here).explore(how);
  ASSERT_TRUE(alone.exhaustive);
  for (const search_by by : {search_by::systematic, search_by::sleep_sets, search_by::every_order}) {
    SCOPED_TRACE(name_of(by));
    how.by = by;
    how.runs_max = 100'000;
    world_program elsewhere(code);
    const exploration together = search_in_workers(elsewhere, how, {.jobs = GetParam()}).together;
    EXPECT_TRUE(together.exhaustive);
    EXPECT_EQ(together.classes, alone.classes);
    EXPECT_EQ(together.interleavings, alone.interleavings);
    // Some parts are larger than others. With just enough for all of them, each has enough; with one less, it shows.
    how.runs_max = together.runs;
    EXPECT_TRUE(search_in_workers(elsewhere, how, {.jobs = GetParam()}).together.exhaustive);
    how.runs_max = together.runs - 1;
    EXPECT_FALSE(search_in_workers(elsewhere, how, {.jobs = GetParam()}).together.exhaustive);
  }
}

TEST_P(Workers, FindTheSameFailureInAllOrdersEachTime) {
  explore_options how;
  how.by = search_by::systematic;
  std::vector<found_failure> first;
  for (int i = 0; i < 3; ++i) {
    world_program code([] {
      return take_turns([](const std::string& turns) {
        if (turns == "bcabcaba") throw std::runtime_error(turns);
      });
    });
    search_result found = search_in_workers(code, how, {.jobs = GetParam()});
    ASSERT_EQ(found.failures.size(), 1u);
    if (i == 0) first = found.failures;
    EXPECT_EQ(found.failures[0].run.runs, first[0].run.runs);
    EXPECT_EQ(found.failures[0].run.answers, first[0].run.answers);
  }
}

// Who has used up its share waits until nobody is at work any more: also for the one that comes instead of a dead one.
TEST_P(Workers, EndThoughOneDiesWhileOthersWaitForItsShare) {
  explore_options how;
  how.by = search_by::systematic;
  how.runs_max = 1'700;
  int died = 0;
  for (const std::string dies : {"abcabcab", "bcabcaba", "ccbbbaaa"}) {
    world_program code([dies] {
      return take_turns([dies](const std::string& turns) {
        if (turns == dies) ::raise(SIGKILL);
      });
    });
    const search_result found = search_in_workers(code, how, {.jobs = GetParam()});
    EXPECT_FALSE(found.together.exhaustive) << dies;
    if (found.failures.empty()) continue;  // not within that budget
    ++died;
    EXPECT_TRUE(found.failures[0].death) << dies;
    EXPECT_EQ(found.failures[0].run.result.signature, "crash: SIGKILL");
  }
  EXPECT_GT(died, 0);
}

TEST_P(Workers, AreReplacedWhenTheyDie) {
  explore_options how;
  how.by = search_by::random;
  how.runs_max = 500;
  const search_result found = search_for([] { ::raise(SIGKILL); }, GetParam(), how);
  ASSERT_EQ(found.failures.size(), 1u);
  ASSERT_TRUE(found.failures[0].death);
  EXPECT_EQ(found.failures[0].run.result.signature, "crash: SIGKILL");
  EXPECT_GT(found.together.runs, found.failures[0].run.runs);
}

// The run that died can be made again by its answers.
TEST_P(Workers, ShowTheAnswersOfTheRunInWhichTheyDie) {
  const search_result found = search_for([] { ::raise(SIGKILL); }, GetParam());
  ASSERT_EQ(found.failures.size(), 1u);
  bool lost = false;
  world_program code([&lost] { return add_two([&lost] { lost = true; }); });
  fixed_choices same(found.failures[0].run.answers);
  code.run(same, ordering::any_order);
  EXPECT_TRUE(lost);
  EXPECT_FALSE(same.misfit());
}

// A worker makes one run after the other: one that dies before its first choice has none of the former run's answers.
TEST(WorkersTest, OneThatDiesBeforeItsFirstChoiceShowsNoAnswers) {
  int runs = 0;  // of this worker: each has its own
  const auto body = [&runs]() -> task<void> {
    if (++runs == 3) ::raise(SIGKILL);
    static_cast<void>(random_int("drawn", 0, 99));
    co_return;
  };
  world_program code(body);
  explore_options how;
  how.by = search_by::random;
  how.runs_max = 10;
  how.check_every = 0;
  const search_result found = search_in_workers(code, how, {.jobs = 1});
  ASSERT_EQ(found.failures.size(), 1u);
  ASSERT_TRUE(found.failures[0].death);
  EXPECT_EQ(found.failures[0].run.runs, 3u);
  EXPECT_THAT(found.failures[0].run.answers, testing::IsEmpty());
}

TEST(WorkersTest, OneThatDiesDoesNotEndTheSearchForWhatFails) {
  const auto body = []() -> task<void> {
    const int drawn = random_int("drawn", 0, 99);
    co_await yield();
    if (drawn == 1) ::raise(SIGKILL);
    if (drawn == 50) throw std::runtime_error("fifty");
  };
  world_program code(body);
  explore_options how;
  how.by = search_by::random;
  const search_result found = search_in_workers(code, how, {.jobs = 2});
  std::vector<std::string> signatures;
  for (const found_failure& each : found.failures) signatures.push_back(each.run.result.signature);
  EXPECT_EQ(signatures.size(), 2u);
  EXPECT_THAT(signatures, testing::Contains("crash: SIGKILL"));
}

TEST(WorkersTest, TellsOfProgress) {
  world_program code([] { return add_two([] {}); });
  std::uint64_t told = 0;
  std::uint64_t distinct = 0;
  explore_options how;
  how.by = search_by::random;
  how.runs_max = 2'000;
  workers_options options;
  options.jobs = 2;
  options.on_progress = [&](const exploration_progress& now) {
    EXPECT_GE(now.runs, told);
    told = now.runs;
    EXPECT_GE(now.distinct, distinct) << "also when a worker has ended";
    distinct = now.distinct;
  };
  search_in_workers(code, how, options);
  EXPECT_GE(told, 2'000u);
}

TEST(WorkersTest, MakesWorkElsewhere) {
  const work_result made = make_in_worker([](const sender& send) { send("made"); }, nullptr);
  EXPECT_FALSE(made.end.died);
  EXPECT_EQ(made.sent, "made");
  EXPECT_EQ(make_in_worker([](const sender&) { ::raise(SIGKILL); }, nullptr).end.signature, "crash: SIGKILL");
}

TEST(WorkersTest, ThereIsACore) { EXPECT_GE(usable_cores(), 1u); }

// -- in a test program ------------------------------------------------------------------------------------------------

const std::string unsymbolized = "ASAN_OPTIONS=symbolize=0 TSAN_OPTIONS=symbolize=0 UBSAN_OPTIONS=symbolize=0 ";

child_run search(const std::string& test, const std::string& flags = "") {
  return run_subject("--gtest_filter=Searched." + test + ' ' + flags, unsymbolized);
}

std::string repeat_line_in(const std::string& text) {
  const std::string begin = "\nrepeat: ";
  const std::size_t at = text.find(begin);
  return at == std::string::npos ? "false"
                                 : text.substr(at + begin.size(), text.find('\n', at + 1) - at - begin.size());
}

struct planted_crash {
  std::string test;
  std::string verdict;  // a regular expression
  std::string end;      // of the run that is repeated
};
std::ostream& operator<<(std::ostream& out, const planted_crash& which) { return out << which.test; }

class CrashOfAWorker : public testing::TestWithParam<planted_crash> {};

TEST_P(CrashOfAWorker, IsFoundShrunkAndRepeated) {
  const auto& [test, verdict, end] = GetParam();
  const std::string flags = "--lockstep_real_time_max=100ms --lockstep_jobs=2";
  const child_run run = search(test, flags);
  SCOPED_TRACE(run.text);
  EXPECT_EQ(run.end, "exit status 1\n");
  EXPECT_THAT(run.text, ContainsRegex("lost_update.hpp:[0-9]+: Failure\ncrash of the process: " + verdict +
                                      ", in the step of a task that had awaited at lost_update.hpp:[0-9]+\n"));
  EXPECT_THAT(run.text, ContainsRegex(". Shrunk to 1 deviation from the plain run.\n\n +main +add_one 1 +add_one 2\n"));
  EXPECT_THAT(run.text, HasSubstr("\nIt fails when "));
  EXPECT_THAT(run.text, HasSubstr("\nThe search went on behind that run, and found nothing else.\n"));
  EXPECT_THAT(run.text, HasSubstr("1 FAILED TEST\n")) << "the program lives on";
  const child_run again = run_command("exec env LOCKSTEP_SLOW_STEP=1h LOCKSTEP_REAL_TIME_MAX=100ms " + unsymbolized +
                                      repeat_line_in(run.text));
  EXPECT_EQ(again.end, end) << again.text;
  EXPECT_THAT(again.text, Not(HasSubstr("[       OK ]")));
}
const std::vector<planted_crash> planted_crashes = {
    {"Aborts", "SIGABRT", "signal 6\n"},
    {"Terminates", "SIGABRT", "signal 6\n"},
    {"Exits", "exit.0.", "exit status 1\n"},
    {"NeverEndsAStep", "stuck step", "signal 6\n"},
#ifdef LOCKSTEP_UNDER_ASAN
    {"ReadsThroughANullPointer", "(Address|UndefinedBehavior)Sanitizer: [^\n]*", "exit status 1\n"},
    {"UsesFreedMemory", "AddressSanitizer: heap-use-after-free [^\n]*", "exit status 1\n"},
#endif
#ifndef LOCKSTEP_UNDER_SANITIZER
    {"ReadsThroughANullPointer", "SIGSEGV", "signal 11\n"},
#endif
};
INSTANTIATE_TEST_SUITE_P(Of, CrashOfAWorker, testing::ValuesIn(planted_crashes),
                         [](const auto& of) { return of.param.test; });

// Nothing of the process runs then, so nobody knows where its task was.
TEST(CrashOfAWorkerTest, IsFoundThoughItCannotSayAnything) {
  EXPECT_THAT(search("IsKilled").text, HasSubstr("crash of the process: SIGKILL\n"));
  EXPECT_THAT(search("ExitsAtOnce").text, HasSubstr("crash of the process: exit status 3\n"));
}

TEST(CrashOfAWorkerTest, MayBeThatOfThePlainRun) {
  const std::string file = testing::TempDir() + "lockstep_plain_death_test.failures";
  std::remove(file.c_str());
  const child_run run = search("DiesInThePlainRun*", "--lockstep_jobs=2 --lockstep_failures=" + file);
  SCOPED_TRACE(run.text);
  EXPECT_EQ(run.end, "exit status 1\n");
  EXPECT_THAT(run.text, HasSubstr("crash of the process: SIGABRT"));
  EXPECT_THAT(run.text, HasSubstr(" fails in run 1 of the search (plain). It is the plain run that fails.\n"));
  EXPECT_THAT(run.text, HasSubstr("The search went on behind that run, and found 1 other failure.\n"));
  EXPECT_THAT(run.text, HasSubstr("Expected equality of these values:\n  order\n    Which is: \"ba\""));
  EXPECT_THAT(run.text, HasSubstr("[       OK ] Searched.DiesInThePlainRunAndIsFollowed"));
  const child_run again = run_command("exec env " + unsymbolized + repeat_line_in(run.text));
  EXPECT_EQ(again.end, "signal 6\n") << again.text;
  std::ifstream kept(file);
  const std::string lines(std::istreambuf_iterator<char>(kept), {});
  EXPECT_EQ(count_of("\tSearched.DiesInThePlainRun\t", lines), 2) << lines;
  std::remove(file.c_str());
}

TEST(CrashOfAWorkerTest, OfThePlainRunMayBeAStepWithoutAnEnd) {
  const child_run run = search("NeverEndsThePlainRun", "--lockstep_real_time_max=50ms --lockstep_jobs=1");
  EXPECT_EQ(run.end, "exit status 1\n");
  EXPECT_THAT(run.text, HasSubstr("crash of the process: stuck step"));
}

// A run that is known to be stuck is not waited for again, and of those that may be, few are.
TEST(CrashOfAWorkerTest, IsLookedIntoByFewRunsThatGetStuck) {
  const std::string file = testing::TempDir() + "lockstep_stuck_runs";
  std::remove(file.c_str());
  const std::string flags = "--lockstep_real_time_max=200ms --lockstep_failures=none --lockstep_jobs=";
  for (const std::string jobs : {"1", "2"}) {
    const child_run run = run_subject("--gtest_filter=Searched.NeverEndsAStep " + flags + jobs, "STUCK_RUNS=" + file);
    SCOPED_TRACE(run.text);
    std::ifstream noted(file);
    const std::string lines(std::istreambuf_iterator<char>(noted), {});
    const int found = jobs == "1" ? 4 : 8;  // by workers, each of which is replaced three times
    EXPECT_LE(count_of("stuck\n", lines), found + 1 + 3 + 1) << "to repeat it, to look into it, to show it";
    std::remove(file.c_str());
    EXPECT_THAT(run.text, HasSubstr("Shrunk to 1 deviation from the plain run.\n"));
    EXPECT_THAT(run.text, HasSubstr("lost_update.hpp  *  ")) << "the step by which it departs";
    EXPECT_THAT(run.text, HasSubstr("It fails when add_one 2: start at "));
  }
}

TEST(CrashOfAWorkerTest, ShowsWhatItHadWritten) {
  const std::string text = search("Aborts").text;
  EXPECT_EQ(count_of("the end of it\n", text), 1) << text;
  EXPECT_THAT(search("NeverEndsAStep", "--lockstep_real_time_max=100ms").text,
              ContainsRegex("a step has not ended after 100 ms of real time .real_time_max.\n *main "));
}

// With which CO_REPLAY knows that it does not apply any more.
TEST(CrashOfAWorkerTest, HasATokenThatTellsOfItsOverrides) {
  for (const std::string test : {"Aborts", "IsKilled"}) {
    EXPECT_THAT(search(test).text, ContainsRegex("LOCKSTEP_REPLAY='?ls1:[0-9a-f]+:plain:[0-9]@[0-9]>[0-9]:"
                                                 "[0-9]+[.][0-9a-f]+[.][.][0-9a-f]+;"));
  }
}

TEST(CrashOfAWorkerTest, WithoutWorkersTheProcessEnds) {
  const child_run run = search("Aborts", "--lockstep_jobs=0");
  EXPECT_EQ(run.end, "signal 6\n");
  EXPECT_THAT(run.text, HasSubstr("with --lockstep_jobs=1 it tells which run it was"));
}

TEST(WorkersOfATest, SayTheSameEachTime) {
  for (const std::string test : {"Fails", "Aborts", "CrashesBeforeItFails", "IsLarge"}) {
    const std::string first = search(test, "--lockstep_jobs=3").text;
    EXPECT_EQ(search(test, "--lockstep_jobs=3").text, first);
  }
}

TEST(WorkersOfATest, FindWhatIsFoundWithoutThem) {
  for (const std::string jobs : {"0", "1", "4"}) {
    const std::string text = search("Fails", "--lockstep_jobs=" + jobs).text;
    EXPECT_THAT(text, HasSubstr("Shrunk to 1 deviation from the plain run.\n")) << text;
    EXPECT_THAT(search("Passes", "--lockstep_jobs=" + jobs).text,
                ContainsRegex("Passes: all [0-9]+ orderings checked"));
  }
}

TEST(WorkersOfATest, GoOnBehindACrash) {
  const std::string text = search("CrashesBeforeItFails", "--lockstep_jobs=2").text;
  EXPECT_THAT(text, HasSubstr("crash of the process: SIGABRT"));
  EXPECT_THAT(text, HasSubstr("The search went on behind that run, and found 1 other failure.\n"));
  EXPECT_THAT(text, HasSubstr("Expected: (drawn) < (50)"));
}

TEST(WorkersOfATest, AreNotInterruptedByThemselves) {
  const std::string text = search("EndsItselfInOneOrder", "--lockstep_jobs=2").text;
  EXPECT_THAT(text, HasSubstr("crash of the process: SIGTERM"));
  EXPECT_THAT(text, HasSubstr("fails in 1 of 2 orderings (all checked)"));
}

TEST(WorkersOfATest, EndTheirSearchWhenItIsInterrupted) {
  const child_run run = search("Is*Interrupted", "--lockstep_jobs=2");
  EXPECT_EQ(run.end, "signal " + std::to_string(SIGINT) + "\n") << run.text;
  EXPECT_THAT(run.text,
              ContainsRegex("explored Searched.IsInterrupted: interrupted: [0-9,]+ runs, an estimated [^\n]* of "
                            "the space, nothing found\n"));
  EXPECT_THAT(run.text, HasSubstr("[  SKIPPED ] Searched.IsInterrupted"));
  EXPECT_THAT(run.text, HasSubstr("[  SKIPPED ] Searched.IsLeftOutWhenTheSearchWasInterrupted"));
}

TEST(WorkersOfATest, TellOfAFailureThatWasNotShrunkAsItWasInterrupted) {
  const child_run run = search("FailsAndIsInterrupted", "");
  EXPECT_EQ(run.end, "signal " + std::to_string(SIGINT) + "\n") << run.text;
  EXPECT_THAT(run.text, HasSubstr("1 FAILED TEST\n"));
  EXPECT_THAT(run.text, ContainsRegex("fails in run [0-9]+ of the search \\([a-z ]+\\)\\. Not shrunk, as it was "
                                      "interrupted: [0-9]+ deviations? from the plain run\\.\n"));
  EXPECT_THAT(run.text, HasSubstr("repeat: LOCKSTEP_REPLAY='ls1:"));
}

TEST(WorkersOfATest, CompareRunsThatAreMadeTwice) {
  for (const std::string jobs : {"0", "2"}) {
    const std::string text = search("LeavesSomethingToTheNextRun", "--lockstep_jobs=" + jobs).text;
    EXPECT_THAT(text, HasSubstr("Failure\nnondeterminism: the search ended after ")) << text;
    EXPECT_THAT(text, HasSubstr("one of them, made again with the same choices, was another run"));
    EXPECT_THAT(text, HasSubstr("they differ first at 0 ns (virtual), after step "));
    const std::string line = repeat_line_in(text);
    EXPECT_THAT(line, HasSubstr(" --lockstep_check_determinism"));
    EXPECT_THAT(run_command(line).text, HasSubstr("Failure\nnondeterminism: "));
  }
}

}  // namespace
}  // namespace lockstep::detail
