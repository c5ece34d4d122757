#include <lockstep/runtime/executor.hpp>

#include <lockstep/runtime/blocking_job.hpp>
#include <lockstep/runtime/loop.hpp>

namespace lockstep {

executor::~executor() {
  if (loop* const owner = current_loop(); owner != nullptr) owner->part_from(*this);
}

job::~job() {
  if (state_ != nullptr) state_->drop();
}

void job::operator()() noexcept {
  const std::shared_ptr<detail::job_state> work = release();
  if (work != nullptr && work->begin()) {
    work->run();
    work->send();
  }
}

}  // namespace lockstep
