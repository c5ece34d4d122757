#include <lockstep/explore/explorer.hpp>

#include "searched_programs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {
namespace {

exploration search(task<void> (*main)(), explore_options how = {}) {
  world_program code(main);
  return explorer(code).explore(how);
}

TEST(ExplorerTest, FindsARaceByEverySearch) {
  for (const search_by by : all_searches) {
    SCOPED_TRACE(name_of(by));
    explore_options how;
    how.by = by;
    const exploration found = search(searched::loses_an_update, how);
    ASSERT_TRUE(found.failure);
    EXPECT_NE(found.failure->result.signature.find("an update was lost"), std::string::npos)
        << found.failure->result.signature;
    EXPECT_LE(found.failure->runs, 20u);
    EXPECT_EQ(found.failure->runs, found.runs);
  }
}

std::vector<int> values_drawn(explore_options how) {
  std::vector<int> drawn;
  world_program code([&drawn]() -> task<void> {
    drawn.push_back(random_int("value", 0, 3));
    co_return;
  });
  how.runs_max = 30;
  how.check_every = 0;
  explorer(code).explore(how);
  return drawn;
}

TEST(ExplorerTest, MakesThePlainRunAndRoundRobinThenDeviations) {
  const std::vector<int> drawn = values_drawn({});
  ASSERT_GE(drawn.size(), 5u);
  EXPECT_EQ(std::vector<int>(drawn.begin(), drawn.begin() + 5), (std::vector<int>{0, 0, 1, 2, 3}));
  const std::vector<int> by_deviations = values_drawn({.by = search_by::deviations});
  EXPECT_EQ(by_deviations, (std::vector<int>{0, 1, 2, 3}));
}

TEST(ExplorerTest, DoesNotDepartAgainWhereASearchIsGoneOnWith) {
  std::vector<std::string_view> phases;
  explore_options how;
  how.runs_max = 20;
  how.samples_skipped = 5;
  how.on_progress = [&phases](const exploration_progress& now) { phases.push_back(now.phase); };
  search(searched::keeps_all_updates, how);
  ASSERT_FALSE(phases.empty());
  EXPECT_EQ(std::count(phases.begin(), phases.end(), "deviations"), 0);
}

TEST(ExplorerTest, MakesTheFailingRunAgainFromItsAnswers) {
  world_program code(searched::locks_in_opposite_orders);
  const exploration found = explorer(code).explore({});
  ASSERT_TRUE(found.failure);
  fixed_choices again(found.failure->answers);
  const run_result repeated = code.run(again, ordering::any_order);
  EXPECT_TRUE(repeated.failed);
  EXPECT_EQ(repeated.signature, found.failure->result.signature);
  EXPECT_FALSE(again.misfit());
}

TEST(ExplorerTest, ProvesWhatFitsIntoTheBudget) {
  explore_options how;
  const exploration found = search(searched::keeps_all_updates, how);
  EXPECT_FALSE(found.failure);
  EXPECT_TRUE(found.exhaustive);
  EXPECT_LT(found.runs, how.runs_max);
  EXPECT_EQ(statement_of(found, how).find("all "), 0u) << statement_of(found, how);
  how.by = search_by::every_order;
  const exploration all = search(searched::keeps_all_updates, how);
  EXPECT_TRUE(all.exhaustive);
  EXPECT_EQ(static_cast<double>(all.classes), found.interleavings);
  EXPECT_TRUE(found.interleavings_counted);
}

TEST(ExplorerTest, SaysHowMuchItHasSeenWhereTheSpaceIsTooLarge) {
  const auto wide = []() -> task<void> {
    int counter = 0;
    mutex log;
    co_await when_all(searched::count(counter, log, 4), searched::count(counter, log, 4),
                      searched::count(counter, log, 4), searched::count(counter, log, 4));
  };
  world_program code(wide);
  explore_options how;
  how.runs_max = 500;
  const exploration found = explorer(code).explore(how);
  EXPECT_FALSE(found.exhaustive);
  EXPECT_EQ(found.runs, 500u);
  ASSERT_TRUE(found.estimated);
  EXPECT_GT(*found.estimated, 1e6);
  EXPECT_EQ(statement_of(found, how), "500 runs, an estimated less than 0.1 % of the space, nothing found");
}

TEST(ExplorerTest, ClaimsNoWholeSpaceByAnEstimate) {
  exploration found;
  found.runs = found.distinct = 1'499;
  found.estimated = 1'500;
  EXPECT_EQ(statement_of(found, {}), "1,499 runs, by an estimate most of the space, nothing found");
  found.estimated = 1'000;
  EXPECT_EQ(statement_of(found, {}), "1,499 runs, by an estimate most of the space, nothing found");
  found.estimated = 15'000;
  EXPECT_EQ(statement_of(found, {}), "1,499 runs, an estimated 10 % of the space, nothing found");
}

TEST(ExplorerTest, CountsTheOrdersThatFail) {
  world_program code(searched::loses_an_update);
  const auto share = explorer(code).share_that_fails({}, 1'000);
  ASSERT_TRUE(share);
  EXPECT_EQ(share->failing, 4u);
  EXPECT_EQ(share->all, 6u);
  EXPECT_FALSE(explorer(code).share_that_fails({}, 3));
}

TEST(ExplorerTest, EndsWhenTheTimeIsUp) {
  int asked = 0;
  explore_options how;
  how.by = search_by::random;
  how.runs_max = 100'000;
  how.out_of_time = [&asked] { return ++asked == 3; };
  const exploration found = search(searched::keeps_all_updates, how);
  EXPECT_TRUE(found.stopped);
  EXPECT_LT(found.runs, 1'000u);
}

TEST(ExplorerTest, PartsTryOtherSamplesThanEachOther) {
  std::set<std::uint64_t> traces[2];
  for (std::uint32_t part = 0; part < 2; ++part) {
    class kept final : public program {
     public:
      kept(std::set<std::uint64_t>& into, task<void> (*main)()) : into_(into), code_(main) {}
      run_result run(oracle& choices, ordering order) override {
        const run_result result = code_.run(choices, order);
        into_.insert(code_.trace_hash());
        return result;
      }
      std::uint64_t trace_hash() const override { return code_.trace_hash(); }

     private:
      std::set<std::uint64_t>& into_;
      world_program code_;
    } code(traces[part], []() -> task<void> {
      int counter = 0;
      mutex log;
      co_await when_all(searched::count(counter, log, 5), searched::count(counter, log, 5),
                        searched::count(counter, log, 5));
    });
    explore_options how;
    how.by = search_by::random;
    how.runs_max = 200;
    how.part = part;
    how.parts = 2;
    EXPECT_FALSE(explorer(code).explore(how).failure);
  }
  std::size_t both = 0;
  for (const std::uint64_t each : traces[0]) both += traces[1].count(each);
  EXPECT_LT(both, 20u) << traces[0].size() << " and " << traces[1].size();
  EXPECT_GT(traces[0].size(), 80u);
}

TEST(ExplorerTest, InFifoOrderValuesAndTimersAreTheChoices) {
  const auto late = []() -> task<void> {
    std::vector<int> order;
    const auto note = [&order](int who) -> task<void> {
      co_await sleep_for(std::chrono::seconds(1));
      order.push_back(who);
    };
    co_await when_all(note(1), note(2));
    searched::require(order.front() == 1, "the second came first");
  };
  world_program code(late);
  explore_options how;
  how.order = ordering::fifo;
  const exploration found = explorer(code).explore(how);
  ASSERT_TRUE(found.failure);
  how.by = search_by::every_order;
  EXPECT_TRUE(explorer(code).explore(how).failure);
  world_program racy(searched::loses_an_update);
  const exploration none = explorer(racy).explore(how);
  EXPECT_FALSE(none.exhaustive && none.failure);
}

TEST(ExplorerTest, WritesNumbersForPeople) {
  EXPECT_EQ(count_text(7), "7");
  EXPECT_EQ(count_text(148'990), "148,990");
  EXPECT_EQ(count_text(1'000'000), "1,000,000");
  EXPECT_EQ(count_text(1.2e15), "1.2e+15");
}

}  // namespace
}  // namespace lockstep
