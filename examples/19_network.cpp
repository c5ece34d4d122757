// A network in the test: a client and a server on hosts of their own, a link that takes its time, and a partition.
// Nothing in the code under test knows of that: it runs on the machine's network as well.
#include <lockstep/testing/testing.hpp>

#include <array>
#include <string>

namespace {

using namespace lockstep;
using namespace std::chrono_literals;

// [code]
// Counts the visits of each connection, and answers with their number.
class counter {
 public:
  task<void> serve(endpoint at) {
    tcp_listener listener = tcp_listener::bind(at);
    while (true) {
      tcp_stream visitor = co_await listener.accept();
      std::array<char, 64> request;
      co_await visitor.read_some(request);
      co_await visitor.write(std::to_string(++visits));
    }
  }

  int visits = 0;
};

task<int> visit(endpoint server) {
  tcp_stream connection = co_await connect_tcp(server);
  co_await connection.write("visit");
  std::array<char, 64> answer;
  const std::size_t size = co_await connection.read_some(answer);
  co_return std::stoi(std::string(answer.data(), size));
}

// Does not wait for ever: after a second it tries again.
task<int> visit_patiently(endpoint server) {
  while (true) {
    const result<int> number = co_await as_result(with_timeout(1s, visit(server)));
    if (number) co_return number.value();
  }
}
// [/code]

// [latency]
CO_TEST(Counter, IsFarAway) {
  counter visits;
  world().host("web", "10.0.0.2").spawn_daemon(visits.serve("10.0.0.2:80"), "server");
  world().link("client", "web").latency(30ms);
  EXPECT_EQ(co_await visit("10.0.0.2:80"), 1);
  EXPECT_EQ(now().time_since_epoch(), 120ms);  // two round trips, in no real time
}
// [/latency]

// [partition]
CO_TEST(Counter, IsReachedWhenThePartitionIsHealed) {
  counter visits;
  world().host("web", "10.0.0.2").spawn_daemon(visits.serve("10.0.0.2:80"), "server");
  auto number = spawn(visit_patiently("10.0.0.2:80"), "client");
  {
    const partition cut("client", "web");
    co_await sleep_for(59500ms);
  }
  EXPECT_EQ(co_await number.join(), 1);
}
// [/partition]

// [names]
CO_TEST(Counter, IsFoundByItsNameWhenTheServerAnswersAgain) {
  counter visits;
  world().host("web", "10.0.0.2").spawn_daemon(visits.serve("10.0.0.2:80"), "server");
  sim::name_service& names = world().network().dns();
  names.add("count.example", "10.0.0.2", 30s);
  names.fail("count.example", {.failure = sim::name_failure::timeout, .count = 1});
  tcp_stream connection = co_await connect("count.example", 80);
  EXPECT_EQ(now().time_since_epoch(), 5s);  // after which the resolver asks again
  EXPECT_EQ(connection.remote(), endpoint("10.0.0.2:80"));
}
// [/names]

// [explored]
CO_TEST(Counter, CountsAVisitOnce, explore()) {
  counter visits;
  world().host("web", "10.0.0.2").spawn_daemon(visits.serve("10.0.0.2:80"), "server");
  world().link("client", "web").latency(5ms, 2s);
  co_await visit_patiently("10.0.0.2:80");
  EXPECT_EQ(visits.visits, 1);
}
// [/explored]

}  // namespace
