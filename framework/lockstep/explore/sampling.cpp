#include <lockstep/explore/sampling.hpp>

#include <lockstep/base/hash.hpp>
#include <lockstep/explore/remaining_steps.hpp>

#include <algorithm>

namespace lockstep {

namespace {

constexpr std::uint64_t of_tasks = hash_of("lockstep: tasks");
constexpr std::uint64_t of_depths = hash_of("lockstep: depths");

bool in_race(const candidate& one, const candidate& other) noexcept {
  return one.object != 0 && one.object == other.object &&
         !commute(access_of(one.operation), access_of(other.operation));
}

// Draws without another virtual call.
template <class Sampler>
class direct_sampler : public sampling_oracle {
 public:
  using sampling_oracle::sampling_oracle;

  std::size_t pick_task(const candidates& from) final {
    const std::optional<std::size_t> settled = settled_pick(from);
    return settled ? *settled : static_cast<Sampler&>(*this).draw_task(from);
  }
};

class uniform_sampler final : public direct_sampler<uniform_sampler> {
 public:
  using direct_sampler::direct_sampler;
  void begin_run() override { made_ = 0; }
  std::size_t draw_task(const candidates& from) override {
    return static_cast<std::size_t>(bounded(draw(seed_, of_tasks, ++made_), from.size()));
  }

 private:
  std::uint64_t made_ = 0;
};

class pos_sampler final : public direct_sampler<pos_sampler> {
 public:
  using direct_sampler::direct_sampler;
  void begin_run() override { std::fill(passed_.begin(), passed_.end(), passes{}); }
  std::size_t draw_task(const candidates& from) override {
    std::size_t best = 0;
    std::uint64_t highest = 0;
    pending_.clear();
    for (std::size_t i = 0; i < from.size(); ++i) {
      const candidate each = from[i];
      pending_.push_back(each);
      const passes* const by = passes_of(each, false);
      const std::uint64_t times = by != nullptr ? by->times : 0;
      const std::uint64_t priority = draw(seed_, each.task, std::uint64_t{each.step} << 32 | times);
      if (i != 0 && priority <= highest) continue;
      highest = priority;
      best = i;
    }
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      if (i != best && in_race(pending_[i], pending_[best])) ++passes_of(pending_[i], true)->times;
    }
    return best;
  }

 private:
  // How often a step has been passed by one that it races with.
  struct passes {
    std::uint32_t step = 0;
    std::uint32_t times = 0;
  };

  // Null if it was not, unless it is to be.
  passes* passes_of(const candidate& who, bool make) {
    const std::uint32_t number = make ? tasks_.of(who.task) : tasks_.find(who.task);
    if (number == detail::numbering::unknown) return nullptr;
    if (number >= passed_.size()) passed_.resize(number + 1);
    passes& of = passed_[number];
    if (of.step == who.step) return &of;
    if (!make) return nullptr;
    of = {who.step, 0};
    return &of;
  }

  detail::numbering tasks_;
  std::vector<passes> passed_;
  std::vector<candidate> pending_;
};

class urw_sampler final : public direct_sampler<urw_sampler> {
 public:
  using direct_sampler::direct_sampler;

  void begin_run() override {
    made_ = 0;
    left_.begin_run(known_);
  }
  std::size_t draw_task(const candidates& from) override {
    const std::uint64_t total = left_.see(from);
    return left_.at(bounded(draw(seed_, of_tasks, ++made_), total));
  }

 private:
  std::uint64_t made_ = 0;
  detail::remaining_steps left_;
};

class pct_sampler final : public direct_sampler<pct_sampler> {
 public:
  using direct_sampler::direct_sampler;

  void begin_run() override {
    made_ = 0;
    fallen_.clear();
    const std::uint64_t choices = std::max<std::uint64_t>(known_.choices(), 1);
    const std::uint64_t falls = bounded(draw(seed_, of_depths, 0), 3);  // one less than the depth
    changes_.clear();
    for (std::uint64_t i = 1; i <= falls && 2 * falls < choices; ++i) {
      changes_.push_back(bounded(draw(seed_, of_depths, i), choices) + 1);
    }
  }
  std::size_t draw_task(const candidates& from) override {
    ++made_;
    std::size_t best = highest(from);
    if (std::find(changes_.begin(), changes_.end(), made_) != changes_.end()) {
      fallen_.push_back(from[best].task);
      best = highest(from);
    }
    return best;
  }

 private:
  // Whoever has fallen is behind all who have not, and behind those that fell before.
  std::size_t highest(const candidates& from) const {
    std::size_t best = 0;
    std::uint64_t top = 0;
    for (std::size_t i = 0; i < from.size(); ++i) {
      const identity task = from[i].task;
      std::uint64_t priority = draw(seed_, task, 0) | std::uint64_t{1} << 63;
      for (std::size_t j = fallen_.size(); j-- > 0;) {
        if (fallen_[j] != task) continue;
        priority = fallen_.size() - j;
        break;
      }
      if (i != 0 && priority <= top) continue;
      top = priority;
      best = i;
    }
    return best;
  }

  std::uint64_t made_ = 0;
  std::vector<std::uint64_t> changes_;
  std::vector<identity> fallen_;
};

}  // namespace

std::string_view name_of(sampler kind) noexcept {
  switch (kind) {
    case sampler::uniform: return "uniform";
    case sampler::pos: return "pos";
    case sampler::urw: return "urw";
    case sampler::pct: return "pct";
  }
  return "unknown";
}

std::uint32_t profile::number_of(identity which) {
  const std::uint32_t number = names_.of(which);
  if (number == tasks_.size()) tasks_.push_back({none, 0});
  return number;
}

void profile::see(const candidates& from) {
  if (from.size() > 1) ++choices_;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const candidate each = from[i];
    // Parents first, so that they have the lower numbers.
    const std::uint32_t parent = each.parent != 0 ? number_of(each.parent) : none;
    const std::uint32_t number = number_of(each.task);
    if (parent < number || parent == none) tasks_[number].parent = parent;
    tasks_[number].steps = std::max(tasks_[number].steps, each.step);
  }
}

void profile::end_run() noexcept {
  choices_max_ = std::max(choices_max_, choices_);
  choices_ = 0;
  steps_ = 0;
  for (const task& each : tasks_) steps_ += each.steps;
}

std::uint64_t sampling_oracle::pick_value(choice_point point, std::uint64_t options) {
  const std::uint64_t drawn = draw(seed_, point.domain, point.nth);
  switch (drawn & 7) {
    case 0:
    case 1: return 0;
    case 2: return options - 1;
    case 3: return bounded(mix(drawn), std::min<std::uint64_t>(options, 16));
    default: return bounded(mix(drawn), options);
  }
}

std::unique_ptr<sampling_oracle> make_sampler(sampler kind, const profile& known) {
  switch (kind) {
    case sampler::uniform: return std::make_unique<uniform_sampler>(known);
    case sampler::pos: return std::make_unique<pos_sampler>(known);
    case sampler::urw: return std::make_unique<urw_sampler>(known);
    case sampler::pct: return std::make_unique<pct_sampler>(known);
  }
  return nullptr;
}

}  // namespace lockstep
