#include "../base/sanitizers.hpp"
#include "child.hpp"

#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>

namespace lockstep {
namespace {

using testing::HasSubstr;

// This program keeps the standard library's; testing_subject and failing_allocations have those that fail.
CO_TEST(WithTheStandardsAllocation, Passes) { co_await yield(); }

TEST(FailingNewTest, IsAskedForWhereItIsMissing) {
  for (const char* const flag : {"--lockstep_fail_alloc_every", "--lockstep_replay='ls1:3288:plain:fail_alloc@1:;'"}) {
    const child_run run =
        run_command("./testing_tests --gtest_filter=WithTheStandardsAllocation.Passes " + std::string(flag));
    EXPECT_EQ(run.end, "exit status 1\n");
    EXPECT_THAT(run.text, HasSubstr("fail_alloc_every needs allocation functions that can fail: write #include "
                                    "<lockstep/testing/failing_new.hpp> in one source of the test program\n"));
  }
}

// ThreadSanitizer keeps its own allocation functions.
#ifndef LOCKSTEP_UNDER_TSAN
TEST(FailingNewTest, LetsAnAllocationFailAndTheLineRepeatsIt) {
  expect_approved_report("BruteForce.FindsAnItemThatAFailingAllocationLoses");
  expect_approved_report("BruteForce.LeavesAnItemAloneThatIsMovedIntoItsPlace");
}
#endif

}  // namespace
}  // namespace lockstep
