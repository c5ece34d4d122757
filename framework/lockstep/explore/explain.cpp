#include <lockstep/explore/explain.hpp>

#include <lockstep/explore/choices.hpp>
#include <lockstep/explore/observed.hpp>
#include <lockstep/explore/replay.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

namespace lockstep {

namespace {

using made_step = observed_choices::step;
using steps = std::vector<made_step>;

// Lets the tasks make their steps in a given order, as far as they are ready; the first that is, otherwise.
class ordered_choices final : public oracle {
 public:
  // `made` are those of the run under way.
  ordered_choices(const steps& order, const steps& made, oracle& values) : made_(made), values_(values) {
    for (const made_step& each : order) left_.push_back(each.task);
  }

  std::size_t pick_task(const candidates& from) override {
    for (; seen_ < made_.size(); ++seen_) {
      const auto at = std::find(left_.begin(), left_.end(), made_[seen_].task);
      if (at != left_.end()) left_.erase(at);
    }
    for (const identity next : left_) {
      for (std::size_t i = 0; i < from.size(); ++i) {
        if (from.step(i).task == next) return i;
      }
    }
    return 0;
  }
  std::uint64_t pick_value(choice_point point, std::uint64_t options) override {
    return values_.pick_value(point, options);
  }

 private:
  std::vector<identity> left_;
  const steps& made_;
  std::size_t seen_ = 0;
  oracle& values_;
};

class explanation {
 public:
  explanation(program& code, const token& failing, std::uint64_t runs_max)
      : code_(code), failing_(failing), plain_(failing), runs_max_(runs_max) {
    plain_.base = schedule::plain;
    plain_.task_overrides.clear();
    plain_.print = {};
  }

  std::optional<deciding_pair> find() {
    const steps fails = steps_of(failing_);
    const steps passes = steps_that_pass();
    if (passes.empty()) return std::nullopt;
    const auto [last_alike, unused] =
        std::mismatch(fails.begin(), fails.end(), passes.begin(), passes.end(),
                      [](const made_step& one, const made_step& other) { return one.task == other.task; });
    const auto begun_alike = static_cast<std::size_t>(last_alike - fails.begin());
    if (begun_alike == passes.size()) return std::nullopt;

    // The first steps as in the run that passes, the others as in that which fails: how many first steps make it pass?
    const std::size_t first_steps =
        bisect(begun_alike, passes.size(), [&](std::size_t count) { return passes_in(joined(passes, count, fails)); });
    steps begin(passes.begin(), passes.begin() + static_cast<std::ptrdiff_t>(first_steps));
    const made_step& later = passes[first_steps];
    // The last of them came too late: behind which of the others?
    steps rest = joined(begin, begin.size(), fails);
    rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(first_steps));
    const auto own =
        std::find_if(rest.begin(), rest.end(), [&](const made_step& each) { return each.task == later.task; });
    const auto place = static_cast<std::size_t>(own - rest.begin());
    if (own != rest.end()) rest.erase(own);
    const auto with_later_at = [&](std::size_t at) {
      steps order = begin;
      order.insert(order.end(), rest.begin(), rest.end());
      order.insert(order.begin() + static_cast<std::ptrdiff_t>(first_steps + at), later);
      return order;
    };
    if (place == 0) return std::nullopt;
    const std::size_t before =
        place - 1 - bisect(0, place, [&](std::size_t forward) { return passes_in(with_later_at(place - forward)); });
    if (runs_ >= runs_max_ || !passes_in(with_later_at(before))) return std::nullopt;

    const made_step& first = rest[before];
    const std::size_t at = made_at(first);
    if (at == made_.steps().size() || made_at(later) > at) return std::nullopt;
    return deciding_pair{{first.task, first.record}, {later.task, later.record}, passing_, runs_};
  }

 private:
  // The last count that does not do; `from` does not, and `to` does.
  template <class Does>
  static std::size_t bisect(std::size_t from, std::size_t to, Does does) {
    while (to - from > 1) {
      const std::size_t middle = from + (to - from) / 2;
      (does(middle) ? to : from) = middle;
    }
    return from;
  }

  // The first `count` of `first`, and then what is left of `all`.
  static steps joined(const steps& first, std::size_t count, const steps& all) {
    steps order(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(count));
    std::map<identity, std::size_t> made;
    for (const made_step& each : order) ++made[each.task];
    for (const made_step& each : all) {
      std::size_t& left = made[each.task];
      if (left == 0) {
        order.push_back(each);
      } else {
        --left;
      }
    }
    return order;
  }

  steps steps_of(const token& of) {
    guided_oracle guided(of);
    made_.begin(&guided);
    passed_ = !run();
    return made_.steps();
  }

  // Those of the plain run, with the same values; or of some other run, where these values make that one fail.
  steps steps_that_pass() {
    constexpr std::uint64_t others = 30;
    for (std::uint64_t seed = 0; seed <= others && runs_ < runs_max_; ++seed) {
      token other = plain_;
      if (seed != 0) other.base = schedule::random;
      other.seed = seed;
      steps made = steps_of(other);
      if (passed_) return made;
    }
    return {};
  }

  bool passes_in(const steps& order) {
    if (runs_ >= runs_max_) return false;
    guided_oracle values(plain_);
    ordered_choices ordered(order, made_.steps(), values);
    described_choices described(ordered);
    made_.begin(&described);
    passed_ = !run();
    passing_ = plain_;
    passing_.task_overrides = described.of_tasks();
    return passed_;
  }

  bool run() {
    ++runs_;
    return code_.run(made_, failing_.order).failed;
  }

  // Where in the last run; behind all others if the task has not made that step.
  std::size_t made_at(const made_step& wanted) const {
    const auto same = [&wanted](const made_step& each) {
      return each.task == wanted.task && each.record == wanted.record && each.operation == wanted.operation &&
             each.object == wanted.object;
    };
    const steps& all = made_.steps();
    return static_cast<std::size_t>(std::find_if(all.begin(), all.end(), same) - all.begin());
  }

  program& code_;
  const token& failing_;
  token plain_;  // with the same values
  observed_choices made_;
  bool passed_ = false;
  token passing_;  // the last run's, if it has passed
  std::uint64_t runs_max_;
  std::uint64_t runs_ = 0;
};

}  // namespace

std::optional<deciding_pair> explain(program& code, const token& failing, std::uint64_t runs_max) {
  if (failing.order == ordering::fifo) return std::nullopt;
  return explanation(code, failing, runs_max).find();
}

std::vector<named_step> deviations_of(program& code, const token& replay) {
  guided_oracle guided(replay);
  described_choices described(guided);
  observed_choices observed;
  observed.begin(&described);
  code.run(observed, replay.order);
  observed.end_run();
  std::vector<named_step> found;
  for (const auto& [task, nth] : described.steps()) {
    for (const made_step& each : observed.steps()) {
      if (each.task == task && each.nth == nth) found.push_back({task, each.record});
    }
  }
  return found;
}

}  // namespace lockstep
