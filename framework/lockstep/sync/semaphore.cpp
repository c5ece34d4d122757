#include <lockstep/sync/semaphore.hpp>

#include <lockstep/runtime/disturbance.hpp>

#include <fmt/format.h>

namespace lockstep {

std::string semaphore::all_are_free(std::string_view done) const {
  return fmt::format("{} bounded_semaphore \"{}\", all of whose {} permits are free", done, name(), permits_max_);
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
  if (owner == nullptr || held->give()) return;
  const sparing_allocations of_reports;
  owner->report_misuse(held->all_are_free("a permit is released to"));
}

}  // namespace lockstep
