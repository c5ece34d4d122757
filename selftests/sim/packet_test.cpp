#include <lockstep/sim/packet.hpp>

#include "udp_calls.hpp"

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// Sends three datagrams along a lane like that, under these answers, and returns what has come after a second.
std::vector<std::string> three_sent(const lane_traits& traits, oracle* choices) {
  std::vector<std::string> came;
  in_network(
      [&](network& net) -> task<void> {
        host& here = net.first_host();
        host& web = net.add_host("web", {"10.0.0.2"});
        net.lane_between(here, web)->set_traits(traits);
        const int to = open_udp(web, "0.0.0.0:5000");
        const int from = open_udp(here);
        for (const char* each : {"a", "b", "c"}) EXPECT_EQ(send_to(here, from, each, "10.0.0.2:5000"), 1);
        co_await sleep_for(1s);
        came = receive_all(web, to);
      },
      choices);
  return came;
}

TEST(PacketTest, IsLostOneInSoManyTimes) {
  lane_traits traits;
  traits.loss = 10;
  EXPECT_THAT(three_sent(traits, nullptr), ElementsAre("a", "b", "c"));
  named_choices second({{"client -> web loss", {9, 1, 0}}});
  EXPECT_THAT(three_sent(traits, &second), ElementsAre("a", "c"));
  EXPECT_EQ(second.asked["client -> web loss"], 3);
  traits.loss = 1;
  EXPECT_THAT(three_sent(traits, nullptr), IsEmpty());
  named_choices unasked({});
  EXPECT_THAT(three_sent({}, &unasked), ElementsAre("a", "b", "c"));
  EXPECT_THAT(unasked.asked, IsEmpty());
}

TEST(PacketTest, ComesTwice) {
  lane_traits traits;
  traits.duplicate = 3;
  named_choices first({{"client -> web duplicate", {1}}});
  EXPECT_THAT(three_sent(traits, &first), ElementsAre("a", "a", "b", "c"));
}

TEST(PacketTest, MayOvertakeOthers) {
  lane_traits traits;
  traits.latency_min = 5ms;
  traits.latency_max = 80ms;
  EXPECT_THAT(three_sent(traits, nullptr), ElementsAre("a", "b", "c"));
  named_choices falling({{"client -> web", {3'000'000, 2'000'000, 1'000'000}}});
  EXPECT_THAT(three_sent(traits, &falling), ElementsAre("c", "b", "a"));
}

TEST(PacketTest, IsDroppedWhenItsChecksumFailsOrGetsThroughChanged) {
  lane_traits traits;
  traits.corrupt = 2;
  const std::deque<std::uint64_t> second = {0, 1, 0};
  named_choices dropped({{"client -> web corrupt", second}});
  EXPECT_THAT(three_sent(traits, &dropped), ElementsAre("a", "c"));
  traits.corrupt_payload = true;
  named_choices changed({{"client -> web corrupt", second}, {"client -> web corrupt bit", {4}}});
  EXPECT_THAT(three_sent(traits, &changed), ElementsAre("a", "r", "c"));
}

TEST(PacketTest, IsLostWhereTheLaneIsCutEvenOnItsWay) {
  in_network([](network& net) -> task<void> {
    host& here = net.first_host();
    host& web = net.add_host("web", {"10.0.0.2"});
    lane_traits traits;
    traits.latency_min = traits.latency_max = 10ms;
    lane& there = *net.lane_between(here, web);
    there.set_traits(traits);
    const int to = open_udp(web, "0.0.0.0:5000");
    const int from = open_udp(here);
    send_to(here, from, "arrives", "10.0.0.2:5000");
    co_await sleep_for(11ms);
    send_to(here, from, "on its way", "10.0.0.2:5000");
    send_to(here, from, "beside it", "10.0.0.2:5000");
    co_await sleep_for(5ms);
    there.add_cut();
    EXPECT_EQ(send_to(here, from, "into the cut", "10.0.0.2:5000"), 12);
    there.heal();
    send_to(here, from, "after it", "10.0.0.2:5000");
    co_await sleep_for(1s);
    EXPECT_THAT(receive_all(web, to), ElementsAre("arrives", "after it"));
  });
}

TEST(PacketTest, WaitsForTheWireThatThoseBeforeItKeepBusy) {
  in_network([](network& net) -> task<void> {
    host& here = net.first_host();
    host& web = net.add_host("web", {"10.0.0.2"});
    lane_traits traits;
    traits.bytes_per_second = 1'000;
    net.lane_between(here, web)->set_traits(traits);
    const int to = open_udp(web, "0.0.0.0:5000");
    const int from = open_udp(here);
    for (int i = 0; i < 2; ++i) send_to(here, from, std::string(72, 'x'), "10.0.0.2:5000");
    co_await sleep_for(99ms);
    EXPECT_THAT(receive_all(web, to), IsEmpty());
    co_await sleep_for(2ms);
    EXPECT_EQ(receive_all(web, to).size(), 1u);
    co_await sleep_for(100ms);
    EXPECT_EQ(receive_all(web, to).size(), 1u);
  });
}

TEST(PacketTest, IsForgottenWhereTheRunEndsFirst) {
  in_network([](network& net) -> task<void> {
    host& here = net.first_host();
    lane_traits traits;
    traits.latency_min = traits.latency_max = 10ms;
    net.set_default_traits(traits);
    net.add_host("web", {"10.0.0.2"});
    send_to(here, open_udp(here), "x", "10.0.0.2:5000");
    co_return;
  });
}

}  // namespace
}  // namespace lockstep::sim
