// Makes the runs of one test: the world, the fixture, the failures that are kept back.
#pragma once

#include <lockstep/explore/determinism.hpp>
#include <lockstep/explore/program.hpp>
#include <lockstep/explore/token.hpp>
#include <lockstep/runtime/base_world.hpp>
#include <lockstep/sim/capture.hpp>
#include <lockstep/sim/network_trace.hpp>
#include <lockstep/sim/world.hpp>
#include <lockstep/testing/failures.hpp>
#include <lockstep/testing/muted_output.hpp>
#include <lockstep/testing/runner.hpp>
#include <lockstep/testing/watcher.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace lockstep::detail {

// Of the test that runs now: "Cache.Coalesces"; empty if none does.
std::string full_name();

// What one run came to.
struct outcome {
  std::vector<failure_part> parts;
  bool failed = false;
  bool skipped = false;
  bool departed = false;
  std::optional<std::string> misfit;  // of the token, see guided_oracle
  bool named = false;                 // a task to be disturbed, by the test
  std::uint64_t moments = 0;          // at which it could have been disturbed
  std::string disturbed;              // what was done to it; empty for nothing
  std::string test;                   // the full name of the one whose run it is
  token replay;
  bool repeatable = true;  // by that token
  std::uint64_t trace_hash = 0;
  recorded_run record;

  std::string_view end() const noexcept { return failed ? "failed" : skipped ? "was skipped" : "passed"; }
};

// How the test of that name is run alone: the program, its filter, and what shapes the test.
std::string command_that_repeats(const std::string& name = full_name());
// The line that repeats a run, to be pasted where the program was started. A test that is run many times passes its
// command, which is the same for all of them.
std::string repeat_line(const token& replay, const std::string& command = command_that_repeats());
// The same for one that is another when it is repeated: there the run is made twice and compared.
std::string line_that_compares(const token& replay);
// The same for a run in a real world.
inline constexpr std::string_view not_repeatable = "on the real clock, so no token repeats this run";
// The token of the test `of`, or why it cannot be used there. `advice` is what to do with that of another test.
std::variant<token, std::string> token_of_test(const std::string& text, const std::string& of, std::string_view advice);
// That of the command line for the test that runs now, in whose body a sweep is; nothing if there is none.
std::variant<std::monostate, token, std::string> token_for_sweep();
// What `read` finds in it: nothing, the run of the sweep that is to be made again, or what is wrong, as a sentence.
template <class Found>
Found found_for_sweep(Found (*read)(const token&)) {
  std::variant<std::monostate, token, std::string> given = token_for_sweep();
  if (std::string* const problem = std::get_if<std::string>(&given)) return std::move(*problem);
  const token* const replay = std::get_if<token>(&given);
  return replay != nullptr ? read(*replay) : Found(std::monostate());
}
// Where to look when a run is not what it was before.
inline constexpr std::string_view causes_of_nondeterminism =
    "look for uninitialised memory, real clocks, addresses used as keys, unordered containers, and what one run leaves "
    "to the next";

// In one world, which is reset between them; those whose allocations fail each in a new one.
class test_runner {
 public:
  // Of the test `of`, which is another than the one that runs now where that one replays it.
  test_runner(const test_plan& plan, const options& knobs, std::string of = full_name())
      : plan_(plan), knobs_(knobs), of_(std::move(of)) {
    renew_world();
  }

  // Makes a run; twice, if they are to be compared. `output` is null unless it is muted.
  outcome make(const token& choices, muted_output* output = nullptr) {
    const auto& planned = choices.disturbed;
    return planned ? make(choices, output, planned->kind, planned->moment, false)
                   : make(choices, output, std::nullopt, 0, false);
  }
  // The same, counting the moments at which it could be disturbed.
  outcome count(token choices, disturbance_kind kind, muted_output* output) {
    choices.disturbed.reset();
    return make(choices, output, kind, 0, false);
  }
  // A run of a search, which keeps nothing but whether it failed, and how. Requires that nobody else sees the output.
  run_result make_for_search(oracle& choices, ordering order);
  std::uint64_t trace_hash() const noexcept { return world_->summary().trace_hash; }
  loop& watched_loop() noexcept { return world_->loop(); }
  watcher& watched_by() {
    if (!watcher_) watcher_.emplace(world_->loop(), *knobs_.slow_step, stuck_after(), name_of_stuck_limit());
    return *watcher_;
  }
  // A run of it got stuck: from the next rest() on, others that do are ended sooner than by real_time_max.
  void expect_stuck_steps() noexcept { expects_stuck_steps_ = true; }
  // Until the next run, no thread of ours is left, as is needed to fork.
  void rest() { watcher_.reset(); }
  // Of the run under way.
  recorded_run record_so_far() const { return copy_of(world_->loop().history()); }
  // The same as make(), with the whole run kept.
  outcome make_with_record(const token& choices) { return make_once(choices, nullptr, true, nullptr); }
  // The same, disturbed as `choices` say. `named` is whether the test names the task for that.
  outcome disturb(const token& choices, bool named, muted_output* output) {
    return make(choices, output, choices.disturbed->kind, choices.disturbed->moment, named);
  }

 private:
  duration stuck_after() const {
    const duration most = *knobs_.real_time_max;
    return expects_stuck_steps_ ? std::min(most, std::max<duration>(most / 20, std::chrono::seconds(1))) : most;
  }
  std::string_view name_of_stuck_limit() const {
    return stuck_after() == *knobs_.real_time_max ? "real_time_max"
                                                  : "less than real_time_max, as a run of it got stuck before";
  }
  bool for_real() const { return knobs_.clock == clock_mode::real; }
  static std::unique_ptr<base_world> make_world(const options& knobs);
  void start_world(const token& choices, oracle& by_token, bool keep_trace);
  void look_on(std::optional<capture>& packets, std::optional<network_trace>& calls);
  sim::world_options options_of_world(ordering order) const;
  outcome make(const token& choices, muted_output* output, std::optional<disturbance_kind> kind, std::uint64_t moment,
               bool named);
  outcome make_once(const token& choices, muted_output* output, bool keep_trace, disturbance* by);
  void drive(failure_interceptor& failures, disturbance* by);
  // So that every allocation of the run is made in the run.
  void renew_world() {
    watcher_.reset();
    world_ = make_world(knobs_);
  }
  bool counts(const verdict& found) const { return found.kind != verdict_kind::slow_step || *knobs_.fail_on_slow_step; }

  const test_plan& plan_;
  const options& knobs_;
  const std::string of_;
  const std::string name_ = full_name().empty() ? of_ : full_name();
  const std::string command_ = command_that_repeats(of_);
  std::unique_ptr<base_world> world_;
  std::optional<watcher> watcher_;  // made by the first run
  bool expects_stuck_steps_ = false;
};

}  // namespace lockstep::detail
