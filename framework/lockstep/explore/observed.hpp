// The steps of one run under any oracle: who made them, and what happens before what.
#pragma once

#include <lockstep/choice/oracle.hpp>
#include <lockstep/explore/causality.hpp>
#include <lockstep/explore/numbering.hpp>
#include <lockstep/explore/readiness.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lockstep {

class observed_choices final : public oracle, private step_observer {
 public:
  struct step {
    identity task;
    std::uint32_t nth;     // of the task's steps, as tokens count them
    std::uint32_t record;  // of the task's records, from 1: an attempt that came to nothing has that of what follows
    operation_kind operation;
    identity object;  // 0 where the operation touches none
  };

  // With `all_shared_declared`, plain variables are taken not to be shared, see systematic.hpp.
  explicit observed_choices(bool all_shared_declared = false) : all_shared_declared_(all_shared_declared) {
    objects_.of(everything);
  }

  // Before each run. Answers as `base` does, null for the dullest.
  void begin(oracle* base);
  // After it: works out what happens before what.
  void end_run();

  const std::vector<step>& steps() const noexcept { return made_; }
  const detail::causality& causes() const noexcept { return steps_; }
  // For how many runs it stands in an estimate of all, as far as values go, if every answer was as likely as any other:
  // the product of all numbers of options, of each at most `values_max`.
  double weight_of_values(std::uint64_t values_max = 16) const noexcept;

  std::size_t pick_task(const candidates& from) override;
  std::uint64_t pick_value(choice_point point, std::uint64_t options) override;
  step_observer* observer() noexcept override { return this; }

 private:
  bool step_begins(const candidates& ready, std::size_t picked) override;
  void touches(identity object, access how) override;
  void only_attempted() override {
    attempted_ = true;
    --records_[steps_.last().task];
  }
  // What is touched from now on, before the next step, is touched by none: all later steps are after it.
  void all_quiet() override {
    close_step();
    quiet_before_ = static_cast<std::uint32_t>(steps_.size());
  }
  void run_ends(const candidates&) override { close_step(); }
  void close_step();

  bool all_shared_declared_;
  oracle* base_ = nullptr;
  detail::numbering tasks_;
  detail::numbering objects_;
  detail::causality steps_;
  std::vector<step> made_;
  std::vector<detail::race> races_;
  detail::readiness ready_;
  std::vector<std::uint64_t> options_;  // of each question for a value
  std::vector<std::uint32_t> records_;  // of each task
  std::uint32_t quiet_before_ = 0;
  bool step_open_ = false;
  bool attempted_ = false;
};

}  // namespace lockstep
