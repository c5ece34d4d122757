// Random values, drawn from the oracle: recorded, replayed and explored like every other choice.
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/runtime/context.hpp>
#include <lockstep/time/clock.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace lockstep {

namespace detail {

// The offset from the lowest value, in 0 … span. The plain run draws 0.
std::uint64_t draw_offset(std::string_view what, std::uint64_t span);
[[noreturn]] void empty_range(std::string_view what, const source& where);

}  // namespace detail

// A value in lowest … highest, both included; the plain run draws the lowest.
// `what` names the domain: draws under one name do not shift those under another. Does not suspend. Misuse if
// highest < lowest, or without a loop on this thread.
// Of the whole range of a 64-bit type the highest value is never drawn.
template <class T>
T random_int(std::string_view what, T lowest, T highest, source where = source::current()) {
  constexpr bool is_number = std::integral<T> && !std::same_as<T, bool>;
  static_assert(is_number, "random_int() draws integers: divide the result, or compare it with 0 for a bool");
  using bits = std::make_unsigned_t<std::conditional_t<is_number, T, int>>;
  if (highest < lowest) detail::empty_range(what, where);
  const bits span = static_cast<bits>(static_cast<bits>(highest) - static_cast<bits>(lowest));
  return static_cast<T>(
      static_cast<bits>(static_cast<bits>(lowest) + static_cast<bits>(detail::draw_offset(what, span))));
}

// A duration in lowest … highest, in nanoseconds; the plain run draws the lowest.
inline duration random_duration(std::string_view what, duration lowest, duration highest,
                                source where = source::current()) {
  return duration(random_int<duration::rep>(what, lowest.count(), highest.count(), where));
}
template <class Lowest, class Highest>
  requires(coarser_duration<Lowest> || coarser_duration<Highest>)
duration random_duration(std::string_view what, Lowest lowest, Highest highest, source where = source::current()) {
  return random_duration(what, saturating_cast(lowest), saturating_cast(highest), where);
}

}  // namespace lockstep
