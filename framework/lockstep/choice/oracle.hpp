// The oracle: the one place where a run's nondeterminism is decided.
//
// The loop asks which task runs next; everything else asks for a value. Replay, random schedules and systematic
// search are all oracles. A loop without an oracle makes the plain run: it takes the dullest answer to everything
// and pays for no virtual call.
// An oracle lives as long as the run that asks it and is asked on the loop's thread only. It may have a step_observer,
// which is told what the run does.
#pragma once

#include <lockstep/base/hash.hpp>
#include <lockstep/choice/identity.hpp>
#include <lockstep/choice/operation_kind.hpp>
#include <lockstep/choice/step_observer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace lockstep {

// A task that could run next: who it is, the how-manieth step of it this would be, and what it would do.
struct candidate {
  identity task;
  std::uint32_t step;
  operation_kind operation;
  identity object;      // 0 where the operation touches none
  identity parent = 0;  // of the task; 0 of the main task
};

// The n-th step of a task.
struct task_step {
  identity task;
  std::uint32_t step;
};

// Priorities of steps: each is drawn from a seed, the task, and the step's number, and so depends on nothing else.
class step_priorities {
 public:
  explicit step_priorities(std::uint64_t seed) noexcept : draws_(seed) {}

  std::uint64_t of(task_step which) noexcept {
    const std::size_t at = which.task % places;
    known_step& known = steps_[at];
    if (tasks_[at] != which.task) {
      tasks_[at] = which.task;
      of_tasks_[at] = draws_(which.task);
    } else if (known.step == which.step) [[likely]] {
      return known.priority;
    }
    known.step = which.step;
    return known.priority = of_tasks_[at][which.step];
  }

 private:
  static constexpr std::size_t places = 16;
  // A task is a candidate for one step again and again.
  struct known_step {
    std::uint64_t step;
    std::uint64_t priority;
  };

  draws_of_seed draws_;
  std::array<identity, places> tasks_ = {};
  std::array<draws, places> of_tasks_ = {};
  std::array<known_step, places> steps_;  // those of the tasks that there are; the others have never been written
};

// The tasks that could run next, the dullest first. Valid during the call it is passed to.
class candidates {
 public:
  std::size_t size() const noexcept { return size_; }
  virtual candidate operator[](std::size_t i) const noexcept = 0;
  // Which step of whom it is, all that some need to know. Cold, as the candidates that a loop has know it themselves.
  [[gnu::cold]] virtual task_step step(std::size_t i) const noexcept {
    const candidate& of = (*this)[i];
    return {of.task, of.step};
  }
  // Whose step has the highest priority, the first of several. Of a loop's own it takes no further virtual call.
  [[gnu::cold]] virtual std::size_t highest(step_priorities& by) const noexcept {
    return highest_of(size_, by, [this](std::size_t i) { return step(i); });
  }
  // Whether the first is running and could simply go on.
  virtual bool first_is_running() const noexcept = 0;
  // The path by which tokens name that task: "main", "1", "1.2".
  virtual std::string path(std::size_t i) const = 0;
  // `by` is told of the run from the next step on. Requires that nobody has been told so far, and that the run is asked
  // for it from within pick_task().
  virtual void observe(step_observer& by) const noexcept { static_cast<void>(by); }

 protected:
  explicit candidates(std::size_t size = 0) noexcept : size_(size) {}
  candidates(const candidates&) = default;
  candidates& operator=(const candidates&) = default;
  ~candidates() = default;
  void set_size(std::size_t size) noexcept { size_ = size; }
  template <class Step>
  static std::size_t highest_of(std::size_t count, step_priorities& by, const Step& step) noexcept {
    std::size_t best = 0;
    std::uint64_t highest = by.of(step(0));
    for (std::size_t i = 1; i < count; ++i) {
      const std::uint64_t next = by.of(step(i));
      if (next <= highest) continue;
      highest = next;
      best = i;
    }
    return best;
  }

 private:
  std::size_t size_;
};

class oracle {
 public:
  oracle() = default;
  oracle(const oracle&) = delete;
  oracle& operator=(const oracle&) = delete;
  virtual ~oracle() = default;

  // The index of the task that runs next, of at least two. 0 is the dullest: the first in FIFO order.
  virtual std::size_t pick_task(const candidates& from) = 0;

  // A value in 0 … options - 1, of at least two. 0 is the dullest.
  virtual std::uint64_t pick_value(choice_point point, std::uint64_t options) = 0;

  // Who is told of the run's steps, until the run ends; null for nobody.
  virtual step_observer* observer() noexcept { return nullptr; }
};

// Which tasks may overtake which.
enum class ordering {
  any_order,  // any ready task may run next, as on a thread pool, and awaits that need not block may switch
  fifo,       // ready tasks run in order, as on one thread; only timers of one instant, data and faults vary
};

}  // namespace lockstep
