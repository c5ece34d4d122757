#include <lockstep/sim/tcp_connection.hpp>

#include "two_hosts.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;

// The client hears of it after one round trip, the server's accept() after one and a half.
TEST(TcpConnectionTest, TakesARoundTripToConnect) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    lockstep::world().link("client", "web").latency(5ms);
    const file listener = listening(hosts.web, "10.0.0.2:80");
    const file here = tcp(hosts.client);
    EXPECT_EQ(here.connect("10.0.0.2:80"), "EINPROGRESS");
    co_await sleep_for(10ms - 1ns);
    EXPECT_EQ(here.ready(), "-");
    EXPECT_EQ(here.connect("10.0.0.2:80"), "EALREADY");
    co_await sleep_for(1ns);
    co_await settle();
    EXPECT_EQ(here.ready(), "OUT");
    EXPECT_EQ(listener.ready(), "-");
    EXPECT_EQ(here.send("early"), "5");
    co_await sleep_for(5ms);
    co_await settle();
    EXPECT_EQ(listener.ready(), "IN");
    const file there = listener.accept();
    EXPECT_EQ(there.recv(), "early");
    for (const file& each : {listener, here, there}) each.close();
  });
}

TEST(TcpConnectionTest, IsRefusedAfterARoundTrip) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    lockstep::world().link("client", "web").latency(5ms);
    const file here = tcp(hosts.client);
    EXPECT_EQ(here.connect("10.0.0.2:80"), "EINPROGRESS");
    co_await sleep_for(10ms);
    co_await settle();
    EXPECT_EQ(here.ready(), "IN|OUT|ERR|HUP|RDHUP");
    EXPECT_EQ(here.error(), "ECONNREFUSED");
    here.close();
  });
}

TEST(TcpConnectionTest, TimesOutThroughAPartition) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    const partition cut("client", "web");
    const file here = tcp(hosts.client);
    EXPECT_EQ(here.connect("10.0.0.2:80"), "EINPROGRESS");
    co_await sleep_for(131s - 1ns);
    EXPECT_EQ(here.ready(), "-");
    co_await sleep_for(1ns);
    co_await settle();
    EXPECT_EQ(here.error(), "ETIMEDOUT");
    here.close();
  });
}

TEST(TcpConnectionTest, FindsNobodyAtAnAddressThatNobodyHas) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    const file here = tcp(hosts.client);
    EXPECT_EQ(here.connect("10.0.0.99:80"), "EINPROGRESS");
    co_await sleep_for(3071ms);
    EXPECT_EQ(here.ready(), "-");
    co_await sleep_for(1ms);
    co_await settle();
    EXPECT_EQ(here.error(), "EHOSTUNREACH");
    here.close();
  });
}

TEST(TcpConnectionTest, HasNoRouteToAnotherFamily) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    const file here = tcp(hosts.client, AF_INET6);
    EXPECT_EQ(here.connect("[2001:db8::1]:80"), "ENETUNREACH");
    here.close();
    co_return;
  });
}

// One more than the backlog says is let in; who comes then asks again after a second, and three.
TEST(TcpConnectionTest, AsksAgainWhenTheListenerHasNoRoom) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    const file listener = listening(hosts.web, "10.0.0.2:80", 1);
    std::vector<file> clients;
    for (int i = 0; i < 3; ++i) {
      clients.push_back(tcp(hosts.client));
      EXPECT_EQ(clients.back().connect("10.0.0.2:80"), "EINPROGRESS");
    }
    EXPECT_EQ(clients[1].ready(), "OUT");
    EXPECT_EQ(clients[2].ready(), "-");
    co_await sleep_for(2s);
    EXPECT_EQ(clients[2].ready(), "-");
    clients.push_back(listener.accept());
    co_await sleep_for(1s);
    co_await settle();
    EXPECT_EQ(clients[2].ready(), "OUT");
    for (const file& each : clients) each.close();
    listener.close();
  });
}

TEST(TcpConnectionTest, GivesUpWhenTheListenerNeverHasRoom) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    const file listener = listening(hosts.web, "10.0.0.2:80", 0);
    const file first = tcp(hosts.client);
    first.connect("10.0.0.2:80");
    const file second = tcp(hosts.client);
    second.connect("10.0.0.2:80");
    co_await sleep_for(131s);
    co_await settle();
    EXPECT_EQ(second.error(), "ETIMEDOUT");
    for (const file& each : {listener, first, second}) each.close();
  });
}

// The end of one that finished first is in TIME_WAIT for a minute.
TEST(TcpConnectionTest, KeepsThePortOfWhoFinishedFirst) {
  run_on_hosts([]() -> task<void> {
    connected_hosts hosts;
    const auto [listener, here, there] = hosts.connection;
    there.close();
    EXPECT_EQ(here.recv(), "end");
    here.close();
    listener.close();
    const file again = tcp(hosts.web);
    EXPECT_EQ(again.bind("10.0.0.2:80"), "EADDRINUSE");
    co_await sleep_for(1min - 1ns);
    EXPECT_EQ(again.bind("10.0.0.2:80"), "EADDRINUSE");
    co_await sleep_for(1ns);
    EXPECT_EQ(again.bind("10.0.0.2:80"), "0");
    again.close();
  });
}

TEST(TcpConnectionTest, LeavesThePortAtOnceWhenThePeerFinishedFirst) {
  run_on_hosts([]() -> task<void> {
    connected_hosts hosts;
    const auto [listener, here, there] = hosts.connection;
    here.close();
    EXPECT_EQ(there.recv(), "end");
    there.close();
    listener.close();
    const file again = tcp(hosts.web);
    EXPECT_EQ(again.bind("10.0.0.2:80"), "0");
    again.close();
    co_return;
  });
}

TEST(TcpConnectionTest, EndsWithoutASocketOfEitherSide) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    lockstep::world().link("client", "web").latency(5ms);
    const file listener = listening(hosts.web, "10.0.0.2:80");
    const file here = tcp(hosts.client);
    here.connect("10.0.0.2:80");
    co_await sleep_for(20ms);
    here.send("bye");
    here.close();
    const file there = listener.accept();
    co_await sleep_for(20ms);
    EXPECT_EQ(there.recv(), "bye");
    there.close();
    listener.close();
    co_await sleep_for(20ms);
    EXPECT_TRUE(lockstep::world().network().connections().empty());
  });
}

}  // namespace
}  // namespace lockstep::sim
