#include <lockstep/testing/quiesce_check.hpp>

#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/exception_group.hpp>

#include <gtest/gtest.h>

#include <exception>
#include <utility>

namespace lockstep {

quiesce_check::quiesce_check(std::function<void()> holds, source where) : holds_(std::move(holds)), where_(where) {
  detail::here().owner->quiet_listeners().push_back(*this);
}

void quiesce_check::all_is_quiet() noexcept {
  const sparing_allocations of_the_check;
  try {
    holds_();
  } catch (const testing::AssertionException&) {  // it has been told of
    detail::current_context->owner->stop();
  } catch (...) {
    ADD_FAILURE_AT(where_.file_name(), static_cast<int>(where_.line()))
        << "a quiesce_check threw: " << text_of(std::current_exception());
  }
}

}  // namespace lockstep
