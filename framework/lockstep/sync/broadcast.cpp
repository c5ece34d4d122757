#include <lockstep/sync/broadcast.hpp>

#include <fmt/format.h>

namespace lockstep::detail {

void refuse_room_for_0(const object& made, const source& where) {
  here().owner->misused(fmt::format("{} has room for 0 items (capacity_items); it needs at least 1", made.described()),
                        where);
}

void refuse_to_receive(bool alone, const source& where) {
  here().owner->misused(alone ? "receive() from a subscription that is over: it or its broadcast has died, or it was "
                                "moved from"
                              : "receive() from a subscription from which another task receives; subscribe again",
                        where);
}

void report_death_with_subscribers(const object& dying, std::size_t subscribers) noexcept {
  if (dying.tell_elsewhere("died before its subscriptions")) return;
  if (loop* const owner = current_loop(); owner != nullptr) {
    owner->report_end(verdict_kind::misuse,
                      fmt::format("the {} died before {} of its subscriptions", dying.described(), subscribers),
                      source(), {});
  }
}

}  // namespace lockstep::detail
