// The plain run, but for some steps that keep the order which they had in another run.
#pragma once

#include <lockstep/choice/oracle.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace lockstep {

// Answers as `base` does, and notes who makes the steps. In any_order, for one run.
class noted_order final : public oracle, private step_observer {
 public:
  explicit noted_order(oracle& base) noexcept : base_(base) {}

  const std::vector<task_step>& steps() const noexcept { return steps_; }

  std::size_t pick_task(const candidates& from) override { return base_.pick_task(from); }
  std::uint64_t pick_value(choice_point point, std::uint64_t options) override {
    return base_.pick_value(point, options);
  }
  step_observer* observer() noexcept override { return this; }

 private:
  bool step_begins(const candidates& ready, std::size_t picked) override {
    steps_.push_back(ready.step(picked));
    return true;
  }

  oracle& base_;
  std::vector<task_step> steps_;
};

// Who would make one of these steps waits until those before it have been made. Meanwhile the task that makes the next
// of them goes on; where it cannot, the first that need not wait does, or the first of all. Values are as `values`
// answers. In any_order, for one run.
class kept_order final : public oracle, private step_observer {
 public:
  // Both must outlive it.
  kept_order(const std::vector<task_step>& steps, oracle& values);

  std::size_t pick_task(const candidates& from) override;
  std::uint64_t pick_value(choice_point point, std::uint64_t options) override {
    return values_.pick_value(point, options);
  }
  step_observer* observer() noexcept override { return this; }

 private:
  // Of one task: which steps are kept, with their places in the order, and how many have been made.
  struct kept_task {
    std::vector<std::pair<std::uint32_t, std::size_t>> steps = {};
    std::size_t made = 0;
  };

  bool must_wait(task_step who) const;

  bool step_begins(const candidates& ready, std::size_t picked) override;

  const std::vector<task_step>& steps_;
  oracle& values_;
  std::map<identity, kept_task> tasks_;
  std::vector<bool> made_;  // of the steps
  std::size_t next_ = 0;    // the first that has not been made
};

}  // namespace lockstep
