// The depth of awaits is bounded by memory, not by the stack: at every optimisation level and under the sanitizers.
#include "../base/sanitizers.hpp"
#include "judged_run.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>

namespace lockstep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int depth = 1'000'000;
constexpr int depth_of_unwinding = 100'000;  // an exception takes a microsecond a frame, more under sanitizers
#ifdef LOCKSTEP_UNDER_SANITIZER
constexpr int items = 100'000;  // one after the other, which take but time
#else
constexpr int items = 1'000'000;
#endif

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

TEST(DeepChainsTest, ManySynchronousAwaitsInARow) {
  const auto main = []() -> task<void> {
    int sum = 0;
    for (int i = 0; i < 10 * items; ++i) sum += co_await one();
    EXPECT_EQ(sum, 10 * items);
  };
  EXPECT_THAT(judge(main).kinds(), IsEmpty());
}

// -- long sequences ---------------------------------------------------------------------------------------------------

// Notes what memory and stack a sequence takes while it goes on.
class consumption {
 public:
  // Asked once an item, from the same place.
  void note() noexcept {
    const auto* const here = static_cast<const char*>(__builtin_frame_address(0));
    const std::size_t lent = detail::current_context->frames->lent();
    if (items_++ == 0) {
      lowest_ = highest_ = here;
      lent_ = lent;
    }
    lowest_ = std::min(lowest_, here);
    highest_ = std::max(highest_, here);
    more_lent_ += lent != lent_ ? 1 : 0;
  }
  void expect_little() const {
    EXPECT_EQ(items_, items);
    EXPECT_LT(highest_ - lowest_, 16 * 1024) << "of stack";
    EXPECT_EQ(more_lent_, 0) << "items at which more frames were there, or less, than at the first";
  }

 private:
  int items_ = 0;
  const char* lowest_ = nullptr;
  const char* highest_ = nullptr;
  std::size_t lent_ = 0;
  int more_lent_ = 0;
};

TEST(DeepChainsTest, ManyItemsOfAGeneratorTakeNoMoreThanOne) {
  consumption seen;
  const auto numbers = [&seen]() -> generator<int> {
    for (int i = 0; i < items; ++i) {
      seen.note();
      co_yield i;
    }
  };
  const auto main = [&]() -> task<void> {
    int last = 0;
    for (const int item : numbers()) last = item;
    EXPECT_EQ(last, items - 1);
    co_return;
  };
  EXPECT_THAT(judge(main).kinds(), IsEmpty());
  seen.expect_little();
}

TEST(DeepChainsTest, AMillionNestedGeneratorsTakeNoMoreStackThanOne) {
  consumption seen;
  const auto one = [&seen](int item) -> generator<int> {
    seen.note();
    co_yield item;
  };
  const auto numbers = [&one]() -> generator<int> {
    for (int i = 0; i < items; ++i) co_yield elements_of(one(i));
  };
  const auto main = [&]() -> task<void> {
    int last = 0;
    for (const int item : numbers()) last = item;
    EXPECT_EQ(last, items - 1);
    co_return;
  };
  EXPECT_THAT(judge(main).kinds(), IsEmpty());
  seen.expect_little();
}

async_generator<int> count_and_note(consumption& seen, int waits_every) {
  for (int i = 0; i < items; ++i) {
    if (waits_every != 0 && i % waits_every == 0) co_await yield();
    seen.note();
    co_yield i;
  }
}

async_generator<int> pass_on(async_generator<int> of) {
  while (const int* const item = co_await of.next()) co_yield int{*item};
}

TEST(DeepChainsTest, ManyItemsOfAnAsyncGeneratorTakeNoMoreThanOne) {
  consumption seen;
  const auto main = [&]() -> task<void> {
    auto numbers = pass_on(count_and_note(seen, 0));
    int last = 0;
    while (const int* const item = co_await numbers.next()) last = *item;
    EXPECT_EQ(last, items - 1);
  };
  sim::world_options how;
  how.steps_max = 10 * items;
  EXPECT_THAT(judge(main, how).kinds(), IsEmpty());
  seen.expect_little();
}

// What resumes the body is then the loop, or the caller of next().
TEST(DeepChainsTest, ManyItemsOfAnAsyncGeneratorThatWaitsTakeNoMoreThanOne) {
  for (const int every : {1, 2}) {
    consumption seen;
    const auto main = [&]() -> task<void> {
      int sum = 0;
      const auto add = [&sum](int) { ++sum; };
      co_await for_each(pass_on(count_and_note(seen, every)), add);
      EXPECT_EQ(sum, items);
    };
    sim::world_options how;
    how.steps_max = 10 * items;
    EXPECT_THAT(judge(main, how).kinds(), IsEmpty());
    seen.expect_little();
  }
}

// -- deep chains ------------------------------------------------------------------------------------------------------

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

task<void> group_chain_that_waits(int levels) {
  if (levels == 0) co_await sleep_until(time_point::max());
  const auto body = [=](task_group& group) -> task<void> {
    group.spawn(group_chain_that_waits(levels - 1));
    co_return;
  };
  co_await with_task_group(body);
}

TEST(DeepChainsTest, ManyGroupsWithinGroupsAreCancelled) {
  const auto main = []() -> task<void> {
    auto outermost = spawn(group_chain_that_waits(30'000));
    co_await settle();
    outermost.cancel();
    EXPECT_THROW(co_await outermost.join(), cancelled);
  };
  EXPECT_THAT(judge(main).kinds(), IsEmpty());
}

TEST(DeepChainsTest, ManyTasksThatEachJoinTheNextAreCancelled) {
  const auto main = []() -> task<void> {
    auto outermost = spawn(spawn_chain_that_waits(1'000));
    co_await settle();
    outermost.cancel();
    EXPECT_THROW(co_await outermost.join(), cancelled);
  };
  EXPECT_THAT(judge(main).kinds(), IsEmpty());
}

TEST(DeepChainsTest, TasksThatOwnEachOtherDieWithTheirWorld) {
  const auto main = []() -> task<void> { co_await spawn_chain_that_waits(2'000); };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::deadlock));
}

}  // namespace
}  // namespace lockstep
