#include <lockstep/runtime/errors.hpp>

#include <gtest/gtest.h>

#include <string>
#include <type_traits>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

TEST(ErrorsTest, CancelledKeepsItsReason) {
  EXPECT_EQ(cancelled().reason(), "");
  EXPECT_EQ(cancelled("shutting down").reason(), "shutting down");
  const cancelled original(label(std::string("no longer wanted")));
  const cancelled copy = original;  // NOLINT: the copy is what is tested
  EXPECT_EQ(copy.reason(), "no longer wanted");
}

TEST(ErrorsTest, AHandlerForErrorsDoesNotCatchCancelled) {
  static_assert(!std::is_base_of_v<std::exception, cancelled>);
  bool swallowed = false;
  const auto work = [&] {
    try {
      throw cancelled();
    } catch (const std::exception&) {
      swallowed = true;
    }
  };
  EXPECT_THROW(work(), cancelled);
  EXPECT_FALSE(swallowed);
}

TEST(ErrorsTest, TimedOutIsARuntimeErrorThatNamesTheLimit) {
  const timed_out error(1500ms);
  const std::runtime_error& base = error;
  EXPECT_STREQ(base.what(), "timed out after 1.5 s");
}

TEST(ErrorsTest, MisuseIsALogicErrorWithItsText) {
  const misuse error("unlock() of what is not held");
  const std::logic_error& base = error;
  EXPECT_STREQ(base.what(), "unlock() of what is not held");
}

}  // namespace
}  // namespace lockstep
