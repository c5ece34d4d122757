#include <lockstep/sim/page.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

namespace lockstep::sim {
namespace {

TEST(PageTest, EndsWithItsLastReference) {
  page_store store;
  {
    const page_reference one(store.take());
    EXPECT_FALSE(one.shared());
    const page_reference other = one;  // NOLINT(performance-unnecessary-copy-initialization)
    EXPECT_TRUE(one.shared());
    EXPECT_EQ(one, other);
    EXPECT_EQ(store.in_use(), 1u);
  }
  EXPECT_EQ(store.in_use(), 0u);
}

TEST(PageTest, IsThereIfItIsExpected) {
  page_store store;
  store.expect(page_bytes, 2);
  store.expect(page_bytes, 1);
  store.expect(1, 1);
  EXPECT_EQ(store.in_use(), 0u);
  const page_reference one(store.take());
  const page_reference other(store.take());
  const page_reference small(store.take(1));
  EXPECT_EQ(store.in_use(), 3u);
  EXPECT_LT(small.size(), one.size());
}

TEST(PageTest, IsUsedAgain) {
  page_store store;
  const std::byte* first = nullptr;
  {
    const page_reference one(store.take());
    first = one.bytes();
  }
  const page_reference next(store.take());
  EXPECT_EQ(next.bytes(), first);
  EXPECT_FALSE(page_reference());
}

TEST(PageTest, HasMemoryForWhatItIsTakenFor) {
  page_store store;
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{64}, std::size_t{65}, std::size_t{512}, page_bytes}) {
    const page_reference one(store.take(bytes));
    EXPECT_GE(one.size(), bytes);
    EXPECT_LE(one.size(), page_bytes);
  }
  const page_reference little(store.take(1));
  const page_reference full(store.take());
  EXPECT_LT(little.size(), full.size());
}

TEST(PageRunTest, HoldsAsManyAsItWasMadeFor) {
  page_store store;
  EXPECT_TRUE(page_run().empty());
  {
    page_run run(3);
    for (std::size_t i = 0; i < 3; ++i) run[i] = page_reference(store.take());
    EXPECT_FALSE(run.empty());
    EXPECT_EQ(store.in_use(), 3u);
    const page_run moved = std::move(run);
    EXPECT_NE(moved[0], moved[2]);
  }
  EXPECT_EQ(store.in_use(), 0u);
}

TEST(PageTest, KeepsItsStore) {
  page_reference last;
  {
    const std::shared_ptr<page_store> store = page_store::make();
    last = page_reference(store->take());
    const page_reference other(store->take());
  }
  std::memset(last.bytes_to_change(), 1, page_bytes);
  EXPECT_EQ(last.bytes()[page_bytes - 1], std::byte{1});
}

}  // namespace
}  // namespace lockstep::sim
