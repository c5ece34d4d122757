#include <lockstep/explore/shrink.hpp>

#include "searched_programs.hpp"

#include <lockstep/explore/explorer.hpp>
#include <lockstep/explore/replay.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

struct failing {
  token found;
  std::string signature;
};

// By random orders, which have many deviations.
failing find(program& code, std::uint64_t seed) {
  explore_options how;
  how.by = search_by::random;
  how.seed = seed;
  how.weights = {0, 0, 100, 0, 0};
  const exploration found = explorer(code).explore(how);
  EXPECT_TRUE(found.failure);
  return {token_of_answers(code, 7, how.order, found.failure->answers), found.failure->result.signature};
}

TEST(ShrinkTest, LeavesTheFewestDeviations) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    world_program code(searched::locks_in_opposite_orders);
    const failing from = find(code, seed);
    const shrunk_run shrunk = shrink(code, from.found, from.signature);
    EXPECT_EQ(shrunk.replay.task_overrides.size(), 1u) << to_text(shrunk.replay);
    EXPECT_TRUE(shrunk.finished);
    EXPECT_LT(shrunk.runs, 100u);
    guided_oracle again(shrunk.replay);
    EXPECT_EQ(code.run(again, ordering::any_order).signature, from.signature);
  }
}

// Whoever comes last must not come before three others have come twice: at least three steps out of their turn. By
// random orders all are out of theirs, and many who are held back for long are held back by chance.
TEST(ShrinkTest, BringsBackThoseWhoseOrderDoesNotMatter) {
  world_program code([]() -> task<void> {
    int done = 0;
    const auto comes_twice = [&done]() -> task<void> {
      co_await yield();
      ++done;
    };
    const auto comes_last = [&done]() -> task<void> {
      searched::require(done < 3, "late");
      co_return;
    };
    co_await when_all(comes_twice(), comes_twice(), comes_twice(), comes_twice(), comes_twice(), comes_last());
  });
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const failing from = find(code, seed);
    const shrunk_run shrunk = shrink(code, from.found, from.signature);
    EXPECT_LE(shrunk.replay.task_overrides.size(), 4u) << to_text(shrunk.replay);
  }
}

// A task that waits in a loop makes more steps where others are late for no reason. Without those, the step that
// matters has another number.
TEST(ShrinkTest, KnowsTheStepsOfATaskThatLooksAgainAndAgain) {
  world_program code([]() -> task<void> {
    bool ready = false;
    int seen = 0;
    const auto waits = [&]() -> task<void> {
      do co_await yield();
      while (!ready);
      searched::require(seen != 2, "after both");
    };
    const auto works = [&]() -> task<void> {
      co_await yield();
      co_await yield();
      ready = true;
      for (int i = 0; i < 2; ++i) {
        co_await yield();
        ++seen;
      }
    };
    co_await when_all(waits(), works());
  });
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const failing from = find(code, seed);
    const shrunk_run shrunk = shrink(code, from.found, from.signature);
    EXPECT_EQ(shrunk.replay.task_overrides.size(), 2u) << to_text(shrunk.replay);
  }
}

TEST(ShrinkTest, LowersValuesToTheLeastThatFails) {
  world_program code(searched::needs_a_value_and_an_order);
  const failing from = find(code, 3);
  const shrunk_run shrunk = shrink(code, from.found, from.signature);
  EXPECT_EQ(shrunk.replay.task_overrides.size(), 1u);
  ASSERT_EQ(shrunk.replay.value_overrides.size(), 1u);
  EXPECT_EQ(shrunk.replay.value_overrides.front(), (value_override{"value", 1, 500}));
}

TEST(ShrinkTest, NeverBecomesAnotherFailure) {
  // Fails in one way with one deviation, and in another with two.
  const auto two_ways = []() -> task<void> {
    std::vector<int> order;
    const auto come = [&order](int who) -> task<void> {
      order.push_back(who);
      co_return;
    };
    co_await when_all(come(1), come(2), come(3));
    searched::require(order != std::vector<int>({2, 1, 3}), "one deviation");
    searched::require(order != std::vector<int>({3, 2, 1}), "two deviations");
  };
  world_program code(two_ways);
  token both;
  both.task_overrides = {{"1", 1, "3"}, {"1", 1, "2"}};
  guided_oracle guided(both);
  const run_result failed = code.run(guided, ordering::any_order);
  ASSERT_NE(failed.signature.find("two deviations"), std::string::npos) << failed.signature;
  const shrunk_run shrunk = shrink(code, both, failed.signature);
  EXPECT_EQ(shrunk.replay.task_overrides.size(), 2u);
  guided_oracle again(shrunk.replay);
  EXPECT_EQ(code.run(again, ordering::any_order).signature, failed.signature);
}

struct drawn {
  int a = 0;
  int b = 0;
  int c = 0;
};
task<void> draw_three(bool (*fails)(drawn)) {
  drawn all;
  all.a = random_int("value", 0, 999);
  all.b = random_int("value", 0, 999);
  all.c = random_int("value", 0, 999);
  searched::require(!fails(all), "these values");
  co_return;
}
// The values that are left, from these.
std::vector<std::uint64_t> least_values(bool (*fails)(drawn), std::vector<std::uint64_t> from) {
  world_program code([fails] { return draw_three(fails); });
  token failing;
  for (std::size_t i = 0; i < from.size(); ++i) failing.value_overrides.push_back({"value", i + 1, from[i]});
  guided_oracle guided(failing);
  const run_result failed = code.run(guided, ordering::any_order);
  EXPECT_TRUE(failed.failed);
  const shrunk_run shrunk = shrink(code, failing, failed.signature);
  EXPECT_LT(shrunk.runs, 150u);
  std::vector<std::uint64_t> left(3, 0);
  for (const value_override& each : shrunk.replay.value_overrides) left[each.nth - 1] = each.value;
  return left;
}
using values = std::vector<std::uint64_t>;

TEST(ShrinkTest, LowersAValueAgainWhenAnotherHasBeenLowered) {
  EXPECT_EQ(least_values([](drawn all) { return all.a > all.b && all.b > all.c; }, {900, 700, 500}), values({2, 1, 0}));
}

TEST(ShrinkTest, LowersTwoValuesTogether) {
  EXPECT_EQ(least_values([](drawn all) { return all.a == all.c && all.a >= 9; }, {637, 12, 637}), values({9, 0, 9}));
  EXPECT_EQ(least_values([](drawn all) { return all.b == all.a + 5 && all.a > 40; }, {600, 605, 1}),
            values({41, 46, 0}));
}

TEST(ShrinkTest, ExchangesTwoValuesSoThatTheLesserIsFirst) {
  const auto fails = [](drawn all) { return all.a + all.b == 10 && all.a * all.b == 21; };
  EXPECT_EQ(least_values(fails, {7, 3, 5}), values({3, 7, 0}));
}

TEST(ShrinkTest, TakesElementsOutOfTheMiddleOfASequence) {
  const auto sum_is_large = []() -> task<void> {
    int sum = 0;
    for (const std::byte each : any_bytes("bytes", 64)) sum += static_cast<int>(each);
    searched::require(sum < 1'000, "a large sum");
    co_return;
  };
  world_program code(sum_is_large);
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    explore_options how;
    how.seed = seed;
    const exploration found = explorer(code).explore(how);
    ASSERT_TRUE(found.failure);
    const token failing = token_of_answers(code, 7, how.order, found.failure->answers);
    const shrunk_run shrunk = shrink(code, failing, found.failure->result.signature);
    const std::vector<value_override>& left = shrunk.replay.value_overrides;
    ASSERT_FALSE(left.empty());
    EXPECT_EQ(left.front().value, left.size() - 1) << "there are dull ones among them: " << to_text(shrunk.replay);
    EXPECT_LE(left.front().value, 6u) << "4 are enough: " << to_text(shrunk.replay);
  }
}

// Their size is drawn in another domain than they. The last one cannot move up unless there are fewer.
TEST(ShrinkTest, TakesElementsOutOfAVector) {
  const auto ends_as_before = []() -> task<void> {
    const std::vector<int> all = any_vector("size", 30, [] { return any_int("element", 0, 99); });
    const bool ends_with_7 = !all.empty() && all.back() == 7;
    searched::require(!ends_with_7 || std::count(all.begin(), all.end(), 7) < 2, "two of a kind");
    co_return;
  };
  world_program code(ends_as_before);
  token failing;
  failing.value_overrides = {{"size", 1, 24}, {"element", 9, 7}, {"element", 11, 5}, {"element", 24, 7}};
  guided_oracle guided(failing);
  const run_result failed = code.run(guided, ordering::any_order);
  ASSERT_TRUE(failed.failed);
  const shrunk_run shrunk = shrink(code, failing, failed.signature);
  EXPECT_EQ(to_text(shrunk.replay), "ls1:0000:plain:size#1=2,element#1=7,element#2=7:;");
}

TEST(ShrinkTest, MakesNoRunTwice) {
  // Fails only if the second task is passed over for as long as the first one goes on.
  const auto starves = []() -> task<void> {
    int made = 0;
    const auto early = [&made]() -> task<void> {
      co_await yield();
      searched::require(made < 300, "passed over");
    };
    const auto go_on = [&made]() -> task<void> {
      for (; made < 300; ++made) co_await yield();
    };
    co_await when_all(early(), go_on());
  };
  world_program code(starves);
  explore_options how;
  how.by = search_by::random;
  how.weights = {0, 0, 0, 100, 0};
  const exploration found = explorer(code).explore(how);
  ASSERT_TRUE(found.failure);
  const std::string signature = found.failure->result.signature;
  shrink_options limited;
  limited.runs_max = 60;
  const shrunk_run shrunk =
      shrink(code, token_of_answers(code, 7, how.order, found.failure->answers), signature, limited);
  EXPECT_EQ(shrunk.replay.task_overrides.size(), 300u);
  EXPECT_EQ(to_text(shrunk.replay), "ls1:0007:plain:1@1>2*300:;");
}

TEST(ShrinkTest, EndsWhenTheTimeIsUp) {
  world_program code(searched::locks_in_opposite_orders);
  const failing from = find(code, 5);
  shrink_options how;
  int asked = 0;
  how.out_of_time = [&asked] { return ++asked > 3; };
  const shrunk_run shrunk = shrink(code, from.found, from.signature, how);
  EXPECT_FALSE(shrunk.finished);
  EXPECT_LE(shrunk.runs, 3u);
}

TEST(ShrinkTest, StopsAtItsLimit) {
  world_program code(searched::locks_in_opposite_orders);
  const failing from = find(code, 5);
  shrink_options how;
  how.runs_max = 2;
  std::uint64_t told = 0;
  how.on_progress = [&told](std::uint64_t runs, std::size_t) { told = runs; };
  const shrunk_run shrunk = shrink(code, from.found, from.signature, how);
  EXPECT_FALSE(shrunk.finished);
  EXPECT_EQ(shrunk.runs, 2u);
  EXPECT_EQ(told, 2u);
}

}  // namespace
}  // namespace lockstep
