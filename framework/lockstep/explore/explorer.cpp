#include <lockstep/explore/explorer.hpp>

#include <lockstep/base/hash.hpp>
#include <lockstep/explore/pilot.hpp>
#include <lockstep/explore/strategy.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <utility>

namespace lockstep {

namespace {

constexpr std::uint64_t no_pilot = ~std::uint64_t{0};
constexpr std::uint64_t pilot_runs_max = 48;    // of the sample that tells how large the space is
constexpr double classes_max = 5e6;             // that are worth a systematic search where only time limits it
constexpr double classes_shared_min = 2'000;    // that are worth sharing among parts
constexpr std::uint64_t runs_on_trial = 2'000;  // of a systematic search of which nobody knows how large it is
constexpr std::uint64_t all_values = ~std::uint64_t{0};
// How many answers to one question are all tried, at least; and of which more it is asked whether they fit.
constexpr std::uint64_t values_min = 16;
constexpr std::uint64_t limits_of_values[] = {values_min, 256, 4'096, 65'536, all_values};
constexpr std::uint64_t orders_counted_max = 2'000;  // classes whose interleavings are counted one by one

}  // namespace

// One call of explore().
class explorer::search {
 public:
  search(program& code, const explore_options& options)
      : code_(code), options_(options),
        budget_(options.runs_max / options.parts + (options.part < options.runs_max % options.parts ? 1 : 0)) {}

  exploration run() {
    if (budget_ == 0) return std::move(found_);
    if (options_.plain_dies) {
      sample();
    } else if (is_fifo() && options_.by != search_by::random && options_.by != search_by::portfolio) {
      all_orders(reduction::none);
    } else {
      switch (options_.by) {
        case search_by::portfolio: portfolio(); break;
        case search_by::systematic: all_orders(reduction::source_sets); break;
        case search_by::sleep_sets: all_orders(reduction::sleep_sets); break;
        case search_by::every_order: all_orders(reduction::none); break;
        case search_by::deviations: bounded(cost_of::deviations, ~std::uint64_t{0}, options_.runs_max); break;
        case search_by::preemptions: bounded(cost_of::preemptions, ~std::uint64_t{0}, options_.runs_max); break;
        case search_by::random:
        case search_by::coverage: sample(); break;
      }
    }
    found_.distinct = found_.seen.size(found_.runs);
    return std::move(found_);
  }

 private:
  bool is_first_part() const noexcept { return options_.part == 0; }
  bool is_fifo() const noexcept { return options_.order == ordering::fifo; }
  bool over() const noexcept { return found_.failure || found_.departed || found_.stopped || left() == 0; }
  std::uint64_t left() const noexcept { return budget_ - std::min(budget_, found_.runs); }
  // Of the budget of all parts, if the others have made as many runs as this one.
  std::uint64_t left_to_all() const noexcept {
    return options_.runs_max - std::min(options_.runs_max, found_.runs * options_.parts);
  }

  // Makes a run, the first of which is the plain one. Returns whether the search goes on.
  template <class Answers>
  bool make(oracle& choices, std::string_view by, const Answers& answers, const systematic_search* tree = nullptr) {
    const run_result result = code_.run(choices, options_.order);
    ++found_.runs;
    if (result.skipped) ++found_.skipped;
    found_.seen.add(code_.trace_hash());
    if (result.failed) {
      fail(result, answers(), by);
      return false;
    }
    if (found_.runs == 1 && code_.trace_hash() != options_.plain_trace.value_or(code_.trace_hash())) {
      depart({});
      return false;
    }
    const bool whole = tree == nullptr || !tree->gave_up();
    if (whole && is_checked()) repeat(answers());
    look_up_sometimes();
    return !over();
  }
  void fail(run_result result, std::vector<std::uint64_t> answers, std::string_view by) {
    while (!answers.empty() && answers.back() == 0) answers.pop_back();  // they follow anyway
    found_.failure = {std::move(result), std::move(answers), std::string(by), found_.runs};
  }
  void look_up() {
    if (options_.on_progress)
      options_.on_progress({found_.runs, found_.seen.size(found_.runs), covered_, phase_, share_});
    look_at_time();
  }
  void look_at_time() {
    if (options_.out_of_time && options_.out_of_time()) found_.stopped = true;
  }
  // The longer the runs, the more often.
  void look_up_sometimes() {
    if (found_.runs % 64 == 0) return look_up();
    if (profile_.steps() > 500 || found_.runs % 8 == 0) look_at_time();
  }
  void enter(std::string_view phase) {
    phase_ = phase;
    look_up();
  }

  // Whether the run that was made last, or the next one before it is counted, is one of those that are made twice.
  bool is_checked(std::uint64_t more = 0) const noexcept {
    if (options_.check_every == 0 || options_.runs_max == 1) return false;
    const std::uint64_t nth = found_.runs + more;
    return nth == 1 || mix(nth) % options_.check_every == 0;
  }
  // Makes the last run again, which had passed.
  void repeat(const std::vector<std::uint64_t>& answers) {
    const std::uint64_t first = code_.trace_hash();
    fixed_choices same(answers);
    const bool failed = code_.run(same, options_.order).failed;
    if (!failed && code_.trace_hash() == first) return;
    depart(answers);
  }
  void depart(std::vector<std::uint64_t> answers) {
    found_.departed = true;
    found_.departing = std::move(answers);
  }

  void portfolio();
  void all_orders(reduction by);
  bool plain_run();
  void first_runs();
  void pilot(std::uint64_t runs);
  void plan_pilot() noexcept;
  bool make_planned_pilot();
  std::uint64_t pilot_runs() const noexcept { return std::min(pilot_runs_max, left() / 8 + 1); }
  void sample();
  void bounded(cost_of what, std::uint64_t most, std::uint64_t runs_max);
  std::optional<std::uint64_t> bounded_runs(bounded_search& by, std::uint64_t most, std::uint64_t until);
  std::optional<double> size_with(std::uint64_t values_max, reduction by) const;
  std::uint64_t values_that_fit(reduction by, double runs_max) const;
  void tree(reduction by, std::uint64_t values_max, std::uint32_t parts, std::uint64_t kept_for_later = 0);
  sampling_oracle& sampler_of(std::uint64_t nth, std::string_view& name);
  bool make_sample(sampling_oracle& by, std::string_view name, std::uint64_t seed);

  program& code_;
  const explore_options& options_;
  std::uint64_t budget_;  // of this part
  exploration found_;
  std::string_view phase_ = "first runs";
  std::optional<double> share_;
  std::uint64_t pilot_at_ = no_pilot;  // after so many runs
  bool went_alone_ = false;
  std::size_t covered_ = 0;
  std::optional<std::vector<choice>> plain_;  // the choices of the plain run, once it was made
  profile profile_;
  std::array<space_estimate, std::size(limits_of_values)> estimates_;  // with so many values
  lockstep::portfolio samplers_{profile_, options_.weights};
  std::unique_ptr<corpus_sampler> corpus_;
};

// -- the phases -------------------------------------------------------------------------------------------------------

void explorer::search::portfolio() {
  first_runs();
  if (over()) return;
  bounded(cost_of::deviations, 1, std::max<std::uint64_t>(left() / 4, 1));
  if (over()) return;
  pilot(pilot_runs());
  if (over()) return;
  const reduction by = is_fifo() ? reduction::none : reduction::source_sets;
  const std::uint64_t all = left_to_all();
  const double worth = std::min(static_cast<double>(all), classes_max);
  std::uint64_t values_max = all_values;
  std::optional<double> size = size_with(values_max, by);
  if (!size || *size > worth) {
    values_max = values_that_fit(by, worth / 2);
    size = size_with(values_max, by);
  }
  if (size && *size <= worth) {
    const std::uint64_t for_samples = all / 8;
    if (*size >= classes_shared_min) {
      tree(by, values_max, options_.parts, for_samples / options_.parts);
    } else if (is_first_part()) {
      // Others have less to do meanwhile.
      budget_ = found_.runs + all - (options_.parts == 1 ? 0 : for_samples);
      tree(by, values_max, 1, options_.parts == 1 ? for_samples : 0);
    } else {
      budget_ = found_.runs + for_samples / (options_.parts - 1);
    }
    if (found_.exhaustive || over()) return;
  } else if (!size && is_first_part() && options_.samples_skipped == 0) {
    // So much is independent that the orders of one run could not be counted: there may be few that differ.
    tree(by, values_max, 1, left() - std::min(left() / 4, runs_on_trial));
    if (found_.exhaustive || over()) return;
  }
  sample();
}

// All parts learn alike from the plain run how many values are to be tried.
void explorer::search::all_orders(reduction by) {
  if (!plain_run()) return;
  std::uint64_t values_max = values_min;
  const auto is_wide = [](const choice& each) { return !each.of_task && each.options > values_min; };
  if (std::any_of(plain_->begin(), plain_->end(), is_wide)) {
    pilot(pilot_runs());
    if (over()) return;
    values_max = values_that_fit(by, static_cast<double>(left_to_all()));
  } else {
    plan_pilot();
  }
  tree(by, values_max, options_.parts);
}

bool explorer::search::plain_run() {
  profiled_choices dullest(profile_);
  logged_choices plain(&dullest);
  const bool goes_on = make(plain, "plain", [] { return std::vector<std::uint64_t>(); });
  profile_.end_run();
  plain_ = plain.log();
  return goes_on;
}

void explorer::search::first_runs() {
  if (!plain_run() || !is_first_part() || is_fifo() || options_.samples_skipped != 0) return;
  const std::unique_ptr<oracle> turns = make_oracle(schedule::round_robin, 0);
  logged_choices logged(turns.get());
  make(logged, "round robin", [&] { return logged.answers(); });
}

// Where the search is not one of several, and has made all runs with few values, it goes on with more of them.
void explorer::search::bounded(cost_of what, std::uint64_t most, std::uint64_t runs_max) {
  if (options_.samples_skipped != 0) return;  // what a search that died has made, or has died of
  enter(what == cost_of::deviations ? "deviations" : "preemptions");
  const bool alone = most == ~std::uint64_t{0};
  const std::uint64_t until = found_.runs + std::min(runs_max, left());
  for (const std::uint64_t values_max : limits_of_values) {
    bounded_search by(what, most, values_max, detail::patience_for(profile_.steps()));
    if (plain_) by.begin_behind(*plain_);
    const std::uint64_t before = found_.runs;
    const std::optional<std::uint64_t> bound = bounded_runs(by, most, until);
    const bool all = bound == by.level();
    if (bound && (all || values_max == values_min)) {
      found_.bound = *bound;
      found_.values_asked = alone ? by.values_left_out() : 0;
      found_.values_tried = found_.values_asked != 0 ? values_max : 0;
      found_.starving_left_out = alone && by.left_starving_out();
    }
    if (!all || !alone || over()) return;
    if (by.values_left_out() != 0) continue;
    found_.exhaustive = found_.interleavings_counted = true;
    found_.classes = found_.runs - before;
    found_.interleavings = static_cast<double>(found_.classes);
    return;
  }
}

// Returns the bound up to which all were made; nothing if not even those that cost nothing were, or the search ended.
std::optional<std::uint64_t> explorer::search::bounded_runs(bounded_search& by, std::uint64_t most,
                                                            std::uint64_t until) {
  const auto all_before = [&by] { return by.level() == 0 ? std::nullopt : std::optional(by.level() - 1); };
  std::uint64_t nth = 0;
  while (by.begin_run()) {
    if (found_.runs >= until) return all_before();
    // The runs of every part are needed to know what follows from them, so they are made by all; but those of the last
    // level, from which nothing follows.
    if (by.level() == most && most != 0 && nth++ % options_.parts != options_.part) continue;
    const bool goes_on = make(by, phase_, [&] { return by.answers(); });
    if (found_.failure || found_.departed) return std::nullopt;
    by.end_run();
    if (!goes_on) return all_before();
  }
  return by.level();
}

// Draws with known odds, and looks at what depends on what, to learn how large the space is. All parts draw the same,
// so that they agree on what to do next.
void explorer::search::pilot(std::uint64_t runs) {
  enter("estimate");
  pilot_sampler drawn(profile_);
  observed_choices observed(options_.all_shared_declared);
  for (std::uint64_t i = 0; i < runs; ++i) {
    drawn.begin(seed_of_run(hash_of(options_.seed, ~i), 0));
    logged_choices logged(&drawn);
    observed.begin(&logged);
    const bool goes_on = make(observed, drawn.name(), [&] { return logged.answers(); });
    observed.end_run();
    const std::optional<double> orders = is_fifo() ? std::nullopt : observed.causes().orders(2'000);
    for (std::size_t at = 0; at < estimates_.size(); ++at)
      estimates_[at].add(drawn.weight() * observed.weight_of_values(limits_of_values[at]), orders);
    if (!goes_on) break;
  }
  const space_estimate& all = estimates_.back();
  found_.estimated = all.classes() && options_.by != search_by::every_order ? all.classes() : all.interleavings();
}

// A search that may not come to the end of all orders, and learns nothing else from the estimate, has it made by one
// part, with an eighth of its first runs.
void explorer::search::plan_pilot() noexcept {
  if (!is_first_part() || options_.samples_skipped != 0 || options_.plain_dies || left() < 8) return;
  pilot_at_ = found_.runs + std::min(7 * pilot_runs_max, left() - left() / 8);
}

// If its time has come. False if the search is over.
bool explorer::search::make_planned_pilot() {
  if (found_.runs < pilot_at_) return true;
  pilot_at_ = no_pilot;
  const std::string_view before = phase_;
  pilot(std::min(pilot_runs_max, left()));
  if (!over()) enter(before);
  return !over();
}

// How many runs there are with so many values, about; nothing if that is not known.
std::optional<double> explorer::search::size_with(std::uint64_t values_max, reduction by) const {
  const auto at = std::find(std::begin(limits_of_values), std::end(limits_of_values), values_max);
  const space_estimate& of = estimates_[static_cast<std::size_t>(at - std::begin(limits_of_values))];
  if (of.runs() == 0) return std::nullopt;
  return by == reduction::none ? of.interleavings() : of.classes();
}

// Of each, the most that make no more runs than that, about.
std::uint64_t explorer::search::values_that_fit(reduction by, double runs_max) const {
  for (std::size_t at = std::size(limits_of_values); at-- > 1;) {
    const std::optional<double> size = size_with(limits_of_values[at], by);
    if (size && *size <= runs_max) return limits_of_values[at];
  }
  return values_min;
}

// Makes all orders that are this part's, with so many values; all there are, from the first, once it is known that they
// cannot be shared.
void explorer::search::tree(reduction by, std::uint64_t values_max, std::uint32_t parts, std::uint64_t kept_for_later) {
  enter("all orders");
  systematic_options how{by, options_.all_shared_declared};
  how.values_max = values_max;
  how.patience = detail::patience_for(profile_.steps());
  how.parts = parts;
  how.part = parts == 1 ? 0 : options_.part;
  systematic_search all(how);
  double orders = 0;
  std::uint64_t counted = 0;
  std::uint64_t skipped_before = found_.skipped;
  while (all.begin_run()) {
    const std::uint64_t skipped_otherwise = found_.skipped;
    if (!make_planned_pilot()) return;
    skipped_before += found_.skipped - skipped_otherwise;
    if (left() <= kept_for_later && options_.ask_for_runs && (parts > 1 || went_alone_)) {
      budget_ += options_.ask_for_runs(found_.runs + kept_for_later);
    }
    if (left() <= kept_for_later) return;
    share_ = all.progress();
    make(
        all, "all orders", [&] { return all.answers(); }, &all);
    if (found_.failure || found_.departed || found_.stopped) return;
    all.end_run();
    if (parts > 1 && by != reduction::none && all.limits_decide()) {
      went_alone_ = true;
      return tree(by, values_max, 1, kept_for_later);
    }
    if (!all.gave_up() && counted == all.runs() - 1 && counted < orders_counted_max) {
      const std::optional<double> here = by == reduction::none ? 1 : all.steps().orders();
      if (here) {
        orders += *here;
        ++counted;
      }
    }
  }
  if (all.departed()) {
    found_.departed = true;
    return;
  }
  found_.exhaustive = !all.left_values_out();
  found_.values_asked = all.values_left_out();
  found_.values_tried = found_.exhaustive ? 0 : values_max;
  found_.starving_left_out = all.left_starving_out();
  found_.classes_repeated = all.limits_decide() && by != reduction::none;
  if (found_.exhaustive) found_.skipped -= skipped_before;  // those before are among the orders
  found_.parts = parts;
  found_.classes = all.runs();
  found_.interleavings_counted = by == reduction::none || (counted == all.runs() && !all.asked_for_arms());
  found_.interleavings = by == reduction::none ? static_cast<double>(all.runs())
                         : counted != 0        ? orders * static_cast<double>(all.runs()) / static_cast<double>(counted)
                                               : 0;
  found_.over_declared_data = options_.all_shared_declared && by != reduction::none;
}

// -- samples ----------------------------------------------------------------------------------------------------------

sampling_oracle& explorer::search::sampler_of(std::uint64_t nth, std::string_view& name) {
  const portfolio::drawn drawn =
      options_.by == search_by::coverage ? portfolio::drawn{nullptr, "coverage"} : samplers_.draw(options_.seed, nth);
  name = drawn.name;
  if (drawn.by != nullptr) return *drawn.by;
  if (corpus_ == nullptr) corpus_ = std::make_unique<corpus_sampler>(profile_);
  return *corpus_;
}

bool explorer::search::make_sample(sampling_oracle& by, std::string_view name, std::uint64_t seed) {
  by.begin(seed);
  logged_choices logged(&by);
  const bool checked = is_checked(1);
  const run_result result = code_.run(checked ? static_cast<oracle&>(logged) : by, options_.order);
  ++found_.runs;
  ++found_.samples;
  if (result.skipped) ++found_.skipped;
  found_.seen.add(code_.trace_hash());
  if (&by == corpus_.get()) {
    corpus_->end_run();
    covered_ = corpus_->covered();
  }
  if (!result.failed) {
    if (checked) repeat(logged.answers());
    look_up_sometimes();
    return !over();
  }
  // Once more, for its answers. The corpus draws from what it had kept before.
  by.begin(seed);
  logged.begin(&by);
  const run_result again = code_.run(logged, options_.order);
  if (again.signature != result.signature) {
    found_.departed = &by != corpus_.get();
    if (found_.departed) found_.departing = logged.answers();
    if (found_.departed || !again.failed) return !over();
  }
  fail(again, logged.answers(), name);
  return false;
}

void explorer::search::sample() {
  share_.reset();
  enter("samples");
  if (profile_.choices() == 0 && found_.runs == 0 && !options_.plain_dies) {
    first_runs();
    if (over()) return;
  }
  if (options_.by == search_by::random || options_.by == search_by::coverage) plan_pilot();
  for (std::uint64_t i = options_.samples_skipped; left() > 0 && make_planned_pilot(); ++i) {
    std::string_view name;
    const std::uint64_t nth = i * options_.parts + options_.part;
    sampling_oracle& by = sampler_of(nth, name);
    if (!make_sample(by, name, seed_of_run(options_.seed, nth))) return;
  }
}

// -- the outside ------------------------------------------------------------------------------------------------------

exploration explorer::explore(const explore_options& options) { return search(code_, options).run(); }

std::optional<explorer::failing_share> explorer::share_that_fails(const explore_options& options,
                                                                  std::uint64_t runs_max) {
  if (options.order == ordering::fifo) return std::nullopt;
  systematic_search all({reduction::source_sets, options.all_shared_declared});
  failing_share share{0, 0};
  while (all.begin_run()) {
    if (all.runs() + all.given_up() >= runs_max) return std::nullopt;
    const run_result result = code_.run(all, options.order);
    all.end_run();
    if (!all.gave_up() && result.failed) ++share.failing;
  }
  share.all = all.runs();
  if (all.departed() || all.left_values_out() || all.left_starving_out()) return std::nullopt;
  return share;
}

std::string_view name_of(search_by how) noexcept {
  switch (how) {
    case search_by::portfolio: return "portfolio";
    case search_by::systematic: return "systematic";
    case search_by::sleep_sets: return "sleep_sets";
    case search_by::every_order: return "every_order";
    case search_by::deviations: return "deviations";
    case search_by::preemptions: return "preemptions";
    case search_by::random: return "random";
    case search_by::coverage: return "coverage";
  }
  return "unknown";
}

}  // namespace lockstep
