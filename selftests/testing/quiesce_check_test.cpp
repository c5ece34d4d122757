#include <lockstep/testing/quiesce_check.hpp>

#include "child.hpp"

#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>

#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

CO_TEST(QuiesceCheckTest, LooksBeforeEachJumpOfTheClock) {
  std::vector<duration> seen;
  const quiesce_check look([&] { seen.push_back(now().time_since_epoch()); });
  co_await yield();
  co_await sleep_for(1s);
  co_await yield();
  co_await sleep_for(2s);
  EXPECT_THAT(seen, testing::ElementsAre(0s, 1s));
}

CO_TEST(QuiesceCheckTest, LooksBeforeASettlerGoesOn) {
  int looks = 0;
  const quiesce_check look([&] { ++looks; });
  co_await settle();
  EXPECT_EQ(looks, 1);
}

CO_TEST(QuiesceCheckTest, LooksNoMoreWhenItHasEnded) {
  int looks = 0;
  {
    const quiesce_check look([&] { ++looks; });
    co_await sleep_for(1s);
  }
  co_await sleep_for(1s);
  EXPECT_EQ(looks, 1);
}

CO_TEST(QuiesceCheckTest, ComesAndGoesWithinACheck) {
  int outer = 0;
  int inner = 0;
  const quiesce_check look([&] {
    ++outer;
    const quiesce_check passing([&] { ++inner; });
  });
  co_await sleep_for(1s);
  co_await sleep_for(1s);
  EXPECT_EQ(outer, 2);
  EXPECT_EQ(inner, 0);
}

CO_TEST(QuiesceCheckTest, MayWakeATask) {
  event quiet("quiet");
  const quiesce_check tell([&] { quiet.set(); });
  co_await quiet.wait();
  EXPECT_EQ(now(), time_point{});
}

TEST(QuiesceCheckTest, NeedsALoop) {
  EXPECT_THROW(const quiesce_check nowhere([] {}), misuse);
}

class QuiesceReport : public testing::TestWithParam<const char*> {};
TEST_P(QuiesceReport, NamesTheMomentOnce) { expect_approved_report(GetParam()); }
INSTANTIATE_TEST_SUITE_P(Of, QuiesceReport,
                         testing::Values("Quiesce.FindsBooksThatDoNotBalance", "Quiesce.LooksNotWhileSomethingIsReady",
                                         "Quiesce.EndsTheRunByACoAssert", "Quiesce.MayThrow",
                                         "Ledger.IsLookedAtWhenAllHasEnded"));

}  // namespace
}  // namespace lockstep
