#include <lockstep/sim/disk_pace.hpp>

#include <gtest/gtest.h>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;

constexpr time_point at(duration since) { return time_point(since); }

TEST(DiskPaceTest, IsLatencyAlone) {
  disk_clock clock({.read = 5ms});
  clock.call(at(1s), 5ms, 4096);
  EXPECT_EQ(clock.take(at(1s)), 5ms);
  EXPECT_EQ(clock.take(at(1s)), 0ms) << "it is told once";
  clock.call(at(1s), 5ms, 4096);
  EXPECT_EQ(clock.take(at(1s)), 5ms) << "at once with the other";
}

TEST(DiskPaceTest, IsOneAfterTheOtherWhereTheDiskHasLimits) {
  disk_clock clock({.bytes_per_second = 1000, .calls_per_second = 10});
  clock.call(at(0s), 0ms, 100);
  EXPECT_EQ(clock.take(at(0s)), 200ms);
  clock.call(at(0s), 1ms, 100);
  EXPECT_EQ(clock.take(at(0s)), 401ms);
  clock.call(at(10s), 0ms, 0);
  EXPECT_EQ(clock.take(at(10s)), 100ms);
}

TEST(DiskPaceTest, IsStalledNowAndThen) {
  disk_clock clock({.stall = 2s, .stall_every = 10s});
  clock.call(at(1s), 0ms, 0);
  EXPECT_EQ(clock.take(at(1s)), 0s);
  clock.call(at(11s), 0ms, 0);
  EXPECT_EQ(clock.take(at(11s)), 1s);
  clock.call(at(13s), 0ms, 0);
  EXPECT_EQ(clock.take(at(13s)), 0s);
}

TEST(DiskPaceTest, IsDelayed) {
  disk_clock clock({});
  clock.call(at(1s), 5ms, 0);
  clock.delay(at(1s), 1s);
  EXPECT_EQ(clock.take(at(1s)), 1005ms);
}

}  // namespace
}  // namespace lockstep::sim
