#include "child.hpp"

#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>

#include <memory>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

// -- what GoogleTest prints -------------------------------------------------------------------------------------------

TEST(CoTestTest, UnequalTimesAreShownAsTimes) {
  EXPECT_NONFATAL_FAILURE(EXPECT_EQ(time_point{90s}, time_point{3min}),
                          "time_point{90s}\n    Which is: 90 s (virtual)\n");
  EXPECT_NONFATAL_FAILURE(EXPECT_EQ(time_point{90s}, time_point{3min}), "Which is: 3 min (virtual)");
  EXPECT_EQ(testing::PrintToString(std::vector{time_point{1ms}, time_point{}}), "{ 1 ms (virtual), 0 ns (virtual) }");
}

// -- fixtures ---------------------------------------------------------------------------------------------------------

// One for each type: its set-up and tear-down await, and its objects belong to the run.
template <class T>
class StoreFixture : public testing::Test {
 protected:
  StoreFixture() : lock_("store") { steps_.push_back("constructor"); }
  void SetUp() override { steps_.push_back("SetUp"); }
  task<void> CoSetUp() {
    auto held = co_await lock_.lock();
    co_await sleep_for(1s);
    steps_.push_back("CoSetUp");
    server_ = spawn(serve(), "server");
  }
  task<void> CoTearDown() {
    EXPECT_EQ(now(), time_point{3s});
    server_.cancel();
    EXPECT_THROW(co_await server_.join(), cancelled);
    steps_.push_back("CoTearDown");
  }
  void TearDown() override {
    steps_.push_back("TearDown");
    EXPECT_THAT(steps_, testing::ElementsAre("constructor", "SetUp", "CoSetUp", "body", "CoTearDown", "TearDown"));
  }
  task<void> serve() {
    for (;;) {
      co_await sleep_for(1h);
      ++value_;
    }
  }

  mutex lock_;
  join_handle<void> server_;
  T value_{};
  std::vector<std::string> steps_;
};

using IntStore = StoreFixture<int>;
CO_TEST_F(IntStore, PartsRunInOrderOnOneClock) {
  EXPECT_EQ(now(), time_point{1s});
  EXPECT_FALSE(lock_.locked());
  co_await sleep_for(2s);
  steps_.push_back("body");
}

using DoubleStore = StoreFixture<double>;
CO_TEST_F(DoubleStore, EachTestHasAFixtureOfItsOwn) {
  EXPECT_EQ(value_, 0.0);
  value_ = 1.5;
  co_await sleep_for(2s);
  steps_.push_back("body");
}

// The fixture's own tests may be plain ones as well.
class MixedFixture : public testing::Test {
 protected:
  static void SetUpTestSuite() { made_for_all = 7; }
  static void TearDownTestSuite() { made_for_all = 0; }
  static inline int made_for_all = 0;
  int mine_ = 1;
};
TEST_F(MixedFixture, AreTestsOfOneSuite) { EXPECT_EQ(made_for_all + mine_, 8); }
CO_TEST_F(MixedFixture, AreCoroutinesInTheSameSuite) {
  co_await yield();
  EXPECT_EQ(made_for_all + mine_, 8);
}
TEST(CoTestTest, APlainTestMayStandBesideCoroutines) { EXPECT_EQ(current_loop(), nullptr); }
CO_TEST(CoTestTest, ACoroutineMayStandBesidePlainTests) {
  co_await yield();
  EXPECT_NE(current_loop(), nullptr);
}

// -- parameters -------------------------------------------------------------------------------------------------------

class Delays : public testing::TestWithParam<int> {
 protected:
  task<void> CoSetUp() { co_await sleep_for(std::chrono::seconds(GetParam())); }
};
CO_TEST_P(Delays, ReachTheSetUpAndTheBody) {
  EXPECT_EQ(now(), time_point{std::chrono::seconds(GetParam())});
  co_await yield();
}
CO_TEST_P(Delays, NameTheirTests) {
  const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
  EXPECT_EQ(name, "NameTheirTests/" + std::to_string(GetParam()) + "s");
  co_await yield();
}
TEST_P(Delays, AreThoseOfPlainTestsToo) { EXPECT_LT(GetParam(), 3); }
std::string in_seconds(const testing::TestParamInfo<int>& info) { return std::to_string(info.param) + "s"; }
INSTANTIATE_TEST_SUITE_P(Short, Delays, testing::Values(0, 2), in_seconds);

class PausedDelays : public testing::TestWithParam<int> {};
CO_TEST_P(PausedDelays, ComeWithOptions, .clock = clock_mode::paused) {
  co_await advance(std::chrono::seconds(GetParam()));
  EXPECT_EQ(now(), time_point{std::chrono::seconds(GetParam())});
  EXPECT_TRUE(current_loop()->clock_paused());
}
INSTANTIATE_TEST_SUITE_P(Short, PausedDelays, testing::Values(1));

// A fixture's members need not be public for its options to count.
class PausedByTheFixture : public testing::Test {
 protected:
  static options lockstep_options() { return {.clock = clock_mode::paused}; }
};
CO_TEST_F(PausedByTheFixture, IsPaused) {
  co_await yield();
  EXPECT_TRUE(current_loop()->clock_paused());
}
CO_TEST_F(PausedByTheFixture, JumpsIfTheTestSaysSo, .clock = clock_mode::jumping) {
  co_await sleep_for(1s);
  EXPECT_FALSE(current_loop()->clock_paused());
}

// -- the clock --------------------------------------------------------------------------------------------------------

CO_TEST(CoTestTest, ADayTakesNoTime) {
  co_await sleep_for(24h);
  EXPECT_EQ(now().time_since_epoch(), 24h);
}

CO_TEST(CoTestTest, APausedClockIsMovedByHand, .clock = clock_mode::paused) {
  auto sleeper = spawn(co_invoke([]() -> task<void> { co_await sleep_for(10s); }));
  co_await settle();
  EXPECT_FALSE(sleeper.done());
  co_await advance(9s);
  EXPECT_FALSE(sleeper.done());
  co_await advance(1s);
  EXPECT_TRUE(sleeper.done());
  EXPECT_EQ(now(), time_point{10s});
}

CO_TEST(CoTestTest, StartsAtTimeZeroAgainFirst) {
  EXPECT_EQ(now(), time_point{});
  co_await sleep_for(1s);
}
CO_TEST(CoTestTest, StartsAtTimeZeroAgainAfterThat) {
  EXPECT_EQ(now(), time_point{});
  co_await yield();
}

// -- what runs when something fails -----------------------------------------------------------------------------------

TEST(CoTestTest, AFaultLeavesOutWhatItShouldAndTheNextTestStartsClean) {
  std::string all;
  for (const std::string fault : {"nothing",
                                  "constructor throws",
                                  "constructor asserts",
                                  "constructor expects",
                                  "constructor fails fatally",
                                  "constructor skips",
                                  "SetUp throws",
                                  "SetUp asserts",
                                  "SetUp expects",
                                  "SetUp fails fatally",
                                  "SetUp skips plainly",
                                  "CoSetUp throws",
                                  "CoSetUp asserts",
                                  "CoSetUp fails fatally",
                                  "CoSetUp skips",
                                  "CoSetUp skips plainly",
                                  "CoSetUp waits",
                                  "body throws",
                                  "body asserts",
                                  "body skips",
                                  "body waits",
                                  "CoTearDown throws",
                                  "CoTearDown waits",
                                  "TearDown throws",
                                  "body throws and TearDown too"}) {
    const child_run run = run_subject("--gtest_filter=Parts*.*", "SUBJECT_FAULT='" + fault + "'");
    EXPECT_THAT(run.text, HasSubstr("[       OK ] PartsAfter.RunClean")) << fault;
    all += "-- " + fault + '\n' + report_of(run) + '\n';
  }
  expect_approved("Parts", all);
}

// What it owns outlives the tasks, and is judged all the same.
TEST(CoTestTest, AFixtureIsJudgedToItsEnd) {
  expect_approved("Owns", report_of(run_subject("--gtest_filter=Owns*.*")));
  const child_run correct = run_subject("--gtest_filter=Owns*.*-*.InABody*", "SUBJECT_CORRECT=1");
  EXPECT_EQ(correct.end, "");
  EXPECT_THAT(correct.text, Not(HasSubstr("FAILED")));
}

// GoogleTest calls them through its own class.
class PlainPartsThatArePrivate : public testing::Test {
 public:
  ~PlainPartsThatArePrivate() override { EXPECT_EQ(calls_, "SetUp body TearDown"); }

 protected:
  std::string calls_;

 private:
  void SetUp() override { calls_ = "SetUp"; }
  void TearDown() override { calls_ += " TearDown"; }
};
CO_TEST_F(PlainPartsThatArePrivate, AreCalled) {
  co_await yield();
  calls_ += " body";
}

}  // namespace
}  // namespace lockstep
