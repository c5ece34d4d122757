#include <lockstep/testing/runner.hpp>

#include <lockstep/report/columns.hpp>
#include <lockstep/testing/exploration.hpp>
#include <lockstep/testing/interruption.hpp>
#include <lockstep/testing/power_cut.hpp>
#include <lockstep/testing/seed_runs.hpp>
#include <lockstep/testing/swept_fault.hpp>
#include <lockstep/testing/test_runs.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

namespace lockstep::detail {

namespace {

// `remark` is said of the trace.
void report(outcome found, std::uint64_t run, std::uint64_t runs, std::string_view remark = "") {
  bool told = false;
  for (failure_part& part : found.parts) {
    while (part.message.ends_with('\n')) part.message.pop_back();
    if (part.failed() && !std::exchange(told, true)) {
      if (runs > 1) part.message += fmt::format("\nin run {} of {}", run + 1, runs);
      if (!found.disturbed.empty()) {
        part.message += fmt::format("\n{}_every: {}", name_of(found.replay.disturbed->kind), found.disturbed);
      }
      part.message += found.repeatable ? fmt::format("\n{}\ntrace {:016x}{}",
                                                     repeat_line(found.replay, command_that_repeats(found.test)),
                                                     found.trace_hash, remark)
                                       : fmt::format("\n{}", not_repeatable);
    }
    publish(part);
  }
}

// To the report of a plain run that has failed, for which nothing was searched: the run in columns, if it fails again.
void add_columns(test_runner& runner, outcome& plain) {
  const auto part = std::find_if(plain.parts.begin(), plain.parts.end(), std::mem_fn(&failure_part::failed));
  if (part == plain.parts.end()) return;
  token same = plain.replay;
  same.print = {};
  const muted_output muted;
  const outcome again = runner.make_with_record(same);
  if (!again.failed) return;
  while (part->message.ends_with('\n')) part->message.pop_back();
  part->message +=
      fmt::format("\n\n{}\nIt is the plain run that fails, so no other order was tried.", columns_of(again.record));
}

// The token of the test `of`; reports and returns nothing if it cannot be used there.
std::optional<token> token_to_replay(const std::string& text, const std::string& of, std::string_view advice) {
  std::variant<token, std::string> read = token_of_test(text, of, advice);
  if (const std::string* problem = std::get_if<std::string>(&read)) {
    publish({testing::TestPartResult::kFatalFailure, "", 0, "replay refused: " + *problem});
    return std::nullopt;
  }
  return std::get<token>(std::move(read));
}

// What GoogleTest takes for a parameterized suite. It asks for the parameters when it has read its flags; there are
// none, and so no tests.
class flag_reader : public testing::TestWithParam<int> {
 public:
  static testing::internal::ParamGenerator<int> read() {
    if (parsed_command_line().seeds) expect_seeds_to_be_run();
    return testing::ValuesIn(std::vector<int>());
  }
};

}  // namespace

void read_flags_with_googletest() {
  static const bool registered = [] {
    const char* const name = "lockstep_flag_reader";
    const testing::internal::CodeLocation here(__FILE__, __LINE__);
    auto* const suite =
        testing::UnitTest::GetInstance()->parameterized_test_registry().GetTestSuitePatternHolder<flag_reader>(name,
                                                                                                               here);
    suite->AddTestPattern(name, "", nullptr, here);
    suite->AddTestSuiteInstantiation("", &flag_reader::read, nullptr, __FILE__, __LINE__);
    const testing::internal::MarkAsIgnored no_complaint(name);
    return true;
  }();
  static_cast<void>(registered);
}

namespace {

// Flags and variables refuse it themselves.
bool refuse_zero(std::string_view knob, std::uint64_t value, bool of_test) {
  if (value == 0) {
    publish({testing::TestPartResult::kFatalFailure, "", 0,
             fmt::format("{} is 0 in {}, which would prove nothing; at least 1 run is needed", knob,
                         of_test ? "the options behind the test's name" : "the fixture's lockstep_options()")});
  }
  return value == 0;
}

// Whether the packets of the runs cannot go where they are to; reports that.
bool refuse_capture(const std::string& path) {
  if (path.empty()) return false;
  if (std::FILE* const file = std::fopen(path.c_str(), "ab")) {
    std::fclose(file);
    return false;
  }
  publish(
      {testing::TestPartResult::kFatalFailure, "", 0,
       fmt::format("capture refused: \"{}\" cannot be written ({}); --lockstep_capture=FILE says where the packets go",
                   path, std::generic_category().message(errno))});
  return true;
}

// Whether the program's allocations can be made to fail; reports that they cannot.
bool can_fail_allocations() {
  static const bool can = [] {
    disturbance counting(disturbance_kind::fail_alloc, 0);
    context own;
    own.fails = &counting;
    context* const outer = std::exchange(current_context, &own);
    ::operator delete(::operator new(1));
    current_context = outer;
    return counting.moments() != 0;
  }();
  if (!can) {
    publish({testing::TestPartResult::kFatalFailure, "", 0,
             "fail_alloc_every needs allocation functions that can fail: write #include "
             "<lockstep/testing/failing_new.hpp> in one source of the test program"});
  }
  return can;
}

// What the sweeps of a test came to.
struct sweep_count {
  std::uint64_t disturbed = 0;
  std::uint64_t moments = 0;
  bool limited = false;
};

// Disturbs the run of `choices` at each moment in turn, or at as many as it may, evenly spread. Returns the run that
// failed, if one did.
std::optional<outcome> sweep(test_runner& runner, token choices, disturbance_kind kind, std::uint64_t runs_max,
                             muted_output& output, sweep_count& swept) {
  choices.print = {};
  output.forget();
  outcome counted = runner.count(choices, kind, &output);
  if (counted.failed) return counted;
  const std::uint64_t runs = std::min(counted.moments, runs_max);
  swept.moments += counted.moments;
  swept.limited |= runs < counted.moments;
  for (std::uint64_t run = 0; run < runs; ++run) {
    choices.disturbed = {kind, run * counted.moments / runs + 1};
    output.forget();
    outcome found = runner.disturb(choices, counted.named, &output);
    if (found.failed) return found;
    if (!found.disturbed.empty()) ++swept.disturbed;
  }
  return std::nullopt;
}

// Every sweep that the options ask for, of runs that pass. Says at its end how many there were.
class sweeps {
 public:
  sweeps(test_runner& runner, const options& knobs) : runner_(runner), runs_max_(*knobs.sweep_max) {
    if (*knobs.cancel_every) kinds_.emplace_back(disturbance_kind::cancel, sweep_count());
    if (*knobs.fail_alloc_every) kinds_.emplace_back(disturbance_kind::fail_alloc, sweep_count());
    if (*knobs.destroy_every) kinds_.emplace_back(disturbance_kind::destroy, sweep_count());
  }

  bool wanted() const noexcept { return !kinds_.empty(); }
  bool possible() const {
    return std::all_of(kinds_.begin(), kinds_.end(), [](const auto& each) {
      return each.first != disturbance_kind::fail_alloc || can_fail_allocations();
    });
  }
  std::optional<outcome> make(const token& choices, muted_output& output) {
    for (auto& [kind, swept] : kinds_) {
      if (auto found = sweep(runner_, choices, kind, runs_max_, output, swept)) return found;
    }
    return std::nullopt;
  }
  void tell() const {
    for (const auto& [kind, swept] : kinds_) {
      fmt::print("{}_every: {} stands {}\n", name_of(kind), full_name(), text_of(kind, swept));
    }
  }

 private:
  std::string text_of(disturbance_kind kind, const sweep_count& swept) const {
    const std::string_view what = kind == disturbance_kind::cancel       ? "cancellation"
                                  : kind == disturbance_kind::fail_alloc ? "failing allocation"
                                                                         : "tear-down";
    const std::string_view s = swept.moments == 1 ? "" : "s";
    if (swept.disturbed == swept.moments) return fmt::format("{} {}{}", swept.moments, what, s);
    const std::string limit = swept.limited ? fmt::format(", evenly spread (sweep_max is {})", runs_max_) : "";
    return fmt::format("{} of {} {}{}{}", swept.disturbed, swept.moments, what, s, limit);
  }

  test_runner& runner_;
  std::uint64_t runs_max_;
  std::vector<std::pair<disturbance_kind, sweep_count>> kinds_;
};

// The run of a token that says how to disturb it.
outcome disturbed_replay(test_runner& runner, const token& replay) {
  muted_output muted;  // the run before tells whether the test names a task, and makes what is only made once
  const bool named = runner.count(replay, replay.disturbed->kind, &muted).named;
  muted.forget();
  return runner.disturb(replay, named, nullptr);
}

// Of a run that ended before it could be disturbed.
std::string text_of_lacking_moment(const outcome& found) {
  return fmt::format("it comes to {} moments at which it could be disturbed, not to number {}", found.moments,
                     found.replay.disturbed->moment);
}

}  // namespace

void run_replay(const test_plan& plan, const std::string& of, const std::string& token_text) {
  const testing::TestInfo& here = *testing::UnitTest::GetInstance()->current_test_info();
  const auto fail = [&here](const std::string& why) {
    publish({testing::TestPartResult::kNonFatalFailure, here.file(), here.line(), why});
  };
  const options knobs = effective_options(plan.of_fixture, plan.of_test);
  if (knobs.clock == clock_mode::real) return fail("CO_REPLAY has nothing to replay: no token repeats a real clock");
  if (refuse_capture(parsed_command_line().capture)) return;
  auto replay = token_to_replay(token_text, of, "a CO_REPLAY names the test that its token is of");
  if (!replay) return;
  replay->print = {0, {}, {}, replay->print.deviations};  // other steps are no failure, other deviations are
  const bool disturbed = replay->disturbed.has_value();
  if (disturbed && replay->disturbed->kind == disturbance_kind::fail_alloc && !can_fail_allocations()) return;
  if (!replay->task_overrides.empty() && replay->print.deviations.empty()) {
    fmt::print(
        "replayed {}: the token has no digits for its overrides of tasks, so nothing notices if these apply to "
        "other steps now; a token that LOCKSTEP_REPLAY or the search prints has them\n",
        of);
  }
  test_runner runner(plan, knobs, of);
  outcome found = disturbed ? disturbed_replay(runner, *replay) : runner.make(*replay);
  std::optional<std::string> misfit = found.misfit;
  if (!misfit && disturbed && found.disturbed.empty()) misfit = text_of_lacking_moment(found);
  if (misfit && !found.failed && !found.skipped) {
    fail(
        fmt::format("the token no longer applies: {}; if that order cannot happen any more, remove the CO_REPLAY; "
                    "otherwise explore again and replace the token",
                    *misfit));
  }
  report(std::move(found), 0, 1);
}

// What one layer of options asks for and another makes meaningless.
void tell_what_is_left_out(const test_plan& plan, const options& knobs) {
  options asked = plan.of_fixture;
  const command_line& line = parsed_command_line();
  asked.apply(plan.of_test).apply(line.test_options);
  if (knobs.clock == clock_mode::real && asked.explore && !asked.explore->none()) {
    fmt::print("not explored: {}: the real clock has one order only\n", full_name());
  }
  if (knobs.clock == clock_mode::real && (!line.capture.empty() || line.network_trace.value_or(false))) {
    fmt::print("no calls or packets of {}: on the real clock its network is that of the machine\n", full_name());
  }
  if (!knobs.explore->none() && *knobs.runs > 1) {
    fmt::print("explored {}: runs is {}, which is left out: the budget of a search is that of explore\n", full_name(),
               *knobs.runs);
  }
}

void run_test(const test_plan& plan) {
  const command_line& line = parsed_command_line();
  const options knobs = effective_options(plan.of_fixture, plan.of_test);
  if (refuse_zero("runs", *knobs.runs, plan.of_test.runs.has_value())) return;
  if (knobs.clock != clock_mode::real && refuse_capture(line.capture)) return;
  if (refuse_zero("sweep_max", *knobs.sweep_max, plan.of_test.sweep_max.has_value())) return;
  if (const std::string objection = objection_to_real_clock(plan.of_fixture, plan.of_test); !objection.empty()) {
    publish({testing::TestPartResult::kFatalFailure, "", 0, objection});
    return;
  }
  if (interruption::noted()) {
    publish({testing::TestPartResult::kSkip, "", 0, std::string(interrupted_search)});
    return;
  }
  tell_what_is_left_out(plan, knobs);
  test_runner runner(plan, knobs);
  if (line.seeds) return run_seeds(runner, knobs, *line.seeds, line.out);
  sweeps brute_force(runner, knobs);
  if (!brute_force.possible()) return;
  if (!line.replay.empty()) {
    if (auto replay = token_to_replay(line.replay, full_name(), "select its test with --gtest_filter")) {
      replay = without_swept_fault(without_power_cut(*std::move(replay)));
      const bool disturbed = replay->disturbed.has_value();
      if (disturbed && replay->disturbed->kind == disturbance_kind::fail_alloc && !can_fail_allocations()) return;
      outcome found = disturbed ? disturbed_replay(runner, *replay) : runner.make(*replay);
      if (disturbed && !found.failed && found.disturbed.empty()) {
        publish({testing::TestPartResult::kNonFatalFailure, "", 0,
                 "departed replay: this is not the token's run any more: " + text_of_lacking_moment(found)});
        return;
      }
      const std::string_view remark =
          found.departed || replay->print.trace_end.empty() ? "" : ", as in the token's run";
      if (!found.failed) {
        fmt::print("replayed: {} passes; trace {:016x}{}\n", full_name(), found.trace_hash, remark);
      }
      const bool goes_on = !found.failed && !found.skipped && !disturbed && brute_force.wanted();
      report(std::move(found), 0, 1, remark);
      if (goes_on) {
        std::optional<muted_output> muted(std::in_place);
        std::optional<outcome> fallen = brute_force.make(*replay, *muted);
        if (fallen) muted->show();
        muted.reset();
        fallen ? report(std::move(*fallen), 0, 1) : brute_force.tell();
      }
    }
    return;
  }
  token choices;
  choices.test = test_hash(full_name());
  choices.base = *knobs.schedule;
  choices.order = *knobs.order;
  if (!knobs.explore->none()) {
    token plain = choices;
    plain.base = schedule::plain;
    const std::optional<worker_end> death = death_of_plain_run(runner, knobs);
    std::optional<outcome> first;
    if (!death) first = runner.make(plain);
    if (first && first->failed) {
      add_columns(runner, *first);
      return report(std::move(*first), 0, 1);
    }
    const std::optional<std::uint64_t> trace = first ? std::optional(first->trace_hash) : std::nullopt;
    const search_end end = explore_test(runner, knobs, death, trace);
    if (end == search_end::skipped && first) return report(std::move(*first), 0, 1);
    if (end != search_end::passed || !brute_force.wanted()) return;
  }
  // Output is shown of the first run, and of the one that is told of.
  std::optional<muted_output> muted;
  for (std::uint64_t run = 0; run < *knobs.runs; ++run) {
    if (run == 1) muted.emplace();
    if (muted) muted->forget();
    choices.seed = seed_of_run(*knobs.seed, run);
    outcome found = runner.make(choices, muted ? &*muted : nullptr);
    bool ends_here = found.failed || found.skipped;
    if (!ends_here && brute_force.wanted()) {
      if (!muted) muted.emplace();
      if (auto fallen = brute_force.make(choices, *muted)) {
        found = std::move(*fallen);
        ends_here = true;
      }
    }
    if (!ends_here && run + 1 < *knobs.runs) continue;
    if (ends_here && muted) muted->show();
    muted.reset();
    if (!ends_here) brute_force.tell();
    report(std::move(found), run, *knobs.runs);
    return;
  }
}

}  // namespace lockstep::detail
