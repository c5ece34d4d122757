// CO_ASSERT_*: assertions that stop a coroutine, also a nested one and one that returns a value.
//
// GoogleTest's ASSERT_* return from the function, which a coroutine cannot; these throw testing::AssertionException
// after reporting once, so that every coroutine up to the test's body stops. Code that swallows the exception is
// stopped at its next await. In a spawned task they end the whole test. Tasks that the asserting task has spawned are
// destroyed first, since they may point to the locals that unwind.
// EXPECT_* work as they are, also around co_await.
#pragma once

#include <lockstep/runtime/annotation.hpp>

#include <gtest/gtest.h>

namespace lockstep::detail {

// Reports a fatal failure, or a skip, and throws.
class fatal_result {
 public:
  fatal_result(testing::TestPartResult::Type type, const char* file, int line, const char* message) noexcept
      : type_(type), file_(file), line_(line), message_(message) {}

  [[noreturn]] void operator=(const testing::Message& message) const;

 private:
  testing::TestPartResult::Type type_;
  const char* file_;
  int line_;
  const char* message_;
};

}  // namespace lockstep::detail

#define LOCKSTEP_FATAL_(message)                                                                            \
  ::lockstep::detail::fatal_result(::testing::TestPartResult::kFatalFailure, __FILE__, __LINE__, message) = \
      ::testing::Message()

// A failure; and a skip, which leaves out the rest of the test, and of further runs. Both take a message by <<.
#define CO_FAIL() LOCKSTEP_FATAL_("Failed")
#define CO_SKIP() \
  ::lockstep::detail::fatal_result(::testing::TestPartResult::kSkip, __FILE__, __LINE__, "") = ::testing::Message()

#define CO_ASSERT_TRUE(condition) GTEST_TEST_BOOLEAN_(condition, #condition, false, true, LOCKSTEP_FATAL_)
#define CO_ASSERT_FALSE(condition) GTEST_TEST_BOOLEAN_(!(condition), #condition, true, false, LOCKSTEP_FATAL_)

#define CO_ASSERT_PRED_FORMAT1(format, v1) GTEST_PRED_FORMAT1_(format, v1, LOCKSTEP_FATAL_)
#define CO_ASSERT_PRED_FORMAT2(format, v1, v2) GTEST_PRED_FORMAT2_(format, v1, v2, LOCKSTEP_FATAL_)
#define CO_ASSERT_PRED_FORMAT3(format, v1, v2, v3) GTEST_PRED_FORMAT3_(format, v1, v2, v3, LOCKSTEP_FATAL_)
#define CO_ASSERT_PRED1(predicate, v1) GTEST_PRED1_(predicate, v1, LOCKSTEP_FATAL_)
#define CO_ASSERT_PRED2(predicate, v1, v2) GTEST_PRED2_(predicate, v1, v2, LOCKSTEP_FATAL_)
#define CO_ASSERT_PRED3(predicate, v1, v2, v3) GTEST_PRED3_(predicate, v1, v2, v3, LOCKSTEP_FATAL_)

#define CO_ASSERT_EQ(v1, v2) CO_ASSERT_PRED_FORMAT2(::testing::internal::EqHelper::Compare, v1, v2)
#define CO_ASSERT_NE(v1, v2) CO_ASSERT_PRED_FORMAT2(::testing::internal::CmpHelperNE, v1, v2)
#define CO_ASSERT_LE(v1, v2) CO_ASSERT_PRED_FORMAT2(::testing::internal::CmpHelperLE, v1, v2)
#define CO_ASSERT_LT(v1, v2) CO_ASSERT_PRED_FORMAT2(::testing::internal::CmpHelperLT, v1, v2)
#define CO_ASSERT_GE(v1, v2) CO_ASSERT_PRED_FORMAT2(::testing::internal::CmpHelperGE, v1, v2)
#define CO_ASSERT_GT(v1, v2) CO_ASSERT_PRED_FORMAT2(::testing::internal::CmpHelperGT, v1, v2)
#define CO_ASSERT_STREQ(s1, s2) CO_ASSERT_PRED_FORMAT2(::testing::internal::CmpHelperSTREQ, s1, s2)
#define CO_ASSERT_STRNE(s1, s2) CO_ASSERT_PRED_FORMAT2(::testing::internal::CmpHelperSTRNE, s1, s2)
#define CO_ASSERT_STRCASEEQ(s1, s2) CO_ASSERT_PRED_FORMAT2(::testing::internal::CmpHelperSTRCASEEQ, s1, s2)
#define CO_ASSERT_STRCASENE(s1, s2) CO_ASSERT_PRED_FORMAT2(::testing::internal::CmpHelperSTRCASENE, s1, s2)
#define CO_ASSERT_FLOAT_EQ(v1, v2) CO_ASSERT_PRED_FORMAT2(::testing::internal::CmpHelperFloatingPointEQ<float>, v1, v2)
#define CO_ASSERT_DOUBLE_EQ(v1, v2) \
  CO_ASSERT_PRED_FORMAT2(::testing::internal::CmpHelperFloatingPointEQ<double>, v1, v2)
#define CO_ASSERT_NEAR(v1, v2, error) CO_ASSERT_PRED_FORMAT3(::testing::internal::DoubleNearPredFormat, v1, v2, error)
// Needs <gmock/gmock.h>.
#define CO_ASSERT_THAT(value, matcher) \
  CO_ASSERT_PRED_FORMAT1(::testing::internal::MakePredicateFormatterFromMatcher(matcher), value)
#define CO_ASSERT_THROW(statement, exception) GTEST_TEST_THROW_(statement, exception, LOCKSTEP_FATAL_)
#define CO_ASSERT_NO_THROW(statement) GTEST_TEST_NO_THROW_(statement, LOCKSTEP_FATAL_)
#define CO_ASSERT_ANY_THROW(statement) GTEST_TEST_ANY_THROW_(statement, LOCKSTEP_FATAL_)

// Like SCOPED_TRACE, but belongs to the task and not to the thread: failures of other tasks do not show it.
#define CO_SCOPED_TRACE(message)                                            \
  const ::lockstep::scoped_annotation GTEST_CONCAT_TOKEN_(co_scoped_trace_, \
                                                          __LINE__)((::testing::Message() << (message)).GetString())
