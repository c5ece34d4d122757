#include <lockstep/testing/finding.hpp>

#include <lockstep/explore/choices.hpp>
#include <lockstep/explore/kept_order.hpp>
#include <lockstep/explore/replay.hpp>
#include <lockstep/explore/shrink.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace lockstep::detail {

namespace {

constexpr std::uint64_t fifo_runs_max = 200;    // of the search for the same failure in fifo order
constexpr std::uint64_t fifo_runs_if_long = 2;  // enough to know it of a test that has no choice there

constexpr std::uint64_t explained_steps_max = 20'000;  // of a run, which must be looked at as a whole for that

struct ended_early {};

// Ends by an exception when the budget is used up.
class limited_program final : public program {
 public:
  limited_program(program& code, const std::function<bool()>& out_of_time, std::uint64_t runs_max)
      : code_(code), out_of_time_(out_of_time), left_(runs_max) {}

  run_result run(oracle& choices, ordering order) override {
    if (left_ == 0 || is_out_of_time()) throw ended_early();
    --left_;
    return code_.run(choices, order);
  }
  std::uint64_t trace_hash() const override { return code_.trace_hash(); }

  std::uint64_t left() const noexcept { return left_; }
  bool is_out_of_time() const { return out_of_time_ && out_of_time_(); }

 private:
  program& code_;
  const std::function<bool()>& out_of_time_;
  std::uint64_t left_;
};

// Whether it needs another order than that in which tasks become ready. What was not tried is not denied: the search
// knows only the least of many values, so the run's own come first.
std::string text_of_fifo(program& code, const explore_options& how, const token& failing, const std::string& signature,
                         std::uint64_t runs_max) {
  if (how.order == ordering::fifo) return {};
  const std::string it_fails = "It also fails in fifo order.\n";
  token same_values = failing;
  same_values.order = ordering::fifo;
  same_values.task_overrides.clear();
  same_values.print = {};
  guided_oracle guided(same_values);
  if (code.run(guided, ordering::fifo).signature == signature) return it_fails;
  explore_options fifo;
  fifo.order = ordering::fifo;
  fifo.by = search_by::every_order;
  fifo.runs_max = runs_max;
  fifo.seed = how.seed;
  fifo.check_every = 0;
  const exploration there = explorer(code).explore(fifo);
  if (there.failure && there.failure->result.signature == signature) return it_fails;
  if (there.exhaustive) return "It does not happen in fifo order.\n";
  return fmt::format("It was not seen in fifo order ({} runs).\n", there.runs + 1);
}

// The run that ends a process has no trace to be compared, but has been at its overrides.
fingerprint print_of_overrides(program& code, const token& dying) {
  guided_oracle guided(dying);
  code.run(guided, dying.order);
  fingerprint print = guided.print(0);
  print.trace_end.clear();
  return print.deviations.empty() ? fingerprint() : print;
}

}  // namespace

finding look_into(program& code, const explore_options& how, const failing_run& failure,
                  const finding_options& options) {
  limited_program limited(code, options.out_of_time, how.runs_max);
  finding known;
  known.signature = failure.result.signature;
  // The two runs without which nothing is known are made in any case; but if they take really long, only the first is.
  known.replay.test = options.test;
  known.replay.order = how.order;
  fixed_choices fixed(failure.answers);
  described_choices described(fixed);
  noted_order noted(described);
  run_result again = code.run(noted, how.order);
  known.replay.task_overrides = described.of_tasks();
  known.replay.value_overrides = described.of_values();
  known.too_long = noted.steps().size() > explained_steps_max;
  if (!limited.is_out_of_time()) {
    guided_oracle guided(known.replay);
    again = code.run(guided, how.order);
  }
  known.repeats = again.failed && again.signature == known.signature;
  if (!known.repeats) return known;
  shrink_options shrinking;
  shrinking.runs_max = std::min(shrinking.runs_max, how.runs_max / 2);
  shrinking.out_of_time = [&limited] { return limited.is_out_of_time(); };
  if (options.on_progress) {
    shrinking.on_progress = [&](std::uint64_t runs, std::size_t left) {
      if (!options.on_progress(runs, left)) throw ended_early();
    };
  }
  // Each run of what dies has its own process, so one more is made whatever the time.
  const bool dies = is_signature_of_death(known.signature);
  try {
    const shrunk_run shrunk = shrink(limited, known.replay, known.signature, shrinking);
    known.replay = shrunk.replay;
    known.finished = shrunk.finished;
    known.shrink_runs = shrunk.runs;
    if (known.too_long) {
      known.in_fifo_order = text_of_fifo(limited, how, known.replay, known.signature, fifo_runs_if_long);
    } else {
      program& at_any_time = dies ? code : limited;
      if (how.order == ordering::any_order) known.deviations = deviations_of(at_any_time, known.replay);
      known.pair = explain(limited, known.replay);
      known.explained = true;
      known.in_fifo_order = text_of_fifo(limited, how, known.replay, known.signature, fifo_runs_max);
      known.share = explorer(limited).share_that_fails(how, std::min(options.share_runs_max, limited.left()));
    }
  } catch (const ended_early&) {  // what is known until then is known
  }
  if (dies && !known.replay.task_overrides.empty()) known.replay.print = print_of_overrides(code, known.replay);
  return known;
}

std::string finding::sent_form() const {
  message said;
  said.add(signature).add(to_text(replay)).add(std::uint64_t{repeats}).add(std::uint64_t{finished}).add(shrink_runs);
  said.add(std::uint64_t{explained}).add(std::uint64_t{too_long});
  said.add(in_fifo_order).add(std::uint64_t{pair.has_value()}).add(std::uint64_t{share.has_value()});
  if (pair) {
    for (const named_step& each : {pair->first, pair->second}) said.add(each.task).add(std::uint64_t{each.nth});
    said.add(to_text(pair->passing)).add(pair->runs);
  }
  if (share) said.add(share->failing).add(share->all);
  said.add(std::uint64_t{deviations.size()});
  for (const named_step& each : deviations) said.add(each.task).add(std::uint64_t{each.nth});
  return said.bytes();
}

finding finding::read(message from) {
  finding known;
  known.signature = from.text();
  const std::variant<token, std::string> parsed = parse_token(from.text());
  if (const token* replay = std::get_if<token>(&parsed)) known.replay = *replay;
  known.repeats = from.number() != 0;
  known.finished = from.number() != 0;
  known.shrink_runs = from.number();
  known.explained = from.number() != 0;
  known.too_long = from.number() != 0;
  known.in_fifo_order = from.text();
  const bool has_pair = from.number() != 0;
  const bool has_share = from.number() != 0;
  if (has_pair) {
    known.pair.emplace();
    for (named_step* each : {&known.pair->first, &known.pair->second}) {
      each->task = from.number();
      each->nth = static_cast<std::uint32_t>(from.number());
    }
    const std::variant<token, std::string> passing = parse_token(from.text());
    if (const token* read = std::get_if<token>(&passing)) known.pair->passing = *read;
    known.pair->runs = from.number();
  }
  if (has_share) {
    known.share.emplace();
    known.share->failing = from.number();
    known.share->all = from.number();
  }
  for (std::uint64_t left = from.number(); left > 0; --left) {
    const identity task = from.number();
    known.deviations.push_back({task, static_cast<std::uint32_t>(from.number())});
  }
  return known;
}

}  // namespace lockstep::detail
