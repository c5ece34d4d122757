#include "cancellations.hpp"

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

task<void> receive_into(channel<int>& from, std::vector<int>& got) { got.push_back(co_await from.receive()); }
task<void> send_one(channel<int>& to, int item) { co_await to.send(item); }

CO_TEST(ChannelTest, ASendReturnsWhenAReceiverHasTheItem) {
  channel<int> between;
  auto sender = spawn(send_one(between, 1));
  co_await sleep_for(1s);
  EXPECT_FALSE(sender.done());
  EXPECT_EQ(co_await between.receive(), 1);
  co_await sender.join();
  std::vector<int> got;
  auto receiver = spawn(receive_into(between, got));
  co_await settle();
  co_await between.send(2);
  co_await receiver.join();
  EXPECT_THAT(got, ElementsAre(2));
}

CO_TEST(ChannelTest, SendersAndReceiversMeetInTheOrderInWhichTheyCame) {
  channel<int> between;
  auto a = spawn(send_one(between, 1));
  auto b = spawn(send_one(between, 2));
  co_await settle();
  EXPECT_EQ(co_await between.receive(), 1);
  EXPECT_EQ(co_await between.receive(), 2);
  co_await a.join();
  co_await b.join();
  std::vector<int> first;
  std::vector<int> second;
  auto x = spawn(receive_into(between, first));
  auto y = spawn(receive_into(between, second));
  co_await settle();
  co_await between.send(3);
  EXPECT_EQ(between.try_receive(), std::nullopt) << "the item is x's";
  co_await between.send(4);
  co_await x.join();
  co_await y.join();
  EXPECT_THAT(first, ElementsAre(3));
  EXPECT_THAT(second, ElementsAre(4));
}

CO_TEST(ChannelTest, TriesSucceedOnlyIfSomebodyWaits) {
  channel<std::unique_ptr<int>> between;
  auto item = std::make_unique<int>(1);
  EXPECT_FALSE(between.try_send(std::move(item)));
  CO_ASSERT_NE(item, nullptr) << "an item that was not sent stays with its owner";
  EXPECT_EQ(between.try_receive(), std::nullopt);
  const auto receive = [&]() -> task<int> {
    const std::unique_ptr<int> got = co_await between.receive();
    co_return *got;
  };
  auto receiver = spawn(receive());
  co_await settle();
  EXPECT_TRUE(between.try_send(std::move(item)));
  EXPECT_EQ(co_await receiver.join(), 1);
  const auto send = [&]() -> task<void> { co_await between.send(std::make_unique<int>(2)); };
  auto sender = spawn(send());
  co_await settle();
  const std::optional<std::unique_ptr<int>> got = between.try_receive();
  CO_ASSERT_TRUE(got.has_value());
  EXPECT_EQ(**got, 2);
  co_await sender.join();
  channel<std::string> words;
  const std::string kept = "kept";
  EXPECT_FALSE(words.try_send(kept));
}

CO_TEST(ChannelTest, AWaiterThatIsCancelledIsSkipped) {
  channel<int> between;
  std::vector<int> got;
  auto a = spawn(receive_into(between, got));
  auto b = spawn(receive_into(between, got));
  co_await settle();
  a.cancel();
  co_await between.send(1);
  EXPECT_TRUE(co_await was_cancelled(a));
  co_await b.join();
  EXPECT_THAT(got, ElementsAre(1));
  auto c = spawn(send_one(between, 2));
  auto d = spawn(send_one(between, 3));
  co_await settle();
  c.cancel();
  EXPECT_EQ(co_await between.receive(), 3);
  EXPECT_TRUE(co_await was_cancelled(c));
  co_await d.join();
  EXPECT_EQ(between.try_receive(), std::nullopt);
}

// The sender has gone on: the item must neither be lost nor come twice.
CO_TEST(ChannelTest, AReceiverCancelledAfterItWasGivenAnItemHasReceivedIt) {
  channel<int> between;
  std::string log;
  const auto work = [&]() -> task<void> {
    log += std::to_string(co_await between.receive());
    co_await yield();
    log += "went on";
  };
  auto receiver = spawn(work());
  co_await settle();
  co_await between.send(1);
  receiver.cancel();
  EXPECT_TRUE(co_await was_cancelled(receiver));
  EXPECT_EQ(log, "1");
}

CO_TEST(ChannelTest, ASendCancelledAfterItsItemWasTakenHasHappened) {
  channel<int> between;
  std::string log;
  const auto work = [&]() -> task<void> {
    co_await between.send(1);
    log += "sent";
    co_await yield();
    log += " went on";
  };
  auto sender = spawn(work());
  co_await settle();
  EXPECT_EQ(between.try_receive(), 1);
  sender.cancel();
  EXPECT_TRUE(co_await was_cancelled(sender));
  EXPECT_EQ(log, "sent");
}

CO_TEST(ChannelTest, TimedOutWaitersLeaveNothingBehind) {
  channel<int> between;
  std::vector<int> got;
  EXPECT_THROW(co_await with_timeout(1s, receive_into(between, got)), timed_out);
  EXPECT_FALSE(between.try_send(1));
  EXPECT_THROW(co_await with_timeout(1s, send_one(between, 1)), timed_out);
  EXPECT_EQ(between.try_receive(), std::nullopt);
}

CO_TEST(ChannelTest, CloseEndsTheWaitOfBothSidesAndRefusesThoseWhoComeLater) {
  channel<int> between;
  std::vector<int> got;
  auto a = spawn(send_one(between, 1));
  auto b = spawn(send_one(between, 2));
  co_await settle();
  between.close();
  between.close();
  EXPECT_TRUE(between.closed());
  EXPECT_THROW(co_await a.join(), channel_closed);
  EXPECT_THROW(co_await b.join(), channel_closed);
  EXPECT_THROW(co_await between.send(3), channel_closed);
  EXPECT_THROW(co_await between.receive(), channel_closed);
  EXPECT_FALSE(between.try_send(3));
  EXPECT_EQ(between.try_receive(), std::nullopt);
  channel<int> other;
  auto receiver = spawn(receive_into(other, got));
  co_await settle();
  other.close();
  EXPECT_THROW(co_await receiver.join(), channel_closed);
}

CO_TEST(ChannelTest, WhoHasMetBeforeItIsClosedIsNotRefused) {
  channel<int> between;
  std::vector<int> got;
  auto receiver = spawn(receive_into(between, got));
  co_await settle();
  EXPECT_TRUE(between.try_send(1));
  between.close();
  co_await receiver.join();
  EXPECT_THAT(got, ElementsAre(1));
}

CO_TEST(ChannelTest, MayDieOnceAllHaveMetThoughTheyHaveNotRunYet) {
  auto between = std::make_unique<channel<int>>();
  std::vector<int> got;
  auto receiver = spawn(receive_into(*between, got));
  co_await settle();
  EXPECT_TRUE(between->try_send(1));
  auto sender = spawn(send_one(*between, 2));
  co_await settle();
  EXPECT_EQ(between->try_receive(), 2);
  between.reset();
  co_await receiver.join();
  co_await sender.join();
  EXPECT_THAT(got, ElementsAre(1));
}

TEST(ChannelTest, DyingUnderAWaiterIsMisuse) {
  std::vector<int> got;
  expect_that_death_under_a_waiter_is_misuse([] { return std::make_unique<channel<int>>(label("acks")); },
                                             [&](channel<int>& of) { return receive_into(of, got); },
                                             "channel \"acks\"", "receive from channel");
  expect_that_death_under_a_waiter_is_misuse([] { return std::make_unique<channel<int>>(label("acks")); },
                                             [](channel<int>& of) { return send_one(of, 1); }, "channel \"acks\"",
                                             "send to channel");
}

TEST(ChannelTest, ADestroyedWaiterIsForgotten) {
  std::vector<int> got;
  const auto main = [&]() -> task<void> {
    channel<int> between;
    {
      auto receiver = spawn(receive_into(between, got));
      co_await settle();
    }
    EXPECT_FALSE(between.try_send(1));
  };
  EXPECT_THAT(judge(main).kinds(), ElementsAre(verdict_kind::dropped_handle));
}

// Each waits for what the other has done so far.
TEST(ChannelTest, AReportSaysWhoWasMetLast) {
  const auto main = []() -> task<void> {
    channel<int> acks("acks");
    channel<int> jobs("jobs");
    const auto work = [&]() -> task<void> {
      co_await jobs.receive();
      co_await acks.send(1);
      co_await jobs.receive();
    };
    auto worker = spawn(work(), "worker");
    co_await jobs.send(1);
    co_await acks.receive();
    co_await acks.receive();
    co_await worker.join();
  };
  const judged_run run = judge(main);
  ASSERT_THAT(run.kinds(), ElementsAre(verdict_kind::deadlock));
  EXPECT_EQ(run.verdicts[0].tasks[0].waits_for, "receive from channel \"acks\"");
  EXPECT_EQ(run.verdicts[0].tasks[0].fed_by, "worker");
  EXPECT_EQ(run.verdicts[0].tasks[1].fed_by, "main");
  EXPECT_THAT(run.verdicts[0].cycle, ElementsAre("main", "worker"));
}

TEST(ChannelTest, LosesAndDoublesNothingInAnyOrder) {
  under_every_schedule([]() -> task<void> {
    channel<int> between;
    std::vector<int> sent;
    std::vector<int> got;
    const auto send = [&](int first) -> task<void> {
      for (int i = 0; i < 3; ++i) {
        co_await between.send(first + i);
        sent.push_back(first + i);
      }
    };
    const auto receive = [&]() -> task<void> {
      for (;;) got.push_back(co_await between.receive());
    };
    std::vector<join_handle<void>> senders;
    std::vector<join_handle<void>> receivers;
    for (int i = 0; i < 3; ++i) senders.push_back(spawn(send(10 * i)));
    for (int i = 0; i < 2; ++i) receivers.push_back(spawn(receive()));
    co_await yield();
    senders[1].cancel();
    receivers[0].cancel();
    for (join_handle<void>& sender : senders) static_cast<void>(co_await was_cancelled(sender));
    co_await settle();
    receivers[1].cancel();
    for (join_handle<void>& receiver : receivers) static_cast<void>(co_await was_cancelled(receiver));
    std::sort(sent.begin(), sent.end());
    std::sort(got.begin(), got.end());
    EXPECT_EQ(sent, got);
  });
}

// A send has happened exactly if its item was received.
TEST(ChannelTest, LosesAndDoublesNothingWithEitherSideCancelledAnywhere) {
  for (const bool sends : {false, true}) {
    under_every_cancellation([sends](hunt& hunted) -> task<void> {
      channel<int> between;
      std::vector<int> sent;
      std::vector<int> got;
      const auto send = [&](int first) -> task<void> {
        for (int i = 0; i < 2; ++i) {
          co_await between.send(first + i);
          sent.push_back(first + i);
        }
      };
      const auto receive = [&]() -> task<void> {
        for (int i = 0; i < 2; ++i) got.push_back(co_await between.receive());
      };
      auto victim = spawn(sends ? send(0) : receive());
      auto left = spawn(sends ? receive() : send(0));
      auto right = spawn(sends ? receive() : send(10));
      auto other = spawn(sends ? send(10) : receive());
      hunted.begin(victim);
      co_await hunted.end();
      static_cast<void>(co_await was_cancelled(victim));
      // The others may wait for a partner that the victim would have been.
      const auto all_have_sent = [&] { return sends ? other.done() : left.done() && right.done(); };
      while (!left.done() || !right.done() || !other.done()) {
        if (const std::optional<int> item = between.try_receive()) got.push_back(*item);
        if (all_have_sent() && between.try_send(99)) sent.push_back(99);
        co_await yield();
      }
      for (auto* each : {&left, &right, &other}) co_await each->join();
      std::sort(sent.begin(), sent.end());
      std::sort(got.begin(), got.end());
      EXPECT_EQ(sent, got);
      EXPECT_EQ(between.try_receive(), std::nullopt);
      EXPECT_FALSE(between.try_send(1));
    });
  }
}

}  // namespace
}  // namespace lockstep
