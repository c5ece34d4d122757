#include <lockstep/runtime/run_blocking.hpp>

#include <lockstep/runtime/inbox.hpp>
#include <lockstep/runtime/loop.hpp>
#include <lockstep/runtime/sleep.hpp>
#include <lockstep/runtime/thread_pool.hpp>

namespace lockstep {

namespace detail {

job_wait::job_wait(executor* on, std::shared_ptr<job_state> work)
    : primitive(operation_kind::job), work_(std::move(work)), owner_(here().owner) {
  on_ = on != nullptr ? on : &owner_->default_executor();
  if (thread_pool* const pool = on_->as_pool(); pool != nullptr) {
    pool->admit();
    is_about(*pool);
  }
}

// Its task goes on, or is destroyed; then the function may refer to what is about to die.
job_wait::~job_wait() {
  part();
  let_worker_go();
  work_->forget_outcome();
}

void job_wait::enqueue() noexcept {
  if (what_ != nullptr) subject<thread_pool>().jobs_.push_back(*this);
  submitted_ = true;
  work_->is_awaited_by(this);
  try {
    on_->submit(job(work_));
  } catch (...) {
    work_->refused(std::current_exception());
  }
  count(+1);
}

thread_pool* job_wait::pool() const noexcept { return what_ != nullptr ? &subject<thread_pool>() : nullptr; }

void job_wait::count(int change) noexcept {
  if (work_->worker() != nullptr) return;
  inbox& box = owner_->outside();
  box.in_flight += static_cast<unsigned>(change);
  box.jobs += static_cast<unsigned>(change);
}

bool job_wait::cancel_requested() noexcept {
  if (work_->take_back()) {
    part();
    return true;
  }
  work_->ask_to_stop();
  who()->keep_cancellation();
  return false;
}

void job_wait::leave_pool() noexcept {
  submitted_ = false;
  work_->is_awaited_by(nullptr);
  count(-1);
  if (what_ == nullptr) return;
  unlink();
  subject<thread_pool>().has_lost_a_job();
}

void job_wait::arrived() noexcept {
  leave_pool();
  owner_->grant(*this);
}

void job_wait::part() noexcept {
  if (!submitted_) return;
  if (!work_->take_back() && work_->worker() == nullptr) {
    work_->ask_to_stop();
    work_->wait_until_done();
  }
  leave_pool();
}

void job_wait::awaits(std::vector<agent*>& into) const {
  if (agent* const worker = work_->worker(); worker != nullptr && !worker->finished(detail::unseen))
    into.push_back(worker);
}

// In a simulation, the task that runs the job. It has ended, unless ours ends early or has taken the job back.
void job_wait::let_worker_go() noexcept {
  agent* const worker = work_->worker();
  if (worker == nullptr) return;
  work_->forget_worker();
  owner_->kill(*worker);
  loop::release(*worker);
}

void job_wait::result() const {
  if (work_->failed()) std::rethrow_exception(work_->failure());
}

time_point now_without_loop() {
  if (const job_state* const job = job_state::here(); job != nullptr) return job->local_time();
  no_loop_here();
}

}  // namespace detail

void consume(duration length, source where) {
  if (detail::job_state* const job = detail::job_state::here(); job != nullptr) return job->consume(length);
  loop& owner = *detail::here().owner;
  if (owner.running() == nullptr) owner.misused("consume() outside of every task and job", where);
  owner.consume(length);
}

}  // namespace lockstep
