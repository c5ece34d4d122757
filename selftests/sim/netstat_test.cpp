#include <lockstep/sim/netstat.hpp>

#include "two_hosts.hpp"
#include "udp_calls.hpp"

#include <lockstep/net/tcp.hpp>

#include <sys/un.h>

#include <chrono>
#include <sstream>
#include <string>
#include <string_view>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;

void connect_unix(const file& from, const file& listener, const char* path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::string_view(path).copy(name.sun_path, sizeof name.sun_path - 1);
  const auto* const address = reinterpret_cast<const sockaddr*>(&name);
  EXPECT_EQ(listener.on->bind(listener.fd, address, sizeof name), 0);
  EXPECT_EQ(listener.on->listen(listener.fd, 5), 0);
  EXPECT_EQ(from.on->connect(from.fd, address, sizeof name), 0);
}

TEST(NetstatTest, ShowsTheSocketsOfAllHosts) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    EXPECT_EQ(lockstep::world().netstat().text(), "host  fd  proto  state  recv-q  send-q  local  peer  opened at\n");
    const file listener = listening(hosts.web, "10.0.0.2:80");
    const file one = tcp(hosts.client);
    one.connect("10.0.0.2:80");
    const file two = tcp(hosts.client);
    two.connect("10.0.0.2:80");
    const file accepted = listener.accept();
    one.send("visit");
    const file fresh = tcp(hosts.client, AF_INET6);
    const int named = open_udp(hosts.web, "10.0.0.2:5000");
    const int asking = open_udp(hosts.client);
    connect_to(hosts.client, asking, "10.0.0.2:5000");
    send(hosts.client, asking, "question");
    const file unix_listener{&hosts.web, hosts.web.socket(AF_UNIX, SOCK_STREAM, 0)};
    const file unix_one{&hosts.web, hosts.web.socket(AF_UNIX, SOCK_STREAM, 0)};
    connect_unix(unix_one, unix_listener, "/web");
    unix_one.send("local");
    EXPECT_EQ("\n" + lockstep::world().netstat().text(), R"(
host    fd  proto  state   recv-q  send-q  local           peer            opened at
client   3  tcp    ESTAB        0       0  10.0.0.1:32768  10.0.0.2:80     -
client   4  tcp    ESTAB        0       0  10.0.0.1:32769  10.0.0.2:80     -
client   5  tcp    UNCONN       0       0  *               *               -
client   6  udp    ESTAB        0       0  10.0.0.1:32768  10.0.0.2:5000   -
web      3  tcp    LISTEN       1      16  10.0.0.2:80     *               -
web      4  tcp    ESTAB        5       0  10.0.0.2:80     10.0.0.1:32768  -
web      5  udp    UNCONN       8       0  10.0.0.2:5000   *               -
web      6  u_str  LISTEN       1       5  /web            *               -
web      7  u_str  ESTAB        0       5  *               /web            -
web      -  tcp    ESTAB        0       0  10.0.0.2:80     10.0.0.1:32769  -
)");
    for (const file& each : {listener, one, two, accepted, fresh, unix_listener, unix_one}) each.close();
    hosts.web.close(named);
    hosts.client.close(asking);
    co_return;
  });
}

TEST(NetstatTest, ShowsHowAConnectionEnds) {
  run_on_hosts([]() -> task<void> {
    two_hosts hosts;
    lockstep::world().link("client", "web").latency(10ms);
    const file listener = listening(hosts.web, "10.0.0.2:80");
    const file one = tcp(hosts.client);
    one.connect("10.0.0.2:80");
    const auto states = [] {
      std::string text;
      for (const socket_status& each : lockstep::world().netstat().sockets()) {
        if (each.state != "LISTEN") text += (text.empty() ? "" : " ") + each.host + ' ' + each.state;
      }
      return text;
    };
    EXPECT_EQ(states(), "client SYN-SENT");
    co_await sleep_for(15ms);
    EXPECT_EQ(states(), "client SYN-SENT web SYN-RECV");
    co_await sleep_for(1s);
    const file other = listener.accept();
    EXPECT_EQ(lockstep::world().netstat().count("tcp", "ESTAB"), 2u);
    one.close();
    EXPECT_EQ(states(), "client FIN-WAIT-1 web ESTAB");
    co_await sleep_for(1s);
    EXPECT_EQ(states(), "client FIN-WAIT-2 web CLOSE-WAIT");
    other.close();
    EXPECT_EQ(states(), "client FIN-WAIT-2 web LAST-ACK");
    co_await sleep_for(1s);
    EXPECT_EQ(states(), "client TIME-WAIT");
    co_await sleep_for(60s);
    EXPECT_EQ(states(), "");
    listener.close();
    EXPECT_EQ(lockstep::world().netstat().count("tcp"), 0u);
  });
}

TEST(NetstatTest, NamesTheLineThatOpenedASocket) {
  run_on_hosts([]() -> task<void> {
    const tcp_listener made = tcp_listener::bind("0.0.0.0:80");
    const netstat seen = lockstep::world().netstat();
    EXPECT_EQ(file_of(seen.sockets().at(0).opened_at), "netstat_test.cpp");
    std::ostringstream out;
    out << seen;
    EXPECT_EQ(out.str(), seen.text());
    co_return;
  });
}

}  // namespace
}  // namespace lockstep::sim
