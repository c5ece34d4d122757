// Where control blocks come from, seen through the loop that takes them.
#include "judged_run.hpp"
#include "tasks.hpp"

#include <lockstep/testing/testing.hpp>

#include <string>
#include <vector>

namespace lockstep {
namespace {

using testing::ElementsAre;

task<void> nothing() { co_return; }

#ifndef LOCKSTEP_HEAP_FRAMES
CO_TEST(AgentPoolTest, LendsTheBlockThatCameBackLast) {
  const agent* first = nullptr;
  {
    auto handle = spawn(nothing());
    first = &handle.get();
    co_await handle.join();
  }
  auto next = spawn(nothing());
  EXPECT_EQ(&next.get(), first);
  co_await next.join();
}
#endif

CO_TEST(AgentPoolTest, ARecycledBlockRemembersNothingOfTheTaskBefore) {
  {
    auto failing = spawn(
        []() -> task<void> {
          throw 1;
          co_return;
        }(),
        "before");
    EXPECT_THROW(co_await failing.join(), int);
    auto cancelled_one = spawn(wait_for_ever());
    co_await yield();
    cancelled_one.cancel("enough");
    EXPECT_THROW(co_await cancelled_one.join(), cancelled);
  }
  auto one = spawn(wait_for_ever());
  auto two = spawn(wait_for_ever());
  for (auto* fresh : {&one.get(), &two.get()}) {
    EXPECT_FALSE(fresh->finished());
    EXPECT_FALSE(fresh->was_cancelled());
    EXPECT_FALSE(fresh->daemon());
    EXPECT_EQ(fresh->failure(), nullptr);
    EXPECT_EQ(fresh->cancelling(), 0u);
    EXPECT_EQ(fresh->cancel_reason().view(), "");
    EXPECT_TRUE(fresh->joiners().empty());
    EXPECT_THAT(fresh->name(), testing::StartsWith("wait_for_ever"));
  }
  co_await yield();
  one.cancel();
  two.cancel();
  EXPECT_THROW(co_await one.join(), cancelled);
  EXPECT_THROW(co_await two.join(), cancelled);
}

CO_TEST(AgentPoolTest, ARecycledBlockCountsFromTheStart) {
  const auto work = [](identity& object) -> task<std::string> {
    const mutex made;
    object = made.id();
    auto child = spawn(nothing());
    std::string path = child.get().path();
    co_await child.join();
    co_return path;
  };
  for (const std::string expected : {"1.1", "2.1"}) {
    identity object = 0;
    auto handle = spawn(work(object));
    const identity who = handle.get().id();
    EXPECT_EQ(co_await handle.join(), expected);
    EXPECT_EQ(object, object_identity(who, 1));
  }
}

CO_TEST(AgentPoolTest, ThoseAliveAreInTheOrderInWhichTheyWereSpawnedWhateverTheirBlocks) {
  std::vector<join_handle<void>> first;
  for (int i = 0; i < 100; ++i) first.push_back(spawn(nothing()));
  for (auto& each : first) co_await each.join();
  for (auto& each : first) const auto gone = std::move(each);  // so the next are lent from the last to the first
  std::vector<join_handle<void>> second;
  std::vector<std::uint32_t> spawned{current_task().number()};
  for (int i = 0; i < 1'000; ++i) {
    second.push_back(spawn(nothing()));
    spawned.push_back(second.back().get().number());
  }
  std::vector<std::uint32_t> alive;
  for (const agent* who : current_loop()->alive()) alive.push_back(who->number());
  EXPECT_EQ(alive, spawned);
  for (auto& each : second) co_await each.join();
  EXPECT_THAT(current_loop()->alive(), ElementsAre(&current_task()));
}

// -- one run after another --------------------------------------------------------------------------------------------

// Has that many alive at once, and lets them go in another order than they came.
task<void> crowd_of(std::size_t count) {
  std::vector<join_handle<void>> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(spawn(nothing()));
  EXPECT_EQ(all_tasks().size(), count + 1);
  for (auto& each : all) co_await each.join();
  for (std::size_t i = 0; i < count; ++i) std::swap(all[i], all[i * 7919 % count]);
}

#ifndef LOCKSTEP_HEAP_FRAMES
std::size_t blocks_in_play(sim::world& world) { return world.loop().agents->in_play(); }

TEST(AgentPoolTest, ASmallRunHasFewBlocksInPlayWhateverRanBefore) {
  sim::world world;
  world.run(crowd_of(20'000));
  const std::size_t made = world.loop().agents->made();
  EXPECT_GT(made, 20'000u);
  for (int run = 0; run < 3; ++run) {
    world.run(crowd_of(10));
    EXPECT_EQ(blocks_in_play(world), agent_pool::blocks_at_once);
  }
  world.run(crowd_of(20'000));
  EXPECT_EQ(world.loop().agents->made(), made);
}

TEST(AgentPoolTest, WhatOutlivesItsRunStaysInPlay) {
  sim::world world;
  join_handle<int> kept;
  world.run([&kept]() -> task<void> {
    std::vector<join_handle<void>> before;
    for (int i = 0; i < 100; ++i) before.push_back(spawn(nothing()));
    kept = spawn([]() -> task<int> { co_return 7; }());
    for (auto& each : before) co_await each.join();
    co_await kept.join();
  });
  for (int run = 0; run < 3; ++run) {
    world.run(crowd_of(10));
    EXPECT_GT(blocks_in_play(world), 100u);
  }
  EXPECT_EQ(kept.result(), 7);
  kept = {};
  world.run(crowd_of(10));
  EXPECT_EQ(blocks_in_play(world), agent_pool::blocks_at_once);
}
#endif

TEST(AgentPoolTest, BlocksThatRestedAreLentAgain) {
  sim::world world;
  for (const std::size_t count : {40u, 1u, 17u, 1'000u, 16u, 999u, 3u, 2'000u}) world.run(crowd_of(count));
  EXPECT_TRUE(world.verdicts().empty());
}

TEST(AgentPoolTest, TasksThatAreLeftAreFoundWhateverRanBefore) {
  sim::world world;
  world.run(crowd_of(1'000));
  std::vector<join_handle<void>> left;
  world.run([&left]() -> task<void> {
    for (int i = 0; i < 40; ++i) left.push_back(spawn(wait_for_ever()));
    co_await yield();
  });
  EXPECT_EQ(world.verdicts().size(), base_world::verdicts_max + 1);
  for (const auto& each : left) EXPECT_TRUE(each.done());
}

}  // namespace
}  // namespace lockstep
