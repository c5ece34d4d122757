// What is beyond the rules of asyncio, which are in conformance/asyncio_queues.cpp.
#include "queues.hpp"
#include "schedules.hpp"

#include <lockstep/report/text.hpp>
#include <lockstep/testing/testing.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

CO_TEST(QueueTest, GivesItemsInTheOrderInWhichTheyWerePut) {
  queue<int> items;
  for (int i = 0; i < 40; ++i) co_await items.put(i);
  EXPECT_EQ(items.size(), 40u);
  EXPECT_FALSE(items.full());
  for (int i = 0; i < 40; ++i) EXPECT_EQ(co_await items.get(), i);
  EXPECT_TRUE(items.empty());
  EXPECT_EQ(items.try_get(), std::nullopt);
}

CO_TEST(QueueTest, PutWaitsForAPlaceAndKeepsTheOrder) {
  queue<int> items(1);
  co_await items.put(1);
  EXPECT_TRUE(items.full());
  EXPECT_FALSE(items.try_put(9));
  auto a = spawn(put_one(items, 2));
  auto b = spawn(put_one(items, 3));
  co_await settle();
  EXPECT_FALSE(a.done());
  EXPECT_EQ(items.try_get(), 1);
  EXPECT_FALSE(items.try_put(9)) << "the place is a's";
  co_await settle();
  EXPECT_TRUE(a.done());
  EXPECT_FALSE(b.done());
  EXPECT_EQ(co_await items.get(), 2);
  EXPECT_EQ(co_await items.get(), 3);
  co_await a.join();
  co_await b.join();
}

CO_TEST(QueueTest, ItemsGoToGettersInFifoOrderAndNobodyTakesOneInBetween) {
  queue<int> items;
  std::vector<int> a;
  std::vector<int> b;
  auto first = spawn(get_into(items, a));
  auto second = spawn(get_into(items, b));
  co_await settle();
  EXPECT_TRUE(items.try_put(1));
  EXPECT_EQ(items.try_get(), std::nullopt) << "the item is the first getter's";
  EXPECT_TRUE(items.try_put(2));
  co_await first.join();
  co_await second.join();
  EXPECT_THAT(a, ElementsAre(1));
  EXPECT_THAT(b, ElementsAre(2));
}

CO_TEST(QueueTest, MovesItems) {
  queue<std::unique_ptr<int>> items(1);
  co_await items.put(std::make_unique<int>(1));
  auto refused = std::make_unique<int>(2);
  EXPECT_FALSE(items.try_put(std::move(refused)));
  CO_ASSERT_NE(refused, nullptr) << "an item that was not put stays with its owner";
  EXPECT_EQ(*co_await items.get(), 1);
  EXPECT_TRUE(items.try_put(std::move(refused)));
  EXPECT_EQ(refused, nullptr);
  const std::optional<std::unique_ptr<int>> got = items.try_get();
  EXPECT_EQ(**got, 2);
}

CO_TEST(QueueTest, CopiesAnItemThatIsKept) {
  queue<std::string> items(1);
  const std::string kept = "kept";
  EXPECT_TRUE(items.try_put(kept));
  EXPECT_FALSE(items.try_put(kept));
  EXPECT_EQ(co_await items.get(), kept);
}

CO_TEST(QueueTest, AGetterCancelledAfterItWasGivenAnItemPutsItBackInFront) {
  queue<int> items;
  std::vector<int> got;
  auto a = spawn(get_into(items, got));
  co_await settle();
  items.try_put(1);
  items.try_put(2);
  a.cancel();
  EXPECT_TRUE(co_await was_cancelled(a));
  EXPECT_THAT(drained(items), ElementsAre(1, 2));
}

// In whatever order they come back, items are got in the order in which they were put.
CO_TEST(QueueTest, SeveralCancelledGettersPutTheirItemsBackInOrder) {
  for (const bool backwards : {false, true}) {
    queue<int> items;
    std::vector<int> got;
    std::vector<join_handle<void>> getters;
    for (int i = 0; i < 4; ++i) getters.push_back(spawn(get_into(items, got)));
    co_await settle();
    for (int i = 0; i < 6; ++i) items.try_put(i);
    for (join_handle<void>& getter : getters) getter.cancel();
    if (backwards) std::reverse(getters.begin(), getters.end());
    for (join_handle<void>& getter : getters) EXPECT_TRUE(co_await was_cancelled(getter));
    EXPECT_EQ(items.try_get(), 0);
    EXPECT_EQ(items.try_get(), 1);
    items.try_put(6);
    EXPECT_THAT(drained(items), ElementsAre(2, 3, 4, 5, 6));
    EXPECT_THAT(got, testing::IsEmpty());
  }
}

CO_TEST(QueueTest, AnItemThatComesBackMayExceedTheCapacityForAWhile) {
  queue<int> items(1);
  std::vector<int> got;
  auto a = spawn(get_into(items, got));
  co_await settle();
  items.try_put(1);
  EXPECT_TRUE(items.try_put(2));
  a.cancel();
  EXPECT_TRUE(co_await was_cancelled(a));
  EXPECT_EQ(items.size(), 2u);
  auto putter = spawn(put_one(items, 3));
  co_await settle();
  EXPECT_EQ(items.try_get(), 1);
  co_await settle();
  EXPECT_FALSE(putter.done()) << "one is still in it";
  EXPECT_EQ(items.try_get(), 2);
  co_await putter.join();
  EXPECT_THAT(drained(items), ElementsAre(3));
}

CO_TEST(QueueTest, APutterCancelledWhileItWaitsPutsNothing) {
  queue<int> items(1);
  co_await items.put(1);
  auto a = spawn(put_one(items, 2));
  auto b = spawn(put_one(items, 3));
  co_await settle();
  a.cancel();
  EXPECT_EQ(items.try_get(), 1);
  EXPECT_TRUE(co_await was_cancelled(a));
  co_await b.join();
  EXPECT_THAT(drained(items), ElementsAre(3));
}

TEST(QueueTest, ADestroyedGetterLeavesItsItemToTheNext) {
  for (const bool another : {false, true}) {
    std::vector<int> got;
    const auto main = [&]() -> task<void> {
      queue<int> items;
      std::optional<join_handle<void>> a(spawn(get_into(items, got)));
      std::optional<join_handle<void>> b;
      if (another) b.emplace(spawn(get_into(items, got)));
      co_await settle();
      items.try_put(1);
      a.reset();
      items.try_put(2);
      if (another) co_await b->join();
      for (const int left : drained(items)) got.push_back(left);
    };
    const judged_run run = judge(main);
    EXPECT_TRUE(run.ended);
    EXPECT_THAT(run.kinds(), ElementsAre(verdict_kind::dropped_handle));
    EXPECT_EQ(got.size(), 2u);
    EXPECT_TRUE(another || std::is_sorted(got.begin(), got.end()));
  }
}

CO_TEST(QueueTest, AnItemThatComesBackIsOneItemForJoin) {
  queue<int> items;
  std::vector<int> got;
  auto a = spawn(get_into(items, got));
  co_await settle();
  items.try_put(1);
  a.cancel();
  EXPECT_TRUE(co_await was_cancelled(a));
  drained(items);
  items.task_done();
  co_await items.join();
}

CO_TEST(QueueTest, ShutDownEndsTheWaitOfGetters) {
  queue<int> items;
  std::vector<int> got;
  auto a = spawn(get_into(items, got));
  auto b = spawn(get_into(items, got));
  co_await settle();
  items.try_put(1);
  items.shut_down();
  co_await a.join();
  EXPECT_THROW(co_await b.join(), queue_shut_down);
  EXPECT_THAT(got, ElementsAre(1));
}

CO_TEST(QueueTest, APutAdmittedJustBeforeShutDownHasHappened) {
  queue<int> items(1);
  co_await items.put(1);
  auto putter = spawn(put_one(items, 2));
  co_await settle();
  EXPECT_EQ(items.try_get(), 1);
  items.shut_down();
  co_await putter.join();
  EXPECT_EQ(co_await items.get(), 2);
}

CO_TEST(QueueTest, MayDieOnceItIsShutDownThoughItsWaitersHaveNotRunYet) {
  std::vector<int> got;
  auto items = std::make_unique<queue<int>>(1u);
  auto getter = spawn(get_into(*items, got));
  co_await settle();
  items->shut_down();
  items.reset();
  EXPECT_THROW(co_await getter.join(), queue_shut_down);
}

CO_TEST(QueueTest, MayDieOnceItsItemWasHandedOverThoughTheGetterIsCancelled) {
  auto items = std::make_unique<queue<int>>();
  std::vector<int> got;
  auto getter = spawn(get_into(*items, got));
  co_await settle();
  EXPECT_TRUE(items->try_put(1));
  items.reset();
  getter.cancel();
  EXPECT_TRUE(co_await was_cancelled(getter));
  EXPECT_TRUE(got.empty());
}

TEST(QueueTest, WithoutRoomIsMisuse) {
  const auto main = []() -> task<void> {
    EXPECT_THROW(queue<int>(0, "jobs"), misuse);
    co_return;
  };
  EXPECT_EQ(judge(main).messages(),
            "misuse: queue \"jobs\" has room for 0 items (capacity_items); it needs at least 1\n");
}

TEST(QueueTest, DyingUnderAWaiterIsMisuse) {
  std::vector<int> got;
  expect_that_death_under_a_waiter_is_misuse([] { return std::make_unique<queue<int>>(1u, label("jobs")); },
                                             [&](queue<int>& items) { return get_into(items, got); }, "queue \"jobs\"",
                                             "get from queue");
}

// A run may end while a getter has an item and has not run, and tasks are torn down the youngest first: its queue's
// owner before it.
TEST(QueueTest, MayBeTornDownBeforeAGetterThatWasGivenAnItem) {
  std::vector<int> got;
  const auto main = [&]() -> task<void> {
    queue<int>* shared = nullptr;
    event made;
    event over;
    const auto own = [&]() -> task<void> {
      queue<int> items;
      shared = &items;
      made.set();
      co_await over.wait();
    };
    const auto get = [&]() -> task<void> {
      co_await made.wait();
      co_await get_into(*shared, got);
    };
    auto getter = spawn(get());
    auto owner = spawn(own());
    co_await settle();
    shared->try_put(1);
    current_loop()->stop();
    co_await yield();
  };
  EXPECT_FALSE(judge(main).ended);
  EXPECT_THAT(got, testing::IsEmpty());
}

TEST(QueueTest, AReportSaysWhoHasFedIt) {
  const auto main = []() -> task<void> {
    queue<int> acks(1, "ack");
    event never("never");
    const auto feed = [&]() -> task<void> {
      co_await acks.put(1);
      co_await never.wait();
    };
    const auto write = [&]() -> task<void> {
      co_await acks.get();
      co_await acks.get();
    };
    auto writer = spawn(write(), "writer");
    auto reader = spawn(feed(), "reader");
    co_await writer.join();
    co_await reader.join();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  ASSERT_EQ(run.verdicts[0].tasks.size(), 3u);
  EXPECT_EQ(run.verdicts[0].tasks[1].waits_for, "get from queue \"ack\"");
  EXPECT_EQ(run.verdicts[0].tasks[1].fed_by, "reader");
  EXPECT_THAT(to_text(run.verdicts[0]), HasSubstr("fed by reader"));
}

// The reader feeds the queue and wants the lock; the writer has the lock and waits for the queue.
TEST(QueueTest, AFeederThatWaitsForItsConsumerIsACycle) {
  const auto main = []() -> task<void> {
    queue<int> acks(1, "ack");
    mutex lock("tx");
    const auto read = [&]() -> task<void> {
      co_await acks.put(1);
      co_await sleep_for(1s);
      const mutex_guard held = co_await lock.lock();
    };
    const auto write = [&]() -> task<void> {
      const mutex_guard held = co_await lock.lock();
      co_await acks.get();
      co_await acks.get();
    };
    auto reader = spawn(read(), "reader");
    auto writer = spawn(write(), "writer");
    co_await reader.join();
    co_await writer.join();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_THAT(run.verdicts[0].cycle, ElementsAre("reader", "writer"));
}

TEST(QueueTest, AReportNamesNoFeederThatHasEndedOrIsTheWaiterItself) {
  const auto main = []() -> task<void> {
    queue<int> acks(queue<int>::unbounded, "ack");
    co_await spawn(put_one(acks, 1)).join();
    co_await acks.get();
    std::vector<int> got;
    auto orphan = spawn(get_into(acks, got), "orphan");
    queue<int> own;
    co_await own.put(1);
    co_await own.get();
    co_await own.get();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  for (const task_snapshot& each : run.verdicts[0].tasks) EXPECT_EQ(each.fed_by, "");
  EXPECT_THAT(run.verdicts[0].cycle, testing::IsEmpty());
}

// One consumer at a time, replaced when it is cancelled: it must see each producer's items in order.
TEST(QueueTest, KeepsTheOrderWhenConsumersAreReplacedInAnyOrder) {
  under_every_schedule([]() -> task<void> {
    queue<int> items(2);
    std::vector<int> got;
    const auto produce = [&]() -> task<void> {
      for (int i = 0; i < 8; ++i) co_await items.put(i);
    };
    const auto consume = [&]() -> task<void> {
      for (;;) got.push_back(co_await items.get());
    };
    auto producer = spawn(produce());
    for (int i = 0; i < 4; ++i) {
      auto consumer = spawn(consume());
      for (int j = 0; j < i; ++j) co_await yield();
      consumer.cancel();
      EXPECT_TRUE(co_await was_cancelled(consumer));
    }
    while (got.size() < 8) got.push_back(co_await items.get());
    co_await producer.join();
    EXPECT_TRUE(std::is_sorted(got.begin(), got.end())) << testing::PrintToString(got);
    EXPECT_EQ(got.size(), 8u);
  });
}

}  // namespace
}  // namespace lockstep
