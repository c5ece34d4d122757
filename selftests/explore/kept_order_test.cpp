#include <lockstep/explore/kept_order.hpp>

#include <lockstep/explore/choices.hpp>
#include <lockstep/explore/strategy.hpp>
#include <lockstep/lockstep.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace lockstep {
namespace {

// Three tasks of three steps each, which write down their letters.
task<void> writes_letters(std::string& into, char letter) {
  for (int i = 0; i < 3; ++i) {
    into += letter;
    co_await yield();
  }
}
task<void> three_write(std::string& into) {
  co_await when_all(writes_letters(into, 'a'), writes_letters(into, 'b'), writes_letters(into, 'c'));
}

class KeptOrderTest : public testing::Test {
 protected:
  std::string text_by(oracle& choices) {
    std::string text;
    sim::world_options how;
    how.choices = &choices;
    world_.start(how);
    world_.drive(three_write(text));
    world_.finish();
    return text;
  }
  std::string text_keeping(const std::vector<task_step>& steps) {
    logged_choices dullest;
    kept_order kept(steps, dullest);
    return text_by(kept);
  }

  sim::world world_;
};

TEST_F(KeptOrderTest, IsThePlainRunWhereNothingIsKept) {
  logged_choices dullest;
  EXPECT_EQ(text_keeping({}), text_by(dullest));
  EXPECT_EQ(text_keeping({}), "abcabcabc");
}

TEST_F(KeptOrderTest, IsTheRunItselfWhereAllIsKept) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const std::unique_ptr<oracle> random = make_oracle(schedule::random, seed);
    noted_order noted(*random);
    const std::string text = text_by(noted);
    EXPECT_EQ(text_keeping(noted.steps()), text);
  }
}

TEST_F(KeptOrderTest, WhoMakesAStepThatIsKeptWaitsForThoseBefore) {
  const identity a = task_identity(main_identity, 1);
  const identity c = task_identity(main_identity, 3);
  EXPECT_EQ(text_keeping({{c, 2}, {a, 1}}), "ccabcabab") << "the task of the one before goes on";
  EXPECT_EQ(text_keeping({{c, 1}, {a, 2}}), "abcabcabc") << "and nothing else is changed";
  EXPECT_EQ(text_keeping({{c, 3}, {a, 3}}), "abcabccab") << "as soon as somebody would wait";
}

TEST_F(KeptOrderTest, GoesOnWhereAStepNeverComes) {
  const identity a = task_identity(main_identity, 1);
  const identity c = task_identity(main_identity, 3);
  EXPECT_EQ(text_keeping({{c, 99}, {a, 1}}), "cccbbbaaa");
}

}  // namespace
}  // namespace lockstep
