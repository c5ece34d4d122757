#include <lockstep/explore/replay.hpp>

#include "../runtime/judged_run.hpp"
#include "some_candidates.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

// What a run under a token came to.
struct replayed_run {
  std::uint64_t trace_hash = 0;
  token made;  // the same token with this run's fingerprint
  std::optional<std::string> departed;
};

template <class F>
replayed_run run_under(const token& of, F make) {
  guided_oracle choices(of);
  sim::world_options how;
  how.choices = &choices;
  how.order = of.order;
  const judged_run run = judge(make, how);
  EXPECT_EQ(run.messages() + run.failure, "");
  replayed_run result;
  result.trace_hash = run.summary.trace_hash;
  result.made = of;
  result.made.print = choices.print(run.summary.trace_hash);
  result.departed = choices.departure(run.summary.trace_hash);
  return result;
}

token token_in(const std::string& text) { return std::get<token>(parse_token(text)); }

token random_token(std::uint64_t seed) {
  token made;
  made.base = schedule::random;
  made.seed = seed;
  return made;
}

// Three tasks that take turns, draw values and sleep; `rounds` times each. `order` tells what they did.
struct numbered_program {
  int rounds = 4;
  bool extra_yield = false;
  std::string order = {};

  task<void> work(char name) {
    for (int i = 0; i < rounds; ++i) {
      order += name;
      co_await yield();
      co_await sleep_for(random_duration("jitter", 0s, 2s));
    }
    if (extra_yield && name == 'c') co_await yield();
  }
  task<void> main() {
    auto a = spawn(work('a'));
    auto b = spawn(work('b'));
    auto c = spawn(work('c'));
    co_await a.join();
    co_await b.join();
    co_await c.join();
  }
};

TEST(ReplayTest, ARandomRunsTokenGivesTheSameRun) {
  for (const ordering order : {ordering::any_order, ordering::fifo}) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      token of = random_token(seed);
      of.order = order;
      numbered_program first;
      const replayed_run run = run_under(of, [&] { return first.main(); });
      EXPECT_EQ(run.departed, std::nullopt);

      numbered_program second;
      const token pasted = token_in(to_text(run.made));
      EXPECT_EQ(pasted, run.made);
      const replayed_run again = run_under(pasted, [&] { return second.main(); });
      EXPECT_EQ(again.departed, std::nullopt) << to_text(run.made);
      EXPECT_EQ(again.trace_hash, run.trace_hash);
      EXPECT_EQ(again.made, run.made);
      EXPECT_EQ(second.order, first.order);
    }
  }
}

TEST(ReplayTest, APlainTokenWithoutOverridesIsThePlainRun) {
  numbered_program plain;
  const std::uint64_t expected = judge([&] { return plain.main(); }).summary.trace_hash;
  numbered_program guided;
  const replayed_run run = run_under({}, [&] { return guided.main(); });
  EXPECT_EQ(run.trace_hash, expected);
  EXPECT_GT(run.made.print.choices, 0u);
}

TEST(ReplayTest, AnOracleThatIsNotAskedHasAnEmptyLog) {
  const guided_oracle unused{token{}};
  EXPECT_EQ(unused.print(0x12345), (fingerprint{0, "", "2345"}));
}

TEST(ReplayTest, ALogHasADigitAtEachCheckpoint) {
  numbered_program all;
  const fingerprint print = run_under(random_token(3), [&] { return all.main(); }).made.print;
  EXPECT_LE(checkpoint(print.digits.size() - 1), print.choices);
  EXPECT_GT(checkpoint(print.digits.size()), print.choices);
}

// Two tasks that take `steps` steps each, a and b.
std::string order_under(const std::string& text, int steps = 1, std::string* departed = nullptr) {
  std::string order;
  const auto work = [&order](char name, int times) -> task<void> {
    for (int i = 0; i < times; ++i) {
      order += name;
      co_await yield();
    }
  };
  const auto main = [&]() -> task<void> {
    auto a = spawn(work('a', steps));
    auto b = spawn(work('b', steps));
    co_await a.join();
    co_await b.join();
  };
  const replayed_run run = run_under(token_in(text), main);
  if (departed != nullptr) {
    *departed = run.departed.value_or("");
  } else {
    EXPECT_EQ(run.departed, std::nullopt) << text;
  }
  return order;
}

TEST(ReplayTest, AnOverrideFlipsOneDecision) {
  EXPECT_EQ(order_under("ls1:0000:plain;", 2), "abab");
  EXPECT_EQ(order_under("ls1:0000:plain:1@1>2;", 2), "baba");
  EXPECT_EQ(order_under("ls1:0000:plain:1@2>2;", 2), "abba");
}

// What a token says of its deviations, under the text of one; and what does not fit of it where the tasks make another
// step before.
std::string deviations_under(const std::string& text, int yields_of_a, int yields_of_b, std::string* misfit = nullptr) {
  mutex door;
  const auto work = [](mutex& in, int yields) -> task<void> {
    for (int i = 0; i < yields; ++i) co_await yield();
    auto entry = co_await in.lock();
  };
  const token of = token_in(text);
  guided_oracle choices(of);
  sim::world_options how;
  how.choices = &choices;
  const judged_run run = judge(
      [&]() -> task<void> {
        auto a = spawn(work(door, yields_of_a));
        auto b = spawn(work(door, yields_of_b));
        co_await a.join();
        co_await b.join();
      },
      how);
  EXPECT_EQ(run.failure, "");
  if (misfit != nullptr) *misfit = choices.misfit().value_or("");
  return choices.print(run.summary.trace_hash).deviations;
}

TEST(ReplayTest, ADeviationIsThatOfTheSameSteps) {
  const std::string at_the_door = deviations_under("ls1:0000:plain:1@2>2;", 0, 0);
  EXPECT_THAT(at_the_door, testing::MatchesRegex("04[0-9a-f]{2}00[0-9a-f]{2}"));
  const std::string both = deviations_under("ls1:0000:plain:1@1>2,2@2>1;", 0, 0);
  EXPECT_THAT(both, testing::MatchesRegex("00[0-9a-f]{2}00[0-9a-f]{2}04[0-9a-f]{2}00[0-9a-f]{2}"));
  EXPECT_EQ(deviations_under("ls1:0000:plain:7@1>8;", 0, 0), "");

  std::string misfit;
  const std::string kept = "ls1:0000:plain:1@2>2:3.412.0000." + at_the_door + ";";
  EXPECT_EQ(to_text(token_in(kept)), kept);
  deviations_under(kept, 0, 0, &misfit);
  EXPECT_EQ(misfit, "");
  deviations_under(kept, 0, 1, &misfit);  // behind what matters
  EXPECT_EQ(misfit, "");
  deviations_under(kept, 1, 1, &misfit);
  EXPECT_EQ(misfit, "step 2 of task 1 was \"mutex\" then, and is \"yield\" now");
  // Of the second, that is at the door when it runs instead.
  const std::string second = deviations_under("ls1:0000:plain:2@2>1,1@2>2;", 0, 0);
  const std::string of_second = "ls1:0000:plain:2@2>1,1@2>2:4.4123.0000." + second + ";";
  ASSERT_EQ(second.size(), 16u);
  deviations_under(of_second, 0, 0, &misfit);
  EXPECT_EQ(misfit, "");
}

TEST(ReplayTest, ADeviationOfAnotherLengthIsDamage) {
  EXPECT_THAT(std::get<std::string>(parse_token("ls1:0000:plain:1@2>2:3.412.0000.04c4;")), HasSubstr("is damaged"));
  EXPECT_THAT(std::get<std::string>(parse_token("ls1:0000:plain::3.412.0000.04c40028;")), HasSubstr("is damaged"));
}

TEST(ReplayTest, OverridesOfOneStepApplyOneAfterAnother) {
  EXPECT_EQ(order_under("ls1:0000:plain:1@1>2,1@1>2;", 3), "bbabaa");
  EXPECT_EQ(order_under("ls1:0000:plain:1@1>2,1@1>1;", 3), "bababa");
}

TEST(ReplayTest, AnOverrideStandsForWhatTheBaseWouldRun) {
  int flipped = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const std::string base = "ls1:0000:random-" + std::to_string(seed);
    const std::string order = order_under(base + ";", 3);
    if (order[0] != 'a') continue;
    ++flipped;
    EXPECT_THAT(order_under(base + ":1@1>2;", 3), StartsWith("b"));
    EXPECT_EQ(order_under(base + ":1@1>1;", 3), order);
  }
  EXPECT_GT(flipped, 5);
}

// The values drawn in "jitter" and in "page jitter".
std::vector<int> draws_under(const std::string& text, std::string* departed = nullptr) {
  std::vector<int> draws;
  const auto main = [&]() -> task<void> {
    for (int i = 0; i < 3; ++i) draws.push_back(random_int("jitter", 10, 19));
    draws.push_back(random_int("page jitter", 0, 9));
    co_return;
  };
  const replayed_run run = run_under(token_in(text), main);
  if (departed != nullptr) *departed = run.departed.value_or("");
  return draws;
}

TEST(ReplayTest, AValueOverrideChangesThatValueOnly) {
  EXPECT_EQ(draws_under("ls1:0000:plain;"), (std::vector<int>{10, 10, 10, 0}));
  EXPECT_EQ(draws_under("ls1:0000:plain:jitter#2=4,page%20jitter#1=9;"), (std::vector<int>{10, 14, 10, 9}));
  std::vector<int> random = draws_under("ls1:0000:random-5;");
  random[1] = 14;
  EXPECT_EQ(draws_under("ls1:0000:random-5:jitter#2=4;"), random);
}

TEST(ReplayTest, ATimerOfOneInstantIsOverriddenByThatInstant) {
  std::string order;
  const auto work = [&order](char name) -> task<void> {
    co_await sleep_for(5s);
    order += name;
  };
  const auto main = [&]() -> task<void> {
    auto a = spawn(work('a'));
    auto b = spawn(work('b'));
    auto c = spawn(work('c'));
    co_await a.join();
    co_await b.join();
    co_await c.join();
  };
  EXPECT_EQ(run_under(token_in("ls1:0000:plain/fifo:timers-5000000000#1=2;"), main).departed, std::nullopt);
  EXPECT_EQ(order, "cab");
}

TEST(ReplayTest, SaysWhichOverrideDoesNotFitAnyMore) {
  std::string departed;
  EXPECT_EQ(order_under("ls1:0000:plain:1@1>3;", 2, &departed), "abab");
  EXPECT_EQ(departed,
            "an override of the token does not fit any more: at choice 1 the task that should run instead is not "
            "ready");
  order_under("ls1:0000:plain:1@9>2,7@1>2;", 2, &departed);
  EXPECT_EQ(departed, "2 of the token's overrides never applied: the run does not come to that choice any more");
  EXPECT_EQ(draws_under("ls1:0000:plain:jitter#2=10;", &departed), (std::vector<int>{10, 10, 10, 0}));
  EXPECT_EQ(departed,
            "an override of the token does not fit any more: at choice 2 the value 10 is asked for, and there are only "
            "10 to choose from");
  draws_under("ls1:0000:plain:jitter#4=1;", &departed);
  EXPECT_EQ(departed, "1 of the token's overrides never applied: the run does not come to that choice any more");
}

// Runs of one task that overtakes another many times have one mark in the fingerprint, as they are one in the token.
TEST(ReplayTest, OverridesThatAreTheSameHaveOneMark) {
  const auto run = [](const token& of, operation_kind overtaken) {
    auto guided = std::make_unique<guided_oracle>(of);
    for (std::uint32_t step = 1; step <= 41; ++step) {
      const candidate waits{task_at("1"), 1, step <= 40 ? operation_kind::lock : overtaken, 7};
      guided->pick_task(some_candidates{
          waits, {task_at("2"), step, operation_kind::yield, 0}, {task_at("3"), 1, operation_kind::start, 0}});
    }
    return guided;
  };
  token of = std::get<token>(parse_token("ls1:0000:plain:1@1>2*40,1@1>3:;"));
  of.print = run(of, operation_kind::lock)->print(0);
  EXPECT_EQ(of.print.deviations.size(), 16u);
  of = token_in(to_text(of));
  EXPECT_EQ(run(of, operation_kind::lock)->misfit(), std::nullopt);
  EXPECT_EQ(run(of, operation_kind::yield)->misfit(), "step 1 of task 1 was \"mutex\" then, and is \"yield\" now");
}

// Asks for values of so many options each.
void ask(guided_oracle& choices, const std::vector<std::uint64_t>& options) {
  std::uint64_t nth = 0;
  for (const std::uint64_t each : options) choices.pick_value({1, ++nth}, each);
}

// How a run with `later` choices departs from the token of one with `before`.
std::string departure(const std::vector<std::uint64_t>& before, const std::vector<std::uint64_t>& later,
                      std::uint64_t trace_before = 1, std::uint64_t trace_later = 1) {
  guided_oracle first{token{}};
  ask(first, before);
  token of;
  of.print = first.print(trace_before);
  guided_oracle second(of);
  ask(second, later);
  return second.departure(trace_later).value_or("");
}

// `count` choices among 2, but 3 from the n-th on.
std::vector<std::uint64_t> choices_until(std::size_t count, std::size_t nth) {
  std::vector<std::uint64_t> options(count, 2);
  for (std::size_t i = nth - 1; i < count; ++i) options[i] = 3;
  return options;
}

TEST(ReplayTest, SaysAtWhichChoiceTheRunDeparted) {
  const std::vector<std::uint64_t> before(20, 2);
  EXPECT_EQ(departure(before, before), "");
  EXPECT_EQ(departure(before, choices_until(20, 1)), "it departed at choice 1 of 20");
  EXPECT_EQ(departure(before, choices_until(20, 4)), "it departed at choice 4 of 20");
  EXPECT_EQ(departure(before, choices_until(20, 5)), "it departed between choice 5 and choice 6 of 20");
  EXPECT_EQ(departure(before, choices_until(20, 11)), "it departed between choice 9 and choice 12 of 20");
}

TEST(ReplayTest, SaysWhetherTheRunMadeFewerOrMoreChoices) {
  const std::vector<std::uint64_t> thirteen(13, 2);
  EXPECT_EQ(departure(thirteen, std::vector<std::uint64_t>(7, 2)), "the run ended after choice 7, the token's had 13");
  EXPECT_EQ(departure(thirteen, std::vector<std::uint64_t>(12, 2)),
            "it departed after choice 12: the run made 12 choices, the token's 13");
  EXPECT_EQ(departure(thirteen, std::vector<std::uint64_t>(40, 2)),
            "it departed after choice 12: the run made 40 choices, the token's 13");
  EXPECT_EQ(departure({}, {2}), "it departed after choice 0: the run made 1 choices, the token's 0");
}

TEST(ReplayTest, SaysThatOnlyTheStepsBetweenTheChoicesDiffer) {
  EXPECT_EQ(departure({2, 2}, {2, 2}, 0x11234, 0x21234), "");
  EXPECT_EQ(departure({2, 2}, {2, 2}, 0x1234, 0x1235), "all 2 choices fit, but the steps between them are others");
  EXPECT_EQ(departure({}, {}, 0x1234, 0x1235), "it makes no choices, and its steps are others");
}

TEST(ReplayTest, ATokenWithoutAFingerprintNeverDeparts) {
  guided_oracle choices{token{}};
  ask(choices, {2, 2});
  EXPECT_EQ(choices.departure(7), std::nullopt);
}

// It may end before an override applies.
TEST(ReplayTest, ADisturbedRunNeedNotComeToEveryOverride) {
  token made;
  made.value_overrides = {{"jitter", 2, 1}};
  EXPECT_NE(guided_oracle(made).departure(7), std::nullopt);
  made.disturbed = {disturbance_kind::cancel, 1};
  EXPECT_EQ(guided_oracle(made).departure(7), std::nullopt);
}

TEST(ReplayTest, ATokenFromBeforeAnEditReplaysAsFarAsItFits) {
  int reordered = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    numbered_program before;
    const token of = run_under(random_token(seed), [&] { return before.main(); }).made;

    numbered_program more_rounds{.rounds = 5};
    const replayed_run longer = run_under(of, [&] { return more_rounds.main(); });
    EXPECT_NE(longer.departed, std::nullopt);

    // The edit is at the end of one task: what came before it is as it was.
    numbered_program edited{.extra_yield = true};
    const replayed_run run = run_under(of, [&] { return edited.main(); });
    ASSERT_NE(run.departed, std::nullopt);
    EXPECT_THAT(*run.departed, AnyOf(HasSubstr("departed"), HasSubstr("steps between them are others")));
    reordered += edited.order == before.order ? 0 : 1;
  }
  EXPECT_EQ(reordered, 0);
}

// What a token demands is one thing, and whether the run is the one it was taken of another.
TEST(ReplayTest, AMisfitIsAnOverrideThatCouldNotBeMade) {
  const auto misfit_of = [](const std::string& text) {
    guided_oracle choices(token_in(text));
    numbered_program all;
    EXPECT_EQ(judge([&] { return all.main(); }, {.choices = &choices}).messages(), "");
    return choices.misfit().value_or("none");
  };
  EXPECT_EQ(misfit_of("ls1:0000:plain:1@2>3:;"), "none");
  EXPECT_EQ(misfit_of("ls1:0000:plain:1@2>3,jitter#1=7:9.012345.abcd;"), "none");  // another fingerprint
  EXPECT_EQ(misfit_of("ls1:0000:plain:1@2>3,1@99>2:;"), "step 99 of task 1 never comes up beside another task");
  EXPECT_EQ(misfit_of("ls1:0000:plain:jitter#13=1:;"), "the question jitter#13 never comes up");
  EXPECT_THAT(misfit_of("ls1:0000:plain:1@2>7:;"), HasSubstr("the task that should run instead is not ready"));
  EXPECT_THAT(misfit_of("ls1:0000:plain:jitter#1=9000000000:;"), HasSubstr("the value 9000000000 is asked for"));
}

}  // namespace
}  // namespace lockstep
