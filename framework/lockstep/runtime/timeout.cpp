#include <lockstep/runtime/timeout.hpp>

namespace lockstep {

// The scope's request ends with the scope, whatever became of it.
void timeout_scope::take_back_request() {
  if (!owner_.finished() && owner_.cancelling() > 0) owner_.uncancel();
}

void timeout_scope::reschedule(time_point deadline) {
  if (expired_) detail::here().owner->misused("reschedule() of a timeout that has expired");
  if (armed()) detail::here().owner->timers().disarm(*this);
  deadline_ = deadline;
  arm();
}

bool timeout_scope::absorb() {
  if (!expired_ || absorbed_) return false;
  absorbed_ = true;
  return owner_.uncancel() <= requests_before_;
}

void timeout_scope::expire(timer& due) noexcept {
  timeout_scope& scope = static_cast<timeout_scope&>(due);
  scope.expired_ = true;
  scope.owner_.cancel("timeout");
}

}  // namespace lockstep
