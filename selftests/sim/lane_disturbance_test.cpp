#include <lockstep/sim/lane_disturbance.hpp>

#include "talking_hosts.hpp"

#include <lockstep/sim/clog.hpp>

#include <gtest/gtest.h>

#include <optional>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// What is said of a run whose test does that beside an echo on "web", each packet of which takes 10 ms.
template <class F>
std::vector<std::string> said_beside_an_echo(const F& test) {
  class world of;
  of.run([&test]() -> task<void> {
    const echo_host hosts;
    lockstep::world().link("client", "web").latency(10ms);
    co_await yield();
    co_await test();
  });
  std::vector<std::string> all;
  for (const verdict& each : of.verdicts()) all.push_back(each.message);
  return all;
}

std::string never_fired(const std::string& what) {
  return what + " never fired: no packet met with it; if that may be, say may_not_fire()";
}

TEST(LaneDisturbanceTest, AFaultThatMetWithNoPacketIsAVerdict) {
  EXPECT_THAT(said_beside_an_echo([]() -> task<void> {
                { const partition cut("client", "web"); }
                { const partition one_way = partition::one_way("web", "client"); }
                EXPECT_EQ(co_await connect_to(web_80), "ok");
              }),
              ElementsAre(never_fired("partition client | web"), never_fired("partition web -> client")));
  EXPECT_THAT(said_beside_an_echo([]() -> task<void> {
                lockstep::world().host("a");
                lockstep::world().host("b");
                const partition cut({"client", "a"}, {"web", "b"});
                co_await sleep_for(1s);
              }),
              ElementsAre(never_fired("partition client, a | web, b")));
  EXPECT_THAT(said_beside_an_echo([]() -> task<void> {
                const black_hole lost("web");
                co_await sleep_for(1s);
              }),
              ElementsAre(never_fired("black hole \"web\"")));
  EXPECT_THAT(said_beside_an_echo([]() -> task<void> {
                clog("web", 1s);
                co_await sleep_for(1s);
                EXPECT_EQ(co_await connect_to(web_80), "ok");
              }),
              ElementsAre(never_fired("clog \"web\" for 1 s")))
      << "when the run ends";
}

TEST(LaneDisturbanceTest, OneThatDidIsNone) {
  EXPECT_THAT(said_beside_an_echo([]() -> task<void> {
                tcp_stream client = co_await connect_tcp(web_80);
                co_await sleep_for(10ms);
                co_await client.write("under way");
                {
                  partition cut("client", "web");
                  EXPECT_EQ(cut.fired(), 1u);
                  cut.heal();
                }
                EXPECT_EQ(co_await read_from(client), "under way");
                {
                  const partition cut = partition::one_way("client", "web");
                  co_await client.write("sent");
                  EXPECT_EQ(cut.fired(), 1u);
                }
                {
                  const partition cut = partition::one_way("web", "client");  // it gets no acknowledgement
                  co_await sleep_for(10ms);
                  EXPECT_EQ(cut.fired(), 2u);
                }
                EXPECT_EQ(co_await read_from(client), "sent");
                lane_disturbance& clogged = clog("web", 1s);
                EXPECT_EQ(clogged.fired(), 0u);
                co_await client.write("late");
                EXPECT_EQ(clogged.fired(), 1u);
                EXPECT_EQ(co_await read_from(client), "late");
              }),
              IsEmpty());
}

// A connection that is idle meets with it when it asks for a sign of life.
TEST(LaneDisturbanceTest, KeepaliveMeetsWithIt) {
  run_on_hosts([]() -> task<void> {
    const echo_host hosts;
    co_await yield();
    for (const bool there : {true, false}) {
      tcp_stream idle = co_await connect_tcp(web_80);
      idle.keep_alive(true);
      const partition cut = there ? partition::one_way("client", "web") : partition::one_way("web", "client");
      EXPECT_EQ(co_await read_from(idle), "ETIMEDOUT");
      EXPECT_EQ(cut.fired(), 1u);
    }
  });
}

// What an earlier one has stopped, a later one holds on.
TEST(LaneDisturbanceTest, AnInnerOneMeetsWithWhatIsFrozen) {
  run_on_hosts([]() -> task<void> {
    const echo_host hosts;
    co_await yield();
    tcp_stream client = co_await connect_tcp(web_80);
    partition first("client", "web");
    co_await client.write("frozen");
    const partition second("client", "web");
    first.heal();
    EXPECT_EQ(second.fired(), 1u);
  });
}

// A question that was not answered, of a connection that outlives it.
TEST(LaneDisturbanceTest, AQuestionThatWasNotAnsweredMeetsWithIt) {
  run_on_hosts([]() -> task<void> {
    const echo_host hosts;
    co_await yield();
    tcp_stream idle = co_await connect_tcp(web_80);
    idle.keep_alive(true);
    {
      const partition cut("client", "web");
      co_await sleep_for(2h + 1s);
    }
    {
      const partition back = partition::one_way("web", "client");
      co_await sleep_for(2h + 1s);
    }
    const auto too_short = partition("client", "web").may_not_fire();
    co_await sleep_for(1h);
    EXPECT_EQ(too_short.fired(), 0u);
  });
}

TEST(LaneDisturbanceTest, AClogThatIsOverMeetsWithNothing) {
  EXPECT_THAT(said_beside_an_echo([]() -> task<void> {
                clog("web", 1s);
                co_await sleep_for(2s);
                clog("web", 1s);
                EXPECT_EQ(co_await connect_to(web_80), "ok");
              }),
              ElementsAre(never_fired("clog \"web\" for 1 s")));
}

TEST(LaneDisturbanceTest, CountsDatagramsThatAreUnderWay) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    lockstep::world().link("client", "web").latency(10ms);
    const file receiver{&hosts.web, hosts.web.socket(AF_INET, SOCK_DGRAM, 0)};
    const file sender{&hosts.client, hosts.client.socket(AF_INET, SOCK_DGRAM, 0)};
    EXPECT_EQ(receiver.bind("10.0.0.2:53"), "0");
    EXPECT_EQ(sender.connect("10.0.0.2:53"), "0");
    sender.send("late");
    EXPECT_EQ(clog("web", 1s).fired(), 1u);
    sender.send("lost");
    const partition cut("client", "web");
    EXPECT_EQ(cut.fired(), 2u);
    receiver.close();
    sender.close();
    co_return;
  });
}

TEST(LaneDisturbanceTest, AClogMakesNothingComeEarlier) {
  run_on_hosts([]() -> task<void> {
    const echo_host hosts;
    lockstep::world().link("client", "web").latency(10s);
    co_await yield();
    tcp_stream client = co_await connect_tcp(web_80);
    co_await client.write("slow");
    const time_point sent = now();
    EXPECT_EQ(clog("web", 1s).may_not_fire().fired(), 0u);
    EXPECT_EQ(co_await read_from(client), "slow");
    EXPECT_EQ(now() - sent, 20s);
  });
}

TEST(LaneDisturbanceTest, OneThatOutlivesTheRunIsJudged) {
  std::optional<partition> cut;
  std::optional<fault> refused;
  EXPECT_THAT(said_beside_an_echo([&]() -> task<void> {
                refused.emplace(on(op::connect).to("web:81").fail(ECONNREFUSED));
                co_return;
              }),
              ElementsAre(testing::HasSubstr("fault on connect to web:81 (ECONNREFUSED) never fired")));
  EXPECT_THAT(said_beside_an_echo([&]() -> task<void> {
                cut.emplace("client", "web");
                co_return;
              }),
              ElementsAre(never_fired("partition client | web")));
}

TEST(LaneDisturbanceTest, OneThatNeedNotFireIsNoVerdict) {
  EXPECT_THAT(said_beside_an_echo([]() -> task<void> {
                { const auto cut = partition("client", "web").may_not_fire(); }
                { const auto lost = black_hole("web").may_not_fire(); }
                { const auto lost = black_hole("web:80").may_not_fire(); }
                clog("web", 1s).may_not_fire();
                co_await sleep_for(1s);
              }),
              IsEmpty());
}

TEST(LaneDisturbanceTest, SaysNothingWhereTheRunEndsByAnother) {
  class world of;
  const auto fails = []() -> task<void> {
    lockstep::world().host("web");
    const partition cut("client", "web");
    co_await yield();
    throw std::runtime_error("another");
  };
  EXPECT_THROW(of.run(fails()), std::runtime_error);
  EXPECT_TRUE(of.verdicts().empty());
}

TEST(LaneDisturbanceTest, ABlackHoleIsAroundHostsThatAreMadeLater) {
  run_on_hosts([]() -> task<void> {
    const echo_host hosts;
    co_await yield();
    {
      const black_hole lost("web");
      host& late = lockstep::world().host("late");
      EXPECT_EQ(co_await late.spawn(connect_to(web_80)).join(), "ETIMEDOUT");
      EXPECT_EQ(lost.fired(), 1u);
    }
    EXPECT_EQ(co_await connect_to(web_80), "ok");
  });
}

TEST(LaneDisturbanceTest, AClogHoldsUpHostsThatAreMadeLaterUntilItIsOver) {
  run_on_hosts([]() -> task<void> {
    const echo_host hosts;
    co_await yield();
    clog("web", 2s);
    EXPECT_EQ(co_await lockstep::world().host("late").spawn(connect_to(web_80)).join(), "ok");
    EXPECT_EQ(now(), time_point{2s});
    host& later = lockstep::world().host("later");
    EXPECT_EQ(co_await later.spawn(connect_to(web_80)).join(), "ok");
    EXPECT_EQ(now(), time_point{2s});
    EXPECT_TRUE(lockstep::world().network().lane_between(later, hosts.web)->instant()) << "it knows of no clog";
  });
}

// The link is plain again for those who come when it is over: what is sent arrives at once.
TEST(LaneDisturbanceTest, IsOverWhenItSaysSo) {
  run_on_hosts([]() -> task<void> {
    const echo_host hosts;
    co_await yield();
    partition outer = partition("client", "web").may_not_fire();
    {
      const partition inner("client", "web");
      outer.heal();
      outer.heal();
      EXPECT_EQ(co_await connect_to(web_80), "ETIMEDOUT");
    }
    EXPECT_EQ(co_await connect_to(web_80), "ok");
  });
}

}  // namespace
}  // namespace lockstep::sim
