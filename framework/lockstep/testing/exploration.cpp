#include <lockstep/testing/exploration.hpp>

#include <lockstep/explore/choices.hpp>
#include <lockstep/explore/explain.hpp>
#include <lockstep/explore/explorer.hpp>
#include <lockstep/explore/replay.hpp>
#include <lockstep/explore/shrink.hpp>
#include <lockstep/testing/crash.hpp>

#include <fmt/format.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace lockstep::detail {

namespace {

constexpr std::uint64_t share_runs_max = 20'000;  // of the search that counts how many orders fail
constexpr std::uint64_t fifo_runs_max = 200;      // of the search for the same failure in fifo order

// The test as what is searched.
class test_program final : public program {
 public:
  test_program(test_runner& runner, muted_output& output) noexcept : runner_(runner), output_(output) {}

  run_result run(oracle& choices, ordering order) override {
    if (++runs_ % 256 == 0) output_.forget();
    return runner_.make_for_search(choices, order);
  }
  std::uint64_t trace_hash() const override { return runner_.trace_hash(); }

 private:
  test_runner& runner_;
  muted_output& output_;
  std::uint64_t runs_ = 0;
};

explore_options options_of(const options& knobs) {
  explore_options how;
  how.runs_max = knobs.explore->runs;
  how.seed = *knobs.seed;
  how.order = *knobs.order;
  how.by = *knobs.search;
  how.all_shared_declared = *knobs.all_shared_declared;
  if (knobs.explore->time != duration::max()) {
    const auto end = std::chrono::steady_clock::now() + knobs.explore->time;
    how.out_of_time = [end] { return std::chrono::steady_clock::now() >= end; };
  }
  return how;
}

// Where in the records the step of that name is; nothing if it was not made.
std::optional<std::size_t> record_of(const recorded_run& run, const named_step& wanted) {
  std::optional<std::uint32_t> number;
  std::uint32_t steps = 0;
  for (std::size_t at = 0; at < run.records.size(); ++at) {
    const trace_record& record = run.records[at];
    if (record.operation() == operation_kind::task_made && record.payload == wanted.task) number = record.task;
    if (record.is_step() && number == record.task && ++steps == wanted.nth) return at;
  }
  return std::nullopt;
}

std::string text_of_share(const exploration& found, const std::optional<explorer::failing_share>& share) {
  if (share && share->failing != 0) {
    return fmt::format("fails in {} of {} ordering{} (all checked)", count_text(static_cast<double>(share->failing)),
                       count_text(static_cast<double>(share->all)), share->all == 1 ? "" : "s");
  }
  return fmt::format("fails in run {} of the search ({})", found.failure->runs, found.failure->found_by);
}

// Everything about a failure that the search found.
class finding {
 public:
  // Shrinks and explains it.
  finding(program& code, const explore_options& how, const exploration& found) : how_(how) {
    const std::string& signature = found.failure->result.signature;
    const token failing = token_of_answers(code, test_hash(full_name()), how.order, found.failure->answers);
    shrunk_ = shrink(code, failing, signature);
    text_ =
        fmt::format("{} {}. {}.\n", full_name(),
                    text_of_share(found, explorer(code).share_that_fails(how, share_runs_max)), text_of_deviations());
    pair_ = explain(code, shrunk_.replay, how.all_shared_declared);
    fifo_ = text_of_fifo(code, signature);
    signature_ = signature;
  }

  // Makes the shrunk run once more, and reports it.
  void report(test_runner& runner) const {
    outcome last = runner.make_with_record(shrunk_.replay);
    if (!last.failed) {
      publish({testing::TestPartResult::kNonFatalFailure, "", 0,
               fmt::format("nondeterminism: a run that failed passes when it is repeated ({})\n  look for "
                           "uninitialised memory, real clocks, addresses used as keys, unordered containers, and what "
                           "one run leaves to the next\n{}",
                           signature_, repeat_line(shrunk_.replay))});
      return;
    }
    bool told = false;
    for (failure_part& part : last.parts) {
      while (part.message.ends_with('\n')) part.message.pop_back();
      if (part.failed() && !std::exchange(told, true)) {
        part.message += fmt::format("\n{}{}{}{}\ntrace {:016x}", text_, pair_ ? text_of_pair(last.record, *pair_) : "",
                                    fifo_, repeat_line(last.replay), last.trace_hash);
      }
      publish(part);
    }
  }

 private:
  std::string text_of_deviations() const {
    const std::size_t left = shrunk_.replay.task_overrides.size() + shrunk_.replay.value_overrides.size();
    if (left == 0) return "It is the plain run that fails";
    return fmt::format("Shrunk to {} deviation{} from the plain run{}", left, left == 1 ? "" : "s",
                       shrunk_.finished ? "" : fmt::format(", as far as {} runs went", shrunk_.runs));
  }
  static std::string text_of_pair(const recorded_run& run, const deciding_pair& pair) {
    const std::optional<std::size_t> first = record_of(run, pair.first);
    const std::optional<std::size_t> second = record_of(run, pair.second);
    if (!first || !second) return {};
    return fmt::format("It fails when {}\n    comes before {},\n    and passes the other way round.\n",
                       text_of_record(run, *first), text_of_record(run, *second));
  }
  // Whether it needs another order than that in which tasks become ready.
  std::string text_of_fifo(program& code, const std::string& signature) const {
    if (how_.order == ordering::fifo) return {};
    explore_options fifo;
    fifo.order = ordering::fifo;
    fifo.by = search_by::every_order;
    fifo.runs_max = fifo_runs_max;
    fifo.seed = how_.seed;
    const exploration there = explorer(code).explore(fifo);
    if (there.failure && there.failure->result.signature == signature) return "It also fails in fifo order.\n";
    if (there.exhaustive) return "It does not happen in fifo order.\n";
    return fmt::format("It was not seen in fifo order ({} runs).\n", there.runs);
  }

  explore_options how_;
  shrunk_run shrunk_;
  std::optional<deciding_pair> pair_;
  std::string signature_;
  std::string text_;
  std::string fifo_;
};

}  // namespace

bool explore_test(test_runner& runner, const options& knobs) {
  const explore_options how = options_of(knobs);
  exploration found;
  std::optional<finding> failure;
  {
    muted_output muted;
    test_program code(runner, muted);
    crash_notice notice("the search was made within this process; with --lockstep_jobs=1 it tells which run it was",
                        &runner.watched_loop(), &muted);
    const watched_run watched(runner.watched_by(), notice);
    found = explorer(code).explore(how);
    if (found.failure) failure.emplace(code, how, found);
  }
  if (failure) {
    failure->report(runner);
    return false;
  }
  if (found.departed) {
    publish({testing::TestPartResult::kNonFatalFailure, "", 0, "nondeterminism: " + statement_of(found, how)});
    return false;
  }
  fmt::print("explored {}: {}\n", full_name(), statement_of(found, how));
  return true;
}

}  // namespace lockstep::detail
