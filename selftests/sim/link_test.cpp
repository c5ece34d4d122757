#include <lockstep/sim/link.hpp>

#include "talking_hosts.hpp"
#include "two_hosts.hpp"

#include <lockstep/explore/choices.hpp>
#include <lockstep/explore/strategy.hpp>
#include <lockstep/sim/clog.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Answers each question for a value with the highest.
class longest final : public oracle {
 public:
  std::size_t pick_task(const candidates&) override { return 0; }
  std::uint64_t pick_value(choice_point point, std::uint64_t options) override {
    asked += asked.empty() ? point.name : "";
    return options - 1;
  }
  std::string asked;
};

task<void> measure(duration& shortest) {
  two_hosts hosts;
  link& between = lockstep::world().link("client", "web").latency(5ms, 80ms);
  shortest = between.there.latency_of(lockstep::world().network().owner(), 0);
  co_return;
}

TEST(LinkTest, TakesTheShortestInThePlainRun) {
  duration taken{};
  run_on_hosts([&taken] { return measure(taken); });
  EXPECT_EQ(taken, 5ms);
}

TEST(LinkTest, AsksTheOracleInTheNameOfTheLane) {
  duration taken{};
  longest choices;
  class world of;
  of.run(measure(taken), {.choices = &choices});
  EXPECT_EQ(taken, 80ms);
  EXPECT_EQ(choices.asked, "client -> web");
}

TEST(LinkTest, SendsOnePacketAfterTheOther) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    link& between = lockstep::world().link("client", "web").bandwidth(1000).latency(1s);
    loop& owner = lockstep::world().network().owner();
    EXPECT_EQ(between.there.latency_of(owner, 500), 1500ms);
    EXPECT_EQ(between.there.latency_of(owner, 500), 2s);
    EXPECT_EQ(between.back.latency_of(owner, 500), 1500ms);
    co_await sleep_for(1s);
    EXPECT_EQ(between.there.latency_of(owner, 500), 1500ms);
  });
}

// Bound to "10.0.0.2:7", or to "10.0.0.1:7" and connected to that.
file datagrams(host& on) {
  const file made{&on, on.socket(AF_INET, SOCK_DGRAM, 0)};
  const bool sends = on.address() == ip_address("10.0.0.1");
  EXPECT_EQ(made.bind(sends ? "10.0.0.1:7" : "10.0.0.2:7"), "0");
  if (sends) {
    EXPECT_EQ(made.connect("10.0.0.2:7"), "0");
  }
  return made;
}

TEST(LinkTest, DropsDatagramsThatFindTheQueueFull) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    lockstep::world().link("client", "web").bandwidth(1000).queue(1500);
    const file here = datagrams(hosts.client);
    const file there = datagrams(hosts.web);
    const auto send = [&here](char filler) { here.send(std::string(972, filler)); };  // 1,000 bytes with its headers
    send('a');
    send('b');  // it would be 2,000
    co_await sleep_for(499ms);
    send('c');  // 501 wait still
    co_await sleep_for(1ms);
    send('d');
    co_await sleep_for(10s);
    EXPECT_EQ(there.recv(1), "a");
    EXPECT_EQ(there.recv(1), "d");
    EXPECT_EQ(there.recv(1), "EAGAIN");
    for (const file& each : {here, there}) each.close();
  });
}

TEST(LinkTest, SendsWhatIsLongerThanTheQueueWhenNothingWaits) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    lockstep::world().link("client", "web").bandwidth(1000).queue(10);
    const file here = datagrams(hosts.client);
    const file there = datagrams(hosts.web);
    here.send("longer than ten bytes");
    co_await sleep_for(1s);
    EXPECT_EQ(there.recv(), "longer than ten bytes");
    for (const file& each : {here, there}) each.close();
  });
}

TEST(LinkTest, LosesNothingOfTcpByAFullQueueWhichIsFullForDatagrams) {
  run_on_hosts([]() -> task<void> {
    connected_hosts hosts;
    const auto [listener, here, there] = hosts.connection;
    const file sender = datagrams(hosts.client);
    const file receiver = datagrams(hosts.web);
    lockstep::world().link("client", "web").bandwidth(1000).queue(1500);
    EXPECT_EQ(here.send(std::string(10'000, 'x')), "10000");
    sender.send("dropped");
    co_await sleep_for(60s);
    EXPECT_EQ(there.recv(20'000).size(), 10'000u);
    EXPECT_EQ(receiver.recv(), "EAGAIN");
    for (const file& each : {listener, here, there, sender, receiver}) each.close();
  });
}

TEST(LinkTest, HasPacketsOfSoManyBytes) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    lockstep::world().link("client", "web").mtu(576);
    const file here = datagrams(hosts.client);
    const file there = datagrams(hosts.web);
    EXPECT_EQ(here.send(std::string(1000, 'x')), "1000");
    EXPECT_EQ(there.recv(2000).size(), 1000u);
    here.set(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
    EXPECT_EQ(here.send(std::string(576 - 28 + 1, 'x')), "EMSGSIZE");
    EXPECT_EQ(here.send(std::string(576 - 28, 'x')), "548");
    int told = 0;
    socklen_t room = sizeof told;
    EXPECT_EQ(here.on->getsockopt(here.fd, IPPROTO_IP, IP_MTU, &told, &room), 0);
    EXPECT_EQ(told, 576);
    for (const file& each : {here, there}) each.close();
    co_return;
  });
}

TEST(LinkTest, RefusesWhatIsNoMtu) {
  for (const std::uint32_t bad : {67u, 65'536u}) {
    class world of;
    const auto wrong = [bad]() -> task<void> {
      two_hosts hosts;
      lockstep::world().link("client", "web").mtu(bad);
      co_return;
    };
    EXPECT_THROW(of.run(wrong()), misuse);
    ASSERT_EQ(of.verdicts().size(), 1);
    EXPECT_EQ(of.verdicts().front().message, fmt::format("an MTU of {}; it is 68 to 65535 bytes", bad));
  }
}

TEST(LinkTest, RefusesWhatIsNoLatency) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    link& between = lockstep::world().link("client", "web");
    between.latency(3ms);
    co_return;
  });
  class world of;
  const auto wrong = []() -> task<void> {
    two_hosts hosts;
    lockstep::world().link("client", "web").latency(5ms, 1ms);
    co_return;
  };
  EXPECT_THROW(of.run(wrong()), misuse);
  ASSERT_EQ(of.verdicts().size(), 1);
  EXPECT_THAT(of.verdicts().front().message, HasSubstr("a latency of 5 ms to 1 ms"));
}

// -- faults -----------------------------------------------------------------------------------------------------------

TEST(LinkTest, ResetsTheConnectionAfterSoManyBytes) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    co_await yield();
    tcp_stream client = co_await connect_tcp(web_80);
    const fault cut = lockstep::world().link("client", "web").reset_after(8);
    co_await client.write("hello");
    EXPECT_EQ(co_await read_from(client), "hel");
    EXPECT_EQ(co_await read_from(client), "ECONNRESET");
    EXPECT_EQ(cut.fired(), 1u);
    EXPECT_EQ(cut.matched(), 10u);
    tcp_stream fresh = co_await connect_tcp(web_80);  // the other end was reset as well, or it would not be accepted
    co_await fresh.write("again");
    EXPECT_EQ(co_await read_from(fresh), "again");
  });
}

TEST(LinkTest, AResetThatNeverComesIsAVerdict) {
  class world of;
  of.run([]() -> task<void> {
    echo_host hosts;
    co_await yield();
    const fault cut = lockstep::world().link("client", "web").reset_after(8);
    tcp_stream client = co_await connect_tcp(web_80);
    co_await client.write("a");
    EXPECT_EQ(co_await read_from(client), "a");
  });
  EXPECT_THAT(messages_of(of),
              testing::ElementsAre(
                  "fault on transfer over client -> web (reset after 8 bytes) never fired; 2 bytes were in its scope"));
}

TEST(LinkTest, SegmentsComeOneAfterTheOther) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    co_await yield();
    tcp_stream client = co_await connect_tcp(web_80);
    lockstep::world().link("client", "web").latency(5ms).segments(1);
    const time_point began = now();
    co_await client.write("abc");
    std::string pieces;
    for (int i = 0; i < 3; ++i) pieces += co_await read_from(client) + "|";
    EXPECT_EQ(pieces, "a|b|c|");
    EXPECT_EQ(now() - began, 10ms + 2ns);
  });
}

TEST(LinkTest, WhatComesInSegmentsIsReadTogetherByWhoComesLate) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    const file listener = listening(hosts.web, web_80);
    const file client = tcp(hosts.client);
    client.connect(web_80);
    const file server = listener.accept();
    lockstep::world().link("client", "web").segments(2);
    client.send("abcde");
    co_await sleep_for(1ns);
    EXPECT_EQ(server.recv(), "ab");
    co_await sleep_for(1s);
    EXPECT_EQ(server.recv(), "cde");
    for (const file& each : {listener, client, server}) each.close();
  });
}

// When each of a hundred bytes arrives, as text.
duration time_with_loss(oracle* choices) {
  class world of;
  world_options how;
  how.choices = choices;
  how.order = ordering::fifo;
  return of.run(
      []() -> task<duration> {
        echo_host hosts;
        co_await yield();
        tcp_stream client = co_await connect_tcp(web_80);
        lockstep::world().link("client", "web").latency(1ms).loss(4);
        const time_point began = now();
        for (int i = 0; i < 50; ++i) {
          co_await client.write("x");
          EXPECT_EQ(co_await read_from(client), "x");
        }
        co_return now() - began;
      },
      how);
}

TEST(LinkTest, LossIsADelayForAStream) {
  EXPECT_EQ(time_with_loss(nullptr), 100ms);
  const auto choices = make_oracle(schedule::random, 1);
  const duration taken = time_with_loss(choices.get());
  EXPECT_GT(taken, 1s);
  EXPECT_EQ((taken - 100ms) % 200ms, 0ns);
}

TEST(LinkTest, WhereEveryTryIsLostAConnectTimesOut) {
  run_on_hosts([]() -> task<void> {
    echo_host hosts;
    co_await yield();
    lockstep::world().link("client", "web").loss(1);
    EXPECT_EQ(co_await connect_to(web_80), "ETIMEDOUT");
    EXPECT_EQ(now(), time_point{131s});
  });
}

// Loses so many of each segment that sets out from the client, in this order; of later ones, none.
class scripted_losses final : public oracle {
 public:
  explicit scripted_losses(std::vector<int> of_each) : left_(std::move(of_each)) {}
  std::size_t pick_task(const candidates&) override { return 0; }
  std::uint64_t pick_value(choice_point point, std::uint64_t) override {
    if (point.name != "client -> web segment loss" || at_ == left_.size()) return 0;
    if (left_[at_]-- != 0) return 1;
    ++at_;
    return 0;
  }

 private:
  std::vector<int> left_;
  std::size_t at_ = 0;
};

TEST(LinkTest, AConnectIsTriedElevenTimes) {
  for (const int lost : {10, 11}) {
    scripted_losses choices({lost});
    class world of;
    of.run(
        [lost]() -> task<void> {
          const echo_host hosts;
          co_await yield();
          lockstep::world().link("client", "web").loss(2);
          EXPECT_EQ(co_await connect_to(web_80), lost == 10 ? "ok" : "ETIMEDOUT");
          EXPECT_EQ(now(), time_point{lost == 10 ? 67s : 131s});
        },
        {.choices = &choices});
  }
}

// Though the piece before came, and was answered.
TEST(LinkTest, ALatePieceTimesOut) {
  scripted_losses choices({0, 6});  // the second comes 12.6 s later
  class world of;
  of.run(
      []() -> task<void> {
        const connected_hosts hosts;
        const auto [listener, here, there] = hosts.connection;
        here.set(IPPROTO_TCP, TCP_USER_TIMEOUT, 5'000);
        lockstep::world().link("client", "web").latency(1s).loss(2);
        here.send("x");
        here.send("y");
        co_await sleep_for(6s - 1ns);
        EXPECT_EQ(here.error(), "0");
        EXPECT_EQ(there.recv(), "x");
        co_await sleep_for(1ns);
        co_await settle();
        EXPECT_EQ(here.error(), "ETIMEDOUT");
        for (const file& each : {listener, here, there}) each.close();
      },
      {.choices = &choices});
}

TEST(LinkTest, WhatIsHeldOnItsWayTimesOut) {
  run_on_hosts([]() -> task<void> {
    const connected_hosts hosts;
    const auto [listener, here, there] = hosts.connection;
    here.set(IPPROTO_TCP, TCP_USER_TIMEOUT, 5'000);
    lockstep::world().link("client", "web").latency(1s);
    here.send("x");
    clog("web", 60s);
    co_await sleep_for(5s);
    co_await settle();
    EXPECT_EQ(here.error(), "ETIMEDOUT");
    for (const file& each : {listener, here, there}) each.close();
  });
}

TEST(LinkTest, AConnectWhoseAnswerIsHeldOnItsWayTimesOut) {
  run_on_hosts([]() -> task<void> {
    const echo_host hosts;
    co_await yield();
    lockstep::world().link("client", "web").latency(10s);
    auto connecting = spawn(connect_to(web_80));
    co_await sleep_for(15s);
    clog("client", 300s);
    EXPECT_EQ(co_await connecting.join(), "ETIMEDOUT");
    EXPECT_EQ(now(), time_point{131s});
  });
}

// Linux asks eleven times: the last time after 67 s.
TEST(LinkTest, AConnectComesWithItsLastTryOrNotAtAll) {
  std::size_t failed = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const auto choices = make_oracle(schedule::random, seed);
    class world of;
    world_options how;
    how.choices = choices.get();
    of.run(
        [&failed]() -> task<void> {
          const echo_host hosts;
          co_await sleep_for(1ms);
          const time_point began = now();
          lockstep::world().link("client", "web").loss(2);
          const std::string came_to = co_await connect_to(web_80);
          if (came_to == "ok") {
            EXPECT_LE(now() - began, 130s) << "that is after 67 s there, and 63 s later back";
          } else {
            ++failed;
            EXPECT_EQ(came_to, "ETIMEDOUT");
            EXPECT_EQ(now() - began, 131s);
          }
        },
        how);
  }
  EXPECT_GT(failed, 0u);
}

TEST(LinkTest, AConnectWhoseAnswerTakesTooLongTimesOut) {
  for (const std::chrono::seconds slow : {60s, 70s, 200s}) {
    run_on_hosts([slow]() -> task<void> {
      const echo_host hosts;
      co_await yield();
      lockstep::world().link("client", "web").latency(slow);
      EXPECT_EQ(co_await connect_to(web_80), slow == 60s ? "ok" : "ETIMEDOUT");
      EXPECT_EQ(now(), time_point{slow == 60s ? 120s : 131s});
    });
  }
}

TEST(LinkTest, WhatIsLostOrHeldTooLongTimesOut) {
  for (const bool held : {false, true}) {
    run_on_hosts([held]() -> task<void> {
      two_hosts hosts;
      listening(hosts.web, web_80);
      const file patient = tcp(hosts.client);
      const file hasty = tcp(hosts.client);
      for (const file& each : {patient, hasty}) each.connect(web_80);
      hasty.set(IPPROTO_TCP, TCP_USER_TIMEOUT, 5'000);
      if (held) {
        clog("web", 2'000s);
      } else {
        lockstep::world().link("client", "web").loss(1);
      }
      for (const file& each : {patient, hasty}) each.send("x");
      co_await sleep_for(5s - 1ns);
      EXPECT_EQ(hasty.error(), "0");
      co_await sleep_for(1ns);
      EXPECT_EQ(hasty.error(), "ETIMEDOUT");
      co_await sleep_for(919'600ms - 1ns);
      EXPECT_EQ(patient.error(), "0");
      co_await sleep_for(1ns);
      EXPECT_EQ(patient.error(), "ETIMEDOUT");
      for (const auto& each : lockstep::world().network().hosts()) each->close_all();
    });
  }
}

// Each answer begins the wait anew.
TEST(LinkTest, WhatIsAnsweredPieceByPieceDoesNotTimeOut) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    const file listener = listening(hosts.web, web_80);
    const file client = tcp(hosts.client);
    client.connect(web_80);
    client.set(IPPROTO_TCP, TCP_USER_TIMEOUT, 5'000);
    lockstep::world().link("client", "web").bandwidth(500);  // 3 s for a packet
    client.send(std::string(15'000, 'x'));
    co_await sleep_for(60s);
    EXPECT_EQ(client.error(), "0");
    EXPECT_EQ(listener.accept().recv(20'000).size(), 15'000u);
    for (const auto& each : lockstep::world().network().hosts()) each->close_all();
  });
}

TEST(LinkTest, LosesDuplicatesAndCorruptsPackets) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    link& between = lockstep::world().link("client", "web");
    const file receiver{&hosts.web, hosts.web.socket(AF_INET, SOCK_DGRAM, 0)};
    const file sender{&hosts.client, hosts.client.socket(AF_INET, SOCK_DGRAM, 0)};
    EXPECT_EQ(receiver.bind("10.0.0.2:53"), "0");
    EXPECT_EQ(sender.connect("10.0.0.2:53"), "0");
    between.loss(1);
    sender.send("lost");
    EXPECT_EQ(receiver.recv(), "EAGAIN");
    between.loss(0).duplicate(1);
    sender.send("twice");
    EXPECT_EQ(receiver.recv(), "twice");
    EXPECT_EQ(receiver.recv(), "twice");
    between.duplicate(0).corrupt(1);
    sender.send("broken");
    EXPECT_EQ(receiver.recv(), "EAGAIN");
    between.corrupt(1, true);
    sender.send("changed");
    EXPECT_NE(receiver.recv(), "changed");
    receiver.close();
    sender.close();
    co_return;
  });
}

}  // namespace
}  // namespace lockstep::sim
