// An operation that waits for a blocking job, or may have to: what run_blocking() has in common with calls on files.
//
// It is given its job once it is known that there must be one, and hands it to an executor when it waits. A task that
// is cancelled takes back a job that nobody has begun, and otherwise waits for its end; one that is destroyed blocks
// its thread until the function has returned, as that may refer to the task's frame.
// Threads: the loop's.
#pragma once

#include <lockstep/runtime/blocking_job.hpp>
#include <lockstep/runtime/executor.hpp>
#include <lockstep/runtime/operation.hpp>

#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace lockstep::detail {

// As for operation.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

class job_waiter : public operation {
 public:
  job_waiter(const job_waiter&) = delete;
  job_waiter& operator=(const job_waiter&) = delete;

  // In a simulation, the task that runs the job.
  agent* holder() const noexcept override { return work_ != nullptr ? work_->worker() : nullptr; }
  void awaits(std::vector<agent*>& into) const override;

  // What the job came to has arrived.
  void arrived() noexcept;
  // Whether an executor has the job, and that has not arrived.
  bool waits_for_job() const noexcept { return submitted_; }
  // Its pool dies, or parts with it.
  void forget_pool() noexcept;
  // Null if the job is not for a pool, or not any more.
  thread_pool* pool() const noexcept { return pool_; }

 protected:
  explicit job_waiter(operation_kind kind) noexcept : operation(kind) {}
  job_waiter(operation_kind kind, object& what) noexcept : operation(kind, what) {}
  // The derived class sees to it that nothing that it has is in use by the job any more.
  ~job_waiter();

  // `on` will run it; the loop's own executor if that is null. Misuse if it is a pool that takes no more.
  void is_for(executor* on);
  void has_job(std::shared_ptr<job_state> work) noexcept { work_ = std::move(work); }
  // Requires both.
  void submit() noexcept;
  // For cancel_requested(): whether it was taken back before it began. Otherwise its end is waited for, and the request
  // is delivered at the next await.
  bool cancel_job() noexcept;
  // Takes the job back, or blocks until it has run.
  void part() noexcept;
  // Another may follow. Requires that it does not wait for this one.
  void let_job_go() noexcept;
  // What ended the job instead of a result; null if nothing did.
  std::exception_ptr failure() const noexcept { return work_ != nullptr ? work_->failure() : nullptr; }

 private:
  // It does not wait for the job any more.
  virtual void job_ended() noexcept = 0;

  void count(int change) noexcept;
  void leave_pool() noexcept;
  void let_worker_go() noexcept;

  executor* on_ = nullptr;
  thread_pool* pool_ = nullptr;
  loop* owner_ = nullptr;
  std::shared_ptr<job_state> work_;
  bool submitted_ = false;
};

#pragma GCC diagnostic pop

}  // namespace lockstep::detail
