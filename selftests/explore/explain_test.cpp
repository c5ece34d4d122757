#include <lockstep/explore/explain.hpp>

#include "searched_programs.hpp"

#include <lockstep/explore/explorer.hpp>
#include <lockstep/explore/replay.hpp>
#include <lockstep/explore/shrink.hpp>

#include <gtest/gtest.h>

namespace lockstep {
namespace {

token shrunk(program& code) {
  const exploration found = explorer(code).explore({});
  EXPECT_TRUE(found.failure);
  const token failing = token_of_answers(code, 0, ordering::any_order, found.failure->answers);
  return shrink(code, failing, found.failure->result.signature).replay;
}

TEST(ExplainTest, NamesTheStepsWhoseOrderDecides) {
  world_program code(searched::loses_an_update);
  const token failing = shrunk(code);
  const auto pair = explain(code, failing);
  ASSERT_TRUE(pair);
  // One reads, the other has read and is to write.
  EXPECT_EQ(pair->first.task, task_at("2"));
  EXPECT_EQ(pair->first.nth, 1u);
  EXPECT_EQ(pair->second.task, task_at("1"));
  EXPECT_EQ(pair->second.nth, 2u);
}

TEST(ExplainTest, NamesTheStepThatDeviates) {
  world_program code(searched::locks_in_opposite_orders);
  const token failing = shrunk(code);
  ASSERT_EQ(failing.task_overrides.size(), 1u);
  const std::vector<named_step> deviations = deviations_of(code, failing);
  ASSERT_EQ(deviations.size(), 1u);
  EXPECT_EQ(deviations.front().task, task_at(failing.task_overrides.front().instead));
}

TEST(ExplainTest, FindsNoPairWhereEveryOrderFails) {
  world_program code([]() -> task<void> {
    int counter = 0;
    mutex log;
    co_await when_all(searched::count(counter, log, 1), searched::count(counter, log, 1));
    searched::require(false, "always");
  });
  EXPECT_FALSE(explain(code, token()));
  token in_order;
  in_order.order = ordering::fifo;
  EXPECT_FALSE(explain(code, in_order));
}

TEST(ExplainTest, TriesNoMoreThanItMay) {
  world_program code(searched::loses_an_update);
  EXPECT_FALSE(explain(code, shrunk(code), false, 0));
}

}  // namespace
}  // namespace lockstep
