#include <lockstep/runtime/timeout.hpp>

#include <lockstep/runtime/spawn.hpp>

namespace lockstep {

timeout_scope::timeout_scope(time_point deadline)
    : timer(&expire), owner_(current_task()), deadline_(deadline), requests_before_(owner_.cancelling()) {
  ++owner_.timeouts_;
  arm(deadline);
}

timeout_scope::~timeout_scope() {
  if (armed()) detail::current_context->owner->timers().disarm(*this);
  --owner_.timeouts_;
  // The scope's request ends with the scope, whatever became of it.
  if (expired_ && !absorbed_ && !owner_.finished() && owner_.cancelling() > 0) owner_.uncancel();
}

void timeout_scope::arm(time_point deadline) {
  loop& owner = *detail::here().owner;
  if (deadline <= owner.now()) {
    expire(*this);
  } else if (deadline != time_point::max()) {
    owner.timers().arm(*this, deadline);
  }
}

void timeout_scope::reschedule(time_point deadline) {
  if (expired_) detail::here().owner->misused("reschedule() of a timeout that has expired");
  if (armed()) detail::here().owner->timers().disarm(*this);
  deadline_ = deadline;
  arm(deadline);
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
