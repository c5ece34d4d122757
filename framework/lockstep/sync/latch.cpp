#include <lockstep/sync/latch.hpp>

#include <fmt/format.h>

namespace lockstep {

void latch::lower(std::uint64_t by) noexcept {
  missing_ -= by;
  while (missing_ == 0 && !waiters_.empty()) detail::current_context->owner->grant(waiters_.pop_front());
}

void latch::refuse_count(std::uint64_t by, const source& where) const {
  detail::here().owner->misused(
      fmt::format("{} is counted down by {}, and only {} of {} are missing", described(), by, missing_, expected_),
      where);
}

void latch::count_down(std::uint64_t by, source where) {
  enter_to_change("was counted down", where);
  if (by > missing_) refuse_count(by, where);
  lower(by);
}

}  // namespace lockstep
