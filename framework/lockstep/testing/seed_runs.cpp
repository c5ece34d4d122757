#include <lockstep/testing/seed_runs.hpp>

#include <lockstep/base/hash.hpp>
#include <lockstep/explore/choices.hpp>
#include <lockstep/explore/portfolio.hpp>
#include <lockstep/explore/shrink.hpp>
#include <lockstep/report/text.hpp>
#include <lockstep/testing/exploration.hpp>
#include <lockstep/testing/interruption.hpp>
#include <lockstep/testing/isolated_program.hpp>
#include <lockstep/testing/test_program.hpp>
#include <lockstep/testing/workers.hpp>

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace lockstep::detail {

namespace {

constexpr std::uint64_t checked_one_in = 20;  // runs that are made twice

// GoogleTest's own status says only that something failed.
class exit_status final : public testing::EmptyTestEventListener {
 public:
  static exit_status& of_program() {
    static exit_status* const added = [] {
      auto* const made = new exit_status;
      testing::UnitTest::GetInstance()->listeners().Append(made);
      return made;
    }();
    return *added;
  }
  void note_run() noexcept { ran_ = true; }
  void note_bug() noexcept { bug_ = true; }
  void note_nondeterminism() noexcept { nondeterminism_ = true; }
  void note_trouble() noexcept { trouble_ = true; }

  void OnTestProgramEnd(const testing::UnitTest& program) override {
    if (interruption::noted()) return;
    if (!ran_ && program.Passed() && std::getenv("GTEST_TOTAL_SHARDS") == nullptr) {
      fmt::print(stderr,
                 "lockstep: --lockstep_seeds was given, and there was no coroutine test to run; see "
                 "--gtest_filter\n");
      trouble_ = true;
    }
    const int status = trouble_ ? 3 : bug_ || !nondeterminism_ ? 1 : 2;
    if ((program.Passed() && !trouble_) || status == 1) return;
    std::cout.flush();
    std::fflush(nullptr);
    std::_Exit(status);
  }

 private:
  bool ran_ = false;
  bool bug_ = false;
  bool nondeterminism_ = false;
  bool trouble_ = false;
};

// What the run of one seed came to.
struct seed_result {
  std::uint64_t seed;
  std::string strategy;
  std::string result;  // "passed"
  std::string signature;
  std::string replay;  // a token
  std::uint64_t trace = 0;

  bool passed() const noexcept { return result == "passed"; }
  std::string line(const std::string& test) const {
    const auto unless_passed = [this](const std::string& text) { return passed() ? "null" : json_string(text); };
    return fmt::format(
        R"({{"test":{},"seed":{},"strategy":{},"result":{},"signature":{},"token":{},"trace":"{:016x}"}})"
        "\n",
        json_string(test), seed, json_string(strategy), json_string(result), unless_passed(signature),
        unless_passed(replay), trace);
  }
};

class seed_runs {
 public:
  seed_runs(test_runner& runner, const options& knobs, seed_range seeds)
      : knobs_(knobs), seeds_(seeds), code_(runner), isolated_(code_, [this] { code_.rest(); }) {}

  // As many as there are, from the first on, unless it is interrupted.
  std::vector<seed_result> make() {
    const bool here = *knobs_.jobs == 0;
    std::optional<muted_output> muted;
    if (here) code_.mute(&muted.emplace());
    code_.rest();
    // What the strategies know of the test is what its plain run shows, on every machine.
    profiled_choices plain(profile_);
    (here ? static_cast<program&>(code_) : isolated_).run(plain, *knobs_.order);
    profile_.end_run();
    std::vector<seed_result> made;
    if (here) {
      for (std::uint64_t seed = seeds_.first; seed < seeds_.end && !interruption::noted(); ++seed) {
        made.push_back(make(seed, code_));
      }
    } else {
      for (std::uint64_t seed = seeds_.first; seed < seeds_.end && !interruption::noted();) {
        seed = make_from(seed, made);
      }
    }
    code_.rest();
    code_.mute(nullptr);
    return made;
  }

 private:
  struct shared {
    std::atomic<std::uint64_t> under_way;  // the seed
    std::atomic<bool> stop;                // behind it
  };

  // In one worker, as far as that lives. Returns the next seed.
  std::uint64_t make_from(const std::uint64_t first, std::vector<seed_result>& made) {
    const shared_object<shared> state;
    state->under_way = first;
    worker_process worker([&](const sender& send) {
      for (std::uint64_t seed = first; seed < seeds_.end && !state->stop; ++seed) {
        state->under_way = seed;
        const seed_result one = make(seed, code_);
        message said;
        said.add(one.seed).add(one.strategy).add(one.result).add(one.signature).add(one.replay).add(one.trace);
        send(said.bytes());
      }
      code_.rest();
    });
    while (worker.take()) state->stop = interruption::noted();
    const worker_end end = worker.wait();
    message said(worker.sent());
    while (said.more()) {
      seed_result& one = made.emplace_back();
      one.seed = said.number();
      for (std::string* each : {&one.strategy, &one.result, &one.signature, &one.replay}) *each = said.text();
      one.trace = said.number();
    }
    if (!end.died) return seeds_.end;
    if (end.stuck) code_.expect_stuck_steps();
    seed_result one = make(state->under_way, isolated_);
    one.result = one.signature == end.signature ? "crashed" : "nondeterministic";
    one.signature = end.signature;
    made.push_back(std::move(one));
    return state->under_way + 1;
  }

  seed_result make(std::uint64_t seed, program& code) {
    const portfolio::drawn drawn = portfolio_.draw(seed, 0);
    logged_choices logged(drawn.by);
    drawn.by->begin(seed);
    const run_result first = code.run(logged, *knobs_.order);
    seed_result one{seed, std::string(drawn.name), first.failed ? "failed" : "passed", first.signature,
                    {},   code.trace_hash()};
    const bool checked = *knobs_.check_determinism || mix(seed) % checked_one_in == 0;
    if (!first.failed && !checked) return one;
    // The same choices in the same run come to the same end.
    const std::vector<std::uint64_t> answers = logged.answers();
    fixed_choices same(answers);
    described_choices described(same);
    const run_result again = code.run(described, *knobs_.order);
    if (again.failed != first.failed || again.signature != first.signature || code.trace_hash() != one.trace) {
      one.result = "nondeterministic";
      if (!first.failed) one.signature = again.signature;
      if (one.signature.empty()) one.signature = "made again with the same choices, it is another run";
    }
    if (!one.passed()) {
      token replay;
      replay.test = test_hash(full_name());
      replay.order = *knobs_.order;
      replay.task_overrides = described.of_tasks();
      replay.value_overrides = described.of_values();
      one.replay = to_text(replay);
    }
    return one;
  }

  const options& knobs_;
  seed_range seeds_;
  test_program code_;
  isolated_program isolated_;
  profile profile_;
  portfolio portfolio_{profile_};
};

// The whole file or nothing, whenever the process ends.
void write_whole(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::path unfinished = file;
  unfinished += fmt::format(".{}.part", ::getpid());
  std::ofstream out(unfinished, std::ios::binary);
  out << text;
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(unfinished, file, error);
  if (out && !error) return;
  const std::string why = error ? error.message() : "it cannot be written";
  std::filesystem::remove(unfinished, error);
  throw std::runtime_error(fmt::format("{}: {}", file.string(), why));
}

void make_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (std::filesystem::is_directory(folder)) return;
  const std::string why = std::filesystem::exists(folder) ? "it is there, and no directory" : error.message();
  throw std::runtime_error(
      fmt::format("--lockstep_out={}: {}; name a directory, which is made where there is none", folder, why));
}

void tell_what_is_left(seed_range made, seed_range wanted) {
  const std::string what =
      made.end == made.first ? "before its first seed" : fmt::format("after its seeds {}:{}", made.first, made.end);
  fmt::print("{}: interrupted {}; {}:{} are left\n", full_name(), what, made.end, wanted.end);
  publish({testing::TestPartResult::kSkip, "", 0, std::string(interrupted_search)});
}

// Reports the first that did not pass, and how many there are.
void report(const std::vector<seed_result>& made, const std::string& file) {
  std::size_t failed = 0;
  const seed_result* first = nullptr;
  for (const seed_result& each : made) {
    if (each.passed()) continue;
    ++failed;
    if (first == nullptr) first = &each;
    each.result == "nondeterministic" ? exit_status::of_program().note_nondeterminism()
                                      : exit_status::of_program().note_bug();
  }
  if (first == nullptr) return;
  const std::variant<token, std::string> replay = parse_token(first->replay);
  publish({testing::TestPartResult::kNonFatalFailure, "", 0,
           fmt::format("{} of {} seeds did not pass, see {}\nseed {} ({}) {}: {}\n{}", failed, made.size(), file,
                       first->seed, first->strategy, first->result, first->signature,
                       first->result == "nondeterministic" ? line_that_compares(std::get<token>(replay))
                                                           : repeat_line(std::get<token>(replay)))});
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::variant<seed_range, std::string> range_of_this_machine(seed_range seeds) {
  for (const char* const name : {"SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "TEST_RANDOM_SEED"}) {
    const char* const text = std::getenv(name);
    if (text == nullptr) continue;
    const std::optional<std::uint64_t> index = number_in(text);
    if (!index) return fmt::format("the variable {} is \"{}\", which is no whole number", name, text);
    const std::uint64_t length = seeds.end - seeds.first;
    const std::uint64_t room = std::numeric_limits<std::uint64_t>::max() - seeds.end;
    if (*index > room / length) return fmt::format("the variable {} is {}, which moves the seeds too far", name, text);
    return seed_range{seeds.first + *index * length, seeds.end + *index * length};
  }
  return seeds;
}

std::string file_of_seeds(const std::string& folder, const std::string& test, seed_range seeds) {
  std::string name = test;
  std::replace(name.begin(), name.end(), '/', '-');
  return (std::filesystem::path(folder) / fmt::format("{}.{}-{}.jsonl", name, seeds.first, seeds.end)).string();
}

std::string json_string(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : in_utf8(text)) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

void expect_seeds_to_be_run() { exit_status::of_program(); }

void run_seeds(test_runner& runner, const options& knobs, seed_range seeds, const std::string& folder) {
  exit_status::of_program().note_run();
  const auto trouble = [](const std::string& what) {
    exit_status::of_program().note_trouble();
    publish({testing::TestPartResult::kFatalFailure, "", 0, "the seeds were not run: " + what});
  };
  const std::variant<seed_range, std::string> range = range_of_this_machine(seeds);
  if (const std::string* problem = std::get_if<std::string>(&range)) return trouble(*problem);
  const seed_range mine = std::get<seed_range>(range);
  const std::string file = file_of_seeds(folder, full_name(), mine);
  try {
    make_folder(folder);
    write_whole(file, "");  // better now than after an hour
    std::filesystem::remove(file);
    const interruption early_end;
    const std::vector<seed_result> made = seed_runs(runner, knobs, mine).make();
    const seed_range those{mine.first, mine.first + made.size()};
    if (those.end != mine.end) tell_what_is_left(those, mine);
    if (made.empty()) return;
    std::string lines;
    for (const seed_result& each : made) lines += each.line(full_name());
    const std::string file_of_those = file_of_seeds(folder, full_name(), those);
    write_whole(file_of_those, lines);
    report(made, file_of_those);
  } catch (const std::runtime_error& problem) {
    trouble(problem.what());
  }
}

}  // namespace lockstep::detail
