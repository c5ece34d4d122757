// The oracle: the one place where a run's nondeterminism is decided.
//
// The loop asks which task runs next; everything else asks for a value. Replay, random schedules and systematic
// search are all oracles. A loop without an oracle makes the plain run: it takes the dullest answer to everything
// and pays for no virtual call.
// An oracle lives as long as the run that asks it and is asked on the loop's thread only. It may have a step_observer,
// which is told what the run does.
#pragma once

#include <lockstep/choice/identity.hpp>
#include <lockstep/choice/operation_kind.hpp>
#include <lockstep/choice/step_observer.hpp>

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
  // Whether the first is running and could simply go on.
  virtual bool first_is_running() const noexcept = 0;
  // The path by which tokens name that task: "main", "1", "1.2".
  virtual std::string path(std::size_t i) const = 0;

 protected:
  explicit candidates(std::size_t size = 0) noexcept : size_(size) {}
  candidates(const candidates&) = default;
  candidates& operator=(const candidates&) = default;
  ~candidates() = default;
  void set_size(std::size_t size) noexcept { size_ = size; }

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
