#include <lockstep/testing/swept_fault.hpp>

#include "child.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>

namespace lockstep::detail {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::variant<std::monostate, swept_fault, std::string> read_fault(const std::string& text) {
  return swept_fault_of(std::get<token>(parse_token(text)));
}

TEST(SweptFaultTest, IsReadFromTheTokenThatItIsWrittenTo) {
  const swept_fault alone{"read at client (ECONNRESET)", 2, false};
  const std::string text = to_text(token_of(alone, 0x12c1));
  EXPECT_EQ(text, "ls1:12c1:plain:failed_call-read%20at%20client%20%28ECONNRESET%29#2=1:;");
  EXPECT_EQ(std::get<swept_fault>(read_fault(text)), alone);
  const swept_fault each_later{"open of /a,b (EIO)", 1, true};
  EXPECT_EQ(std::get<swept_fault>(read_fault(to_text(token_of(each_later, 1)))), each_later);
}

TEST(SweptFaultTest, IsNoneInATokenOfSomethingElse) {
  EXPECT_TRUE(std::holds_alternative<std::monostate>(read_fault("ls1:12c1:plain:1@3>2,jitter#2=40;")));
}

TEST(SweptFaultTest, IsNoDecisionOfTheTestItself) {
  const token both = std::get<token>(parse_token("ls1:12c1:plain:jitter#2=40,failed_call-read#3=1:;"));
  EXPECT_EQ(to_text(without_swept_fault(both)), "ls1:12c1:plain:jitter#2=40:;");
}

TEST(SweptFaultTest, SaysWhatIsWrongWithATokenByHand) {
  EXPECT_EQ(std::get<std::string>(read_fault("ls1:12c1:plain:failed_call-read#1=1,failed_call-read#2=1;")),
            "it has two calls that fail");
  EXPECT_EQ(std::get<std::string>(read_fault("ls1:12c1:plain:failed_call-read#1=3;")),
            "a call that fails has the value 1, or 2 for each later one as well, not 3");
}

// -- in a process of its own ------------------------------------------------------------------------------------------

TEST(SweptFaultTest, IsMadeAgainAloneByTheLineThatTheSweepPrints) {
  const std::string report = report_of(run_subject("--gtest_filter=SweptFault.IsNotBorneTheSecondTime"));
  const std::string where = "the body fails where call 2 of open at client (EIO), on / (run ";
  EXPECT_THAT(report, HasSubstr(where + "3 of the sweep):"));
  EXPECT_EQ(count_of("a run\n", report), 3);
  const std::string line = line_that_repeats(report);
  EXPECT_THAT(line, testing::MatchesRegex("LOCKSTEP_REPLAY='ls1:[0-9a-f]+:plain:"
                                          "failed_call-open%20at%20client%20%28EIO%29#2=1:;' ./testing_subject "
                                          "--gtest_filter=SweptFault.IsNotBorneTheSecondTime"));
  const child_run again = run_command(line);
  EXPECT_EQ(again.end, "exit status 1\n");
  EXPECT_EQ(count_of("a run\n", again.text), 1);
  EXPECT_THAT(again.text, AllOf(HasSubstr(where + "1 of the sweep):"), HasSubstr("\nrepeat: " + line + "\n")));
}

TEST(SweptFaultTest, MayBeEachLaterCallToo) {
  const std::string line = line_that_repeats(report_of(run_subject("--gtest_filter=SweptFault.IsBorneOnce")));
  EXPECT_THAT(line, HasSubstr("#1=2:;'"));
  const child_run again = run_command(line);
  EXPECT_EQ(again.end, "exit status 1\n");
  EXPECT_THAT(again.text, HasSubstr("where call 1 of open at client (EIO), on /, and each later one (run 1 of"));
}

TEST(SweptFaultTest, IsMadeAgainInATestThatIsACoroutine) {
  const std::string report = report_of(run_subject("--gtest_filter=SweptFault.IsNotBorneWithinARun"));
  const child_run again = run_command(line_that_repeats(report));
  EXPECT_EQ(again.end, "exit status 1\n");
  EXPECT_EQ(count_of("a run\n", again.text), 1) << again.text;
  EXPECT_THAT(again.text, AllOf(HasSubstr("where call 2 of open"), Not(HasSubstr("departed"))));
}

std::string replayed_call(const std::string& call) {
  const std::string name = "SweptFault.IsBorneOnce";
  const std::string text = fmt::format("ls1:{:04x}:plain:failed_call-{};", test_hash(name), call);
  return report_of(run_subject("--gtest_filter=" + name, "LOCKSTEP_REPLAY='" + text + "'"));
}

TEST(SweptFaultTest, MayBeWrittenByHand) {
  EXPECT_THAT(replayed_call("open%20at%20client%20(EIO)#2=1"),
              HasSubstr("replayed: the body passes where call 2 of open at client (EIO), on /\n"));
}

// Never as if it had been made and had passed.
TEST(SweptFaultTest, IsMissedWhereTheSweepHasNone) {
  EXPECT_THAT(replayed_call("open%20at%20client%20(EIO)#9=1"),
              HasSubstr("departed replay: this sweep has no such run: so many calls are not made;"));
  EXPECT_THAT(replayed_call("open%20(EIO)#1=1"),
              HasSubstr("no such run: its calls are those of open at client (EIO), not of open (EIO);"));
  EXPECT_THAT(replayed_call("open%20at%20client%20(EIO)#1=7"),
              HasSubstr("replay refused: a call that fails has the value 1, or 2"));
}

}  // namespace
}  // namespace lockstep::detail
