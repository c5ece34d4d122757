#include <lockstep/testing/swept_world.hpp>

#include <lockstep/lockstep.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace lockstep::detail {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(SweptWorldTest, TellsWhatIsFound) {
  swept_world in;
  int prepared = 0;
  const auto passes = [&] { return prepared; };
  EXPECT_THAT(
      in.run([]() -> task<void> { co_await sleep_for(std::chrono::hours(1)); }, {}, [&](sim::world&) { ++prepared; }),
      IsEmpty());
  EXPECT_EQ(passes(), 1);
  EXPECT_THAT(in.run(
                  []() -> task<void> {
                    EXPECT_EQ(1, 2) << "an assertion";
                    co_return;
                  },
                  {}),
              HasSubstr("an assertion"));
  EXPECT_THAT(in.run(
                  []() -> task<void> {
                    co_await yield();
                    throw std::runtime_error("an error");
                  },
                  {}),
              HasSubstr("an exception left it: an error"));
  EXPECT_THAT(in.run(
                  []() -> task<void> {
                    event never;
                    co_await never.wait();
                  },
                  {}),
              HasSubstr("deadlock"));
}

TEST(SweptWorldTest, GoesOnFromAMomentOfAnother) {
  swept_world first;
  swept_world second;
  swept_world::moment left{};
  const sim::world_options for_a_day{.time_max = std::chrono::hours(24)};
  const auto lets_time_pass = [&]() -> task<void> {
    co_await sleep_for(std::chrono::hours(20));
    shift_wall_clock(std::chrono::hours(-3));
    left = first.now();
  };
  EXPECT_THAT(first.run(lets_time_pass, for_a_day), IsEmpty());
  const auto goes_on = [&]() -> task<void> {
    EXPECT_EQ(now(), left.steady);
    EXPECT_EQ(wall_now(), left.wall);
    co_await sleep_for(std::chrono::hours(20));
    EXPECT_EQ(now().time_since_epoch(), std::chrono::hours(40));
    EXPECT_EQ(wall_now(), wall_clock_start + std::chrono::hours(37));
  };
  EXPECT_THAT(second.run(goes_on, for_a_day, nullptr, left), IsEmpty()) << "it has a day of its own";
  const auto begins_anew = [&]() -> task<void> {
    EXPECT_EQ(now(), time_point());
    EXPECT_EQ(wall_now(), wall_clock_start);
    co_return;
  };
  EXPECT_THAT(second.run(begins_anew, for_a_day), IsEmpty());
}

}  // namespace
}  // namespace lockstep::detail
