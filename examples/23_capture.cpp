// Looking at the network: what each host has called and sent, the packets in a file for Wireshark, and the sockets that
// there are.
#include <lockstep/sim/capture.hpp>
#include <lockstep/sim/network_trace.hpp>
#include <lockstep/testing/testing.hpp>

#include <array>
#include <iostream>
#include <string>

namespace {

using namespace lockstep;
using namespace std::chrono_literals;

task<void> greet(endpoint at) {
  tcp_listener listener = tcp_listener::bind(at);
  while (true) {
    tcp_stream visitor = co_await listener.accept();
    std::array<char, 64> name;
    const std::size_t size = co_await visitor.read_some(name);
    co_await visitor.write("Hello, " + std::string(name.data(), size));
  }
}

// [seen]
CO_TEST(Greeting, IsSeenOnTheWire) {
  world().host("web", "10.0.0.2").spawn_daemon(greet("10.0.0.2:80"), "server");
  world().link("client", "web").latency(30ms);
  const network_trace seen;
  const capture packets(testing::TempDir() + "greeting.pcapng");

  tcp_stream connection = co_await connect_tcp("10.0.0.2:80");
  co_await connection.write("Ada");
  std::array<char, 64> greeting;
  co_await connection.read_some(greeting);

  std::cout << seen.text("client") << world().netstat();
  EXPECT_EQ(world().netstat().count("tcp", "CLOSE-WAIT"), 1u);  // the server has closed it, and the client not yet
  EXPECT_EQ(packets.packets(), 9u);
}
// [/seen]

}  // namespace
