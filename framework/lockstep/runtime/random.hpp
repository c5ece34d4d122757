// Random values, drawn from the oracle: recorded, replayed and explored like every other choice.
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/runtime/context.hpp>
#include <lockstep/time/clock.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace lockstep {

namespace detail {

// How reports show a value that was drawn.
enum class kind_of_value : std::uint8_t { natural, integer, duration };

// A value in lowest … lowest + span, modulo 2^64. The plain run draws the lowest.
std::uint64_t draw(std::string_view what, std::uint64_t lowest, std::uint64_t span, kind_of_value kind);
// Tells reports that the running task has drawn a value, of which `text()` makes the text if anybody is to read it.
void tell_drawn(std::string_view label, std::string (*text)(const void*), const void* value) noexcept;
template <std::invocable F>
void tell_drawn(std::string_view label, const F& text) noexcept {
  tell_drawn(
      label, [](const void* of) { return std::string((*static_cast<const F*>(of))()); }, &text);
}
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
  if (highest < lowest) detail::empty_range(what, where);
  constexpr auto kind = std::signed_integral<T> ? detail::kind_of_value::integer : detail::kind_of_value::natural;
  const auto from = static_cast<std::uint64_t>(lowest);
  return static_cast<T>(detail::draw(what, from, static_cast<std::uint64_t>(highest) - from, kind));
}

// A duration in lowest … highest, in nanoseconds; the plain run draws the lowest.
inline duration random_duration(std::string_view what, duration lowest, duration highest,
                                source where = source::current()) {
  if (highest < lowest) detail::empty_range(what, where);
  const auto from = static_cast<std::uint64_t>(lowest.count());
  const std::uint64_t span = static_cast<std::uint64_t>(highest.count()) - from;
  return duration(static_cast<duration::rep>(detail::draw(what, from, span, detail::kind_of_value::duration)));
}
template <class Lowest, class Highest>
  requires(coarser_duration<Lowest> || coarser_duration<Highest>)
duration random_duration(std::string_view what, Lowest lowest, Highest highest, source where = source::current()) {
  return random_duration(what, saturating_cast(lowest), saturating_cast(highest), where);
}

}  // namespace lockstep
