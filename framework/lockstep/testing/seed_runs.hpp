// Runs a test once for each seed of a range, as one of many machines that share no state.
//
//   ./cache_test --lockstep_seeds=0:1000 --lockstep_out=found
//
// A seed alone says how its run is made: by which strategy, and with which choices. So it is the same run on every
// machine, and ranges can be given to machines in any way. One file is written for each test, of one JSON line for each
// seed, when all its seeds have been run; files of disjoint ranges are merged by `cat`:
//   {"test":"Cache.Coalesces","seed":17,"strategy":"urw","result":"failed","signature":"cache_test.cpp:40",
//    "token":"ls1:…","trace":"9f3c…"}
// `result` is passed, failed, crashed or nondeterministic; signature and token are null if it passed.
// The process exits with 1 if a run failed or crashed, with 2 if the only trouble is a run that is another one when it
// is repeated, and with 3 if the range or the folder cannot be used, or no test was run.
//
// Where a scheduler numbers its jobs, the range is that of its job 0: it is moved by its own length as often as
// SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX (Kubernetes) or TEST_RANDOM_SEED (Bazel), whichever is set first, says.
// GoogleTest's shards, GTEST_TOTAL_SHARDS and GTEST_SHARD_INDEX, are shares of the tests, each with all its seeds.
#pragma once

#include <lockstep/testing/options.hpp>
#include <lockstep/testing/test_runs.hpp>

#include <string>
#include <variant>

namespace lockstep::detail {

// The range of this machine: `seeds`, moved as the environment says; or a sentence about a variable that is no number.
std::variant<seed_range, std::string> range_of_this_machine(seed_range seeds);

// "DIR/Cache.Coalesces.0-1000.jsonl". A test's name may have slashes, which become dashes.
std::string file_of_seeds(const std::string& folder, const std::string& test, seed_range seeds);

// As a JSON string, with its quotes. What is no UTF-8 is replaced.
std::string json_string(const std::string& text);

// If no test has made such runs in the end, and this is no shard of several, the process exits with 3.
void expect_seeds_to_be_run();

// Makes the runs of the test that GoogleTest runs now, and reports to it.
void run_seeds(test_runner& runner, const options& knobs, seed_range seeds, const std::string& folder);

}  // namespace lockstep::detail
