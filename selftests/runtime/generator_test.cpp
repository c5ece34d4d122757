#include "judged_run.hpp"

#include <lockstep/testing/testing.hpp>

#include <memory>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace lockstep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

generator<int> count_to(int last) {
  for (int i = 1; i <= last; ++i) co_yield i;
}

template <class Range>
auto all_of(Range&& items) {
  std::vector<std::ranges::range_value_t<Range>> all;
  for (auto&& each : items) all.push_back(std::forward<decltype(each)>(each));
  return all;
}

static_assert(std::ranges::input_range<generator<int>>);
static_assert(std::ranges::view<generator<int>>);
static_assert(std::same_as<std::ranges::range_reference_t<generator<int>>, int&&>);
static_assert(std::same_as<std::ranges::range_reference_t<generator<const int&>>, const int&>);
static_assert(!std::copyable<generator<int>>);

TEST(GeneratorTest, YieldsItsItemsInOrder) {
  EXPECT_THAT(all_of(count_to(3)), ElementsAre(1, 2, 3));
  EXPECT_THAT(all_of(count_to(0)), IsEmpty());
}

TEST(GeneratorTest, ComputesNoMoreThanIsAskedFor) {
  int made = 0;
  const auto naturals = [](int& count) -> generator<int> {
    for (;;) co_yield ++count;
  };
  EXPECT_THAT(all_of(naturals(made) | std::views::take(3) | std::views::transform([](int i) { return 10 * i; })),
              ElementsAre(10, 20, 30));
  EXPECT_LE(made, 4);
  const auto never_begun = naturals(made);
  EXPECT_LE(made, 4);
}

TEST(GeneratorTest, CopiesAnLvalueAndLendsAReference) {
  const auto values = []() -> generator<std::string> {
    std::string kept = "kept";
    co_yield kept;
    co_yield kept;
    co_yield std::move(kept);
  };
  EXPECT_THAT(all_of(values()), ElementsAre("kept", "kept", "kept"));
  const auto references = []() -> generator<int&> {
    int own = 1;
    co_yield own;
    co_yield own;
  };
  std::vector<int> seen;
  for (int& each : references()) seen.push_back(each++);
  EXPECT_THAT(seen, ElementsAre(1, 2));
}

TEST(GeneratorTest, YieldsWhatCanOnlyBeMoved) {
  const auto make = []() -> generator<std::unique_ptr<int>> {
    co_yield std::make_unique<int>(1);
    auto second = std::make_unique<int>(2);
    co_yield std::move(second);
  };
  const auto all = all_of(make());
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(*all[0] + *all[1], 3);
}

TEST(GeneratorTest, ThrowsWhatLeavesTheBodyAndIsAtItsEnd) {
  const auto make = []() -> generator<int> {
    co_yield 1;
    throw std::runtime_error("disk full");
  };
  auto failing = make();
  auto at = failing.begin();
  EXPECT_EQ(*at, 1);
  EXPECT_THROW(++at, std::runtime_error);
  EXPECT_TRUE(at == failing.end());
}

generator<int> tree(int depth) {
  if (depth == 0) co_return;
  co_yield elements_of(tree(depth - 1));
  co_yield int{depth};
  co_yield elements_of(tree(depth - 1));
}

TEST(GeneratorTest, YieldsTheElementsOfAnother) { EXPECT_THAT(all_of(tree(3)), ElementsAre(1, 2, 1, 3, 1, 2, 1)); }

TEST(GeneratorTest, AnExceptionOfANestedOneLeavesAtItsCoYield) {
  const auto inner = []() -> generator<int> {
    co_yield 1;
    throw std::runtime_error("disk full");
  };
  const auto outer = [&]() -> generator<int> {
    bool caught = false;
    try {
      co_yield elements_of(inner());
    } catch (const std::runtime_error&) {
      caught = true;
    }
    if (caught) co_yield 2;
  };
  EXPECT_THAT(all_of(outer()), ElementsAre(1, 2));
}

// Notes its number when it dies.
struct noted {
  std::vector<int>& log;
  int number;
  noted(std::vector<int>& in, int as) : log(in), number(as) {}
  noted(const noted&) = delete;
  noted& operator=(const noted&) = delete;
  ~noted() { log.push_back(number); }
};

TEST(GeneratorTest, DestroysItsLocalsWithItLeafFirst) {
  std::vector<int> log;
  const auto inner = [](std::vector<int>& died) -> generator<int> {
    const noted local(died, 2);
    for (;;) co_yield 0;
  };
  const auto outer = [&](std::vector<int>& died) -> generator<int> {
    const noted local(died, 1);
    co_yield elements_of(inner(died));
  };
  {
    auto dropped = outer(log);
    dropped.begin();
    auto moved = std::move(dropped);
    EXPECT_THAT(log, IsEmpty());
  }
  EXPECT_THAT(log, ElementsAre(2, 1));
}

TEST(GeneratorTest, IsBegunOnce) {
  auto once = count_to(3);
  once.begin();
  EXPECT_THROW(once.begin(), misuse);
  const auto nest = [](generator<int> begun) -> generator<int> { co_yield elements_of(std::move(begun)); };
  auto nested = nest(std::move(once));
  EXPECT_THROW(nested.begin(), misuse);
}

TEST(GeneratorTest, ThatWasMovedFromIsNotBegun) {
  auto owner = count_to(3);
  auto other = std::move(owner);
  EXPECT_THROW(owner.begin(), misuse);
  const auto nest = [](generator<int> moved) -> generator<int> { co_yield elements_of(std::move(moved)); };
  auto nested = nest(std::move(owner));
  EXPECT_THROW(nested.begin(), misuse);
  EXPECT_THAT(all_of(std::move(other)), ElementsAre(1, 2, 3));
}

TEST(GeneratorTest, DestroyedOnAnotherThreadIsMisuse) {
  const auto main = []() -> task<void> {
    auto begun = std::make_unique<generator<int>>(count_to(3));
    begun->begin();
    std::thread([&begun] { begun.reset(); }).join();
    co_await yield();
  };
  EXPECT_EQ(judge(main).messages(), "misuse: the generator of count_to() was destroyed on another thread\n");
}

TEST(GeneratorTest, MayOutliveItsRun) {
  std::unique_ptr<generator<int>> kept;
  const auto main = [&]() -> task<void> {
    kept = std::make_unique<generator<int>>(count_to(3));
    kept->begin();
    co_return;
  };
  EXPECT_EQ(judge(main).messages(), "");
  kept.reset();
}

}  // namespace
}  // namespace lockstep
