#include <lockstep/runtime/future.hpp>

#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/exception_group.hpp>

#include <fmt/format.h>

#include <utility>

namespace lockstep {

namespace detail {

void no_promise(const char* what, const source& where) {
  const std::string text = fmt::format("this {} is of no promise: it was moved from, or never given one", what);
  if (current_context != nullptr) current_context->owner->misused(text, where);
  throw misuse(text);
}

future_state::future_state(label name) : object(std::move(name)) {
  const agent* const maker = current_context != nullptr ? current_context->running : nullptr;
  if (maker != nullptr) maker_ = maker->id();
}

// On another thread the run is left to tell of it, at its end.
future_state::~future_state() {
  loop* const owner = current_loop();
  if (failure_ == nullptr || owner == nullptr || !is_of(*owner) || failure_->read) return;
  if (!owner->destroying() || owner->at_standstill()) owner->tell_of_unread(*failure_);
  failure_->read = true;
}

// -- setting ----------------------------------------------------------------------------------------------------------

void future_state::require_pending(const char* call, source where) {
  loop& owner = *enter_to_change("was set", where).owner;
  if (!done()) return;
  const std::string before =
      settled_at_.line() != 0 ? fmt::format(" before ({})", file_and_line(settled_at_)) : std::string(" before");
  owner.misused(
      fmt::format("{} of {}, which was {}{}", call, described(), was_cancelled() ? "cancelled" : "set", before), where);
}

void future_state::settle(outcome how, source where) noexcept {
  touch(access::write);
  outcome_ = how;
  settled_at_ = where;
  while (!waiters_.empty()) current_context->owner->grant(waiters_.pop_front());
}

void future_state::settle_with_exception(std::exception_ptr thrown, source where) {
  loop& owner = *here().owner;
  if (thrown == nullptr) owner.misused(fmt::format("{} is set to an exception_ptr that is null", described()), where);
  auto kept = std::make_shared<kept_failure>(kept_failure{std::move(thrown), described(), where});
  owner.keep_failure(kept);
  failure_ = std::move(kept);
  settle(outcome::failure, where);
}

bool future_state::cancel(label reason, source where) {
  enter_to_change("was cancelled", where);
  if (done()) return false;
  cancel_reason_ = std::move(reason);
  settle(outcome::cancelled, where);
  return true;
}

void future_state::break_promise() noexcept {
  if (!tell_elsewhere("lost its promise")) settle(outcome::broken, source());
}

// -- reading ----------------------------------------------------------------------------------------------------------

// Where it was set is told if the running task throws it from here on.
std::exception_ptr future_state::hand_out() const {
  failure_->read = true;
  if (current_context != nullptr && current_context->running != nullptr) {
    task_snapshot setting;
    setting.name = failure_->of;
    setting.state = task_snapshot::condition::failed;
    if (settled_at_.line() != 0) setting.stack.emplace_back(settled_at_);
    current_context->running->passes_on(failure_->thrown, {std::move(setting)});
  }
  return failure_->thrown;
}

void future_state::read() const {
  if (outcome_ == outcome::value) return;
  if (outcome_ == outcome::cancelled) throw lockstep::cancelled(cancel_reason_);
  if (outcome_ == outcome::broken) throw broken_promise(described());
  std::rethrow_exception(hand_out());
}

void future_state::read_from_anywhere(source where) const {
  look("was read", where);
  touch(access::read);
  if (!done()) {
    const std::string text = fmt::format("result() of {}, which is not done", described());
    if (current_context != nullptr) current_context->owner->misused(text, where);
    throw misuse(text);
  }
  read();
}

std::exception_ptr future_state::exception(source where) const {
  look("was read", where);
  touch(access::read);
  if (outcome_ == outcome::broken) return std::make_exception_ptr(broken_promise(described()));
  return outcome_ == outcome::failure ? hand_out() : nullptr;
}

std::string future_state::text_of_wait(const agent* waiter) const {
  const agent* const maker = maker_ != 0 && current_context != nullptr ? current_context->owner->find(maker_) : nullptr;
  return maker != nullptr && maker != waiter ? fmt::format("{} made by {}", described(), maker->name(detail::unseen))
                                             : described();
}

}  // namespace detail

// -- the loop's side --------------------------------------------------------------------------------------------------

void loop::tell_of_unread(detail::kept_failure& kept) noexcept {
  const sparing_allocations of_reports;
  if (kept.read || tells_of(kept.thrown)) return;
  std::string message = fmt::format("{} failed and nobody looked: {}", kept.of, text_of(kept.thrown));
  tell_of({kept.thrown, kept.of, verdict_of(verdict_kind::unread_exception, std::move(message), kept.where, {})});
}

void loop::keep_failure(std::shared_ptr<detail::kept_failure> kept) {
  if (failures_.size() == failures_.capacity()) {  // those that were read go before more room is made
    std::erase_if(failures_, [](const auto& each) { return each->read; });
    failures_.reserve(std::max<std::size_t>(16, 2 * failures_.size()));
  }
  failures_.push_back(std::move(kept));
}

}  // namespace lockstep
