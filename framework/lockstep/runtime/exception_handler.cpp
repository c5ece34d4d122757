#include <lockstep/runtime/exception_handler.hpp>

#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/exception_group.hpp>
#include <lockstep/runtime/loop.hpp>

#include <fmt/format.h>

#include <memory>
#include <utility>

namespace lockstep {

exception_handler set_exception_handler(exception_handler handler) {
  detail::touch(everything, access::write);
  std::shared_ptr<const exception_handler> kept;
  loop& owner = *detail::here().owner;
  if (handler) kept = std::make_shared<const exception_handler>(std::move(handler));
  const std::shared_ptr<const exception_handler> former = owner.set_exception_handler(std::move(kept));
  return former != nullptr ? *former : exception_handler();
}

void default_exception_handler(const exception_context& found) { detail::here().owner->report(found.as_verdict); }

void call_exception_handler(std::exception_ptr thrown, const std::string& what, source where) {
  loop& owner = *detail::here().owner;
  const agent* const who = owner.running();
  std::string message = fmt::format("{} failed: {}", what, text_of(thrown));
  owner.tell_of({std::move(thrown), who != nullptr ? who->name(detail::unseen) : std::string(),
                 owner.verdict_here(verdict_kind::unhandled_exception, std::move(message), where)});
}

// Never from within itself: a handler that fails again and again would be called for ever.
void loop::tell_of(const exception_context& found) noexcept {
  detail::touch(everything, access::write);
  const std::shared_ptr<const exception_handler> handler = handler_;  // which it may replace
  if (handler == nullptr || handling_) {
    // What was done to the run on purpose may end in a daemon or a callback as well.
    if (disturbed_by_ == nullptr || !disturbed_by_->explains(found.exception)) report(found.as_verdict);
    return;
  }
  agent* const ran = context::running;
  if (ran == nullptr) context::running = main_;
  handling_ = true;
  try {
    (*handler)(found);
  } catch (...) {
    verdict both = found.as_verdict;
    both.kind = verdict_kind::unhandled_exception;
    both.message = fmt::format("the exception handler failed: {}; it was told that {}",
                               text_of(std::current_exception()), found.as_verdict.message);
    report(std::move(both));
  }
  handling_ = false;
  context::running = ran;
}

}  // namespace lockstep
