#include <lockstep/explore/explain.hpp>

#include <lockstep/explore/choices.hpp>
#include <lockstep/explore/observed.hpp>
#include <lockstep/explore/replay.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace lockstep {

namespace {

using step = observed_choices::step;

// Lets the tasks make their steps in a given order, as far as they are ready; the first that is, otherwise.
class ordered_choices final : public oracle, private step_observer {
 public:
  ordered_choices(std::vector<identity> order, oracle& values) : order_(std::move(order)), values_(values) {}

  std::size_t pick_task(const candidates& from) override {
    for (std::size_t at = 0; at < order_.size(); ++at) {
      for (std::size_t i = 0; i < from.size(); ++i) {
        if (from[i].task == order_[at]) return i;
      }
    }
    return 0;
  }
  std::uint64_t pick_value(choice_point point, std::uint64_t options) override {
    return values_.pick_value(point, options);
  }
  step_observer* observer() noexcept override { return this; }

 private:
  bool step_begins(const candidates& ready, std::size_t picked) override {
    const auto at = std::find(order_.begin(), order_.end(), ready[picked].task);
    if (at != order_.end()) order_.erase(at);
    return true;
  }
  void touches(identity, access) override {}
  void only_attempted() override {}
  void all_quiet() override {}
  void run_ends(const candidates&) override {}

  std::vector<identity> order_;  // what is left of it
  oracle& values_;
};

struct swap {
  std::size_t first;
  std::size_t second;
  bool deviates;  // the first, from the plain run
};

// The order in which `second` and whatever it needs come before `first`. Empty if `first` is needed.
std::vector<identity> swapped(const std::vector<step>& steps, const detail::causality& causes, swap pair) {
  std::vector<bool> moves(steps.size(), false);
  moves[pair.second] = true;
  for (std::size_t at = pair.second + 1; at-- > pair.first;) {
    if (!moves[at]) continue;
    if (at == pair.first) return {};
    const std::uint32_t by = causes[at].enabled_by;
    if (by != detail::step_event::none && by >= pair.first) moves[by] = true;
    for (std::size_t before = at; before-- > pair.first;) {
      if (steps[before].task != steps[at].task) continue;
      moves[before] = true;
      break;
    }
  }
  if (moves[pair.first] || causes[pair.second].quiet_before > pair.first) return {};
  std::vector<identity> order;
  const auto add = [&](std::size_t from, std::size_t to, bool moved) {
    for (std::size_t i = from; i < to; ++i) {
      if (moves[i] == moved) order.push_back(steps[i].task);
    }
  };
  add(0, pair.first, false);
  add(pair.first, pair.second + 1, true);
  add(pair.first, steps.size(), false);
  return order;
}

}  // namespace

std::optional<deciding_pair> explain(program& code, const token& failing, bool all_shared_declared,
                                     std::uint64_t runs_max) {
  if (failing.order == ordering::fifo) return std::nullopt;
  observed_choices observed(all_shared_declared);
  guided_oracle guided(failing);
  described_choices described(guided);
  observed.begin(&described);
  code.run(observed, failing.order);
  observed.end_run();
  const std::vector<step>& steps = observed.steps();
  const detail::causality& causes = observed.causes();
  std::vector<swap> pairs;
  constexpr std::size_t apart_max = 64;
  for (std::size_t second = 1; second < steps.size(); ++second) {
    for (std::size_t first = second - std::min(second, apart_max); first < second; ++first) {
      if (steps[first].task == steps[second].task) continue;
      if (!detail::depend(causes[first].touches, causes[first].reads, causes[second].touches, causes[second].reads)) {
        continue;
      }
      const std::pair made(steps[first].task, steps[first].nth);
      const bool deviates =
          std::find(described.steps().begin(), described.steps().end(), made) != described.steps().end();
      pairs.push_back({first, second, deviates});
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(), [](const swap& one, const swap& other) {
    if (one.deviates != other.deviates) return one.deviates;
    return one.second - one.first < other.second - other.first;
  });
  std::uint64_t runs = 0;
  for (const swap& each : pairs) {
    if (runs == runs_max) break;
    std::vector<identity> order = swapped(steps, causes, each);
    if (order.empty()) continue;
    guided_oracle values(failing);
    ordered_choices other_way(std::move(order), values);
    ++runs;
    if (code.run(other_way, failing.order).failed) continue;
    return deciding_pair{
        {steps[each.first].task, steps[each.first].record}, {steps[each.second].task, steps[each.second].record}, runs};
  }
  return std::nullopt;
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
    for (const step& each : observed.steps()) {
      if (each.task == task && each.nth == nth) found.push_back({task, each.record});
    }
  }
  return found;
}

}  // namespace lockstep
