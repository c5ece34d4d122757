#include "cancellations.hpp"

#include <lockstep/testing/testing.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using testing::ElementsAre;

task<void> get_into(lifo_queue<int>& from, std::vector<int>& got) { got.push_back(co_await from.get()); }
task<void> put_one(lifo_queue<int>& to, int item) { co_await to.put(item); }

std::vector<int> drained(lifo_queue<int>& from) {
  std::vector<int> items;
  while (std::optional<int> item = from.try_get()) items.push_back(*item);
  return items;
}

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

TEST(LifoQueueTest, IsCalledByItsNameInReports) {
  const auto main = []() -> task<void> {
    EXPECT_THROW(lifo_queue<int>(0, "jobs"), misuse);
    lifo_queue<int> items(1, "jobs");
    EXPECT_THROW(items.task_done(), misuse);
    co_return;
  };
  EXPECT_EQ(judge(main).messages(),
            "misuse: lifo_queue \"jobs\" has room for 0 items (capacity_items); it needs at least 1\n"
            "misuse: task_done() of lifo_queue \"jobs\", which has no unfinished item\n");
}

TEST(LifoQueueTest, LosesAndDoublesNothingWithAGetterCancelledAnywhere) {
  under_every_cancellation([](hunt& hunted) -> task<void> {
    lifo_queue<int> items(2);
    std::vector<int> got;
    const auto get = [&](int times) -> task<void> {
      for (int i = 0; i < times; ++i) got.push_back(co_await items.get());
    };
    const auto put = [&](int first) -> task<void> {
      for (int i = 0; i < 3; ++i) co_await items.put(first + i);
    };
    auto victim = spawn(get(2));
    auto other = spawn(get(2));
    auto left = spawn(put(0));
    auto right = spawn(put(3));
    hunted.begin(victim);
    co_await hunted.end();
    static_cast<void>(co_await was_cancelled(victim));
    co_await other.join();
    while (got.size() < 6) got.push_back(co_await items.get());
    co_await left.join();
    co_await right.join();
    std::sort(got.begin(), got.end());
    EXPECT_THAT(got, ElementsAre(0, 1, 2, 3, 4, 5));
    EXPECT_TRUE(items.empty());
  });
}

}  // namespace
}  // namespace lockstep
