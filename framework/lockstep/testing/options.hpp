// How a test is run: its knobs, each under one name as a field here, a `--lockstep_…` flag and a `LOCKSTEP_…` variable.
//
// A test's options are the defaults, overridden by the fixture's `lockstep_options()`, by what stands behind the test's
// name in CO_TEST, by the environment, and by the command line, in this order. Lengths of time are written as a whole
// number with ns, us, ms, s, min or h; what is true or false as 1 or 0.
#pragma once

#include <lockstep/choice/oracle.hpp>
#include <lockstep/explore/explorer.hpp>
#include <lockstep/explore/strategy.hpp>
#include <lockstep/time/clock.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace lockstep {

enum class clock_mode {
  jumping,  // jumps to the next deadline whenever every task waits
  paused,   // moves only for advance()
  real,     // the machine's, on the operating system: see `clock` below
};

// How long a test is explored: so many runs, or so long in real time, whichever comes first.
struct exploration_budget {
  std::uint64_t runs = 10'000;
  duration time = duration::max();

  bool none() const noexcept { return runs == 0 || time <= duration::zero(); }
};

// An unset field leaves the choice to the next layer.
struct options {
  // How choices are made. plain; but random if more than one run is asked for, since plain runs are all the same.
  std::optional<lockstep::schedule> schedule = {};
  // The seed of random schedules. 1.
  std::optional<std::uint64_t> seed = {};
  // How often the test is run, each time with a derived seed, until it fails. Standard output appears of the first run
  // and of the one that fails or is skipped. At least 1. 1.
  std::optional<std::uint64_t> runs = {};
  // Which tasks may overtake which. any_order.
  std::optional<ordering> order = {};
  // Whether virtual time jumps by itself. jumping. On the real clock the test runs once, on the operating system, with
  // real I/O and threads, its tasks in the order in which they become ready; no limit of steps or time applies, and no
  // token repeats it. Its clock shows each deadline to the nanosecond, however late a timer fires.
  std::optional<clock_mode> clock = {};
  // How many times faster than the machine's the real clock is, for tests of hours; what really takes time takes so
  // many times longer on it. 1 to 1'000'000'000. 1.
  std::optional<std::uint32_t> time_scale = {};
  // Steps of all tasks together; more is a livelock. Every test makes one at least. 1'000'000.
  std::optional<std::uint64_t> steps_max = {};
  // Virtual time; more is a verdict. 366 days.
  std::optional<duration> time_max = {};
  // Real time without a step after which the process is ended; 0 for never. 60 s.
  std::optional<duration> real_time_max = {};
  // Real time from which one step is called slow. 100 ms.
  std::optional<duration> slow_step = {};
  // Whether a slow step fails the test; else it only warns. false.
  std::optional<bool> fail_on_slow_step = {};
  // Whether every run is made twice and compared. false.
  std::optional<bool> check_determinism = {};
  // Brute force: each run is made again and again, and every time something else is done to it. The test must stand
  // that without a leak, a verdict or a failed assertion; what leaves it may be `cancelled`, or std::bad_alloc, but
  // nothing else. Set-up and tear-down are not disturbed. See docs/tutorial/13-brute-force.md. false.
  std::optional<bool> cancel_every = {};      // the body, or put_under_test(), is cancelled at each of its suspensions
  std::optional<bool> fail_alloc_every = {};  // each allocation fails; needs <lockstep/testing/failing_new.hpp>
  std::optional<bool> destroy_every = {};     // the world is torn down at each step
  // How many runs each of these makes at most, spread over all that there would be. At least 1. 10'000.
  std::optional<std::uint64_t> sweep_max = {};
  // Searches the orders of the test for one that fails, shrinks it, and explains it; what was covered if none does. See
  // docs/tutorial/18-find-the-race.md. Not; `--lockstep_explore` alone is 10'000 runs.
  std::optional<exploration_budget> explore = {};
  // Which orders are tried, and in which turn. portfolio.
  std::optional<search_by> search = {};
  // How much of the samples that a search makes each strategy makes. urw 60, pos 10, uniform 20, pct 10.
  std::optional<sample_weights> weights = {};
  // The test's word that every variable which its tasks share is a shared<T> or one of our objects: then far fewer
  // orders come to the same, and more can be proven. false.
  std::optional<bool> all_shared_declared = {};
  // How many processes search, each a part; a run that crashes is a failure like any other then. 0 for none but this
  // one, as a debugger wants it. Up to 1024. As many as there are cores that this process may use.
  std::optional<std::uint32_t> jobs = {};

  // The fields that are set in `over` replace those here.
  options& apply(const options& over);
};

// For the options of a test: CO_TEST(Account, NeverOverdraws, explore()), or with others,
// explore({}, {.all_shared_declared = true}).
inline options explore(exploration_budget budget = {}, options others = {}) {
  others.explore = budget;
  return others;
}
template <std::integral T>
options explore(T runs, options others = {}) {
  return explore(exploration_budget{static_cast<std::uint64_t>(runs)}, std::move(others));
}
// So long in real time.
template <class Rep, class Period>
options explore(std::chrono::duration<Rep, Period> time, options others = {}) {
  return explore(exploration_budget{~std::uint64_t{0}, saturating_cast(time)}, std::move(others));
}

// Seeds from `first` up to `end`, which is not among them.
struct seed_range {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
};

// What the command line and the environment say.
struct command_line {
  options test_options;
  std::string replay;                        // a token
  std::optional<seed_range> seeds;           // one run for each, see seed_runs.hpp
  std::string out;                           // the folder for what these runs come to
  std::string failures;                      // the file of failures; empty for the one beside the program
  std::optional<bool> network_trace;         // of each run that is no part of a search, to standard error
  std::string capture;                       // the file for the packets of the last of these runs
  std::map<std::string, std::string> shape;  // flags with values that a run depends on and no token holds
};

// Read once, when GoogleTest has read its own flags: they are taken from its argument list, and left in it.
// A flag that does not exist, or a bad value, ends the process with a sentence that names it and says what is right; a
// variable that does not exist is warned of.
// With --help, prints lockstep's flags behind GoogleTest's.
const command_line& parsed_command_line();

// Why a test with these options cannot be run on the real clock, as a sentence about what was asked for along with
// that; empty if it can, or is not to be.
std::string objection_to_real_clock(const options& of_fixture, const options& of_test);

// The options of one test: defaults, then each layer in turn. Every field is set.
options effective_options(const options& of_fixture, const options& of_test);

}  // namespace lockstep
