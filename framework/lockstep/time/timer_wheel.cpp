#include <lockstep/time/timer_wheel.hpp>

#include <iterator>

namespace lockstep {

inline timer_wheel::place_in_wheel timer_wheel::first_place() noexcept {
  for (;;) {
    if (occupied_levels_ == 0) __builtin_unreachable();  // a timer is in some slot
    const unsigned at = static_cast<unsigned>(std::countr_zero(occupied_levels_));
    const unsigned index = static_cast<unsigned>(std::countr_zero(occupied_[at]));
    timer_list& list = slot(at, index);
    if (list.empty()) {
      vacate(at, index);
      continue;
    }
    timer& first = list.front();
    // At level 0 all deadlines of a slot are equal; a timer that is alone in the lowest slot is the earliest.
    if (at == 0 || &first == &list.back()) return {at, index, list, first.deadline_, true};
    const unsigned shift = bits * at;
    const std::uint64_t higher = shift + bits >= 64 ? 0 : ~std::uint64_t{0} << (shift + bits);
    return {at, index, list, (base_ & higher) | (std::uint64_t{index} << shift), false};
  }
}

inline void timer_wheel::enter(const place_in_wheel& slot) noexcept {
  base_ = slot.from;
  timer_list entered;
  entered.splice_back(slot.list);
  vacate(slot.level, slot.index);
  for (auto next = entered.begin(); next != entered.end();) {
    timer& item = *next;
    ++next;
    __builtin_prefetch(&*next);
    place(item);
  }
}

timer_list& timer_wheel::earliest() noexcept {
  for (;;) {
    const place_in_wheel first = first_place();
    if (!first.exact) {
      enter(first);
      continue;
    }
    base_ = first.from;
    return first.list;
  }
}

timer_list* timer_wheel::due(time_point at) noexcept {
  while (!empty()) {
    const place_in_wheel first = first_place();
    if (first.from > timer::bits_of(at)) return nullptr;
    if (!first.exact) {
      enter(first);
      continue;
    }
    base_ = first.from;
    return &first.list;
  }
  return nullptr;
}

time_point timer_wheel::due_from() noexcept {
  return empty() ? time_point::max() : time_point(duration(static_cast<duration::rep>(first_place().from)));
}

}  // namespace lockstep
