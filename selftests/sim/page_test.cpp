#include <lockstep/sim/page.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <memory>

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
