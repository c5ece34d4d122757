#include <lockstep/sim/network_trace.hpp>

#include "watched_network.hpp"

#include <chrono>
#include <string>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

TEST(NetworkTraceTest, HasTheCallsAndPacketsOfEachHost) {
  sim::run_on_hosts([]() -> task<void> {
    const network_trace seen;
    co_await sim::visit_web();
    EXPECT_EQ("\n" + seen.text("web"), R"(
  0 ns  web  socket(AF_INET, SOCK_STREAM) = 3
  0 ns  web  setsockopt(3, SOL_SOCKET, SO_REUSEADDR) = 0
  0 ns  web  bind(3, 10.0.0.2:80) = 0
  0 ns  web  listen(3, 128) = 0
  0 ns  web  accept(3) = EAGAIN
 30 ms  web  < client  tcp 10.0.0.1:32768 -> 10.0.0.2:80  S
 30 ms  web  > client  tcp 10.0.0.2:80 -> 10.0.0.1:32768  SA, ack 0
 90 ms  web  < client  tcp 10.0.0.1:32768 -> 10.0.0.2:80  ., ack 0
 90 ms  web  accept(3) = 4
 90 ms  web  < client  tcp 10.0.0.1:32768 -> 10.0.0.2:80  PA 0:5, ack 0, 5 bytes "visit"
 90 ms  web  > client  tcp 10.0.0.2:80 -> 10.0.0.1:32768  ., ack 5
 90 ms  web  recv(4, 64 bytes) = 5
 90 ms  web  send(4, 5 bytes) = 5
 90 ms  web  > client  tcp 10.0.0.2:80 -> 10.0.0.1:32768  PA 0:5, ack 5, 5 bytes "xxxxx"
 90 ms  web  close(4) = 0
 90 ms  web  > client  tcp 10.0.0.2:80 -> 10.0.0.1:32768  FA, ack 5
 90 ms  web  close(3) = 0
120 ms  web  < client  tcp 10.0.0.1:32768 -> 10.0.0.2:80  ., ack 5
120 ms  web  < client  tcp 10.0.0.1:32768 -> 10.0.0.2:80  ., ack 5 and the end
150 ms  web  < client  tcp 10.0.0.1:32768 -> 10.0.0.2:80  FA, ack 5 and the end
150 ms  web  > client  tcp 10.0.0.2:80 -> 10.0.0.1:32768  ., ack 5 and the end
)");
    EXPECT_NE(seen.text().find("150 ms  client  < web  tcp"), std::string::npos);
    EXPECT_EQ(seen.text("nobody"), "");
  });
}

TEST(NetworkTraceTest, ShowsWhatIsLostAndSentAgainInTheOrderOfTimes) {
  sim::named_choices losses({{"client -> web segment loss", {1, 0}}, {"client -> web loss", {1}}});
  sim::in_network(
      [](sim::network& net) -> task<void> {
        sim::host& web = net.add_host("web", {"10.0.0.2"});
        const sim::file listener = sim::listening(web, "10.0.0.2:80");
        sim::lane_traits traits;
        traits.loss = 100;
        net.lane_between(net.first_host(), web)->set_traits(traits);
        const network_trace seen;
        const sim::file one = sim::tcp(net.first_host());
        one.connect("10.0.0.2:80");
        const int datagrams = sim::open_udp(net.first_host());
        co_await sleep_for(500ms);
        sim::send_to(net.first_host(), datagrams, "lost\n", "10.0.0.2:9");
        co_await sleep_for(500ms);
        EXPECT_EQ("\n" + seen.text("client"), R"(
  0 ns  client  socket(AF_INET, SOCK_STREAM) = 3
  0 ns  client  connect(3, 10.0.0.2:80) = EINPROGRESS
  0 ns  client  > web  tcp 10.0.0.1:32768 -> 10.0.0.2:80  S, lost: link loss
  0 ns  client  socket(AF_INET, SOCK_DGRAM) = 4
500 ms  client  sendmsg(4, 5 bytes) = 5
500 ms  client  > web  udp 10.0.0.1:32768 -> 10.0.0.2:9  5 bytes "lost.", lost: link loss
   1 s  client  >> web  tcp 10.0.0.1:32768 -> 10.0.0.2:80  S
   1 s  client  < web  tcp 10.0.0.2:80 -> 10.0.0.1:32768  SA, ack 0
   1 s  client  > web  tcp 10.0.0.1:32768 -> 10.0.0.2:80  ., ack 0
)");
        one.close();
        net.first_host().close(datagrams);
        listener.close();
      },
      &losses);
}

TEST(NetworkTraceTest, KeepsTheLastLines) {
  sim::run_on_hosts([]() -> task<void> {
    const network_trace seen;
    system_calls& system = current_system();
    for (std::size_t i = 0; i < network_trace::lines_max; ++i) system.close(-1);
    EXPECT_EQ(seen.text().substr(0, 24), "0 ns  client  close(-1) ");
    system.close(-2);
    EXPECT_TRUE(seen.text().starts_with("... 1 earlier lines ...\n0 ns"));
    EXPECT_TRUE(seen.text().ends_with("close(-2) = EBADF\n"));
    co_return;
  });
}

}  // namespace
}  // namespace lockstep
