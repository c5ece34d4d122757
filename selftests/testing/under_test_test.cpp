#include <lockstep/testing/under_test.hpp>

#include "../base/sanitizers.hpp"
#include "child.hpp"

#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>

#include <string>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

CO_TEST(UnderTestTest, DoesNothingWhereNothingIsDisturbed) {
  auto victim = spawn([]() -> task<int> { co_return 7; }());
  put_under_test(victim);
  put_under_test(victim.get());
  EXPECT_EQ(co_await victim.join(), 7);
}

// What happens to it, and only to it, in each of the runs that cancel it.
class Victim : public testing::Test {
 protected:
  static void TearDownTestSuite() {
    EXPECT_EQ(cancellations_, 1 + 3 + 3) << "before it began, and at two sleeps";
    EXPECT_EQ(ends_, 2) << "as it is, and when the moments are counted";
  }

  static inline int cancellations_ = 0;
  static inline int ends_ = 0;
};
CO_TEST_F(Victim, IsCancelledInThePlaceOfTheBody, .cancel_every = true) {
  const auto work = []() -> task<void> {
    co_await sleep_for(1s);
    co_await sleep_for(1s);
  };
  co_await yield();
  auto victim = spawn(work(), "victim");
  put_under_test(victim);
  try {
    co_await victim.join();
    ++ends_;
  } catch (const cancelled&) {
    ++cancellations_;
  }
  co_await sleep_for(1s);
}

class BruteForceReport : public testing::TestWithParam<const char*> {};
TEST_P(BruteForceReport, IsAsApproved) { expect_approved_report(GetParam()); }
INSTANTIATE_TEST_SUITE_P(Of, BruteForceReport,
                         testing::Values("BruteForce.FindsAPermitThatACancellationLoses",
                                         "BruteForce.LeavesAPermitAloneThatItsOwnerReleases",
                                         "Swept.FailsInTheThirdOfSeveralRuns", "BruteForce.FindsSwallowedCancellations",
                                         "BruteForce.FindsAnErrorThatIsNoCancellation",
                                         "BruteForce.LeavesAConversionAloneThatTellsOfItsCause",
                                         "BruteForce.ExpectsNoCallsOfWhatWasCutShort",
                                         "Connections.OneOutlivesItsWorld", "Connections.EndWithTheirScope",
                                         "Slots.AreLostWithTheirTask", "Slots.GoBackWithTheirPermit",
                                         "BruteForce.IsSpreadOverWhatItMayNotCover"));

// Any test can be swept from the command line.
TEST(BruteForceTest, IsAFlagAndAVariable) {
  const std::string passes = "--gtest_filter=PartsAfter.RunClean ";
  EXPECT_THAT(run_subject(passes + "--lockstep_cancel_every --lockstep_destroy_every").text,
              testing::AllOf(HasSubstr("cancel_every: PartsAfter.RunClean stands "),
                             HasSubstr("destroy_every: PartsAfter.RunClean stands ")));
#ifndef LOCKSTEP_UNDER_TSAN  // which keeps its own allocation functions
  EXPECT_THAT(run_subject(passes, "LOCKSTEP_FAIL_ALLOC_EVERY=1").text,
              HasSubstr("fail_alloc_every: PartsAfter.RunClean stands "));
#endif
}

// A token that says nothing of a disturbance is followed, and then swept as the options say.
TEST(BruteForceTest, SweepsTheRunOfAToken) {
  const std::string permit = "--gtest_filter=BruteForce.LeavesAPermitAloneThatItsOwnerReleases ";
  const std::string refused = run_subject(permit + "--lockstep_replay='ls1:0000:plain::;'").text;
  const std::string says = "this is BruteForce.LeavesAPermitAloneThatItsOwnerReleases, ";
  const std::size_t at = refused.find(says);
  ASSERT_NE(at, std::string::npos);
  const std::string hash = refused.substr(at + says.size(), 4);
  const child_run run = run_subject(permit + "--lockstep_replay='ls1:" + hash + ":random-5::;'");
  EXPECT_EQ(run.end, "");
  EXPECT_THAT(run.text, HasSubstr("replayed: "));
  EXPECT_THAT(run.text, HasSubstr("cancel_every: BruteForce.LeavesAPermitAloneThatItsOwnerReleases stands "));
}

}  // namespace
}  // namespace lockstep
