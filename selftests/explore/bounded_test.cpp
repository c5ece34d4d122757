#include <lockstep/explore/bounded.hpp>

#include "explored.hpp"

#include <lockstep/explore/choices.hpp>
#include <lockstep/lockstep.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace lockstep {
namespace {

using answer_list = std::vector<std::uint64_t>;

// Two tasks that take turns at a lock, and a value that is drawn by whoever is first.
task<void> small_program(std::string& outcome) {
  mutex lock;
  int drawn = -1;
  const auto work = [&](char name) -> task<void> {
    const auto held = co_await lock.lock();
    if (drawn < 0) drawn = random_int("value", 0, 2);
    outcome += name;
    co_await yield();
  };
  auto first = spawn(work('a'));
  auto second = spawn(work('b'));
  co_await first.join();
  co_await second.join();
  outcome += std::to_string(drawn);
}

std::multiset<answer_list> all_runs_of(bounded_search& search, std::vector<std::uint64_t>* levels = nullptr) {
  sim::world world;
  std::multiset<answer_list> all;
  while (search.begin_run()) {
    static_cast<void>(outcome_of_run(world, small_program, search));
    search.end_run();
    all.insert(search.answers());
    if (levels != nullptr) levels->push_back(search.level());
  }
  return all;
}

std::multiset<answer_list> all_runs_depth_first() {
  sim::world world;
  systematic_search search({.reduced_by = reduction::none});
  std::multiset<answer_list> all;
  while (search.begin_run()) {
    static_cast<void>(outcome_of_run(world, small_program, search));
    search.end_run();
    all.insert(search.answers());
  }
  return all;
}

TEST(BoundedSearchTest, MakesEachRunOnce) {
  const std::multiset<answer_list> wanted = all_runs_depth_first();
  EXPECT_GT(wanted.size(), 20u);
  for (const cost_of what : {cost_of::deviations, cost_of::preemptions}) {
    bounded_search search(what);
    EXPECT_EQ(all_runs_of(search), wanted);
    EXPECT_FALSE(search.begin_run());
  }
}

TEST(BoundedSearchTest, BeginsWithThoseThatDepartLeast) {
  for (const cost_of what : {cost_of::deviations, cost_of::preemptions}) {
    bounded_search search(what);
    std::vector<std::uint64_t> levels;
    all_runs_of(search, &levels);
    EXPECT_EQ(levels.front(), 0u);
    EXPECT_TRUE(std::is_sorted(levels.begin(), levels.end()));
    EXPECT_GT(levels.back(), 1u);
  }
}

TEST(BoundedSearchTest, DepartsInTheMiddleFirst) {
  sim::world world;
  bounded_search search(cost_of::deviations, 1);
  const auto draws = [](std::string& outcome) -> task<void> {
    for (int i = 0; i < 5; ++i) outcome += std::to_string(random_int("value", 0, i == 2 ? 2 : 1));
    co_return;
  };
  std::vector<std::string> outcomes;
  while (search.begin_run()) {
    outcomes.push_back(outcome_of_run(world, draws, search));
    search.end_run();
  }
  EXPECT_THAT(outcomes, testing::ElementsAre("00000", "00100", "00200", "01000", "00010", "10000", "00001"));
}

TEST(BoundedSearchTest, LeavesOutAPlainRunThatHasBeenMade) {
  sim::world world;
  logged_choices plain;
  static_cast<void>(outcome_of_run(world, small_program, plain));
  std::multiset<answer_list> wanted = all_runs_depth_first();
  wanted.erase(plain.answers());
  bounded_search search(cost_of::deviations);
  search.begin_behind(plain.log());
  EXPECT_EQ(all_runs_of(search), wanted);
}

TEST(BoundedSearchTest, CountsDeviations) {
  bounded_search search(cost_of::deviations);
  sim::world world;
  while (search.begin_run()) {
    static_cast<void>(outcome_of_run(world, small_program, search));
    search.end_run();
    const answer_list answers = search.answers();
    ASSERT_EQ(search.level(),
              answers.size() - static_cast<std::size_t>(std::count(answers.begin(), answers.end(), 0u)));
  }
}

// Which of the tasks that are ready goes on, where none could have, costs nothing.
TEST(BoundedSearchTest, CountsPreemptionsAlone) {
  bounded_search search(cost_of::preemptions);
  sim::world world;
  while (search.begin_run()) {
    logged_choices logged(&search);
    static_cast<void>(outcome_of_run(world, small_program, logged));
    search.end_run();
    const auto preempts = [](const choice& each) { return each.of_task && each.could_go_on && each.answer != 0; };
    ASSERT_EQ(search.level(),
              static_cast<std::uint64_t>(std::count_if(logged.log().begin(), logged.log().end(), preempts)));
  }
}

TEST(BoundedSearchTest, EndsAtTheBound) {
  bounded_search none(cost_of::deviations, 0);
  EXPECT_EQ(all_runs_of(none).size(), 1u);
  bounded_search one(cost_of::deviations, 1);
  std::size_t with_one = 0;
  for (const answer_list& each : all_runs_depth_first()) {
    if (each.size() - static_cast<std::size_t>(std::count(each.begin(), each.end(), 0u)) <= 1) ++with_one;
  }
  EXPECT_EQ(all_runs_of(one).size(), with_one);
  EXPECT_EQ(one.level(), 1u);
}

TEST(BoundedSearchTest, TriesTheLeastValuesOnly) {
  sim::world world;
  const auto draws = [](std::string& outcome) -> task<void> {
    outcome = std::to_string(random_int("value", 0, 1000));
    co_return;
  };
  for (const std::uint64_t values_max : {1u, 2u, 5u}) {
    bounded_search search(cost_of::deviations, 3, values_max);
    std::multiset<std::string> outcomes;
    while (search.begin_run()) {
      outcomes.insert(outcome_of_run(world, draws, search));
      search.end_run();
    }
    EXPECT_EQ(outcomes.size(), values_max);
    EXPECT_EQ(outcomes.count(std::to_string(values_max - 1)), 1u);
  }
}

}  // namespace
}  // namespace lockstep
