#include <lockstep/testing/finding.hpp>

#include <lockstep/explore/replay.hpp>
#include <lockstep/explore/shrink.hpp>

#include <fmt/format.h>

#include <utility>
#include <variant>

namespace lockstep::detail {

namespace {

constexpr std::uint64_t fifo_runs_max = 200;  // of the search for the same failure in fifo order

struct ended_early {};

// Whether it needs another order than that in which tasks become ready. What was not tried is not denied: the search
// knows only the least of many values, so the run's own come first.
std::string text_of_fifo(program& code, const explore_options& how, const token& failing,
                         const std::string& signature) {
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
  fifo.runs_max = fifo_runs_max;
  fifo.seed = how.seed;
  fifo.check_every = 0;
  const exploration there = explorer(code).explore(fifo);
  if (there.failure && there.failure->result.signature == signature) return it_fails;
  if (there.exhaustive && !there.values_left_out) return "It does not happen in fifo order.\n";
  return fmt::format("It was not seen in fifo order ({} runs).\n", there.runs + 1);
}

}  // namespace

finding look_into(program& code, const explore_options& how, const failing_run& failure,
                  const finding_options& options) {
  finding known;
  known.signature = failure.result.signature;
  known.replay = token_of_answers(code, options.test, how.order, failure.answers);
  guided_oracle guided(known.replay);
  const run_result again = code.run(guided, how.order);
  known.repeats = again.failed && again.signature == known.signature;
  if (!known.repeats) return known;
  shrink_options shrinking;
  if (options.on_progress) {
    shrinking.on_progress = [&](std::uint64_t runs, std::size_t left) {
      if (!options.on_progress(runs, left)) throw ended_early();
    };
  }
  try {
    const shrunk_run shrunk = shrink(code, known.replay, known.signature, shrinking);
    known.replay = shrunk.replay;
    known.finished = shrunk.finished;
    known.shrink_runs = shrunk.runs;
  } catch (const ended_early&) {
    return known;
  }
  known.share = explorer(code).share_that_fails(how, options.share_runs_max);
  if (how.order == ordering::any_order) known.deviations = deviations_of(code, known.replay);
  known.pair = explain(code, known.replay);
  known.in_fifo_order = text_of_fifo(code, how, known.replay, known.signature);
  return known;
}

std::string finding::sent_form() const {
  message said;
  said.add(signature).add(to_text(replay)).add(std::uint64_t{repeats}).add(std::uint64_t{finished}).add(shrink_runs);
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
