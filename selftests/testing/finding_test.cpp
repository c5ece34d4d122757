#include <lockstep/testing/finding.hpp>

#include "lost_update.hpp"

#include <lockstep/explore/choices.hpp>
#include <lockstep/explore/world_program.hpp>
#include <lockstep/lockstep.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::detail {
namespace {

class FindingTest : public testing::Test {
 protected:
  FindingTest() {
    how_.by = search_by::random;
    failure_ = *explorer(code_).explore(how_).failure;
  }

  world_program code_{[] { return add_two([] { throw std::runtime_error("lost"); }); }};
  explore_options how_;
  failing_run failure_;
};

TEST_F(FindingTest, IsShrunkExplainedAndCounted) {
  const finding known = look_into(code_, how_, failure_, {.test = 7});
  EXPECT_TRUE(known.repeats);
  EXPECT_TRUE(known.finished);
  EXPECT_EQ(known.signature, failure_.result.signature);
  EXPECT_EQ(known.replay.test, 7);
  EXPECT_LE(known.replay.task_overrides.size(), 2u);
  EXPECT_TRUE(known.pair);
  ASSERT_TRUE(known.share);
  EXPECT_GT(known.share->failing, 0u);
  EXPECT_LT(known.share->failing, known.share->all);
  EXPECT_EQ(known.in_fifo_order, "It does not happen in fifo order.\n");
}

// Counts the runs that are made of another.
class counted_program final : public program {
 public:
  explicit counted_program(program& code) noexcept : code_(code) {}
  run_result run(oracle& choices, ordering order) override {
    ++runs;
    return code_.run(choices, order);
  }
  std::uint64_t trace_hash() const override { return code_.trace_hash(); }

  std::uint64_t runs = 0;

 private:
  program& code_;
};

TEST_F(FindingTest, MakesAsManyRunsAgainAsTheSearchHad) {
  for (const std::uint64_t runs_max : {1u, 5u, 10u, 30u, 100u}) {
    counted_program counted(code_);
    how_.runs_max = runs_max;
    const finding known = look_into(counted, how_, failure_, {.test = 7});
    EXPECT_TRUE(known.repeats);
    EXPECT_LE(counted.runs, runs_max + 2);
    EXPECT_LE(known.shrink_runs, runs_max / 2);
    if (runs_max == 100) {
      EXPECT_TRUE(known.pair);
    }
  }
}

TEST_F(FindingTest, TellsWhatIsKnownWhenTheTimeIsUp) {
  counted_program counted(code_);
  finding_options options;
  options.out_of_time = [&counted] { return counted.runs >= 1; };
  const finding known = look_into(counted, how_, failure_, options);
  EXPECT_EQ(counted.runs, 1u);
  EXPECT_TRUE(known.repeats);
  EXPECT_FALSE(known.finished);
  EXPECT_FALSE(known.pair);
  EXPECT_FALSE(known.replay.task_overrides.empty());
}

TEST(FindingOfALongRunTest, IsNotLookedAtStepByStep) {
  world_program code([]() -> task<void> {
    const auto go_on = []() -> task<void> {
      for (int i = 0; i < 11'000; ++i) co_await yield();
    };
    co_await when_all(go_on(), go_on());
    throw std::runtime_error("late");
  });
  counted_program counted(code);
  fixed_choices plain({});
  const run_result result = code.run(plain, ordering::any_order);
  const finding known = look_into(counted, {}, {result, {}, "plain", 1}, {});
  EXPECT_TRUE(known.repeats);
  EXPECT_LT(counted.runs, 10u);
  EXPECT_TRUE(known.too_long);
  EXPECT_FALSE(known.explained);
  EXPECT_EQ(known.in_fifo_order, "It also fails in fifo order.\n");
  EXPECT_TRUE(finding::read(message(known.sent_form())).too_long);
}

TEST_F(FindingTest, CanBeSent) {
  const finding known = look_into(code_, how_, failure_, {.test = 7});
  const finding read = finding::read(message(known.sent_form()));
  EXPECT_EQ(read.sent_form(), known.sent_form());
  EXPECT_EQ(read.signature, known.signature);
  EXPECT_EQ(read.replay, known.replay);
  EXPECT_EQ(read.repeats, known.repeats);
  EXPECT_EQ(read.finished, known.finished);
  EXPECT_EQ(read.shrink_runs, known.shrink_runs);
  EXPECT_EQ(read.share->failing, known.share->failing);
  EXPECT_EQ(read.share->all, known.share->all);
  EXPECT_EQ(read.pair->first.task, known.pair->first.task);
  EXPECT_EQ(read.pair->second.nth, known.pair->second.nth);
  EXPECT_EQ(read.pair->passing, known.pair->passing);
  EXPECT_EQ(read.in_fifo_order, known.in_fifo_order);
}

TEST_F(FindingTest, IsLeftAsItWasFoundIfItIsEndedEarly) {
  finding_options options;
  int told = 0;
  options.on_progress = [&](std::uint64_t, std::size_t) { return ++told < 2; };
  const finding known = look_into(code_, how_, failure_, options);
  EXPECT_EQ(told, 2);
  EXPECT_TRUE(known.repeats);
  EXPECT_FALSE(known.finished);
  EXPECT_FALSE(known.pair);
}

TEST_F(FindingTest, SaysThatAFailureDoesNotRepeat) {
  world_program harmless([]() -> task<void> { co_await yield(); });
  EXPECT_FALSE(look_into(harmless, how_, failure_, {}).repeats);
}

// In fifo order a search tries the least 16 values of each, which is not all that there are.
std::string text_of_fifo(task<void> (*body)(), std::vector<std::uint64_t> answers) {
  world_program code(body);
  fixed_choices choices(answers);
  const failing_run failure{code.run(choices, ordering::any_order), std::move(answers), "by hand"};
  EXPECT_TRUE(failure.result.failed);
  return look_into(code, {}, failure, {}).in_fifo_order;
}

TEST(FifoTest, IsTriedWithTheValuesOfTheFailure) {
  const auto body = []() -> task<void> {
    if (any_int("x", 0, 999) == 777) throw std::runtime_error("unlucky");
    co_return;
  };
  EXPECT_EQ(text_of_fifo(body, {777}), "It also fails in fifo order.\n");
}

TEST(FifoTest, IsNotDeniedWhereValuesWereLeftOut) {
  // 20 passes in fifo order, 700,000 fails there; among the least it fails in no order.
  const auto body = []() -> task<void> {
    std::vector<int> order;
    const auto note = [&order](int who) -> task<void> {
      order.push_back(who);
      co_return;
    };
    const int x = any_int("x", 0, 999'999);
    co_await when_all(note(1), note(2));
    if (x == 700'000 || (x == 20 && order.front() == 2)) throw std::runtime_error("unlucky");
  };
  EXPECT_TRUE(text_of_fifo(body, {20, 1}).starts_with("It was not seen in fifo order ("));
}

}  // namespace
}  // namespace lockstep::detail
