#include "child.hpp"

#include <lockstep/testing/testing.hpp>

#include <gmock/gmock.h>

#include <string>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

const std::string one_test = "--gtest_filter=Assert.FailsPlainly ";

// How often the subject's test told that it runs.
int runs_of(const std::string& test, const std::string& flags = "", const std::string& environment = "") {
  return count_of("draws", run_subject("--gtest_filter=Layers." + test + " " + flags, environment).text);
}

TEST(OptionsTest, EachLayerOverridesTheOneBefore) {
  EXPECT_EQ(runs_of("OfTheFixture"), 2);
  EXPECT_EQ(runs_of("OfTheTest"), 3);
  EXPECT_EQ(runs_of("OfTheTest", "", "LOCKSTEP_RUNS=4"), 4);
  EXPECT_EQ(runs_of("OfTheTest", "--lockstep_runs=5", "LOCKSTEP_RUNS=4"), 5);
  EXPECT_EQ(runs_of("OfTheTest", "--lockstep_runs=5 --lockstep_runs=2"), 2);
  EXPECT_EQ(runs_of("OfTheTest", "", "LOCKSTEP_RUNS="), 3);
}

TEST(OptionsTest, UnsetFieldsLeaveTheEarlierLayer) {
  options of_fixture;
  of_fixture.steps_max = 10;
  of_fixture.time_max = 1s;
  options of_test;
  of_test.steps_max = 20;
  const options all = effective_options(of_fixture, of_test);
  EXPECT_EQ(all.steps_max, 20u);
  EXPECT_EQ(all.time_max, 1s);
  EXPECT_EQ(all.seed, 1u);
}

TEST(OptionsTest, EveryFieldHasADefault) {
  const options all = effective_options({}, {});
  EXPECT_EQ(all.schedule, schedule::plain);
  EXPECT_EQ(all.seed, 1u);
  EXPECT_EQ(all.runs, 1u);
  EXPECT_EQ(all.order, ordering::any_order);
  EXPECT_EQ(all.clock, clock_mode::jumping);
  EXPECT_EQ(all.steps_max, 1'000'000u);
  EXPECT_EQ(all.time_max, 366 * 24h);
  EXPECT_EQ(all.real_time_max, 60s);
  EXPECT_EQ(all.fail_on_slow_step, false);
  EXPECT_EQ(all.check_determinism, false);
  EXPECT_EQ(all.cancel_every, false);
  EXPECT_EQ(all.fail_alloc_every, false);
  EXPECT_EQ(all.destroy_every, false);
  EXPECT_EQ(all.sweep_max, 10'000u);
  ASSERT_TRUE(all.weights);
  EXPECT_EQ(all.weights->urw, sample_weights().urw);
}

TEST(OptionsTest, SeveralRunsAreRandomUnlessAScheduleWasChosen) {
  options several;
  several.runs = 2;
  EXPECT_EQ(effective_options(several, {}).schedule, schedule::random);
  EXPECT_EQ(effective_options({}, several).schedule, schedule::random);
  options plain;
  plain.schedule = schedule::plain;
  EXPECT_EQ(effective_options(plain, several).schedule, schedule::plain);
  EXPECT_EQ(effective_options(several, plain).schedule, schedule::plain);
  const std::string lost = "--gtest_filter=Replay.LosesAnUpdateInSomeOrders";
  EXPECT_THAT(run_subject(lost).text, HasSubstr("in run 3 of 100\n"));
  EXPECT_EQ(run_subject(lost, "LOCKSTEP_SCHEDULE=plain").end, "");
  EXPECT_EQ(run_subject(lost + " --lockstep_schedule=plain").end, "");
}

TEST(OptionsTest, AKnobHasOneNameAsAFlagAndAsAVariable) {
  const std::string token = "ls1:a09a:random-7/fifo:";
  EXPECT_THAT(run_subject(one_test + "--lockstep_schedule=random --lockstep_seed=7 --lockstep_order=fifo").text,
              HasSubstr(token));
  EXPECT_THAT(run_subject(one_test, "LOCKSTEP_SCHEDULE=random LOCKSTEP_SEED=7 LOCKSTEP_ORDER=fifo").text,
              HasSubstr(token));

  const std::string sleeps = "--gtest_filter=Verdict.TimeLimit ";
  EXPECT_THAT(run_subject(sleeps + "--lockstep_clock=paused").text, HasSubstr("the clock is paused"));
  EXPECT_THAT(run_subject(sleeps, "LOCKSTEP_CLOCK=paused").text, HasSubstr("the clock is paused"));
  EXPECT_THAT(run_subject(sleeps + "--lockstep_time_max=250min").text, HasSubstr("passed 4 h 10 min (time_max)"));
  EXPECT_THAT(run_subject(sleeps, "LOCKSTEP_TIME_MAX=3h").text, HasSubstr("passed 3 h (time_max)"));

  const std::string yields = "--gtest_filter=Verdict.Livelock ";
  EXPECT_THAT(run_subject(yields + "--lockstep_steps_max=7").text,
              HasSubstr("more than 7 steps were made (steps_max)"));
  EXPECT_THAT(run_subject(yields, "LOCKSTEP_STEPS_MAX=8").text, HasSubstr("more than 8 steps were made (steps_max)"));

  const std::string blocks = "--gtest_filter=Watched.StepAtTheEnd --lockstep_slow_step=1ms ";
  EXPECT_EQ(run_subject(blocks + "--lockstep_fail_on_slow_step").end, "exit status 1\n");
  EXPECT_EQ(run_subject(blocks, "LOCKSTEP_FAIL_ON_SLOW_STEP=1").end, "exit status 1\n");
  EXPECT_EQ(run_subject(blocks + "--lockstep_fail_on_slow_step=false", "LOCKSTEP_FAIL_ON_SLOW_STEP=1").end, "");

  EXPECT_EQ(runs_of("OfTheFixture", "--lockstep_check_determinism"), 4);
  EXPECT_EQ(runs_of("OfTheFixture", "", "LOCKSTEP_CHECK_DETERMINISM=true"), 4);
}

TEST(OptionsTest, ABadValueIsNamedTogetherWithItsSpellingAndTheRemedy) {
  const auto said = [](const std::string& flags, const std::string& environment = "") {
    const child_run run = run_subject(one_test + flags, environment);
    EXPECT_EQ(run.end, "exit status 2\n");
    EXPECT_THAT(run.text, Not(HasSubstr("[ RUN")));
    return run.text.substr(run.text.find("lockstep:"));
  };
  EXPECT_EQ(said("--lockstep_schedule=fair"),
            "lockstep: --lockstep_schedule is \"fair\", which is none of plain, round_robin, random\n");
  EXPECT_EQ(said("", "LOCKSTEP_SCHEDULE=fair"),
            "lockstep: LOCKSTEP_SCHEDULE is \"fair\", which is none of plain, round_robin, random\n");
  EXPECT_EQ(said("--lockstep_seed=-1"),
            "lockstep: --lockstep_seed is \"-1\", which is no whole number of 64 bits; write it in decimal digits\n");
  EXPECT_EQ(said("--lockstep_steps_max=99999999999999999999"),
            "lockstep: --lockstep_steps_max is \"99999999999999999999\", which is no whole number of 64 bits; write it "
            "in decimal digits\n");
  EXPECT_EQ(said("--lockstep_runs=0"),
            "lockstep: --lockstep_runs is \"0\", which would prove nothing; at least 1 run is needed\n");
  EXPECT_EQ(
      said("", "LOCKSTEP_TIME_MAX=5"),
      "lockstep: LOCKSTEP_TIME_MAX is \"5\", which is no length of time; write a whole number with ns, us, ms, s, "
      "min or h, such as 250ms\n");
  EXPECT_EQ(said("--lockstep_time_max=2562048h"),
            "lockstep: --lockstep_time_max is \"2562048h\", which is too long; the longest is 2562047h\n");
  EXPECT_EQ(
      said("--lockstep_time_max=99999999999999999999ns"),
      "lockstep: --lockstep_time_max is \"99999999999999999999ns\", which is too long; the longest is 2562047h\n");
  EXPECT_EQ(said("--lockstep_check_determinism=maybe"),
            "lockstep: --lockstep_check_determinism is \"maybe\", which is neither true nor false; write 1 or 0\n");
  EXPECT_EQ(said("--lockstep_weights=urw:1,luck:2"),
            "lockstep: --lockstep_weights is \"urw:1,luck:2\", where \"luck\" is none of urw, pos, uniform, pct, "
            "coverage\n");
  for (const std::string bad :
       {"40", "urw", "urw:", "urw:x", "urw:-1", "urw:1;pos:2", "urw:1,", "urw:1000001", "1:urw"}) {
    EXPECT_EQ(said("'--lockstep_weights=" + bad + "'"),
              "lockstep: --lockstep_weights is \"" + bad +
                  "\", which is no list of weights; write them as urw:60,pos:40, each up to 1000000\n");
  }
  EXPECT_EQ(said("--lockstep_weights=urw:10,pos:5,urw:20"),
            "lockstep: --lockstep_weights is \"urw:10,pos:5,urw:20\", where \"urw\" stands twice\n");
  EXPECT_EQ(said("--lockstep_weights=urw:0"),
            "lockstep: --lockstep_weights is \"urw:0\", which leaves nobody to make a sample; one weight at least must "
            "be above 0\n");
  for (const std::string bad : {"-1", "1025", "many"}) {
    EXPECT_THAT(said("--lockstep_jobs=" + bad), HasSubstr("; it is 0 to 1024\n"));
  }
  EXPECT_EQ(said("--lockstep_explore 50"),
            "lockstep: --lockstep_explore is followed by \"50\", which nobody reads; a value stands behind a \"=\": "
            "--lockstep_explore=50\n");
  EXPECT_EQ(said("--lockstep_explore=10 000"),
            "lockstep: --lockstep_explore=10 is followed by \"000\", which nobody reads; a number has no blanks: "
            "--lockstep_explore=10000\n");
  EXPECT_EQ(said("--lockstep_out=found"),
            "lockstep: --lockstep_out is for --lockstep_seeds=FIRST:END, which is not there\n");
  EXPECT_EQ(
      said("--lockstep_explore --lockstep_runs=5"),
      "lockstep: --lockstep_runs is for tests that are not explored; how many runs a search makes is the value of "
      "--lockstep_explore\n");
  EXPECT_EQ(said("--lockstep_explore --lockstep_schedule=random"),
            "lockstep: --lockstep_schedule is for tests that are not explored; what a search makes its samples by is "
            "--lockstep_weights\n");
  EXPECT_EQ(said("--lockstep_runs"), "lockstep: --lockstep_runs needs a value: --lockstep_runs=NUMBER\n");
}

TEST(OptionsTest, NoRunsAreRefusedInTheCodeToo) {
  const child_run of_test = run_subject("--gtest_filter=Layers.OfNoRun");
  EXPECT_EQ(of_test.end, "exit status 1\n");
  EXPECT_THAT(of_test.text, HasSubstr("runs is 0 in the options behind the test's name, which would prove nothing; at "
                                      "least 1 run is needed\n"));
  EXPECT_EQ(count_of("draws", of_test.text), 0);
  const child_run of_fixture = run_subject("--gtest_filter=NoLayers.OfTheFixture");
  EXPECT_EQ(of_fixture.end, "exit status 1\n");
  EXPECT_THAT(of_fixture.text, HasSubstr("runs is 0 in the fixture's lockstep_options(), which"));
  EXPECT_EQ(runs_of("OfNoRun", "--lockstep_runs=2"), 2);
}

TEST(OptionsTest, AFlagWithOtherDashesIsRefused) {
  for (const std::string flag : {"-lockstep_runs", "--lockstep-runs", "-lockstep-runs", "--lockstep-run"}) {
    const child_run run = run_subject(one_test + flag + "=5");
    EXPECT_EQ(run.end, "exit status 2\n");
    EXPECT_THAT(run.text, HasSubstr("lockstep: there is no flag " + flag + "; did you mean --lockstep_runs?"));
  }
  EXPECT_EQ(run_subject("--gtest_filter=PartsAfter.* lockstep-runs ---lockstep -other").end, "") << "others' business";
}

TEST(OptionsTest, AnUnknownFlagIsRefusedWithTheNearestOne) {
  const child_run run = run_subject(one_test + "--lockstep_step_max=5");
  EXPECT_EQ(run.end, "exit status 2\n");
  EXPECT_THAT(run.text, HasSubstr("lockstep: there is no flag --lockstep_step_max; did you mean --lockstep_steps_max? "
                                  "--help lists them all\n"));
}

TEST(OptionsTest, AnUnknownVariableIsWarnedOfOnceWithTheNearestOne) {
  const std::string passes = "--gtest_filter=PartsAfter.* --gtest_repeat=2";
  const child_run run = run_subject(passes, "LOCKSTEP_STEP_MAX=5 LOCKSTEP_RUN=");
  EXPECT_EQ(run.end, "");
  EXPECT_EQ(count_of("lockstep: warning: there is no variable LOCKSTEP_STEP_MAX, which is \"5\"; did you mean "
                     "LOCKSTEP_STEPS_MAX? --help lists the flags, each of which is a variable\n",
                     run.text),
            1)
      << run.text;
  EXPECT_THAT(run.text, HasSubstr("no variable LOCKSTEP_RUN, which is \"\"; did you mean LOCKSTEP_RUNS?"));
  EXPECT_EQ(count_of("warning", run.text), 2);
  // On standard error, so that nobody's output changes.
  EXPECT_THAT(run_command("LOCKSTEP_STEP_MAX=5 ./testing_subject " + passes + " 2>/dev/null").text,
              Not(HasSubstr("warning")));
}

TEST(OptionsTest, NoVariableThatIsReadIsWarnedOf) {
  const std::string ours =
      "LOCKSTEP_SCHEDULE=random LOCKSTEP_SEED=1 LOCKSTEP_RUNS=1 LOCKSTEP_ORDER=fifo LOCKSTEP_CLOCK=jumping "
      "LOCKSTEP_STEPS_MAX=99 LOCKSTEP_TIME_MAX=1h LOCKSTEP_REAL_TIME_MAX=0 LOCKSTEP_FAIL_ON_SLOW_STEP=0 "
      "LOCKSTEP_CHECK_DETERMINISM=1 LOCKSTEP_CANCEL_EVERY=0 LOCKSTEP_FAIL_ALLOC_EVERY=0 LOCKSTEP_DESTROY_EVERY=0 "
      "LOCKSTEP_SWEEP_MAX=9 LOCKSTEP_REPLAY= LOCKSTEP_APPROVE=1 ";
  const child_run run = run_subject("--gtest_filter=PartsAfter.*", ours + "OTHERS_LOCKSTEP_RUN=1 LOCKSTEPPED=1");
  EXPECT_EQ(run.end, "");
  EXPECT_THAT(run.text, Not(HasSubstr("warning")));
}

TEST(OptionsTest, HelpShowsTheFlagsBehindThoseOfGoogleTest) {
  const child_run run = run_subject("--help");
  EXPECT_EQ(run.end, "");
  EXPECT_THAT(run.text, HasSubstr("--gtest_filter="));
  const std::size_t ours = run.text.find("lockstep's flags");
  ASSERT_NE(ours, std::string::npos);
  expect_approved("help", run.text.substr(ours));
}

TEST(OptionsTest, GoogleTestTakesNoOffenceAtTheFlags) {
  const std::string flags = "--lockstep_runs=2 --gtest_filter=PartsAfter.* --lockstep_seed=3 ";
  EXPECT_EQ(run_subject(flags).end, "");
  EXPECT_THAT(run_subject(flags + "--gtest_list_tests").text, HasSubstr("PartsAfter.\n  RunClean\n"));
  EXPECT_THAT(run_subject(flags + "--gtest_list_tests --gtest_filter=*").text, Not(HasSubstr("flag_reader")));
}

}  // namespace
}  // namespace lockstep
