// What a search that leaves out what comes to the same must not leave out: the order of datagrams, and what meets them
// on their way.
#include "../explore/explored.hpp"
#include "udp_calls.hpp"

#include <lockstep/net/resolver.hpp>
#include <lockstep/sim/name_service.hpp>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr systematic_options every_order{.reduced_by = reduction::none};
constexpr systematic_options reduced{.all_shared_declared = true};

// What both found, which must be the same.
std::set<std::string> outcomes_of(const searched_program& program) {
  sim::world world;
  const explored all = explore_all(world, program, every_order);
  const explored some = explore_all(world, program, reduced);
  EXPECT_TRUE(all.complete);
  EXPECT_TRUE(some.complete);
  EXPECT_EQ(all.outcomes, some.outcomes);
  EXPECT_LE(some.runs, all.runs);
  return some.outcomes;
}

lane_traits with_latency(duration each) {
  lane_traits traits;
  traits.latency_min = traits.latency_max = each;
  return traits;
}

task<void> say(host& from, std::string text) {
  const int fd = open_udp(from);
  EXPECT_EQ(send_to(from, fd, text, "10.0.0.9:5000"), static_cast<std::int64_t>(text.size()));
  from.close(fd);
  co_return;
}

// Two hosts send to a third, which has so many bytes of buffer.
searched_program two_say(duration latency) {
  return [latency](std::string& outcome) -> task<void> {
    network& net = static_cast<host&>(current_system()).of();
    net.set_default_traits(with_latency(latency));
    host& to = net.add_host("to", {"10.0.0.9"});
    const int fd = open_udp(to, "10.0.0.9:5000");
    auto one = net.add_host("one").spawn(say(net.at("one"), "1"));
    auto two = net.add_host("two").spawn(say(net.at("two"), "2"));
    co_await one.join();
    co_await two.join();
    co_await sleep_for(1s);
    for (const std::string& each : receive_all(to, fd)) outcome += each;
    to.close(fd);
  };
}

TEST(DatagramOrdersTest, FindsBothAtOnce) { EXPECT_THAT(outcomes_of(two_say(0ms)), ElementsAre("12", "21")); }
TEST(DatagramOrdersTest, FindsBothOnTheirWay) { EXPECT_THAT(outcomes_of(two_say(5ms)), ElementsAre("12", "21")); }

TEST(DatagramOrdersTest, FindsWhatIsReadBeforeAndAfter) {
  const auto program = [](std::string& outcome) -> task<void> {
    network& net = static_cast<host&>(current_system()).of();
    host& to = net.add_host("to", {"10.0.0.9"});
    const int fd = open_udp(to, "10.0.0.9:5000");
    auto one = net.add_host("one").spawn(say(net.at("one"), "1"));
    co_await yield();
    outcome = receive(to, fd).result == -EAGAIN ? "before" : "after";
    co_await one.join();
    to.close(fd);
  };
  EXPECT_THAT(outcomes_of(program), ElementsAre("after", "before"));
}

task<void> cut(lane& of) {
  of.add_cut();
  co_await sleep_for(1ms);
  of.heal();
}

TEST(DatagramOrdersTest, FindsACutBeforeAndAfter) {
  for (const duration latency : {0ms, 5ms}) {
    const auto program = [latency](std::string& outcome) -> task<void> {
      network& net = static_cast<host&>(current_system()).of();
      net.set_default_traits(with_latency(latency));
      host& to = net.add_host("to", {"10.0.0.9"});
      host& from = net.add_host("from");
      const int fd = open_udp(to, "10.0.0.9:5000");
      auto one = from.spawn(say(from, "1"));
      auto other = spawn(cut(*net.lane_between(from, to)));
      co_await one.join();
      co_await other.join();
      co_await sleep_for(1s);
      outcome = receive(to, fd).result == -EAGAIN ? "lost" : "came";
      to.close(fd);
    };
    if (latency == 0ms) {
      EXPECT_THAT(outcomes_of(program), ElementsAre("came", "lost"));
    } else {
      EXPECT_THAT(outcomes_of(program), ElementsAre("lost"));  // it is on its way yet
    }
  }
}

TEST(DatagramOrdersTest, FindsWhoIsFirstOnTheWire) {
  const auto program = [](std::string& outcome) -> task<void> {
    network& net = static_cast<host&>(current_system()).of();
    lane_traits narrow;
    narrow.bytes_per_second = 1000;
    host& to = net.add_host("to", {"10.0.0.9"});
    host& from = net.add_host("from");
    net.lane_between(from, to)->set_traits(narrow);
    const int fd = open_udp(to, "10.0.0.9:5000");
    auto one = from.spawn(say(from, "1"));
    auto two = from.spawn(say(from, "2"));
    co_await one.join();
    co_await two.join();
    co_await sleep_for(40ms);
    outcome = receive(to, fd).text;
    to.close(fd);
  };
  EXPECT_THAT(outcomes_of(program), ElementsAre("1", "2"));
}

TEST(DatagramOrdersTest, FindsANameBeforeAndAfterItChanges) {
  for (const duration latency : {0ms, 5ms}) {
    const auto program = [latency](std::string& outcome) -> task<void> {
      network& net = static_cast<host&>(current_system()).of();
      net.set_default_traits(with_latency(latency));
      net.dns().serve_on(net.add_host("ns"));
      net.dns().add("db.example", "10.0.0.7");
      const auto change = [](network& of) -> task<void> {
        of.dns().remove("db.example");
        of.dns().add("db.example", "10.0.0.8");
        co_return;
      };
      auto changed = spawn(change(net));
      outcome = (co_await resolver({.family = address_family::v4}).look_up("db.example")).at(0).text();
      co_await changed.join();
    };
    if (latency == 0ms) {
      EXPECT_THAT(outcomes_of(program), ElementsAre("10.0.0.7", "10.0.0.8"));
    } else {
      EXPECT_THAT(outcomes_of(program), ElementsAre("10.0.0.8"));
    }
  }
}

}  // namespace
}  // namespace lockstep::sim
