#include <lockstep/explore/explain.hpp>

#include "searched_programs.hpp"

#include <lockstep/explore/explorer.hpp>
#include <lockstep/explore/replay.hpp>
#include <lockstep/explore/shrink.hpp>

#include <gtest/gtest.h>

#include <utility>
#include <vector>

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

task<void> doubles(shared<int>& value) {
  co_await yield();
  value *= 2;
}
task<void> adds_three(shared<int>& value) {
  co_await yield();
  value += 3;
}

// A task that waits for others is after all of them, in whatever order it is put before them.
TEST(ExplainTest, NamesOnlyAPairThatItHasSeenSwapped) {
  world_program code([]() -> task<void> {
    shared<int> value{1, "value"};
    co_await when_all(doubles(value), adds_three(value));
    searched::require(value == 5, "added before it was doubled");
  });
  const auto pair = explain(code, shrunk(code));
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->first.task, task_at("2"));
  EXPECT_EQ(pair->first.nth, 2u);
  EXPECT_EQ(pair->second.task, task_at("1"));
  EXPECT_EQ(pair->second.nth, 2u);
}

TEST(ExplainTest, NamesAStepThatTheFailingRunDidNotComeTo) {
  world_program code([]() -> task<void> {
    bool ready = false;
    const auto prepare = [](bool& done) -> task<void> {
      co_await yield();
      done = true;
    };
    auto preparing = spawn(prepare(ready));
    co_await yield();
    co_await yield();
    searched::require(ready, "not ready");
    co_await preparing.join();
  });
  const token failing = shrunk(code);
  const auto pair = explain(code, failing);
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->first.task, task_at("main"));
  EXPECT_EQ(pair->second.task, task_at("1"));
  EXPECT_EQ(pair->second.nth, 2u) << "which makes it ready";
  guided_oracle passing(pair->passing);
  EXPECT_FALSE(code.run(passing, ordering::any_order).failed);
}

// With these values the plain run fails as well.
TEST(ExplainTest, NamesAPairWhereTheValuesMakeThePlainRunFail) {
  world_program code([]() -> task<void> {
    int balance = 10;
    const auto spend = [](int& from) -> task<void> {
      const int amount = random_int("amount", 0, 9);
      if (from < amount) co_return;
      co_await yield();
      from -= amount;
    };
    co_await when_all(spend(balance), spend(balance));
    searched::require(balance >= 0, "overdrawn");
  });
  token failing;
  failing.value_overrides = {{"amount", 1, 9}, {"amount", 2, 9}};
  const auto pair = explain(code, failing);
  ASSERT_TRUE(pair);
  EXPECT_NE(pair->first.task, pair->second.task);
  EXPECT_EQ(pair->first.nth, 1u) << "looks";
  EXPECT_EQ(pair->second.nth, 2u) << "takes";
}

// Each takes the fork to its left, then that to its right.
TEST(ExplainTest, NamesAPairOfADeadlockOfThree) {
  world_program code([]() -> task<void> {
    mutex forks[3];
    co_await when_all(searched::takes(forks[0], forks[1]), searched::takes(forks[1], forks[2]),
                      searched::takes(forks[2], forks[0]));
  });
  EXPECT_TRUE(explain(code, shrunk(code)));
}

TEST(ExplainTest, NamesStepsThatAreFarApart) {
  world_program code([]() -> task<void> {
    int counter = 0;
    mutex log;
    const auto wander = []() -> task<void> {
      for (int i = 0; i < 3; ++i) co_await yield();
    };
    std::vector<task<void>> all;
    all.push_back(searched::count(counter, log, 1));
    for (int i = 0; i < 40; ++i) all.push_back(wander());
    all.push_back(searched::count(counter, log, 1));
    co_await when_all(std::move(all));
    searched::require(counter == 2, "an update was lost");
  });
  const auto pair = explain(code, shrunk(code));
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->first.task, task_at("42"));
  EXPECT_EQ(pair->second.task, task_at("1"));
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
  EXPECT_FALSE(explain(code, shrunk(code), 0));
}

}  // namespace
}  // namespace lockstep
