#include "cancellations.hpp"

#include <lockstep/testing/testing.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// Receives so many items.
task<void> receive_into(subscription<int>& from, std::vector<int>& got, int times = 1) {
  for (int i = 0; i < times; ++i) got.push_back(co_await from.receive());
}
task<void> send_one(broadcast<int>& to, int item) { co_await to.send(item); }

std::vector<int> drained(subscription<int>& from) {
  std::vector<int> items;
  while (std::optional<int> item = from.try_receive()) items.push_back(*item);
  return items;
}

CO_TEST(BroadcastTest, EachSubscriberSeesEveryItemSentAfterItSubscribed) {
  broadcast<int> news(8);
  co_await news.send(0);
  EXPECT_EQ(news.size(), 0u) << "nobody was there to see it";
  subscription<int> a = news.subscribe();
  co_await news.send(1);
  subscription<int> b = news.subscribe();
  co_await news.send(2);
  EXPECT_EQ(news.subscribers(), 2u);
  EXPECT_EQ(a.backlog(), 2u);
  EXPECT_EQ(b.backlog(), 1u);
  EXPECT_EQ(co_await a.receive(), 1);
  EXPECT_EQ(co_await a.receive(), 2);
  EXPECT_EQ(co_await b.receive(), 2);
  EXPECT_EQ(b.try_receive(), std::nullopt);
  EXPECT_EQ(news.size(), 0u) << "what all have received is not kept";
}

CO_TEST(BroadcastTest, WakesAllThatWaitInTheirOrder) {
  broadcast<int> news(1);
  std::string log;
  const auto receive = [&](std::string name) -> task<void> {
    subscription<int> mine = news.subscribe();
    log += name + std::to_string(co_await mine.receive());
  };
  auto a = spawn(receive("a"));
  auto b = spawn(receive("b"));
  co_await settle();
  co_await news.send(1);
  co_await a.join();
  co_await b.join();
  EXPECT_EQ(log, "a1b1");
  EXPECT_EQ(news.subscribers(), 0u);
}

CO_TEST(BroadcastTest, ASenderWaitsUntilTheSlowestHasRoom) {
  broadcast<int> news(2);
  subscription<int> fast = news.subscribe();
  subscription<int> slow = news.subscribe();
  co_await news.send(1);
  co_await news.send(2);
  auto sender = spawn(send_one(news, 3));
  auto next = spawn(send_one(news, 4));
  EXPECT_THAT(drained(fast), ElementsAre(1, 2));
  co_await settle();
  EXPECT_FALSE(sender.done());
  EXPECT_FALSE(news.try_send(9));
  EXPECT_EQ(co_await slow.receive(), 1);
  EXPECT_FALSE(news.try_send(9)) << "the room is the sender's";
  co_await sender.join();
  EXPECT_FALSE(next.done());
  EXPECT_THAT(drained(slow), ElementsAre(2, 3, 4)) << "its room is the next sender's at once";
  co_await next.join();
  EXPECT_THAT(drained(fast), ElementsAre(3, 4));
}

CO_TEST(BroadcastTest, ASubscriptionThatEndsHoldsNobodyUp) {
  broadcast<int> news(1);
  subscription<int> fast = news.subscribe();
  std::optional<subscription<int>> slow(news.subscribe());
  co_await news.send(1);
  EXPECT_THAT(drained(fast), ElementsAre(1));
  auto sender = spawn(send_one(news, 2));
  auto next = spawn(send_one(news, 3));
  co_await settle();
  EXPECT_FALSE(sender.done());
  slow.reset();
  co_await sender.join();
  EXPECT_FALSE(next.done());
  EXPECT_THAT(drained(fast), ElementsAre(2, 3));
  co_await next.join();
  auto last = spawn(send_one(news, 4));
  co_await last.join();
  auto blocked = spawn(send_one(news, 5));
  co_await settle();
  subscription<int> none = std::move(fast);
  none = news.subscribe();
  co_await blocked.join();
  EXPECT_EQ(news.subscribers(), 1u);
}

CO_TEST(BroadcastTest, WhoeverSubscribesWhileASenderWaitsSeesItsItem) {
  broadcast<int> news(1);
  subscription<int> slow = news.subscribe();
  co_await news.send(1);
  auto sender = spawn(send_one(news, 2));
  co_await settle();
  subscription<int> late = news.subscribe();
  EXPECT_EQ(late.backlog(), 0u);
  EXPECT_THAT(drained(slow), ElementsAre(1, 2));
  EXPECT_THAT(drained(late), ElementsAre(2));
  co_await sender.join();
}

CO_TEST(BroadcastTest, DroppingTheOldestTellsWhoHasMissedItOnceAndGoesOn) {
  broadcast<int> news(2, overflow::drop_oldest);
  subscription<int> fast = news.subscribe();
  subscription<int> slow = news.subscribe();
  for (int i = 1; i <= 2; ++i) co_await news.send(i);
  EXPECT_THAT(drained(fast), ElementsAre(1, 2));
  for (int i = 3; i <= 5; ++i) EXPECT_TRUE(news.try_send(i));
  EXPECT_EQ(slow.backlog(), 5u);
  std::uint64_t missed = 0;
  try {
    co_await slow.receive();
  } catch (const lagged& error) {
    missed = error.missed();
    EXPECT_STREQ(error.what(), "the subscriber was too slow, and has missed 3 items");
  }
  EXPECT_EQ(missed, 3u);
  EXPECT_EQ(co_await slow.receive(), 4);
  EXPECT_EQ(co_await slow.receive(), 5);
  EXPECT_THROW(fast.try_receive(), lagged);
  EXPECT_THAT(drained(fast), ElementsAre(4, 5));
  EXPECT_EQ(news.size(), 0u);
}

CO_TEST(BroadcastTest, ASubscriberThatLagsAndEndsLeavesTheRestToTheOthers) {
  broadcast<int> news(2, overflow::drop_oldest);
  std::optional<subscription<int>> slow(news.subscribe());
  for (int i = 1; i <= 3; ++i) co_await news.send(i);
  subscription<int> late = news.subscribe();
  co_await news.send(4);
  slow.reset();
  EXPECT_EQ(news.size(), 1u);
  EXPECT_THAT(drained(late), ElementsAre(4));
}

CO_TEST(BroadcastTest, KeepsAnItemOnceAndMovesItToTheLast) {
  broadcast<std::shared_ptr<int>> news(2);
  auto a = news.subscribe();
  auto b = news.subscribe();
  auto item = std::make_shared<int>(1);
  co_await news.send(item);
  EXPECT_EQ(item.use_count(), 2);
  const std::shared_ptr<int> first = co_await a.receive();
  EXPECT_EQ(item.use_count(), 3);
  const std::shared_ptr<int> second = co_await b.receive();
  EXPECT_EQ(item.use_count(), 3);
}

// Throws when it is copied, if it is told so.
struct brittle {
  bool* breaks;
  explicit brittle(bool& when) : breaks(&when) {}
  brittle(const brittle& other) : breaks(other.breaks) {
    if (*breaks) throw std::runtime_error("broken");
  }
  brittle(brittle&&) noexcept = default;
  brittle& operator=(brittle&&) noexcept = default;
};

CO_TEST(BroadcastTest, AnItemWhoseCopyThrewIsThereForTheNextReceive) {
  bool breaks = false;
  broadcast<brittle> news(2);
  auto a = news.subscribe();
  auto b = news.subscribe();
  co_await news.send(brittle(breaks));
  breaks = true;
  EXPECT_THROW(co_await a.receive(), std::runtime_error);
  EXPECT_EQ(a.backlog(), 1u);
  breaks = false;
  co_await a.receive();
  co_await b.receive();
}

CO_TEST(BroadcastTest, AReceiverCancelledAfterAnItemCameLeavesItToTheNextReceive) {
  broadcast<int> news(2);
  subscription<int> mine = news.subscribe();
  std::vector<int> got;
  auto receiver = spawn(receive_into(mine, got));
  co_await settle();
  co_await news.send(1);
  receiver.cancel();
  EXPECT_TRUE(co_await was_cancelled(receiver));
  EXPECT_THAT(got, IsEmpty());
  EXPECT_EQ(co_await mine.receive(), 1);
}

// Whether an item had come by then, or not.
CO_TEST(BroadcastTest, AnOperationThatWasCancelledLeavesTheSubscriptionFreeThoughItLives) {
  for (const bool sent : {false, true}) {
    broadcast<int> news(2);
    subscription<int> mine = news.subscribe();
    std::vector<int> got;
    const auto work = [&]() -> task<void> {
      auto waiting = mine.receive();
      try {
        co_await waiting;
      } catch (const cancelled&) {
        current_task().uncancel();
      }
      got.push_back(co_await mine.receive());
    };
    auto receiver = spawn(work());
    co_await settle();
    if (sent) co_await news.send(1);
    receiver.cancel();
    if (!sent) co_await news.send(1);
    co_await receiver.join();
    EXPECT_THAT(got, ElementsAre(1));
  }
}

CO_TEST(BroadcastTest, ASendCancelledAfterItsItemIsInHasHappenedAndOneThatWaitsHasNot) {
  broadcast<int> news(1);
  subscription<int> mine = news.subscribe();
  co_await news.send(1);
  std::string log;
  const auto work = [&](int item) -> task<void> {
    co_await news.send(item);
    log += "sent";
    co_await yield();
    log += " went on";
  };
  auto a = spawn(work(2));
  auto b = spawn(work(3));
  co_await settle();
  EXPECT_EQ(mine.try_receive(), 1);
  a.cancel();
  b.cancel();
  EXPECT_TRUE(co_await was_cancelled(a));
  EXPECT_TRUE(co_await was_cancelled(b));
  EXPECT_EQ(log, "sent");
  EXPECT_THAT(drained(mine), ElementsAre(2));
}

CO_TEST(BroadcastTest, TimedOutWaitersLeaveNothingBehind) {
  broadcast<int> news(1);
  subscription<int> mine = news.subscribe();
  std::vector<int> got;
  EXPECT_THROW(co_await with_timeout(1s, receive_into(mine, got)), timed_out);
  co_await news.send(1);
  EXPECT_THROW(co_await with_timeout(1s, send_one(news, 2)), timed_out);
  EXPECT_THAT(drained(mine), ElementsAre(1));
  EXPECT_EQ(news.size(), 0u);
}

CO_TEST(BroadcastTest, CloseLetsSubscribersReceiveWhatIsThere) {
  broadcast<int> news(1);
  subscription<int> mine = news.subscribe();
  co_await news.send(1);
  auto sender = spawn(send_one(news, 2));
  co_await settle();
  news.close();
  news.close();
  EXPECT_TRUE(news.closed());
  EXPECT_THROW(co_await sender.join(), channel_closed);
  EXPECT_THROW(co_await news.send(3), channel_closed);
  EXPECT_FALSE(news.try_send(3));
  subscription<int> late = news.subscribe();
  EXPECT_THROW(co_await late.receive(), channel_closed);
  EXPECT_EQ(co_await mine.receive(), 1);
  EXPECT_EQ(mine.try_receive(), std::nullopt);
  EXPECT_THROW(co_await mine.receive(), channel_closed);
}

CO_TEST(BroadcastTest, CloseEndsTheWaitOfReceivers) {
  broadcast<int> news(1);
  subscription<int> mine = news.subscribe();
  std::vector<int> got;
  auto receiver = spawn(receive_into(mine, got));
  co_await settle();
  news.close();
  EXPECT_THROW(co_await receiver.join(), channel_closed);
}

TEST(BroadcastTest, ReceivingWhereAnotherTaskReceivesIsMisuse) {
  std::vector<int> got;
  const auto main = [&]() -> task<void> {
    broadcast<int> news(2);
    subscription<int> mine = news.subscribe();
    auto receiver = spawn(receive_into(mine, got));
    co_await settle();
    EXPECT_THROW(co_await mine.receive(), misuse);
    EXPECT_THROW(mine.try_receive(), misuse);
    co_await news.send(1);
    EXPECT_THROW(co_await mine.receive(), misuse) << "it has the item, and has not run";
    co_await receiver.join();
    co_await news.send(2);
    got.push_back(co_await mine.receive());
  };
  const std::string told = "misuse: receive() from a subscription from which another task receives; subscribe again\n";
  EXPECT_EQ(judge(main).messages(), told + told + told);
  EXPECT_THAT(got, ElementsAre(1, 2));
}

TEST(BroadcastTest, ASubscriptionThatDiesUnderItsReceiverIsMisuseOfThatOne) {
  for (const bool sent : {false, true}) {
    std::vector<int> got;
    const auto main = [&]() -> task<void> {
      broadcast<int> news(2);
      auto mine = std::make_unique<subscription<int>>(news.subscribe());
      auto receiver = spawn(receive_into(*mine, got));
      co_await settle();
      if (sent) co_await news.send(1);
      mine.reset();
      EXPECT_THROW(co_await receiver.join(), misuse);
      EXPECT_EQ(news.size(), 0u);
    };
    EXPECT_EQ(judge(main).messages(),
              "misuse: receive() from a subscription that is over: it or its broadcast has died, or it was moved "
              "from\n");
    EXPECT_THAT(got, IsEmpty());
  }
}

TEST(BroadcastTest, DyingBeforeItsSubscriptionsIsMisuseAndLeavesThemEmpty) {
  const auto main = []() -> task<void> {
    auto news = std::make_unique<broadcast<int>>(2u, overflow::wait, label("news"));
    subscription<int> mine = news->subscribe();
    co_await news->send(1);
    news.reset();
    EXPECT_EQ(mine.backlog(), 0u);
    EXPECT_THROW(co_await mine.receive(), misuse);
  };
  EXPECT_EQ(judge(main).messages(),
            "misuse: the broadcast \"news\" died before 1 of its subscriptions\n"
            "misuse: receive() from a subscription that is over: it or its broadcast has died, or it was moved from\n");
}

TEST(BroadcastTest, DyingUnderASenderThatWaitsIsMisuse) {
  const auto main = []() -> task<void> {
    auto news = std::make_unique<broadcast<int>>(1u, overflow::wait, label("news"));
    std::optional<subscription<int>> mine(news->subscribe());
    co_await news->send(1);
    auto sender = spawn(send_one(*news, 2), "sender");
    co_await settle();
    news.reset();
    mine.reset();
    co_await sender.join();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::misuse, verdict_kind::misuse, verdict_kind::deadlock));
  EXPECT_EQ(run.verdicts[0].message, "the broadcast \"news\" died while task \"sender\" waits for it");
}

TEST(BroadcastTest, WithoutRoomIsMisuse) {
  const auto main = []() -> task<void> {
    EXPECT_THROW(broadcast<int>(0, overflow::wait, "news"), misuse);
    co_return;
  };
  EXPECT_EQ(judge(main).messages(),
            "misuse: broadcast \"news\" has room for 0 items (capacity_items); it needs at least 1\n");
}

TEST(BroadcastTest, ADestroyedReceiverLeavesNothingBehind) {
  std::vector<int> got;
  const auto main = [&]() -> task<void> {
    broadcast<int> news(1);
    for (const bool sent : {false, true}) {
      const auto work = [&]() -> task<void> {
        subscription<int> mine = news.subscribe();
        co_await receive_into(mine, got);
      };
      {
        auto receiver = spawn(work());
        co_await settle();
        if (sent) co_await news.send(1);
      }
      EXPECT_EQ(news.subscribers(), 0u);
      EXPECT_EQ(news.size(), 0u);
    }
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::dropped_handle, verdict_kind::dropped_handle));
  EXPECT_THAT(got, IsEmpty());
}

// The youngest is torn down first: the owner of the broadcast before the subscriber that waits.
TEST(BroadcastTest, MayBeTornDownBeforeItsSubscriber) {
  std::vector<int> got;
  const auto main = [&]() -> task<void> {
    broadcast<int>* shared = nullptr;
    event made;
    const auto own = [&]() -> task<void> {
      broadcast<int> news(1);
      shared = &news;
      made.set();
      co_await sleep_for(1h);
    };
    const auto receive = [&]() -> task<void> {
      co_await made.wait();
      subscription<int> mine = shared->subscribe();
      co_await receive_into(mine, got, 2);
    };
    auto receiver = spawn(receive());
    auto owner = spawn(own());
    co_await settle();
    co_await shared->send(1);
    current_loop()->stop();
    co_await yield();
  };
  EXPECT_FALSE(judge(main).ended);
  EXPECT_THAT(got, IsEmpty());
}

// It stays subscribed, as nobody may touch the broadcast from there.
TEST(BroadcastTest, ASubscriptionThatDiesOnAnotherThreadIsMisuse) {
  const auto main = []() -> task<void> {
    broadcast<int> news(1, overflow::drop_oldest, "news");
    std::optional<subscription<int>> mine(news.subscribe());
    std::thread([&] { mine.reset(); }).join();
    EXPECT_EQ(news.subscribers(), 1u);
    for (int i = 0; i < 3; ++i) co_await news.send(i);
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::misuse, verdict_kind::misuse));
  EXPECT_THAT(run.messages(), testing::HasSubstr("broadcast \"news\" lost a subscription on another thread"));
}

TEST(BroadcastTest, AReportSaysWhoSentLast) {
  const auto main = []() -> task<void> {
    broadcast<int> news(1, overflow::wait, "news");
    event never("never");
    const auto work = [&]() -> task<void> {
      co_await news.send(1);
      co_await never.wait();
    };
    subscription<int> mine = news.subscribe();
    auto sender = spawn(work(), "sender");
    co_await mine.receive();
    co_await mine.receive();
    co_await sender.join();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_EQ(run.verdicts[0].tasks[0].waits_for, "receive from broadcast \"news\"");
  EXPECT_EQ(run.verdicts[0].tasks[0].fed_by, "sender");
}

TEST(BroadcastTest, GivesAllOfItToAllInAnyOrder) {
  under_every_schedule([]() -> task<void> {
    broadcast<int> news(2);
    std::vector<int> got[3];
    std::vector<join_handle<void>> tasks;
    std::vector<subscription<int>> subscriptions;
    for (int i = 0; i < 3; ++i) subscriptions.push_back(news.subscribe());
    const auto receive = [&](std::size_t me) -> task<void> {
      subscription<int> mine = std::move(subscriptions[me]);
      co_await receive_into(mine, got[me], me == 2 ? 2 : 6);
    };
    const auto send = [&](int first) -> task<void> {
      for (int i = 0; i < 3; ++i) co_await news.send(first + i);
    };
    for (std::size_t i = 0; i < 3; ++i) tasks.push_back(spawn(receive(i)));
    tasks.push_back(spawn(send(0)));
    tasks.push_back(spawn(send(10)));
    for (join_handle<void>& each : tasks) co_await each.join();
    EXPECT_EQ(got[0], got[1]);
    EXPECT_EQ(got[0].size(), 6u);
    EXPECT_EQ(std::vector<int>(got[0].begin(), got[0].begin() + 2), got[2]);
    EXPECT_EQ(news.size(), 0u);
  });
}

// Whoever is cancelled, receiver or sender: the others see the same, and all of what was sent.
TEST(BroadcastTest, LosesNothingWithEitherSideCancelledAnywhere) {
  for (const bool sends : {false, true}) {
    for (const overflow when_full : {overflow::wait, overflow::drop_oldest}) {
      under_every_cancellation([=](hunt& hunted) -> task<void> {
        broadcast<int> news(when_full == overflow::wait ? 1 : 8, when_full);
        std::vector<int> sent;
        std::vector<int> got[2];
        subscription<int> mine = news.subscribe();
        const auto receive_all = [&](std::vector<int>& into) -> task<void> {
          subscription<int> from = news.subscribe();
          for (;;) {
            int item = 0;
            try {
              item = co_await from.receive();
            } catch (const channel_closed&) {
              break;
            }
            into.push_back(item);
          }
        };
        const auto send = [&](int first) -> task<void> {
          for (int i = 0; i < 3; ++i) {
            co_await news.send(first + i);
            sent.push_back(first + i);
          }
        };
        auto other = spawn(receive_all(got[0]));
        auto victim = spawn(sends ? send(0) : receive_all(got[1]));
        auto sender = spawn(send(10));
        std::vector<int> seen;
        hunted.begin(victim);
        auto end = spawn(hunted.end());
        while (!end.done() || !victim.done() || !sender.done()) {
          if (const std::optional<int> item = mine.try_receive()) seen.push_back(*item);
          if (sender.done() && (!sends || victim.done())) news.close();
          co_await yield();
        }
        co_await end.join();
        static_cast<void>(co_await was_cancelled(victim));
        co_await sender.join();
        for (const int item : drained(mine)) seen.push_back(item);
        news.close();
        co_await other.join();
        EXPECT_EQ(news.subscribers(), 1u);
        EXPECT_EQ(news.size(), 0u);
        EXPECT_TRUE(std::is_permutation(seen.begin(), seen.end(), sent.begin(), sent.end()));
        // It has subscribed later, so it may have missed the first ones.
        EXPECT_LE(got[0].size(), seen.size());
        EXPECT_TRUE(std::equal(got[0].rbegin(), got[0].rend(), seen.rbegin()));
      });
    }
  }
}

}  // namespace
}  // namespace lockstep
