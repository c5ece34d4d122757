#include <lockstep/sim/name_lookup.hpp>

#include "udp_calls.hpp"

#include <lockstep/net/resolver.hpp>
#include <lockstep/sim/netstat.hpp>
#include <lockstep/sim/network_trace.hpp>
#include <lockstep/sim/partition.hpp>

#include <fmt/format.h>

#include <netdb.h>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;

// "10.0.0.7 after 20 ms", or the error's name.
task<std::string> came_of(std::string name) {
  const time_point began = now();
  const auto after = [began](const std::string& what) {
    return fmt::format("{} after {} ms", what, (now() - began) / 1ms);
  };
  try {
    const auto all = co_await resolver().look_up(name);
    co_return after(all.front().text());
  } catch (const std::system_error& error) {
    co_return after(error.code().value() == EAI_AGAIN ? "EAI_AGAIN" : error.code().message());
  }
}

// A name server at "ns", 10 ms away, that knows "db.example".
host& server_10ms_away(network& net) {
  lane_traits slow;
  slow.latency_min = slow.latency_max = 10ms;
  net.set_default_traits(slow);
  host& ns = net.add_host("ns", {"10.0.0.53"});
  net.dns().serve_on(ns);
  net.dns().add("db.example", "10.0.0.7");
  return ns;
}

task<void> does_nothing() { co_return; }

TEST(NameLookupTest, AsksByDatagramsThatAreSeen) {
  in_network([](network& net) -> task<void> {
    server_10ms_away(net);
    const network_trace seen;
    EXPECT_EQ(co_await came_of("db.example"), "10.0.0.7 after 20 ms");
    EXPECT_EQ(seen.text("client"),
              " 0 ns  client  look_up(db.example) = 0\n"
              " 0 ns  client  > ns  udp 10.0.0.1:32768 -> 10.0.0.53:53  A db.example?\n"
              " 0 ns  client  > ns  udp 10.0.0.1:32768 -> 10.0.0.53:53  AAAA db.example?\n"
              "20 ms  client  < ns  udp 10.0.0.53:53 -> 10.0.0.1:32768  A db.example: 10.0.0.7\n"
              "20 ms  client  < ns  udp 10.0.0.53:53 -> 10.0.0.1:32768  AAAA db.example: no address\n");
  });
}

TEST(NameLookupTest, AsksOverTcpWhatIsTooLong) {
  in_network([](network& net) -> task<void> {
    server_10ms_away(net);
    for (int i = 0; i < 40; ++i) net.dns().add("many.example", ip_address::v4(0x0A010000u + static_cast<unsigned>(i)));
    const network_trace seen;
    EXPECT_EQ(co_await came_of("many.example"), "10.1.0.0 after 60 ms");
    EXPECT_THAT(seen.text("client"), testing::HasSubstr("tcp 10.0.0.1:32768 -> 10.0.0.53:53  S\n"));
  });
}

TEST(NameLookupTest, IsRefusedWhereNobodyServes) {
  in_network([](network& net) -> task<void> {
    host& ns = server_10ms_away(net);
    ns.kill();
    EXPECT_EQ(co_await came_of("db.example"), "EAI_AGAIN after 40 ms") << "twice, and each is refused";
    co_await ns.restart(does_nothing).join();
    EXPECT_EQ(co_await came_of("db.example"), "10.0.0.7 after 20 ms");
    ns.crash();
    EXPECT_EQ(co_await came_of("db.example"), "EAI_AGAIN after 10000 ms") << "nobody says anything";
    co_await ns.restart(does_nothing).join();
    EXPECT_EQ(co_await came_of("db.example"), "10.0.0.7 after 20 ms");
  });
}

TEST(NameLookupTest, IsRefusedOverTcpWhereNobodyServesAnyMore) {
  in_network([](network& net) -> task<void> {
    host& ns = server_10ms_away(net);
    net.dns().fail("db.example", {.failure = name_failure::truncated});
    auto asking = spawn(came_of("db.example"));
    co_await sleep_for(15ms);
    ns.kill();
    EXPECT_EQ(co_await asking.join(), "EAI_AGAIN after 60 ms");
  });
}

TEST(NameLookupTest, WaitsForAServerThatStandsStill) {
  in_network([](network& net) -> task<void> {
    host& ns = server_10ms_away(net);
    for (const bool over_tcp : {false, true}) {
      if (over_tcp) net.dns().fail("db.example", {.failure = name_failure::truncated});
      auto asking = spawn(came_of("db.example"));
      co_await sleep_for(over_tcp ? 25ms : 5ms);
      ns.pause();
      co_await sleep_for(1s);
      ns.resume();
      EXPECT_EQ(co_await asking.join(), over_tcp ? "10.0.0.7 after 1035 ms" : "10.0.0.7 after 1015 ms");
    }
  });
}

TEST(NameLookupTest, GetsNoAnswerOfALifeThatHasEnded) {
  in_network([](network& net) -> task<void> {
    host& ns = server_10ms_away(net);
    net.dns().fail("db.example", {.delay = 2s, .count = 1});
    auto asking = spawn(came_of("db.example"));
    co_await sleep_for(1s);
    ns.kill();
    co_await ns.restart(does_nothing).join();
    EXPECT_EQ(co_await asking.join(), "10.0.0.7 after 5020 ms");
  });
}

TEST(NameLookupTest, AsksOverTcpAgainInTheNextRound) {
  in_network([](network& net) -> task<void> {
    server_10ms_away(net);
    net.dns().fail("db.example", {.failure = name_failure::truncated, .family = AF_INET});
    const fault late = on(op::accept).at("ns").slow(1h);
    EXPECT_EQ(co_await came_of("db.example"), "10.0.0.7 after 5060 ms");
  });
}

TEST(NameLookupTest, IsRefusedWhereThereIsNoWay) {
  in_network([](network& net) -> task<void> {
    server_10ms_away(net);
    net.first_host().refuse_route("10.0.0.53", 32, ENETUNREACH);
    EXPECT_EQ(co_await came_of("db.example"), "EAI_AGAIN after 0 ms");
  });
}

TEST(NameLookupTest, TakesNoTimeWhereNobodyServes) {
  in_network([](network& net) -> task<void> {
    net.dns().add("db.example", "10.0.0.7");
    net.dns().fail("db.example", {.failure = name_failure::truncated});
    EXPECT_EQ(co_await came_of("db.example"), "10.0.0.7 after 0 ms");
    net.dns().fail("db.example", {.delay = 2s});
    EXPECT_EQ(co_await came_of("db.example"), "10.0.0.7 after 2000 ms");
  });
}

// It asks from the same port in each round, so that a late answer is one, as glibc's.
TEST(NameLookupTest, TakesALateAnswer) {
  in_network([](network& net) -> task<void> {
    server_10ms_away(net);
    net.dns().fail("db.example", {.delay = 6s});
    EXPECT_EQ(co_await came_of("db.example"), "10.0.0.7 after 6020 ms");
  });
}

TEST(NameLookupTest, ABrokenConnectionIsNoAnswer) {
  in_network([](network& net) -> task<void> {
    host& ns = server_10ms_away(net);
    net.dns().fail("db.example", {.failure = name_failure::truncated});
    const auto kills = [](host& which) -> task<void> {
      co_await sleep_for(45ms);
      which.kill();
    };
    auto killing = spawn(kills(ns));
    EXPECT_THAT(co_await came_of("db.example"), testing::StartsWith("EAI_AGAIN after "));
    co_await killing.join();
  });
}

TEST(NameLookupTest, StandsStillWithItsHost) {
  in_network([](network& net) -> task<void> {
    server_10ms_away(net);
    net.dns().fail("db.example", {.failure = name_failure::timeout, .count = 1});
    host& web = net.add_host("web");
    auto asking = web.spawn(came_of("db.example"));
    co_await sleep_for(1s);
    web.pause();
    const network_trace seen;
    co_await sleep_for(1h);
    EXPECT_EQ(seen.text("web"), "");
    web.resume();
    EXPECT_EQ(co_await asking.join(), "10.0.0.7 after 3601020 ms") << "it asks again at once";

    auto answered = web.spawn(came_of("db.example"));
    co_await sleep_for(5ms);
    web.pause();
    co_await sleep_for(1s);
    web.resume();
    EXPECT_EQ(co_await answered.join(), "10.0.0.7 after 1005 ms");
  });
}

TEST(NameLookupTest, AsksAtAnAddressThatItsHostCanReach) {
  in_network([](network& net) -> task<void> {
    net.dns().add("db.example", "10.0.0.7");
    net.dns().serve_on(net.add_host("ns", {"10.0.0.53", "fd00::53"}));
    host& six = net.add_host("six", {"fd00::6"});
    EXPECT_EQ(co_await six.spawn(came_of("db.example")).join(), "10.0.0.7 after 0 ms");
    EXPECT_EQ(co_await came_of("db.example"), "10.0.0.7 after 0 ms");
  });
}

TEST(NameLookupTest, IsWhatAPartitionStops) {
  in_network([](network& net) -> task<void> {
    server_10ms_away(net);
    const partition cut("client", "ns");
    EXPECT_EQ(co_await came_of("db.example"), "EAI_AGAIN after 10000 ms");
    EXPECT_EQ(cut.fired(), 4u);
  });
}

TEST(NameLookupTest, EndsWithItsHost) {
  in_network([](network& net) -> task<void> {
    server_10ms_away(net);
    host& web = net.add_host("web");
    net.dns().fail("db.example", {.failure = name_failure::timeout});
    auto asking = web.spawn(came_of("db.example"));
    co_await sleep_for(1s);
    web.kill();
    EXPECT_FALSE(co_await as_result(asking.join()));
    const network_trace seen;
    co_await sleep_for(10s);
    EXPECT_EQ(seen.text("web"), "") << "it does not ask again";
  });
}

TEST(NameLookupTest, APowerCutForgetsWhatWasKept) {
  in_network([](network& net) -> task<void> {
    server_10ms_away(net);
    host& web = net.add_host("web");
    net.dns().add("kept.example", "10.0.0.7", 1h);
    net.dns().add("kept.example", "fd00::7", 1h);
    EXPECT_EQ(co_await web.spawn(came_of("kept.example")).join(), "fd00::7 after 20 ms");
    EXPECT_EQ(co_await web.spawn(came_of("kept.example")).join(), "fd00::7 after 0 ms");
    web.crash();
    EXPECT_EQ(co_await web.restart([] { return came_of("kept.example"); }).join(), "fd00::7 after 20 ms");
  });
}

}  // namespace
}  // namespace lockstep::sim
