#include <lockstep/explore/explorer.hpp>

#include "searched_programs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
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

TEST(ExplorerTest, SaysItOfEverySearchThatDoesNotComeToTheEnd) {
  const auto three = []() -> task<void> {
    int counter = 0;
    mutex log;
    co_await when_all(searched::count(counter, log, 3), searched::count(counter, log, 3));
    co_await when_all(searched::count(counter, log, 3), searched::count(counter, log, 3));
  };
  for (const search_by by :
       {search_by::systematic, search_by::sleep_sets, search_by::every_order, search_by::random, search_by::coverage}) {
    SCOPED_TRACE(name_of(by));
    explore_options how;
    how.by = by;
    how.runs_max = 450;
    const exploration of_runs = search(three, how);
    EXPECT_EQ(of_runs.runs, 450u);
    EXPECT_GT(of_runs.estimated.value_or(0), 450);
    EXPECT_NE(statement_of(of_runs, how).find("450 runs, an estimated "), std::string::npos);
    how.runs_max = 1'000'000;
    int asked = 0;
    how.out_of_time = [&asked] { return ++asked > 100; };
    const exploration of_time = search(three, how);
    EXPECT_LT(of_time.runs, 10'000u);
    EXPECT_GT(of_time.estimated.value_or(0), 450);
  }
}

// To yield is no preemption, so all orders have none.
TEST(ExplorerTest, ClaimsNoBoundUpToWhichItHasNotComeToTheEnd) {
  const auto yielding = []() -> task<void> {
    const int drawn = any_int("drawn", 0, 100'000);
    const auto yields = []() -> task<void> {
      for (int i = 0; i < 2; ++i) co_await yield();
    };
    co_await when_all(yields(), yields(), yields());
    searched::require(drawn != 12'345, "never drawn here");
  };
  explore_options how;
  how.by = search_by::preemptions;
  how.runs_max = 40;
  const exploration found = search(yielding, how);
  EXPECT_FALSE(found.bound);
  EXPECT_EQ(statement_of(found, how), "40 runs, not all of those with 0 preemptions, nothing found");
  how.by = search_by::deviations;
  how.runs_max = 10;
  EXPECT_EQ(search(yielding, how).bound, 0u);
}

TEST(ExplorerTest, MakesNoEstimateOfWhatItComesToTheEndOf) {
  explore_options how;
  how.by = search_by::every_order;
  const exploration found = search(searched::keeps_all_updates, how);
  EXPECT_TRUE(found.exhaustive);
  EXPECT_FALSE(found.estimated);
  EXPECT_EQ(found.runs, found.classes + 1) << "and the plain run";
}

// Nearly all steps of such tasks are independent: in so many orders that they cannot be counted.
task<void> add_after(int yields, shared<int>& sum) {
  for (int i = 0; i < yields; ++i) co_await yield();
  sum += 1;
}

TEST(ExplorerTest, TriesAllOrdersWhereNobodyKnowsHowManyThereAre) {
  world_program code([]() -> task<void> {
    shared<int> sum(0);
    std::vector<task<void>> all;
    for (int i = 0; i < 5; ++i) all.push_back(add_after(8, sum));
    co_await when_all(std::move(all));
  });
  explore_options how;
  how.all_shared_declared = true;
  const exploration found = explorer(code).explore(how);
  EXPECT_TRUE(found.exhaustive);
  EXPECT_EQ(found.classes, 120u);
  how.runs_max = 400;  // of which the search on trial may have a quarter
  const exploration sampled = explorer(code).explore(how);
  EXPECT_FALSE(sampled.exhaustive);
  EXPECT_EQ(sampled.runs, 400u);
  EXPECT_GT(sampled.samples, 100u);
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

task<void> wait_in_a_loop(const bool& flag) {
  while (!flag) co_await yield();
}
task<void> set_under(mutex& lock, bool& flag) {
  { const mutex_guard held = co_await lock.lock(); }
  flag = true;
}
task<void> wait_in_loops() {
  bool flag = false;
  mutex lock;
  co_await when_all(wait_in_a_loop(flag), set_under(lock, flag), wait_in_a_loop(flag));
}
task<void> look_under(mutex& lock, const bool& flag) {
  for (bool seen = false; !seen;) {
    const mutex_guard held = co_await lock.lock();
    seen = flag;
  }
}
task<void> look_under_a_lock() {
  bool flag = false;
  mutex lock;
  co_await when_all(set_under(lock, flag), look_under(lock, flag));
}

TEST(ExplorerTest, LetsNobodyStarveForEver) {
  for (const search_by by : all_searches) {
    for (const auto main : {&wait_in_loops, &look_under_a_lock}) {
      SCOPED_TRACE(name_of(by));
      explore_options how;
      how.by = by;
      how.runs_max = 300;
      const exploration found = search(main, how);
      EXPECT_FALSE(found.failure) << found.failure->result.signature << " by " << found.failure->found_by;
      EXPECT_FALSE(found.departed);
    }
  }
}

TEST(ExplorerTest, SaysThatItLeftStarvingOut) {
  const auto one_loop = []() -> task<void> {
    bool flag = false;
    mutex lock;
    co_await when_all(wait_in_a_loop(flag), set_under(lock, flag));
  };
  const exploration found = search(one_loop);
  EXPECT_TRUE(found.exhaustive);
  EXPECT_NE(statement_of(found, {}).find("yield more than 16 times"), std::string::npos) << statement_of(found, {});
  const exploration whole = search(searched::keeps_all_updates);
  EXPECT_EQ(statement_of(whole, {}).find("left out"), std::string::npos) << statement_of(whole, {});
}

// None of them knows what another's part of the tree stands for, where the limit decides who goes.
TEST(ExplorerTest, PartsThatCannotShareTheWorkDoItAlone) {
  std::set<std::string> made_by_one;
  std::set<std::string> made_by_parts;
  const auto explore_as = [](std::set<std::string>& into, explore_options how) {
    std::string outcome;
    world_program code([&]() -> task<void> {
      outcome.clear();
      const auto write = [&outcome](char letter, int yields) -> task<void> {
        outcome += letter;
        for (int i = 0; i < yields; ++i) {
          co_await yield();
          outcome += letter;
        }
      };
      co_await when_all(write('a', 40), write('b', 1), write('c', 0));
      into.insert(outcome);
    });
    how.runs_max = 100'000;
    how.check_every = 0;
    return explorer(code).explore(how);
  };
  explore_options how;
  how.by = search_by::every_order;
  ASSERT_TRUE(explore_as(made_by_one, how).exhaustive);
  std::vector<exploration> parts;
  how.by = search_by::systematic;
  how.parts = 2;
  for (how.part = 0; how.part < 2; ++how.part) parts.push_back(explore_as(made_by_parts, how));
  const exploration all = joined(parts);
  EXPECT_TRUE(all.exhaustive);
  EXPECT_TRUE(all.starving_left_out);
  EXPECT_EQ(made_by_parts, made_by_one);
  EXPECT_EQ(parts.front().parts, 1u) << "it has made all by itself";
  EXPECT_EQ(statement_of(all, how).find("all orderings checked, in "), 0u) << statement_of(all, how);
}

TEST(ExplorerTest, FindsALoopThatNobodyEnds) {
  const auto forgets = []() -> task<void> {
    bool flag = false;
    mutex lock;
    const auto set_once = [&]() -> task<void> {
      const bool free = lock.try_lock();
      co_await yield();
      if (free) {
        flag = true;
        lock.unlock();
      }
    };
    const auto hold = [&]() -> task<void> {
      const mutex_guard held = co_await lock.lock();
      co_await yield();
    };
    co_await when_all(set_once(), hold(), wait_in_a_loop(flag), wait_in_a_loop(flag));
  };
  sim::world_options limited;
  limited.steps_max = 20'000;
  world_program code(forgets, limited);
  for (const search_by by : {search_by::portfolio, search_by::random}) {
    SCOPED_TRACE(name_of(by));
    explore_options how;
    how.by = by;
    const exploration found = explorer(code).explore(how);
    ASSERT_TRUE(found.failure);
    EXPECT_NE(found.failure->result.signature.find("livelock"), std::string::npos) << found.failure->result.signature;
    if (by == search_by::random) {
      EXPECT_LT(found.failure->answers.size(), 5'000u);
    }
  }
}

TEST(ExplorerTest, LooksAtTheTimeEveryFewRuns) {
  for (const search_by by : all_searches) {
    SCOPED_TRACE(name_of(by));
    bool over = false;
    int runs_behind = 0;
    world_program code([&]() -> task<void> {
      if (over) ++runs_behind;
      co_await wait_in_loops();
    });
    explore_options how;
    how.by = by;
    std::uint64_t asked = 0;
    how.out_of_time = [&] { return over = ++asked > 5; };
    EXPECT_TRUE(explorer(code).explore(how).stopped);
    EXPECT_LE(runs_behind, 1);
    EXPECT_GT(asked, 5u);
  }
}

TEST(ExplorerTest, MakesNoMoreRunsThanItMay) {
  for (const search_by by : all_searches) {
    for (const std::uint64_t runs_max : {1u, 2u, 3u}) {
      SCOPED_TRACE(name_of(by));
      std::uint64_t made = 0;
      for (std::uint32_t part = 0; part < 2; ++part) {
        world_program code([&made]() -> task<void> {
          ++made;
          co_await wait_in_loops();
        });
        explore_options how;
        how.by = by;
        how.runs_max = runs_max;
        how.part = part;
        how.parts = 2;
        if (runs_max != 1) how.check_every = 0;
        explorer(code).explore(how);
      }
      EXPECT_EQ(made, runs_max);
    }
  }
}

template <int Max>
task<void> draw_below_a_limit() {
  static_cast<void>(random_int("value", 0, Max - 1));
  co_return;
}

TEST(ExplorerTest, TriesAllValuesThatFit) {
  for (const search_by by : {search_by::portfolio, search_by::systematic, search_by::sleep_sets, search_by::every_order,
                             search_by::deviations, search_by::preemptions}) {
    for (const ordering order : {ordering::any_order, ordering::fifo}) {
      SCOPED_TRACE(name_of(by));
      explore_options how;
      how.by = by;
      how.order = order;
      const exploration found = search(draw_below_a_limit<100>, how);
      EXPECT_TRUE(found.exhaustive);
      EXPECT_EQ(found.classes, 100u);
      EXPECT_EQ(statement_of(found, how).find("all 100 orderings checked"), 0u) << statement_of(found, how);
    }
  }
}

// That was made before the search, so what it left behind is there in all others.
TEST(ExplorerTest, NoticesThatThePlainRunWasAnother) {
  world_program before(&wait_in_loops);
  logged_choices plain;
  before.run(plain, ordering::any_order);
  for (const search_by by : all_searches) {
    SCOPED_TRACE(name_of(by));
    explore_options how;
    how.by = by;
    how.runs_max = 100;
    how.plain_trace = before.trace_hash();
    EXPECT_FALSE(search(&wait_in_loops, how).departed);
    how.plain_trace = before.trace_hash() + 1;
    const exploration found = search(&wait_in_loops, how);
    EXPECT_TRUE(found.departed);
    EXPECT_EQ(found.runs, 1u);
  }
}

TEST(ExplorerTest, IsNoProofWhereValuesWereLeftOut) {
  explore_options how;
  how.runs_max = 500;
  how.check_every = 0;
  const exploration found = search(draw_below_a_limit<1'000>, how);
  EXPECT_FALSE(found.exhaustive);
  EXPECT_EQ(found.runs, 500u);
  EXPECT_EQ(found.values_tried, 16u);
  EXPECT_EQ(found.values_asked, 1'000u);
  EXPECT_GT(found.samples, 300u);
  const std::string said = statement_of(found, how);
  EXPECT_EQ(said.find("all 16 orderings with the least 16 of 1,000 values checked, and "), 0u) << said;
  how.by = search_by::systematic;
  const exploration tree = search(draw_below_a_limit<1'000>, how);
  EXPECT_FALSE(tree.exhaustive);
  EXPECT_EQ(tree.values_tried, 256u);
  how.by = search_by::deviations;
  EXPECT_EQ(statement_of(search(draw_below_a_limit<1'000>, how), how),
            "500 runs, all with up to 1 deviation and the least 256 of 1,000 values among them, nothing found");
}

// Every run of this one is skipped.
class skipped_program final : public program {
 public:
  explicit skipped_program(task<void> (*main)()) : code_(main) {}
  run_result run(oracle& choices, ordering order) override {
    run_result result = code_.run(choices, order);
    result.skipped = true;
    return result;
  }
  std::uint64_t trace_hash() const override { return code_.trace_hash(); }

 private:
  world_program code_;
};

TEST(ExplorerTest, CountsWhatIsSkippedAmongWhatIsCounted) {
  explore_options how;
  how.runs_max = 500;
  skipped_program code(draw_below_a_limit<1'000>);
  const exploration found = explorer(code).explore(how);
  EXPECT_FALSE(found.exhaustive);
  EXPECT_EQ(found.skipped, found.runs);
  skipped_program small(searched::keeps_all_updates);
  const exploration all = explorer(small).explore(how);
  EXPECT_TRUE(all.exhaustive);
  EXPECT_EQ(all.skipped, all.classes);
}

TEST(ExplorerTest, PartsThatLeftValuesOutProveNothing) {
  explore_options how;
  how.by = search_by::systematic;
  how.parts = 2;
  std::vector<exploration> parts;
  for (how.part = 0; how.part < 2; ++how.part) parts.push_back(search(draw_below_a_limit<100'000>, how));
  const exploration all = joined(parts);
  EXPECT_FALSE(all.exhaustive);
  EXPECT_EQ(all.values_tried, 4'096u);
  EXPECT_EQ(all.classes, 4'096u);
}

TEST(ExplorerTest, ProvesWhatFitsInFifoOrderAsWell) {
  const auto late = []() -> task<void> {
    const auto sleep = []() -> task<void> { co_await sleep_for(std::chrono::seconds(1)); };
    co_await when_all(sleep(), sleep(), sleep());
  };
  explore_options how;
  how.order = ordering::fifo;
  const exploration found = search(late, how);
  EXPECT_TRUE(found.exhaustive);
  EXPECT_EQ(found.classes, 6u);
  EXPECT_EQ(statement_of(found, how),
            "all 6 orderings checked in fifo order; any variable may be shared, and steps take no time");
  how.by = search_by::random;
  how.runs_max = 20;
  EXPECT_EQ(statement_of(search(late, how), how),
            "20 runs in fifo order, by an estimate most of the space, nothing found");
}

TEST(ExplorerTest, WritesNumbersForPeople) {
  EXPECT_EQ(count_text(7), "7");
  EXPECT_EQ(count_text(148'990), "148,990");
  EXPECT_EQ(count_text(1'000'000), "1,000,000");
  EXPECT_EQ(count_text(1.2e15), "1.2e+15");
}

}  // namespace
}  // namespace lockstep
