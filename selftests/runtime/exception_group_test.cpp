#include <lockstep/runtime/errors.hpp>
#include <lockstep/runtime/exception_group.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

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
  EXPECT_STREQ(exception_group({inner, error("z")}).what(), "2 tasks failed: (2 tasks failed: x; y); z");
}

// 1: {runtime x, {logic y, {runtime z, 7}}}
exception_group nested() {
  const auto innermost = std::make_exception_ptr(exception_group({error("z"), std::make_exception_ptr(7)}));
  const auto inner =
      std::make_exception_ptr(exception_group({std::make_exception_ptr(std::logic_error("y")), innermost}));
  return exception_group({error("x"), inner});
}

TEST(ExceptionGroupTest, FlattensToWhatIsNoGroup) {
  const exception_group group = nested();
  const std::vector<std::exception_ptr> flat = group.flatten();
  ASSERT_EQ(flat.size(), 4u);
  EXPECT_EQ(flat[0], group.exceptions()[0]);
  EXPECT_EQ(text_of(flat[1]), "y");
  EXPECT_EQ(text_of(flat[2]), "z");
  EXPECT_TRUE(holds<int>(flat[3]));
}

TEST(ExceptionGroupTest, SplitsByTypeAtAnyDepthAndKeepsTheNesting) {
  const auto [matching, rest] = nested().split<std::runtime_error>();
  EXPECT_STREQ(matching->what(), "2 tasks failed: x; (1 task failed: (1 task failed: z))");
  EXPECT_STREQ(rest->what(),
               "1 task failed: (2 tasks failed: y; (1 task failed: an exception that is no std::exception))");
}

TEST(ExceptionGroupTest, SplitsIntoOneHalfOrTheOther) {
  const auto none = nested().split<char>();
  EXPECT_FALSE(none.matching.has_value());
  EXPECT_STREQ(none.rest->what(), nested().what());
  const auto all = exception_group({error("x"), error("y")}).split<std::exception>();
  EXPECT_STREQ(all.matching->what(), "2 tasks failed: x; y");
  EXPECT_FALSE(all.rest.has_value());
}

// A group is a std::exception itself, and must not take along what is none.
TEST(ExceptionGroupTest, ASplitLooksAtWhatIsInGroupsAndNotAtThem) {
  const auto [matching, rest] = nested().split<std::exception>();
  EXPECT_EQ(matching->flatten().size(), 3u);
  ASSERT_EQ(rest->flatten().size(), 1u);
  EXPECT_TRUE(holds<int>(rest->flatten()[0]));
}

TEST(ExceptionGroupTest, ASubgroupIsTheMatchingHalf) {
  EXPECT_STREQ(nested().subgroup<std::logic_error>()->what(), "1 task failed: (1 task failed: y)");
  EXPECT_FALSE(nested().subgroup<char>().has_value());
}

TEST(ExceptionGroupTest, VisitsWhatMatchesAndReturnsTheRest) {
  std::string seen;
  auto rest = nested().visit<std::runtime_error>([&](const std::runtime_error& why) { seen += why.what(); });
  EXPECT_EQ(seen, "xz");
  rest = rest->visit<std::logic_error>([&](const std::logic_error& why) { seen += why.what(); });
  EXPECT_EQ(seen, "xzy");
  rest = rest->visit<char>([&](char) { seen += "?"; });
  EXPECT_EQ(rest->flatten().size(), 1u);
  rest = rest->visit<int>([&](int number) { seen += std::to_string(number); });
  EXPECT_EQ(seen, "xzy7");
  EXPECT_FALSE(rest.has_value());
}

TEST(ExceptionGroupTest, WhatAVisitorThrowsTakesThePlaceOfWhatItVisitedAndTheRestIsKept) {
  const auto refuses = [](const std::runtime_error& why) {
    if (why.what() == std::string("x")) throw std::logic_error("no x");
  };
  try {
    static_cast<void>(nested().visit<std::runtime_error>(refuses));
    ADD_FAILURE() << "nothing was thrown";
  } catch (const exception_group& all) {
    EXPECT_STREQ(all.what(),
                 "2 tasks failed: no x; (1 task failed: (2 tasks failed: y; (1 task failed: an exception that is no "
                 "std::exception)))");
  }
}

TEST(ExceptionGroupTest, AVisitorThatThrowsIsCalledForTheOthersAllTheSame) {
  int calls = 0;
  const auto refuses = [&](const std::runtime_error& why) {
    ++calls;
    throw std::logic_error(std::string("no ") + why.what());
  };
  try {
    static_cast<void>(exception_group({error("x"), error("y")}).visit<std::runtime_error>(refuses));
    ADD_FAILURE() << "nothing was thrown";
  } catch (const exception_group& all) {
    EXPECT_STREQ(all.what(), "2 tasks failed: no x; no y");
  }
  EXPECT_EQ(calls, 2);
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
