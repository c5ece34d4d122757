#include <lockstep/explore/observed.hpp>

#include "searched_programs.hpp"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

TEST(ObservedTest, KnowsWhoMadeEachStep) {
  world_program code(searched::loses_an_update);
  observed_choices observed;
  for (int run = 0; run < 2; ++run) {
    observed.begin(nullptr);
    EXPECT_FALSE(code.run(observed, ordering::any_order).failed);
    observed.end_run();
    const auto& steps = observed.steps();
    ASSERT_EQ(steps.size(), 6u);
    EXPECT_EQ(steps.front().task, main_identity);
    EXPECT_EQ(steps[1].task, task_identity(main_identity, 1));
    EXPECT_EQ(steps[1].nth, 1u);
    EXPECT_EQ(steps.back().task, main_identity);
    EXPECT_EQ(observed.causes().size(), steps.size());
    for (std::size_t i = 1; i < steps.size(); ++i) EXPECT_TRUE(observed.causes().happens_before(0, i)) << i;
  }
}

TEST(ObservedTest, WeighsARunByTheValuesThatItCouldHaveHad) {
  world_program code(searched::loses_an_update);
  observed_choices observed;
  observed.begin(nullptr);
  code.run(observed, ordering::any_order);
  observed.end_run();
  EXPECT_EQ(observed.weight_of_values(), 1);
  world_program drawing(searched::needs_a_value_and_an_order);
  observed.begin(nullptr);
  drawing.run(observed, ordering::any_order);
  observed.end_run();
  EXPECT_EQ(observed.weight_of_values(16), 16);
  EXPECT_EQ(observed.weight_of_values(1'000), 1'000);
}

TEST(ObservedTest, AnAttemptThatFailsHasTheRecordOfWhatFollows) {
  world_program code(searched::keeps_all_updates);
  class second_waits final : public oracle {
   public:
    std::size_t pick_task(const candidates& from) override { return from.first_is_running() ? 1 : 0; }
    std::uint64_t pick_value(choice_point, std::uint64_t) override { return 0; }
  } turns;
  observed_choices observed;
  observed.begin(&turns);
  code.run(observed, ordering::any_order);
  observed.end_run();
  std::uint32_t steps_of_second = 0;
  std::uint32_t last_record = 0;
  for (const auto& each : observed.steps()) {
    if (each.task != task_identity(main_identity, 2)) continue;
    ++steps_of_second;
    last_record = each.record;
  }
  EXPECT_EQ(last_record + 1, steps_of_second);
}

}  // namespace
}  // namespace lockstep
