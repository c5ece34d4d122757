// The depth of awaits is bounded by memory, not by the stack: at every optimisation level and under the sanitizers.
#include "judged_run.hpp"

#include <stdexcept>

namespace lockstep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int depth = 1'000'000;
constexpr int depth_of_unwinding = 100'000;  // an exception takes a microsecond a frame, more under sanitizers

task<int> one() { co_return 1; }

task<int> nested(int levels) {
  if (levels == 0) {
    co_await sleep_until(time_point::max());
    co_return 0;
  }
  co_return co_await nested(levels - 1) + 1;
}

task<int> nested_to_the_end(int levels, bool fail) {
  if (levels == 0) {
    co_await yield();
    if (fail) throw std::runtime_error("from the depth");
    co_return 0;
  }
  co_return co_await nested_to_the_end(levels - 1, fail) + 1;
}

TEST(DeepChainsTest, TenMillionSynchronousAwaitsInARow) {
  const auto main = []() -> task<void> {
    int sum = 0;
    for (int i = 0; i < 10'000'000; ++i) sum += co_await one();
    EXPECT_EQ(sum, 10'000'000);
  };
  EXPECT_THAT(judge(main).kinds(), IsEmpty());
}

TEST(DeepChainsTest, AMillionNestedFramesReturn) {
  const auto main = []() -> task<void> { EXPECT_EQ(co_await nested_to_the_end(depth, false), depth); };
  EXPECT_THAT(judge(main).kinds(), IsEmpty());
}

TEST(DeepChainsTest, ManyNestedFramesAreUnwoundByAnException) {
  const auto main = []() -> task<void> {
    EXPECT_THROW(co_await nested_to_the_end(depth_of_unwinding, true), std::runtime_error);
  };
  EXPECT_THAT(judge(main).kinds(), IsEmpty());
}

TEST(DeepChainsTest, ManyNestedFramesAreCancelled) {
  const auto main = []() -> task<void> {
    auto handle = spawn(nested(depth_of_unwinding));
    co_await settle();
    handle.cancel();
    EXPECT_THROW(co_await handle.join(), cancelled);
  };
  EXPECT_THAT(judge(main).kinds(), IsEmpty());
}

TEST(DeepChainsTest, AMillionNestedFramesDieWithADroppedHandle) {
  const auto main = []() -> task<void> {
    auto handle = spawn(nested(depth));
    co_await settle();
    { const auto dropped = std::move(handle); }
    co_await yield();
  };
  const judged_run run = judge(main);
  EXPECT_THAT(run.kinds(), ElementsAre(verdict_kind::dropped_handle));
  EXPECT_TRUE(run.ended);
}

TEST(DeepChainsTest, AMillionNestedFramesDieWithTheirWorld) {
  const auto main = []() -> task<void> { co_await nested(depth); };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::deadlock));
}

task<void> spawn_chain(int levels) {
  if (levels == 0) co_return;
  auto child = spawn(spawn_chain(levels - 1));
  co_await child.join();
}

TEST(DeepChainsTest, ManyTasksThatEachSpawnTheNext) {
  const auto main = []() -> task<void> { co_await spawn_chain(depth_of_unwinding); };
  EXPECT_THAT(judge(main).kinds(), IsEmpty());
}

task<void> spawn_chain_that_waits(int levels) {
  if (levels == 0) {
    co_await sleep_until(time_point::max());
    co_return;
  }
  auto child = spawn(spawn_chain_that_waits(levels - 1));
  co_await child.join();
}

TEST(DeepChainsTest, TasksThatOwnEachOtherDieWithTheirWorld) {
  const auto main = []() -> task<void> { co_await spawn_chain_that_waits(2'000); };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::deadlock));
}

}  // namespace
}  // namespace lockstep
