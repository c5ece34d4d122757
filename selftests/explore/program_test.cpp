#include <lockstep/explore/program.hpp>

#include <lockstep/explore/bounded.hpp>
#include <lockstep/runtime/spawn.hpp>
#include <lockstep/sim/world.hpp>
#include <lockstep/sync/mutex.hpp>

#include <gtest/gtest.h>

namespace lockstep {
namespace {

// What a search is given: here, one that fails if the second task is first.
class race_for_a_turn final : public program {
 public:
  run_result run(oracle& choices, ordering order) override {
    int first = 0;
    const auto come = [&first](int who) -> task<void> {
      if (first == 0) first = who;
      co_return;
    };
    const auto main = [&]() -> task<void> {
      auto one = spawn(come(1));
      auto two = spawn(come(2));
      co_await one.join();
      co_await two.join();
    };
    sim::world_options how;
    how.choices = &choices;
    how.order = order;
    world_.run(main, how);
    if (first == 1) return {};
    return {.failed = true, .signature = "two was first"};
  }

  std::uint64_t trace_hash() const override { return world_.summary().trace_hash; }

 private:
  sim::world world_;
};

TEST(ProgramTest, IsRunAgainAndAgain) {
  race_for_a_turn tried;
  bounded_search search(cost_of::deviations);
  int failed = 0;
  while (search.begin_run()) {
    const run_result result = tried.run(search, ordering::any_order);
    search.end_run();
    EXPECT_EQ(result.signature, result.failed ? "two was first" : "");
    failed += result.failed ? 1 : 0;
  }
  EXPECT_GT(failed, 0);
}

TEST(ProgramTest, HasNotFailedUnlessItSaysSo) { EXPECT_FALSE(run_result().failed); }

}  // namespace
}  // namespace lockstep
