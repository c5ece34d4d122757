// What is beyond the rules of asyncio, which are in conformance/asyncio_queues.cpp.
#include "queues.hpp"
#include "schedules.hpp"

#include <lockstep/testing/testing.hpp>

#include <algorithm>
#include <optional>
#include <vector>

namespace lockstep {
namespace {

using testing::ElementsAre;

CO_TEST(LifoQueueTest, GivesTheLatestItemFirst) {
  lifo_queue<int> items;
  for (int i = 0; i < 40; ++i) co_await items.put(i);
  EXPECT_EQ(items.size(), 40u);
  for (int i = 40; i-- > 0;) EXPECT_EQ(co_await items.get(), i);
  EXPECT_TRUE(items.empty());
}

CO_TEST(LifoQueueTest, PuttersWaitInTheirOrderAndTheLatestItemIsStillFirst) {
  lifo_queue<int> items(1);
  co_await items.put(1);
  auto a = spawn(put_one(items, 2));
  auto b = spawn(put_one(items, 3));
  co_await settle();
  EXPECT_EQ(co_await items.get(), 1);
  EXPECT_EQ(co_await items.get(), 2);
  EXPECT_EQ(co_await items.get(), 3);
  co_await a.join();
  co_await b.join();
}

CO_TEST(LifoQueueTest, AnItemThatComesBackIsOnTopUnlessAnotherWasPutSince) {
  for (const bool another : {false, true}) {
    lifo_queue<int> items;
    std::vector<int> got;
    auto a = spawn(get_into(items, got));
    co_await settle();
    items.try_put(1);
    if (another) items.try_put(2);
    a.cancel();
    EXPECT_TRUE(co_await was_cancelled(a));
    items.try_put(3);
    EXPECT_EQ(items.try_get(), 3);
    EXPECT_EQ(items.try_get(), another ? 2 : 1);
    EXPECT_EQ(items.try_get(), another ? std::optional(1) : std::nullopt);
  }
}

CO_TEST(LifoQueueTest, SeveralItemsThatComeBackAreInTheOrderInWhichTheyWerePut) {
  for (const bool backwards : {false, true}) {
    lifo_queue<int> items;
    std::vector<int> got;
    std::vector<join_handle<void>> getters;
    for (int i = 0; i < 4; ++i) getters.push_back(spawn(get_into(items, got)));
    co_await settle();
    for (int i = 0; i < 6; ++i) items.try_put(i);
    for (join_handle<void>& getter : getters) getter.cancel();
    if (backwards) std::reverse(getters.begin(), getters.end());
    for (join_handle<void>& getter : getters) EXPECT_TRUE(co_await was_cancelled(getter));
    EXPECT_EQ(items.try_get(), 5);
    EXPECT_EQ(items.try_get(), 4);
    EXPECT_EQ(items.try_get(), 3);
    items.try_put(6);
    EXPECT_THAT(drained(items), ElementsAre(6, 2, 1, 0));
  }
}

CO_TEST(LifoQueueTest, ForgetsThatAnItemHadComeBackWhenItIsGot) {
  lifo_queue<int> items;
  std::vector<int> got;
  const auto comes_back = [&](int item) -> task<void> {
    auto getter = spawn(get_into(items, got));
    co_await settle();
    items.try_put(item);
    getter.cancel();
    if (item != 1) items.try_put(item + 1);
    EXPECT_TRUE(co_await was_cancelled(getter));
  };
  co_await comes_back(1);
  EXPECT_EQ(items.try_get(), 1);
  co_await comes_back(2);
  EXPECT_THAT(drained(items), ElementsAre(3, 2));
}

}  // namespace
}  // namespace lockstep
