#include <lockstep/testing/test_runs.hpp>

#include <lockstep/explore/replay.hpp>
#include <lockstep/explore/signature.hpp>
#ifdef LOCKSTEP_TESTS_FOR_REAL
#include <lockstep/real/world.hpp>
#endif
#include <lockstep/report/text.hpp>
#include <lockstep/runtime/exception_group.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/testing/crash.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <utility>

namespace lockstep::detail {

std::string full_name() {
  const testing::TestInfo* const info = testing::UnitTest::GetInstance()->current_test_info();
  return info == nullptr ? "" : fmt::format("{}.{}", info->test_suite_name(), info->name());
}

namespace {

// As a word of a shell's command line.
std::string quoted(const std::string& word) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

}  // namespace

std::string command_that_repeats(const std::string& name) {
  const std::vector<std::string> arguments = testing::internal::GetArgvs();
  std::string command = fmt::format("{} {}", quoted(arguments.empty() ? "./TEST_PROGRAM" : arguments.front()),
                                    quoted("--gtest_filter=" + name));
  for (const auto& [flag, value] : parsed_command_line().shape) command += fmt::format(" {}={}", flag, quoted(value));
  if (name.find("DISABLED_") != std::string::npos) command += " --gtest_also_run_disabled_tests";
  return command;
}

std::string repeat_line(const token& replay, const std::string& command) {
  return "repeat: LOCKSTEP_REPLAY='" + to_text(replay) + "' " + command;
}

std::variant<token, std::string> token_of_test(const std::string& text, const std::string& of,
                                               std::string_view advice) {
  std::variant<token, std::string> read = parse_token(text);
  const token* const known = std::get_if<token>(&read);
  if (known != nullptr && known->test != test_hash(of)) {
    return fmt::format("the token \"{}\" is of another test ({:04x}; this is {}, {:04x}); {}", text, known->test, of,
                       test_hash(of), advice);
  }
  return read;
}

std::variant<std::monostate, token, std::string> token_for_sweep() {
  const std::string test = full_name();
  const std::string& text = test.empty() ? test : parsed_command_line().replay;
  if (text.empty()) return std::monostate();
  std::variant<token, std::string> read = token_of_test(text, test, "select its test with --gtest_filter");
  if (std::string* const problem = std::get_if<std::string>(&read)) return std::move(*problem);
  return std::get<token>(std::move(read));
}

std::string line_that_compares(const token& replay) {
  const std::string command = command_that_repeats();
  const bool compares = parsed_command_line().test_options.check_determinism.value_or(false) &&
                        command.find("--lockstep_check_determinism") != std::string::npos;
  return repeat_line(replay, compares ? command : command + " --lockstep_check_determinism");
}

namespace {

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

}  // namespace

void test_instance::keep(std::exception_ptr& failure) {
  if (failure == nullptr) {
    failure = std::current_exception();
    failed_in_ = part_;
  } else {
    later_failures_.push_back(text_of_thrown(part_));
  }
}

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
  sim::world_options how = options_of_world(choices.order);
  const bool plain =
      choices.base == schedule::plain && choices.task_overrides.empty() && choices.value_overrides.empty();
  how.choices = plain ? nullptr : &by_token;
  how.keep_trace = keep_trace;
  static_cast<sim::world&>(*world_).start(how);
}

sim::world_options test_runner::options_of_world(ordering order) const {
  sim::world_options how;
  how.steps_max = *knobs_.steps_max;
  how.time_max = *knobs_.time_max;
  how.order = order;
  how.paused_clock = knobs_.clock == clock_mode::paused;
  return how;
}

run_result test_runner::make_for_search(oracle& choices, ordering order) {
  base_world& world = *world_;
  failure_interceptor failures;
  sim::world_options how = options_of_world(order);
  how.choices = &choices;
  static_cast<sim::world&>(world).start(how);
  drive(failures, nullptr);
  world.finish();
  if (world.loop().given_up()) return {};
  if (failures.failed()) {
    for (const failure_part& part : failures.parts()) {
      if (!part.failed()) continue;
      if (const auto& thrown = world.failure_report(); thrown && part.message == to_text(*thrown)) {
        return {true, signature_of(*thrown)};
      }
      return {true, part.file.empty() ? without_numbers(part.message) : signature_of_assertion(part.file, part.line)};
    }
  }
  for (const verdict& found : world.verdicts()) {
    if (counts(found)) return {true, signature_of(found)};
  }
  return {false, {}, failures.skipped()};
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

// As the command line asks for it.
void test_runner::look_on(std::optional<capture>& packets, std::optional<network_trace>& calls) {
  const command_line& line = parsed_command_line();
  const bool prints = line.network_trace.value_or(false);
  if (line.capture.empty() && !prints) return;
  sim::network& of = static_cast<sim::world&>(*world_).network();
  if (!line.capture.empty()) packets.emplace(line.capture, of);
  if (prints) calls.emplace(of);
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
    crash_notice notice(for_real() ? std::string(not_repeatable) : repeat_line(without_print, command_), &world.loop(),
                        output);
    failures.tell([&](const failure_part& part) { notice.add(words_of(part, name_)); });
    world.on_verdict([&](const verdict& found) {
      if (counts(found)) notice.add(words_of(part_of(found, testing::TestPartResult::kNonFatalFailure), name_));
    });
    start_world(choices, oracle, keep_trace);
    std::optional<capture> packets;
    std::optional<network_trace> calls;
    if (!for_real()) look_on(packets, calls);
    if (by != nullptr) world.loop().disturb(by);
    const watched_run watched(watched_by(), notice);
    drive(failures, by);
    if (keep_trace) result.record = copy_of(world.loop().history());
    world.finish();
    if (calls) fmt::print(stderr, "{}", calls->text());
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
  result.misfit = oracle.misfit();
  if (const auto departed = oracle.departure(result.trace_hash); departed && of_ == name_) {
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
  result.test = of_;
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
                           fmt::format("nondeterminism: {}\n  {}", *differs, causes_of_nondeterminism)});
  }
  return first;
}

}  // namespace lockstep::detail
