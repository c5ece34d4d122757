#include <lockstep/runtime/any.hpp>

#include <lockstep/runtime/loop.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace lockstep {

namespace detail {

std::uint64_t draw_of(std::string_view label, std::uint64_t options) {
  context& now = here();
  if (options == 0) --options;  // 2^64 do not fit; the last is never drawn
  if (!label.empty()) return now.owner->pick(label, options);
  return now.owner->pick(now.running != nullptr ? "any-" + now.running->path() : "any", options);
}

std::int64_t nth_from_zero(std::int64_t lowest, std::int64_t highest, std::uint64_t nth) noexcept {
  if (lowest >= 0) return static_cast<std::int64_t>(static_cast<std::uint64_t>(lowest) + nth);
  if (highest <= 0) return static_cast<std::int64_t>(static_cast<std::uint64_t>(highest) - nth);
  // As far as both sides go they take turns; what is left is of the longer one.
  const std::uint64_t negatives = -static_cast<std::uint64_t>(lowest);
  const auto positives = static_cast<std::uint64_t>(highest);
  const std::uint64_t both = std::min(negatives, positives);
  const bool in_turns = nth <= 2 * both;
  const std::uint64_t distance = in_turns ? nth / 2 + nth % 2 : nth - both;
  const bool positive = in_turns ? nth % 2 == 1 : positives > negatives;
  return static_cast<std::int64_t>(positive ? distance : -distance);
}

std::size_t draw_size(std::string_view label, std::size_t size_max) {
  return static_cast<std::size_t>(draw_of(label, std::uint64_t{size_max} + 1));
}

void tell_size(std::string_view label, std::size_t drawn) {
  tell_drawn(label, [drawn] { return fmt::format("{} element{}", drawn, drawn == 1 ? "" : "s"); });
}

void no_alternatives(std::string_view label, const source& where) {
  const std::string of = label.empty() ? "" : fmt::format(" of \"{}\"", label);
  here().owner->misused(fmt::format("there are no alternatives{} to choose from", of), where);
}

}  // namespace detail

std::vector<std::byte> any_bytes(std::string_view label, std::size_t size_max) {
  std::vector<std::byte> made(detail::draw_size(label, size_max));
  for (std::byte& each : made) each = static_cast<std::byte>(detail::draw_of(label, 256));
  if (size_max == 0) return made;
  detail::tell_drawn(label, [&made] {
    std::string text = fmt::format("{} byte{}", made.size(), made.size() == 1 ? "" : "s");
    for (std::size_t i = 0; i < made.size() && text.size() <= detail::value_bytes_max; ++i) {
      text += fmt::format("{}{:02x}", i == 0 ? ": " : " ", static_cast<unsigned>(made[i]));
    }
    return detail::cut_to_value(std::move(text));
  });
  return made;
}

std::string any_string(std::string_view label, std::size_t size_max, std::string_view alphabet, source where) {
  if (alphabet.empty()) detail::no_alternatives(label, where);
  std::string made;
  for (std::size_t left = detail::draw_size(label, size_max); left > 0; --left) {
    made += alphabet[detail::draw_of(label, alphabet.size())];
  }
  if (size_max > 0) detail::tell_drawn(label, [&made] { return *detail::text_of_value(made); });
  return made;
}

}  // namespace lockstep
