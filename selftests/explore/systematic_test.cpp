#include <lockstep/explore/systematic.hpp>

#include "explored.hpp"

#include <lockstep/explore/choices.hpp>
#include <lockstep/lockstep.hpp>
#include <lockstep/sync/shared.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

constexpr systematic_options plain{.reduced_by = reduction::none};
constexpr systematic_options declared{.all_shared_declared = true};
constexpr systematic_options conservative{};

task<void> join_all(std::vector<join_handle<void>>& handles) {
  for (join_handle<void>& each : handles) co_await each.join();
}

// So many tasks, which all do the same to one variable, whose value is the outcome.
searched_program each_of(std::size_t tasks, std::function<task<void>(shared<int>&, std::size_t)> work) {
  return [=](std::string& outcome) -> task<void> {
    shared<int> value{0};
    std::vector<join_handle<void>> handles;
    for (std::size_t i = 0; i < tasks; ++i) handles.push_back(spawn(work(value, i)));
    co_await join_all(handles);
    outcome = std::to_string(value.get());
  };
}

task<void> lose_update(shared<int>& value, std::size_t) {
  const int seen = value;
  co_await yield();
  value = seen + 1;
}
task<void> increment(shared<int>& value, std::size_t) {
  value++;
  co_return;
}

// -- what a run is like -----------------------------------------------------------------------------------------------

// Whether the beginning is observed or not, it is the run of its answers.
TEST(SystematicSearchTest, WhatARunRepeatsIsNotObserved) {
  const auto draw_and_wait = []() -> task<void> {
    shared<int> value{0};
    const auto work = [&](int who) -> task<void> {
      value += random_int("value", 0, 1);
      if (who == 2) co_await sleep_for(1ms);
      co_await yield();
      value++;
    };
    std::vector<join_handle<void>> handles;
    for (int who = 0; who < 3; ++who) handles.push_back(spawn(work(who)));
    co_await join_all(handles);
  };
  sim::world world;
  const auto trace_of_run = [&](oracle& choices) {
    sim::world_options how;
    how.choices = &choices;
    world.start(how);
    EXPECT_TRUE(world.drive(draw_and_wait()));
    return world.finish().trace_hash;
  };
  systematic_search search(declared);
  std::uint64_t not_observed = 0;
  while (search.begin_run()) {
    if (search.observer() == nullptr) ++not_observed;
    const std::uint64_t trace = trace_of_run(search);
    if (!search.gave_up()) {
      fixed_choices same(search.answers());
      ASSERT_EQ(trace_of_run(same), trace);
    }
    search.end_run();
  }
  EXPECT_FALSE(search.departed());
  EXPECT_GT(search.runs(), 100u);
  EXPECT_GT(not_observed, search.runs() * 9 / 10);
}

// -- how many runs differ ---------------------------------------------------------------------------------------------

TEST(SystematicSearchTest, MakesEachLostUpdateOnce) {
  sim::world world;
  EXPECT_EQ(explore_all(world, each_of(2, lose_update), declared).runs, 4u);
  EXPECT_EQ(explore_all(world, each_of(3, lose_update), declared).runs, 36u);
  const explored four = explore_all(world, each_of(4, lose_update), declared);
  EXPECT_EQ(four.runs, 576u);
  EXPECT_EQ(four.outcomes, (std::set<std::string>{"1", "2", "3", "4"}));
  EXPECT_TRUE(four.complete);
}

TEST(SystematicSearchTest, MakesEachOrderOfWhatDependsOnce) {
  sim::world world;
  EXPECT_EQ(explore_all(world, each_of(3, increment), declared).runs, 6u);
  EXPECT_EQ(explore_all(world, each_of(4, increment), declared).runs, 24u);
  const auto locked = [](std::string& outcome) -> task<void> {
    mutex lock;
    const auto hold = [&lock]() -> task<void> {
      const auto held = co_await lock.lock();
      co_await yield();
    };
    std::vector<join_handle<void>> handles;
    for (int i = 0; i < 3; ++i) handles.push_back(spawn(hold()));
    co_await join_all(handles);
    outcome = "done";
  };
  EXPECT_EQ(explore_all(world, locked, {.reduced_by = reduction::none}).outcomes.size(), 1u);
  // Who waits for the lock queues before the holder lets go of it, or after: that is told apart.
  EXPECT_EQ(explore_all(world, locked, declared).runs,
            explore_all(world, locked, {.reduced_by = reduction::sleep_sets, .all_shared_declared = true}).runs);
}

TEST(SystematicSearchTest, TellsReadersApartOnlyByTheWriter) {
  sim::world world;
  const auto read_or_write = [](shared<int>& value, std::size_t i) -> task<void> {
    if (i == 0) {
      value = 1;
    } else {
      static_cast<void>(value.get());
    }
    co_return;
  };
  EXPECT_EQ(explore_all(world, each_of(4, read_or_write), declared).runs, 8u);
}

TEST(SystematicSearchTest, MakesOneRunOfTasksThatShareNothing) {
  sim::world world;
  for (std::size_t tasks = 1; tasks <= 6; ++tasks) {
    const auto idle = [](shared<int>&, std::size_t) -> task<void> {
      co_await yield();
      co_await yield();
    };
    EXPECT_EQ(explore_all(world, each_of(tasks, idle), declared).runs, 1u) << tasks;
  }
}

// Main's joins are steps as well, so these are more than the orders of the tasks' own steps.
TEST(SystematicSearchTest, MakesEveryOrderOfStepsWithoutReduction) {
  sim::world world;
  const explored two = explore_all(world, each_of(2, lose_update), plain);
  EXPECT_EQ(two.runs, explore_all(world, each_of(2, lose_update), declared).orders);
  EXPECT_EQ(two.given_up, 0u);
  EXPECT_EQ(two.outcomes, (std::set<std::string>{"1", "2"}));
}

TEST(SystematicSearchTest, GivesUpNothingThatIsNewInEitherReduction) {
  sim::world world;
  for (const bool all_declared : {true, false}) {
    const explored by_source_sets = explore_all(world, each_of(3, lose_update), {.all_shared_declared = all_declared});
    const explored by_sleep_sets = explore_all(
        world, each_of(3, lose_update), {.reduced_by = reduction::sleep_sets, .all_shared_declared = all_declared});
    EXPECT_EQ(by_source_sets.runs, by_sleep_sets.runs);
    EXPECT_EQ(by_source_sets.outcomes, by_sleep_sets.outcomes);
    EXPECT_EQ(by_source_sets.orders, by_sleep_sets.orders);
    EXPECT_LE(by_source_sets.given_up, by_sleep_sets.given_up);
  }
}

// -- what is not declared ---------------------------------------------------------------------------------------------

// The textbook lets the later step of a race stand for itself where it could come first. Here it touches other
// variables when it does, and a class is lost: of one program that it goes wrong with, the smallest that was met.
TEST(SystematicSearchTest, LosesNoClassWhereAStepThatComesEarlierTouchesSomethingElse) {
  const searched_program program = [](std::string& outcome) -> task<void> {
    mutex first;
    mutex second;
    shared<int> a{0};
    shared<int> b{0};
    int seen = 0;
    semaphore permits(1);
    const auto add_to_both = [&]() -> task<void> {
      {
        const auto held = co_await first.lock();
        b += 1;
      }
      const auto held = co_await second.lock();
      a += 1;
    };
    const auto write_back = [&]() -> task<void> {
      const auto held = co_await second.lock();
      const int read = a;
      co_await yield();
      a = read;
    };
    const auto look = [&]() -> task<void> {
      const auto one = co_await permits.acquire_permit();
      seen = a;
      co_await yield();
    };
    std::vector<join_handle<void>> handles;
    handles.push_back(spawn(add_to_both()));
    handles.push_back(spawn(write_back()));
    handles.push_back(spawn(look()));
    co_await join_all(handles);
    outcome = fmt::format("{} {} {}", a.get(), b.get(), seen);
  };
  sim::world world;
  const explored all = explore_all(world, program, plain);
  const explored by_sleep = explore_all(world, program, {reduction::sleep_sets, true});
  const explored reduced = explore_all(world, program, declared);
  EXPECT_EQ(reduced.outcomes, all.outcomes);
  EXPECT_EQ(reduced.runs, by_sleep.runs);
  EXPECT_EQ(reduced.orders, static_cast<double>(all.runs));
}

TEST(SystematicSearchTest, LeavesNothingOutOfPlainVariablesUnlessItIsTold) {
  sim::world world;
  const auto program = [](std::string& outcome) -> task<void> {
    int value = 0;
    const auto lose = [&value]() -> task<void> {
      const int seen = value;
      co_await yield();
      value = seen + 1;
    };
    std::vector<join_handle<void>> handles;
    for (int i = 0; i < 3; ++i) handles.push_back(spawn(lose()));
    co_await join_all(handles);
    outcome = std::to_string(value);
  };
  EXPECT_EQ(explore_all(world, program, conservative).outcomes, (std::set<std::string>{"1", "2", "3"}));
  EXPECT_EQ(explore_all(world, program, declared).runs, 1u);  // and so the word must be true
}

// -- values -----------------------------------------------------------------------------------------------------------

task<void> draw_two(std::string& outcome) {
  const int first = random_int("first", 0, 4);
  const int second = first == 2 ? random_int("second", 0, 2) : 0;
  outcome = fmt::format("{} {}", first, second);
  co_return;
}

TEST(SystematicSearchTest, TriesEveryAnswer) {
  sim::world world;
  const explored all = explore_all(world, draw_two, conservative);
  EXPECT_THAT(all.outcomes, testing::ElementsAre("0 0", "1 0", "2 0", "2 1", "2 2", "3 0", "4 0"));
  EXPECT_EQ(all.runs, 7u);
  EXPECT_FALSE(all.left_values_out);
}

TEST(SystematicSearchTest, SaysThatItLeftAnswersOut) {
  sim::world world;
  const explored some = explore_all(world, draw_two, {.values_max = 3});
  EXPECT_THAT(some.outcomes, testing::ElementsAre("0 0", "1 0", "2 0", "2 1", "2 2"));
  EXPECT_TRUE(some.left_values_out);
}

// -- ends -------------------------------------------------------------------------------------------------------------

TEST(SystematicSearchTest, FindsADeadlockAndEndsThere) {
  sim::world world;
  const auto program = [](std::string& outcome) -> task<void> {
    mutex one{"one"};
    mutex two{"two"};
    const auto take = [](mutex& first, mutex& second) -> task<void> {
      const auto held = co_await first.lock();
      const auto held_too = co_await second.lock();
    };
    auto left = spawn(take(one, two));
    auto right = spawn(take(two, one));
    co_await left.join();
    co_await right.join();
    outcome = "done";
  };
  const explored all = explore_all(world, program, declared);
  ASSERT_EQ(all.outcomes.size(), 2u);
  EXPECT_EQ(*all.outcomes.rbegin(), "done");
  EXPECT_THAT(*all.outcomes.begin(), testing::HasSubstr("deadlock"));
  EXPECT_TRUE(all.complete);
}

// What another ends could have made a step before.
TEST(SystematicSearchTest, LetsATaskMakeItsStepBeforeItIsDestroyed) {
  sim::world world;
  const auto program = [](std::string& outcome) -> task<void> {
    shared<int> value{0};
    const auto write = [&value]() -> task<void> {
      co_await yield();
      value = 1;
    };
    {
      const auto dropped = spawn(write());
      co_await yield();
    }
    outcome = std::to_string(value.get());
  };
  for (const systematic_options& how : {declared, conservative}) {
    const explored all = explore_all(world, program, how);
    EXPECT_EQ(all.outcomes, explore_all(world, program, plain).outcomes);
    EXPECT_EQ(all.outcomes.size(), 2u);
  }
}

TEST(SystematicSearchTest, NoticesAProgramThatDepartsFromItself) {
  sim::world world;
  int runs = 0;
  const auto program = [&runs](std::string&) -> task<void> {
    ++runs;
    std::vector<join_handle<void>> handles;
    const auto work = []() -> task<void> { co_await yield(); };
    for (int i = 0; i < (runs < 3 ? 2 : 3); ++i) handles.push_back(spawn(work()));
    co_await join_all(handles);
  };
  systematic_search search(plain);
  while (search.begin_run()) {
    static_cast<void>(outcome_of_run(world, program, search));
    search.end_run();
  }
  EXPECT_TRUE(search.departed());
  EXPECT_EQ(runs, 3);
}

TEST(SystematicSearchTest, NoticesARunThatIsShorterThanWhatItRepeats) {
  sim::world world;
  int runs = 0;
  const auto program = [&runs](std::string& outcome) -> task<void> {
    if (++runs == 2) co_return;
    outcome = std::to_string(random_int("value", 0, 1));
  };
  const explored all = explore_all(world, program, conservative);
  EXPECT_EQ(runs, 2);
  EXPECT_FALSE(all.complete);
}

// -- on the way -------------------------------------------------------------------------------------------------------

TEST(SystematicSearchTest, TellsHowFarItIs) {
  sim::world world;
  for (const systematic_options& how : {plain, declared, conservative}) {
    systematic_search search(how);
    double before = 0;
    while (search.begin_run()) {
      static_cast<void>(outcome_of_run(world, each_of(3, lose_update), search));
      search.end_run();
      EXPECT_GE(search.progress(), 0.0);
      EXPECT_LT(search.progress(), 1.0);
      // What is wanted of the places along the run may still become more.
      if (how.reduced_by == reduction::none) {
        EXPECT_GE(search.progress(), before);
      }
      before = search.progress();
    }
    EXPECT_GT(before, 0.5);
  }
}

TEST(SystematicSearchTest, GivesAnswersThatMakeTheRunAgain) {
  sim::world world;
  const searched_program program = each_of(3, lose_update);
  systematic_search search(declared);
  std::uint64_t runs = 0;
  while (search.begin_run()) {
    const std::string outcome = outcome_of_run(world, program, search);
    search.end_run();
    if (search.gave_up()) continue;
    fixed_choices again(search.answers());
    EXPECT_EQ(outcome_of_run(world, program, again), outcome);
    EXPECT_FALSE(again.misfit());
    ++runs;
  }
  EXPECT_EQ(runs, search.runs());
}

TEST(SystematicSearchTest, SaysNothingOfARunThatItGivesUp) {
  sim::world world;
  systematic_search search({.reduced_by = reduction::sleep_sets, .all_shared_declared = true});
  std::uint64_t given_up = 0;
  while (search.begin_run()) {
    static_cast<void>(outcome_of_run(world, each_of(2, increment), search));
    search.end_run();
    if (!search.gave_up()) continue;
    ++given_up;
    EXPECT_TRUE(world.verdicts().empty());
    EXPECT_EQ(world.failure(), nullptr);
  }
  EXPECT_GT(given_up, 0u);
  EXPECT_EQ(search.given_up(), given_up);
}

// In fifo order there is nothing to reduce, as tasks have no choice; the values are.
TEST(SystematicSearchTest, TriesTheTimersOfOneInstantInFifoOrder) {
  sim::world world;
  const auto program = [](std::string& outcome) -> task<void> {
    const auto doze = [&outcome](char name) -> task<void> {
      co_await sleep_for(1ms);
      outcome += name;
    };
    auto first = spawn(doze('a'));
    auto second = spawn(doze('b'));
    co_await first.join();
    co_await second.join();
  };
  systematic_search search;
  std::set<std::string> outcomes;
  while (search.begin_run()) {
    outcomes.insert(outcome_of_run(world, program, search, ordering::fifo));
    search.end_run();
  }
  EXPECT_EQ(outcomes, (std::set<std::string>{"ab", "ba"}));
  EXPECT_FALSE(search.departed());
}

}  // namespace
}  // namespace lockstep
