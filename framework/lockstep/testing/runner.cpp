#include <lockstep/testing/runner.hpp>

#include <lockstep/explore/determinism.hpp>
#include <lockstep/explore/replay.hpp>
#ifdef LOCKSTEP_TESTS_FOR_REAL
#include <lockstep/real/world.hpp>
#endif
#include <lockstep/report/text.hpp>
#include <lockstep/runtime/exception_group.hpp>
#include <lockstep/sim/world.hpp>
#include <lockstep/testing/crash.hpp>
#include <lockstep/testing/failures.hpp>
#include <lockstep/testing/muted_output.hpp>
#include <lockstep/testing/watcher.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace lockstep::detail {

namespace {

std::string full_name() {
  const testing::TestInfo& info = *testing::UnitTest::GetInstance()->current_test_info();
  return fmt::format("{}.{}", info.test_suite_name(), info.name());
}

// What one run came to.
struct outcome {
  std::vector<failure_part> parts;
  bool failed = false;
  bool skipped = false;
  bool departed = false;
  bool named = false;         // a task to be disturbed, by the test
  std::uint64_t moments = 0;  // at which it could have been disturbed
  std::string disturbed;      // what was done to it; empty for nothing
  token replay;
  bool repeatable = true;  // by that token
  std::uint64_t trace_hash = 0;
  recorded_run record;

  std::string_view end() const noexcept { return failed ? "failed" : skipped ? "was skipped" : "passed"; }
};

// As a word of a shell's command line.
std::string quoted(const std::string& word) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

// The line that repeats a run, to be pasted where the program was started.
std::string repeat_line(const token& replay) {
  const std::vector<std::string> arguments = testing::internal::GetArgvs();
  const std::string name = full_name();
  std::string line =
      fmt::format("repeat: LOCKSTEP_REPLAY='{}' {} {}", to_text(replay),
                  quoted(arguments.empty() ? "./test" : arguments.front()), quoted("--gtest_filter=" + name));
  for (const auto& [flag, value] : parsed_command_line().shape) line += fmt::format(" {}={}", flag, quoted(value));
  if (name.find("DISABLED_") != std::string::npos) line += " --gtest_also_run_disabled_tests";
  return line;
}

// The same for a run in a real world.
constexpr std::string_view not_repeatable = "on the real clock, so no token repeats this run";

failure_part part_of(const verdict& found, testing::TestPartResult::Type type) {
  return {type, found.where.line() != 0 ? found.where.file_name() : "", static_cast<int>(found.where.line()),
          to_text(found)};
}

// For a process that dies before it can be published. Given the test's name, because GoogleTest holds a lock while it
// reports a failure: to ask it for the name then would wait for ever.
std::string words_of(const failure_part& part, const std::string& name) {
  const std::string where = part.file.empty() ? name : fmt::format("{}:{}", part.file, part.line);
  return fmt::format("{}: Failure\n{}\n", where, part.message);
}

// Whether the exception has been reported where it was thrown. Called within the run.
bool reported_already(const std::exception_ptr& thrown) {
  return holds<testing::AssertionException>(thrown) || current_loop()->tells_of(thrown);
}

// In a handler: tells of the exception under way; empty if that has been done, or it only says that a task has gone.
std::string text_of_thrown(std::string_view thrower) {
  const std::exception_ptr thrown = std::current_exception();
  if (reported_already(thrown) || holds<cancelled>(thrown)) return {};
  return fmt::format("{} threw: {}", thrower, text_of(thrown));
}

void publish_thrown(const std::string& text) {
  if (!text.empty()) publish({testing::TestPartResult::kFatalFailure, "", 0, text});
}

// Makes the runs of one test in one world, which is reset between them; those whose allocations fail each in a new one.
class test_runner {
 public:
  test_runner(const test_plan& plan, const options& knobs) : plan_(plan), knobs_(knobs) { renew_world(); }

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
  // The same, disturbed as `choices` say. `named` is whether the test names the task for that.
  outcome disturb(const token& choices, bool named, muted_output* output) {
    return make(choices, output, choices.disturbed->kind, choices.disturbed->moment, named);
  }

 private:
  bool for_real() const { return knobs_.clock == clock_mode::real; }
  static std::unique_ptr<base_world> make_world(const options& knobs);
  void start_world(const token& choices, oracle& by_token, bool keep_trace);
  outcome make(const token& choices, muted_output* output, std::optional<disturbance_kind> kind, std::uint64_t moment,
               bool named);
  outcome make_once(const token& choices, muted_output* output, bool keep_trace, disturbance* by);
  void drive(failure_interceptor& failures, disturbance* by);
  // So that every allocation of the run is made in the run.
  void renew_world() {
    watcher_.reset();
    world_ = make_world(knobs_);
    watcher_.emplace(world_->loop(), *knobs_.slow_step, *knobs_.real_time_max);
  }
  bool counts(const verdict& found) const { return found.kind != verdict_kind::slow_step || *knobs_.fail_on_slow_step; }

  const test_plan& plan_;
  const options& knobs_;
  const std::string name_ = full_name();
  std::unique_ptr<base_world> world_;
  std::optional<watcher> watcher_;
};

std::unique_ptr<base_world> test_runner::make_world(const options& knobs) {
#ifdef LOCKSTEP_TESTS_FOR_REAL
  if (knobs.clock == clock_mode::real) return std::make_unique<real::world>();
#endif
  static_cast<void>(knobs);
  return std::make_unique<sim::world>();
}

void test_runner::start_world(const token& choices, oracle& by_token, bool keep_trace) {
#ifdef LOCKSTEP_TESTS_FOR_REAL
  if (for_real()) {
    real::world_options how;
    how.clock.exact = true;
    how.clock.time_scale = *knobs_.time_scale;
    how.keep_trace = keep_trace;
    return static_cast<real::world&>(*world_).start(how);
  }
#endif
  sim::world_options how;
  how.steps_max = *knobs_.steps_max;
  how.time_max = *knobs_.time_max;
  how.order = choices.order;
  how.paused_clock = knobs_.clock == clock_mode::paused;
  const bool plain =
      choices.base == schedule::plain && choices.task_overrides.empty() && choices.value_overrides.empty();
  how.choices = plain ? nullptr : &by_token;
  how.keep_trace = keep_trace;
  static_cast<sim::world&>(*world_).start(how);
}

void test_runner::drive(failure_interceptor& failures, disturbance* by) {
  base_world& world = *world_;
  std::unique_ptr<test_instance> instance;
  try {
    instance = plan_.make();
  } catch (...) {
    publish_thrown(text_of_thrown("the fixture's constructor"));
    return;
  }
  instance->run_ends_early = [&failures] { return failures.failed_fatally() || failures.skipped(); };
  instance->disturbs = by;
  bool ended = false;
  if (!instance->run_ends_early()) {
    ended = world.drive(instance->run_all());
    const std::exception_ptr& failure = world.failure();
    if (failure != nullptr && !reported_already(failure) && (by == nullptr || !by->explains(failure))) {
      verdict thrown = *world.failure_report();
      if (!instance->failed_in().empty()) thrown.message = instance->failed_in() + " threw: " + thrown.message;
      failures.add(part_of(thrown, testing::TestPartResult::kFatalFailure));
    }
    for (const std::string& each : instance->later_failures()) publish_thrown(each);
    if (!ended) {
      world.tear_down();
      try {
        instance->tear_down_after_failure();
      } catch (...) {
        publish_thrown(text_of_thrown("TearDown()"));
      }
    }
  }
  const loop_scope in_the_name_of_main = world.epilogue(!instance->run_ends_early());
  const bool torn_down_on_purpose = by != nullptr && by->kind() == disturbance_kind::destroy && !by->done().empty();
  if (!failures.failed() && (ended || torn_down_on_purpose)) world.loop().tell_of_quiet();
  instance.reset();
}

// Whether it says that a mock function was called too seldom, as happens where the code under test was cut short.
bool is_unmet_expectation(const failure_part& part) {
  return part.message.starts_with("Actual function call count doesn't match EXPECT_CALL") &&
         part.message.find(" - unsatisfied and ") != std::string::npos;
}

outcome test_runner::make_once(const token& choices, muted_output* output, bool keep_trace, disturbance* by) {
  if (by != nullptr && by->kind() == disturbance_kind::fail_alloc) renew_world();
  base_world& world = *world_;
  guided_oracle oracle(choices);
  token without_print = choices;
  without_print.print = {};
  failure_interceptor failures;
  outcome result;
  {
    crash_notice notice(for_real() ? std::string(not_repeatable) : repeat_line(without_print), &world.loop(), output);
    failures.tell([&](const failure_part& part) { notice.add(words_of(part, name_)); });
    world.on_verdict([&](const verdict& found) {
      if (counts(found)) notice.add(words_of(part_of(found, testing::TestPartResult::kNonFatalFailure), name_));
    });
    start_world(choices, oracle, keep_trace);
    if (by != nullptr) world.loop().disturb(by);
    const watched_run watched(*watcher_, notice);
    drive(failures, by);
    if (keep_trace) result.record = copy_of(world.loop().history());
    world.finish();
    world.on_verdict(nullptr);
    failures.tell(nullptr);
  }
  for (const verdict& found : world.verdicts()) {
    if (!counts(found)) {
      fmt::print(stderr, "{}: warning: {}", found.where.line() != 0 ? file_and_line(found.where) : name_,
                 to_text(found));
      continue;
    }
    failures.add(part_of(found, testing::TestPartResult::kNonFatalFailure));
  }
  result.trace_hash = world.summary().trace_hash;
  if (by != nullptr) {
    result.named = by->named();
    result.moments = by->moments();
    result.disturbed = by->done();
  }
  if (const auto departed = oracle.departure(result.trace_hash)) {
    result.departed = true;
    failures.add({testing::TestPartResult::kNonFatalFailure, "", 0,
                  fmt::format("departed replay: this is not the token's run any more: {}; the code or its input has "
                              "changed since",
                              *departed)});
  }
  result.parts = failures.parts();
  if (!result.disturbed.empty() && (!world.ended_well())) std::erase_if(result.parts, is_unmet_expectation);
  result.failed = std::any_of(result.parts.begin(), result.parts.end(), std::mem_fn(&failure_part::failed));
  result.skipped = failures.skipped();
  result.repeatable = !for_real();
  result.replay = without_print;
  result.replay.print = oracle.print(result.trace_hash);
  return result;
}

outcome test_runner::make(const token& choices, muted_output* output, std::optional<disturbance_kind> kind,
                          std::uint64_t moment, bool named) {
  const auto once = [&](bool keep_trace) {
    std::optional<disturbance> by;
    if (kind) by.emplace(*kind, moment, named);
    return make_once(choices, output, keep_trace, by ? &*by : nullptr);
  };
  if (!*knobs_.check_determinism) return once(false);
  outcome first = once(true);
  outcome second = once(true);
  std::optional<std::string> differs = first_difference(first.record, second.record);
  if (!differs && first.end() != second.end()) {
    differs = fmt::format("the runs are the same step by step, but the first {} and the second {}", first.end(),
                          second.end());
  }
  if (differs) {
    if (!first.failed) first.parts = std::move(second.parts);
    first.failed = true;
    first.parts.push_back({testing::TestPartResult::kNonFatalFailure, "", 0,
                           fmt::format("nondeterminism: {}\n  look for uninitialised memory, real clocks, addresses "
                                       "used as keys, unordered containers, and what one run leaves to the next",
                                       *differs)});
  }
  return first;
}

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
      part.message += found.repeatable
                          ? fmt::format("\n{}\ntrace {:016x}{}", repeat_line(found.replay), found.trace_hash, remark)
                          : fmt::format("\n{}", not_repeatable);
    }
    publish(part);
  }
}

// The token that LOCKSTEP_REPLAY or --lockstep_replay names; reports and returns nothing if it cannot be used here.
std::optional<token> token_to_replay(const std::string& text) {
  std::variant<token, std::string> parsed = parse_token(text);
  if (const std::string* problem = std::get_if<std::string>(&parsed)) {
    publish({testing::TestPartResult::kFatalFailure, "", 0, "replay refused: " + *problem});
    return std::nullopt;
  }
  const token& read = std::get<token>(parsed);
  if (read.test != test_hash(full_name())) {
    publish({testing::TestPartResult::kFatalFailure, "", 0,
             fmt::format("replay refused: the token \"{}\" is of another test ({:04x}; this is {}, {:04x}); select its "
                         "test with --gtest_filter",
                         text, read.test, full_name(), test_hash(full_name()))});
    return std::nullopt;
  }
  return read;
}

// What GoogleTest takes for a parameterized suite. It asks for the parameters when it has read its flags; there are
// none, and so no tests.
class flag_reader : public testing::TestWithParam<int> {
 public:
  static testing::internal::ParamGenerator<int> read() {
    parsed_command_line();
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

void test_instance::keep(std::exception_ptr& failure) {
  if (failure == nullptr) {
    failure = std::current_exception();
    failed_in_ = part_;
  } else {
    later_failures_.push_back(text_of_thrown(part_));
  }
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

}  // namespace

void run_test(const test_plan& plan) {
  const command_line& line = parsed_command_line();
  const options knobs = effective_options(plan.of_fixture, plan.of_test);
  if (refuse_zero("runs", *knobs.runs, plan.of_test.runs.has_value())) return;
  if (refuse_zero("sweep_max", *knobs.sweep_max, plan.of_test.sweep_max.has_value())) return;
  if (const std::string objection = objection_to_real_clock(plan.of_fixture, plan.of_test); !objection.empty()) {
    publish({testing::TestPartResult::kFatalFailure, "", 0, objection});
    return;
  }
  test_runner runner(plan, knobs);
  sweeps brute_force(runner, knobs);
  if (!brute_force.possible()) return;
  if (!line.replay.empty()) {
    if (const auto replay = token_to_replay(line.replay)) {
      const bool disturbed = replay->disturbed.has_value();
      if (disturbed && replay->disturbed->kind == disturbance_kind::fail_alloc && !can_fail_allocations()) return;
      outcome found = disturbed ? disturbed_replay(runner, *replay) : runner.make(*replay);
      if (disturbed && !found.failed && found.disturbed.empty()) {
        publish(
            {testing::TestPartResult::kNonFatalFailure, "", 0,
             fmt::format("departed replay: this is not the token's run any more: it comes to {} moments at which it "
                         "could be disturbed, not to number {}",
                         found.moments, replay->disturbed->moment)});
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
