// A value in words, for reports: what fmt makes of it, else operator<<; strings in quotation marks, ranges in brackets.
// Of a pointer only whether it is null, since addresses differ from run to run.
#pragma once

#include <fmt/core.h>

#include <concepts>
#include <cstddef>
#include <optional>
#include <ostream>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>

namespace lockstep::detail {

inline constexpr std::size_t value_bytes_max = 80;  // of a text; of what is longer, the beginning and "…"

std::string text_by_stream(void (*print)(std::ostream&, const void*), const void* value);
std::string cut_to_value(std::string text);

template <class T>
concept text_like = std::is_convertible_v<const T&, std::string_view> && !std::is_null_pointer_v<T>;
template <class T>
concept optional_like = requires(const T& value) {
  { value.has_value() } -> std::same_as<bool>;
  *value;
};
template <class T>
concept pointer_like = std::is_pointer_v<T> || std::is_null_pointer_v<T> || requires(const T& value) {
  typename T::element_type;
  static_cast<bool>(value);
  value.operator->();
};
template <class T>
concept pair_like = requires(const T& value) {
  value.first;
  value.second;
};
template <class T>
concept streamable = requires(std::ostream& out, const T& value) {
  out << value;
};

// Nothing of what has no text.
template <class T>
std::optional<std::string> text_of_value(const T& value) {
  if constexpr (text_like<T>) {
    if constexpr (std::is_pointer_v<T>) {
      if (value == nullptr) return "null";
    }
    return '"' + cut_to_value(std::string(std::string_view(value).substr(0, value_bytes_max + 1))) + '"';
  } else if constexpr (pointer_like<T>) {
    return static_cast<bool>(value) ? "not null" : "null";
  } else if constexpr (optional_like<T>) {
    if (value.has_value()) return text_of_value(*value);
    return "none";
  } else if constexpr (fmt::is_formattable<T>::value) {
    return cut_to_value(fmt::format("{}", value));
  } else if constexpr (streamable<T>) {
    return cut_to_value(
        text_by_stream([](std::ostream& out, const void* shown) { out << *static_cast<const T*>(shown); }, &value));
  } else if constexpr (std::is_enum_v<T>) {
    return fmt::format("{}", static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (pair_like<T>) {
    const std::optional<std::string> first = text_of_value(value.first);
    const std::optional<std::string> second = text_of_value(value.second);
    if (!first || !second) return std::nullopt;
    return '(' + *first + ", " + *second + ')';
  } else if constexpr (std::ranges::input_range<const T>) {
    std::string text;
    for (const auto& each : value) {
      const std::optional<std::string> one = text_of_value(each);
      if (!one) return std::nullopt;
      if (!text.empty()) text += ", ";
      text += *one;
      if (text.size() > value_bytes_max) break;
    }
    return '[' + cut_to_value(std::move(text)) + ']';
  } else {
    return std::nullopt;
  }
}

}  // namespace lockstep::detail
