#include <lockstep/sync/semaphore.hpp>

#include <lockstep/runtime/disturbance.hpp>

#include <fmt/format.h>

namespace lockstep {

void semaphore::refuse_to_begin(const source& where) const {
  const std::string text =
      fmt::format("{} cannot begin with {} permits", described(), static_cast<std::int64_t>(permits_));
  if (detail::current_context != nullptr) detail::current_context->owner->misused(text, where);
  throw misuse(text);
}

std::string semaphore::all_are_free(std::string_view done) const {
  return fmt::format("{} {}, all of whose {} permits are free", done, described(), permits_max_);
}

void semaphore::refuse_release(const source& where) const {
  detail::here().owner->misused(all_are_free("release() of"), where);
}

void permit::release() noexcept {
  semaphore* const held = std::exchange(held_, nullptr);
  if (held == nullptr) return;
  unlink();
  loop* owner = current_loop();
  if ((owner == nullptr || !held->is_of(*owner)) && held->tell_elsewhere("was released by its permit")) return;
  held->touch(access::write);
  if (owner == nullptr || held->give() || owner->tearing_down()) return;
  const sparing_allocations of_reports;
  owner->report_misuse(held->all_are_free("a permit is released to"));
}

}  // namespace lockstep
