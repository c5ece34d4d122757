#include <lockstep/testing/runner.hpp>

#include <lockstep/explore/determinism.hpp>
#include <lockstep/explore/replay.hpp>
#include <lockstep/report/text.hpp>
#include <lockstep/runtime/exception_group.hpp>
#include <lockstep/sim/world.hpp>
#include <lockstep/testing/crash.hpp>
#include <lockstep/testing/failures.hpp>
#include <lockstep/testing/watcher.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <optional>
#include <utility>
#include <variant>

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
  token replay;
  std::uint64_t trace_hash = 0;
  recorded_run record;
};

// The line that repeats a run.
std::string repeat_line(const token& replay) {
  const std::vector<std::string> arguments = testing::internal::GetArgvs();
  return fmt::format("repeat: LOCKSTEP_REPLAY='{}' {} --gtest_filter={}", to_text(replay),
                     arguments.empty() ? "./test" : arguments.front(), full_name());
}

failure_part part_of(const verdict& found, testing::TestPartResult::Type type) {
  return {type, found.where.line() != 0 ? found.where.file_name() : "", static_cast<int>(found.where.line()),
          to_text(found)};
}

// Whether the exception has been reported where it was thrown.
bool reported_already(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const testing::AssertionException&) {
    return true;
  } catch (const misuse&) {
    return true;
  } catch (...) {
    return false;
  }
}

class run_of_a_test {
 public:
  run_of_a_test(const test_plan& plan, const options& knobs, const token& choices)
      : plan_(plan), knobs_(knobs), choices_(choices) {}

  outcome make(bool keep_trace);

 private:
  void drive();
  void collect();

  const test_plan& plan_;
  const options& knobs_;
  const token& choices_;
  failure_interceptor failures_;
  sim::world world_;
  std::unique_ptr<test_instance> instance_;
};

void run_of_a_test::drive() {
  try {
    instance_ = plan_.make();
  } catch (const testing::AssertionException&) {
    return;
  } catch (...) {
    failures_.add({testing::TestPartResult::kFatalFailure, "", 0,
                   fmt::format("the fixture's constructor threw: {}", text_of(std::current_exception()))});
    return;
  }
  instance_->run_ends_early = [this] { return failures_.failed_fatally() || failures_.skipped(); };
  const bool ended = world_.drive(instance_->run_all());
  if (!ended || world_.loop().stopped()) {
    world_.tear_down();
    try {
      instance_->tear_down_after_failure();
    } catch (...) {
      failures_.add({testing::TestPartResult::kNonFatalFailure, "", 0,
                     fmt::format("TearDown() threw: {}", text_of(std::current_exception()))});
    }
  }
  collect();
  world_.tear_down();
  instance_.reset();
}

void run_of_a_test::collect() {
  if (world_.failure() != nullptr && !reported_already(world_.failure())) {
    failures_.add(part_of(*world_.failure_report(), testing::TestPartResult::kFatalFailure));
  }
}

outcome run_of_a_test::make(bool keep_trace) {
  guided_oracle oracle(choices_);
  sim::world_options how;
  how.steps_max = *knobs_.steps_max;
  how.time_max = *knobs_.time_max;
  how.order = choices_.order;
  how.paused_clock = knobs_.clock == clock_mode::paused;
  const bool plain =
      choices_.base == schedule::plain && choices_.task_overrides.empty() && choices_.value_overrides.empty();
  how.choices = plain ? nullptr : &oracle;
  how.keep_trace = keep_trace;

  token without_print = choices_;
  without_print.print = {};
  outcome result;
  {
    crash_notice notice(repeat_line(without_print), &world_.loop());
    const watcher watching(world_.loop(), notice, *knobs_.slow_step, *knobs_.real_time_max);
    world_.start(how);
    drive();
    if (keep_trace) result.record = copy_of(world_.loop().history());
    world_.finish();
  }
  for (const verdict& found : world_.verdicts()) {
    if (found.kind == verdict_kind::slow_step && !*knobs_.fail_on_slow_step) {
      fmt::print(stderr, "{}: warning: {}", file_and_line(found.where), to_text(found));
      continue;
    }
    failures_.add(part_of(found, testing::TestPartResult::kNonFatalFailure));
  }
  result.trace_hash = world_.summary().trace_hash;
  if (const auto departed = oracle.departure(result.trace_hash)) {
    failures_.add({testing::TestPartResult::kNonFatalFailure, "", 0,
                   fmt::format("departed replay: this is not the run that the token was taken of: {}; the code or its "
                               "input has changed since",
                               *departed)});
  }
  result.parts = failures_.parts();
  result.failed = failures_.failed();
  result.skipped = failures_.skipped();
  result.replay = without_print;
  result.replay.print = oracle.print(result.trace_hash);
  return result;
}

outcome make_run(const test_plan& plan, const options& knobs, const token& choices) {
  if (!*knobs.check_determinism) return run_of_a_test(plan, knobs, choices).make(false);
  outcome first = run_of_a_test(plan, knobs, choices).make(true);
  const outcome second = run_of_a_test(plan, knobs, choices).make(true);
  if (const auto differs = first_difference(first.record, second.record)) {
    first.failed = true;
    first.parts.push_back(
        {testing::TestPartResult::kNonFatalFailure, "", 0,
         fmt::format("nondeterminism: {}\n  look for uninitialised memory, real clocks, addresses used "
                     "as keys, and unordered containers",
                     *differs)});
  }
  return first;
}

void report(outcome found, std::uint64_t run, std::uint64_t runs) {
  bool told = false;
  for (failure_part& part : found.parts) {
    const bool failure =
        part.type == testing::TestPartResult::kFatalFailure || part.type == testing::TestPartResult::kNonFatalFailure;
    if (failure && !std::exchange(told, true)) {
      while (part.message.ends_with('\n')) part.message.pop_back();
      if (runs > 1) part.message += fmt::format("\nin run {} of {}", run + 1, runs);
      part.message += fmt::format("\n{}\ntrace {:016x}", repeat_line(found.replay), found.trace_hash);
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

}  // namespace

void run_test(const test_plan& plan) {
  const command_line& line = parsed_command_line();
  const options knobs = effective_options(plan.of_fixture, plan.of_test);
  if (!line.replay.empty()) {
    if (const auto replay = token_to_replay(line.replay)) {
      outcome found = make_run(plan, knobs, *replay);
      if (!found.failed) fmt::print("replayed: {} passes; trace {:016x}\n", full_name(), found.trace_hash);
      report(std::move(found), 0, 1);
    }
    return;
  }
  token choices;
  choices.test = test_hash(full_name());
  choices.base = *knobs.schedule;
  choices.order = *knobs.order;
  for (std::uint64_t run = 0; run < *knobs.runs; ++run) {
    choices.seed = seed_of_run(*knobs.seed, run);
    outcome found = make_run(plan, knobs, choices);
    const bool last = run + 1 == *knobs.runs || found.failed || found.skipped;
    if (!last) continue;
    report(std::move(found), run, *knobs.runs);
    return;
  }
}

}  // namespace lockstep::detail
