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

void no_alternatives(std::string_view label, const source& where) {
  const std::string of = label.empty() ? "" : fmt::format(" of \"{}\"", label);
  here().owner->misused(fmt::format("there are no alternatives{} to choose from", of), where);
}

}  // namespace detail

std::vector<std::byte> any_bytes(std::string_view label, std::size_t size_max) {
  return any_vector(label, size_max, [label] { return static_cast<std::byte>(any_int(label, 0, 255)); });
}

std::string any_string(std::string_view label, std::size_t size_max, std::string_view alphabet, source where) {
  if (alphabet.empty()) detail::no_alternatives(label, where);
  std::string made;
  for (std::size_t left = any_int(label, std::size_t{0}, size_max); left > 0; --left) {
    made += alphabet[any_int(label, std::size_t{0}, alphabet.size() - 1)];
  }
  return made;
}

}  // namespace lockstep
