// Timers, ordered by deadline and then by the order in which they were armed.
//
// A hierarchical wheel of 64 slots over the whole 64-bit deadline, 11 levels, with one bitmap of occupied slots a
// level. Arming and cancelling take constant time and allocate nothing: the links live in the timer.
//
// Invariants
// 1. A timer is at level (highest bit in which deadline and base differ) / 6, in the slot of its 6 bits there; so
//    timers of one deadline always share a slot, and appending keeps the order in which they were armed.
// 2. The base is never later than the time of the loop: it moves only when the loop commits to a jump.
// 3. A slot whose bit is clear holds nothing and its list head is not initialised; a slot whose bit is set may be
//    empty, left so when its timers fired or were cancelled.
// Source: Varghese, Lauck, "Hashed and hierarchical timing wheels", SOSP 1987.
#pragma once

#include <lockstep/base/intrusive_list.hpp>
#include <lockstep/time/clock.hpp>

#include <bit>
#include <cstdint>
#include <memory>
#include <new>

namespace lockstep {

// Something that happens at a time. It must be disarmed or have fired before it dies, and stay where it is.
class timer : public list_hook<timer> {
 public:
  using action = void (*)(timer&) noexcept;
  // Whose it is: a task's that waits, or the world's, in which something happens. Of two that are due at one instant,
  // one of each, either may be first.
  enum class cause : std::uint8_t { wait, event };

  explicit timer(action when_due, time_point deadline = {}) noexcept
      : when_due_(when_due), deadline_(bits_of(deadline)), cause_(cause::wait) {
    mark_unlinked();
  }
  timer(action when_due, cause of) noexcept : when_due_(when_due), deadline_(0), cause_(of) { mark_unlinked(); }

  bool armed() const noexcept { return linked(); }
  time_point deadline() const noexcept { return time_point(duration(static_cast<duration::rep>(deadline_))); }
  cause of() const noexcept { return cause_; }
  void fire() noexcept { when_due_(*this); }

 private:
  friend class timer_wheel;

  static std::uint64_t bits_of(time_point at) noexcept {
    return static_cast<std::uint64_t>(at.time_since_epoch().count());
  }

  action when_due_;
  std::uint64_t deadline_;
  cause cause_;
};

using timer_list = intrusive_list<timer, timer>;

class timer_wheel {
 public:
  timer_wheel() : slots_(new level[levels]) {}
  timer_wheel(const timer_wheel&) = delete;
  timer_wheel& operator=(const timer_wheel&) = delete;

  bool empty() const noexcept { return count_ == 0; }
  std::size_t size() const noexcept { return count_; }

  // Arms `item` for `deadline`. Requires that it is not armed and the deadline is not before the wheel's base.
  void arm(timer& item, time_point deadline) noexcept {
    item.deadline_ = timer::bits_of(deadline);
    ++count_;
    place(item);
  }

  // Requires item.armed().
  void disarm(timer& item) noexcept {
    item.unlink();
    --count_;
  }

  // Requires item.armed(), and that it is due.
  void fire(timer& item) noexcept {
    disarm(item);
    item.fire();
  }

  // The timers of the earliest deadline, in the order in which they were armed; the base moves to that deadline. They
  // stay armed: disarm each before it fires, which may disarm others of them and arm any for later. Requires !empty().
  timer_list& earliest() noexcept;
  // The same if that deadline is not after `at`; else null, and the base is not after `at`.
  timer_list* due(time_point at) noexcept;
  // No timer is due before this time, and often one is then. time_point::max() if there is none.
  time_point due_from() noexcept;

  // Forgets all timers, without touching them, and begins at time 0 again.
  void reset() noexcept {
    base_ = 0;
    count_ = 0;
    for (; occupied_levels_ != 0; occupied_levels_ &= occupied_levels_ - 1) {
      occupied_[std::countr_zero(occupied_levels_)] = 0;
    }
  }

 private:
  static constexpr unsigned levels = 11;
  static constexpr unsigned bits = 6;
  struct level {
    union {
      timer_list slots[64];
    };
    level() noexcept {}
    ~level() {}
  };

  // Where the earliest timers are: all of them are in `list`, and none is due before `from`. They share one deadline
  // if `exact`.
  struct place_in_wheel {
    unsigned level;
    unsigned index;
    timer_list& list;
    std::uint64_t from;
    bool exact;
  };
  // Requires !empty().
  place_in_wheel first_place() noexcept;
  // Its timers spread over the lower levels.
  void enter(const place_in_wheel& slot) noexcept;

  timer_list& slot(unsigned at_level, unsigned index) noexcept { return slots_[at_level].slots[index]; }

  void place(timer& item) noexcept {
    const std::uint64_t difference = item.deadline_ ^ base_;
    const unsigned at = difference == 0 ? 0 : (63 - static_cast<unsigned>(std::countl_zero(difference))) / bits;
    const unsigned index = static_cast<unsigned>(item.deadline_ >> (bits * at)) & 63;
    timer_list& list = slot(at, index);
    const std::uint64_t bit = std::uint64_t{1} << index;
    if ((occupied_[at] & bit) == 0) {
      ::new (&list) timer_list;
      occupied_[at] |= bit;
      occupied_levels_ |= 1u << at;
    }
    list.push_back(item);
  }
  void vacate(unsigned at_level, unsigned index) noexcept {
    occupied_[at_level] &= ~(std::uint64_t{1} << index);
    if (occupied_[at_level] == 0) occupied_levels_ &= ~(1u << at_level);
  }

  std::uint64_t base_ = 0;
  std::size_t count_ = 0;
  std::uint32_t occupied_levels_ = 0;
  std::uint64_t occupied_[levels] = {};
  std::unique_ptr<level[]> slots_;
};

}  // namespace lockstep
