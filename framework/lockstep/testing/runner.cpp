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

#include <cstdio>
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

// Makes the runs of one test, all in one world, which is reset between them.
class test_runner {
 public:
  test_runner(const test_plan& plan, const options& knobs)
      : plan_(plan), knobs_(knobs), world_(make_world(knobs)),
        watcher_(world_->loop(), *knobs.slow_step, *knobs.real_time_max) {}

  // Makes a run; twice, if they are to be compared. `output` is null unless it is muted.
  outcome make(const token& choices, muted_output* output = nullptr);

 private:
  bool for_real() const { return knobs_.clock == clock_mode::real; }
  static std::unique_ptr<base_world> make_world(const options& knobs);
  void start_world(const token& choices, oracle& by_token, bool keep_trace);
  outcome make_once(const token& choices, muted_output* output, bool keep_trace);
  void drive(failure_interceptor& failures);
  bool counts(const verdict& found) const { return found.kind != verdict_kind::slow_step || *knobs_.fail_on_slow_step; }

  const test_plan& plan_;
  const options& knobs_;
  const std::string name_ = full_name();
  const std::unique_ptr<base_world> world_;
  watcher watcher_;
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

void test_runner::drive(failure_interceptor& failures) {
  std::unique_ptr<test_instance> instance;
  try {
    instance = plan_.make();
  } catch (...) {
    publish_thrown(text_of_thrown("the fixture's constructor"));
    return;
  }
  instance->run_ends_early = [&failures] { return failures.failed_fatally() || failures.skipped(); };
  if (!instance->run_ends_early()) {
    const bool ended = world_->drive(instance->run_all());
    if (world_->failure() != nullptr && !reported_already(world_->failure())) {
      verdict thrown = *world_->failure_report();
      if (!instance->failed_in().empty()) thrown.message = instance->failed_in() + " threw: " + thrown.message;
      failures.add(part_of(thrown, testing::TestPartResult::kFatalFailure));
    }
    for (const std::string& each : instance->later_failures()) publish_thrown(each);
    if (!ended) {
      world_->tear_down();
      try {
        instance->tear_down_after_failure();
      } catch (...) {
        publish_thrown(text_of_thrown("TearDown()"));
      }
    }
  }
  const loop_scope in_the_name_of_main = world_->epilogue(!instance->run_ends_early());
  instance.reset();
}

outcome test_runner::make_once(const token& choices, muted_output* output, bool keep_trace) {
  guided_oracle oracle(choices);
  token without_print = choices;
  without_print.print = {};
  failure_interceptor failures;
  outcome result;
  {
    crash_notice notice(for_real() ? std::string(not_repeatable) : repeat_line(without_print), &world_->loop(), output);
    failures.tell([&](const failure_part& part) { notice.add(words_of(part, name_)); });
    world_->on_verdict([&](const verdict& found) {
      if (counts(found)) notice.add(words_of(part_of(found, testing::TestPartResult::kNonFatalFailure), name_));
    });
    start_world(choices, oracle, keep_trace);
    const watched_run watched(watcher_, notice);
    drive(failures);
    if (keep_trace) result.record = copy_of(world_->loop().history());
    world_->finish();
    world_->on_verdict(nullptr);
    failures.tell(nullptr);
  }
  for (const verdict& found : world_->verdicts()) {
    if (!counts(found)) {
      fmt::print(stderr, "{}: warning: {}", found.where.line() != 0 ? file_and_line(found.where) : name_,
                 to_text(found));
      continue;
    }
    failures.add(part_of(found, testing::TestPartResult::kNonFatalFailure));
  }
  result.trace_hash = world_->summary().trace_hash;
  if (const auto departed = oracle.departure(result.trace_hash)) {
    result.departed = true;
    failures.add({testing::TestPartResult::kNonFatalFailure, "", 0,
                  fmt::format("departed replay: this is not the token's run any more: {}; the code or its input has "
                              "changed since",
                              *departed)});
  }
  result.parts = failures.parts();
  result.failed = failures.failed();
  result.skipped = failures.skipped();
  result.repeatable = !for_real();
  result.replay = without_print;
  result.replay.print = oracle.print(result.trace_hash);
  return result;
}

outcome test_runner::make(const token& choices, muted_output* output) {
  if (!*knobs_.check_determinism) return make_once(choices, output, false);
  outcome first = make_once(choices, output, true);
  outcome second = make_once(choices, output, true);
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

void run_test(const test_plan& plan) {
  const command_line& line = parsed_command_line();
  const options knobs = effective_options(plan.of_fixture, plan.of_test);
  if (*knobs.runs == 0) {  // flags and variables refuse it themselves
    publish(
        {testing::TestPartResult::kFatalFailure, "", 0,
         fmt::format("runs is 0 in {}, which would prove nothing; at least 1 run is needed",
                     plan.of_test.runs ? "the options behind the test's name" : "the fixture's lockstep_options()")});
    return;
  }
  if (const std::string objection = objection_to_real_clock(plan.of_fixture, plan.of_test); !objection.empty()) {
    publish({testing::TestPartResult::kFatalFailure, "", 0, objection});
    return;
  }
  test_runner runner(plan, knobs);
  if (!line.replay.empty()) {
    if (const auto replay = token_to_replay(line.replay)) {
      outcome found = runner.make(*replay);
      const std::string_view remark =
          found.departed || replay->print.trace_end.empty() ? "" : ", as in the token's run";
      if (!found.failed) {
        fmt::print("replayed: {} passes; trace {:016x}{}\n", full_name(), found.trace_hash, remark);
      }
      report(std::move(found), 0, 1, remark);
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
    const bool ends_here = found.failed || found.skipped;
    if (!ends_here && run + 1 < *knobs.runs) continue;
    if (ends_here && muted) muted->show();
    muted.reset();
    report(std::move(found), run, *knobs.runs);
    return;
  }
}

}  // namespace lockstep::detail
