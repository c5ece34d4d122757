#include <lockstep/sim/page_cache.hpp>

#include <gtest/gtest.h>

namespace lockstep::sim {
namespace {

constexpr std::uint64_t one_page = page_bytes;

TEST(PageCacheTest, CountsEachPageOnceUntilItIsClean) {
  page_cache cache;
  EXPECT_EQ(cache.wrote(1, 0, 1), 0u);
  EXPECT_EQ(cache.wrote(1, 100, 1), 0u);
  EXPECT_EQ(cache.wrote(1, one_page - 1, 2), 0u);
  EXPECT_EQ(cache.wrote(2, 0, one_page), 0u);
  EXPECT_EQ(cache.wrote(2, 5, 0), 0u);
  EXPECT_EQ(cache.clean(1), 2 * one_page);
  EXPECT_EQ(cache.clean(1), 0u);
  EXPECT_EQ(cache.wrote(1, 0, 1), 0u);
  EXPECT_EQ(cache.clean_all(), 2 * one_page);
  EXPECT_EQ(cache.clean_all(), 0u);
}

TEST(PageCacheTest, WritesTheOldestBackWhenItIsFull) {
  page_cache cache;
  cache.set_bytes_max(3 * one_page + 1);
  EXPECT_EQ(cache.wrote(1, 0, 3 * one_page), 0u);
  EXPECT_EQ(cache.wrote(1, 0, 1), 0u) << "it is there already";
  EXPECT_EQ(cache.wrote(2, 0, 2 * one_page), 2 * one_page);
  EXPECT_EQ(cache.clean(1), one_page);
  EXPECT_EQ(cache.wrote(2, 0, 10 * one_page), 7 * one_page) << "more than it holds, of which two are there";
  EXPECT_EQ(cache.clean_all(), 3 * one_page);
  cache.set_bytes_max(0);
  EXPECT_EQ(cache.wrote(1, 0, 2 * one_page), one_page) << "it holds one at least";
}

TEST(PageCacheTest, ForgetsWhatIsCutOff) {
  page_cache cache;
  cache.wrote(1, 0, 4 * one_page);
  cache.wrote(2, 0, one_page);
  cache.cut(1, one_page + 1);
  EXPECT_EQ(cache.clean(1), 2 * one_page);
  cache.wrote(1, 0, 4 * one_page);
  cache.cut(1, 0);
  EXPECT_EQ(cache.clean_all(), one_page);
}

}  // namespace
}  // namespace lockstep::sim
