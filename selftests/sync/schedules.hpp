// For tests of primitives: the same test under many schedules, tasks that may be cancelled, objects that die too early.
#pragma once

#include "../runtime/judged_run.hpp"

#include <lockstep/explore/strategy.hpp>

#include <string>
#include <utility>

namespace lockstep {

// Runs `make()` as the main task in plain order, in round robin and in 200 random orders. None may have a verdict.
template <class F>
void under_every_schedule(F make) {
  constexpr std::uint64_t seeds = 200;
  const auto check = [&make](schedule strategy, std::uint64_t seed) {
    SCOPED_TRACE(std::string(name_of(strategy)) + " " + std::to_string(seed));
    const auto choices = make_oracle(strategy, seed);
    sim::world_options how;
    how.choices = choices.get();
    const judged_run run = judge(make, how);
    EXPECT_TRUE(run.ended);
    EXPECT_EQ(run.messages(), "");
    EXPECT_EQ(run.failure, "");
    return !testing::Test::HasFailure();
  };
  if (!check(schedule::plain, 0) || !check(schedule::round_robin, 0)) return;
  for (std::uint64_t seed = 1; seed <= seeds && check(schedule::random, seed);) ++seed;
}

// Joins a task that may have been cancelled; whether it was.
inline task<bool> was_cancelled(join_handle<void>& joined) {
  try {
    co_await joined.join();
  } catch (const cancelled&) {
    co_return true;
  }
  co_return false;
}

// The object that `make()` has made dies while a task, which `wait(object)` makes, waits for it. `named` is the object
// in the report of its death, `wanted` what the waiter did.
template <class Make, class Wait>
void expect_that_death_under_a_waiter_is_misuse(Make make, Wait wait, const std::string& named,
                                                const std::string& wanted) {
  const auto main = [&]() -> task<void> {
    auto dying = make();
    auto reader = spawn(wait(*dying), "reader");
    co_await settle();
    dying.reset();
    co_await reader.join();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), testing::ElementsAre(verdict_kind::misuse, verdict_kind::deadlock));
  EXPECT_EQ(run.verdicts[0].message, "the " + named + " died while task \"reader\" waits for it");
  EXPECT_EQ(run.verdicts[1].tasks.back().waits_for, wanted + ", which is gone");

  // The same in orders in which the waiter may have to let others run before it looks at the object.
  const auto at_once = [&]() -> task<void> {
    auto dying = make();
    bool began = false;
    const auto begin = [&]() -> task<void> {
      began = true;
      co_await wait(*dying);
    };
    auto reader = spawn(begin(), "reader");
    while (!began) co_await yield();
    dying.reset();
    co_await reader.join();
  };
  for (std::uint64_t seed = 0; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    const auto choices = make_oracle(seed == 0 ? schedule::round_robin : schedule::random, seed);
    sim::world_options how;
    how.choices = choices.get();
    EXPECT_EQ(judge(at_once, how).messages(), run.messages());
  }
}

}  // namespace lockstep
