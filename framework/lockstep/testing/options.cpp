#include <lockstep/testing/options.hpp>

#include <lockstep/sim/world.hpp>
#include <lockstep/testing/workers.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <CLI/CLI.hpp>

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep {

namespace {

constexpr std::string_view prefix = "--lockstep_";
constexpr std::string_view variable_prefix = "LOCKSTEP_";

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
    if (digits == 0 || text.substr(digits) != known.name) continue;
    duration::rep count = 0;
    const bool fits = std::from_chars(text.data(), text.data() + digits, count).ec == std::errc();
    if (!fits || count > duration::max() / known.length) {
      throw bad_value("which is too long; the longest is 2562047h");
    }
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

// "10000" is a number of runs, "10s" a time.
exploration_budget read_budget(const std::string& text) {
  if (text.find_first_not_of("0123456789") == std::string::npos) return {read_number(text)};
  try {
    return {~std::uint64_t{0}, read_length(text)};
  } catch (const bad_value&) {
    throw bad_value("which is neither a number of runs nor a length of time; write 10000, 30s or 5min");
  }
}

// "urw:60,pos:10": who is not named makes none.
sample_weights read_weights(const std::string& text) {
  static constexpr std::pair<std::string_view, std::uint32_t sample_weights::*> known[] = {
      {"urw", &sample_weights::urw},
      {"pos", &sample_weights::pos},
      {"uniform", &sample_weights::uniform},
      {"pct", &sample_weights::pct},
      {"coverage", &sample_weights::coverage}};
  sample_weights read{0, 0, 0, 0, 0};
  bool seen[std::size(known)] = {};
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at <= text.size();) {
    const std::string each = text.substr(at, text.find(',', at) - at);
    at += each.size() + 1;
    const std::size_t colon = std::min(each.find(':'), each.size());
    std::uint32_t weight = 0;
    const char* const end = each.data() + each.size();
    const auto number = std::from_chars(std::min(each.data() + colon + 1, end), end, weight);
    if (number.ec != std::errc() || number.ptr != end || weight > 1'000'000) {
      throw bad_value("which is no list of weights; write them as urw:60,pos:40, each up to 1000000");
    }
    const auto found = std::find_if(std::begin(known), std::end(known), [&](const auto& one) {
      return one.first == std::string_view(each).substr(0, colon);
    });
    if (found == std::end(known)) {
      throw bad_value(fmt::format("where \"{}\" is none of urw, pos, uniform, pct, coverage", each.substr(0, colon)));
    }
    if (std::exchange(seen[found - std::begin(known)], true)) {
      throw bad_value(fmt::format("where \"{}\" stands twice", found->first));
    }
    read.*found->second = weight;
    sum += weight;
  }
  if (sum == 0) throw bad_value("which leaves nobody to make a sample; one weight at least must be above 0");
  return read;
}

bool read_truth(const std::string& text) {
  if (text == "1" || text == "true") return true;
  if (text == "0" || text == "false") return false;
  throw bad_value("which is neither true nor false; write 1 or 0");
}

// One or two dashes and our name, whatever follows.
bool is_meant_for_us(std::string_view argument) {
  const std::size_t dashes = std::min(argument.find_first_not_of('-'), argument.size());
  return (dashes == 1 || dashes == 2) && argument.substr(dashes).starts_with("lockstep");
}

// The one of `known` that begins most like it.
std::string nearest_to(const std::string& unknown, const std::vector<std::string>& known) {
  const auto shared = [&unknown](const std::string& name) {
    return std::mismatch(name.begin(), name.end(), unknown.begin(), unknown.end()).first - name.begin();
  };
  return *std::max_element(known.begin(), known.end(),
                           [&](const auto& one, const auto& other) { return shared(one) < shared(other); });
}

// What holds where nobody says anything. Every field but the schedule, which depends on the number of runs.
options defaults() {
  const sim::world_options of_world;
  options all;
  all.seed = 1;
  all.runs = 1;
  all.order = of_world.order;
  all.clock = clock_mode::jumping;
  all.time_scale = 1;
  all.steps_max = of_world.steps_max;
  all.time_max = of_world.time_max;
  all.real_time_max = std::chrono::seconds{60};
  all.slow_step = std::chrono::milliseconds{100};
  all.fail_on_slow_step = false;
  all.check_determinism = false;
  all.cancel_every = false;
  all.fail_alloc_every = false;
  all.destroy_every = false;
  all.sweep_max = 10'000;
  all.explore = exploration_budget{0};
  all.search = search_by::portfolio;
  all.weights = sample_weights();
  all.all_shared_declared = false;
  all.jobs = detail::usable_cores();
  return all;
}

template <class T>
using names_of = std::vector<std::pair<std::string, T>>;

// Every knob in its two outward spellings.
class knobs {
 public:
  explicit knobs(command_line& into) : into_(into) {
    options& set = into.test_options;
    app_.allow_extras();
    app_.set_help_flag();
    app_.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    names_of<lockstep::schedule> schedules;
    for (const lockstep::schedule each : all_schedules) schedules.emplace_back(name_of(each), each);
    const names_of<ordering> orders = {{"any_order", ordering::any_order}, {"fifo", ordering::fifo}};
    const names_of<clock_mode> clocks = {
        {"jumping", clock_mode::jumping}, {"paused", clock_mode::paused}, {"real", clock_mode::real}};
    const options unset = defaults();
    const auto or_else = [](const std::string& help, const auto& value) { return fmt::format("{}; {}", help, value); };
    choice("schedule", set.schedule, schedules, "how choices are made; plain, or random if there are several runs");
    knob("seed", "NUMBER", set.seed, read_number, or_else("the seed of random schedules", *unset.seed));
    knob("runs", "NUMBER", set.runs, read_count,
         or_else("how often each test is run, each time with another seed", *unset.runs));
    choice("order", set.order, orders, "which tasks may overtake which; any_order");
    choice("clock", set.clock, clocks, "whether virtual time jumps by itself, or is the machine's; jumping");
    knob("time_scale", "NUMBER", set.time_scale, read_scale,
         or_else("how many times faster than the machine's the real clock is", *unset.time_scale));
    knob("steps_max", "NUMBER", set.steps_max, read_number,
         or_else("steps after which a test is a livelock", *unset.steps_max));
    knob("time_max", "LENGTH", set.time_max, read_length,
         or_else("virtual time after which a test fails", to_text(*unset.time_max)));
    knob("real_time_max", "LENGTH", set.real_time_max, read_length,
         or_else("real time after which one step ends the process, 0 for never", to_text(*unset.real_time_max)));
    knob("slow_step", "LENGTH", set.slow_step, read_length,
         or_else("real time from which one step is called slow", to_text(*unset.slow_step)));
    flag("fail_on_slow_step", set.fail_on_slow_step, "fail a test that has a slow step; false");
    flag("check_determinism", set.check_determinism, "make every run twice and compare; false");
    flag("cancel_every", set.cancel_every, "cancel the task under test at each of its suspensions, one a run; false");
    flag("fail_alloc_every", set.fail_alloc_every, "let each allocation fail, one a run; false");
    flag("destroy_every", set.destroy_every, "tear the world down at each step, one a run; false");
    knob("sweep_max", "NUMBER", set.sweep_max, read_count,
         or_else("how many runs each of these three makes at most", *unset.sweep_max));
    knob("explore", "BUDGET", set.explore, read_budget,
         "search the orders of each test for one that fails, for so many runs or so long, 0 for not; 0, alone 10000")
        ->expected(0, 1)
        ->default_str("10000");
    names_of<search_by> searches;
    for (const search_by each : all_searches) searches.emplace_back(name_of(each), each);
    choice("search", set.search, searches, "which orders are tried, and in which turn; portfolio");
    knob("weights", "NAME:NUMBER,...", set.weights, read_weights,
         fmt::format("how much of the samples of a search each strategy makes; urw:{},pos:{},uniform:{},pct:{}",
                     unset.weights->urw, unset.weights->pos, unset.weights->uniform, unset.weights->pct));
    flag("all_shared_declared", set.all_shared_declared,
         "take the test's word that tasks share no plain variables, and try far fewer orders; false");
    knob("jobs", "NUMBER", set.jobs, read_jobs,
         "how many processes search, 0 for none but this one; the cores that there are");
    const auto as_it_is = [](const std::string& text) { return text; };
    knob("seeds", "FIRST:END", into.seeds, read_seeds,
         "run each test once for each seed from FIRST to END-1, as one of many machines; needs out");
    knob("out", "FOLDER", into.out, as_it_is, "where one JSON line for each of these runs goes, a file for each test");
    knob("failures", "FILE", into.failures, as_it_is,
         "where searches keep the tokens of failures, to try them first next time, none for nowhere; beside the "
         "program");
    knob("replay", "TOKEN", into.replay, as_it_is, "the token of a run to repeat, as a failure prints it");
    flag("network_trace", into.network_trace, "print the calls and packets of all hosts to standard error; false");
    knob("capture", "FILE", into.capture, as_it_is, "where the packets of the last run go, for Wireshark and tshark");
  }

  // Sets what `arguments` say, and what the environment says where they say nothing.
  void read(std::vector<std::string> arguments) {
    for (const std::string& argument : arguments) {
      if (!argument.starts_with(prefix)) refuse(argument);
    }
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    try {
      app_.parse(arguments);
    } catch (const CLI::ArgumentMismatch& missing) {
      const std::string what = missing.what();
      const CLI::Option* option = app_.get_option(what.substr(0, what.find(':')));
      throw bad_value(fmt::format("{0} needs a value: {0}={1}", option->get_name(), option->get_type_name()));
    }
    if (!app_.remaining().empty()) refuse(app_.remaining().front());
    // A token does not hold these, though the run depends on them.
    std::vector<std::string> shaping = {
        "--lockstep_clock",    "--lockstep_time_scale",        "--lockstep_steps_max",
        "--lockstep_time_max", "--lockstep_check_determinism", "--lockstep_fail_on_slow_step"};
    if (into_.test_options.fail_on_slow_step.value_or(false)) shaping.push_back("--lockstep_slow_step");
    for (const std::string& name : shaping) {
      const std::vector<std::string>& given = app_.get_option(name)->results();
      if (given.empty()) continue;
      const std::string& value = given.back();  // CLI11 has "true" for a flag alone
      into_.shape[name] = value == "true" ? "1" : value;
    }
  }

  // A variable of our prefix that nothing reads is a slip. Other programs may have theirs, so it only warns.
  void warn_of_unknown_variables() const {
    std::vector<std::string> known;
    for (const CLI::Option* option : app_.get_options()) known.push_back(option->get_envname());
    known.push_back("LOCKSTEP_APPROVE");  // which tests of reports read
    for (char** each = environ; *each != nullptr; ++each) {
      const std::string text = *each;
      const std::string name = text.substr(0, text.find('='));
      if (!name.starts_with(variable_prefix) || std::count(known.begin(), known.end(), name) != 0) continue;
      fmt::print(
          stderr,
          "lockstep: warning: there is no variable {}, which is \"{}\"; did you mean {}? --help lists the flags, "
          "each of which is a variable\n",
          name, text.substr(std::min(name.size() + 1, text.size())), nearest_to(name, known));
    }
  }

  std::string help() const {
    // GoogleTest's flags, and so ours, have their value behind a "=".
    struct formatter : CLI::Formatter {
      std::string make_option_opts(const CLI::Option* option) const override {
        return option->get_type_name().empty() ? "" : "=" + option->get_type_name();
      }
    };
    formatter ours;
    ours.column_width(6);
    std::string text =
        "\nlockstep's flags, for the tests that are coroutines. Each is a variable as well: LOCKSTEP_RUNS=200\n"
        "is --lockstep_runs=200. A flag wins over a variable, and a variable over what the code says.\n";
    for (const CLI::Option* option : app_.get_options()) text += ours.make_option(option, false);
    return text;
  }

 private:
  static std::uint64_t read_count(const std::string& text) {
    const std::uint64_t runs = read_number(text);
    if (runs == 0) throw bad_value("which would prove nothing; at least 1 run is needed");
    return runs;
  }

  static std::uint32_t read_jobs(const std::string& text) {
    std::uint64_t jobs = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), jobs);
    if (error != std::errc() || end != text.data() + text.size()) {
      throw bad_value("which is no number of processes; it is 0 to 1024");
    }
    if (jobs > 1'024) throw bad_value("which is too many; it is 0 to 1024");
    return static_cast<std::uint32_t>(jobs);
  }

  // "100:200".
  static seed_range read_seeds(const std::string& text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) throw bad_value("which is no range of seeds; write FIRST:END, such as 100:200");
    const seed_range read{read_number(text.substr(0, colon)), read_number(text.substr(colon + 1))};
    if (read.first >= read.end) throw bad_value("which is an empty range; the seed behind the colon is not among them");
    return read;
  }

  static std::uint32_t read_scale(const std::string& text) {
    const std::uint64_t scale = read_number(text);
    if (scale == 0 || scale > 1'000'000'000) throw bad_value("which is no scale; it is 1 to 1000000000");
    return static_cast<std::uint32_t>(scale);
  }

  template <class T, class F>
  CLI::Option* knob(const std::string& name, const std::string& value, T& into, const F& reader,
                    const std::string& help) {
    const std::string spelling = fmt::format("{}{}", prefix, name);
    std::string variable = fmt::format("{}{}", variable_prefix, name);
    for (char& c : variable) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    const auto set = [this, spelling, variable, &into, reader](const CLI::results_t& given) {
      const std::string& text = given.back();
      try {
        into = reader(text);
      } catch (const bad_value& wrong) {
        const std::vector<CLI::Option*>& of_arguments = app_.parse_order();
        const bool is_argument = std::count(of_arguments.begin(), of_arguments.end(), app_.get_option(spelling)) != 0;
        throw bad_value(fmt::format("{} is \"{}\", {}", is_argument ? spelling : variable, text, wrong.what()));
      }
      return true;
    };
    return app_.add_option(spelling, set, help)->envname(variable)->type_name(value);
  }
  void flag(const std::string& name, std::optional<bool>& into, const std::string& help) {
    knob(name, "", into, read_truth, help)->expected(0, 1)->default_str("true");
  }
  template <class T>
  void choice(const std::string& name, std::optional<T>& into, const names_of<T>& known, const std::string& help) {
    std::vector<std::string> names;
    for (const auto& each : known) names.push_back(each.first);
    const auto reader = [known, names](const std::string& text) {
      const auto found = std::find(names.begin(), names.end(), text);
      if (found == names.end()) throw bad_value(fmt::format("which is none of {}", fmt::join(names, ", ")));
      return known[static_cast<std::size_t>(found - names.begin())].second;
    };
    knob(name, fmt::format("{}", fmt::join(names, "|")), into, reader, help);
  }

  // "-lockstep-runs" is "--lockstep_runs".
  static std::string with_our_dashes(const std::string& spelling) {
    std::string name = spelling.substr(spelling.find_first_not_of('-'));
    std::replace(name.begin(), name.end(), '-', '_');
    return "--" + name;
  }
  [[noreturn]] void refuse(const std::string& unknown) const {
    const std::string spelling = unknown.substr(0, unknown.find('='));
    std::vector<std::string> known;
    for (const CLI::Option* option : app_.get_options()) known.push_back(option->get_name());
    throw bad_value(fmt::format("there is no flag {}; did you mean {}? --help lists them all", spelling,
                                nearest_to(with_our_dashes(spelling), known)));
  }

  command_line& into_;
  CLI::App app_;
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
  take(time_scale, over.time_scale);
  take(steps_max, over.steps_max);
  take(time_max, over.time_max);
  take(real_time_max, over.real_time_max);
  take(slow_step, over.slow_step);
  take(fail_on_slow_step, over.fail_on_slow_step);
  take(check_determinism, over.check_determinism);
  take(cancel_every, over.cancel_every);
  take(fail_alloc_every, over.fail_alloc_every);
  take(destroy_every, over.destroy_every);
  take(sweep_max, over.sweep_max);
  take(explore, over.explore);
  take(search, over.search);
  take(weights, over.weights);
  take(all_shared_declared, over.all_shared_declared);
  take(jobs, over.jobs);
  return *this;
}

namespace {

// A value behind a blank is GoogleTest's, or nobody's; and some flags say nothing without or beside another.
void refuse_what_would_be_left_out(const std::vector<std::string>& ours) {
  const std::vector<std::string> all = testing::internal::GetArgvs();
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    const bool may_be_alone = is_meant_for_us(all[i]) && all[i].find('=') == std::string::npos;
    const std::string& next = all[i + 1];
    const bool has_number =
        is_meant_for_us(all[i]) && all[i].find_first_of("0123456789", all[i].find('=')) != all[i].npos;
    if (has_number && next.size() == 3 && next.find_first_not_of("0123456789") == next.npos) {
      throw bad_value(fmt::format("{} is followed by \"{}\", which nobody reads; a number has no blanks: {}{}", all[i],
                                  next, all[i], next));
    }
    const bool is_value = next.find_first_of("0123456789") == 0 || next == "true" || next == "false";
    if (!may_be_alone || !is_value) continue;
    throw bad_value(fmt::format(
        "{0} is followed by \"{1}\", which nobody reads; a value stands behind a \"=\": {0}={1}", all[i], next));
  }
  const auto given = [&ours](std::string_view name) {
    return std::any_of(ours.begin(), ours.end(), [name](const std::string& each) {
      return std::string_view(each).substr(0, each.find('=')) == name;
    });
  };
  if (given("--lockstep_out") && !given("--lockstep_seeds") && std::getenv("LOCKSTEP_SEEDS") == nullptr) {
    throw bad_value("--lockstep_out is for --lockstep_seeds=FIRST:END, which is not there");
  }
  if (given("--lockstep_explore") && given("--lockstep_seeds")) {
    throw bad_value(
        "--lockstep_seeds makes one run for each seed, and --lockstep_explore searches; leave out one of them");
  }
  if (given("--lockstep_explore") && given("--lockstep_runs")) {
    throw bad_value(
        "--lockstep_runs is for tests that are not explored; how many runs a search makes is the value of "
        "--lockstep_explore");
  }
  if (given("--lockstep_explore") && given("--lockstep_schedule")) {
    throw bad_value(
        "--lockstep_schedule is for tests that are not explored; what a search makes its samples by is "
        "--lockstep_weights");
  }
}

}  // namespace

const command_line& parsed_command_line() {
  static const command_line parsed = [] {
    command_line read;
    knobs known(read);
    std::vector<std::string> ours;
    bool help = false;
    for (const std::string& argument : testing::internal::GetArgvs()) {
      if (is_meant_for_us(argument)) ours.push_back(argument);
      help = help || argument == "--help" || argument == "-h" || argument == "-?" || argument == "/?";
    }
    if (help) {
      fmt::print("{}", known.help());
      return read;
    }
    try {
      known.warn_of_unknown_variables();
      known.read(ours);
      if (read.seeds && read.out.empty()) throw bad_value("--lockstep_seeds needs --lockstep_out=FOLDER");
      refuse_what_would_be_left_out(ours);
    } catch (const std::runtime_error& wrong) {
      std::fflush(stdout);
      fmt::print(stderr, "lockstep: {}\n", wrong.what());
      // Where one run is made for each seed, 2 is said of runs.
      const bool of_seeds = std::getenv("LOCKSTEP_SEEDS") != nullptr ||
                            std::any_of(ours.begin(), ours.end(), [](const std::string& argument) {
                              return argument.find("lockstep_seeds") != std::string::npos;
                            });
      std::exit(of_seeds ? 3 : 2);
    }
    return read;
  }();
  return parsed;
}

std::string objection_to_real_clock(const options& of_fixture, const options& of_test) {
  const command_line& line = parsed_command_line();
  options all = of_fixture;
  all.apply(of_test).apply(line.test_options);
  if (all.clock != clock_mode::real) return {};
  // Of those who ask for the real clock, the last. What others ask for is left out.
  const options& asks = line.test_options.clock ? line.test_options : of_test.clock ? of_test : of_fixture;
  const auto sentence = [](std::string_view what) {
    return fmt::format(
        "on the real clock a test is run once, in the order in which tasks become ready, without limits of steps and "
        "time; leave out {}",
        what);
  };
  if (asks.schedule && *asks.schedule != schedule::plain) return sentence("schedule");
  if (asks.runs && *asks.runs != 1) return sentence("runs");
  if (asks.seed) return sentence("seed");
  if (asks.order && *asks.order != ordering::fifo) return sentence("order");
  if (asks.steps_max) return sentence("steps_max");
  if (asks.time_max) return sentence("time_max");
  if (asks.check_determinism.value_or(false)) return sentence("check_determinism");
  if (asks.explore && !asks.explore->none()) return sentence("explore");
  if (!line.replay.empty()) return sentence("replay");
#ifndef LOCKSTEP_TESTS_FOR_REAL
  return "clock is real, but lockstep was built without Boost.Asio, and so without lockstep::real";
#else
  return {};
#endif
}

options effective_options(const options& of_fixture, const options& of_test) {
  options all = defaults();
  all.apply(of_fixture).apply(of_test).apply(parsed_command_line().test_options);
  if (all.clock == clock_mode::real) {
    all.schedule = schedule::plain;
    all.runs = 1;
    all.order = ordering::fifo;
    all.check_determinism = false;
    all.explore = exploration_budget{0};
  }
  if (!all.schedule) all.schedule = *all.runs > 1 ? schedule::random : schedule::plain;
  return all;
}

}  // namespace lockstep
