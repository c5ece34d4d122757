#include <lockstep/time/clock.hpp>

#include <fmt/format.h>

namespace lockstep {

namespace {

std::string with_fraction(std::int64_t thousandths, const char* unit) {
  if (thousandths % 1000 == 0) return fmt::format("{} {}", thousandths / 1000, unit);
  std::string digits = fmt::format("{}.{:03}", thousandths / 1000, thousandths % 1000);
  digits.erase(digits.find_last_not_of('0') + 1);
  return fmt::format("{} {}", digits, unit);
}

}  // namespace

std::string to_text(duration length) {
  const std::int64_t ns = length.count();
  if (ns < 0) return "-" + to_text(ns == duration::min().count() ? duration::max() : -length);
  if (ns < 1'000) return fmt::format("{} ns", ns);
  if (ns < 1'000'000) return with_fraction(ns, "us");
  if (ns < 1'000'000'000) return with_fraction(ns / 1'000, "ms");
  if (ns < 120'000'000'000) return with_fraction(ns / 1'000'000, "s");
  const std::int64_t seconds = ns / 1'000'000'000;
  if (seconds < 7'200) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {} min {} s", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

}  // namespace lockstep
