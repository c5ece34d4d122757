// Values of a test's own choosing: property tests, drawn from the same stream as the schedule.
//
//   CO_TEST(Queue, GivesBackWhatWasPut, explore()) {
//     const auto items = any_vector("items", 8, [] { return any_int(-100, 100); });
//     …
//   }
//
// Every value is one question to the oracle: explored, recorded, replayed and shrunk like any other choice. Answer 0,
// which the plain run gives, is the dullest value, and a greater answer is never a duller one; so a failure is shrunk
// towards 0, empty, the first alternative.
// A label, which comes first, names the domain of the draws. Without one it is the task that draws, "any-1.2": either
// way one draw more elsewhere shifts none of these.
// Draw one value a statement: in `put(any_int(0, 9), any_int(0, 9))` compilers differ in which comes first.
// Reports show what was drawn: "drew 7, 0" in the step of the task that drew them. None of them suspends. Misuse
// without a loop on this thread. What is random in the code under test itself is rather drawn by random_int() and
// random_duration(), whose plain run has the lowest value. Source: Claessen, Hughes, "QuickCheck", ICFP 2000; MacIver,
// Donaldson, "Test-case reduction via test-case generation", ECOOP 2020.
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/base/value_text.hpp>
#include <lockstep/runtime/random.hpp>
#include <lockstep/time/clock.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace lockstep {

namespace detail {

// Which of so many; `label` may be empty.
std::uint64_t draw_of(std::string_view label, std::uint64_t options);
// The `nth` of the numbers from lowest to highest, counted from the one that is nearest to 0; of two that are as near,
// the positive one comes first.
std::int64_t nth_from_zero(std::int64_t lowest, std::int64_t highest, std::uint64_t nth) noexcept;
[[noreturn]] void no_alternatives(std::string_view label, const source& where);

// What is one value to any_of(), although it has elements.
template <class T>
concept names_a_domain = std::convertible_to<const T&, std::string_view>;

template <class T>
T draw_int(std::string_view label, T lowest, T highest, const source& where) {
  constexpr bool is_number = std::integral<T> && !std::same_as<T, bool>;
  static_assert(is_number, "any_int() draws integers: divide the result, or take any_bool()");
  if (highest < lowest) empty_range(label, where);
  if constexpr (std::is_signed_v<T>) {
    const auto span = static_cast<std::uint64_t>(highest) - static_cast<std::uint64_t>(lowest);
    return static_cast<T>(nth_from_zero(lowest, highest, draw_of(label, span + 1)));
  } else {
    return static_cast<T>(lowest + draw_of(label, std::uint64_t{highest} - lowest + 1));
  }
}

template <class T>
T any_int_of(std::string_view label, T lowest, T highest, const source& where) {
  const T drawn = draw_int(label, lowest, highest, where);
  if (lowest != highest) tell_drawn(label, [&] { return text_of_value(drawn).value_or(std::string()); });
  return drawn;
}

// How many elements a sequence has.
std::size_t draw_size(std::string_view label, std::size_t size_max);
void tell_size(std::string_view label, std::size_t drawn);

}  // namespace detail

// An integer in lowest … highest, both included. The dullest is the one that is nearest to 0, then the next nearest,
// the positive one first: of -3 … 5 these are 0, 1, -1, 2, -2, 3, -3, 4, 5.
// Misuse if highest < lowest. Of the whole range of a 64-bit type the one that is farthest from 0 is never drawn.
template <class T>
T any_int(std::string_view label, T lowest, T highest, source where = source::current()) {
  return detail::any_int_of(label, lowest, highest, where);
}
template <class T>
  requires(!detail::names_a_domain<T>)
T any_int(T lowest, T highest, source where = source::current()) {
  return detail::any_int_of({}, lowest, highest, where);
}

// false, which is the duller, or true.
inline bool any_bool(std::string_view label = {}) {
  const bool drawn = detail::draw_of(label, 2) != 0;
  detail::tell_drawn(label, [drawn] { return drawn ? "true" : "false"; });
  return drawn;
}

// A copy of one of the alternatives; the dullest is the first. Misuse if there are none.
template <std::ranges::forward_range R>
  requires(!detail::names_a_domain<R>)
std::ranges::range_value_t<R> any_of(std::string_view label, R&& alternatives, source where = source::current()) {
  const auto count = std::ranges::distance(alternatives);
  if (count == 0) detail::no_alternatives(label, where);
  const std::uint64_t drawn = detail::draw_of(label, static_cast<std::uint64_t>(count));
  const auto at =
      std::ranges::next(std::ranges::begin(alternatives), static_cast<std::ranges::range_difference_t<R>>(drawn));
  std::ranges::range_value_t<R> value(*at);
  if (count > 1) {
    detail::tell_drawn(
        label, [&] { return detail::text_of_value(value).value_or("alternative " + std::to_string(drawn + 1)); });
  }
  return value;
}
template <std::ranges::forward_range R>
  requires(!detail::names_a_domain<R>)
std::ranges::range_value_t<R> any_of(R&& alternatives, source where = source::current()) {
  return any_of(std::string_view(), alternatives, where);
}
template <class T>
T any_of(std::string_view label, std::initializer_list<T> alternatives, source where = source::current()) {
  return any_of(label, std::ranges::subrange(alternatives.begin(), alternatives.end()), where);
}
template <class T>
T any_of(std::initializer_list<T> alternatives, source where = source::current()) {
  return any_of(std::string_view(), alternatives, where);
}
// Of two or more values, all of one type: any_of(1, 10, 1'000). With a label, these stand in braces.
template <class First, class... More>
  requires(sizeof...(More) > 0 && (std::same_as<std::decay_t<First>, std::decay_t<More>> && ...))
std::decay_t<First> any_of(First&& first, More&&... more) {
  return any_of(std::string_view(), {std::decay_t<First>(first), std::decay_t<First>(more)...});
}

// A duration in lowest … highest, in nanoseconds and in the order of any_int().
inline duration any_duration(std::string_view label, duration lowest, duration highest,
                             source where = source::current()) {
  const duration drawn(detail::draw_int(label, lowest.count(), highest.count(), where));
  if (lowest != highest) detail::tell_drawn(label, [drawn] { return to_text(drawn); });
  return drawn;
}
inline duration any_duration(duration lowest, duration highest, source where = source::current()) {
  return any_duration({}, lowest, highest, where);
}
template <class Lowest, class Highest>
  requires(coarser_duration<Lowest> || coarser_duration<Highest>)
duration any_duration(std::string_view label, Lowest lowest, Highest highest, source where = source::current()) {
  return any_duration(label, saturating_cast(lowest), saturating_cast(highest), where);
}
template <class Lowest, class Highest>
  requires(coarser_duration<Lowest> || coarser_duration<Highest>)
duration any_duration(Lowest lowest, Highest highest, source where = source::current()) {
  return any_duration({}, saturating_cast(lowest), saturating_cast(highest), where);
}

// Up to `size_max` of what `make()` returns, called for one after the other; the dullest is empty. First the size is
// drawn, in the domain of the label or the task, then `make()` draws what it draws.
template <std::invocable Make>
std::vector<std::invoke_result_t<Make&>> any_vector(std::string_view label, std::size_t size_max, Make make) {
  std::vector<std::invoke_result_t<Make&>> made;
  std::size_t left = detail::draw_size(label, size_max);
  if (size_max > 0) detail::tell_size(label, left);
  for (; left > 0; --left) made.push_back(make());
  return made;
}
template <std::invocable Make>
std::vector<std::invoke_result_t<Make&>> any_vector(std::size_t size_max, Make make) {
  return any_vector({}, size_max, std::move(make));
}

// Up to `size_max` bytes; the dullest is empty, and the dullest byte is 0.
std::vector<std::byte> any_bytes(std::string_view label, std::size_t size_max);
inline std::vector<std::byte> any_bytes(std::size_t size_max) { return any_bytes({}, size_max); }

// What one types on a keyboard, 'a' being the dullest.
inline constexpr std::string_view printable_characters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

// Up to `size_max` characters of the alphabet; the dullest is empty, and the dullest character the alphabet's first.
// Misuse if the alphabet is empty.
std::string any_string(std::string_view label, std::size_t size_max, std::string_view alphabet = printable_characters,
                       source where = source::current());
inline std::string any_string(std::size_t size_max, std::string_view alphabet = printable_characters,
                              source where = source::current()) {
  return any_string({}, size_max, alphabet, where);
}

}  // namespace lockstep
