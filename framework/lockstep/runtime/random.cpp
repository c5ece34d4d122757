#include <lockstep/runtime/random.hpp>

#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/loop.hpp>

#include <fmt/format.h>

#include <string>

namespace lockstep::detail {

namespace {

struct drawn_value {
  std::uint64_t bits;
  kind_of_value kind;

  std::string text() const {
    const auto number = static_cast<std::int64_t>(bits);
    switch (kind) {
      case kind_of_value::natural: return std::to_string(bits);
      case kind_of_value::integer: return std::to_string(number);
      case kind_of_value::duration: return to_text(duration(number));
    }
    return {};
  }
};

}  // namespace

std::uint64_t draw(std::string_view what, std::uint64_t lowest, std::uint64_t span, kind_of_value kind) {
  loop& owner = *here().owner;
  if (span == ~std::uint64_t{0}) --span;  // 2^64 options do not fit; the highest is never drawn
  const std::uint64_t drawn = lowest + owner.pick(what, span + 1);
  if (span != 0) tell_drawn(what, [&] { return drawn_value{drawn, kind}.text(); });
  return drawn;
}

void tell_drawn(std::string_view label, std::string (*text)(const void*), const void* value) noexcept {
  loop& owner = *current_context->owner;
  if (owner.takes_notes()) [[unlikely]]
    owner.note_drawn(label, text, value);
}

void empty_range(std::string_view what, const source& where) {
  const std::string of = what.empty() ? "" : fmt::format(" of \"{}\"", what);
  here().owner->misused(fmt::format("the range{} is empty: its highest value is below its lowest", of), where);
}

}  // namespace lockstep::detail
