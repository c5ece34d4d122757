#include <lockstep/sim/traffic.hpp>

#include "two_hosts.hpp"
#include "udp_calls.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;

// Each packet in a few words, while it listens.
class words_of_traffic final : public traffic_listener {
 public:
  explicit words_of_traffic(network& of) : of_(of) { of_.add(*this); }
  ~words_of_traffic() { of_.remove(*this); }

  void saw(const traffic& packet) noexcept override {
    const char* const fates[] = {"sent", "sent again", "arrived", "lost"};
    std::string text = std::string(fates[static_cast<int>(packet.happened)]) + ' ' + packet.flags_text();
    if (packet.carried != transport::tcp) text += packet.carried == transport::udp ? "udp" : "icmp";
    if (!packet.payload.empty()) text += ' ' + std::to_string(packet.payload.size());
    if (!packet.why.empty()) text += ": " + std::string(packet.why);
    if (packet.at != of_.owner().now()) text += " at " + to_text(packet.at.time_since_epoch());
    seen.push_back(text);
  }

  std::vector<std::string> seen;

 private:
  network& of_;
};

TEST(TrafficTest, IsToldOfFromTheFirstListenerToTheLast) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    network& net = lockstep::world().network();
    EXPECT_EQ(net.tap(), nullptr);
    EXPECT_FALSE(hosts.web.loopback().tapped());
    const int from = open_udp(hosts.client);
    const int to = open_udp(hosts.web, "10.0.0.2:5000");
    {
      words_of_traffic first(net);
      words_of_traffic second(net);
      EXPECT_TRUE(hosts.web.loopback().tapped());
      EXPECT_TRUE(lockstep::world().host("late").loopback().tapped());
      send_to(hosts.client, from, "hello", "10.0.0.2:5000");
      EXPECT_THAT(first.seen, ElementsAre("sent udp 5", "arrived udp 5"));
      EXPECT_EQ(first.seen, second.seen);
    }
    EXPECT_FALSE(net.lane_between(hosts.client, hosts.web)->tapped());
    hosts.client.close(from);
    hosts.web.close(to);
    co_return;
  });
}

TEST(TrafficTest, OfAConnectionIsItsPackets) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    const file listener = listening(hosts.web, "10.0.0.2:80");
    words_of_traffic look(lockstep::world().network());
    const file one = tcp(hosts.client);
    one.connect("10.0.0.2:80");
    EXPECT_THAT(look.seen, ElementsAre("sent S", "arrived S", "sent SA", "arrived SA", "sent .", "arrived ."));
    const file other = listener.accept();
    look.seen.clear();
    one.send("visit");
    EXPECT_THAT(look.seen, ElementsAre("sent PA 5", "arrived PA 5", "sent .", "arrived ."));
    look.seen.clear();
    other.close();
    EXPECT_THAT(look.seen, ElementsAre("sent RA", "arrived RA"));
    one.close();
    listener.close();
    co_return;
  });
}

// As tshark shows it on Linux's loopback: an answer to bytes acknowledges nothing, as it takes its number from them.
TEST(TrafficTest, OfAResetThatAnswersBytesAcknowledgesNothing) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    const file listener = listening(hosts.web, "10.0.0.2:80");
    for (const bool closes : {true, false}) {
      const file one = tcp(hosts.client);
      one.connect("10.0.0.2:80");
      const file other = listener.accept();
      if (closes) {
        other.close();
      } else {
        hosts.web.shutdown(other.fd, SHUT_RDWR);
      }
      words_of_traffic look(lockstep::world().network());
      one.send("late");
      EXPECT_THAT(look.seen, ElementsAre("sent PA 4", "arrived PA 4", "sent R", "arrived R"));
      one.close();
      if (!closes) other.close();
    }
    listener.close();
    co_return;
  });
}

TEST(TrafficTest, SaysWhatIsLostAndSentAgain) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    const file listener = listening(hosts.web, "10.0.0.2:80");
    const file one = tcp(hosts.client);
    one.connect("10.0.0.2:80");
    const file other = listener.accept();
    class link& way = lockstep::world().link("client", "web");
    way.latency(10ms);
    words_of_traffic look(lockstep::world().network());
    one.send("in flight");
    {
      const partition cut("client", "web");
      one.send("meanwhile!");
      EXPECT_THAT(look.seen, ElementsAre("sent PA 9", "lost PA 9: partition", "sent PA 10: partition"));
      look.seen.clear();
      co_await sleep_for(5s);
    }
    EXPECT_THAT(look.seen, ElementsAre("sent again PA 9", "sent again PA 10"));
    co_await sleep_for(1s);
    EXPECT_EQ(other.recv(), "in flightmeanwhile!");
    for (const file& each : {one, other, listener}) each.close();
  });
}

TEST(TrafficTest, OfALostSegmentIsWhatIsSentAgain) {
  named_choices losses({{"client -> web segment loss", {1, 1, 0}}});
  in_network(
      [](network& net) -> task<void> {
        host& web = net.add_host("web", {"10.0.0.2"});
        const file listener = listening(web, "10.0.0.2:80");
        words_of_traffic look(net);
        lane_traits traits;
        traits.loss = 100;
        net.lane_between(net.first_host(), web)->set_traits(traits);
        const file one = tcp(net.first_host());
        one.connect("10.0.0.2:80");
        EXPECT_THAT(look.seen, ElementsAre("sent S: link loss"));
        co_await sleep_for(1s);
        EXPECT_THAT(look.seen, ElementsAre("sent S: link loss", "sent again S: link loss"));
        co_await sleep_for(999ms);
        EXPECT_EQ(look.seen.size(), 2u);
        co_await sleep_for(1ms);
        EXPECT_THAT(look.seen, Contains("sent again S"));
        EXPECT_THAT(look.seen, Contains("arrived SA"));
        one.close();
        listener.close();
      },
      &losses);
}

// Two of three are lost: each is sent again when its own time has come, and none waits for the one before it.
TEST(TrafficTest, OfLostSegmentsIsSentAgainSideBySide) {
  named_choices losses({{"client -> web segment loss", {1, 1, 0, 0, 0}}});
  in_network(
      [](network& net) -> task<void> {
        host& web = net.add_host("web", {"10.0.0.2"});
        const file listener = listening(web, "10.0.0.2:80");
        const file one = tcp(net.first_host());
        one.connect("10.0.0.2:80");
        const file other = listener.accept();
        words_of_traffic look(net);
        lane_traits traits;
        traits.latency_min = traits.latency_max = 100ms;
        traits.segment_bytes = 5;
        traits.loss = 100;
        net.lane_between(net.first_host(), web)->set_traits(traits);
        one.send("0123456789ABCDE");
        co_await sleep_for(201ms);  // each piece comes at an instant of its own
        EXPECT_THAT(look.seen, ElementsAre("sent PA 5: link loss", "sent PA 5: link loss", "sent PA 5",
                                           "sent again PA 5", "sent again PA 5"));
        co_await sleep_for(98ms);
        EXPECT_EQ(other.recv(), "EAGAIN");
        co_await sleep_for(2ms);
        EXPECT_EQ(other.recv(), "0123456789ABCDE");
        for (const file& each : {one, other, listener}) each.close();
      },
      &losses);
}

TEST(TrafficTest, OfDatagramsSaysWhyTheyDoNotCome) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    network& net = lockstep::world().network();
    words_of_traffic look(net);
    const int from = open_udp(hosts.client);
    const int to = open_udp(hosts.web, "10.0.0.2:5000");
    lane_traits traits;
    traits.loss = 1;
    net.lane_between(hosts.client, hosts.web)->set_traits(traits);
    send_to(hosts.client, from, "a", "10.0.0.2:5000");
    traits = {};
    traits.corrupt = 1;
    net.lane_between(hosts.client, hosts.web)->set_traits(traits);
    send_to(hosts.client, from, "b", "10.0.0.2:5000");
    traits = {};
    traits.duplicate = 1;
    net.lane_between(hosts.client, hosts.web)->set_traits(traits);
    send_to(hosts.client, from, "c", "10.0.0.2:5000");
    EXPECT_THAT(look.seen, ElementsAre("sent udp 1: link loss", "sent udp 1: corrupted", "sent udp 1", "arrived udp 1",
                                       "arrived udp 1"));
    look.seen.clear();
    net.lane_between(hosts.client, hosts.web)->set_traits({});
    send_to(hosts.client, from, "nobody", "10.0.0.2:5001");
    EXPECT_THAT(look.seen, ElementsAre("sent udp 6", "arrived udp 6", "sent icmp", "arrived icmp"));
    look.seen.clear();
    for (int i = 0; i < 10; ++i) send_to(hosts.client, from, std::string(60'000, 'f'), "10.0.0.2:5000");
    EXPECT_THAT(look.seen, Contains("lost udp 60000: receive buffer is full"));
    hosts.client.close(from);
    hosts.web.close(to);
    co_return;
  });
}

TEST(TrafficTest, FlagsReadAsThoseOfTcpdump) {
  traffic shown;
  EXPECT_EQ(shown.flags_text(), "");
  shown.flags = traffic::acknowledges;
  EXPECT_EQ(shown.flags_text(), ".");
  shown.flags = traffic::syn | traffic::acknowledges;
  EXPECT_EQ(shown.flags_text(), "SA");
  shown.flags = traffic::fin | traffic::reset | traffic::push;
  EXPECT_EQ(shown.flags_text(), "FRP");
}

}  // namespace
}  // namespace lockstep::sim
