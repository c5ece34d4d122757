#include <lockstep/sync/shared.hpp>

#include "../runtime/judged_run.hpp"

#include <lockstep/lockstep.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lockstep {
namespace {

TEST(SharedTest, ReadsAndWritesLikeWhatIsInIt) {
  shared<int> number{3, "number"};
  EXPECT_EQ(number, 3);
  EXPECT_EQ(number.name(), "number");
  EXPECT_EQ(number.described(), "shared \"number\"");
}

TEST(SharedTest, IsMadeOfADefaultOrAValue) {
  const auto main = []() -> task<void> {
    shared<int> zero;
    shared<std::string> text = "abc";
    shared deduced{2.5, "half"};
    EXPECT_EQ(zero.get(), 0);
    EXPECT_EQ(text.get(), "abc");
    EXPECT_EQ(deduced.get(), 2.5);
    EXPECT_EQ(text->size(), 3u);
    EXPECT_EQ(*text, "abc");
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "");
}

TEST(SharedTest, ChangesAsNumbersDo) {
  const auto main = []() -> task<void> {
    shared<int> number{1};
    EXPECT_EQ(&(number = 5), &number);
    EXPECT_EQ(number++, 5);
    EXPECT_EQ(++number, 7);
    EXPECT_EQ(number--, 7);
    EXPECT_EQ(--number, 5);
    number += 3;
    number -= 1;
    number *= 4;
    number /= 2;
    EXPECT_EQ(number, 14);
    number |= 1;
    number &= 7;
    number ^= 2;
    EXPECT_EQ(number, 5);
    EXPECT_EQ(number.change([](int& value) { return value *= 2; }), 10);
    shared<int> other{number.get()};
    number = other;  // what is in it, and not the object
    EXPECT_EQ(number, 10);
    shared<std::vector<int>> many;
    many.change([](std::vector<int>& value) { value.push_back(1); });
    EXPECT_EQ(many->size(), 1u);
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "");
}

TEST(SharedTest, MayNotBeWrittenWhereNoLoopRuns) {
  shared<int> number{1};
  EXPECT_ANY_THROW(number = 2);
  EXPECT_EQ(number.get(), 1);
}

// Told to the observer of a run.
class noted_accesses final : public oracle, private step_observer {
 public:
  std::string all;
  identity of = 0;

  std::size_t pick_task(const candidates&) override { return 0; }
  std::uint64_t pick_value(choice_point, std::uint64_t) override { return 0; }
  step_observer* observer() noexcept override { return this; }

 private:
  bool step_begins(const candidates&, std::size_t) override { return true; }
  void touches(identity object, access how) override {
    if (object == of) all += "ruwa"[static_cast<std::size_t>(how)];
  }
};

TEST(SharedTest, TellsWhoReadsAndWrites) {
  noted_accesses noted;
  const auto main = [&noted]() -> task<void> {
    shared<int> number{1};
    noted.of = number.id();
    static_cast<void>(number.get());
    static_cast<void>(number + 1);
    number = 2;
    number += 1;
    ++number;
    number.change([](int& value) { value = 0; });
    EXPECT_EQ(fmt::format("{}", number), "0");
    EXPECT_EQ(testing::PrintToString(number), "0");
    noted.of = 0;
    co_return;
  };
  sim::world_options how;
  how.choices = &noted;
  EXPECT_EQ(judge(main, how).messages(), "");
  EXPECT_EQ(noted.all, "rrwwwwrr");
}

}  // namespace
}  // namespace lockstep
