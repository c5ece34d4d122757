#include <lockstep/base/chunk_queue.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <stdexcept>

namespace lockstep {
namespace {

TEST(ChunkQueueTest, IsAQueueWhoseItemsDoNotMove) {
  chunk_queue<std::unique_ptr<int>> items;
  for (int i = 0; i < 10; ++i) items.emplace_back(std::make_unique<int>(i));
  const std::unique_ptr<int>* const tenth = &items.back();
  int first = 0;
  for (int i = 10; i < 1000; ++i) {
    items.emplace_back(std::make_unique<int>(i));
    if (i % 4 == 0) continue;
    EXPECT_EQ(*items.front(), first++);
    items.pop_front();
    if (first <= 9) {
      EXPECT_EQ(&items[static_cast<std::size_t>(9 - first)], tenth);
    }
  }
  ASSERT_EQ(items.size(), static_cast<std::size_t>(1000 - first));
  for (std::size_t i = 0; i < items.size(); ++i) EXPECT_EQ(*items[i], first + static_cast<int>(i));
  EXPECT_EQ(*items.back(), 999);
}

TEST(ChunkQueueTest, IsTheSameWhereItemsAreExpectedThatDoNotCome) {
  chunk_queue<int> items;
  for (int i = 0; i < 64; ++i) {
    items.expect(32);
    items.emplace_back(i);
  }
  items.expect(1);
  for (int i = 63; i >= 40; --i) {
    EXPECT_EQ(items.back(), i);
    items.pop_back();
    items.expect(4);
  }
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(items.front(), i);
    items.pop_front();
  }
  EXPECT_TRUE(items.empty());
  items.expect(32);
  items.emplace_back(7);
  EXPECT_EQ(items.front(), 7);
}

TEST(ChunkQueueTest, EndsItsItemsOnceEach) {
  const auto counted = std::make_shared<int>();
  chunk_queue<std::shared_ptr<int>> items;
  for (int i = 0; i < 100; ++i) items.emplace_back(counted);
  for (int i = 0; i < 40; ++i) items.pop_front();
  EXPECT_EQ(counted.use_count(), 61);
  items.clear();
  EXPECT_EQ(counted.use_count(), 1);
  EXPECT_TRUE(items.empty());
  items.emplace_back(counted);
  EXPECT_EQ(items.size(), 1U);
}

TEST(ChunkQueueTest, MayBeCutAtItsEnd) {
  const auto counted = std::make_shared<int>();
  chunk_queue<std::shared_ptr<int>> items;
  for (int i = 0; i < 100; ++i) items.emplace_back(counted);
  for (int i = 0; i < 10; ++i) items.pop_front();
  while (items.size() != 3) items.pop_back();
  EXPECT_EQ(counted.use_count(), 4);
  while (!items.empty()) items.pop_back();
  for (int i = 0; i < 100; ++i) items.emplace_back(counted);
  EXPECT_EQ(items[99], counted);
  EXPECT_EQ(counted.use_count(), 101);
}

TEST(ChunkQueueTest, TakesAgainTheMemoryOfWhatHasGone) {
  chunk_queue<int> items;
  std::set<const int*> places;
  for (int i = 0; i < 10'000; ++i) {
    places.insert(&items.emplace_back(i));
    if (i >= 100) items.pop_front();
    EXPECT_EQ(items.front(), i < 100 ? 0 : i - 99);
  }
  EXPECT_LE(places.size(), 192u) << "six chunks, of which four are full";
}

TEST(ChunkQueueTest, HasNoItemThatCouldNotBeMade) {
  struct refuses {
    explicit refuses(bool does) {
      if (does) throw std::runtime_error("no");
    }
  };
  chunk_queue<refuses> items;
  items.emplace_back(false);
  EXPECT_THROW(items.emplace_back(true), std::runtime_error);
  EXPECT_EQ(items.size(), 1U);
}

}  // namespace
}  // namespace lockstep
