#include <lockstep/sync/semaphore.hpp>

#include <fmt/format.h>

namespace lockstep {

void bounded_semaphore::release(source where) {
  detail::context& context = enter();
  if (permits_ >= permits_max_) {
    context.owner->misused(
        fmt::format("release() of bounded_semaphore \"{}\", all of whose {} permits are free", name(), permits_max_),
        where);
  }
  give();
}

permit::~permit() {
  loop* owner = current_loop();
  if (held_ == nullptr || owner == nullptr || owner->tearing_down()) return;
  held_->give();
}

}  // namespace lockstep
