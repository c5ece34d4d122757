#include <lockstep/net/connect.hpp>

#include "in_both_worlds.hpp"

#include <lockstep/net/serve.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/name_service.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/partition.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

namespace lockstep {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

template <class F>
void on_a_laptop(F body) {
  sim::world simulation;
  const auto main = [&]() -> task<void> {
    sim::host& laptop = simulation.network().add_host("laptop", {"10.0.0.10", "fd00::10"});
    const scoped_value here = laptop.enter();
    co_await body(simulation.network());
  };
  simulation.run(main());
  for (const verdict& each : simulation.verdicts()) ADD_FAILURE() << each.message;
}

// A host "a" at IPv6 and a host "b" at IPv4, 10 ms away, which both are "web" and listen on port 80.
struct two_ways {
  explicit two_ways(sim::network& net) : a(net.add_host("a", {"fd00::a"})), b(net.add_host("b", {"10.0.0.11"})) {
    net.dns().add("web", "10.0.0.11");
    net.dns().add("web", "fd00::a");
    net.link("laptop", "a").latency(10ms);
    net.link("laptop", "b").latency(10ms);
  }

  static tcp_listener listen(sim::host& on) {
    const scoped_value there = on.enter();
    return tcp_listener::bind(endpoint(on.address(), 80));
  }

  sim::host& a;
  sim::host& b;
};

task<void> connects_to_an_address() {
  tcp_listener listener = listener_on_loopback();
  const tcp_stream client = co_await connect("127.0.0.1", listener.local().port());
  EXPECT_EQ(client.remote(), listener.local());
  const std::uint16_t closed = listener.local().port();
  listener.close();
  try {
    static_cast<void>(co_await connect("127.0.0.1", closed));
    ADD_FAILURE();
  } catch (const connect_failed& failed) {
    EXPECT_EQ(failed.code().value(), ECONNREFUSED);
    EXPECT_EQ(failed.attempts().size(), 1U);
  }
}

TEST(ConnectTest, ConnectsToAnAddressThatIsWrittenOut) { run_in_both_worlds(connects_to_an_address); }

TEST(ConnectTest, TakesTurnsBetweenTheFamilies) {
  const std::vector<endpoint> found = {"[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"};
  EXPECT_THAT(detail::interleaved(found), ElementsAre("[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"));
  EXPECT_THAT(detail::interleaved({"1.1.1.1:1", "1.1.1.2:1"}), ElementsAre("1.1.1.1:1", "1.1.1.2:1"));
}

TEST(ConnectTest, TakesTheFirstThatAnswers) {
  on_a_laptop([](sim::network& net) -> task<void> {
    const two_ways ways(net);
    const tcp_listener at_a = two_ways::listen(ways.a);
    const tcp_listener at_b = two_ways::listen(ways.b);
    const tcp_stream client = co_await connect("web", 80);
    EXPECT_EQ(client.remote(), endpoint("[fd00::a]:80"));
    EXPECT_EQ(now().time_since_epoch(), 20ms);
  });
}

TEST(ConnectTest, TriesTheNextAtOnceWhenOneIsRefused) {
  on_a_laptop([](sim::network& net) -> task<void> {
    const two_ways ways(net);
    const tcp_listener at_b = two_ways::listen(ways.b);
    const tcp_stream client = co_await connect("web", 80);
    EXPECT_EQ(client.remote(), endpoint("10.0.0.11:80"));
    EXPECT_EQ(now().time_since_epoch(), 40ms);
  });
}

TEST(ConnectTest, TriesTheNextBesideOneThatIsSlow) {
  on_a_laptop([](sim::network& net) -> task<void> {
    const two_ways ways(net);
    const tcp_listener at_a = two_ways::listen(ways.a);
    const tcp_listener at_b = two_ways::listen(ways.b);
    const partition cut("laptop", "a");
    const tcp_stream client = co_await connect("web", 80);
    EXPECT_EQ(client.remote(), endpoint("10.0.0.11:80"));
    EXPECT_EQ(now().time_since_epoch(), 270ms);
    connect_by_name_options how;
    how.attempt_delay = 1s;
    const tcp_stream later = co_await connect("web", 80, how);
    EXPECT_EQ(now().time_since_epoch(), 270ms + 1020ms);
  });
}

TEST(ConnectTest, ClosesTheOnesThatLose) {
  on_a_laptop([](sim::network& net) -> task<void> {
    const two_ways ways(net);
    tcp_listener at_a = two_ways::listen(ways.a);
    const tcp_listener at_b = two_ways::listen(ways.b);
    net.link("laptop", "a").latency(200ms);  // it would answer after 400 ms
    const tcp_stream client = co_await connect("web", 80);
    EXPECT_EQ(client.remote(), endpoint("10.0.0.11:80"));
    EXPECT_EQ(now().time_since_epoch(), 270ms);
    co_await sleep_for(10s);
    EXPECT_EQ((co_await select(at_a.accept(), sleep_for(1s))).index, 1U);
  });
}

TEST(ConnectTest, TakesTheFirstOfTwoThatAnswerAtOneInstant) {
  on_a_laptop([](sim::network& net) -> task<void> {
    const two_ways ways(net);
    tcp_listener at_a = two_ways::listen(ways.a);
    tcp_listener at_b = two_ways::listen(ways.b);
    net.link("laptop", "a").latency(135ms);
    const tcp_stream client = co_await connect("web", 80);
    EXPECT_EQ(client.remote(), endpoint("[fd00::a]:80"));
    EXPECT_EQ(now().time_since_epoch(), 270ms);
    tcp_stream loser = co_await at_b.accept();
    std::array<std::byte, 1> into;
    EXPECT_EQ(co_await loser.read_some(into), 0U);
  });
}

TEST(ConnectTest, ListsWhatBecameOfEachAttempt) {
  on_a_laptop([](sim::network& net) -> task<void> {
    const two_ways ways(net);
    net.at("laptop").refuse_route("10.0.0.11", 32, EHOSTUNREACH);
    try {
      static_cast<void>(co_await connect("web", 80));
      ADD_FAILURE();
    } catch (const connect_failed& failed) {
      EXPECT_EQ(failed.code(), std::error_code(ECONNREFUSED, std::system_category()));
      EXPECT_EQ(failed.attempts().size(), 2U);
      EXPECT_EQ(failed.attempts().front().to, endpoint("[fd00::a]:80"));
      EXPECT_EQ(failed.attempts().back().error, std::error_code(EHOSTUNREACH, std::system_category()));
      EXPECT_STREQ(failed.what(),
                   "no connection to \"web\" ([fd00::a]:80: Connection refused; 10.0.0.11:80: No route to host): "
                   "Connection refused");
    }
  });
}

TEST(ConnectTest, ThrowsWhatTheResolverSays) {
  on_a_laptop([](sim::network&) -> task<void> {
    const result<tcp_stream> came_to = co_await as_result(connect("nobody", 80));
    EXPECT_FALSE(holds<connect_failed>(came_to.error()));
    EXPECT_TRUE(holds<std::system_error>(came_to.error()));
  });
}

TEST(ConnectTest, EndsAllAttemptsWhenItIsCancelled) {
  on_a_laptop([](sim::network& net) -> task<void> {
    const two_ways ways(net);
    tcp_listener at_a = two_ways::listen(ways.a);
    net.link("laptop", "a").latency(200ms);
    net.link("laptop", "b").latency(200ms);
    const auto connect_in_time = []() -> task<void> {
      static_cast<void>(co_await with_timeout(300ms, connect("web", 80)));
    };
    EXPECT_TRUE(holds<timed_out>((co_await as_result(connect_in_time())).error()));
    EXPECT_EQ(now().time_since_epoch(), 300ms);
    co_await sleep_for(10s);
    EXPECT_EQ((co_await select(at_a.accept(), sleep_for(1s))).index, 1U);
  });
}

// Where a connection was made that is still open at the end is the user's line, and no line of the library.
template <class F>
std::vector<std::uint_least32_t> lines_of_leaks(F body) {
  sim::world simulation;
  simulation.run(body());
  std::vector<std::uint_least32_t> lines;
  for (const verdict& each : simulation.verdicts()) {
    EXPECT_EQ(each.kind, verdict_kind::leaked_descriptor);
    EXPECT_THAT(each.where.file_name(), testing::EndsWith("connect_test.cpp"));
    lines.push_back(each.where.line());
  }
  return lines;
}

TEST(ConnectTest, IsToldOfWhereTheUserHasConnectedIfThatLeaks) {
  std::vector<tcp_stream> leaked;
  std::uint_least32_t connected = 0;
  std::uint_least32_t served = 0;
  const auto leaks = [&]() -> task<void> {
    sim::host& web = lockstep::world().host("web", {"10.0.0.11", "10.0.0.12"});
    const auto listen = [&web] {
      const scoped_value there = web.enter();
      return tcp_listener::bind("0.0.0.0:80");
    };
    tcp_listener listener = listen();
    lockstep::world().network().dns().add("both", "10.0.0.11");
    lockstep::world().network().dns().add("both", "10.0.0.12");
    server one;
    const auto keep = [&leaked](tcp_stream peer) -> task<void> {
      leaked.push_back(std::move(peer));
      co_return;
    };
    served = source::current().line() + 1;
    auto running = web.spawn(one.run(std::move(listener), keep));
    connected = source::current().line() + 1;
    for (const char* name : {"web", "both"}) leaked.push_back(co_await connect(name, 80));
    co_await sleep_for(1s);
    one.stop();
    co_await running.join();
  };
  const std::vector<std::uint_least32_t> lines = lines_of_leaks(leaks);
  EXPECT_THAT(lines, testing::UnorderedElementsAre(connected, connected, served, served));
}

}  // namespace
}  // namespace lockstep
