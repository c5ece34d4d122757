#include "lost_update.hpp"

#include <lockstep/explore/explain.hpp>
#include <lockstep/explore/explorer.hpp>
#include <lockstep/explore/shrink.hpp>
#include <lockstep/explore/world_program.hpp>
#include <lockstep/lockstep.hpp>
#include <lockstep/testing/isolated_program.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

namespace lockstep::detail {
namespace {

world_program throwing([] { return add_two([] { throw std::runtime_error("lost"); }); });

task<void> hold(mutex& lock) { const auto held = co_await lock.lock(); }
task<void> share_a_lock() {
  mutex lock("lock");
  mutex other("other");
  co_await when_all(hold(lock), hold(other));
}

// What a search learns, the systematic one too, which is told of every step.
TEST(IsolatedProgramTest, TheOracleKnowsWhatItWouldKnowOfARunMadeHere) {
  world_program here([] { return share_a_lock(); });
  world_program there([] { return share_a_lock(); });
  isolated_program isolated(there);
  for (const bool declared : {false, true}) {
    explore_options how;
    how.by = search_by::systematic;
    how.all_shared_declared = declared;
    const exploration expected = explorer(here).explore(how);
    const exploration found = explorer(isolated).explore(how);
    ASSERT_TRUE(expected.exhaustive);
    EXPECT_TRUE(found.exhaustive);
    EXPECT_EQ(found.classes, expected.classes);
    EXPECT_EQ(found.interleavings, expected.interleavings);
    EXPECT_EQ(found.distinct, expected.distinct);
  }
}

TEST(IsolatedProgramTest, AFailureIsTheSameOneThere) {
  isolated_program isolated(throwing);
  const exploration found = explorer(isolated).explore({});
  ASSERT_TRUE(found.failure);
  world_program here([] { return add_two([] { throw std::runtime_error("lost"); }); });
  const exploration expected = explorer(here).explore({});
  ASSERT_TRUE(expected.failure);
  EXPECT_EQ(found.failure->result.signature, expected.failure->result.signature);
  EXPECT_EQ(found.failure->answers, expected.failure->answers);
}

TEST(IsolatedProgramTest, ARunThatDiesIsShrunkAndExplained) {
  world_program aborting([] { return add_two([] { std::abort(); }); });
  isolated_program isolated(aborting);
  explore_options how;
  how.by = search_by::random;
  const exploration found = explorer(isolated).explore(how);
  ASSERT_TRUE(found.failure);
  EXPECT_EQ(found.failure->result.signature, "crash: SIGABRT");
  EXPECT_TRUE(isolated.last_death().died);
  const token failing = token_of_answers(isolated, 0, ordering::any_order, found.failure->answers);
  const shrunk_run shrunk = shrink(isolated, failing, "crash: SIGABRT");
  EXPECT_EQ(shrunk.replay.task_overrides.size(), 1u);
  EXPECT_TRUE(explain(isolated, shrunk.replay));
}

TEST(IsolatedProgramTest, WhatOneRunLeavesTheNextDoesNotSee) {
  int runs = 0;
  world_program counting([&]() -> task<void> {
    if (++runs > 1) throw std::runtime_error("again");
    return add_two([] {});
  });
  isolated_program isolated(counting);
  for (int i = 0; i < 3; ++i) {
    fixed_choices plain({});
    EXPECT_FALSE(isolated.run(plain, ordering::any_order).failed);
  }
  EXPECT_EQ(runs, 0);
}

}  // namespace
}  // namespace lockstep::detail
