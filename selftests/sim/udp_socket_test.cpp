#include <lockstep/sim/udp_socket.hpp>

#include "udp_calls.hpp"

#include <netinet/in.h>
#include <sys/ioctl.h>

#include <linux/sockios.h>

namespace lockstep::sim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// What it says is what Linux 6.18 did.

// -- names ------------------------------------------------------------------------------------------------------------

TEST(UdpSocketTest, HasThePortThatItsBindsTo) {
  in_network([](network& net) -> task<void> {
    host& here = net.first_host();
    const int fd = open_udp(here, "127.0.0.1:5000");
    EXPECT_EQ(local_of(here, fd), "127.0.0.1:5000");
    EXPECT_EQ(bind_to(here, fd, "127.0.0.1:5001"), -EINVAL);
    EXPECT_EQ(bind_to(here, open_udp(here), "10.9.9.9:0"), -EADDRNOTAVAIL);
    EXPECT_EQ(bind_to(here, open_udp(here), "255.255.255.255:5002"), 0);
    EXPECT_EQ(bind_to(here, open_udp(here), "127.0.0.1:5000"), -EADDRINUSE);
    here.set_privileged(false);
    EXPECT_EQ(bind_to(here, open_udp(here), "127.0.0.1:53"), -EACCES);
    co_return;
  });
}

struct claims {
  const char* one;
  const char* other;
  const char* conflicts;  // for nothing, SO_REUSEADDR of both, of the first; SO_REUSEPORT of both; one each
};

TEST(UdpSocketTest, SharesPortsAsLinuxDoes) {
  constexpr claims rows[] = {
      {"0.0.0.0", "127.0.0.1", "X.X.X"},
      {"127.0.0.1", "127.0.0.1", "X.X.X"},
      {"127.0.0.1", "127.0.0.2", "....."},
      {"0.0.0.0", "::", "X.X.X"},
      {"0.0.0.0", "::1", "....."},
      {"::", "127.0.0.1", "X.X.X"},
      {"::ffff:127.0.0.1", "127.0.0.1", "X.X.X"},
  };
  constexpr int options[][2] = {{0, 0},
                                {SO_REUSEADDR, SO_REUSEADDR},
                                {SO_REUSEADDR, 0},
                                {SO_REUSEPORT, SO_REUSEPORT},
                                {SO_REUSEADDR, SO_REUSEPORT}};
  in_network([&](network& net) -> task<void> {
    host& here = net.first_host();
    for (const claims& row : rows) {
      std::string found;
      for (const auto& [of_one, of_other] : options) {
        const auto open = [&](const char* address, int option) {
          const int fd = open_udp(here, ip_address(address).is_v6() ? AF_INET6 : AF_INET);
          if (option != 0) set(here, fd, SOL_SOCKET, option, 1);
          return fd;
        };
        const int one = open(row.one, of_one);
        const int other = open(row.other, of_other);
        EXPECT_EQ(bind_to(here, one, endpoint(row.one, 5000)), 0);
        found += bind_to(here, other, endpoint(row.other, 5000)) == 0 ? '.' : 'X';
        here.close(one);
        here.close(other);
      }
      EXPECT_EQ(found, row.conflicts) << row.one << " and " << row.other;
    }
    co_return;
  });
}

TEST(UdpSocketTest, ConnectingChoosesTheAddressAndForgettingThePeerGivesItBack) {
  in_network([](network& net) -> task<void> {
    host& here = net.first_host();
    net.add_host("web", {"10.0.0.2"});
    const int fresh = open_udp(here);
    EXPECT_EQ(local_of(here, fresh), "0.0.0.0:0");
    EXPECT_EQ(connect_to(here, fresh, "10.0.0.2:80"), 0);
    EXPECT_EQ(local_of(here, fresh).address(), "10.0.0.1");
    EXPECT_NE(local_of(here, fresh).port(), 0);
    EXPECT_EQ(forget_peer(here, fresh), 0);
    EXPECT_EQ(local_of(here, fresh), "0.0.0.0:0");

    const int some_port = open_udp(here, "127.0.0.1:0");
    EXPECT_EQ(forget_peer(here, some_port), 0);
    EXPECT_EQ(local_of(here, some_port), "127.0.0.1:0");
    const int own_port = open_udp(here, "0.0.0.0:5000");
    EXPECT_EQ(connect_to(here, own_port, "0.0.0.0:80"), 0);
    EXPECT_EQ(local_of(here, own_port), "127.0.0.1:5000");
    EXPECT_EQ(connect_to(here, own_port, "10.0.0.2:80"), -EINVAL);  // from the loopback address
    EXPECT_EQ(forget_peer(here, own_port), 0);
    EXPECT_EQ(local_of(here, own_port), "0.0.0.0:5000");
    co_return;
  });
}

TEST(UdpSocketTest, OfIpV6SpeaksBoth) {
  in_network([](network& net) -> task<void> {
    host& here = net.first_host();
    const int both = open_udp(here, endpoint(ip_address::any_v6(), 5000));
    const int other = open_udp(here, "127.0.0.1:5001");
    EXPECT_EQ(send_to(here, other, "x", "127.0.0.1:5000"), 1);
    EXPECT_EQ(receive(here, both).from, "[::ffff:127.0.0.1]:5001");
    EXPECT_EQ(send_to(here, both, "y", "127.0.0.1:5001"), 1);
    EXPECT_EQ(receive(here, other).from, "127.0.0.1:5000");
    const int six = open_udp(here, AF_INET6);
    EXPECT_EQ(set(here, six, IPPROTO_IPV6, IPV6_V6ONLY, 1), 0);
    EXPECT_EQ(send_to(here, six, "z", "[::ffff:127.0.0.1]:5001"), -ENETUNREACH);
    EXPECT_EQ(connect_to(here, six, "127.0.0.1:5001"), -EAFNOSUPPORT);
    EXPECT_EQ(send_to(here, open_udp(here, AF_INET6), "z", "[2001:db8::1]:9"), -ENETUNREACH);
    co_return;
  });
}

// -- datagrams --------------------------------------------------------------------------------------------------------

TEST(UdpSocketTest, CutsOffWhatHasNoRoomAndSaysSo) {
  in_network([](network& net) -> task<void> {
    host& here = net.first_host();
    const int to = open_udp(here, "127.0.0.1:5000");
    const int from = open_udp(here, "127.0.0.1:5001");
    for (const char* each : {"0123456789", "", "0123456789", "again"}) send_to(here, from, each, "127.0.0.1:5000");
    int size = -1;
    EXPECT_EQ(here.ioctl(to, FIONREAD, &size), 0);
    EXPECT_EQ(size, 10);
    EXPECT_EQ(receive(here, to, 4, MSG_PEEK).text, "0123");
    const received cut = receive(here, to, 4);
    EXPECT_EQ(cut.text, "0123");
    EXPECT_EQ(cut.flags, MSG_TRUNC);
    EXPECT_EQ(cut.from, "127.0.0.1:5001");
    EXPECT_EQ(polled(here, to), POLLIN | POLLOUT);
    EXPECT_EQ(receive(here, to).result, 0);
    EXPECT_EQ(receive(here, to, 4, MSG_TRUNC).result, 10);
    EXPECT_EQ(receive(here, to, 0).flags, MSG_TRUNC);
    EXPECT_EQ(receive(here, to).result, -EAGAIN);
    EXPECT_EQ(here.ioctl(from, SIOCOUTQ, &size), 0);
    EXPECT_EQ(size, 0);
    co_return;
  });
}

TEST(UdpSocketTest, SendsNothingTooLongOrToNobody) {
  in_network([](network& net) -> task<void> {
    host& here = net.first_host();
    const int to = open_udp(here, "127.0.0.1:5000");
    const int from = open_udp(here);
    EXPECT_EQ(send(here, from, "x"), -EDESTADDRREQ);
    EXPECT_NE(local_of(here, from).port(), 0);
    EXPECT_EQ(send_to(here, from, "x", "127.0.0.1:0"), -EINVAL);
    EXPECT_EQ(send_to(here, from, std::string(65'508, 'x'), "127.0.0.1:5000"), -EMSGSIZE);
    EXPECT_EQ(send_to(here, from, std::string(65'507, 'x'), "127.0.0.1:5000"), 65'507);
    EXPECT_EQ(receive(here, to).result, 65'507);
    EXPECT_EQ(here.send(from, "x", 1, MSG_OOB), -EOPNOTSUPP);
    EXPECT_EQ(here.listen(from, 1), -EOPNOTSUPP);
    co_return;
  });
}

TEST(UdpSocketTest, DropsTheNewestWhenItIsFull) {
  in_network([](network& net) -> task<void> {
    host& here = net.first_host();
    const int to = open_udp(here, "127.0.0.1:5000");
    const int from = open_udp(here);
    const auto held = [&](std::size_t size) {
      for (int i = 0; i < 300; ++i) {
        EXPECT_EQ(send_to(here, from, std::to_string(i) + std::string(size, ' '), "127.0.0.1:5000"),
                  static_cast<std::int64_t>(size + std::to_string(i).size()));
      }
      const std::vector<std::string> all = receive_all(here, to);
      EXPECT_EQ(std::stoi(all.back()), static_cast<int>(all.size()) - 1);
      return all.size();
    };
    EXPECT_EQ(held(1), 256u);
    EXPECT_EQ(held(497), 166u);
    EXPECT_EQ(held(1'400), 92u);
    EXPECT_EQ(held(3'000), 48u);
    EXPECT_EQ(held(20'000), 10u);
    set(here, to, SOL_SOCKET, SO_RCVBUF, 1);
    EXPECT_EQ(held(1), 2u);
    EXPECT_EQ(held(9'000), 1u);
    co_return;
  });
}

TEST(UdpSocketTest, TakesOnlyWhatItsPeerSendsAndWhatHadCome) {
  in_network([](network& net) -> task<void> {
    host& here = net.first_host();
    const int to = open_udp(here, "127.0.0.1:5000");
    const int one = open_udp(here, "127.0.0.1:5001");
    const int other = open_udp(here, "127.0.0.1:5002");
    send_to(here, other, "before", "127.0.0.1:5000");
    EXPECT_EQ(connect_to(here, to, "127.0.0.1:5001"), 0);
    send_to(here, other, "after", "127.0.0.1:5000");
    send_to(here, one, "mine", "127.0.0.1:5000");
    EXPECT_THAT(receive_all(here, to), ElementsAre("before", "mine"));
    co_return;
  });
}

TEST(UdpSocketTest, GivesADatagramToTheClosestAndThenTheLast) {
  in_network([](network& net) -> task<void> {
    host& here = net.first_host();
    const int from = open_udp(here, "127.0.0.1:5001");
    const auto open = [&](const char* at, int option) {
      const int fd = open_udp(here);
      set(here, fd, SOL_SOCKET, option, 1);
      EXPECT_EQ(bind_to(here, fd, at), 0);
      return fd;
    };
    const int first = open("127.0.0.1:5000", SO_REUSEADDR);
    const int last = open("127.0.0.1:5000", SO_REUSEADDR);
    open("0.0.0.0:5000", SO_REUSEADDR);
    send_to(here, from, "a", "127.0.0.1:5000");
    EXPECT_THAT(receive_all(here, last), ElementsAre("a"));
    connect_to(here, first, "127.0.0.1:5001");
    send_to(here, from, "b", "127.0.0.1:5000");
    EXPECT_THAT(receive_all(here, first), ElementsAre("b"));

    const int one = open("127.0.0.1:6000", SO_REUSEPORT);
    const int two = open("127.0.0.1:6000", SO_REUSEPORT);
    std::size_t came_to_one = 0;
    for (int i = 0; i < 64; ++i) {
      const int sender = open_udp(here);
      send_to(here, sender, "c", "127.0.0.1:6000");
      send_to(here, sender, "d", "127.0.0.1:6000");
      const std::size_t came = receive_all(here, one).size();
      EXPECT_EQ(came + receive_all(here, two).size(), 2u);
      EXPECT_NE(came, 1u);  // a peer stays with whom it came to
      came_to_one += came / 2;
    }
    EXPECT_GT(came_to_one, 8u);
    EXPECT_LT(came_to_one, 56u);
    co_return;
  });
}

// -- errors -----------------------------------------------------------------------------------------------------------

TEST(UdpSocketTest, TellsAConnectedSocketOnceThatThePortIsClosed) {
  in_network([](network& net) -> task<void> {
    host& here = net.first_host();
    const int fd = open_udp(here);
    connect_to(here, fd, "127.0.0.1:5000");
    EXPECT_EQ(send(here, fd, "1"), 1);
    EXPECT_EQ(polled(here, fd), POLLOUT | POLLERR);
    EXPECT_EQ(send(here, fd, "2"), -ECONNREFUSED);
    EXPECT_EQ(send(here, fd, "3"), 1);
    EXPECT_EQ(receive(here, fd).result, -ECONNREFUSED);
    EXPECT_EQ(receive(here, fd).result, -EAGAIN);
    send(here, fd, "4");
    EXPECT_EQ(get(here, fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    EXPECT_EQ(get(here, fd, SOL_SOCKET, SO_ERROR), 0);
    co_return;
  });
}

TEST(UdpSocketTest, TellsAnErrorBeforeWhatHasCome) {
  in_network([](network& net) -> task<void> {
    host& here = net.first_host();
    const int fd = open_udp(here, "127.0.0.1:5000");
    const int peer = open_udp(here, "127.0.0.1:5001");
    connect_to(here, fd, "127.0.0.1:5001");
    send_to(here, peer, "data", "127.0.0.1:5000");
    here.close(peer);
    send(here, fd, "x");
    EXPECT_EQ(receive(here, fd).result, -ECONNREFUSED);
    EXPECT_EQ(receive(here, fd).text, "data");
    co_return;
  });
}

TEST(UdpSocketTest, TellsAnUnconnectedSocketOnlyIfItAsks) {
  in_network([](network& net) -> task<void> {
    host& here = net.first_host();
    const int fd = open_udp(here);
    EXPECT_EQ(send_to(here, fd, "x", "127.0.0.1:5000"), 1);
    EXPECT_EQ(receive(here, fd).result, -EAGAIN);
    set(here, fd, IPPROTO_IP, IP_RECVERR, 1);
    EXPECT_EQ(send_to(here, fd, "x", "127.0.0.1:5000"), 1);
    EXPECT_EQ(receive(here, fd).result, -ECONNREFUSED);
    EXPECT_EQ(send_to(here, fd, "x", "10.0.0.9:5000"), 1);
    co_await sleep_for(3s);
    EXPECT_EQ(receive(here, fd).result, -EAGAIN);
    co_await sleep_for(100ms);
    EXPECT_EQ(receive(here, fd).result, -EHOSTUNREACH);
  });
}

TEST(UdpSocketTest, ShutsDownOneWayOrBoth) {
  in_network([](network& net) -> task<void> {
    host& here = net.first_host();
    const int fd = open_udp(here, "127.0.0.1:5000");
    const int peer = open_udp(here, "127.0.0.1:5001");
    EXPECT_EQ(here.shutdown(open_udp(here), SHUT_RD), -ENOTCONN);
    EXPECT_EQ(here.shutdown(fd, 7), -EINVAL);
    connect_to(here, fd, "127.0.0.1:5001");
    EXPECT_EQ(here.shutdown(fd, SHUT_RD), 0);
    EXPECT_EQ(polled(here, fd), POLLIN | POLLOUT | POLLRDHUP);
    send_to(here, peer, "late", "127.0.0.1:5000");
    EXPECT_EQ(receive(here, fd).text, "late");
    EXPECT_EQ(here.shutdown(fd, SHUT_WR), 0);
    EXPECT_EQ(send(here, fd, "x"), -EPIPE);
    EXPECT_EQ(polled(here, fd), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
    co_return;
  });
}

// -- broadcast --------------------------------------------------------------------------------------------------------

TEST(UdpSocketTest, BroadcastsToEveryHostIfAllowed) {
  in_network([](network& net) -> task<void> {
    host& here = net.first_host();
    host& web = net.add_host("web");
    const int here_in = open_udp(here, "0.0.0.0:5000");
    const int web_in = open_udp(web, "0.0.0.0:5000");
    const int bound_to_one = open_udp(net.add_host("db", {"10.0.0.7"}), "10.0.0.7:5000");
    const int from = open_udp(here, "0.0.0.0:6000");
    EXPECT_EQ(send_to(here, from, "x", "255.255.255.255:5000"), -EACCES);
    EXPECT_EQ(connect_to(here, from, "10.255.255.255:5000"), -EACCES);
    set(here, from, SOL_SOCKET, SO_BROADCAST, 1);
    EXPECT_EQ(send_to(here, from, "x", "255.255.255.255:5000"), 1);
    EXPECT_EQ(send_to(here, from, "y", "10.255.255.255:5000"), 1);
    EXPECT_EQ(receive(web, web_in).from, "10.0.0.1:6000");
    EXPECT_THAT(receive_all(web, web_in), ElementsAre("y"));
    EXPECT_THAT(receive_all(here, here_in), ElementsAre("x", "y"));
    EXPECT_THAT(receive_all(net.at("db"), bound_to_one), IsEmpty());
    co_return;
  });
}

// -- the size of a packet ---------------------------------------------------------------------------------------------

TEST(UdpSocketTest, RefusesToFragmentIfAskedTo) {
  in_network([](network& net) -> task<void> {
    host& here = net.first_host();
    net.add_host("web", {"10.0.0.2"});
    const int fd = open_udp(here);
    EXPECT_EQ(get(here, fd, IPPROTO_IP, IP_MTU), -ENOTCONN);
    connect_to(here, fd, "10.0.0.2:80");
    EXPECT_EQ(get(here, fd, IPPROTO_IP, IP_MTU), 1500);
    for (const auto& [discovery, over] : std::map<int, int>{{IP_PMTUDISC_DONT, 1473},
                                                            {IP_PMTUDISC_WANT, 1473},
                                                            {IP_PMTUDISC_DO, -EMSGSIZE},
                                                            {IP_PMTUDISC_PROBE, -EMSGSIZE},
                                                            {IP_PMTUDISC_INTERFACE, -EMSGSIZE},
                                                            {IP_PMTUDISC_OMIT, 1473}}) {
      const int each = open_udp(here);
      EXPECT_EQ(set(here, each, IPPROTO_IP, IP_MTU_DISCOVER, discovery), 0);
      EXPECT_EQ(send_to(here, each, std::string(1472, 'x'), "10.0.0.2:80"), 1472);
      EXPECT_EQ(send_to(here, each, std::string(1473, 'x'), "10.0.0.2:80"), over) << discovery;
    }
    co_return;
  });
}

}  // namespace
}  // namespace lockstep::sim
