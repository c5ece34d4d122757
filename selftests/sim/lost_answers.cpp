// What answers that are lost, refused or never given come to: everybody who waits learns of it, when Linux would say
// so, and who waits for nothing is left alone.
#include "talking_hosts.hpp"

#include <lockstep/explore/strategy.hpp>
#include <lockstep/net/resolver.hpp>
#include <lockstep/sim/link.hpp>
#include <lockstep/sim/name_service.hpp>
#include <lockstep/sim/network_trace.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;

task<void> accepts_one(std::optional<tcp_stream>& into) {
  tcp_listener listener = tcp_listener::bind(web_80);
  into = co_await listener.accept();
  co_await sleep_for(48h);
}

// "web" accepts one connection, and the client has it.
struct accepting_host : two_hosts {
  std::optional<tcp_stream> peer;
  link& between = lockstep::world().link("client", "web");

  accepting_host() { web.spawn_daemon(accepts_one(peer)); }
  accepting_host(const accepting_host&) = delete;
  accepting_host& operator=(const accepting_host&) = delete;
  ~accepting_host() { peer.reset(); }
  task<tcp_stream> connected() {
    co_await yield();
    co_return co_await connect_tcp(web_80);
  }
};

task<void> loses(link& on, duration from, duration until) {
  co_await sleep_for(from);
  on.loss(1);
  co_await sleep_for(until - from);
  on.loss(0);
}

void lose_all(lane& on, bool all) {
  lane_traits to = on.traits();
  to.loss = all ? 1 : 0;
  on.set_traits(to);
}

// What comes within that time, else "nothing"; and when.
task<std::string> read_within(tcp_stream& from, duration limit) {
  std::string found = "nothing";
  try {
    found = co_await with_timeout(limit, read_from(from));
  } catch (const timed_out&) {
  }
  co_return fmt::format("{} at {} ms", found, now().time_since_epoch() / 1ms);
}

task<std::string> connected_at() {
  const std::string came_to = co_await connect_to(web_80);
  co_return fmt::format("{} at {} ms", came_to, now().time_since_epoch() / 1ms);
}

// -- time only goes on ------------------------------------------------------------------------------------------------

task<void> lives_with_a_full_queue() {
  tcp_listener listener = tcp_listener::bind(web_80, {.backlog = 0});
  const tcp_stream own = co_await connect_tcp(web_80);  // takes the one place
  co_await sleep_for(40s);
  const tcp_stream one = co_await listener.accept();
  const tcp_stream two = co_await listener.accept();
}

TEST(LostAnswersTest, AConnectIsAskedForAgainOnceAtATime) {
  run_on_hosts([]() -> task<void> {
    accepting_host hosts;
    hosts.between.latency(10ms);
    auto client = spawn(connected_at());
    co_await sleep_for(15ms);
    hosts.web.crash();
    co_await sleep_for(500ms);
    auto life = hosts.web.restart(lives_with_a_full_queue);
    co_await sleep_for(100ms);
    {
      const auto cut = partition("client", "web").may_not_fire();
      co_await sleep_for(10ms);
    }
    EXPECT_TRUE((co_await client.join()).starts_with("ok at "));
    co_await life.join();
  });
}

TEST(LostAnswersTest, WhatWasLostBehindWhatWasNotComesInItsTime) {
  run_on_hosts([]() -> task<void> {
    accepting_host hosts;
    hosts.between.latency(1s);
    tcp_stream client = co_await hosts.connected();
    co_await sleep_for(2s);
    co_await client.write("a");
    hosts.between.loss(1);
    co_await client.write("b");
    hosts.between.loss(0);
    const time_point before = now();
    EXPECT_THAT(co_await read_from(*hosts.peer), testing::StartsWith("a"));
    EXPECT_EQ(now() - before, 1s);
    EXPECT_EQ(co_await read_from(*hosts.peer), "b");
    EXPECT_GT(now() - before, 1s);
  });
}

TEST(LostAnswersTest, ATimeoutThatHasPassedWhenItIsSetIsDueNow) {
  run_on_hosts([]() -> task<void> {
    const accepting_host hosts;
    co_await yield();
    const partition cut("client", "web");
    const file client = tcp(lockstep::world().network().first_host());
    EXPECT_EQ(client.connect("10.0.0.2:80"), "EINPROGRESS");
    tcp_stream stream = tcp_stream::adopt(client.fd);
    auto reader = spawn(read_within(stream, 1h));
    co_await sleep_for(10s);
    stream.user_timeout(2s);
    EXPECT_EQ(co_await reader.join(), "ETIMEDOUT at 10000 ms");
  });
}

// -- an end that is lost ----------------------------------------------------------------------------------------------

TEST(LostAnswersTest, AnEndThatIsLostIsToldOfByTheNext) {
  run_on_hosts([]() -> task<void> {
    accepting_host hosts;
    tcp_stream client = co_await hosts.connected();
    co_await sleep_for(1s);
    hosts.web.crash();
    hosts.peer.reset();
    auto life = hosts.web.restart([]() -> task<void> { co_await yield(); });
    co_await life.join();
    lose_all(hosts.between.back, true);
    co_await client.write("x");
    co_await sleep_for(100ms);
    lose_all(hosts.between.back, false);
    EXPECT_THAT(co_await read_within(client, 1h), testing::StartsWith("ECONNRESET at "));
  });
}

TEST(LostAnswersTest, AnEndThatIsLostIsAskedForByKeepalive) {
  run_on_hosts([]() -> task<void> {
    accepting_host hosts;
    tcp_stream client = co_await hosts.connected();
    co_await sleep_for(1s);
    client.keep_alive(true);
    lose_all(hosts.between.back, true);
    hosts.peer->reset();
    co_await sleep_for(1s);
    lose_all(hosts.between.back, false);
    EXPECT_THAT(co_await read_within(client, 24h), testing::StartsWith("ECONNRESET at 720"));
  });
}

// However often that is lost as well.
TEST(LostAnswersTest, AnEndIsLearntOfOverALinkThatLosesMuch) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    const auto choices = make_oracle(schedule::random, seed);
    class world of;
    world_options how;
    how.choices = choices.get();
    of.run(
        []() -> task<void> {
          two_hosts hosts;
          std::optional<tcp_listener> listener;
          {
            const auto there = hosts.web.enter();
            listener = tcp_listener::bind(web_80);
          }
          tcp_stream client = co_await connect_tcp(web_80);
          tcp_stream peer = co_await listener->accept();
          client.keep_alive(true);
          lockstep::world().link("client", "web").loss(2);
          peer.reset();
          EXPECT_THAT(co_await read_within(client, 24h), testing::StartsWith("E"));
        },
        how);
  }
}

// The server's end waits for the last word of the handshake for 63 s.
TEST(LostAnswersTest, WhoIsNotAcceptedForLongIsConnectedAllTheSame) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    std::optional<tcp_listener> listener;
    {
      const auto there = hosts.web.enter();
      listener = tcp_listener::bind(web_80);
    }
    link& between = lockstep::world().link("client", "web").latency(10ms);
    auto lost = spawn(loses(between, 5ms, 15ms));
    tcp_stream client = co_await connect_tcp(web_80);
    EXPECT_THAT(co_await read_within(client, 1h), testing::StartsWith("nothing at "));
    tcp_stream accepted = co_await listener->accept();
    EXPECT_THAT(co_await read_within(accepted, 1h), testing::StartsWith("nothing at "));
    co_await lost.join();
  });
}

TEST(LostAnswersTest, WhoHasMoreToSendLearnsThatTheOtherHasGone) {
  run_on_hosts([]() -> task<void> {
    accepting_host hosts;
    tcp_stream client = co_await hosts.connected();
    co_await sleep_for(1s);
    const std::string much(3'000'000, 'x');
    auto writer = spawn(outcome_of([&]() -> task<void> { co_await with_timeout(24h, hosts.peer->write(much)); }));
    co_await sleep_for(1s);
    const fault ends = on(op::read).at("client").fail(ETIMEDOUT);
    EXPECT_THAT(co_await read_within(client, 1h), testing::StartsWith("ETIMEDOUT at "));
    EXPECT_EQ(co_await writer.join(), "ECONNRESET");
  });
}

TEST(LostAnswersTest, AConnectWhoseEndIsLostAsksAgain) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    std::optional<tcp_listener> listener;
    {
      const auto there = hosts.web.enter();
      listener = tcp_listener::bind(web_80);
    }
    link& between = lockstep::world().link("client", "web").latency(10ms);
    auto client = spawn(connected_at());
    co_await sleep_for(12ms);
    between.loss(1);
    listener.reset();
    between.loss(0);
    EXPECT_THAT(co_await client.join(), testing::StartsWith("ECONNREFUSED at "));
  });
}

// -- a connection that is there waits for nothing ---------------------------------------------------------------------

TEST(LostAnswersTest, WhoIsConnectedWaitsNoLongerForThat) {
  run_on_hosts([]() -> task<void> {
    accepting_host hosts;
    hosts.between.latency(10ms);
    co_await yield();
    auto lost = spawn(loses(hosts.between, 5ms, 15ms));
    tcp_stream client = co_await connect_tcp(web_80);
    EXPECT_THAT(co_await read_within(client, 1h), testing::StartsWith("nothing at "));
    co_await lost.join();
  });
}

TEST(LostAnswersTest, NothingIsLostForGood) {
  run_on_hosts([]() -> task<void> {
    accepting_host hosts;
    hosts.between.latency(10ms);
    co_await yield();
    auto lost = spawn(loses(hosts.between, 15ms, 20s));
    tcp_stream client = co_await connect_tcp(web_80);
    co_await lost.join();
    co_await client.write("x");
    co_await sleep_for(1h);
    const bool is_accepted = hosts.peer.has_value();
    EXPECT_TRUE(is_accepted);
    if (is_accepted) {
      EXPECT_EQ(co_await read_from(*hosts.peer), "x");
    }
  });
}

TEST(LostAnswersTest, AUserTimeoutIsTheOnlyLimit) {
  run_on_hosts([]() -> task<void> {
    accepting_host hosts;
    tcp_stream client = co_await hosts.connected();
    co_await sleep_for(1s);
    client.user_timeout(1h);
    hosts.between.loss(1);
    co_await client.write("x");
    co_await sleep_for(1000s);
    hosts.between.loss(0);
    EXPECT_THAT(co_await read_within(*hosts.peer, 30min), testing::StartsWith("x at "));
  });
}

// -- refusals ---------------------------------------------------------------------------------------------------------

// It is who connects that asks again, and not the refusal that comes again.
TEST(LostAnswersTest, ARefusalThatIsLostIsAskedForAgain) {
  run_on_hosts([]() -> task<void> {
    const two_hosts hosts;
    link& between = lockstep::world().link("client", "web").latency(10ms);
    auto lost = spawn(loses(between, 5ms, 20s));
    EXPECT_THAT(co_await connected_at(), testing::StartsWith("ECONNREFUSED at "));
    co_await lost.join();
  });
}

task<void> listens_later() {
  co_await sleep_for(500ms);
  const tcp_listener listener = tcp_listener::bind(web_80);
  co_await sleep_for(10s);
}

TEST(LostAnswersTest, WhoListensByThenIsFound) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    link& between = lockstep::world().link("client", "web").latency(10ms);
    auto lost = spawn(loses(between, 5ms, 15ms));
    auto later = hosts.web.spawn(listens_later());
    EXPECT_THAT(co_await connected_at(), testing::StartsWith("ok at 10"));
    co_await lost.join();
    co_await later.join();
  });
}

// -- a partition that heals -------------------------------------------------------------------------------------------

TEST(LostAnswersTest, AHealedWayLosesWhatItsLinkLoses) {
  run_on_hosts([]() -> task<void> {
    accepting_host hosts;
    tcp_stream client = co_await hosts.connected();
    co_await sleep_for(1s);
    hosts.between.loss(1);
    co_await client.write("x");
    {
      const partition cut("client", "web");
      co_await sleep_for(1s);
    }
    EXPECT_THAT(co_await read_within(*hosts.peer, 10s), testing::StartsWith("nothing at "));
  });
}

TEST(LostAnswersTest, WhatWaitedForAHealTakesItsBandwidth) {
  run_on_hosts([]() -> task<void> {
    accepting_host hosts;
    tcp_stream client = co_await hosts.connected();
    co_await sleep_for(1s);
    hosts.between.bandwidth(1000);
    co_await client.write(std::string(5000, 'x'));
    {
      const partition cut("client", "web");
      co_await sleep_for(10s);
    }
    std::string all(5000, ' ');
    co_await hosts.peer->read_exactly(all);
    EXPECT_EQ(now().time_since_epoch(), 16s);
  });
}

// -- names ------------------------------------------------------------------------------------------------------------

host& name_host(duration delay) {
  host& ns = lockstep::world().host("ns", "10.0.0.53");
  name_service& names = lockstep::world().network().dns();
  names.serve_on(ns);
  names.add("db.example", "10.0.0.7");
  names.fail("db.example", {.failure = name_failure::truncated, .delay = delay});
  return ns;
}

task<void> expect_found_at(duration when) {
  EXPECT_EQ((co_await resolver().look_up("db.example")).front().text(), "10.0.0.7");
  EXPECT_EQ(now().time_since_epoch(), when);
}

task<std::string> found_address() { co_return (co_await resolver().look_up("db.example")).front().text(); }

TEST(LostAnswersTest, AStreamThatEndsWithItsAnswerIsNotUsedAgain) {
  run_on_hosts([]() -> task<void> {
    host& ns = name_host(2s);
    auto asking = spawn(found_address());
    co_await sleep_for(1s);
    ns.pause();
    co_await sleep_for(2s);
    ns.resume();
    EXPECT_EQ(co_await asking.join(), "10.0.0.7");
  });
}

TEST(LostAnswersTest, ANameServerSaysNothingWhileItStandsStill) {
  run_on_hosts([]() -> task<void> {
    host& ns = lockstep::world().host("ns", "10.0.0.53");
    name_service& names = lockstep::world().network().dns();
    names.serve_on(ns);
    names.add("db.example", "10.0.0.7");
    names.fail("db.example", {.delay = 2s});
    auto asking = spawn(expect_found_at(4s));
    co_await sleep_for(1s);
    ns.pause();
    co_await sleep_for(3s);
    ns.resume();
    co_await asking.join();
  });
}

TEST(LostAnswersTest, ALateAnswerIsLateThoughItIsTruncated) {
  run_on_hosts([]() -> task<void> {
    name_service& names = lockstep::world().network().dns();
    names.add("db.example", "10.0.0.7");
    names.fail("db.example", {.failure = name_failure::truncated, .delay = 2s});
    co_await expect_found_at(2s);
  });
}

// The question may be another when it comes: what is said to that is no answer.
TEST(LostAnswersTest, AnAnswerToAnotherQuestionIsNone) {
  std::set<std::string> found;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const auto choices = make_oracle(schedule::random, seed);
    class world of;
    world_options how;
    how.choices = choices.get();
    of.run(
        [&found]() -> task<void> {
          host& ns = lockstep::world().host("ns", "10.0.0.53");
          network& net = lockstep::world().network();
          net.dns().serve_on(ns);
          net.dns().add("db.example", "10.0.0.7");
          lane& there = *net.lane_between(net.first_host(), ns);
          lane_traits traits = there.traits();
          traits.corrupt = 1;
          traits.corrupt_payload = true;
          there.set_traits(traits);
          try {
            found.insert(co_await found_address());
          } catch (const std::system_error& failed) {
            found.insert(failed.code().message());
          }
        },
        how);
  }
  EXPECT_THAT(found, testing::IsSubsetOf({"10.0.0.7", "Temporary failure in name resolution"}));
}

TEST(LostAnswersTest, ANameServerBeginsAgainBesideOldConnections) {
  run_on_hosts([]() -> task<void> {
    host& ns = name_host(0s);
    lockstep::world().link("client", "ns").latency(10ms);
    auto asking = spawn(found_address());
    co_await sleep_for(55ms);
    ns.kill();
    auto life = ns.restart([]() -> task<void> { co_await yield(); });
    co_await life.join();
    EXPECT_EQ(co_await asking.join(), "10.0.0.7");
  });
}

// -- keepalive --------------------------------------------------------------------------------------------------------

// Measured with Linux 6.18: 10.15 s.
TEST(LostAnswersTest, AQuestionThatWasAnsweredBeginsTheUserTimeoutAnew) {
  run_on_hosts([]() -> task<void> {
    accepting_host hosts;
    tcp_stream client = co_await hosts.connected();
    client.keep_alive(true);
    const auto set = [&client](int name, int value) {
      current_system().setsockopt(client.native_handle(), IPPROTO_TCP, name, &value, sizeof value);
    };
    set(TCP_KEEPIDLE, 2);
    set(TCP_KEEPINTVL, 1);
    set(TCP_KEEPCNT, 9);
    client.user_timeout(6s);
    co_await sleep_for(5s);
    const partition cut("client", "web");
    EXPECT_EQ(co_await read_within(client, 1h), "ETIMEDOUT at 10000 ms");
  });
}

}  // namespace
}  // namespace lockstep::sim
