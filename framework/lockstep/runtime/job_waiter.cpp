#include <lockstep/runtime/job_waiter.hpp>

#include <lockstep/runtime/inbox.hpp>
#include <lockstep/runtime/loop.hpp>
#include <lockstep/runtime/thread_pool.hpp>

#include <exception>
#include <utility>

namespace lockstep::detail {

// Its task goes on, or is destroyed; then the function may refer to what is about to die.
job_waiter::~job_waiter() {
  if (work_ == nullptr) return;
  part();
  let_job_go();
}

void job_waiter::is_for(executor* on) {
  owner_ = here().owner;
  on_ = on != nullptr ? on : &owner_->default_executor();
  pool_ = on_->as_pool();
  if (pool_ != nullptr) pool_->admit();
}

void job_waiter::submit() noexcept {
  if (pool_ != nullptr) pool_->jobs_.push_back(*this);
  submitted_ = true;
  work_->is_awaited_by(this);
  try {
    on_->submit(job(work_));
  } catch (...) {
    work_->refused(std::current_exception());
  }
  count(+1);
}

void job_waiter::forget_pool() noexcept {
  if (what_ == pool_) what_ = nullptr;
  pool_ = nullptr;
}

void job_waiter::count(int change) noexcept {
  if (work_->worker() != nullptr) return;
  inbox& box = owner_->outside();
  box.in_flight += static_cast<unsigned>(change);
  box.jobs += static_cast<unsigned>(change);
}

bool job_waiter::cancel_job() noexcept {
  if (work_->take_back()) {
    part();
    return true;
  }
  work_->ask_to_stop();
  who()->keep_cancellation();
  return false;
}

void job_waiter::leave_pool() noexcept {
  submitted_ = false;
  work_->is_awaited_by(nullptr);
  count(-1);
  if (pool_ == nullptr) return;
  unlink();
  pool_->has_lost_a_job();
}

void job_waiter::arrived() noexcept {
  leave_pool();
  job_ended();
}

void job_waiter::part() noexcept {
  if (!submitted_) return;
  if (!work_->take_back() && work_->worker() == nullptr) {
    work_->ask_to_stop();
    work_->wait_until_done();
  }
  leave_pool();
}

void job_waiter::let_job_go() noexcept {
  let_worker_go();
  work_->forget_outcome();
  work_.reset();
}

void job_waiter::awaits(std::vector<agent*>& into) const {
  if (agent* const worker = holder(); worker != nullptr && !worker->finished(unseen)) into.push_back(worker);
}

// It has ended, unless ours ends early or has taken the job back.
void job_waiter::let_worker_go() noexcept {
  agent* const worker = work_->worker();
  if (worker == nullptr) return;
  work_->forget_worker();
  owner_->kill(*worker);
  loop::release(*worker);
}

}  // namespace lockstep::detail
