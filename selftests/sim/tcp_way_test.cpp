#include <lockstep/sim/tcp_way.hpp>

#include "two_hosts.hpp"

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;

// A connection from "client" to "web", whose ends are there.
struct connected : two_hosts {
  file listener = listening(web, "10.0.0.2:80");
  file here = tcp(client);
  file there{};

  task<void> connect() {
    here.connect("10.0.0.2:80");
    co_await sleep_for(1s);
    there = listener.accept();
  }
  ~connected() {
    for (const file& each : {listener, here, there}) each.close();
  }
};

TEST(TcpWayTest, TakesWhatTheLaneTakes) {
  run_on_hosts([]() -> task<void> {
    connected hosts;
    lockstep::world().link("client", "web").latency(5ms);
    co_await hosts.connect();
    EXPECT_EQ(hosts.here.send("hello"), "5");
    co_await sleep_for(5ms - 1ns);
    EXPECT_EQ(hosts.there.recv(), "EAGAIN");
    co_await sleep_for(1ns);
    co_await settle();
    EXPECT_EQ(hosts.there.recv(), "hello");
  });
}

TEST(TcpWayTest, IsThereAtOnceWithoutLatency) {
  run_on_hosts([]() -> task<void> {
    connected hosts;
    co_await hosts.connect();
    EXPECT_EQ(hosts.here.send("hello"), "5");
    EXPECT_EQ(hosts.there.recv(2), "he");
    EXPECT_EQ(hosts.there.recv(), "llo");
    EXPECT_EQ(hosts.there.recv(), "EAGAIN");
  });
}

TEST(TcpWayTest, SendsNoMoreThanTheReceiverHasRoomFor) {
  run_on_hosts([]() -> task<void> {
    connected hosts;
    co_await hosts.connect();
    hosts.there.set(SOL_SOCKET, SO_RCVBUF, 4096);
    hosts.here.set(SOL_SOCKET, SO_SNDBUF, 4096);
    const std::string much(65536, 'x');
    EXPECT_EQ(hosts.here.send(much), "8192");
    EXPECT_EQ(hosts.here.send(much), "8192");  // what has arrived is off the sender's hands
    EXPECT_EQ(hosts.here.send(much), "EAGAIN");
    EXPECT_EQ(hosts.here.ready(), "-");
    EXPECT_EQ(hosts.there.recv(65536).size(), 8192);
    EXPECT_EQ(hosts.here.ready(), "OUT");
    EXPECT_EQ(hosts.there.recv(65536).size(), 8192);
    EXPECT_EQ(hosts.there.recv(), "EAGAIN");
  });
}

// One MTU after the other.
TEST(TcpWayTest, TakesAsLongAsTheBandwidthSays) {
  run_on_hosts([]() -> task<void> {
    connected hosts;
    lockstep::world().link("client", "web").bandwidth(1'500'000);
    co_await hosts.connect();
    EXPECT_EQ(hosts.here.send(std::string(4500, 'x')), "4500");
    co_await sleep_for(1ms);
    co_await settle();
    EXPECT_EQ(hosts.there.recv(9000).size(), 1500);
    co_await sleep_for(2ms);
    co_await settle();
    EXPECT_EQ(hosts.there.recv(9000).size(), 3000);
  });
}

TEST(TcpWayTest, FreezesWhatIsUnderWayAndSendsItAgainWhenHealed) {
  run_on_hosts([]() -> task<void> {
    connected hosts;
    lockstep::world().link("client", "web").latency(10ms);
    co_await hosts.connect();
    hosts.here.send("before");
    co_await sleep_for(5ms);
    {
      const partition cut("client", "web");
      hosts.here.send(" and after");
      co_await sleep_for(1h);
      EXPECT_EQ(hosts.there.recv(), "EAGAIN");
      EXPECT_EQ(hosts.here.error(), "ETIMEDOUT");
    }
  });
}

TEST(TcpWayTest, ArrivesLaterIfThePartitionIsShort) {
  run_on_hosts([]() -> task<void> {
    connected hosts;
    lockstep::world().link("client", "web").latency(10ms);
    co_await hosts.connect();
    hosts.here.send("before");
    co_await sleep_for(5ms);
    {
      const partition cut("client", "web");
      hosts.here.send(" and after");
      co_await sleep_for(1min);
      EXPECT_EQ(hosts.there.recv(), "EAGAIN");
    }
    co_await sleep_for(9ms);
    EXPECT_EQ(hosts.there.recv(), "EAGAIN");
    co_await sleep_for(1ms);
    co_await settle();
    EXPECT_EQ(hosts.there.recv(), "before and after");
  });
}

// What is sent arrives, and is not answered.
TEST(TcpWayTest, KeepsWhatIsNotAcknowledgedAsTheWayBackIsCut) {
  run_on_hosts([]() -> task<void> {
    connected hosts;
    co_await hosts.connect();
    hosts.here.set(SOL_SOCKET, SO_SNDBUF, 4096);
    {
      const partition cut = partition::one_way("web", "client");
      EXPECT_EQ(hosts.here.send(std::string(8192, 'x')), "8192");
      EXPECT_EQ(hosts.there.recv(9000).size(), 8192);
      EXPECT_EQ(hosts.here.send("x"), "EAGAIN");
      hosts.there.send("back");
      EXPECT_EQ(hosts.here.recv(), "EAGAIN");
    }
    EXPECT_EQ(hosts.here.recv(), "back");
    EXPECT_EQ(hosts.here.send("x"), "1");
  });
}

TEST(TcpWayTest, GivesUpWhenWhatArrivedIsNotAcknowledged) {
  run_on_hosts([]() -> task<void> {
    connected hosts;
    co_await hosts.connect();
    const partition cut = partition::one_way("web", "client");
    hosts.here.send("heard");
    EXPECT_EQ(hosts.there.recv(), "heard");
    co_await sleep_for(924'599ms);
    EXPECT_EQ(hosts.here.ready(), "OUT");
    co_await sleep_for(2ms);
    EXPECT_EQ(hosts.here.recv(), "ETIMEDOUT");
  });
}

TEST(TcpWayTest, GivesUpAfterTheRetransmissionsOfLinux) {
  run_on_hosts([]() -> task<void> {
    connected hosts;
    co_await hosts.connect();
    const partition cut("client", "web");
    hosts.here.send("lost");
    co_await sleep_for(924'599ms);
    EXPECT_EQ(hosts.here.ready(), "OUT");
    co_await sleep_for(2ms);
    EXPECT_EQ(hosts.here.ready(), "IN|OUT|ERR|HUP|RDHUP");
    EXPECT_EQ(hosts.here.recv(), "ETIMEDOUT");
    EXPECT_EQ(hosts.here.recv(), "end");
    EXPECT_EQ(hosts.here.send("x"), "EPIPE");
  });
}

TEST(TcpWayTest, GivesUpAfterTheUserTimeout) {
  run_on_hosts([]() -> task<void> {
    connected hosts;
    co_await hosts.connect();
    hosts.here.set(IPPROTO_TCP, TCP_USER_TIMEOUT, 3000);
    const partition cut("client", "web");
    hosts.here.send("lost");
    co_await sleep_for(2999ms);
    EXPECT_EQ(hosts.here.error(), "0");
    co_await sleep_for(2ms);
    EXPECT_EQ(hosts.here.error(), "ETIMEDOUT");
  });
}

// Nothing is sent, so nobody learns of the partition.
TEST(TcpWayTest, DoesNotGiveUpWhatIsIdle) {
  run_on_hosts([]() -> task<void> {
    connected hosts;
    co_await hosts.connect();
    {
      const auto cut = partition("client", "web").may_not_fire();
      co_await sleep_for(24h);
      EXPECT_EQ(hosts.here.ready(), "OUT");
    }
    hosts.here.send("hello");
    EXPECT_EQ(hosts.there.recv(), "hello");
  });
}

// The answer to bytes of an end that has given up is a reset.
TEST(TcpWayTest, ResetsThePeerThatDoesNotKnowYet) {
  run_on_hosts([]() -> task<void> {
    connected hosts;
    co_await hosts.connect();
    hosts.here.set(IPPROTO_TCP, TCP_USER_TIMEOUT, 1000);
    {
      const partition cut("client", "web");
      hosts.here.send("lost");
      co_await sleep_for(2s);
      EXPECT_EQ(hosts.here.recv(), "ETIMEDOUT");
    }
    EXPECT_EQ(hosts.there.recv(), "EAGAIN");
    EXPECT_EQ(hosts.there.send("anybody?"), "8");
    EXPECT_EQ(hosts.there.recv(), "ECONNRESET");
  });
}

}  // namespace
}  // namespace lockstep::sim
