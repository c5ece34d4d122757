// Random schedules: the strategies that draw from the space of orders, each run anew.
//
//   uniform  of the ready tasks, any
//   pos      a random priority for every step, drawn anew where a step was passed by one that touches the same object
//   urw      the more steps a task has yet to make, the likelier it is next: about uniform over whole orders
//   pct      a random priority for every task, and up to two moments at which the first one falls behind all others
// Values: one in four is the least, one in eight the greatest, one in eight small; the others are uniform.
//
// Nobody is passed over for ever, see fairness.hpp.
// Draws depend on the seed, on who asks and on how often that was, never on a clock or an address.
// Source: Yuan, Yang, Gu, "Partial order aware concurrency sampling", CAV 2018; Zhao, Wolff, Mathur, Roychoudhury,
// "Selectively uniform concurrency testing", ASPLOS 2025; Burckhardt, Kothari, Musuvathi, Nagarakatte, "A randomized
// scheduler with probabilistic guarantees of finding bugs", ASPLOS 2010.
#pragma once

#include <lockstep/choice/oracle.hpp>
#include <lockstep/explore/fairness.hpp>
#include <lockstep/explore/numbering.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace lockstep {

enum class sampler { uniform, pos, urw, pct };
inline constexpr sampler all_samplers[] = {sampler::uniform, sampler::pos, sampler::urw, sampler::pct};
std::string_view name_of(sampler kind) noexcept;

// What earlier runs have shown of a program: who spawns whom, how many steps each task makes, how many choices there
// are. The basis of urw and pct.
class profile {
 public:
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  struct task {
    std::uint32_t parent;
    std::uint32_t steps;  // the most that were seen
  };

  // Learns from the candidates of a choice, or from the one task that makes a step without any.
  void see(const candidates& from);
  void end_run() noexcept;

  const detail::numbering& names() const noexcept { return names_; }
  const std::vector<task>& tasks() const noexcept { return tasks_; }
  // The most choices of tasks in a run.
  std::uint64_t choices() const noexcept { return choices_max_; }
  // The sum over all tasks.
  std::uint64_t steps() const noexcept { return steps_; }

 private:
  std::uint32_t number_of(identity which);

  detail::numbering names_;
  std::vector<task> tasks_;
  std::uint64_t choices_ = 0;
  std::uint64_t choices_max_ = 0;
  std::uint64_t steps_ = 0;
};

// Makes the plain run and fills a profile on the way, with the steps as well that are no choice.
class profiled_choices final : public oracle, private step_observer {
 public:
  explicit profiled_choices(profile& into) noexcept : into_(into) {}
  std::size_t pick_task(const candidates&) override { return 0; }
  std::uint64_t pick_value(choice_point, std::uint64_t) override { return 0; }
  step_observer* observer() noexcept override { return this; }

 private:
  bool step_begins(const candidates& ready, std::size_t) override {
    into_.see(ready);
    return true;
  }

  profile& into_;
};

class sampling_oracle : public oracle {
 public:
  // `known` must outlive it.
  explicit sampling_oracle(const profile& known) noexcept : known_(known) {}

  // Before each run.
  void begin(std::uint64_t seed) {
    seed_ = seed;
    fairness_.begin_run(detail::patience_for(known_.steps()));
    begin_run();
  }
  std::size_t pick_task(const candidates& from) override {
    const std::optional<std::size_t> settled = settled_pick(from);
    return settled ? *settled : draw_task(from);
  }
  std::uint64_t pick_value(choice_point point, std::uint64_t options) final;
  virtual std::size_t draw_task(const candidates& from) = 0;

 protected:
  virtual void begin_run() = 0;
  // What is not to be drawn.
  std::optional<std::size_t> settled_pick(const candidates& from) {
    const std::optional<std::size_t> due = fairness_.due(from);
    if (!due && fairness_.is_long()) [[unlikely]]
      return 0;
    return due;
  }

  const profile& known_;
  std::uint64_t seed_ = 0;

 private:
  detail::fairness fairness_;
};

// `known` must outlive it, and may learn more between two runs.
std::unique_ptr<sampling_oracle> make_sampler(sampler kind, const profile& known);

}  // namespace lockstep
