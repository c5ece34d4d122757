#include "child.hpp"

#include <lockstep/testing/seed_runs.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <variant>

namespace lockstep::detail {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

// Removed with all that is in it.
class folder {
 public:
  folder() : path_(std::filesystem::path(testing::TempDir()) / fmt::format("lockstep_seeds_{}", ++made_)) {
    std::filesystem::remove_all(path_);
  }
  ~folder() { std::filesystem::remove_all(path_); }
  std::string path() const { return path_.string(); }
  std::string text_of(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(path_ / name).rdbuf();
    return text.str();
  }

 private:
  static inline int made_ = 0;
  std::filesystem::path path_;
};

child_run seeds(const std::string& test, const std::string& range, const folder& out,
                const std::string& environment = "", const std::string& flags = "") {
  return run_subject(
      fmt::format("--gtest_filter=Seeded.{} --lockstep_seeds={} --lockstep_out={} {}", test, range, out.path(), flags),
      environment);
}

TEST(SeedRunsTest, WritesALineForEachSeed) {
  const folder out;
  const child_run run = seeds("LosesAnUpdateInSomeOrders", "0:20", out);
  EXPECT_EQ(run.end, "exit status 1\n");
  const std::string text = out.text_of("Seeded.LosesAnUpdateInSomeOrders.0-20.jsonl");
  EXPECT_EQ(count_of("\n", text), 20);
  for (int seed = 0; seed < 20; ++seed) {
    EXPECT_EQ(
        count_of(fmt::format(R"({{"test":"Seeded.LosesAnUpdateInSomeOrders","seed":{},"strategy":")", seed), text), 1);
  }
  EXPECT_THAT(text, ContainsRegex(R"("result":"passed","signature":null,"token":null,"trace":"[0-9a-f]{16}")"));
  EXPECT_THAT(text, ContainsRegex(R"("result":"failed","signature":"[^"]*searches.cpp:[0-9]+","token":"ls1:)"));
}

TEST(SeedRunsTest, ACrashIsALineToo) {
  const folder out;
  EXPECT_EQ(seeds("CrashesInSomeOrders", "0:20", out).end, "exit status 1\n");
  const std::string text = out.text_of("Seeded.CrashesInSomeOrders.0-20.jsonl");
  EXPECT_EQ(count_of("\n", text), 20);
  EXPECT_THAT(text, HasSubstr(R"("result":"crashed","signature":"crash: SIGABRT after lost_update.hpp:)"));
  EXPECT_THAT(text, HasSubstr(R"("result":"passed")"));
}

TEST(SeedRunsTest, TheStatusTellsWhatWasFound) {
  const folder out;
  EXPECT_EQ(seeds("Passes", "0:20", out).end, "");
  EXPECT_EQ(seeds("LeavesSomethingToTheNextRun", "0:50", out).end, "exit status 2\n");
  EXPECT_EQ(seeds("*", "0:50", out).end, "exit status 1\n") << "a bug is a bug";
}

TEST(SeedRunsTest, SaysWhatIsNotDeterministic) {
  const folder out;
  const child_run run = seeds("LeavesSomethingToTheNextRun", "0:50", out);
  EXPECT_THAT(run.text, HasSubstr(" nondeterministic: made again with the same choices, it is another run\n"));
  EXPECT_THAT(out.text_of("Seeded.LeavesSomethingToTheNextRun.0-50.jsonl"),
              HasSubstr(R"("nondeterministic","signature":"made again with the same choices, it is another run")"));
}

TEST(SeedRunsTest, TroubleIsNoBug) {
  const folder out;
  for (const std::string range : {"5:5", "7:5", "5", "a:b", ":"}) {
    EXPECT_EQ(seeds("Passes", range, out).end, "exit status 3\n") << range;
  }
  EXPECT_EQ(run_subject("--gtest_filter=Seeded.Passes --lockstep_seeds=0:1").end, "exit status 3\n");
  const child_run both = run_subject(
      "--gtest_filter=Seeded.Passes --lockstep_seeds=0:1 --lockstep_out=found_none "
      "--lockstep_explore");
  EXPECT_EQ(both.end, "exit status 3\n");
  EXPECT_THAT(both.text, HasSubstr("--lockstep_seeds makes one run for each seed, and --lockstep_explore searches; "
                                   "leave out one of them"));
  const child_run none = run_subject("--gtest_filter=Seeded.NoSuchTest --lockstep_seeds=0:1 --lockstep_out=found_none");
  EXPECT_EQ(none.end, "exit status 3\n");
  EXPECT_THAT(none.text, testing::HasSubstr("there was no coroutine test to run"));
  const std::string a_shard = "GTEST_TOTAL_SHARDS=2 GTEST_SHARD_INDEX=1";
  EXPECT_EQ(run_subject("--gtest_filter=Seeded.NoSuchTest --lockstep_seeds=0:1 --lockstep_out=found_none", a_shard).end,
            "");
  const child_run unwritable =
      run_subject("--gtest_filter=Seeded.Passes --lockstep_seeds=0:1 --lockstep_out=/proc/none");
  EXPECT_EQ(unwritable.end, "exit status 3\n");
  EXPECT_THAT(unwritable.text, HasSubstr("the seeds were not run: "));
  const child_run no_folder = run_subject("--gtest_filter=Seeded.Passes --lockstep_seeds=0:1 --lockstep_out=/dev/full");
  EXPECT_EQ(no_folder.end, "exit status 3\n");
  EXPECT_THAT(no_folder.text,
              HasSubstr("the seeds were not run: --lockstep_out=/dev/full: it is there, and no directory; name a "
                        "directory, which is made where there is none"));
  const child_run unnumbered = seeds("Passes", "0:1", out, "SLURM_ARRAY_TASK_ID=one");
  EXPECT_EQ(unnumbered.end, "exit status 3\n");
  EXPECT_THAT(unnumbered.text, HasSubstr("the variable SLURM_ARRAY_TASK_ID is \"one\", which is no whole number"));
  EXPECT_EQ(seeds("Passes", "0:10", out, "SLURM_ARRAY_TASK_ID=18446744073709551615").end, "exit status 3\n");
}

TEST(SeedRunsTest, SchedulersMoveTheRange) {
  for (const std::string variable : {"SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "TEST_RANDOM_SEED"}) {
    const folder out;
    EXPECT_EQ(seeds("Passes", "10:13", out, variable + "=2").end, "");
    EXPECT_EQ(count_of("\n", out.text_of("Seeded.Passes.16-19.jsonl")), 3) << variable;
  }
}

// The tests, each with all seeds.
TEST(SeedRunsTest, GoogleTestsShardsShareTheTests) {
  const folder out;
  for (const std::string index : {"0", "1", "2", "3"}) {
    seeds("*", "0:3", out, "GTEST_TOTAL_SHARDS=4 GTEST_SHARD_INDEX=" + index);
  }
  const child_run merged = run_command("cat " + out.path() + "/*.jsonl");
  EXPECT_EQ(count_of("\n", merged.text), 4 * 3);
}

TEST(SeedRunsTest, RangesAreMergedByCat) {
  const std::string test = "LosesAnUpdateInSomeOrders";
  const folder whole;
  seeds(test, "0:24", whole);
  const folder parts;
  const child_run merged = run_command(fmt::format(
      "seq 0 5 | xargs -P 3 -I % env JOB_COMPLETION_INDEX=% ./testing_subject --gtest_filter=Seeded.{0} "
      "--lockstep_seeds=0:4 --lockstep_out={1} > {1}.log 2>&1; rm {1}.log; for i in 0-4 4-8 8-12 12-16 16-20 20-24; do "
      "cat {1}/Seeded.{0}.$i.jsonl; done",
      test, parts.path()));
  EXPECT_EQ(merged.text, whole.text_of("Seeded.LosesAnUpdateInSomeOrders.0-24.jsonl"));
}

// As GNU parallel starts them: each process with a range of its own.
TEST(SeedRunsTest, RangesInSeveralProcessesAreOneRange) {
  const std::string test = "LosesAnUpdateInSomeOrders";
  const folder whole;
  seeds(test, "0:25", whole);
  const folder parts;
  const child_run merged = run_command(fmt::format(
      "seq 0 5 20 | xargs -P 2 -I % sh -c './testing_subject --gtest_filter=Seeded.{0} --lockstep_seeds=%:$((% + 5)) "
      "--lockstep_out={1} > /dev/null 2>&1'; cat $(ls -v {1}/*.jsonl)",
      test, parts.path()));
  EXPECT_EQ(merged.text, whole.text_of("Seeded.LosesAnUpdateInSomeOrders.0-25.jsonl"));
}

TEST(SeedRunsTest, ALineIsTheSameWithoutWorkers) {
  const folder workers;
  const folder none;
  seeds("LosesAnUpdateInSomeOrders", "0:20", workers);
  seeds("LosesAnUpdateInSomeOrders", "0:20", none, "", "--lockstep_jobs=0");
  const std::string name = "Seeded.LosesAnUpdateInSomeOrders.0-20.jsonl";
  EXPECT_EQ(none.text_of(name), workers.text_of(name));
}

TEST(SeedRunsTest, TheTokenOfALineRepeatsItsRun) {
  const folder out;
  seeds("LosesAnUpdateInSomeOrders", "0:20", out);
  const std::string text = out.text_of("Seeded.LosesAnUpdateInSomeOrders.0-20.jsonl");
  const std::size_t at = text.find("ls1:");
  ASSERT_NE(at, std::string::npos);
  const std::string replay = text.substr(at, text.find('"', at) - at);
  const std::size_t trace_at = text.find("\"trace\":\"", at) + 9;
  const child_run again =
      run_subject("--gtest_filter=Seeded.LosesAnUpdateInSomeOrders", "'LOCKSTEP_REPLAY=" + replay + "'");
  EXPECT_EQ(again.end, "exit status 1\n");
  EXPECT_THAT(again.text, HasSubstr("\ntrace " + text.substr(trace_at, 16)));
}

// Whoever stops a job that is one of many has its lines, and knows which seeds are left.
TEST(SeedRunsTest, WhatIsStoppedWritesTheSeedsThatItMade) {
  for (const bool in_worker : {true, false}) {
    const std::string test = in_worker ? "Stopped.InAWorker" : "Stopped.InThisProcess";
    const folder out;
    const child_run run =
        run_subject(fmt::format("--gtest_filter={}:Stopped.IsBehindThose --lockstep_seeds=5:1000000000 "
                                "--lockstep_out={}",
                                test, out.path()));
    EXPECT_EQ(run.end, fmt::format("signal {}\n", in_worker ? SIGTERM : SIGINT)) << run.text;
    EXPECT_THAT(run.text, HasSubstr("[  SKIPPED ] Stopped.IsBehindThose"));
    const std::string says = test + ": interrupted after its seeds 5:";
    const std::size_t at = run.text.find(says);
    ASSERT_NE(at, std::string::npos) << run.text;
    const int end = std::stoi(run.text.substr(at + says.size()));
    EXPECT_THAT(run.text, HasSubstr(fmt::format("; {}:1000000000 are left\n", end)));
    EXPECT_EQ(run_command("ls " + out.path()).text, fmt::format("{}.5-{}.jsonl\n", test, end));
    EXPECT_EQ(count_of("\n", out.text_of(fmt::format("{}.5-{}.jsonl", test, end))), end - 5);
    EXPECT_GT(end, 20);
  }
}

TEST(SeedRunsTest, LeavesNoHalfFile) {
  const folder out;
  seeds("Passes", "0:3", out);
  EXPECT_EQ(run_command("ls " + out.path()).text, "Seeded.Passes.0-3.jsonl\n");
}

TEST(SeedRunsTest, NamesAFile) {
  EXPECT_EQ(file_of_seeds("found", "Cache.Coalesces", {0, 1'000}), "found/Cache.Coalesces.0-1000.jsonl");
  EXPECT_EQ(file_of_seeds("found", "All/Cache.Coalesces/2", {5, 6}), "found/All-Cache.Coalesces-2.5-6.jsonl");
}

TEST(SeedRunsTest, QuotesAsJsonDoes) {
  EXPECT_EQ(json_string("plain"), "\"plain\"");
  EXPECT_EQ(json_string("a \"b\" \\ c"), R"("a \"b\" \\ c")");
  EXPECT_EQ(json_string("two\nlines\t\x01"), R"("two\u000alines\u0009\u0001")");
  EXPECT_EQ(json_string("\xC3\xA4"), "\"\xC3\xA4\"");
  EXPECT_EQ(json_string("\xFF").find('\xFF'), std::string::npos);
}

}  // namespace
}  // namespace lockstep::detail
