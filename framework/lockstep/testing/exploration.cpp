#include <lockstep/testing/exploration.hpp>

#include <lockstep/explore/choices.hpp>
#include <lockstep/explore/explorer.hpp>
#include <lockstep/explore/replay.hpp>
#include <lockstep/explore/shrink.hpp>
#include <lockstep/report/columns.hpp>
#include <lockstep/testing/failures_file.hpp>
#include <lockstep/testing/finding.hpp>
#include <lockstep/testing/interruption.hpp>
#include <lockstep/testing/isolated_program.hpp>
#include <lockstep/testing/progress_line.hpp>
#include <lockstep/testing/test_program.hpp>
#include <lockstep/testing/workers.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::detail {

namespace {

using steady = std::chrono::steady_clock;

constexpr std::uint64_t share_runs_max = 20'000;        // of the search that counts how many orders fail
constexpr std::uint64_t share_runs_isolated_max = 500;  // the same, where each takes a process of its own
constexpr std::size_t failures_told_max = 3;
constexpr std::uint64_t stuck_runs_max = 4;  // that are waited for, of those by which a failure is looked into
constexpr steady::duration shown_for_max = std::chrono::seconds(60);  // that a failure is looked into, without a limit

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

// The name of the step in that record, which is one.
named_step name_of(const recorded_run& run, std::size_t wanted) {
  named_step name{0, 0};
  for (std::size_t at = 0; at <= wanted; ++at) {
    const trace_record& record = run.records[at];
    if (record.task != run.records[wanted].task) continue;
    if (record.operation() == operation_kind::task_made) name.task = record.payload;
    if (record.is_step()) ++name.nth;
  }
  return name;
}

std::string ordinal(std::size_t nth) {
  const std::size_t digit = nth / 10 % 10 == 1 ? 0 : nth % 10;
  return fmt::format("{}{}", nth, digit == 1 ? "st" : digit == 2 ? "nd" : digit == 3 ? "rd" : "th");
}

// With the how-manieth time it is, where the task does the same at the same place more than once.
std::string text_of_step(const recorded_run& run, std::size_t wanted) {
  const trace_record& step = run.records[wanted];
  const std::string place = file_and_line(step.where());
  std::size_t times = 0;
  std::size_t nth = 0;
  for (std::size_t at = 0; at < run.records.size(); ++at) {
    const trace_record& other = run.records[at];
    if (other.word() != step.word() || file_and_line(other.where()) != place) continue;
    ++times;
    if (at == wanted) nth = times;
  }
  const std::string text = text_of_record(run, wanted);
  return times == 1 ? text : fmt::format("{} (the {} time)", text, ordinal(nth));
}

// The pair as the run that fails has it; a step that this run has not come to, as the one that passes.
std::string text_of_pair(const recorded_run& failing, const recorded_run& passing, const deciding_pair& pair) {
  const auto text_of = [&](const named_step& step) -> std::string {
    const std::optional<std::size_t> there = record_of(passing, step);
    if (!there) return {};
    const std::optional<std::size_t> here = record_of(failing, step);
    const bool same = here && failing.records[*here].operation() == passing.records[*there].operation() &&
                      failing.records[*here].payload == passing.records[*there].payload;
    return same ? text_of_step(failing, *here) : text_of_step(passing, *there);
  };
  const std::string first = text_of(pair.first);
  const std::string second = text_of(pair.second);
  if (first.empty() || second.empty()) return {};
  return fmt::format("It fails when {}\n    comes before {},\n    and passes the other way round.\n", first, second);
}

// Where the records have that answer; nothing if it was to no question for data.
std::optional<std::size_t> record_of(const recorded_run& run, const value_override& wanted) {
  const std::uint32_t label =
      trace::label(operation_kind::value_picked, static_cast<std::uint32_t>(domain_identity(wanted.domain)));
  std::uint64_t left = wanted.nth;
  for (std::size_t at = 0; at < run.records.size(); ++at) {
    if (run.records[at].label == label && --left == 0) return at;
  }
  return std::nullopt;
}

column_options columns_for(const recorded_run& run, const finding& known) {
  column_options how;
  how.marked.resize(run.records.size());
  const auto mark = [&how](std::optional<std::size_t> at) {
    if (at) how.marked[*at] = true;
  };
  for (const named_step& each : known.deviations) mark(record_of(run, each));
  for (const value_override& each : known.replay.value_overrides) mark(record_of(run, each));
  if (!known.pair) return how;
  const std::optional<std::size_t> first = record_of(run, known.pair->first);
  const std::optional<std::size_t> second = record_of(run, known.pair->second);
  if (first) how.deciding.emplace(*first, second && *second > *first ? *second : run.records.size());
  return how;
}

// How often it fails, and to what it was shrunk.
std::string headline(const finding& known, const failing_run& failure, bool stuck = false) {
  std::string text = full_name();
  if (known.share && known.share->failing != 0) {
    text += fmt::format(" fails in {} of {} ordering{} (all checked). ",
                        count_text(static_cast<double>(known.share->failing)),
                        count_text(static_cast<double>(known.share->all)), known.share->all == 1 ? "" : "s");
  } else {
    text += fmt::format(" fails in run {} of the search ({}). ", failure.runs, failure.found_by);
  }
  const std::size_t left = known.replay.task_overrides.size() + known.replay.value_overrides.size();
  if (left == 0) return text + "It is the plain run that fails.\n";
  const std::string departs = fmt::format("{} deviation{} from the plain run", left, left == 1 ? "" : "s");
  if (known.finished) return text + fmt::format("Shrunk to {}.\n", departs);
  if (known.shrink_runs == 0)
    return text + fmt::format("Not shrunk, as {}: {}.\n",
                              interruption::noted() ? "it was interrupted"
                              : stuck               ? "few runs are made that get stuck"
                                                    : "the budget was spent",
                              departs);
  return text + fmt::format("Shrunk to {}, as far as {} runs went.\n", departs, known.shrink_runs);
}

std::string failures_path() {
  const std::string& asked = parsed_command_line().failures;
  if (asked == "none") return {};
  const std::vector<std::string> arguments = testing::internal::GetArgvs();
  return !asked.empty() || arguments.empty() ? asked : failures_file::beside(arguments.front());
}

class test_exploration {
 public:
  test_exploration(test_runner& runner, const options& knobs, std::optional<std::uint64_t> plain_trace)
      : runner_(runner), knobs_(knobs), code_(runner) {
    how_.plain_trace = plain_trace;
    how_.runs_max = knobs.explore->runs;
    how_.seed = *knobs.seed;
    how_.order = *knobs.order;
    how_.by = *knobs.search;
    how_.weights = *knobs.weights;
    how_.all_shared_declared = *knobs.all_shared_declared;
    if (*knobs.check_determinism) how_.check_every = 1;
    if (has_time_limit()) {
      how_.out_of_time = [end = begun_ + knobs.explore->time] { return steady::now() >= end; };
    }
  }

  search_end run(const std::optional<worker_end>& plain_death) {
    const interruption early_end;
    const bool here = *knobs_.jobs == 0;
    search_result found;
    if (plain_death) {
      how_.plain_dies = true;
      if (plain_death->stuck) code_.expect_stuck_steps();
      found = search_outside();
      std::erase_if(found.failures,
                    [&](const found_failure& each) { return each.run.result.signature == plain_death->signature; });
      found.failures.insert(found.failures.begin(), {{{true, plain_death->signature}, {}, "plain", 1}, plain_death});
    } else {
      found = try_known_failures(here);
      if (found.failures.empty()) found = here ? search_here() : search_outside();
    }
    line_.clear();
    std::size_t told = 0;
    for (const found_failure& each : found.failures) {
      if (told++ == failures_told_max) break;
      const finding known = known_                        ? *known_
                            : is_death_of_plain_run(each) ? of_plain_run(each)
                                                          : look_into_outside(each);
      line_.clear();
      report(each, known, found);
      if (known.repeats) failures_.add({to_text(known.replay), full_name(), known.signature});
    }
    if (told != 0) return search_end::told;
    if (found.together.departed) {
      report_departure(found.together);
      return search_end::told;
    }
    fmt::print("explored {}: {}{}\n", full_name(), found.interrupted ? "interrupted: " : "",
               statement_of(found.together, how_));
    if (found.interrupted) {
      publish({testing::TestPartResult::kSkip, "", 0, std::string(interrupted_search)});
      return search_end::told;
    }
    const exploration& all = found.together;
    return all.skipped == (all.exhaustive ? all.classes : all.runs) ? search_end::skipped : search_end::passed;
  }

 private:
  bool has_time_limit() const noexcept { return knobs_.explore->time != duration::max(); }
  static double seconds(steady::duration length) { return std::chrono::duration<double>(length).count(); }

  void show(const exploration_progress& now) {
    const double max = has_time_limit() ? std::chrono::duration<double>(knobs_.explore->time).count() : -1.0;
    line_.show(
        fmt::format("{}: {}", full_name(), progress_text(now, how_.runs_max, seconds(steady::now() - begun_), max)));
  }
  bool show_shrinking(std::uint64_t runs, std::uint64_t deviations) {
    line_.show(fmt::format("{}: shrinking: {} runs, {} deviation{} left", full_name(), runs, deviations,
                           deviations == 1 ? "" : "s"));
    return !interruption::noted();
  }
  finding_options options_of_finding() {
    finding_options options;
    options.test = test_hash(full_name());
    options.share_runs_max = share_runs_max;
    // As long again as it was searched for.
    const auto most =
        has_time_limit() ? std::chrono::duration_cast<steady::duration>(knobs_.explore->time) : shown_for_max;
    options.out_of_time = [end = steady::now() + most] { return steady::now() >= end; };
    options.on_progress = [this](std::uint64_t runs, std::size_t left) { return show_shrinking(runs, left); };
    return options;
  }

  // Those of earlier searches. Each may end its process, so it is made in one of its own, if there are to be any.
  search_result try_known_failures(bool here) {
    search_result found;
    const std::vector<known_failure> known = failures_.of_test(full_name());
    if (known.empty()) return found;
    std::vector<known_failure> gone;
    muted_output muted;
    code_.mute(&muted);
    code_.rest();
    isolated_program isolated(code_, [this] { code_.rest(); });
    program& code = here ? static_cast<program&>(code_) : isolated;
    for (const known_failure& each : known) {
      const std::variant<token, std::string> parsed = parse_token(each.token);
      const token* const replay = std::get_if<token>(&parsed);
      const bool ends_this_process = here && is_signature_of_death(each.signature);
      if (replay == nullptr || replay->order != how_.order || replay->disturbed || ends_this_process) continue;
      if (is_signature_of_stuck_step(each.signature)) code_.expect_stuck_steps();
      guided_oracle guided(*replay);
      logged_choices logged(&guided);
      const run_result result = code.run(logged, replay->order);
      if (result.failed) {
        found.together.runs = 1;
        found.failures.push_back({{result, logged.answers(), "a failure of before", 1}});
        if (is_signature_of_death(result.signature)) found.failures.back().death = isolated.last_death();
        if (here) known_ = look_into(code_, how_, found.failures.back().run, options_of_finding());
        break;
      }
      gone.push_back(each);
    }
    code_.rest();
    code_.mute(nullptr);
    failures_.drop(gone);
    return found;
  }

  // Within this process.
  search_result search_here() {
    muted_output muted;
    code_.mute(&muted);
    explore_options how = how_;
    how.on_progress = [this](const exploration_progress& now) { show(now); };
    how.out_of_time = [asked = how_.out_of_time] { return interruption::noted() || (asked && asked()); };
    search_result result;
    result.together = explorer(code_).explore(how);
    result.interrupted = interruption::noted();
    if (result.together.failure) {
      known_ = look_into(code_, how_, *result.together.failure, options_of_finding());
      result.failures.push_back({std::move(*result.together.failure)});
      result.together.failure.reset();
    }
    code_.rest();
    code_.mute(nullptr);
    return result;
  }

  search_result search_outside() {
    code_.rest();
    return search_in_workers(code_, how_,
                             {*knobs_.jobs, [this](const exploration_progress& now) { show(now); },
                              [this] { code_.rest(); }, [this] { code_.expect_stuck_steps(); }});
  }

  // It cannot be shrunk, and nothing else has to be known of it.
  static bool is_death_of_plain_run(const found_failure& failure) {
    const std::vector<std::uint64_t>& answers = failure.run.answers;
    return failure.death && std::all_of(answers.begin(), answers.end(), [](std::uint64_t each) { return each == 0; });
  }
  finding of_plain_run(const found_failure& failure) const {
    finding known;
    known.signature = failure.run.result.signature;
    known.replay.test = test_hash(full_name());
    known.replay.order = how_.order;
    known.repeats = known.finished = true;
    return known;
  }

  // In one worker, at full speed. What is tried there may crash though the failure does not: then each run is made in a
  // worker of its own.
  finding look_into_outside(const found_failure& failure) {
    code_.rest();
    if (!failure.death) {
      struct shown {
        std::atomic<std::uint64_t> runs = 0;
        std::atomic<std::uint64_t> left = 0;
        std::atomic<bool> stop = false;
      };
      const shared_object<shown> state;
      finding_options options = options_of_finding();
      options.on_progress = [&state](std::uint64_t runs, std::size_t left) {
        state->runs = runs;
        state->left = left;
        return !state->stop;
      };
      const work_result made = make_in_worker(
          [&](const sender& send) {
            send(look_into(code_, how_, failure.run, options).sent_form());
            code_.rest();
          },
          [&] {
            if (state->runs != 0) state->stop = !show_shrinking(state->runs, state->left);
          });
      if (!made.end.died) return finding::read(message(made.sent));
    }
    isolated_program isolated(code_, [this] { code_.rest(); });
    finding_options options = options_of_finding();
    options.share_runs_max = share_runs_isolated_max;
    options.out_of_time = [&, timed_out = std::move(options.out_of_time)] {
      if (isolated.stuck_runs() != 0) code_.expect_stuck_steps();
      return isolated.stuck_runs() >= stuck_runs_max || timed_out();
    };
    return look_into(isolated, how_, failure.run, options);
  }

  // -- what is told ---------------------------------------------------------------------------------------------------

  void report(const found_failure& failure, const finding& known, const search_result& found) {
    if (!known.repeats) return report_nondeterminism(failure, known);
    if (failure.death) return report_death(failure, known, found);
    outcome last = runner_.make_with_record(known.replay);
    if (!last.failed) return report_nondeterminism(failure, known);
    const finding all = with_unrecorded_answers(known, last.record);
    const std::string pair = text_of_pair(all, last.record, passing_run(all));
    bool told = false;
    for (failure_part& part : last.parts) {
      while (part.message.ends_with('\n')) part.message.pop_back();
      if (part.failed() && !std::exchange(told, true)) {
        part.message += fmt::format("\n{}\n{}\n{}{}{}{}\ntrace {:016x}", headline(known, failure.run),
                                    columns_of(last.record, columns_for(last.record, all)), pair, known.in_fifo_order,
                                    text_of_what_is_left(known, false), repeat_line(last.replay), last.trace_hash);
      }
      publish(part);
    }
  }

  // Where there is a pair, of which it is the run that passes.
  recorded_run passing_run(const finding& known) {
    const muted_output muted;
    return known.pair ? runner_.make_with_record(known.pair->passing).record : recorded_run();
  }

  // What decides; or that nothing does, where there is an order to look at.
  static std::string text_of_pair(const finding& known, const recorded_run& failing, const recorded_run& passing) {
    if (known.pair) return detail::text_of_pair(failing, passing, *known.pair);
    const bool departs = !known.replay.task_overrides.empty() || !known.deviations.empty();
    return known.explained && departs ? "No two steps were found that decide it alone.\n" : "";
  }

  // No record tells which arm a select() tried first, nor in fifo order, where nobody is asked which task is next,
  // which of the timers that are due was first. What that comes to is seen in the run without it: the first step that
  // is another one there.
  finding with_unrecorded_answers(finding known, const recorded_run& run) {
    for (std::size_t i = 0; i < known.replay.value_overrides.size(); ++i) {
      const std::string& domain = known.replay.value_overrides[i].domain;
      if (!domain.starts_with("timers-") && !domain.starts_with("select-")) continue;
      token without = known.replay;
      without.value_overrides.erase(without.value_overrides.begin() + static_cast<std::ptrdiff_t>(i));
      without.print = {};
      const muted_output muted;
      const outcome other = runner_.make_with_record(without);
      const auto [here, there] =
          std::mismatch(run.hashes.begin(), run.hashes.end(), other.record.hashes.begin(), other.record.hashes.end());
      const auto at = static_cast<std::size_t>(here - run.hashes.begin());
      if (here == run.hashes.end() || there == other.record.hashes.end()) continue;
      if (!run.records[at].is_step() || !other.record.records[at].is_step()) continue;
      const named_step first = name_of(run, at);
      const named_step second = name_of(other.record, at);
      known.deviations.push_back(first);
      if (!other.failed && first.task != second.task && record_of(other.record, first)) {
        known.pair = {first, second, without, 1};
      }
    }
    return known;
  }

  // How the run came to its death, told by a worker that makes it once more.
  std::string text_of_last_run(const finding& known) {
    const recorded_run passing = passing_run(known);
    runner_.rest();
    const work_result made = make_in_worker(
        [&](const sender& send) {
          call_when_dying([&] {
            const recorded_run run = runner_.record_so_far();
            send(fmt::format("\n{}\n{}", columns_of(run, columns_for(run, known)), text_of_pair(known, run, passing)));
          });
          runner_.make_with_record(known.replay);
        },
        nullptr);
    return made.sent.empty() ? text_of_pair(known, {}, passing) : made.sent;
  }

  void report_death(const found_failure& failure, const finding& known, const search_result& found) {
    const std::string others = found.failures.size() == 1 ? "nothing else"
                                                          : fmt::format("{} other failure{}", found.failures.size() - 1,
                                                                        found.failures.size() == 2 ? "" : "s");
    const source where = failure.death->where;
    const bool has_line = failure.death->where.line() != 0;
    publish(
        {testing::TestPartResult::kNonFatalFailure, has_line ? where.file_name() : "",
         has_line ? static_cast<int>(where.line()) : 0,
         fmt::format("{}\n{}{}{}{}The search went on behind that run, and found {}.\n{}", failure.death->text,
                     headline(known, failure.run, failure.death->stuck), text_of_last_run(known), known.in_fifo_order,
                     text_of_what_is_left(known, failure.death->stuck), others, repeat_line(known.replay))});
  }

  // What was not looked into of a step that is stuck, as each run that comes to one has to be waited for; or of a run
  // that is very long.
  std::string text_of_what_is_left(const finding& known, bool stuck) const {
    if (!stuck && !known.too_long) return {};
    if (known.replay.task_overrides.empty() && known.replay.value_overrides.empty()) return {};
    std::string left;
    const auto add = [&left](bool missing, std::string_view what) {
      if (missing) left += fmt::format("{}{}", left.empty() ? "" : ", ", what);
    };
    add(stuck && !known.finished, "all shorter runs");
    add(!known.explained, "which two steps decide");
    add(known.in_fifo_order.empty() && how_.order == ordering::any_order, "fifo order");
    if (left.empty()) return {};
    return fmt::format(
        "Not looked into, as {}: {}.\n",
        stuck ? "few runs are made that get stuck" : "the run is so long that not each step is looked at", left);
  }

  static void report_nondeterminism(const found_failure& failure, const finding& known) {
    publish({testing::TestPartResult::kNonFatalFailure, "", 0,
             fmt::format("nondeterminism: a run that failed passes when it is repeated ({})\n  {}\n{}{}",
                         known.signature, causes_of_nondeterminism, failure.death ? failure.death->text + "\n" : "",
                         line_that_compares(known.replay))});
  }

  // The two may be alike next time: they are tried a few times for what differs.
  void report_departure(const exploration& found) {
    std::string text = fmt::format("nondeterminism: {}\n  {}", statement_of(found, how_), causes_of_nondeterminism);
    if (found.departing) {
      token replay;
      {
        muted_output muted;
        code_.mute(&muted);
        replay = token_of_answers(code_, test_hash(full_name()), how_.order, *found.departing);
        code_.rest();
        code_.mute(nullptr);
        recorded_run first = runner_.make_with_record(replay).record;
        for (int attempt = 0; attempt < 4; ++attempt) {
          recorded_run second = runner_.make_with_record(replay).record;
          if (const auto differs = first_difference(first, second)) {
            text += fmt::format("\n{}", *differs);
            break;
          }
          first = std::move(second);
        }
      }
      text += fmt::format("\n{}", line_that_compares(replay));
    }
    publish({testing::TestPartResult::kNonFatalFailure, "", 0, text});
  }

  test_runner& runner_;
  const options& knobs_;
  test_program code_;
  explore_options how_;
  progress_line line_;
  steady::time_point begun_ = steady::now();
  std::optional<finding> known_;  // of what was found within this process
  failures_file failures_{failures_path()};
};

}  // namespace

std::optional<worker_end> death_of_plain_run(test_runner& runner, const options& knobs) {
  if (*knobs.jobs == 0) return std::nullopt;
  runner.rest();
  test_program code(runner);
  isolated_program isolated(code, [&code] { code.rest(); });
  guided_oracle plain{token()};
  if (!is_signature_of_death(isolated.run(plain, *knobs.order).signature)) return std::nullopt;
  return isolated.last_death();
}

search_end explore_test(test_runner& runner, const options& knobs, const std::optional<worker_end>& plain_death,
                        std::optional<std::uint64_t> plain_trace) {
  return test_exploration(runner, knobs, plain_trace).run(plain_death);
}

}  // namespace lockstep::detail
