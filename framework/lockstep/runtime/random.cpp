#include <lockstep/runtime/random.hpp>

#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/loop.hpp>

#include <fmt/format.h>

#include <string>

namespace lockstep::detail {

namespace {

[[gnu::cold]] void note_drawn(loop& owner, std::string_view what, std::uint64_t drawn, kind_of_value kind) {
  const sparing_allocations of_the_trace;
  const auto number = static_cast<std::int64_t>(drawn);
  std::string text;
  switch (kind) {
    case kind_of_value::natural: text = std::to_string(drawn); break;
    case kind_of_value::integer: text = std::to_string(number); break;
    case kind_of_value::duration: text = to_text(duration(number)); break;
  }
  owner.note(what, "drew " + text);
}

}  // namespace

std::uint64_t draw(std::string_view what, std::uint64_t lowest, std::uint64_t span, kind_of_value kind) {
  loop& owner = *here().owner;
  if (span == ~std::uint64_t{0}) --span;  // 2^64 options do not fit; the highest is never drawn
  const std::uint64_t drawn = lowest + owner.pick(what, span + 1);
  if (span != 0 && owner.takes_notes()) [[unlikely]]
    note_drawn(owner, what, drawn, kind);
  return drawn;
}

void empty_range(std::string_view what, const source& where) {
  const std::string of = what.empty() ? "" : fmt::format(" of \"{}\"", what);
  here().owner->misused(fmt::format("the range{} is empty: its highest value is below its lowest", of), where);
}

}  // namespace lockstep::detail
