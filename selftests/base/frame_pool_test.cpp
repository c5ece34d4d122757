#include <lockstep/base/frame_pool.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace lockstep {
namespace {

TEST(FramePoolTest, LendsUsableAlignedBlocksOfAnySize) {
  frame_pool pool;
  std::vector<void*> blocks;
  for (std::size_t bytes = 1; bytes < 4'000; bytes += 37) {
    void* block = frame_pool::take(&pool, bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t), 0u);
    std::memset(block, 0xAB, bytes);
    blocks.push_back(block);
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto* bytes = static_cast<const unsigned char*>(blocks[i]);
    for (std::size_t at = 0; at < 1 + 37 * i; ++at) ASSERT_EQ(bytes[at], 0xAB);
    frame_pool::give_back(blocks[i], 1 + 37 * i);
  }
  EXPECT_EQ(pool.lent(), 0u);
}

TEST(FramePoolTest, TakesFromTheHeapWithoutAPool) {
  void* block = frame_pool::take(nullptr, 100);
  std::memset(block, 1, 100);
  frame_pool pool;
  frame_pool::give_back(block, 100);  // belongs to no pool, and goes to none
  EXPECT_EQ(pool.lent(), 0u);
}

TEST(FramePoolTest, TakesWhatIsTooLargeForItsClassesFromTheHeap) {
  frame_pool pool;
  void* block = frame_pool::take(&pool, 1'000'000);
  std::memset(block, 1, 1'000'000);
  EXPECT_EQ(pool.lent(), 1u);
  EXPECT_EQ(frame_pool::of(block, 1'000'000), &pool);
  frame_pool::give_back(block, 1'000'000);
  EXPECT_EQ(pool.lent(), 0u);
}

TEST(FramePoolTest, CountsTheBlocksItHasLent) {
  frame_pool pool;
  void* a = frame_pool::take(&pool, 100);
  void* b = frame_pool::take(&pool, 200);
  EXPECT_EQ(pool.lent(), 2u);
  frame_pool::give_back(a, 100);
  EXPECT_EQ(pool.lent(), 1u);
  frame_pool::give_back(b, 200);
  EXPECT_EQ(pool.lent(), 0u);
}

TEST(FramePoolTest, ABlockGoesBackToThePoolItCameFrom) {
  frame_pool one, two;
  void* block = frame_pool::take(&one, 100);
  void* other = frame_pool::take(&two, 100);
  EXPECT_EQ(frame_pool::of(block, 100), &one);
  EXPECT_EQ(frame_pool::of(other, 100), &two);
  frame_pool::give_back(block, 100);
  EXPECT_EQ(one.lent(), 0u);
  EXPECT_EQ(two.lent(), 1u);
  frame_pool::give_back(other, 100);
}

TEST(FramePoolTest, ARetiredPoolKeepsItsHomeUntilTheLastBlockIsBack) {
  const auto home = std::make_shared<int>(1);
  auto pool = std::make_unique<frame_pool>(home);
  EXPECT_EQ(pool->home(), home.get());
  void* large = frame_pool::take(pool.get(), 1'000'000);
  frame_pool::retire(std::move(pool));
  EXPECT_EQ(home.use_count(), 2);
  EXPECT_EQ(frame_pool::of(large, 1'000'000)->home(), home.get());
  frame_pool::give_back(large, 1'000'000);
  EXPECT_EQ(home.use_count(), 1);
  frame_pool::retire(std::make_unique<frame_pool>(home));
  EXPECT_EQ(home.use_count(), 1);
}

#ifndef LOCKSTEP_HEAP_FRAMES
TEST(FramePoolTest, LendsABlockAgain) {
  frame_pool pool;
  void* first = frame_pool::take(&pool, 100);
  frame_pool::give_back(first, 100);
  void* other_class = frame_pool::take(&pool, 300);
  EXPECT_NE(other_class, first);
  void* again = frame_pool::take(&pool, 100);
  EXPECT_EQ(again, first);
  frame_pool::give_back(again, 100);
  frame_pool::give_back(other_class, 300);
}
#endif

}  // namespace
}  // namespace lockstep
