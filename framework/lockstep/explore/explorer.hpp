// The search for a run that fails: which orders are tried, in which turn, and what is known when it ends.
//
// First what is likely and cheap: the plain run, round robin, every run that departs from the plain one once. A sample
// then tells how large the space is. If it fits into what is left of the budget, all of it is searched; otherwise the
// rest is sampled by several strategies in turn. If it would fit with fewer values, those are searched first, the least
// of each. The first run that fails ends the search.
//
//   explorer search(code_under_test);
//   const exploration found = search.explore({.runs_max = 10'000});
//
// Where parts of one search are made by several processes, each is given its part; they try different runs, and share
// the budget. All orders of a small program are made by the first part alone, and the others sample meanwhile.
#pragma once

#include <lockstep/explore/bounded.hpp>
#include <lockstep/explore/corpus.hpp>
#include <lockstep/explore/estimate.hpp>
#include <lockstep/explore/observed.hpp>
#include <lockstep/explore/portfolio.hpp>
#include <lockstep/explore/program.hpp>
#include <lockstep/explore/sampling.hpp>
#include <lockstep/explore/systematic.hpp>
#include <lockstep/explore/trace_set.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

// Which orders are tried.
enum class search_by {
  portfolio,    // as described above
  systematic,   // all, leaving out by source sets what comes to the same
  sleep_sets,   // all, leaving out by sleep sets alone: slower, and simpler to trust
  every_order,  // all, leaving out nothing
  deviations,   // those that depart from the plain run in few places, then in more
  preemptions,  // those that take the turn from a running task seldom, then more often
  random,       // the samples alone
  coverage,     // samples that are made of what has shown something new
};
inline constexpr search_by all_searches[] = {search_by::portfolio,   search_by::systematic, search_by::sleep_sets,
                                             search_by::every_order, search_by::deviations, search_by::preemptions,
                                             search_by::random,      search_by::coverage};
std::string_view name_of(search_by how) noexcept;

// How far a search has come.
struct exploration_progress {
  std::uint64_t runs = 0;
  std::uint64_t distinct = 0;        // traces among them, about
  std::size_t covered = 0;           // pairs of tasks at one object, where that is looked at
  std::string_view phase;            // "deviations", "all orders", "samples"
  std::optional<double> share = {};  // of the phase that is behind us, where that is known
};

struct explore_options {
  std::uint64_t runs_max = 10'000;  // of all parts together
  // Asked every now and then: whether the search is to end here. Null for never.
  std::function<bool()> out_of_time = {};
  // Told every now and then. Null for nobody.
  std::function<void(const exploration_progress&)> on_progress = {};
  std::uint64_t seed = 1;
  ordering order = ordering::any_order;
  search_by by = search_by::portfolio;
  // The user's word that every variable which tasks share is a shared<T>, see systematic.hpp.
  bool all_shared_declared = false;
  sample_weights weights = {};
  // One run in so many is made twice, and must be the same both times. 0 for none, 1 for all.
  std::uint64_t check_every = 20;
  // This is the `part`-th of so many, from 0.
  std::uint32_t part = 0;
  std::uint32_t parts = 1;
  // Asked by a part that has used its share of the budget, and has more orders to make: how many runs of the other
  // parts' shares it may have. Told how many it has made, or needs for something else. Null for none.
  std::function<std::uint64_t(std::uint64_t spoken_for)> ask_for_runs = {};
  // So many samples are left out, those of a search that is gone on with.
  std::uint64_t samples_skipped = 0;
  // The plain run is known to end its process: only samples are made, which may differ from it.
  bool plain_dies = false;
  // Of the plain run, where it was made before: it must be the same again, as what the first run of a process leaves to
  // the others would hide the orders that only the first one has.
  std::optional<std::uint64_t> plain_trace = {};
};

// A run that failed.
struct failing_run {
  run_result result;
  std::vector<std::uint64_t> answers;  // as fixed_choices takes them
  std::string found_by;                // "plain", "deviations", "urw"
  std::uint64_t runs = 0;              // that were made until then, itself among them
};

// What a search came to.
struct exploration {
  std::optional<failing_run> failure = {};
  std::uint64_t runs = 0;
  std::uint64_t skipped = 0;  // of all runs; of the `classes` if it is exhaustive
  // Whether all runs that differ were made. `classes` of them then, and how many interleavings these stand for.
  bool exhaustive = false;
  std::uint32_t parts = 1;  // that must all be exhaustive, as each counts only its own
  std::uint64_t classes = 0;
  double interleavings = 0;
  bool interleavings_counted = false;  // and not estimated
  bool over_declared_data = false;     // see explore_options::all_shared_declared
  // Where the values were too many, so many of each, the least, and of how many. Then `classes` are those that have no
  // other values, and nothing is exhaustive. 0 otherwise.
  std::uint64_t values_tried = 0;
  std::uint64_t values_asked = 0;
  bool starving_left_out = false;  // runs in which somebody waits for very long, see systematic.hpp
  bool classes_repeated = false;   // some may be among the `classes` more than once, see systematic.hpp
  std::uint64_t samples = 0;       // among the runs
  // Otherwise, about how many different runs there are, and how many of those were seen.
  std::optional<double> estimated = {};
  std::uint64_t distinct = 0;
  // Of deviations or preemptions, up to which all runs were made; none if not even those with 0 were.
  std::optional<std::uint64_t> bound = {};
  bool stopped = false;     // out of time
  bool departed = false;    // a run could not be repeated: the program is not deterministic
  std::optional<std::vector<std::uint64_t>> departing = {};  // the answers of that run, where they are known
  trace_set seen = {};                                       // the runs' traces
};

// What the parts of one search came to together. The failure is that which took the fewest runs; of several, that of
// the first part.
exploration joined(const std::vector<exploration>& parts);

// What is known after a search that found nothing, as a sentence: "all 15 orderings checked (148,990 interleavings);
// any variable may be shared, and steps take no time".
std::string statement_of(const exploration& found, const explore_options& options);
// "148,990", "1.2e+15".
std::string count_text(double number);

class explorer {
 public:
  // `code` must outlive it.
  explicit explorer(program& code) noexcept : code_(code) {}

  exploration explore(const explore_options& options);

  // How many of all runs that differ fail: searches systematically to the end, past failures. Nothing if there are
  // more than `runs_max`.
  struct failing_share {
    std::uint64_t failing;
    std::uint64_t all;
  };
  std::optional<failing_share> share_that_fails(const explore_options& options, std::uint64_t runs_max);

 private:
  class search;

  program& code_;
};

}  // namespace lockstep
