#include <lockstep/runtime/timeout.hpp>

#include <lockstep/runtime/shield.hpp>

#include <fmt/format.h>

#include <new>
#include <utility>

namespace lockstep {

// The scope's request ends with the scope, whatever became of it.
void timeout_scope::take_back_request() {
  if (!owner_.finished(detail::unseen)) owner_.end_request(requests_before_);
}

void timeout_scope::reschedule(time_point deadline, source where) {
  owner_.require_here("had its timeout rescheduled", where);
  detail::touch(owner_.id(), access::write);
  if (expired_) detail::here().owner->misused("reschedule() of a timeout that has expired", where);
  disarm();
  deadline_ = deadline;
  arm();
}

bool timeout_scope::absorb() {
  if (!expired_ || std::exchange(absorbed_, true)) return false;
  if (owner_.end_request(requests_before_)) return true;
  // What passes stands for what others have asked: it need not be delivered once more.
  static_cast<void>(owner_.accept_cancellation());
  return false;
}

void timeout_scope::give_up(duration limit) const {
  const std::exception_ptr thrown = std::make_exception_ptr(timed_out(limit));
  owner_.throws_instead(thrown);
  std::rethrow_exception(thrown);
}

void timeout_scope::note_expiry(duration limit) const noexcept {
  if (!expired_) return;
  try {
    owner_.notes_of_caught(fmt::format("thrown when the timeout of {} had expired", to_text(limit)));
  } catch (const std::bad_alloc&) {  // then it is left out
  }
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
