#include <lockstep/testing/power_cut.hpp>

#include "child.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace lockstep::detail {
namespace {

using testing::HasSubstr;
using testing::Not;

std::variant<std::monostate, power_cut, std::string> read_cut(const std::string& text) {
  return power_cut_of(std::get<token>(parse_token(text)));
}

TEST(PowerCutTest, IsReadFromTheTokenThatItIsWrittenTo) {
  const power_cut cut{4, "mine, with a #", 2, {{0, 17, 1, 1}, {0, 17, 3, 2}, {2, 5, 1, 1}}};
  const std::string text = to_text(token_of(cut, 0x12c1));
  EXPECT_EQ(text,
            "ls1:12c1:plain:power_cut-mine%2c%20with%20a%20%23#4=2,lost-17#1=1,lost-17#3=2,lost-5-of_disk-3#1=1:;");
  EXPECT_EQ(std::get<power_cut>(read_cut(text)), cut);
}

TEST(PowerCutTest, IsNoneInATokenOfSomethingElse) {
  EXPECT_TRUE(std::holds_alternative<std::monostate>(read_cut("ls1:12c1:plain:1@3>2,jitter#2=40;")));
}

TEST(PowerCutTest, IsNoDecisionOfTheTestItself) {
  const token both = std::get<token>(parse_token("ls1:12c1:plain:jitter#2=40,power_cut-weakest#3=1,lost-1#1=1:;"));
  EXPECT_EQ(to_text(without_power_cut(both)), "ls1:12c1:plain:jitter#2=40:;");
  const std::string of_labels = "ls1:12c1:plain:lost-1#1=1,lost-letters#1=1:;";
  EXPECT_EQ(to_text(without_power_cut(std::get<token>(parse_token(of_labels)))), of_labels);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(read_cut(of_labels)));
}

TEST(PowerCutTest, SaysWhatIsWrongWithATokenByHand) {
  EXPECT_EQ(std::get<std::string>(read_cut("ls1:12c1:plain:power_cut-weakest#1=1,power_cut-weakest#2=1;")),
            "it has two power cuts");
  for (const char* each : {"lost-", "lost-x", "lost-1x", "lost-1-of_disk-0", "lost-1-of_disk-"}) {
    EXPECT_THAT(std::get<std::string>(read_cut(std::string("ls1:12c1:plain:power_cut-weakest#1=1,") + each + "#1=1;")),
                HasSubstr("is no change of a disk"));
  }
}

// -- in a process of its own ------------------------------------------------------------------------------------------

TEST(PowerCutTest, IsMadeAgainAloneByTheLineThatTheSweepPrints) {
  const std::string report = report_of(run_subject("--gtest_filter=PowerCut.BreaksUpAPair"));
  const std::string found =
      report.substr(report.find("the check fails"), report.find("\nand then") - report.find("the check fails"));
  EXPECT_THAT(report, HasSubstr("in the model weakest; lost:\n  name one in / on /log\nand then (check "));
  EXPECT_GT(count_of("a check\n", report), 3);
  const std::string line = line_that_repeats(report);
  EXPECT_THAT(line, testing::MatchesRegex("LOCKSTEP_REPLAY='ls1:[0-9a-f]+:plain:power_cut-weakest#3=1,"
                                          "lost-[0-9]+-of_disk-2#1=1:;' ./testing_subject "
                                          "--gtest_filter=PowerCut.BreaksUpAPair"));
  const child_run again = run_command(line);
  EXPECT_EQ(again.end, "exit status 1\n");
  EXPECT_EQ(count_of("a check\n", again.text), 1);
  EXPECT_THAT(again.text, HasSubstr(found + "\nand then (check 1 of the sweep)"));
  EXPECT_THAT(again.text, HasSubstr("\nrepeat: " + line + "\n"));
}

TEST(PowerCutTest, IsMadeAgainInATestThatIsACoroutine) {
  const std::string report = report_of(run_subject("--gtest_filter=PowerCut.BreaksUpAPairWithinARun"));
  const child_run again = run_command(line_that_repeats(report));
  EXPECT_EQ(again.end, "exit status 1\n");
  EXPECT_EQ(count_of("a check\n", again.text), 1) << again.text;
  EXPECT_THAT(again.text, HasSubstr("lost:\n  name one in / on /log\nand then (check 1 of the sweep)"));
  EXPECT_THAT(again.text, Not(HasSubstr("departed")));
}

std::string replay_of(const std::string& cut) {
  const std::string name = "PowerCut.IsBorne";
  const std::string text = fmt::format("ls1:{:04x}:plain:{};", test_hash(name), cut);
  return report_of(run_subject("--gtest_filter=" + name, "LOCKSTEP_REPLAY='" + text + "'"));
}

TEST(PowerCutTest, MayBeWrittenByHand) {
  EXPECT_THAT(
      replay_of("power_cut-weakest#5=1,lost-3#1=1"),
      HasSubstr(
          "replayed: the check passes where the power is cut at the end of the workload, in the model weakest\n"));
}

// Never as if it had been made and had passed.
TEST(PowerCutTest, IsMissedWhereTheSweepHasNone) {
  EXPECT_THAT(replay_of("power_cut-weakest#6=1"),
              HasSubstr("departed replay: this sweep has no such power cut: it cuts the power 5 times, not 6;"));
  EXPECT_THAT(replay_of("power_cut-weakest#3=2"),
              HasSubstr("no such power cut: the model \"weakest\" is none of its `models`, or not so often;"));
  EXPECT_THAT(replay_of("power_cut-weakest#3=1,lost-99#1=1"), HasSubstr("there is no change 99 that could be lost"));
  EXPECT_THAT(replay_of("power_cut-weakest#3=1,lost-1-of_disk-2#1=1"),
              HasSubstr("there is no change 1 that could be lost"));
  EXPECT_THAT(replay_of("power_cut-weakest#3=1,lost-1-of#1=1"),
              HasSubstr("replay refused: \"lost-1-of\" is no change of a disk"));
  EXPECT_THAT(
      report_of(
          run_subject("--gtest_filter=PowerCut.IsBorne", "LOCKSTEP_REPLAY='ls1:0000:plain:power_cut-weakest#3=1;'")),
      HasSubstr("replay refused: the token \"ls1:0000:plain:power_cut-weakest#3=1;\" is of another test (0000;"));
}

}  // namespace
}  // namespace lockstep::detail
