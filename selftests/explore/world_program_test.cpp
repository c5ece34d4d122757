#include <lockstep/explore/world_program.hpp>

#include "searched_programs.hpp"

#include <lockstep/explore/systematic.hpp>

#include <gtest/gtest.h>

#include <string>

namespace lockstep {
namespace {

class dullest final : public oracle {
 public:
  std::size_t pick_task(const candidates&) override { return 0; }
  std::uint64_t pick_value(choice_point, std::uint64_t) override { return 0; }
};

TEST(WorldProgramTest, FailsByAnExceptionOrAVerdict) {
  dullest plain;
  world_program fine(searched::keeps_all_updates);
  EXPECT_FALSE(fine.run(plain, ordering::any_order).failed);
  world_program thrown([]() -> task<void> {
    searched::require(false, "thrown");
    co_return;
  });
  EXPECT_TRUE(thrown.run(plain, ordering::any_order).failed);
  world_program stuck([]() -> task<void> {
    event never;
    co_await never.wait();
  });
  const run_result result = stuck.run(plain, ordering::any_order);
  EXPECT_TRUE(result.failed);
  EXPECT_EQ(result.signature.find("deadlock"), 0u) << result.signature;
  EXPECT_FALSE(stuck.world().verdicts().empty());
}

TEST(WorldProgramTest, ARunThatWasGivenUpHasNotFailed) {
  world_program code(searched::locks_in_opposite_orders);
  systematic_search all({reduction::sleep_sets, true});
  std::uint64_t given_up = 0;
  while (all.begin_run()) {
    const run_result result = code.run(all, ordering::any_order);
    all.end_run();
    if (!all.gave_up()) continue;
    EXPECT_FALSE(result.failed) << result.signature;
    ++given_up;
  }
  EXPECT_GT(given_up, 0u);
}

TEST(WorldProgramTest, HasTheHashOfTheLastRun) {
  dullest plain;
  world_program code(searched::loses_an_update);
  code.run(plain, ordering::any_order);
  const std::uint64_t first = code.trace_hash();
  code.run(plain, ordering::any_order);
  EXPECT_EQ(code.trace_hash(), first);
}

}  // namespace
}  // namespace lockstep
