#include "child.hpp"

#include <lockstep/testing/failures.hpp>
#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using testing::HasSubstr;

// What `checks` reported when it was run as a task, and whether it was stopped by that.
struct checked {
  std::vector<detail::failure_part> parts;
  bool stopped = false;
};
template <class F>
checked run_checks(F checks) {
  sim::world world;
  const detail::failure_interceptor failures;
  checked result;
  try {
    world.run(checks());
  } catch (const testing::AssertionException&) {
    result.stopped = true;
  }
  result.parts = failures.parts();
  return result;
}

// Expects that each of `failing` stops its coroutine with one fatal failure, which says the text beside it.
struct failing_check {
  task<void> (*check)();
  const char* says;
};

bool is_big(int number) { return number > 1; }
bool are_equal(int a, int b) { return a == b; }
void nothing() {}

#define FAILING(statement)         \
  []() -> task<void> {             \
    statement;                     \
    co_await yield();              \
    ADD_FAILURE() << "it went on"; \
  }

TEST(CoAssertTest, EveryFormThatFailsStopsItsCoroutineAndReportsOnce) {
  const std::vector<failing_check> all = {
      {FAILING(CO_ASSERT_FALSE(1 + 1 == 2)), "Expected: false"},
      {FAILING(CO_ASSERT_EQ(1, 2)), "Expected equality"},
      {FAILING(CO_ASSERT_NE(1, 1)), "(1) != (1)"},
      {FAILING(CO_ASSERT_LT(1, 1)), "(1) < (1)"},
      {FAILING(CO_ASSERT_LE(2, 1)), "(2) <= (1)"},
      {FAILING(CO_ASSERT_GT(1, 1)), "(1) > (1)"},
      {FAILING(CO_ASSERT_GE(1, 2)), "(1) >= (2)"},
      {FAILING(CO_ASSERT_STREQ("a", "b")), "\"b\""},
      {FAILING(CO_ASSERT_STRNE("a", "a")), "(\"a\") != (\"a\")"},
      {FAILING(CO_ASSERT_STRCASEEQ("a", "B")), "Ignoring case"},
      {FAILING(CO_ASSERT_STRCASENE("a", "A")), "(ignoring case)"},
      {FAILING(CO_ASSERT_FLOAT_EQ(1.0f, 2.0f)), "2.0f"},
      {FAILING(CO_ASSERT_DOUBLE_EQ(1.0, 2.0)), "2.0"},
      {FAILING(CO_ASSERT_NEAR(1.0, 2.0, 0.5)), "exceeds 0.5"},
      {FAILING(CO_ASSERT_THAT(std::string("a"), HasSubstr("b"))), "has substring \"b\""},
      {FAILING(CO_ASSERT_THROW(nothing(), std::runtime_error)), "throws nothing"},
      {FAILING(CO_ASSERT_NO_THROW(throw std::runtime_error("x"))), "it throws"},
      {FAILING(CO_ASSERT_ANY_THROW(nothing())), "doesn't"},
      {FAILING(CO_ASSERT_PRED1(is_big, 1)), "evaluates to false"},
      {FAILING(CO_ASSERT_PRED2(are_equal, 1, 2)), "evaluates to false"},
      {FAILING(CO_FAIL() << "why"), "why"}};
  for (const failing_check& each : all) {
    SCOPED_TRACE(each.says);
    const checked found = run_checks(each.check);
    EXPECT_TRUE(found.stopped);
    ASSERT_EQ(found.parts.size(), 1u);
    EXPECT_EQ(found.parts.front().type, testing::TestPartResult::kFatalFailure);
    EXPECT_THAT(found.parts.front().message, HasSubstr(each.says));
  }
}

CO_TEST(CoAssertTest, EveryFormThatHoldsGoesOn) {
  const auto two = []() -> task<int> {
    co_await yield();
    co_return 2;
  };
  CO_ASSERT_TRUE(co_await two() == 2);
  CO_ASSERT_FALSE(co_await two() == 3);
  CO_ASSERT_EQ(co_await two(), 2) << "not evaluated";
  CO_ASSERT_NE(co_await two(), 3);
  CO_ASSERT_LT(co_await two(), 3);
  CO_ASSERT_LE(co_await two(), 2);
  CO_ASSERT_GT(co_await two(), 1);
  CO_ASSERT_GE(co_await two(), 2);
  CO_ASSERT_NEAR(co_await two(), 2.1, 0.2);
  CO_ASSERT_THAT(co_await two(), testing::Gt(1));
  CO_ASSERT_STREQ("a", "a");
  CO_ASSERT_THROW(throw std::runtime_error("x"), std::runtime_error);
  CO_ASSERT_NO_THROW(co_await two());
  CO_ASSERT_ANY_THROW(throw 1);
  CO_ASSERT_PRED2([](int a, int b) { return a < b; }, co_await two(), 3);
  EXPECT_EQ(now(), time_point{});
}

CO_TEST(CoAssertTest, ExpectMayContainAnAwait) {
  const auto fails = []() -> task<int> {
    co_await yield();
    throw std::runtime_error("x");
  };
  const auto two = []() -> task<int> {
    co_await yield();
    co_return 2;
  };
  EXPECT_EQ(co_await two(), 2);
  EXPECT_TRUE(co_await two() == 2);
  EXPECT_THAT(co_await two(), testing::Lt(3));
  EXPECT_THROW(co_await fails(), std::runtime_error);
  EXPECT_NO_THROW(co_await two());
  EXPECT_ANY_THROW(co_await fails());
}

TEST(CoAssertTest, OutsideATaskItStopsWhatCallsIt) {
  std::vector<detail::failure_part> parts;
  {
    const detail::failure_interceptor failures;
    EXPECT_THROW(CO_ASSERT_EQ(1, 2), testing::AssertionException);
    EXPECT_THROW(CO_SKIP(), testing::AssertionException);
    parts = failures.parts();
  }
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].type, testing::TestPartResult::kFatalFailure);
  EXPECT_EQ(parts[1].type, testing::TestPartResult::kSkip);
}

class CoAssertReport : public testing::TestWithParam<const char*> {};
TEST_P(CoAssertReport, IsAsApproved) { expect_approved_report(GetParam()); }
INSTANTIATE_TEST_SUITE_P(Of, CoAssertReport,
                         testing::Values("Assert.StopsNestedCoroutinesThatReturnValues",
                                         "Assert.StopsCodeThatSwallowsItAtItsNextAwait",
                                         "Assert.StopsCodeThatSwallowsItAtItsNextCall",
                                         "Assert.StopsTheTestFromASpawnedTask", "Assert.StopsTheTestFromADaemon",
                                         "Assert.StopsTheTestFromATaskOfAGroup", "Assert.FailsPlainly",
                                         "Assert.EndsParkedChildrenBeforeTheLocalsThatTheyPointTo",
                                         "Skip.FromANestedCoroutine", "SkipSetUp.LeavesOutTheBody"));

TEST(CoAssertTest, IsCaughtByUsAlsoWhereGoogleTestCatchesNothing) {
  const std::string filter = "--gtest_filter=Assert.*:Skip*.* ";
  const child_run caught = run_subject(filter);
  const child_run not_caught = run_subject(filter + "--gtest_catch_exceptions=0");
  EXPECT_EQ(caught.end, "exit status 1\n");
  EXPECT_EQ(report_of(not_caught), report_of(caught));
}

TEST(CoAssertTest, StopsInTheDebuggerWhereItFails) {
  const child_run run = run_subject("--gtest_filter=Assert.FailsPlainly --gtest_break_on_failure");
  EXPECT_EQ(run.end, "signal 5\n");
  EXPECT_THAT(run.text, HasSubstr("repeat: LOCKSTEP_REPLAY="));
}

TEST(CoAssertTest, IsReportedInEachRepetition) {
  const std::string once = report_of(run_subject("--gtest_filter=Assert.FailsPlainly"));
  const std::string thrice = run_subject("--gtest_filter=Assert.FailsPlainly --gtest_repeat=3 --gtest_shuffle").text;
  const std::string report = once.substr(0, once.find("exit status"));
  std::size_t at = 0;
  for (int i = 0; i < 3; ++i) {
    at = thrice.find(report, at);
    ASSERT_NE(at, std::string::npos) << "repetition " << i << " of\n" << thrice;
    at += report.size();
  }
}

}  // namespace
}  // namespace lockstep
