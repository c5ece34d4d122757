#include <lockstep/explore/causality.hpp>

#include <lockstep/base/hash.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace lockstep::detail {
namespace {

using testing::ElementsAre;

// Steps in the order in which they are added: `step(task, {touches})`.
class steps_of_a_run {
 public:
  std::uint32_t step(std::uint32_t task, footprint touches, std::uint32_t enabled_by = step_event::none,
                     std::uint32_t quiet_before = 0) {
    step_event& made = of_.add(task);
    made.enabled_by = enabled_by;
    made.quiet_before = quiet_before;
    made.touches = std::move(touches);
    return static_cast<std::uint32_t>(of_.size() - 1);
  }
  // Those that judge() finds now.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> races() {
    std::vector<race> found;
    of_.judge(found);
    std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
    for (const race& each : found) pairs.emplace_back(each.first, each.second);
    return pairs;
  }
  bool before(std::uint32_t earlier, std::uint32_t later) const { return of_.happens_before(earlier, later); }
  causality& of() { return of_; }

 private:
  causality of_;
};

constexpr touched reads(std::uint32_t object) { return {object, access::read}; }
constexpr touched updates(std::uint32_t object) { return {object, access::update}; }
constexpr touched writes(std::uint32_t object) { return {object, access::write}; }
constexpr touched after(std::uint32_t object) { return {object, access::after}; }

using pairs = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

TEST(FootprintTest, DependsWhereTwoTouchOneObjectInWaysThatDoNotCommute) {
  EXPECT_TRUE(depend({writes(1)}, {reads(1)}));
  EXPECT_TRUE(depend({reads(1), updates(2)}, {reads(2)}));
  EXPECT_TRUE(depend({writes(1)}, {writes(1)}));
  EXPECT_FALSE(depend({writes(1)}, {writes(2)}));
  EXPECT_FALSE(depend({reads(1)}, {reads(1)}));
  EXPECT_FALSE(depend({updates(1)}, {updates(1)}));
  EXPECT_FALSE(depend({after(1)}, {writes(1)}));
  EXPECT_FALSE(depend({}, {writes(1)}));
}

TEST(FootprintTest, KeepsTheStrongestAccessToAnObject) {
  footprint made;
  add_to(made, reads(1));
  add_to(made, reads(1));
  EXPECT_THAT(made, ElementsAre(reads(1)));
  add_to(made, updates(1));  // both read and changed
  EXPECT_THAT(made, ElementsAre(writes(1)));
  add_to(made, reads(1));
  add_to(made, reads(2));
  EXPECT_THAT(made, ElementsAre(writes(1), reads(2)));
  add_to(made, after(2));  // which says something else
  add_to(made, after(2));
  EXPECT_THAT(made, ElementsAre(writes(1), reads(2), after(2)));
}

TEST(CausalityTest, OrdersTheStepsOfATask) {
  steps_of_a_run run;
  run.step(0, {});
  run.step(1, {});
  run.step(0, {});
  EXPECT_EQ(run.races(), pairs());
  EXPECT_TRUE(run.before(0, 2));
  EXPECT_TRUE(run.before(0, 0));
  EXPECT_FALSE(run.before(0, 1));
  EXPECT_FALSE(run.before(1, 2));
  EXPECT_FALSE(run.before(2, 0));
}

TEST(CausalityTest, FindsARaceBetweenStepsThatDependAndHaveNothingInBetween) {
  steps_of_a_run run;
  run.step(0, {writes(1)});
  run.step(1, {writes(1)});
  run.step(2, {reads(1)});
  EXPECT_EQ(run.races(), (pairs{{0, 1}, {1, 2}}));
  EXPECT_TRUE(run.before(0, 2));
}

TEST(CausalityTest, FindsTheRacesOfAWriterWithAllReaders) {
  steps_of_a_run run;
  run.step(0, {reads(1)});
  run.step(1, {reads(1)});
  run.step(2, {writes(1)});
  EXPECT_THAT(run.races(), testing::UnorderedElementsAre(std::pair(0u, 2u), std::pair(1u, 2u)));
  EXPECT_FALSE(run.before(0, 1));
}

TEST(CausalityTest, TakesNoEnablingForARace) {
  steps_of_a_run run;
  run.step(0, {});
  const std::uint32_t unlock = run.step(0, {writes(1)});
  run.step(1, {writes(1)}, unlock);
  EXPECT_EQ(run.races(), pairs());
  EXPECT_TRUE(run.before(unlock, 2));
  EXPECT_TRUE(run.before(0, 2));
}

TEST(CausalityTest, PutsWhatWaitedAfterAllThatWasDoneToTheObject) {
  steps_of_a_run run;
  run.step(0, {updates(1)});
  run.step(1, {updates(1)});
  run.step(2, {after(1)});
  EXPECT_EQ(run.races(), pairs());
  EXPECT_TRUE(run.before(0, 2));
  EXPECT_TRUE(run.before(1, 2));
  EXPECT_FALSE(run.before(0, 1));
}

TEST(CausalityTest, PutsAllAfterAQuietMoment) {
  steps_of_a_run run;
  run.step(0, {writes(1)});
  run.step(1, {});
  run.step(2, {writes(1)}, step_event::none, 2);
  run.step(0, {}, step_event::none, 2);
  EXPECT_EQ(run.races(), pairs());
  EXPECT_TRUE(run.before(0, 2));
  EXPECT_TRUE(run.before(1, 2));
  EXPECT_TRUE(run.before(1, 3));
  EXPECT_FALSE(run.before(2, 3));
}

TEST(CausalityTest, GoesOnFromWhereItWasCutBack) {
  steps_of_a_run run;
  run.step(0, {writes(1)});
  run.step(1, {writes(2)});
  run.step(1, {writes(1)});
  EXPECT_EQ(run.races(), (pairs{{0, 2}}));
  run.of().cut_to(2);
  EXPECT_EQ(run.of().size(), 2u);
  run.step(2, {reads(2)});
  EXPECT_EQ(run.races(), (pairs{{1, 2}}));  // what is old is not found again
  EXPECT_FALSE(run.before(0, 2));
  run.of().clear();
  run.step(2, {writes(1)});
  EXPECT_EQ(run.races(), pairs());
  EXPECT_EQ(run.of()[0].task, 2u);
}

TEST(CausalityTest, EveryStepReadsEverythingAndItsOwnTask) {
  constexpr std::uint32_t task_1 = 7;
  causality of;
  std::vector<race> found;
  of.add(0);
  of.add(1).reads = task_1;
  of.add(2).touches = {writes(task_1)};  // it depends on step 1 alone
  of.add(0);
  of.judge(found);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].first, 1u);
  EXPECT_FALSE(of.happens_before(0, 2));
  found.clear();
  of.add(1).reads = task_1;  // which the write races with in turn
  of.add(3).touches = {writes(number_of_everything)};
  of.judge(found);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(std::pair(found[0].first, found[0].second), std::pair(2u, 4u));
  EXPECT_EQ(std::pair(found[1].first, found[1].second), std::pair(4u, 5u));
  EXPECT_EQ(std::pair(found[2].first, found[2].second), std::pair(3u, 5u));
  found.clear();
  of.add(0);
  of.judge(found);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].first, 5u);
}

TEST(FootprintTest, DependsWhereOneChangesTheTaskOfTheOtherOrEverything) {
  EXPECT_TRUE(depend({writes(1)}, 8, {}, 1));
  EXPECT_TRUE(depend({}, 1, {updates(1)}, 8));
  EXPECT_TRUE(depend({writes(number_of_everything)}, 8, {}, 1));
  EXPECT_TRUE(depend({writes(2)}, 8, {reads(2)}, 1));
  EXPECT_FALSE(depend({reads(1), after(1)}, 8, {}, 1));
  EXPECT_FALSE(depend({writes(8)}, 8, {}, 1));
}

// Cut back again and again, to anywhere, it knows of each run what one knows that has seen no other.
TEST(CausalityTest, KnowsOfARunThatBeginsAsAnotherDidWhatIsTrueOfItAlone) {
  std::uint64_t drawn = 0;
  const auto below = [&](std::uint32_t options) {
    return static_cast<std::uint32_t>(bounded(lockstep::draw(1, 2, ++drawn), options));
  };
  constexpr access kinds[] = {access::read, access::update, access::write, access::after};
  causality kept;
  std::vector<step_event> steps;
  std::vector<race> races;
  std::uint32_t quiet = 0;
  for (int run = 0; run < 200; ++run) {
    const std::uint32_t shared = steps.empty() ? 0 : below(static_cast<std::uint32_t>(steps.size()) + 1);
    kept.cut_to(shared);
    steps.resize(shared);
    std::erase_if(races, [&](const race& each) { return each.second >= shared; });
    quiet = steps.empty() ? 0 : steps.back().quiet_before;
    for (std::uint32_t length = 1 + below(12); length > 0; --length) {
      const auto at = static_cast<std::uint32_t>(steps.size());
      if (below(6) == 0) quiet = at;
      step_event made{below(run < 100 ? 3 : 9)};
      made.reads = 100 + made.task;
      made.quiet_before = quiet;
      if (at != 0 && below(3) == 0) made.enabled_by = below(at);
      for (std::uint32_t touches = below(4); touches > 0; --touches) {
        add_to(made.touches, {below(2) == 0 ? 100 + below(3) : below(4), kinds[below(4)]});
      }
      kept.add(made.task) = made;
      steps.push_back(made);
    }
    kept.judge(races);
    causality alone;
    std::vector<race> races_alone;
    for (const step_event& each : steps) alone.add(each.task) = each;
    alone.judge(races_alone);
    ASSERT_EQ(races.size(), races_alone.size()) << "run " << run;
    for (std::size_t i = 0; i < races.size(); ++i) {
      ASSERT_EQ(std::pair(races[i].first, races[i].second), std::pair(races_alone[i].first, races_alone[i].second));
    }
    for (std::size_t later = 0; later < steps.size(); ++later) {
      for (std::size_t earlier = 0; earlier <= later; ++earlier) {
        ASSERT_EQ(kept.happens_before(earlier, later), alone.happens_before(earlier, later))
            << "run " << run << ": " << earlier << ", " << later;
      }
    }
  }
}

TEST(CausalityTest, CountsTheOrdersThatAreTheSameRun) {
  steps_of_a_run run;
  std::vector<race> found;
  run.of().judge(found);
  EXPECT_EQ(run.of().orders(), 1.0);
  for (std::uint32_t task = 0; task < 3; ++task) {
    for (int i = 0; i < 3; ++i) run.step(task, {});
  }
  run.of().judge(found);
  EXPECT_EQ(run.of().orders(), 1680.0);  // 9! / (3! 3! 3!)
  EXPECT_EQ(run.of().orders(2), std::nullopt);
  run.of().cut_to(3);
  run.step(1, {writes(1)});
  run.step(0, {writes(1)});
  run.of().judge(found);
  EXPECT_EQ(run.of().orders(), 4.0);  // task 1's step is before the last of task 0's four, at any of four places
}

// n steps of one task and n of another, each pair dependent in turn: one order.
TEST(CausalityTest, CountsOneOrderWhereAllDepends) {
  steps_of_a_run run;
  std::vector<race> found;
  for (int i = 0; i < 4; ++i) {
    run.step(0, {writes(1)});
    run.step(1, {writes(1)});
  }
  run.of().judge(found);
  EXPECT_EQ(found.size(), 7u);
  EXPECT_EQ(run.of().orders(), 1.0);
}

}  // namespace
}  // namespace lockstep::detail
