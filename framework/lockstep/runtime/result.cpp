#include <lockstep/runtime/result.hpp>

#include <lockstep/runtime/loop.hpp>
#include <lockstep/runtime/snapshot.hpp>

namespace lockstep::detail {

void failure::rethrow() const {
  agent* const reader = current_context != nullptr ? current_context->running : nullptr;
  if (reader != nullptr && !trail.empty()) reader->passes_on(error, trail);
  std::rethrow_exception(error);
}

result_scope::result_scope() : owner_(current_task()), requests_before_(owner_.requests_delivered()) {}

bool result_scope::is_of_task() const noexcept {
  const bool another_comes = (owner_.attention_ & loop::attention_cancel) != 0;
  return owner_.cancel_requests_ > requests_before_ && !another_comes;
}

failure result_scope::caught() const {
  if (owner_.cancel_requests_ > requests_before_) owner_.keep_cancellation();
  return failure(std::current_exception(), trail_of_caught(owner_, "the work of as_result()"));
}

}  // namespace lockstep::detail
