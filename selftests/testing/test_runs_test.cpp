#include <lockstep/testing/test_runs.hpp>

#include "../sim/captured.hpp"
#include "child.hpp"

#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace lockstep::detail {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
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

// -- looking at the network -------------------------------------------------------------------------------------------

const std::string greets = "--gtest_filter=Network.Greets ";

TEST(TestRunsTest, PrintsTheCallsAndPacketsOfARun) {
  expect_approved("Network.trace", report_of(run_subject(greets + "--lockstep_network_trace")));
  expect_approved("Network.trace", report_of(run_subject(greets, "LOCKSTEP_NETWORK_TRACE=1")));
  EXPECT_THAT(run_subject(greets).text, Not(HasSubstr("connect(")));
}

TEST(TestRunsTest, PrintsThemOfEachRunThatIsNoPartOfASearch) {
  const std::string prints = greets + "--lockstep_network_trace ";
  EXPECT_EQ(count_of("client  connect(", run_subject(prints + "--lockstep_runs=3").text), 3);
  EXPECT_EQ(count_of("client  connect(", run_subject(prints + "--lockstep_explore=20").text), 1);
}

TEST(TestRunsTest, KeepsThePacketsOfTheLastRunInAFile) {
  const sim::captured_file kept("TestRuns.greets");
  EXPECT_EQ(run_subject(greets + "--lockstep_runs=3 --lockstep_capture=" + kept.path).end, "");
  const std::string packets = sim::text_of_capture(kept.path);
  expect_approved("Network.packets", packets);
  if (!run_command("command -v tshark > /dev/null").end.empty()) {
    std::puts("there is no tshark, which would say more");
    return;
  }
  const std::string lengths = "exec tshark -r '" + kept.path + "' -T fields -e tcp.len 2> /dev/null";
  EXPECT_EQ(run_command(lengths).text, "0\n0\n0\n3\n0\n10\n0\n0\n0\n0\n");
}

TEST(TestRunsTest, RefusesAFileForPacketsThatCannotBeWritten) {
  const std::string flag = "--lockstep_capture=/no/such/folder/run.pcapng";
  const child_run refused = run_subject(greets + flag + " --lockstep_runs=3");
  EXPECT_EQ(refused.end, "exit status 1\n");
  expect_approved("Network.capture-refused", report_of(refused));
  EXPECT_EQ(count_of("capture refused", refused.text), 1);
  const child_run replayed = run_subject("--gtest_filter=*Overdraws* " + flag);
  EXPECT_THAT(replayed.text, HasSubstr("capture refused: \"/no/such/folder/run.pcapng\""));
}

}  // namespace
}  // namespace lockstep::detail
