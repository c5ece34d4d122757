#include <lockstep/time/clock.hpp>

#include <fmt/format.h>

#include <cstdint>

namespace lockstep {

namespace {

// `count` of what `places` decimal places are cut off from: (1500, 3) is "1.5".
std::string decimal(std::int64_t count, int places) {
  std::int64_t whole = 1;
  for (int i = 0; i < places; ++i) whole *= 10;
  std::string digits = fmt::format("{}.{:0{}}", count / whole, count % whole, places);
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.') digits.pop_back();
  return digits;
}

}  // namespace

std::string to_text(duration length) {
  const std::int64_t ns = length.count();
  if (ns < 0) return "-" + to_text(ns == duration::min().count() ? duration::max() : -length);
  if (ns < 1'000) return fmt::format("{} ns", ns);
  if (ns < 1'000'000) return decimal(ns, 3) + " us";
  if (ns < 1'000'000'000) return decimal(ns, 6) + " ms";
  const std::int64_t ms = ns / 1'000'000;
  if (ms < 120'000) return decimal(ms, 3) + " s";
  std::string text;
  if (ms >= 3'600'000) text += fmt::format("{} h ", ms / 3'600'000);
  if (ms / 60'000 % 60 != 0) text += fmt::format("{} min ", ms / 60'000 % 60);
  if (ms % 60'000 != 0) text += decimal(ms % 60'000, 3) + " s ";
  text.pop_back();
  return text;
}

std::string to_text(wall_clock::time_point at) {
  constexpr std::int64_t per_second = std::nano::den;
  const std::int64_t count = at.time_since_epoch().count();
  // Of the second that began last: its nanoseconds count up before 1970 as well.
  const std::int64_t ns = (count % per_second + per_second) % per_second;
  const std::chrono::sys_seconds second{std::chrono::seconds(count / per_second - (count % per_second < 0 ? 1 : 0))};
  const std::chrono::sys_days day = std::chrono::floor<std::chrono::days>(second);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(second - day);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:09} UTC", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count(), ns);
}

}  // namespace lockstep
