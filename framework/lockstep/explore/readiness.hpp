// Since when each task of a run is ready, and by which step it has become so.
#pragma once

#include <lockstep/explore/causality.hpp>

#include <cstdint>
#include <vector>

namespace lockstep::detail {

class readiness {
 public:
  void begin_run() noexcept { run_ += std::uint64_t{1} << 32; }

  // The task is ready before step number `step`; `before` is who made the last one. Called before each step for all
  // that are ready: one that was not, or that has made that step itself, has become so by it.
  void note(std::uint32_t task, std::uint32_t step, std::uint32_t before) {
    make_room_for(task);
    if (step == 0) {
      enabled_by_[task] = step_event::none;
    } else if (seen_[task] != run_ + step || task == before) {
      enabled_by_[task] = step - 1;
    }
    seen_[task] = run_ + step + 1;
  }
  // The same of a task of which it is known: a run that begins as another did need not note it all again.
  void restore(std::uint32_t task, std::uint32_t step, std::uint32_t enabled_by) {
    make_room_for(task);
    enabled_by_[task] = enabled_by;
    seen_[task] = run_ + step + 1;
  }
  // Both require that the task was noted in some run.
  std::uint32_t enabled_by(std::uint32_t task) const noexcept { return enabled_by_[task]; }
  bool was_noted_before(std::uint32_t task, std::uint32_t step) const noexcept {
    return seen_[task] == run_ + step + 1;
  }

 private:
  void make_room_for(std::uint32_t task) {
    if (task < seen_.size()) return;
    seen_.resize(task + 1, 0);
    enabled_by_.resize(task + 1, step_event::none);
  }

  std::uint64_t run_ = 0;            // tells what runs before have left
  std::vector<std::uint64_t> seen_;  // of each task, `run_`, and the last step before which it was ready, and one
  std::vector<std::uint32_t> enabled_by_;
};

}  // namespace lockstep::detail
