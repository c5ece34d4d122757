// The library's two clocks, in integer nanoseconds.
//
// `clock` is steady: it begins at 0 with the run, never goes back, and every timer uses it. `wall_clock` is the time
// of day beside it: a test may shift it, and no timer notices.
// Both read the loop that runs on this thread; in a simulation that is virtual time.
#pragma once

#include <chrono>
#include <concepts>
#include <ratio>
#include <string>
#include <utility>

namespace lockstep {

using duration = std::chrono::nanoseconds;

// Meets the standard's Clock requirements.
struct clock {
  using duration = lockstep::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<clock>;
  static constexpr bool is_steady = true;

  // The time of the loop that runs on this thread. Requires one; misuse otherwise.
  static time_point now();
};

using time_point = clock::time_point;

struct wall_clock {
  using duration = lockstep::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<std::chrono::system_clock, duration>;
  static constexpr bool is_steady = false;

  static time_point now();
};

// Where the wall clock of a simulation begins: 2020-01-01 00:00:00 UTC.
inline constexpr wall_clock::time_point wall_clock_start{std::chrono::seconds{1'577'836'800}};

// `at` + `length` without overflow: the end of time if it would not fit.
constexpr time_point saturating_add(time_point at, duration length) noexcept {
  if (length > time_point::max() - at) return time_point::max();
  return at + length;
}

// `one` + `other` without overflow: the longest or shortest duration if it would not fit.
constexpr duration saturating_add(duration one, duration other) noexcept {
  if (other > duration::zero() && one > duration::max() - other) return duration::max();
  if (other < duration::zero() && one < duration::min() - other) return duration::min();
  return one + other;
}

// Of hours and the like, which may be longer than the nanoseconds that there are.
template <class T>
concept coarser_duration =
    !std::same_as<T, duration> && std::convertible_to<T, duration> && std::integral<typename T::rep> &&
    std::same_as<T, std::chrono::duration<typename T::rep, typename T::period>>;

// `length` in nanoseconds without overflow: the longest or shortest duration if it would not fit.
template <coarser_duration T>
constexpr duration saturating_cast(T length) noexcept {
  using counted = std::chrono::duration<duration::rep, typename T::period>;
  constexpr auto longest = std::chrono::duration_cast<counted>(duration::max()).count();
  if (std::cmp_greater(length.count(), longest)) return duration::max();
  if (std::cmp_less(length.count(), -longest)) return duration::min();
  return length;
}

constexpr duration saturating_cast(duration length) noexcept { return length; }

// "3 ns", "250 ms", "91.4 s", "2 min 26.5 s", "1 h 30 min": exact below a second, cut to a thousandth of one above.
// Minutes begin at two.
std::string to_text(duration length);

// "2020-01-01 00:00:00.000000000 UTC": a time of day, exact.
std::string to_text(wall_clock::time_point at);

}  // namespace lockstep
