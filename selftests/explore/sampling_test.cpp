#include <lockstep/explore/sampling.hpp>

#include "explored.hpp"
#include "some_candidates.hpp"

#include <lockstep/explore/choices.hpp>
#include <lockstep/lockstep.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <vector>

namespace lockstep {
namespace {

// The letters of three tasks in the order of their steps; `of_third` of them are the third's.
searched_program letters(int of_third = 1) {
  return [of_third](std::string& outcome) -> task<void> {
    mutex pen;
    const auto write = [&](char letter, int times) -> task<void> {
      for (; times > 0; --times) {
        const auto held = co_await pen.lock();
        outcome += letter;
      }
    };
    std::vector<join_handle<void>> handles;
    handles.push_back(spawn(write('a', 1)));
    handles.push_back(spawn(write('b', 1)));
    handles.push_back(spawn(write('c', of_third)));
    for (join_handle<void>& each : handles) co_await each.join();
  };
}

TEST(SamplerTest, HasNames) {
  std::set<std::string_view> names;
  for (const sampler each : all_samplers) names.insert(name_of(each));
  EXPECT_EQ(names, (std::set<std::string_view>{"uniform", "pos", "urw", "pct"}));
}

TEST(SamplerTest, DependsOnTheSeedAlone) {
  sim::world world;
  const searched_program program = letters(3);
  const profile known = profile_of(world, program);
  for (const sampler kind : all_samplers) {
    SCOPED_TRACE(std::string(name_of(kind)));
    const auto first = make_sampler(kind, known);
    const auto second = make_sampler(kind, known);
    std::set<std::vector<std::uint64_t>> lists;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      logged_choices one(first.get());
      first->begin(seed);
      const std::string outcome = outcome_of_run(world, program, one);
      logged_choices other(second.get());
      second->begin(seed + 1000);  // what was before leaves nothing behind
      static_cast<void>(outcome_of_run(world, program, other));
      other.begin(second.get());
      second->begin(seed);
      EXPECT_EQ(outcome_of_run(world, program, other), outcome);
      EXPECT_EQ(other.answers(), one.answers());
      lists.insert(one.answers());
    }
    EXPECT_GT(lists.size(), 5u);
  }
}

TEST(SamplerTest, ReachesEveryOrderOfASmallProgram) {
  sim::world world;
  const searched_program program = letters();
  const std::set<std::string> wanted = explore_all(world, program, {.reduced_by = reduction::none}).outcomes;
  EXPECT_EQ(wanted.size(), 6u);
  const profile known = profile_of(world, program);
  for (const sampler kind : all_samplers) {
    SCOPED_TRACE(std::string(name_of(kind)));
    const auto drawn = make_sampler(kind, known);
    std::set<std::string> outcomes;
    for (std::uint64_t seed = 1; seed <= 300 && outcomes.size() < wanted.size(); ++seed) {
      drawn->begin(seed);
      outcomes.insert(outcome_of_run(world, program, *drawn));
    }
    EXPECT_EQ(outcomes, wanted);
  }
}

// A task with one step against one with eight: at each choice it is as likely as the other is to uniform, and gets one
// place of nine to urw.
TEST(SamplerTest, WeighsTasksByWhatTheyHaveToDoUnderUrwAlone) {
  sim::world world;
  const searched_program program = [](std::string& outcome) -> task<void> {
    const auto write = [&outcome](char letter, int times) -> task<void> {
      for (; times > 0; --times) {
        outcome += letter;
        co_await yield();
      }
    };
    auto one = spawn(write('a', 1));
    auto many = spawn(write('b', 8));
    co_await one.join();
    co_await many.join();
  };
  const profile known = profile_of(world, program);
  const auto share_of_late = [&](sampler kind) {
    const auto drawn = make_sampler(kind, known);
    int late = 0;
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
      drawn->begin(seed);
      if (outcome_of_run(world, program, *drawn).find('a') >= 4) ++late;
    }
    return late / 400.0;
  };
  EXPECT_LT(share_of_late(sampler::uniform), 0.15);
  EXPECT_GT(share_of_late(sampler::urw), 0.3);
}

// Whoever was passed by a step on the same object has another chance, as good as a newcomer's; without that he would be
// known for a low priority, and come after the newcomer in two of three cases.
TEST(SamplerTest, PosDrawsAnewForWhomeverARacePassed) {
  const profile known;
  const auto pos = make_sampler(sampler::pos, known);
  constexpr identity object = 77;
  const candidate newcomer{3, 1, operation_kind::lock, 99};
  for (const bool races : {true, false}) {
    const candidate passing{1, 1, operation_kind::lock, object};
    const candidate passed{2, 1, operation_kind::lock, races ? object : object + 1};
    int tried = 0;
    int first = 0;
    for (std::uint64_t seed = 1; seed <= 4'000; ++seed) {
      pos->begin(seed);
      if (pos->pick_task(some_candidates{passing, passed}) != 0) continue;
      ++tried;
      if (pos->pick_task(some_candidates{passed, newcomer}) == 0) ++first;
    }
    const double share = static_cast<double>(first) / tried;
    EXPECT_NEAR(share, races ? 1.0 / 2 : 1.0 / 3, 0.04) << races;
  }
}

TEST(SamplerTest, FavoursTheEndsOfTheRangeOfValues) {
  const profile known;
  for (const sampler kind : all_samplers) {
    SCOPED_TRACE(std::string(name_of(kind)));
    const auto drawn = make_sampler(kind, known);
    std::map<std::uint64_t, int> counts;
    for (std::uint64_t seed = 1; seed <= 4000; ++seed) {
      drawn->begin(seed);
      const std::uint64_t value = drawn->pick_value({1, 1, "value"}, 1000);
      ASSERT_LT(value, 1000u);
      ++counts[value];
    }
    EXPECT_NEAR(counts[0], 1000, 200);
    EXPECT_NEAR(counts[999], 500, 120);
    EXPECT_GT(counts.size(), 500u);
    for (std::uint64_t nth = 1; nth < 200; ++nth) ASSERT_LT(drawn->pick_value({1, nth, "value"}, 2), 2u);
  }
}

TEST(ProfileTest, LearnsWhoSpawnedWhomAndHowManySteps) {
  profile known;
  known.see(some_candidates{{10, 1, operation_kind::start, 0, 0}, {11, 1, operation_kind::start, 0, 10}});
  known.see(some_candidates{{11, 3, operation_kind::yield, 0, 10}, {12, 2, operation_kind::yield, 0, 11}});
  known.end_run();
  known.see(some_candidates{{11, 2, operation_kind::yield, 0, 10}});  // no choice
  known.end_run();
  ASSERT_EQ(known.tasks().size(), 3u);
  EXPECT_EQ(known.names().find(12), 2u);
  EXPECT_EQ(known.tasks()[0].parent, profile::none);
  EXPECT_EQ(known.tasks()[1].parent, 0u);
  EXPECT_EQ(known.tasks()[2].parent, 1u);
  EXPECT_EQ(known.tasks()[1].steps, 3u);
  EXPECT_EQ(known.choices(), 2u);
}

}  // namespace
}  // namespace lockstep
