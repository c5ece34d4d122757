#include <lockstep/runtime/timeout.hpp>

#include <lockstep/runtime/shield.hpp>
#include <lockstep/runtime/spawn.hpp>

#include <utility>

namespace lockstep {

timeout_scope::timeout_scope(time_point deadline)
    : timer(&when_due), owner_(current_task()), shield_(owner_.shield()), deadline_(deadline),
      requests_before_(owner_.cancel_requests_) {
  arm(deadline);
}

timeout_scope::~timeout_scope() {
  disarm();
  // The scope's request ends with the scope, whatever became of it.
  if (expired_ && !absorbed_ && !owner_.finished()) owner_.end_request(requests_before_);
}

void timeout_scope::arm(time_point deadline) {
  loop& owner = *detail::here().owner;
  if (deadline <= owner.now()) {
    expire();
  } else if (deadline != time_point::max()) {
    owner.timers().arm(*this, deadline);
    owner_.add_rescue(1);
  }
}

void timeout_scope::disarm() noexcept {
  if (!armed()) return;
  detail::current_context->owner->timers().disarm(*this);
  owner_.add_rescue(-1);
}

void timeout_scope::reschedule(time_point deadline) {
  if (expired_) detail::here().owner->misused("reschedule() of a timeout that has expired");
  disarm();
  deadline_ = deadline;
  arm(deadline);
}

bool timeout_scope::absorb() {
  if (!expired_ || std::exchange(absorbed_, true)) return false;
  return owner_.end_request(requests_before_);
}

void timeout_scope::expire() {
  expired_ = true;
  owner_.cancel_within(shield_, "timeout");
}

void timeout_scope::when_due(timer& due) noexcept {
  timeout_scope& scope = static_cast<timeout_scope&>(due);
  scope.owner_.add_rescue(-1);
  scope.expire();
}

}  // namespace lockstep
