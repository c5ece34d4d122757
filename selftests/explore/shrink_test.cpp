#include <lockstep/explore/shrink.hpp>

#include "searched_programs.hpp"

#include <lockstep/explore/explorer.hpp>
#include <lockstep/explore/replay.hpp>

#include <gtest/gtest.h>

#include <string>
#include <utility>

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
