#include <lockstep/testing/options.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace lockstep {

namespace {

constexpr std::string_view prefix = "--lockstep_";

// "250ms", "3s", "2min", "1h", "24h"; a bare number is refused, since it has no unit.
duration parse_duration(const std::string& text) {
  struct unit {
    std::string_view name;
    duration length;
  };
  static constexpr unit units[] = {{"ns", std::chrono::nanoseconds(1)},  {"us", std::chrono::microseconds(1)},
                                   {"ms", std::chrono::milliseconds(1)}, {"s", std::chrono::seconds(1)},
                                   {"min", std::chrono::minutes(1)},     {"h", std::chrono::hours(1)}};
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  for (const unit& known : units) {
    if (digits == 0 || digits > 12 || text.substr(digits) != known.name) continue;
    return known.length * std::stoll(text.substr(0, digits));
  }
  throw CLI::ValidationError(
      fmt::format("\"{}\" is no duration; write a whole number and ns, us, ms, s, min or h", text));
}

// One knob in its two outward spellings.
class knobs {
 public:
  explicit knobs(CLI::App& app) : app_(app) {}

  template <class T>
  void value(const std::string& name, std::optional<T>& into, const std::string& help) {
    spell(app_.add_option_function<T>(
              "--lockstep_" + name, [&into](const T& read) { into = read; }, help),
          name);
  }
  void length(const std::string& name, std::optional<duration>& into, const std::string& help) {
    spell(app_.add_option_function<std::string>(
              "--lockstep_" + name, [&into](const std::string& read) { into = parse_duration(read); }, help),
          name);
  }
  template <class T>
  void choice(const std::string& name, std::optional<T>& into, std::vector<std::pair<std::string, T>> known,
              const std::string& help) {
    spell(app_.add_option_function<T>(
                  "--lockstep_" + name, [&into](const T& read) { into = read; }, help)
              ->transform(CLI::CheckedTransformer(known)),
          name);
  }
  void flag(const std::string& name, std::optional<bool>& into, const std::string& help) {
    spell(app_.add_flag_function(
              "--lockstep_" + name + "{true},--no-lockstep_" + name + "{false}",
              [&into](std::int64_t set) { into = set > 0; }, help),
          name);
  }
  void text(const std::string& name, std::string& into, const std::string& help) {
    spell(app_.add_option("--lockstep_" + name, into, help), name);
  }

 private:
  static void spell(CLI::Option* option, std::string name) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    option->envname("LOCKSTEP_" + name);
  }

  CLI::App& app_;
};

command_line parse(const std::vector<std::string>& arguments) {
  command_line read;
  CLI::App app("lockstep's flags");
  app.set_help_flag();
  knobs knob(app);
  options& into = read.test_options;
  knob.choice<lockstep::schedule>(
      "schedule", into.schedule,
      {{"plain", schedule::plain}, {"round_robin", schedule::round_robin}, {"random", schedule::random}},
      "how choices are made");
  knob.value("seed", into.seed, "the seed of random schedules");
  knob.value("runs", into.runs, "how often each test is run, until it fails");
  knob.choice<ordering>("order", into.order, {{"any_order", ordering::any_order}, {"fifo", ordering::fifo}},
                        "which tasks may overtake which");
  knob.choice<clock_mode>("clock", into.clock, {{"jumping", clock_mode::jumping}, {"paused", clock_mode::paused}},
                          "whether virtual time jumps by itself");
  knob.value("steps_max", into.steps_max, "steps after which a test is a livelock");
  knob.length("time_max", into.time_max, "virtual time after which a test fails");
  knob.length("real_time_max", into.real_time_max, "real time without a step after which the process ends");
  knob.length("slow_step", into.slow_step, "real time from which a step is slow");
  knob.flag("fail_on_slow_step", into.fail_on_slow_step, "whether a slow step fails the test");
  knob.flag("check_determinism", into.check_determinism, "run everything twice and compare");
  knob.text("replay", read.replay, "the token of a run to repeat");

  // CLI11 takes arguments from the back.
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  app.parse(reversed);
  if (into.runs == 0u)
    throw CLI::ValidationError("--lockstep_runs", "0 runs would prove nothing; it must be at least 1");
  return read;
}

}  // namespace

options& options::apply(const options& over) {
  const auto take = [](auto& field, const auto& from) {
    if (from) field = from;
  };
  take(schedule, over.schedule);
  take(seed, over.seed);
  take(runs, over.runs);
  take(order, over.order);
  take(clock, over.clock);
  take(steps_max, over.steps_max);
  take(time_max, over.time_max);
  take(real_time_max, over.real_time_max);
  take(slow_step, over.slow_step);
  take(fail_on_slow_step, over.fail_on_slow_step);
  take(check_determinism, over.check_determinism);
  return *this;
}

const command_line& parsed_command_line() {
  static const command_line parsed = [] {
    std::vector<std::string> ours;
    const std::vector<std::string> all = testing::internal::GetArgvs();
    for (const std::string& argument : all) {
      if (argument.starts_with(prefix) || argument.starts_with("--no-lockstep_")) ours.push_back(argument);
    }
    try {
      return parse(ours);
    } catch (const CLI::ParseError& error) {
      fmt::print(stderr, "lockstep: {}\n", error.what());
      std::exit(2);
    }
  }();
  return parsed;
}

options effective_options(const options& of_fixture, const options& of_test) {
  options all;
  all.schedule = schedule::plain;
  all.seed = 1;
  all.runs = 1;
  all.order = ordering::any_order;
  all.clock = clock_mode::jumping;
  all.steps_max = 1'000'000;
  all.time_max = std::chrono::hours{24 * 366};
  all.real_time_max = std::chrono::seconds{60};
  all.slow_step = std::chrono::milliseconds{100};
  all.fail_on_slow_step = false;
  all.check_determinism = false;
  return all.apply(of_fixture).apply(of_test).apply(parsed_command_line().test_options);
}

}  // namespace lockstep
