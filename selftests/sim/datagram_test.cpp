#include <lockstep/sim/datagram.hpp>

#include "udp_calls.hpp"

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

TEST(DatagramTest, IsCutIntoFragmentsThatFit) {
  const auto fragments = [](std::size_t size, const char* to) {
    datagram_route route;
    route.to = endpoint(to, 5000);
    return datagram(route, std::vector<std::byte>(size)).fragments(1500);
  };
  EXPECT_EQ(fragments(1472, "10.0.0.2"), 1u);
  EXPECT_EQ(fragments(1473, "10.0.0.2"), 2u);
  EXPECT_EQ(fragments(2952, "10.0.0.2"), 2u);
  EXPECT_EQ(fragments(2953, "10.0.0.2"), 3u);
  EXPECT_EQ(fragments(1452, "fd00::2"), 1u);
  EXPECT_EQ(fragments(1453, "fd00::2"), 2u);
}

TEST(DatagramTest, IsLostWithOneOfItsFragments) {
  named_choices third({{"client -> web loss", {0, 0, 1}}});
  in_network(
      [](network& net) -> task<void> {
        host& here = net.first_host();
        host& web = net.add_host("web", {"10.0.0.2"});
        lane_traits traits;
        traits.loss = 10;
        net.lane_between(here, web)->set_traits(traits);
        const int to = open_udp(web, "0.0.0.0:5000");
        const int from = open_udp(here);
        send_to(here, from, std::string(4'000, 'x'), "10.0.0.2:5000");
        send_to(here, from, "short", "10.0.0.2:5000");
        EXPECT_THAT(receive_all(web, to), ElementsAre("short"));
        co_return;
      },
      &third);
}

TEST(DatagramTest, ComesBackAsAnErrorAfterARoundTrip) {
  in_network([](network& net) -> task<void> {
    host& here = net.first_host();
    lane_traits traits;
    traits.latency_min = traits.latency_max = 10ms;
    net.set_default_traits(traits);
    host& web = net.add_host("web", {"10.0.0.2"});
    const int fd = open_udp(here);
    connect_to(here, fd, "10.0.0.2:5000");
    send(here, fd, "x");
    co_await sleep_for(19ms);
    EXPECT_EQ(receive(here, fd).result, -EAGAIN);
    co_await sleep_for(2ms);
    EXPECT_EQ(receive(here, fd).result, -ECONNREFUSED);
    net.lane_between(web, here)->add_cut();
    send(here, fd, "x");
    co_await sleep_for(1s);
    EXPECT_EQ(receive(here, fd).result, -EAGAIN);
    net.lane_between(web, here)->heal();
  });
}

}  // namespace
}  // namespace lockstep::sim
