#include <lockstep/testing/test_runs.hpp>

#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lockstep::detail {
namespace {

using testing::EndsWith;
using testing::StartsWith;

TEST(TestRunsTest, NamesTheTestThatRuns) { EXPECT_EQ(full_name(), "TestRunsTest.NamesTheTestThatRuns"); }

TEST(TestRunsTest, TheLineThatRepeatsARunCanBePasted) {
  token replay;
  replay.test = test_hash(full_name());
  replay.task_overrides.push_back({"1", 2, "2"});
  const std::string line = repeat_line(replay);
  EXPECT_THAT(line, StartsWith("repeat: LOCKSTEP_REPLAY='" + to_text(replay) + "' "));
  EXPECT_THAT(line, EndsWith(" --gtest_filter=TestRunsTest.TheLineThatRepeatsARunCanBePasted"));
}

// What a search makes of it.
class counting final : public test_instance {
 public:
  explicit counting(bool fails) : fails_(fails) {}
  task<void> run_all() override {
    int count = 0;
    const auto add = [&count](int by) -> task<void> {
      count = 2 * count + by;
      co_return;
    };
    co_await when_all(add(1), add(2));
    if (fails_) {
      EXPECT_EQ(count, 4);
    }
  }
  void tear_down_after_failure() override {}

 private:
  bool fails_;
};

TEST(TestRunsTest, ARunOfASearchTellsHowItFailed) {
  for (const bool fails : {false, true}) {
    test_plan plan;
    plan.make = [fails] { return std::make_unique<counting>(fails); };
    const options knobs = effective_options({}, {});
    test_runner runner(plan, knobs);
    class second_first final : public oracle {
     public:
      std::size_t pick_task(const candidates& from) override { return from.size() - 1; }
      std::uint64_t pick_value(choice_point, std::uint64_t) override { return 0; }
    } backwards;
    const run_result result = runner.make_for_search(backwards, ordering::any_order);
    EXPECT_EQ(result.failed, fails);
    EXPECT_EQ(result.signature.find("assertion at "), fails ? 0u : std::string::npos) << result.signature;
    EXPECT_NE(runner.trace_hash(), 0u);
  }
}

}  // namespace
}  // namespace lockstep::detail
