#include <lockstep/real/os_clock.hpp>

#include <gtest/gtest.h>

namespace {

using namespace lockstep;
using namespace std::chrono_literals;
using real::os_clock;

TEST(OsClockTest, BeginsAtZeroAndNeverGoesBack) {
  os_clock clock;
  time_point last{};
  for (int i = 0; i < 1'000; ++i) {
    const time_point read = clock.read();
    EXPECT_GE(read, last);
    last = read;
  }
}

TEST(OsClockTest, StandsStillWhileItIsHeld) {
  os_clock clock(1'000'000);
  const time_point before = clock.read();
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(clock.hold(), before);
}

TEST(OsClockTest, SaysWhenTheMachinesClockIsThere) {
  os_clock clock;
  const time_point now = clock.read();
  EXPECT_EQ(clock.when(now + 1s) - clock.when(now), 1s);
  EXPECT_EQ(clock.when(now - 1s), clock.when(now));
}

TEST(OsClockTest, IsFasterByItsScale) {
  os_clock clock(1'000);
  const time_point now = clock.read();
  EXPECT_EQ(clock.when(now + 1s) - clock.when(now), 1ms);
  EXPECT_EQ(clock.when(now + 1ns) - clock.when(now), 1ns);  // and not before
  EXPECT_EQ(clock.when(now + 1'001ns) - clock.when(now), 2ns);
}

TEST(OsClockTest, KnowsThatTheEndOfTimeNeverComes) {
  os_clock clock;
  const time_point now = clock.read();
  EXPECT_GT(clock.when(time_point::max()) - clock.when(now), 24h * 365 * 100);
  os_clock fast(4'000'000'000u);
  for (int i = 0; i < 100; ++i) EXPECT_LE(fast.read(), time_point::max());
}

}  // namespace
