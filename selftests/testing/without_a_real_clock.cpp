// What becomes of clock=real where lockstep::real was not built.
#include "child.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep {
namespace {

TEST(WithoutARealClockTest, SaysThatThereIsNoneWhoeverAsksForIt) {
  const std::string refusal =
      "clock is real, but lockstep was built without Boost.Asio, and so without lockstep::real\n";
  for (const std::string flags :
       {"--gtest_filter=OnTheRealClock.Passes", "--gtest_filter=OnAnyClock.IsRunAHundredTimes --lockstep_clock=real"}) {
    const child_run run = run_subject(flags);
    EXPECT_EQ(run.end, "exit status 1\n");
    EXPECT_THAT(run.text, testing::HasSubstr(refusal));
  }
}

}  // namespace
}  // namespace lockstep
