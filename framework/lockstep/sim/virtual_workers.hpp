// The workers of a thread_pool in a simulation: each job is a task that runs the function in one step, when a worker
// has taken it, and then is busy for the time that the function said it takes.
//
// A job is a child of the task that waits for it, so its identity does not depend on who runs when. It is taken in the
// order in which it was given, as by threads that share one queue; of several that were taken, any may run first.
#pragma once

#include <lockstep/runtime/executor.hpp>
#include <lockstep/runtime/task.hpp>

#include <memory>

namespace lockstep::sim {

class virtual_workers final : public executor {
 public:
  explicit virtual_workers(unsigned count);
  // Jobs that no worker has taken are dropped. Those that were run end when their time has passed.
  ~virtual_workers() override;

  void submit(job work) override;

 private:
  struct desk;
  class seat;
  class turn;

  static task<void> blocking_job(std::unique_ptr<seat> given_seat, job given);

  std::shared_ptr<desk> desk_;
};

}  // namespace lockstep::sim
