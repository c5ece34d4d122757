#include "judged_run.hpp"

#include <lockstep/testing/testing.hpp>

#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

// Runs `draw` as the main task under the given oracle.
template <class F>
void run_under(oracle& choices, F draw) {
  const auto main = [&]() -> task<void> {
    draw();
    co_return;
  };
  EXPECT_EQ(judge(main, {.choices = &choices}).messages(), "");
}

CO_TEST(RandomTest, ThePlainRunDrawsTheLowest) {
  EXPECT_EQ(random_int("jitter", -5, 5), -5);
  EXPECT_EQ(random_int<std::uint8_t>("byte", 3, 255), 3);
  EXPECT_EQ(random_duration("delay", 5ms, 1s), 5ms);
  co_return;
}

TEST(RandomTest, ReachesTheHighestOfEveryType) {
  contrary highest;
  run_under(highest, [] {
    EXPECT_EQ(random_int("a", -5, 5), 5);
    EXPECT_EQ(random_int<std::uint8_t>("b", 0, 255), 255);
    EXPECT_EQ(random_int<std::int8_t>("c", -128, 127), 127);
    EXPECT_EQ(random_int<std::int8_t>("c", -128, -127), -127);
    EXPECT_EQ(random_int<std::int64_t>("d", std::numeric_limits<std::int64_t>::min(), 0), 0);
    EXPECT_EQ(random_int<std::uint64_t>("e", 1, std::numeric_limits<std::uint64_t>::max()),
              std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(random_duration("f", -1s, 1s), 1s);
  });
}

TEST(RandomTest, TheWholeOf64BitsLacksItsHighestValueOnly) {
  contrary highest;
  run_under(highest, [] {
    constexpr auto all = std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(random_int("all", std::numeric_limits<std::int64_t>::min(), all), all - 1);
  });
}

TEST(RandomTest, HoursBeyondTheNanosecondsAreAllThatThereAre) {
  contrary highest;
  run_under(highest, [] {
    EXPECT_EQ(random_duration("late", 1s, std::chrono::hours::max()), duration::max());
    EXPECT_EQ(random_duration("from", duration(1), std::chrono::hours::max()), duration::max());
  });
  dullest lowest;
  run_under(lowest,
            [] { EXPECT_EQ(random_duration("early", std::chrono::hours::min(), duration(1)), duration::min()); });
}

TEST(RandomTest, OneValueIsNoChoice) {
  dullest asked;
  run_under(asked, [] {
    EXPECT_EQ(random_int("one", 7, 7), 7);
    EXPECT_EQ(random_duration("one", 1s, 1s), 1s);
  });
  EXPECT_EQ(asked.value_picks, 0);
}

std::vector<int> draws_of(std::uint64_t seed, bool also_others) {
  const auto choices = make_oracle(schedule::random, seed);
  std::vector<int> drawn;
  run_under(*choices, [&] {
    for (int i = 0; i < 100; ++i) {
      if (also_others) static_cast<void>(random_int("other", 0, 1'000));
      drawn.push_back(random_int("dice", 1, 6));
    }
  });
  return drawn;
}

TEST(RandomTest, DependsOnTheSeedAndCoversTheRange) {
  const std::vector<int> drawn = draws_of(1, false);
  EXPECT_EQ(drawn, draws_of(1, false));
  EXPECT_NE(drawn, draws_of(2, false));
  EXPECT_EQ(std::set<int>(drawn.begin(), drawn.end()), (std::set<int>{1, 2, 3, 4, 5, 6}));
}

TEST(RandomTest, DrawsUnderOneNameDoNotShiftThoseUnderAnother) { EXPECT_EQ(draws_of(1, false), draws_of(1, true)); }

TEST(RandomTest, IsPartOfTheTrace) {
  const auto hash_with = [](oracle* choices) {
    const auto main = []() -> task<void> {
      static_cast<void>(random_int("dice", 1, 6));
      co_return;
    };
    return judge(main, {.choices = choices}).summary.trace_hash;
  };
  dullest lowest;
  contrary highest;
  EXPECT_EQ(hash_with(nullptr), hash_with(&lowest));
  EXPECT_NE(hash_with(nullptr), hash_with(&highest));
}

TEST(RandomTest, AnEmptyRangeIsMisuse) {
  const auto main = []() -> task<void> {
    EXPECT_THROW(random_int("jitter", 5, 4), misuse);
    EXPECT_THROW(random_duration("delay", 1s, 0s), misuse);
    co_return;
  };
  EXPECT_EQ(judge(main).messages(),
            "misuse: the range of \"jitter\" is empty: its highest value is below its lowest\n"
            "misuse: the range of \"delay\" is empty: its highest value is below its lowest\n");
}

TEST(RandomTest, NeedsALoop) {
  EXPECT_THROW(random_int("jitter", 0, 1), misuse);
  EXPECT_THROW(random_int("jitter", 1, 0), misuse);
}

}  // namespace
}  // namespace lockstep
