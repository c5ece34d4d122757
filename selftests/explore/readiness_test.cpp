#include <lockstep/explore/readiness.hpp>

#include <gtest/gtest.h>

namespace lockstep::detail {
namespace {

constexpr std::uint32_t none = step_event::none;

TEST(ReadinessTest, WhoWasNotReadyHasBecomeSoByTheLastStep) {
  readiness ready;
  ready.begin_run();
  ready.note(0, 0, none);
  EXPECT_EQ(ready.enabled_by(0), none);
  ready.note(1, 1, 0);  // task 0 has made step 0
  ready.note(2, 1, 0);
  ready.note(2, 2, 1);  // and task 1 step 1
  EXPECT_EQ(ready.enabled_by(1), 0u);
  EXPECT_EQ(ready.enabled_by(2), 0u) << "it was ready all the time";
  ready.note(1, 2, 1);
  EXPECT_EQ(ready.enabled_by(1), 1u) << "by its own step";
  ready.note(0, 4, 2);
  EXPECT_EQ(ready.enabled_by(0), 3u);
}

TEST(ReadinessTest, KnowsWhoIsReadyNoMore) {
  readiness ready;
  ready.begin_run();
  ready.note(0, 0, none);
  ready.note(1, 0, none);
  ready.note(0, 1, 0);
  EXPECT_TRUE(ready.was_noted_before(0, 1));
  EXPECT_FALSE(ready.was_noted_before(1, 1));
}

TEST(ReadinessTest, AnotherRunKnowsNothingOfTheLast) {
  readiness ready;
  ready.begin_run();
  ready.note(0, 7, none);
  ready.begin_run();
  ready.note(0, 0, none);
  EXPECT_EQ(ready.enabled_by(0), none);
  EXPECT_FALSE(ready.was_noted_before(0, 7));
}

TEST(ReadinessTest, GoesOnFromWhatIsRestored) {
  readiness ready;
  ready.begin_run();
  ready.restore(1, 5, 2);
  ready.note(1, 6, 0);
  ready.note(2, 6, 0);
  EXPECT_EQ(ready.enabled_by(1), 2u) << "it was ready all the time";
  EXPECT_EQ(ready.enabled_by(2), 5u);
}

}  // namespace
}  // namespace lockstep::detail
