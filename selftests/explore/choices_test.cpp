#include <lockstep/explore/choices.hpp>

#include "some_candidates.hpp"

#include <lockstep/explore/systematic.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep {
namespace {

using testing::ElementsAre;

const some_candidates two{{1, 1, operation_kind::start, 0}, {2, 1, operation_kind::start, 0}};
const some_candidates three_of_which_one_runs{
    {{1, 4, operation_kind::yield, 0}, {2, 1, operation_kind::start, 0}, {3, 1, operation_kind::start, 0}}, true};
constexpr choice_point dice{domain_identity("dice"), 1, "dice"};

TEST(LoggedChoicesTest, KeepsWhatTheBaseAnswered) {
  fixed_choices base({1, 2, 7});
  logged_choices logged(&base);
  EXPECT_EQ(logged.pick_task(two), 1u);
  EXPECT_EQ(logged.pick_task(three_of_which_one_runs), 2u);
  EXPECT_EQ(logged.pick_value(dice, 10), 7u);
  EXPECT_THAT(logged.answers(), ElementsAre(1, 2, 7));
  ASSERT_EQ(logged.log().size(), 3u);
  EXPECT_TRUE(logged.log()[0].of_task);
  EXPECT_FALSE(logged.log()[0].could_go_on);
  EXPECT_EQ(logged.log()[1].options, 3u);
  EXPECT_TRUE(logged.log()[1].could_go_on);
  EXPECT_FALSE(logged.log()[2].of_task);
  EXPECT_FALSE(logged.log()[2].could_go_on);
  EXPECT_EQ(logged.log()[2].options, 10u);
}

TEST(LoggedChoicesTest, AnswersTheDullestWithoutABase) {
  logged_choices logged;
  EXPECT_EQ(logged.pick_task(two), 0u);
  EXPECT_EQ(logged.pick_value(dice, 10), 0u);
  EXPECT_EQ(logged.observer(), nullptr);
  logged.begin(nullptr);
  EXPECT_TRUE(logged.log().empty());
}

TEST(LoggedChoicesTest, HasTheObserverOfItsBase) {
  systematic_search base;
  logged_choices logged(&base);
  EXPECT_EQ(logged.observer(), base.observer());
}

TEST(FixedChoicesTest, GivesItsAnswersAndThenTheDullest) {
  fixed_choices fixed({1, 3});
  EXPECT_EQ(fixed.pick_task(two), 1u);
  EXPECT_EQ(fixed.pick_value(dice, 10), 3u);
  EXPECT_EQ(fixed.pick_task(two), 0u);
  EXPECT_EQ(fixed.pick_value(dice, 10), 0u);
  EXPECT_FALSE(fixed.misfit());
}

TEST(FixedChoicesTest, LeavesTheRestToAnother) {
  fixed_choices rest({1, 1});
  fixed_choices fixed({0}, &rest);
  EXPECT_EQ(fixed.pick_task(two), 0u);
  EXPECT_EQ(fixed.pick_task(two), 1u);
  EXPECT_EQ(fixed.pick_value(dice, 10), 1u);
}

TEST(FixedChoicesTest, TellsOfAnAnswerThatIsNoneOfTheOptions) {
  fixed_choices fixed({2, 10, 1});
  EXPECT_EQ(fixed.pick_task(two), 0u);
  EXPECT_TRUE(fixed.misfit());
  EXPECT_EQ(fixed.pick_value(dice, 10), 0u);
  EXPECT_EQ(fixed.pick_task(two), 1u);
}

TEST(DescribedChoicesTest, WritesDownWhatDepartsFromThePlainRun) {
  fixed_choices base({1, 0, 2, 0, 6});
  described_choices described(base);
  described.pick_task(two);
  described.pick_task(two);
  described.pick_task(three_of_which_one_runs);
  described.pick_value(dice, 10);
  described.pick_value({dice.domain, 2, "dice"}, 10);
  EXPECT_THAT(described.of_tasks(), ElementsAre(task_override{"1", 1, "2"}, task_override{"1", 4, "3"}));
  EXPECT_THAT(described.of_values(), ElementsAre(value_override{"dice", 2, 6}));
}

}  // namespace
}  // namespace lockstep
