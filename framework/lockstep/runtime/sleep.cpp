#include <lockstep/runtime/sleep.hpp>

#include <fmt/format.h>

namespace lockstep {

time_point clock::now() { return lockstep::now(); }
wall_clock::time_point wall_clock::now() { return wall_now(); }

std::string detail::sleep_operation::describe() const {
  if (deadline() == time_point::max()) return "sleep for ever";
  return fmt::format("sleep until {}", to_text(deadline().time_since_epoch()));
}

task<void> advance(duration length) {
  struct move_allowed {
    loop& owner;
    explicit move_allowed(loop& of) noexcept : owner(of) { ++owner.advancing; }
    ~move_allowed() { --owner.advancing; }
  };
  const move_allowed allowed(*detail::here().owner);
  co_await sleep_for(length);
  co_await settle();
}

}  // namespace lockstep
