// Timers, ordered by deadline and then by the order in which they were armed: a wheel of 64 slots over the whole
// 64-bit deadline, 11 levels, one bitmap of occupied slots a level, links inside the timers.
//
// Invariant: a timer is at level (highest bit in which deadline and base differ) / 6, in the slot of its 6 bits there.
// So equal deadlines share a slot, and appending keeps their order. A slot that a cancellation left empty keeps its
// bit until it is met.
#pragma once

#include <bit>
#include <coroutine>
#include <cstddef>
#include <cstdint>

namespace bench::floor {

struct timer_links {
  timer_links* next;
  timer_links* previous;
};

struct timer : timer_links {
  std::uint64_t deadline_ns;
  std::coroutine_handle<> waiter;
};

class timer_wheel {
 public:
  timer_wheel() noexcept {
    for (auto& level : slots_) {
      for (timer_links& slot : level) clear(slot);
    }
  }
  timer_wheel(const timer_wheel&) = delete;
  timer_wheel& operator=(const timer_wheel&) = delete;

  bool empty() const noexcept { return count_ == 0; }

  // Requires that the deadline is not before that of the timer last popped.
  void arm(timer& item) noexcept {
    ++count_;
    place(item);
  }
  void cancel(timer& item) noexcept {
    --count_;
    unlink(item);
  }

  // Takes the earliest timer out. Requires !empty().
  timer& pop() noexcept {
    for (;;) {
      const unsigned level = lowest(occupied_levels_);
      const unsigned index = lowest(occupied_[level]);
      timer_links& slot = slots_[level][index];
      if (slot.next == &slot) {
        vacate(level, index);
      } else if (level == 0 || slot.next == slot.previous) {
        // At level 0 all deadlines of a slot are equal; a timer alone in the lowest slot is the earliest.
        timer& earliest = static_cast<timer&>(*slot.next);
        base_ = earliest.deadline_ns;
        unlink(earliest);
        if (slot.next == &slot) vacate(level, index);
        --count_;
        return earliest;
      } else {
        enter(level, index);
      }
    }
  }

 private:
  static constexpr unsigned levels = 11;
  static constexpr unsigned bits = 6;

  // The number of the lowest bit that is set. Requires one.
  template <class Bits>
  static unsigned lowest(Bits set) noexcept {
    if (set == 0) __builtin_unreachable();
    return static_cast<unsigned>(std::countr_zero(set));
  }
  static void clear(timer_links& slot) noexcept { slot.next = slot.previous = &slot; }
  static void unlink(timer_links& item) noexcept {
    item.previous->next = item.next;
    item.next->previous = item.previous;
  }

  void place(timer& item) noexcept {
    const std::uint64_t difference = item.deadline_ns ^ base_;
    const unsigned level = difference == 0 ? 0 : (63 - static_cast<unsigned>(std::countl_zero(difference))) / bits;
    const unsigned index = static_cast<unsigned>(item.deadline_ns >> (bits * level)) & 63;
    timer_links& slot = slots_[level][index];
    timer_links* const last = slot.previous;
    item.previous = last;
    last->next = &item;
    slot.previous = &item;
    item.next = &slot;
    occupied_[level] |= std::uint64_t{1} << index;
    occupied_levels_ |= 1u << level;
  }
  void vacate(unsigned level, unsigned index) noexcept {
    occupied_[level] &= ~(std::uint64_t{1} << index);
    if (occupied_[level] == 0) occupied_levels_ &= ~(1u << level);
  }
  // Moves the base to the beginning of a slot, whose timers spread over the lower levels.
  void enter(unsigned level, unsigned index) noexcept {
    const unsigned shift = bits * level;
    const std::uint64_t higher = shift + bits >= 64 ? 0 : ~std::uint64_t{0} << (shift + bits);
    base_ = (base_ & higher) | (std::uint64_t{index} << shift);
    timer_links& slot = slots_[level][index];
    timer_links* item = slot.next;
    clear(slot);
    vacate(level, index);
    while (item != &slot) {
      timer_links* const next = item->next;
      __builtin_prefetch(next);
      place(static_cast<timer&>(*item));
      item = next;
    }
  }

  std::uint64_t base_ = 0;
  std::size_t count_ = 0;
  std::uint32_t occupied_levels_ = 0;
  std::uint64_t occupied_[levels] = {};
  timer_links slots_[levels][64];
};

}  // namespace bench::floor
