// Tests that fail on purpose: which parts of a fixture run when another fails. Run by the test of co_test.
#include <lockstep/testing/testing.hpp>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

// Which part of the fixture fails, and how: "SetUp throws".
std::string_view fault() {
  const char* text = std::getenv("SUBJECT_FAULT");
  return text == nullptr ? "" : text;
}

// What a part of a fixture does: tells that it runs, and fails if it is to.
void part(const std::string& name) {
  std::printf("%s\n", name.c_str());
  if (fault() == name + " throws") throw std::runtime_error("thrown by " + name);
  if (fault() == name + " expects") {
    EXPECT_TRUE(false) << name;
  }
  if (fault() == name + " asserts") {
    CO_ASSERT_TRUE(false) << name;
  }
  if (fault() == name + " skips") {
    CO_SKIP() << name;
  }
  // As GoogleTest's own does, which returns.
  if (fault() == name + " skips plainly") GTEST_MESSAGE_("", testing::TestPartResult::kSkip) << name;
  const auto fail_fatally = [] { GTEST_FAIL(); };
  if (fault() == name + " fails fatally") fail_fatally();
}
task<void> awaiting_part(std::string name) {
  co_await sleep_for(1s);
  part(name);
  if (fault() == name + " waits") co_await sleep_until(time_point::max());
  co_await sleep_for(1s);
}

class Parts : public testing::Test {
 protected:
  Parts() { part("constructor"); }
  ~Parts() override { std::printf("destructor\n"); }
  void SetUp() override { part("SetUp"); }
  void TearDown() override {
    part("TearDown");
    if (fault() == "body throws and TearDown too") throw std::runtime_error("thrown by TearDown");
  }
  task<void> CoSetUp() { return awaiting_part("CoSetUp"); }
  task<void> CoTearDown() { return awaiting_part("CoTearDown"); }
};

CO_TEST_F(Parts, Run) {
  co_await awaiting_part("body");
  if (fault().starts_with("body throws")) throw std::runtime_error("thrown by body");
}

// Tells how often it runs, and with which luck; on standard error, which is not muted.
task<void> tell(int& runs) {
  co_await yield();
  std::fprintf(stderr, "run %d draws %d\n", ++runs, random_int("dice", 1, 1000));
}

class Layers : public testing::Test {
 public:
  static options lockstep_options() {
    options of_fixture;
    of_fixture.runs = 2;
    return of_fixture;
  }

 protected:
  static inline int runs = 0;
};
CO_TEST_F(Layers, OfTheFixture) { co_await tell(runs); }
CO_TEST_F(Layers, OfTheTest, .runs = 3) { co_await tell(runs); }
CO_TEST_F(Layers, OfTheTestThatChoosesPlain, .schedule = schedule::plain, .runs = 3) { co_await tell(runs); }
CO_TEST_F(Layers, OfNoRun, .runs = 0) { co_await tell(runs); }

class NoLayers : public Layers {
 public:
  static options lockstep_options() { return {.runs = 0}; }
};
CO_TEST_F(NoLayers, OfTheFixture) { co_await tell(runs); }

// Whatever went before, this one finds all as it should be.
CO_TEST(PartsAfter, RunClean) {
  co_await sleep_for(1s);
  EXPECT_EQ(now(), time_point{1s});
}

}  // namespace
}  // namespace lockstep
