#include <lockstep/testing/co_assert.hpp>

#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/loop.hpp>

namespace lockstep::detail {

void fatal_result::operator=(const testing::Message& message) const {
  const sparing_allocations of_reports;
  testing::internal::AssertHelper(type_, file_, line_, message_) = message;
  // The exception is about to unwind locals, which tasks that were spawned here may point to.
  if (loop* owner = current_loop(); owner != nullptr && owner->running() != nullptr) {
    agent& who = *owner->running();
    owner->kill_descendants(who);
    who.doom();
    if (who.parent() != nullptr) owner->stop();
  }
  throw testing::AssertionException(
      testing::TestPartResult(type_, file_, line_, (message_ + message.GetString()).c_str()));
}

}  // namespace lockstep::detail
