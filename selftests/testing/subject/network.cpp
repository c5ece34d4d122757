// A test on a network, for the flags that show it. Run by the test of test_runs.
#include <lockstep/sim/host.hpp>
#include <lockstep/testing/testing.hpp>

#include <array>
#include <string>

namespace lockstep {
namespace {

using namespace std::chrono_literals;

task<void> greet_visitor() {
  tcp_listener listener = tcp_listener::bind("10.0.0.2:80");
  tcp_stream visitor = co_await listener.accept();
  std::array<char, 8> name;
  const std::size_t size = co_await visitor.read_some(name);
  co_await visitor.write("Hello, " + std::string(name.data(), size));
}

CO_TEST(Network, Greets) {
  world().host("web", "10.0.0.2").spawn_daemon(greet_visitor(), "server");
  world().link("client", "web").latency(30ms);
  tcp_stream connection = co_await connect_tcp("10.0.0.2:80");
  co_await connection.write("Ada");
  std::array<char, 10> greeting;
  co_await connection.read_exactly(greeting);
  EXPECT_EQ(std::string(greeting.data(), greeting.size()), "Hello, Ada");
}

}  // namespace
}  // namespace lockstep
