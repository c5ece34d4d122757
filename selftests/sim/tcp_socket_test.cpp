#include <lockstep/sim/tcp_socket.hpp>

#include "two_hosts.hpp"

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <sys/ioctl.h>

namespace lockstep::sim {
namespace {

// What all rows of the conformance tests have in common with Linux is not repeated here.

TEST(TcpSocketTest, TellsReportsWhoIsAtItsEnds) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    const file listener = listening(hosts.web, "10.0.0.2:80");
    const file here = tcp(hosts.client);
    EXPECT_EQ(hosts.client.descriptors().find(here.fd)->described(), "tcp socket");
    here.connect("10.0.0.2:80");
    EXPECT_EQ(hosts.client.descriptors().find(here.fd)->described(), "tcp socket 10.0.0.1:32768 -> 10.0.0.2:80");
    EXPECT_EQ(hosts.web.descriptors().find(listener.fd)->described(), "listening tcp socket 10.0.0.2:80");
    here.close();
    listener.close();
    co_return;
  });
}

TEST(TcpSocketTest, KeepsTheOptionsOfItsListener) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    const file listener = listening(hosts.web, "10.0.0.2:80");
    listener.set(SOL_SOCKET, SO_KEEPALIVE, 1);
    const file here = tcp(hosts.client);
    here.connect("10.0.0.2:80");
    const file there = listener.accept();
    int is = 0;
    socklen_t size = sizeof is;
    EXPECT_EQ(hosts.web.getsockopt(there.fd, SOL_SOCKET, SO_KEEPALIVE, &is, &size), 0);
    EXPECT_EQ(is, 1);
    for (const file& each : {listener, here, there}) each.close();
    co_return;
  });
}

// Linux says so when two thirds are free, and not before.
TEST(TcpSocketTest, IsWritableAgainWhenAThirdIsFree) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    const file listener = listening(hosts.web, "10.0.0.2:80");
    const file here = tcp(hosts.client);
    here.set(SOL_SOCKET, SO_SNDBUF, 30'000);
    listener.set(SOL_SOCKET, SO_RCVBUF, 10'000);
    here.connect("10.0.0.2:80");
    const file there = listener.accept();
    while (here.send(std::string(10'000, 'x')) != "EAGAIN") {
    }
    EXPECT_EQ(there.recv(19'999).size(), 19'999);
    EXPECT_EQ(here.ready(), "-");
    EXPECT_EQ(here.send("x"), "EAGAIN");
    EXPECT_EQ(there.recv(1).size(), 1);
    EXPECT_EQ(here.ready(), "OUT");
    for (const file& each : {listener, here, there}) each.close();
    co_return;
  });
}

// A reader that waits takes it from where it is; what nobody waits for is copied.
TEST(TcpSocketTest, LeavesTheWriterItsBufferWhenTheCallReturns) {
  run_on_hosts([]() -> task<void> {
    connected_hosts hosts;
    const auto [listener, here, there] = hosts.connection;
    std::string buffer = "hello";
    EXPECT_EQ(here.send(buffer), "5");
    buffer = "HELLO";
    EXPECT_EQ(there.recv(), "hello");
    struct reader final : readiness_watch {
      explicit reader(const file& of) noexcept : from(of) {}
      void may_be_ready() noexcept override { got = from.recv(2); }
      void was_closed() noexcept override {}
      file from;
      std::string got;
    } waits(there);
    hosts.web.watch(there.fd, POLLIN, waits);
    EXPECT_EQ(here.send(buffer), "5");
    buffer = ".....";
    EXPECT_EQ(waits.got, "HE");
    hosts.web.unwatch(waits);
    EXPECT_EQ(there.recv(), "LLO");
    for (const file& each : {listener, here, there}) each.close();
    co_return;
  });
}

TEST(TcpSocketTest, CountsWhatCanBeRead) {
  run_on_hosts([]() -> task<void> {
    connected_hosts hosts;
    const auto [listener, here, there] = hosts.connection;
    here.send("hello");
    int count = 0;
    EXPECT_EQ(hosts.web.ioctl(there.fd, FIONREAD, &count), 0);
    EXPECT_EQ(count, 5);
    for (const file& each : {listener, here, there}) each.close();
    co_return;
  });
}

}  // namespace
}  // namespace lockstep::sim
