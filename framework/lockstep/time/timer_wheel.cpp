#include <lockstep/time/timer_wheel.hpp>

#include <iterator>

namespace lockstep {

timer_list& timer_wheel::earliest() noexcept {
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
    if (at == 0 || &first == &list.back()) {
      base_ = first.deadline_;
      return list;
    }
    // Enter the slot: its timers spread over the lower levels.
    const unsigned shift = bits * at;
    const std::uint64_t higher = shift + bits >= 64 ? 0 : ~std::uint64_t{0} << (shift + bits);
    base_ = (base_ & higher) | (std::uint64_t{index} << shift);
    timer_list entered;
    entered.splice_back(list);
    vacate(at, index);
    for (auto next = entered.begin(); next != entered.end();) {
      timer& item = *next;
      ++next;
      __builtin_prefetch(&*next);
      place(item);
    }
  }
}

void timer_wheel::reset() noexcept {
  base_ = 0;
  count_ = 0;
  occupied_levels_ = 0;
  for (std::uint64_t& level_bits : occupied_) level_bits = 0;
}

}  // namespace lockstep
