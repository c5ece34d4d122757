#include <lockstep/testing/testing.hpp>
#include <lockstep/time/clock.hpp>

#include <chrono>
#include <type_traits>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

TEST(ClockTest, MeetsTheStandardsRequirements) {
  static_assert(std::chrono::is_clock_v<lockstep::clock>);
  static_assert(std::chrono::is_clock_v<wall_clock>);
  static_assert(lockstep::clock::is_steady && !wall_clock::is_steady);
  static_assert(!std::is_convertible_v<wall_clock::time_point, time_point>);
}

TEST(ClockTest, IsMisusedWithoutALoop) {
  EXPECT_THROW(lockstep::clock::now(), misuse);
  EXPECT_THROW(wall_clock::now(), misuse);
}

CO_TEST(ClockTest, BeginsAtZeroAndReadsTheLoop) {
  EXPECT_EQ(lockstep::clock::now(), time_point{});
  EXPECT_EQ(wall_clock::now(), wall_clock_start);
  co_await sleep_for(3s);
  EXPECT_EQ(lockstep::clock::now(), time_point{3s});
  EXPECT_EQ(lockstep::clock::now(), now());
  EXPECT_EQ(wall_clock::now(), wall_clock_start + 3s);
}

TEST(ClockTest, TakesHoursThatAreMoreThanAllNanosecondsForTheLongest) {
  EXPECT_EQ(saturating_cast(3h), duration(3h));
  EXPECT_EQ(saturating_cast(duration(3)), duration(3));
  EXPECT_EQ(saturating_cast(std::chrono::hours::max()), duration::max());
  EXPECT_EQ(saturating_cast(std::chrono::hours::min()), duration::min());
  EXPECT_EQ(saturating_cast(std::chrono::microseconds(9'223'372'036'854'775)), duration(9'223'372'036'854'775'000));
  EXPECT_EQ(saturating_cast(std::chrono::microseconds(9'223'372'036'854'776)), duration::max());
  EXPECT_EQ(saturating_cast(std::chrono::duration<unsigned long, std::milli>(~0ul)), duration::max());
  EXPECT_EQ(saturating_cast(std::chrono::duration<short>(-7)), duration(-7s));
}

TEST(ClockTest, AddsWithoutOverflow) {
  EXPECT_EQ(saturating_add(time_point{5ns}, 7ns), time_point{12ns});
  EXPECT_EQ(saturating_add(time_point{5ns}, -7ns), time_point{-2ns});
  EXPECT_EQ(saturating_add(time_point{5ns}, duration::max()), time_point::max());
  EXPECT_EQ(saturating_add(time_point{0ns}, duration::max()), time_point::max());
  EXPECT_EQ(saturating_add(time_point::max(), 1ns), time_point::max());
  EXPECT_EQ(saturating_add(time_point{5ns}, duration::min()), time_point{duration::min() + 5ns});
}

TEST(ClockTest, PrintsDurations) {
  EXPECT_EQ(to_text(0ns), "0 ns");
  EXPECT_EQ(to_text(3ns), "3 ns");
  EXPECT_EQ(to_text(1us), "1 us");
  EXPECT_EQ(to_text(1'500ns), "1.5 us");
  EXPECT_EQ(to_text(250ms), "250 ms");
  EXPECT_EQ(to_text(1'234'567ns), "1.234567 ms");
  EXPECT_EQ(to_text(91'400ms), "91.4 s");
  EXPECT_EQ(to_text(90s), "90 s");
  EXPECT_EQ(to_text(118'431'999'999ns), "118.431 s");
  EXPECT_EQ(to_text(120s), "2 min");
  EXPECT_EQ(to_text(2min + 26'500ms), "2 min 26.5 s");
  EXPECT_EQ(to_text(5min + 7s), "5 min 7 s");
  EXPECT_EQ(to_text(1h), "1 h");
  EXPECT_EQ(to_text(90min), "1 h 30 min");
  EXPECT_EQ(to_text(2h + 3min + 4s), "2 h 3 min 4 s");
  EXPECT_EQ(to_text(1h + 50ms), "1 h 0.05 s");
  EXPECT_EQ(to_text(24h * 366), "8784 h");
}

TEST(ClockTest, AddsDurationsWithoutOverflow) {
  EXPECT_EQ(saturating_add(5ns, 7ns), 12ns);
  EXPECT_EQ(saturating_add(5ns, -7ns), -2ns);
  EXPECT_EQ(saturating_add(duration::max(), 1ns), duration::max());
  EXPECT_EQ(saturating_add(duration::max(), -1ns), duration::max() - 1ns);
  EXPECT_EQ(saturating_add(-2ns, duration::min()), duration::min());
  EXPECT_EQ(saturating_add(duration::min(), duration::max()), -1ns);
}

TEST(ClockTest, PrintsTimesOfDay) {
  EXPECT_EQ(to_text(wall_clock_start), "2020-01-01 00:00:00.000000000 UTC");
  EXPECT_EQ(to_text(wall_clock_start + 59 * 24h + 13h + 5min + 7s + 89ns), "2020-02-29 13:05:07.000000089 UTC");
  EXPECT_EQ(to_text(wall_clock::time_point(-1ns)), "1969-12-31 23:59:59.999999999 UTC");
  EXPECT_EQ(to_text(wall_clock::time_point::max()), "2262-04-11 23:47:16.854775807 UTC");
  EXPECT_EQ(to_text(wall_clock::time_point::min()), "1677-09-21 00:12:43.145224192 UTC");
}

TEST(ClockTest, PrintsNegativeAndExtremeDurations) {
  EXPECT_EQ(to_text(-3ns), "-3 ns");
  EXPECT_EQ(to_text(-1'500ms), "-1.5 s");
  EXPECT_EQ(to_text(duration::max()), "2562047 h 47 min 16.854 s");
  EXPECT_EQ(to_text(duration::min()), "-2562047 h 47 min 16.854 s");
}

}  // namespace
}  // namespace lockstep
