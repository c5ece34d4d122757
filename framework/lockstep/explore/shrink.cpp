#include <lockstep/explore/shrink.hpp>

#include <lockstep/base/hash.hpp>
#include <lockstep/explore/bounded.hpp>
#include <lockstep/explore/choices.hpp>
#include <lockstep/explore/kept_order.hpp>
#include <lockstep/explore/replay.hpp>

#include <algorithm>
#include <bit>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace lockstep {

namespace {

constexpr std::uint64_t runs_for_keeping_max = 150;    // few steps in their order,
constexpr std::uint64_t runs_for_values_max = 150;     // before others than these overrides are tried
constexpr std::uint64_t runs_of_one_max = 100;         // those with a single one,
constexpr std::uint64_t runs_for_replacing_max = 250;  // those with one instead of several,
constexpr std::uint64_t runs_beside_values_max = 50;   // and both where there are values among the overrides
constexpr std::uint64_t answers_max = 16;              // that are tried of one question
constexpr std::size_t kept_steps_max = 10'000;

std::size_t size_of(const token& of) noexcept { return of.task_overrides.size() + of.value_overrides.size(); }

// The overrides are numbered: those of tasks, then those of values.
token without(const token& of, std::size_t from, std::size_t count) {
  token less = of;
  less.task_overrides.clear();
  less.value_overrides.clear();
  for (std::size_t i = 0; i < size_of(of); ++i) {
    if (i >= from && i < from + count) continue;
    if (i < of.task_overrides.size()) {
      less.task_overrides.push_back(of.task_overrides[i]);
    } else {
      less.value_overrides.push_back(of.value_overrides[i - of.task_overrides.size()]);
    }
  }
  return less;
}

// The same, where tasks look again and again whether they may go on. Whoever ran instead then looks one time less, and
// what follows concerns a step of it that is one earlier.
token without_looks(const token& of, std::size_t from, std::size_t count) {
  token less = without(of, from, count);
  for (std::size_t i = from; i < std::min(from + count, of.task_overrides.size()); ++i) {
    for (std::size_t later = from; later < less.task_overrides.size(); ++later) {
      task_override& each = less.task_overrides[later];
      if (each.task == of.task_overrides[i].instead && each.step > 1) --each.step;
    }
  }
  return less;
}
// Or whoever was held back looks one time more, and is held back at its next step.
token with_looks(const token& of, std::size_t from, std::size_t count) {
  token less = without(of, from, count);
  for (std::size_t i = from; i < std::min(from + count, of.task_overrides.size()); ++i) {
    const task_override& gone = of.task_overrides[i];
    for (task_override& each : less.task_overrides) {
      if (each.task == gone.task && each.step >= gone.step) ++each.step;
    }
  }
  return less;
}

// Of a sequence, whose size is drawn first and then its elements: where in their domain those are drawn that an
// override makes no dullest ones, in that order. It is not known which values are sizes, and of what.
struct sequence {
  sequence(const token& of, std::size_t size_at, std::string elements_domain)
      : size(size_at), domain(std::move(elements_domain)) {
    const value_override& drawn = of.value_overrides[size];
    const bool same = domain == drawn.domain;
    if (same) first = drawn.nth + 1;
    for (const value_override& each : of.value_overrides) {
      const bool outside = same && (each.nth <= drawn.nth || each.nth - drawn.nth > drawn.value);
      if (each.domain == domain && !outside) elements.push_back(each.nth);
    }
    std::sort(elements.begin(), elements.end());
  }

  // `of` with `count` elements less, from the one that is drawn as the `from`-th.
  token without(token of, std::uint64_t from, std::uint64_t count) const {
    of.value_overrides[size].value -= std::min(of.value_overrides[size].value, count);
    for (value_override& each : of.value_overrides) {
      if (each.domain == domain && each.nth >= from + count) each.nth -= count;
    }
    return of;
  }
  token without(token of, std::uint64_t element) const {
    std::erase_if(of.value_overrides,
                  [&](const value_override& each) { return each.domain == domain && each.nth == element; });
    return without(std::move(of), element, 1);
  }
  // Without those that have no override and stand before one that has.
  token without_dullest(token of) const {
    std::uint64_t gone = 0;
    std::uint64_t next = first;
    for (const std::uint64_t each : elements) {
      if (each != next) of = without(std::move(of), next - gone, each - next);
      gone += each - next;
      next = each + 1;
    }
    return of;
  }
  // Without any that has none.
  token of_others_only(const token& of) const {
    token less = without_dullest(of);
    less.value_overrides[size].value = std::min<std::uint64_t>(elements.size(), of.value_overrides[size].value);
    return less;
  }

  std::size_t size;
  std::string domain;
  std::uint64_t first = 1;
  std::vector<std::uint64_t> elements;
};

// Answers as `base` does, but for one choice, the `at`-th from 0.
class one_other_answer final : public oracle {
 public:
  one_other_answer(oracle& base, std::size_t at, std::uint64_t answer) noexcept
      : base_(base), left_(at), answer_(answer) {}

  std::size_t pick_task(const candidates& from) override {
    return static_cast<std::size_t>(answered(base_.pick_task(from), from.size()));
  }
  std::uint64_t pick_value(choice_point point, std::uint64_t options) override {
    return answered(base_.pick_value(point, options), options);
  }

 private:
  std::uint64_t answered(std::uint64_t by_base, std::uint64_t options) noexcept {
    return left_-- == 0 && answer_ < options ? answer_ : by_base;
  }

  oracle& base_;
  std::size_t left_;
  std::uint64_t answer_;
};

class shrinking {
 public:
  shrinking(program& code, token failing, const std::string& signature, const shrink_options& options)
      : code_(code), signature_(signature), options_(options), best_(std::move(failing)) {
    best_.print = {};
  }

  shrunk_run run() {
    allow(runs_for_keeping_max);
    keep_few_steps();
    limit_ = options_.runs_max;
    leave_out();
    if (!best_.value_overrides.empty()) {
      allow(runs_for_values_max);
      for (std::uint64_t before = ~std::uint64_t{0}; before != taken_ && !spent();) {
        before = taken_;
        shorten_sequences();
        merge_values();
        leave_gaps_out();
        lower_values();
        lower_pairs();
        exchange_values();
        move_values();
        leave_out();
      }
    }
    const bool has_values = !best_.value_overrides.empty();
    allow(has_values ? runs_beside_values_max : runs_of_one_max);
    try_single_ones();
    if (!has_values) allow(runs_for_replacing_max);
    while (replace_several()) leave_out();
    return {best_, runs_, !cut_};
  }

 private:
  void allow(std::uint64_t more) noexcept { limit_ = std::min(options_.runs_max, runs_ + more); }
  bool spent() {
    if (runs_ < limit_ && !(options_.out_of_time && options_.out_of_time())) return false;
    cut_ = true;
    return true;
  }

  // Makes the run of `less`; it is the best if it fails alike, by the overrides that it has really made.
  bool take(const token& less) {
    if (spent() || !tried_.insert(hash_of(to_text(less))).second) return false;
    guided_oracle guided(less);
    described_choices described(guided);
    return fails_alike(described, less.order) && keep(described, size_of(less));
  }
  // What was made is the best, unless it has more overrides than that.
  bool keep(const described_choices& made, std::size_t most) {
    if (made.of_tasks().size() + made.of_values().size() > most) return false;
    best_.task_overrides = made.of_tasks();
    best_.value_overrides = made.of_values();
    ++taken_;
    return true;
  }
  bool fails_alike(oracle& choices, ordering order) {
    const run_result result = code_.run(choices, order);
    ++runs_;
    if (options_.on_progress) options_.on_progress(runs_, size_of(best_));
    return result.failed && result.signature == signature_;
  }

  // Calls `leave(from, count)` for half of what there are, for quarters, and so on down to one. From the end, since
  // what comes after the failure is of no use.
  template <class Size, class Leave>
  void leave_out_of(const Size& size, const Leave& leave) {
    for (std::size_t chunk = std::max<std::size_t>(size(), 1); chunk > 0 && !spent(); chunk /= 2) {
      for (std::size_t end = size(); end > 0 && !spent();) {
        const std::size_t from = end > chunk ? end - chunk : 0;
        leave(from, end - from);
        end = std::min(from, size());
      }
    }
  }
  void leave_out() {
    leave_out_of([this] { return size_of(best_); },
                 [this](std::size_t from, std::size_t count) {
                   if (take(without(best_, from, count)) || take(without_looks(best_, from, count))) return;
                   take(with_looks(best_, from, count));
                 });
  }

  // Few steps must keep their order for the failure, as a rule, however many overrides it took to bring that about; the
  // others then need none.
  void keep_few_steps() {
    if (best_.task_overrides.empty() || spent()) return;
    guided_oracle guided(best_);
    noted_order noted(guided);
    fails_alike(noted, best_.order);
    std::vector<task_step> steps = noted.steps();
    if (steps.size() > kept_steps_max) return;
    token values = best_;
    values.task_overrides.clear();
    leave_out_of([&steps] { return steps.size(); },
                 [&](std::size_t from, std::size_t count) {
                   std::vector<task_step> less = steps;
                   const auto first = less.begin() + static_cast<std::ptrdiff_t>(from);
                   less.erase(first, first + static_cast<std::ptrdiff_t>(count));
                   guided_oracle answers(values);
                   kept_order kept(less, answers);
                   described_choices described(kept);
                   if (!fails_alike(described, best_.order)) return;
                   steps = std::move(less);
                   keep(described, size_of(best_));
                 });
  }

  // Takes elements away, first all of the dullest that others stand behind, which leave_out() has made so.
  void shorten_sequences() {
    for (std::size_t size = 0; size < best_.value_overrides.size() && !spent(); ++size) {
      const std::string own = best_.value_overrides[size].domain;
      std::set<std::string> domains{own};
      if (sequence(best_, size, own).elements.empty()) {
        for (const value_override& each : best_.value_overrides) domains.insert(each.domain);
      }
      for (const std::string& domain : domains) shorten(size, domain);
    }
  }
  // Takes only the dullest away.
  void leave_gaps_out() {
    for (std::size_t size = 0; size < best_.value_overrides.size() && !spent(); ++size) {
      const sequence now(best_, size, best_.value_overrides[size].domain);
      if (!now.elements.empty()) take(now.of_others_only(best_));
    }
  }
  // From the end, as what stands before stays where it is.
  void shorten(std::size_t size, const std::string& domain) {
    const auto now = [&] { return sequence(best_, std::min(size, best_.value_overrides.size() - 1), domain); };
    if (best_.value_overrides.empty()) return;
    if (!take(now().of_others_only(best_))) take(now().without_dullest(best_));
    for (std::size_t left = best_.value_overrides.size(); left > 0 && !spent(); --left) {
      if (size >= best_.value_overrides.size()) return;
      const sequence shorter = now();
      if (left <= shorter.elements.size()) take(shorter.without(best_, shorter.elements[left - 1]));
    }
  }

  // One value instead of two, where it is their sum that matters.
  void merge_values() {
    for (std::size_t second = 1; second < best_.value_overrides.size(); ++second) {
      for (std::size_t first = 0; first < second && second < best_.value_overrides.size() && !spent(); ++first) {
        if (best_.value_overrides[first].domain != best_.value_overrides[second].domain) continue;
        token less = best_;
        less.value_overrides[second].value += std::exchange(less.value_overrides[first].value, 0);
        take(less);
      }
    }
  }

  // By powers of two, from the greatest: as quick as halving, and it finds the least also where only every second
  // value fails, as of any_int(), whose signs alternate.
  void lower_values() {
    for (std::size_t i = 0; i < best_.value_overrides.size(); ++i) {
      const auto value = [&] { return i < best_.value_overrides.size() ? best_.value_overrides[i].value : 0; };
      for (std::uint64_t step = std::bit_floor(value()); step > 0 && !spent(); step /= 2) {
        while (value() > step && !spent()) {
          token less = best_;
          less.value_overrides[i].value -= step;
          if (!take(less)) break;
        }
      }
    }
  }

  // Where they must be equal, or as far from each other as they are.
  void lower_pairs() {
    for (std::size_t second = 1; second < best_.value_overrides.size(); ++second) {
      for (std::size_t first = 0; first < second && !spent(); ++first) {
        const auto least = [&] {
          const auto& values = best_.value_overrides;
          return second < values.size() ? std::min(values[first].value, values[second].value) : 0;
        };
        for (std::uint64_t step = std::bit_floor(least()); step > 0 && !spent(); step /= 2) {
          if (least() <= step) continue;
          token less = best_;
          less.value_overrides[first].value -= step;
          less.value_overrides[second].value -= step;
          take(less);
        }
      }
    }
  }

  // So that of two, the lesser one is first, which may then be lowered further.
  void exchange_values() {
    for (std::size_t second = 1; second < best_.value_overrides.size(); ++second) {
      for (std::size_t first = 0; first < second && second < best_.value_overrides.size() && !spent(); ++first) {
        if (best_.value_overrides[first].value <= best_.value_overrides[second].value) continue;
        token other = best_;
        std::swap(other.value_overrides[first].value, other.value_overrides[second].value);
        take(other);
      }
    }
  }

  // To the front of their domains, past answers that do not matter: a text that fails for its third character can then
  // be one of a single character.
  void move_values() {
    for (std::size_t i = 0; i < best_.value_overrides.size() && !spent(); ++i) {
      const value_override here = best_.value_overrides[i];
      std::uint64_t first = 1;
      for (std::size_t before = 0; before < i; ++before) {
        const value_override& other = best_.value_overrides[before];
        if (other.domain == here.domain && other.nth < here.nth) first = std::max(first, other.nth + 1);
      }
      for (const std::uint64_t to : {first, here.nth - 1}) {
        if (to < first || to >= here.nth) continue;
        token less = best_;
        less.value_overrides[i].nth = to;
        if (take(less)) break;
      }
    }
  }

  void try_single_ones() {
    if (size_of(best_) < 2) return;
    bounded_search by(cost_of::deviations, 1, answers_max);
    while (!spent() && by.begin_run()) {
      described_choices described(by);
      if (fails_alike(described, best_.order) && keep(described, 1)) return;
      by.end_run();
    }
  }

  // One override, anywhere, instead of several that hold the same step back, or of two that follow each other. True if
  // that does.
  bool replace_several() {
    if (size_of(best_) < 3) return false;
    const std::vector<task_override> all = best_.task_overrides;
    const auto hold_the_same = [&all](std::size_t one, std::size_t other) {
      return all[one].task == all[other].task && all[one].step == all[other].step;
    };
    for (std::size_t from = 0, to = 0; from < all.size(); from = to) {
      for (to = from + 1; to < all.size() && hold_the_same(from, to);) ++to;
      if (to - from > 2 && replace(from, to - from)) return true;
    }
    for (std::size_t from = 0; from + 1 < all.size(); ++from) {
      if (replace(from, 2)) return true;
    }
    return false;
  }
  bool replace(std::size_t from, std::size_t count) {
    const token less = without(best_, from, count);
    guided_oracle base(less);
    logged_choices logged(&base);
    if (spent() || fails_alike(logged, less.order)) return false;
    for (std::size_t at = logged.log().size(); at > 0; --at) {
      const choice& made = logged.log()[at - 1];
      for (std::uint64_t answer = 0; answer < std::min(made.options, answers_max) && !spent(); ++answer) {
        if (answer == made.answer) continue;
        guided_oracle guided(less);
        one_other_answer other(guided, at - 1, answer);
        described_choices described(other);
        if (fails_alike(described, less.order) && keep(described, size_of(best_) - 1)) return true;
      }
    }
    return false;
  }

  program& code_;
  const std::string& signature_;
  const shrink_options& options_;
  token best_;
  std::uint64_t runs_ = 0;
  std::uint64_t taken_ = 0;
  std::uint64_t limit_ = options_.runs_max;
  bool cut_ = false;
  std::set<std::uint64_t> tried_;  // hashes of tokens
};

}  // namespace

shrunk_run shrink(program& code, const token& failing, const std::string& signature, const shrink_options& options) {
  return shrinking(code, failing, signature, options).run();
}

token token_of_answers(program& code, std::uint16_t test, ordering order, const std::vector<std::uint64_t>& answers) {
  fixed_choices fixed(answers);
  described_choices described(fixed);
  code.run(described, order);
  token made;
  made.test = test;
  made.order = order;
  made.task_overrides = described.of_tasks();
  made.value_overrides = described.of_values();
  return made;
}

}  // namespace lockstep
