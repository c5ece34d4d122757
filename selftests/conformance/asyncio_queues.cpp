// What asyncio promises of Queue, LifoQueue and PriorityQueue; and where lockstep differs.
#include "../sync/cancellations.hpp"
#include "../sync/queues.hpp"

#include <lockstep/testing/testing.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// What holds for all three.
template <class Queue>
class AsyncioQueues : public testing::Test {};
using all_queues = testing::Types<queue<int>, lifo_queue<int>, priority_queue<int>>;
TYPED_TEST_SUITE(AsyncioQueues, all_queues);

// Runs `make()`, which must be without a verdict.
template <class F>
void passes(F make) {
  const judged_run run = judge(make);
  EXPECT_TRUE(run.ended);
  EXPECT_EQ(run.messages(), "");
  EXPECT_EQ(run.failure, "");
}

TYPED_TEST(AsyncioQueues, AGetterCancelledAfterItemsArriveLeavesTheFirstItemToTheNext) {
  passes([]() -> task<void> {
    TypeParam items;
    std::vector<int> got;
    auto a = spawn(get_into(items, got));
    co_await settle();
    items.try_put(1);
    a.cancel();
    EXPECT_TRUE(co_await was_cancelled(a));
    co_await get_into(items, got);
    EXPECT_THAT(got, ElementsAre(1));
  });
}

TYPED_TEST(AsyncioQueues, ACancelledWakeeForwards) {
  passes([]() -> task<void> {
    TypeParam items;
    std::vector<int> got;
    auto a = spawn(get_into(items, got));
    auto b = spawn(get_into(items, got));
    co_await settle();
    items.try_put(1);
    a.cancel();
    co_await b.join();
    EXPECT_TRUE(co_await was_cancelled(a));
    EXPECT_THAT(got, ElementsAre(1));
  });
}

TYPED_TEST(AsyncioQueues, APutterCancelledAfterASlotFreesCanTryAgain) {
  passes([]() -> task<void> {
    TypeParam items(1);
    co_await items.put(1);
    auto putter = spawn(put_one(items, 2));
    co_await settle();
    putter.cancel();
    EXPECT_EQ(items.try_get(), 1);
    EXPECT_TRUE(co_await was_cancelled(putter));
    EXPECT_TRUE(items.try_put(2));
    EXPECT_THAT(drained(items), ElementsAre(2));
  });
}

// Differs: asyncio wakes the putter, which then puts, or is cancelled first. Here its item is in when the slot is free,
// so the put has happened and the cancellation comes at the next await; either way, a put that raises put nothing.
TYPED_TEST(AsyncioQueues, APutterWhoseItemIsInHasPutItThoughItIsCancelled) {
  passes([]() -> task<void> {
    TypeParam items(1);
    co_await items.put(1);
    bool put = false;
    const auto work = [&]() -> task<void> {
      co_await items.put(2);
      put = true;
      co_await yield();
    };
    auto putter = spawn(work());
    co_await settle();
    EXPECT_EQ(items.try_get(), 1);
    putter.cancel();
    EXPECT_TRUE(co_await was_cancelled(putter));
    EXPECT_TRUE(put);
    EXPECT_THAT(drained(items), ElementsAre(2));
  });
}

TYPED_TEST(AsyncioQueues, TimedOutWaitersLeaveNoResidue) {
  passes([]() -> task<void> {
    TypeParam items(1);
    std::vector<int> got;
    for (int i = 0; i < 3; ++i) EXPECT_THROW(co_await with_timeout(1s, get_into(items, got)), timed_out);
    co_await items.put(1);
    EXPECT_EQ(items.size(), 1u);
    for (int i = 0; i < 3; ++i) EXPECT_THROW(co_await with_timeout(1s, put_one(items, 2)), timed_out);
    EXPECT_THAT(drained(items), ElementsAre(1));
    EXPECT_TRUE(items.empty());
  });
}

TYPED_TEST(AsyncioQueues, ExcessTaskDoneIsAnError) {
  const auto main = []() -> task<void> {
    TypeParam items(1, "jobs");
    co_await items.put(1);
    items.task_done();
    EXPECT_THROW(items.task_done(), misuse);
  };
  const std::string noun(TypeParam().noun());
  EXPECT_EQ(judge(main).messages(), "misuse: task_done() of " + noun + " \"jobs\", which has no unfinished item\n");
}

TYPED_TEST(AsyncioQueues, JoinWaitsUntilEveryItemIsDone) {
  passes([]() -> task<void> {
    TypeParam items;
    co_await items.join();
    co_await items.put(1);
    co_await items.put(2);
    auto joined = spawn(wait_for_all(items));
    drained(items);
    items.task_done();
    co_await settle();
    EXPECT_FALSE(joined.done());
    items.task_done();
    co_await joined.join();
  });
}

TYPED_TEST(AsyncioQueues, ShutDownFailsABlockedPutLeavesTheStoredItemAndJoinWaitsForIt) {
  passes([]() -> task<void> {
    TypeParam items(1);
    co_await items.put(1);
    auto putter = spawn(put_one(items, 2));
    auto joined = spawn(wait_for_all(items));
    co_await settle();
    items.shut_down();
    EXPECT_THROW(co_await putter.join(), queue_shut_down);
    EXPECT_THROW(co_await items.put(3), queue_shut_down);
    EXPECT_FALSE(items.try_put(3));
    EXPECT_EQ(co_await items.get(), 1);
    EXPECT_THROW(co_await items.get(), queue_shut_down);
    EXPECT_EQ(items.try_get(), std::nullopt);
    co_await settle();
    EXPECT_FALSE(joined.done());
    items.task_done();
    co_await joined.join();
  });
}

TYPED_TEST(AsyncioQueues, ShutDownFailsABlockedGet) {
  for (const shutdown how : {shutdown::when_empty, shutdown::immediate}) {
    passes([how]() -> task<void> {
      TypeParam items;
      std::vector<int> got;
      auto getter = spawn(get_into(items, got));
      co_await settle();
      items.shut_down(how);
      EXPECT_THROW(co_await getter.join(), queue_shut_down);
      EXPECT_THROW(co_await items.get(), queue_shut_down);
    });
  }
}

TYPED_TEST(AsyncioQueues, ImmediateShutDownEmptiesItAndTakesTheItemsOffTheUnfinished) {
  passes([]() -> task<void> {
    TypeParam items;
    co_await items.put(1);
    co_await items.put(2);
    EXPECT_EQ(co_await items.get(), items.size() == 1 ? (std::is_same_v<TypeParam, lifo_queue<int>> ? 2 : 1) : 0);
    auto joined = spawn(wait_for_all(items));
    co_await settle();
    items.shut_down(shutdown::immediate);
    EXPECT_TRUE(items.empty());
    EXPECT_THROW(co_await items.get(), queue_shut_down);
    co_await settle();
    EXPECT_FALSE(joined.done()) << "one was got, and is not done";
    items.task_done();
    co_await joined.join();
  });
}

TYPED_TEST(AsyncioQueues, TellTheirSize) {
  passes([]() -> task<void> {
    TypeParam items(2);
    EXPECT_EQ(items.capacity(), 2u);
    EXPECT_TRUE(items.empty());
    co_await items.put(1);
    EXPECT_EQ(items.size(), 1u);
    EXPECT_FALSE(items.full());
    co_await items.put(2);
    EXPECT_TRUE(items.full());
    EXPECT_FALSE(items.try_put(3));
    drained(items);
    EXPECT_EQ(items.try_get(), std::nullopt);
    TypeParam unbounded;
    for (int i = 0; i < 1000; ++i) EXPECT_TRUE(unbounded.try_put(i));
    EXPECT_FALSE(unbounded.full());
  });
}

// Differs: in asyncio an item is in the queue until the getter that it woke has run, and another may take it.
TYPED_TEST(AsyncioQueues, AnItemGoesStraightToItsGetter) {
  passes([]() -> task<void> {
    TypeParam items;
    std::vector<int> got;
    auto getter = spawn(get_into(items, got));
    co_await settle();
    items.try_put(1);
    EXPECT_EQ(items.size(), 0u);
    EXPECT_EQ(items.try_get(), std::nullopt);
    co_await getter.join();
    EXPECT_THAT(got, ElementsAre(1));
  });
}

TYPED_TEST(AsyncioQueues, LoseAndDoubleNothingInAnyOrder) {
  under_every_schedule([]() -> task<void> {
    constexpr int producers = 3;
    constexpr int items_each = 4;
    TypeParam items(2);
    std::vector<int> put;
    std::vector<int> got;
    const auto produce = [&](int first) -> task<void> {
      for (int i = 0; i < items_each; ++i) {
        co_await items.put(first + i);
        put.push_back(first + i);
      }
    };
    const auto consume = [&]() -> task<void> {
      for (;;) {
        const int item = co_await items.get();
        got.push_back(item);
        items.task_done();
      }
    };
    std::vector<join_handle<void>> makers;
    std::vector<join_handle<void>> takers;
    for (int i = 0; i < 3; ++i) takers.push_back(spawn(consume()));
    for (int i = 0; i < producers; ++i) makers.push_back(spawn(produce(100 * i)));
    const auto cancel = [&]() -> task<void> {
      co_await yield();
      takers[0].cancel();
      co_await yield();
      makers[1].cancel();
      co_await yield();
      takers[1].cancel();
    };
    auto cancelling = spawn(cancel());
    for (join_handle<void>& maker : makers) co_await was_cancelled(maker);
    co_await cancelling.join();
    co_await items.join();
    for (join_handle<void>& taker : takers) {
      taker.cancel();
      EXPECT_TRUE(co_await was_cancelled(taker));
    }
    EXPECT_TRUE(items.empty());
    std::sort(put.begin(), put.end());
    std::sort(got.begin(), got.end());
    EXPECT_EQ(put, got);
  });
}

TYPED_TEST(AsyncioQueues, LoseAndDoubleNothingWithAGetterCancelledAnywhere) {
  under_every_cancellation([](hunt& hunted) -> task<void> {
    TypeParam items(2);
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

// -- the order of each ------------------------------------------------------------------------------------------------

CO_TEST(AsyncioQueue, IsFirstInFirstOut) {
  queue<int> items;
  for (const int item : {2, 3, 1}) co_await items.put(item);
  EXPECT_THAT(drained(items), ElementsAre(2, 3, 1));
}

CO_TEST(AsyncioLifoQueue, IsLastInFirstOut) {
  lifo_queue<int> items;
  for (const int item : {2, 3, 1}) co_await items.put(item);
  EXPECT_THAT(drained(items), ElementsAre(1, 3, 2));
}

CO_TEST(AsyncioPriorityQueue, GivesTheLowestFirst) {
  priority_queue<int> items;
  for (const int item : {2, 3, 1}) co_await items.put(item);
  EXPECT_THAT(drained(items), ElementsAre(1, 2, 3));
}

// Differs: asyncio's heap leaves the order of equal items open.
CO_TEST(AsyncioPriorityQueue, GivesEqualItemsInTheOrderInWhichTheyWerePut) {
  struct by_tens {
    bool operator()(int a, int b) const { return a / 10 < b / 10; }
  };
  priority_queue<int, by_tens> items;
  for (const int item : {21, 13, 22, 11, 23, 12}) co_await items.put(item);
  EXPECT_THAT(drained(items), ElementsAre(13, 11, 12, 21, 22, 23));
}

}  // namespace
}  // namespace lockstep
