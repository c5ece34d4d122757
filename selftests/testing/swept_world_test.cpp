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

}  // namespace
}  // namespace lockstep::detail
