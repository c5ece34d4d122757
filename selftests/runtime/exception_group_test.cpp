#include <lockstep/runtime/errors.hpp>
#include <lockstep/runtime/exception_group.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace lockstep {
namespace {

std::exception_ptr error(const std::string& text) { return std::make_exception_ptr(std::runtime_error(text)); }

TEST(ExceptionGroupTest, SaysWhatEachOneSays) {
  const exception_group group({error("connection refused"), error("no such file")});
  EXPECT_STREQ(group.what(), "2 tasks failed: connection refused; no such file");
}

TEST(ExceptionGroupTest, OneIsNoPlural) {
  EXPECT_STREQ(exception_group({error("connection refused")}).what(), "1 task failed: connection refused");
}

TEST(ExceptionGroupTest, KeepsEveryExceptionInItsOrder) {
  const std::exception_ptr first = error("first");
  const std::exception_ptr second = std::make_exception_ptr(7);
  const exception_group group({first, second});
  ASSERT_EQ(group.exceptions().size(), 2u);
  EXPECT_EQ(group.exceptions()[0], first);
  EXPECT_EQ(group.exceptions()[1], second);
}

TEST(ExceptionGroupTest, IsCaughtAsAStandardExceptionAndCopies) {
  try {
    throw exception_group({error("x"), error("y")});
  } catch (const std::exception& caught) {
    const exception_group copy = dynamic_cast<const exception_group&>(caught);
    EXPECT_STREQ(copy.what(), "2 tasks failed: x; y");
  }
}

TEST(ExceptionGroupTest, NestsInAnother) {
  const auto inner = std::make_exception_ptr(exception_group({error("x"), error("y")}));
  EXPECT_STREQ(exception_group({inner, error("z")}).what(), "2 tasks failed: 2 tasks failed: x; y; z");
}

// A careless one, of a type that takes its text from elsewhere.
struct silent : std::exception {
  const char* what() const noexcept override { return nullptr; }
};

TEST(ExceptionGroupTest, TextOfDescribesWhateverWasThrown) {
  EXPECT_EQ(text_of(std::make_exception_ptr(silent())), "(no text)");
  EXPECT_EQ(text_of(error("disk full")), "disk full");
  EXPECT_EQ(text_of(std::make_exception_ptr(7)), "an exception that is no std::exception");
  EXPECT_EQ(text_of(std::make_exception_ptr(cancelled())), "cancelled");
  EXPECT_EQ(text_of(std::make_exception_ptr(cancelled("too late"))), "cancelled: too late");
}

}  // namespace
}  // namespace lockstep
