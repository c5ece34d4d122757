#include <lockstep/testing/options.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep {

namespace {

constexpr std::string_view prefix = "--lockstep_";

// A bad value of a flag or a variable: a sentence that says how to write it.
class bad_value : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// "250ms", "3s", "2min", "1h", "24h"; a bare number other than 0 is refused, since it has no unit.
duration read_length(const std::string& text) {
  struct unit {
    std::string_view name;
    duration length;
  };
  static constexpr unit units[] = {{"ns", std::chrono::nanoseconds(1)},  {"us", std::chrono::microseconds(1)},
                                   {"ms", std::chrono::milliseconds(1)}, {"s", std::chrono::seconds(1)},
                                   {"min", std::chrono::minutes(1)},     {"h", std::chrono::hours(1)}};
  if (text == "0") return {};
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  for (const unit& known : units) {
    if (digits == 0 || digits > 18 || text.substr(digits) != known.name) continue;
    const duration::rep count = std::stoll(text.substr(0, digits));
    if (count > duration::max() / known.length) throw bad_value("which is too long; the longest is 2562047h");
    return known.length * count;
  }
  throw bad_value("which is no length of time; write a whole number with ns, us, ms, s, min or h, such as 250ms");
}

std::uint64_t read_number(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw bad_value("which is no whole number of 64 bits; write it in decimal digits");
  }
  return value;
}

bool read_truth(const std::string& text) {
  if (text == "1" || text == "true") return true;
  if (text == "0" || text == "false") return false;
  throw bad_value("which is neither true nor false; write 1 or 0");
}

template <class T>
using names_of = std::vector<std::pair<std::string, T>>;

// Every knob in its two outward spellings.
class knobs {
 public:
  explicit knobs(command_line& into) : into_(into) {
    options& set = into.test_options;
    const names_of<lockstep::schedule> schedules = {
        {"plain", schedule::plain}, {"round_robin", schedule::round_robin}, {"random", schedule::random}};
    const names_of<ordering> orders = {{"any_order", ordering::any_order}, {"fifo", ordering::fifo}};
    const names_of<clock_mode> clocks = {{"jumping", clock_mode::jumping}, {"paused", clock_mode::paused}};
    choice("schedule", set.schedule, schedules, "how choices are made; plain, or random if there are several runs");
    knob("seed", "NUMBER", set.seed, read_number, "the seed of random schedules; 1");
    knob("runs", "NUMBER", set.runs, read_runs, "how often each test is run, each time with another seed; 1");
    choice("order", set.order, orders, "which tasks may overtake which; any_order");
    choice("clock", set.clock, clocks, "whether virtual time jumps by itself; jumping");
    knob("steps_max", "NUMBER", set.steps_max, read_number, "steps after which a test is a livelock; 1000000");
    knob("time_max", "LENGTH", set.time_max, read_length, "virtual time after which a test fails; 8784h");
    knob("real_time_max", "LENGTH", set.real_time_max, read_length,
         "real time after which one step ends the process, 0 for never; 60s");
    knob("slow_step", "LENGTH", set.slow_step, read_length, "real time from which one step is called slow; 100ms");
    knob("fail_on_slow_step", "", set.fail_on_slow_step, read_truth, "fail a test that has a slow step; false");
    knob("check_determinism", "", set.check_determinism, read_truth, "make every run twice and compare; false");
    add("replay", "TOKEN", "the token of a run to repeat, as a failure prints it",
        [&into](const std::string& text) { into.replay = text; });
  }

  // Those that a token does not hold, though the run depends on them.
  static bool shapes_the_run(std::string_view name) {
    return name == "clock" || name == "steps_max" || name == "time_max";
  }

  // Sets what the environment says, then what `arguments` say.
  void read(const std::vector<std::string>& arguments) {
    for (const row& each : rows_) {
      const std::string variable = upper("LOCKSTEP_" + each.name);
      const char* value = std::getenv(variable.c_str());
      if (value != nullptr && *value != '\0') set(each, variable, value);
    }
    for (const std::string& argument : arguments) {
      const std::string spelling = argument.substr(0, argument.find('='));
      const row& found = row_of(spelling);
      if (spelling.size() != argument.size()) {
        set(found, spelling, argument.substr(spelling.size() + 1));
      } else if (found.value.empty()) {
        set(found, spelling, "true");
      } else {
        throw bad_value(fmt::format("{0} needs a value: {0}={1}", spelling, found.value));
      }
    }
  }

  std::string help() const {
    std::string text =
        "\nlockstep's flags, for the tests that are coroutines. Each is a variable as well: LOCKSTEP_RUNS=200\n"
        "is --lockstep_runs=200. A flag wins over a variable, and a variable over what the code says.\n";
    for (const row& each : rows_) {
      text += fmt::format("  {}{}{}{}\n      {}.\n", prefix, each.name, each.value.empty() ? "" : "=", each.value,
                          each.help);
    }
    return text;
  }

 private:
  struct row {
    std::string name;
    std::string value;  // what stands behind the "=" in the help; empty for what is true or false
    std::string help;
    std::function<void(const std::string&)> read;
  };

  static std::uint64_t read_runs(const std::string& text) {
    const std::uint64_t runs = read_number(text);
    if (runs == 0) throw bad_value("which would prove nothing; at least 1 run is needed");
    return runs;
  }

  void add(std::string name, std::string value, std::string help, std::function<void(const std::string&)> read) {
    rows_.push_back({std::move(name), std::move(value), std::move(help), std::move(read)});
  }
  template <class T>
  void knob(std::string name, std::string value, std::optional<T>& into, T (*reader)(const std::string&),
            std::string help) {
    add(std::move(name), std::move(value), std::move(help),
        [&into, reader](const std::string& text) { into = reader(text); });
  }
  template <class T>
  void choice(std::string name, std::optional<T>& into, const names_of<T>& known, std::string help) {
    std::vector<std::string> names;
    for (const auto& each : known) names.push_back(each.first);
    add(std::move(name), fmt::format("{}", fmt::join(names, "|")), std::move(help),
        [&into, known, names](const std::string& text) {
          const auto found = std::find(names.begin(), names.end(), text);
          if (found == names.end()) throw bad_value(fmt::format("which is none of {}", fmt::join(names, ", ")));
          into = known[static_cast<std::size_t>(found - names.begin())].second;
        });
  }

  void set(const row& which, const std::string& spelling, const std::string& value) {
    try {
      which.read(value);
      if (shapes_the_run(which.name)) into_.shape[fmt::format("{}{}", prefix, which.name)] = value;
    } catch (const bad_value& wrong) {
      throw bad_value(fmt::format("{} is \"{}\", {}", spelling, value, wrong.what()));
    }
  }

  const row& row_of(const std::string& spelling) const {
    const std::string name = spelling.substr(prefix.size());
    const row* nearest = &rows_.front();
    for (const row& each : rows_) {
      if (each.name == name) return each;
      if (distance(each.name, name) < distance(nearest->name, name)) nearest = &each;
    }
    throw bad_value(
        fmt::format("there is no flag {}; did you mean {}{}? --help lists them all", spelling, prefix, nearest->name));
  }

  // Letters to change, insert or leave out.
  static std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
      std::size_t diagonal = std::exchange(row[0], i + 1);
      for (std::size_t j = 0; j < b.size(); ++j) {
        const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
        diagonal = row[j + 1];
        row[j + 1] = std::min({changed, row[j] + 1, diagonal + 1});
      }
    }
    return row.back();
  }

  static std::string upper(std::string text) {
    for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return text;
  }

  command_line& into_;
  std::vector<row> rows_;
};

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
    command_line read;
    knobs known(read);
    std::vector<std::string> ours;
    bool help = false;
    for (const std::string& argument : testing::internal::GetArgvs()) {
      if (argument.starts_with(prefix)) ours.push_back(argument);
      help = help || argument == "--help" || argument == "-h" || argument == "-?" || argument == "/?";
    }
    if (help) {
      fmt::print("{}", known.help());
      return read;
    }
    try {
      known.read(ours);
    } catch (const bad_value& wrong) {
      std::fflush(stdout);
      fmt::print(stderr, "lockstep: {}\n", wrong.what());
      std::exit(2);
    }
    return read;
  }();
  return parsed;
}

options effective_options(const options& of_fixture, const options& of_test) {
  options all;
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
  all.apply(of_fixture).apply(of_test).apply(parsed_command_line().test_options);
  if (!all.schedule) all.schedule = *all.runs > 1 ? schedule::random : schedule::plain;
  return all;
}

}  // namespace lockstep
