#include <lockstep/runtime/random.hpp>

#include <lockstep/runtime/loop.hpp>

#include <fmt/format.h>

#include <string>

namespace lockstep::detail {

std::uint64_t draw_offset(std::string_view what, std::uint64_t span) {
  loop& owner = *here().owner;
  if (span == ~std::uint64_t{0}) --span;  // 2^64 options do not fit; the highest is never drawn
  return owner.pick(what, span + 1);
}

void empty_range(std::string_view what, const source& where) {
  const std::string of = what.empty() ? "" : fmt::format(" of \"{}\"", what);
  here().owner->misused(fmt::format("the range{} is empty: its highest value is below its lowest", of), where);
}

}  // namespace lockstep::detail
