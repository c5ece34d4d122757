#include <lockstep/base/hash.hpp>
#include <lockstep/explore/strategy.hpp>

#include "../runtime/judged_run.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

// Runs `make()` under a strategy; the run must have nothing wrong.
template <class F>
sim::run_summary run_under(schedule strategy, std::uint64_t seed, F make, ordering order = ordering::any_order) {
  const std::unique_ptr<oracle> choices = make_oracle(strategy, seed);
  sim::world_options how;
  how.choices = choices.get();
  how.order = order;
  const judged_run run = judge(make, how);
  EXPECT_EQ(run.messages() + run.failure, "");
  return run.summary;
}

task<void> join_all(std::vector<join_handle<void>>& handles) {
  for (join_handle<void>& each : handles) co_await each.join();
}

// The order in which `tasks` tasks make `steps` steps each, as letters; beside `noise` tasks that are not heard of.
std::string order_of_steps(schedule strategy, std::uint64_t seed, int tasks, int steps, int noise = 0) {
  std::string order;
  const auto work = [&order](char name, int times) -> task<void> {
    for (int i = 0; i < times; ++i) {
      if (name != ' ') order += name;
      co_await yield();
    }
  };
  const auto main = [&]() -> task<void> {
    std::vector<join_handle<void>> handles;
    for (int i = 0; i < tasks; ++i) handles.push_back(spawn(work(static_cast<char>('a' + i), steps)));
    for (int i = 0; i < noise; ++i) handles.push_back(spawn(work(' ', 3 * steps)));
    co_await join_all(handles);
  };
  run_under(strategy, seed, main);
  return order;
}

// The chi-square statistic of counts that should all be equal.
template <class Counts>
double chi_square(const Counts& counts) {
  double sum = 0;
  for (const int count : counts) sum += count;
  const double expected = sum / static_cast<double>(counts.size());
  double statistic = 0;
  for (const int count : counts) statistic += (count - expected) * (count - expected) / expected;
  return statistic;
}

TEST(StrategyTest, HasANameForEach) {
  for (const schedule each : {schedule::plain, schedule::round_robin, schedule::random}) {
    EXPECT_EQ(schedule_named(name_of(each)), each);
  }
  EXPECT_EQ(name_of(schedule::round_robin), "round_robin");
  EXPECT_EQ(schedule_named("Random"), std::nullopt);
  EXPECT_EQ(schedule_named(""), std::nullopt);
}

TEST(StrategyTest, PlainNeedsNoOracleAndIsFirstInFirstOut) {
  EXPECT_EQ(make_oracle(schedule::plain, 7), nullptr);
  EXPECT_EQ(order_of_steps(schedule::plain, 7, 3, 2), "abcabc");
}

// Two tasks take a lock that is free, again and again, and say so.
std::string order_of_free_locks(schedule strategy) {
  std::string order;
  const auto work = [&order](char name) -> task<void> {
    mutex own;
    for (int i = 0; i < 3; ++i) {
      const auto held = co_await own.lock();
      order += name;
    }
  };
  const auto main = [&]() -> task<void> {
    auto a = spawn(work('a'));
    auto b = spawn(work('b'));
    co_await a.join();
    co_await b.join();
  };
  run_under(strategy, 1, main);
  return order;
}

TEST(StrategyTest, RoundRobinSwitchesAtEveryAwaitThatCan) {
  EXPECT_EQ(order_of_free_locks(schedule::plain), "aaabbb");
  EXPECT_EQ(order_of_free_locks(schedule::round_robin), "ababab");
}

TEST(StrategyTest, RoundRobinTakesTheLeastValues) {
  const auto main = []() -> task<void> {
    EXPECT_EQ(random_int("x", 3, 9), 3);
    co_return;
  };
  run_under(schedule::round_robin, 1, main);
}

TEST(StrategyTest, RandomRepeatsItselfAndDiffersBetweenSeeds) {
  std::map<std::string, int> orders;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const std::string order = order_of_steps(schedule::random, seed, 3, 4);
    EXPECT_EQ(order_of_steps(schedule::random, seed, 3, 4), order);
    ++orders[order];
  }
  EXPECT_GT(orders.size(), 90u);
}

TEST(StrategyTest, RandomMakesEveryOrderOfPendingStepsEquallyLikely) {
  std::map<std::string, int> orders;
  for (std::uint64_t seed = 0; seed < 4'800; ++seed) ++orders[order_of_steps(schedule::random, seed, 4, 1)];
  ASSERT_EQ(orders.size(), 24u);
  std::vector<int> counts;
  for (const auto& [order, count] : orders) counts.push_back(count);
  EXPECT_LT(chi_square(counts), 49.7);  // exceeded once in a thousand for 23 degrees of freedom
}

TEST(StrategyTest, RandomDrawsValuesUniformly) {
  std::array<int, 10> across_seeds{};
  std::array<int, 10> within_a_run{};
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto main = [&]() -> task<void> {
      ++across_seeds[random_int("first", 0u, 9u)];
      if (seed == 0) {
        for (int i = 0; i < 5'000; ++i) ++within_a_run[random_int("many", 0u, 9u)];
      }
      co_return;
    };
    run_under(schedule::random, seed, main);
  }
  EXPECT_LT(chi_square(across_seeds), 27.9);  // once in a thousand for 9 degrees of freedom
  EXPECT_LT(chi_square(within_a_run), 27.9);
}

TEST(StrategyTest, RandomDrawsOfOneDomainShiftNoneOfAnother) {
  const auto draws_beside = [](int others) {
    std::vector<int> draws;
    const auto main = [&]() -> task<void> {
      for (int i = 0; i < 20; ++i) {
        for (int j = 0; j < others; ++j) random_int("other", 0, 1);
        draws.push_back(random_int("ours", 0, 1'000'000));
        co_await yield();
      }
    };
    run_under(schedule::random, 5, main);
    return draws;
  };
  EXPECT_EQ(draws_beside(0), draws_beside(3));
}

TEST(StrategyTest, RandomOrdersTheStepsOfTwoTasksAlikeWhoeverElseIsReady) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    EXPECT_EQ(order_of_steps(schedule::random, seed, 3, 5, 4), order_of_steps(schedule::random, seed, 3, 5)) << seed;
  }
}

// The runs that it takes to see two tasks that each add one lose an update, beside `noise` tasks of 40 steps.
std::uint64_t runs_to_lose_an_update(std::uint64_t seed, int noise) {
  for (std::uint64_t run = 0;; ++run) {
    int total = 0;
    const auto add = [&total]() -> task<void> {
      const int before = total;
      co_await yield();
      total = before + 1;
    };
    const auto idle_away = []() -> task<void> {
      for (int i = 0; i < 40; ++i) co_await yield();
    };
    const auto main = [&]() -> task<void> {
      std::vector<join_handle<void>> handles;
      for (int i = 0; i < 2; ++i) handles.push_back(spawn(add()));
      for (int i = 0; i < noise; ++i) handles.push_back(spawn(idle_away()));
      co_await join_all(handles);
    };
    run_under(schedule::random, seed_of_run(seed, run), main);
    if (total != 2) return run + 1;
  }
}

TEST(StrategyTest, RandomLosesAnUpdateWithinAFewRuns) {
  std::uint64_t most = 0;
  std::uint64_t sum = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const std::uint64_t runs = runs_to_lose_an_update(seed, 0);
    EXPECT_EQ(runs_to_lose_an_update(seed, 6), runs) << "tasks that have nothing to do with it hide it";
    most = std::max(most, runs);
    sum += runs;
  }
  EXPECT_LE(most, 20u);
  EXPECT_LE(sum, 400u);
}

TEST(StrategyTest, RandomLetsOneTaskStarveNowAndThen) {
  // A step that is overtaken by sixty others: a pick that is uniform at each step would never show it.
  int starved = 0;
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    bool others_done = false;
    const auto run_on = [&]() -> task<void> {
      for (int i = 0; i < 60; ++i) co_await yield();
      others_done = true;
    };
    const auto look = [&]() -> task<void> {
      starved += others_done ? 1 : 0;
      co_return;
    };
    const auto main = [&]() -> task<void> {
      auto a = spawn(look());
      auto b = spawn(run_on());
      co_await a.join();
      co_await b.join();
    };
    run_under(schedule::random, seed, main);
  }
  EXPECT_GE(starved, 5);
  EXPECT_LE(starved, 50);
}

TEST(StrategyTest, InFifoOrderRandomPicksAmongTimersOfOneInstantOnly) {
  std::map<std::string, int> orders;
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    std::string of_yields;
    std::string of_timers;
    const auto work = [&](char name) -> task<void> {
      of_yields += name;
      co_await yield();
      of_yields += name;
      co_await sleep_for(1s);
      of_timers += name;
      co_await sleep_for(1s);
      of_timers += name;
    };
    const auto main = [&]() -> task<void> {
      std::vector<join_handle<void>> handles;
      for (const char name : {'a', 'b', 'c'}) handles.push_back(spawn(work(name)));
      co_await join_all(handles);
    };
    run_under(schedule::random, seed, main, ordering::fifo);
    EXPECT_EQ(of_yields, "abcabc");
    ++orders[of_timers];
  }
  // The second instant's order is drawn anew: 6 orders by 6.
  std::vector<int> counts;
  for (const auto& [order, count] : orders) counts.push_back(count);
  ASSERT_EQ(counts.size(), 36u);
  EXPECT_LT(chi_square(counts), 66.6);  // once in a thousand for 35 degrees of freedom
}

TEST(StrategyTest, InFifoOrderAnAnswerOutOfRangeIsMisuse) {
  class beyond final : public oracle {
    std::size_t pick_task(const candidates&) override { return 0; }
    std::uint64_t pick_value(choice_point, std::uint64_t options) override { return options; }
  } wrong;
  sim::world_options how;
  how.choices = &wrong;
  how.order = ordering::fifo;
  const auto sleeper = []() -> task<void> { co_await sleep_for(1s); };
  const auto main = [&]() -> task<void> {
    auto a = spawn(sleeper());
    co_await sleep_for(1s);
    co_await a.join();
  };
  EXPECT_EQ(judge(main, how).messages(), "misuse: the oracle picked timer 2 of 2\n");
}

TEST(StrategyTest, SeedsOfRunsBeginWithTheGivenOneAndDiffer) {
  EXPECT_EQ(seed_of_run(17, 0), 17u);
  std::vector<std::uint64_t> seeds;
  for (std::uint64_t run = 0; run < 1'000; ++run) seeds.push_back(seed_of_run(17, run));
  std::sort(seeds.begin(), seeds.end());
  EXPECT_EQ(std::adjacent_find(seeds.begin(), seeds.end()), seeds.end());
  EXPECT_LT(seeds.back(), std::uint64_t{1} << 32);
}

}  // namespace
}  // namespace lockstep
