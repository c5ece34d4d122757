#include <lockstep/sync/mutex.hpp>

#include <fmt/format.h>

namespace lockstep {

namespace detail {

void orphan_waiters(wait_list& waiters, const object& of, std::string_view what) noexcept {
  if (waiters.empty()) return;
  loop* owner = current_loop();
  if (owner != nullptr && !owner->tearing_down() && std::uncaught_exceptions() == 0) {
    owner->report(verdict_kind::misuse,
                  fmt::format("the {} \"{}\" died while task \"{}\" waits for it", what, of.name(),
                              waiters.front().who()->name()),
                  source(), {waiters.front().who()});
  }
  while (!waiters.empty()) waiters.pop_front().orphan();
}

}  // namespace detail

mutex::~mutex() { detail::orphan_waiters(waiters_, *this, "mutex"); }

void mutex::unlock() {
  detail::context& context = enter();
  if (holder_ != context.running || holder_ == nullptr) {
    context.owner->misused(fmt::format("unlock() of mutex \"{}\" by task \"{}\"; it is held by {}", name(),
                                       context.running != nullptr ? context.running->name() : "none",
                                       holder_ != nullptr ? fmt::format("task \"{}\"", holder_->name()) : "nobody"));
  }
  hand_over();
}

void mutex_guard::unlock() noexcept {
  mutex* held = std::exchange(held_, nullptr);
  if (held == nullptr) return;
  loop* owner = current_loop();
  if (owner == nullptr || owner->tearing_down()) return;
  held->hand_over();
}

}  // namespace lockstep
