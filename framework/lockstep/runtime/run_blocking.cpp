#include <lockstep/runtime/run_blocking.hpp>

#include <lockstep/runtime/inbox.hpp>
#include <lockstep/runtime/loop.hpp>
#include <lockstep/runtime/sleep.hpp>
#include <lockstep/runtime/thread_pool.hpp>

#include <utility>

namespace lockstep {

namespace detail {

job_wait::job_wait(executor* on, std::shared_ptr<job_state> work) : primitive(operation_kind::job) {
  has_job(std::move(work));
  is_for(on);
  if (pool() != nullptr) is_about(*pool());
}

void job_wait::result() const {
  if (failure() != nullptr) std::rethrow_exception(failure());
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
