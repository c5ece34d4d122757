// Options of sockets: what getsockopt() says after setsockopt(), and what neither takes. Row D15 of the reference.
// Source: socket(7), tcp(7), ip(7), ipv6(7).
#include "rows.hpp"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/time.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace lockstep::sockets {
namespace {

// Not by way of LOCKSTEP_OPTION, which would see the number in place of the name.
#define OF_SOCKET(name) \
  option { SOL_SOCKET, name, #name }
#define OF_TCP(name) \
  option { IPPROTO_TCP, name, #name }

// The value as it is at first, and after each.
void round_trips(descriptor of, const option& which, std::initializer_list<int> values) {
  of.get(which);
  for (const int each : values) {
    if (of.set(which, each) == 0) of.get(which);
  }
}

std::int64_t set_bytes(machine& m, const descriptor& of, const option& which, socklen_t size) {
  const char bytes[64] = {1};
  return m.says(std::string(which.text) + " of " + std::to_string(size) + " bytes",
                m.calls().setsockopt(of.number(), which.level, which.name, bytes, size));
}

}  // namespace

std::vector<row> option_rows() {
  return {
      {"S1", "options that are on or off",
       [](machine& m) {
         descriptor of = m.tcp("tcp");
         round_trips(of, OF_SOCKET(SO_REUSEADDR), {1, 7, 0});
         round_trips(of, OF_SOCKET(SO_REUSEPORT), {1, 0});
         round_trips(of, OF_SOCKET(SO_KEEPALIVE), {1, -1, 0});
         round_trips(of, OF_SOCKET(SO_BROADCAST), {1, 0});
         round_trips(of, OF_SOCKET(SO_OOBINLINE), {1, 0});
         round_trips(of, OF_SOCKET(SO_DONTROUTE), {1, 0});
         round_trips(of, OF_TCP(TCP_NODELAY), {1, 9, 0});
         round_trips(of, OF_TCP(TCP_CORK), {1, 0});
       },
       R"(
tcp get SO_REUSEADDR -> 0
tcp set SO_REUSEADDR 1 -> 0
tcp get SO_REUSEADDR -> 1
tcp set SO_REUSEADDR 7 -> 0
tcp get SO_REUSEADDR -> 1
tcp set SO_REUSEADDR 0 -> 0
tcp get SO_REUSEADDR -> 0
tcp get SO_REUSEPORT -> 0
tcp set SO_REUSEPORT 1 -> 0
tcp get SO_REUSEPORT -> 1
tcp set SO_REUSEPORT 0 -> 0
tcp get SO_REUSEPORT -> 0
tcp get SO_KEEPALIVE -> 0
tcp set SO_KEEPALIVE 1 -> 0
tcp get SO_KEEPALIVE -> 1
tcp set SO_KEEPALIVE -1 -> 0
tcp get SO_KEEPALIVE -> 1
tcp set SO_KEEPALIVE 0 -> 0
tcp get SO_KEEPALIVE -> 0
tcp get SO_BROADCAST -> 0
tcp set SO_BROADCAST 1 -> 0
tcp get SO_BROADCAST -> 1
tcp set SO_BROADCAST 0 -> 0
tcp get SO_BROADCAST -> 0
tcp get SO_OOBINLINE -> 0
tcp set SO_OOBINLINE 1 -> 0
tcp get SO_OOBINLINE -> 1
tcp set SO_OOBINLINE 0 -> 0
tcp get SO_OOBINLINE -> 0
tcp get SO_DONTROUTE -> 0
tcp set SO_DONTROUTE 1 -> 0
tcp get SO_DONTROUTE -> 1
tcp set SO_DONTROUTE 0 -> 0
tcp get SO_DONTROUTE -> 0
tcp get TCP_NODELAY -> 0
tcp set TCP_NODELAY 1 -> 0
tcp get TCP_NODELAY -> 1
tcp set TCP_NODELAY 9 -> 0
tcp get TCP_NODELAY -> 1
tcp set TCP_NODELAY 0 -> 0
tcp get TCP_NODELAY -> 0
tcp get TCP_CORK -> 0
tcp set TCP_CORK 1 -> 0
tcp get TCP_CORK -> 1
tcp set TCP_CORK 0 -> 0
tcp get TCP_CORK -> 0
)"},
      {"S1", "sizes of buffers are doubled",
       [](machine& m) {
         for (descriptor of : {m.udp("udp"), m.tcp("tcp"), m.socket(AF_UNIX, SOCK_STREAM, "unix")}) {
           for (const int each : {4096, 10'000, 1, 0}) {
             if (of.set(OF_SOCKET(SO_SNDBUF), each) == 0) of.get(OF_SOCKET(SO_SNDBUF));
             if (of.set(OF_SOCKET(SO_RCVBUF), each) == 0) of.get(OF_SOCKET(SO_RCVBUF));
           }
         }
       },
       R"(
udp set SO_SNDBUF 4096 -> 0
udp get SO_SNDBUF -> 8192
udp set SO_RCVBUF 4096 -> 0
udp get SO_RCVBUF -> 8192
udp set SO_SNDBUF 10000 -> 0
udp get SO_SNDBUF -> 20000
udp set SO_RCVBUF 10000 -> 0
udp get SO_RCVBUF -> 20000
udp set SO_SNDBUF 1 -> 0
udp get SO_SNDBUF -> 4608
udp set SO_RCVBUF 1 -> 0
udp get SO_RCVBUF -> 2304
udp set SO_SNDBUF 0 -> 0
udp get SO_SNDBUF -> 4608
udp set SO_RCVBUF 0 -> 0
udp get SO_RCVBUF -> 2304
tcp set SO_SNDBUF 4096 -> 0
tcp get SO_SNDBUF -> 8192
tcp set SO_RCVBUF 4096 -> 0
tcp get SO_RCVBUF -> 8192
tcp set SO_SNDBUF 10000 -> 0
tcp get SO_SNDBUF -> 20000
tcp set SO_RCVBUF 10000 -> 0
tcp get SO_RCVBUF -> 20000
tcp set SO_SNDBUF 1 -> 0
tcp get SO_SNDBUF -> 4608
tcp set SO_RCVBUF 1 -> 0
tcp get SO_RCVBUF -> 2304
tcp set SO_SNDBUF 0 -> 0
tcp get SO_SNDBUF -> 4608
tcp set SO_RCVBUF 0 -> 0
tcp get SO_RCVBUF -> 2304
unix set SO_SNDBUF 4096 -> 0
unix get SO_SNDBUF -> 8192
unix set SO_RCVBUF 4096 -> 0
unix get SO_RCVBUF -> 8192
unix set SO_SNDBUF 10000 -> 0
unix get SO_SNDBUF -> 20000
unix set SO_RCVBUF 10000 -> 0
unix get SO_RCVBUF -> 20000
unix set SO_SNDBUF 1 -> 0
unix get SO_SNDBUF -> 4608
unix set SO_RCVBUF 1 -> 0
unix get SO_RCVBUF -> 2304
unix set SO_SNDBUF 0 -> 0
unix get SO_SNDBUF -> 4608
unix set SO_RCVBUF 0 -> 0
unix get SO_RCVBUF -> 2304
)"},
      {"S1", "the least that makes readable",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         round_trips(server, OF_SOCKET(SO_RCVLOWAT), {0, 3});
         client.send("ab");
         server.wait_for_bytes(2);
         server.poll();
         client.send("c");
         server.wait(POLLIN);
         server.poll();
         server.recv(1);
         server.poll();
         round_trips(server, OF_SOCKET(SO_SNDLOWAT), {3});
       },
       R"(
server get SO_RCVLOWAT -> 1
server set SO_RCVLOWAT 0 -> 0
server get SO_RCVLOWAT -> 1
server set SO_RCVLOWAT 3 -> 0
server get SO_RCVLOWAT -> 3
client send "ab" -> 2
server poll -> OUT
client send "c" -> 1
server poll -> IN|OUT
server recv 1 -> "a"
server poll -> OUT
server get SO_SNDLOWAT -> 1
server set SO_SNDLOWAT 3 -> ENOPROTOOPT
)"},
      {"S2", "linger",
       [](machine& m) {
         descriptor of = m.tcp("tcp");
         const auto tell = [&m, &of] {
           struct linger is = {-1, -1};
           socklen_t size = sizeof is;
           m.says("get SO_LINGER", m.calls().getsockopt(of.number(), SOL_SOCKET, SO_LINGER, &is, &size));
           m.says("  it is", std::to_string(is.l_onoff) + " " + std::to_string(is.l_linger));
         };
         tell();
         of.linger(5);
         tell();
         const struct linger off = {0, 9};
         m.says("set SO_LINGER off", m.calls().setsockopt(of.number(), SOL_SOCKET, SO_LINGER, &off, sizeof off));
         tell();
         set_bytes(m, of, OF_SOCKET(SO_LINGER), 4);
       },
       R"(
get SO_LINGER -> 0
  it is -> 0 0
get SO_LINGER -> 0
  it is -> 1 5
set SO_LINGER off -> 0
get SO_LINGER -> 0
  it is -> 0 5
SO_LINGER of 4 bytes -> EINVAL
)"},
      {"S2", "time limits",
       [](machine& m) {
         descriptor of = m.tcp("tcp");
         const auto set = [&m, &of](long seconds, long microseconds) {
           const timeval limit = {seconds, microseconds};
           m.says("set SO_RCVTIMEO " + std::to_string(seconds) + "." + std::to_string(microseconds),
                  m.calls().setsockopt(of.number(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
           timeval is = {-1, -1};
           socklen_t size = sizeof is;
           m.calls().getsockopt(of.number(), SOL_SOCKET, SO_RCVTIMEO, &is, &size);
           m.says("  it is", std::to_string(is.tv_sec) + "." + std::to_string(is.tv_usec));
         };
         set(0, 0);
         set(5, 500'000);
         set(0, 1'000'000);
         set(-1, 0);
         set_bytes(m, of, OF_SOCKET(SO_RCVTIMEO), 8);
         of.recv(9);
       },
       R"(
set SO_RCVTIMEO 0.0 -> 0
  it is -> 0.0
set SO_RCVTIMEO 5.500000 -> 0
  it is -> 5.500000
set SO_RCVTIMEO 0.1000000 -> EDOM
  it is -> 5.500000
set SO_RCVTIMEO -1.0 -> 0
  it is -> 0.0
SO_RCVTIMEO of 8 bytes -> EINVAL
tcp recv 9 -> ENOTCONN
)"},
      {"S3", "options of TCP",
       [](machine& m) {
         descriptor of = m.tcp("tcp");
         round_trips(of, OF_TCP(TCP_KEEPIDLE), {10, 0, 32'767, 32'768});
         round_trips(of, OF_TCP(TCP_KEEPINTVL), {10, 0, 32'767, 32'768});
         round_trips(of, OF_TCP(TCP_KEEPCNT), {5, 0, 127, 128});
         round_trips(of, OF_TCP(TCP_USER_TIMEOUT), {5'000, 0, -1});
         round_trips(of, OF_TCP(TCP_SYNCNT), {3, 0, 127, 128});
         round_trips(of, OF_TCP(TCP_DEFER_ACCEPT), {0});
         round_trips(of, OF_TCP(TCP_LINGER2), {10, -1});
       },
       R"(
tcp get TCP_KEEPIDLE -> 7200
tcp set TCP_KEEPIDLE 10 -> 0
tcp get TCP_KEEPIDLE -> 10
tcp set TCP_KEEPIDLE 0 -> EINVAL
tcp set TCP_KEEPIDLE 32767 -> 0
tcp get TCP_KEEPIDLE -> 32767
tcp set TCP_KEEPIDLE 32768 -> EINVAL
tcp get TCP_KEEPINTVL -> 75
tcp set TCP_KEEPINTVL 10 -> 0
tcp get TCP_KEEPINTVL -> 10
tcp set TCP_KEEPINTVL 0 -> EINVAL
tcp set TCP_KEEPINTVL 32767 -> 0
tcp get TCP_KEEPINTVL -> 32767
tcp set TCP_KEEPINTVL 32768 -> EINVAL
tcp get TCP_KEEPCNT -> 9
tcp set TCP_KEEPCNT 5 -> 0
tcp get TCP_KEEPCNT -> 5
tcp set TCP_KEEPCNT 0 -> EINVAL
tcp set TCP_KEEPCNT 127 -> 0
tcp get TCP_KEEPCNT -> 127
tcp set TCP_KEEPCNT 128 -> EINVAL
tcp get TCP_USER_TIMEOUT -> 0
tcp set TCP_USER_TIMEOUT 5000 -> 0
tcp get TCP_USER_TIMEOUT -> 5000
tcp set TCP_USER_TIMEOUT 0 -> 0
tcp get TCP_USER_TIMEOUT -> 0
tcp set TCP_USER_TIMEOUT -1 -> EINVAL
tcp get TCP_SYNCNT -> 6
tcp set TCP_SYNCNT 3 -> 0
tcp get TCP_SYNCNT -> 3
tcp set TCP_SYNCNT 0 -> EINVAL
tcp set TCP_SYNCNT 127 -> 0
tcp get TCP_SYNCNT -> 127
tcp set TCP_SYNCNT 128 -> EINVAL
tcp get TCP_DEFER_ACCEPT -> 0
tcp set TCP_DEFER_ACCEPT 0 -> 0
tcp get TCP_DEFER_ACCEPT -> 0
tcp get TCP_LINGER2 -> 60
tcp set TCP_LINGER2 10 -> 0
tcp get TCP_LINGER2 -> 10
tcp set TCP_LINGER2 -1 -> 0
tcp get TCP_LINGER2 -> -1
)",
       needs::own_network},
      {"S3", "the largest segment",
       [](machine& m) {
         descriptor of = m.tcp("tcp");
         round_trips(of, OF_TCP(TCP_MAXSEG), {1000, 10, 40'000});
       },
       R"(
tcp get TCP_MAXSEG -> 536
tcp set TCP_MAXSEG 1000 -> 0
tcp get TCP_MAXSEG -> 1000
tcp set TCP_MAXSEG 10 -> EINVAL
tcp set TCP_MAXSEG 40000 -> EINVAL
)"},
      {"S3", "a quick acknowledgement",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.set(OF_TCP(TCP_QUICKACK), 1);
         client.get(OF_TCP(TCP_QUICKACK));
       },
       R"(
client set TCP_QUICKACK 1 -> 0
client get TCP_QUICKACK -> 1
)"},
      {"S3", "the congestion control",
       [](machine& m) {
         descriptor of = m.tcp("tcp");
         const auto choose = [&m, &of](const char* name) {
           m.says(std::string("set ") + name, m.calls().setsockopt(of.number(), IPPROTO_TCP, TCP_CONGESTION, name,
                                                                   static_cast<socklen_t>(std::strlen(name))));
         };
         choose("reno");
         char name[16] = {};
         socklen_t size = sizeof name;
         m.says("get TCP_CONGESTION", m.calls().getsockopt(of.number(), IPPROTO_TCP, TCP_CONGESTION, name, &size));
         m.says("  it is", std::string(name));
         choose("no such");
       },
       R"(
set reno -> 0
get TCP_CONGESTION -> 0
  it is -> reno
set no such -> ENOENT
)"},
      {"S4", "options that are only read",
       [](machine& m) {
         descriptor of = m.tcp("tcp");
         of.set(OF_SOCKET(SO_TYPE), 1);
         of.set(OF_SOCKET(SO_DOMAIN), 1);
         of.set(OF_SOCKET(SO_PROTOCOL), 1);
         of.set(OF_SOCKET(SO_ERROR), 1);
         of.set(OF_SOCKET(SO_ACCEPTCONN), 1);
         of.set(OF_TCP(TCP_INFO), 1);
       },
       R"(
tcp set SO_TYPE 1 -> ENOPROTOOPT
tcp set SO_DOMAIN 1 -> ENOPROTOOPT
tcp set SO_PROTOCOL 1 -> ENOPROTOOPT
tcp set SO_ERROR 1 -> ENOPROTOOPT
tcp set SO_ACCEPTCONN 1 -> ENOPROTOOPT
tcp set TCP_INFO 1 -> ENOPROTOOPT
)"},
      {"S4", "options that there are not",
       [](machine& m) {
         descriptor of = m.tcp("tcp");
         const option unknown[] = {{SOL_SOCKET, 9999, "9999 of SOL_SOCKET"},
                                   {IPPROTO_TCP, 9999, "9999 of IPPROTO_TCP"},
                                   {IPPROTO_IP, 9999, "9999 of IPPROTO_IP"},
                                   {9999, 1, "1 of 9999"},
                                   LOCKSTEP_OPTION(IPPROTO_IPV6, IPV6_V6ONLY)};
         for (const option& each : unknown) {
           of.get(each);
           of.set(each, 1);
         }
         descriptor other = m.udp("udp");
         other.get(OF_TCP(TCP_NODELAY));
         other.set(OF_TCP(TCP_NODELAY), 1);
         descriptor unix_one = m.socket(AF_UNIX, SOCK_STREAM, "unix");
         unix_one.get(OF_TCP(TCP_NODELAY));
         unix_one.set(OF_TCP(TCP_NODELAY), 1);
         unix_one.set(OF_SOCKET(SO_REUSEPORT), 1);
       },
       R"(
tcp get 9999 of SOL_SOCKET -> ENOPROTOOPT
tcp set 9999 of SOL_SOCKET 1 -> ENOPROTOOPT
tcp get 9999 of IPPROTO_TCP -> ENOPROTOOPT
tcp set 9999 of IPPROTO_TCP 1 -> ENOPROTOOPT
tcp get 9999 of IPPROTO_IP -> ENOPROTOOPT
tcp set 9999 of IPPROTO_IP 1 -> ENOPROTOOPT
tcp get 1 of 9999 -> EOPNOTSUPP
tcp set 1 of 9999 1 -> ENOPROTOOPT
tcp get IPV6_V6ONLY -> EOPNOTSUPP
tcp set IPV6_V6ONLY 1 -> ENOPROTOOPT
udp get TCP_NODELAY -> EOPNOTSUPP
udp set TCP_NODELAY 1 -> ENOPROTOOPT
unix get TCP_NODELAY -> EOPNOTSUPP
unix set TCP_NODELAY 1 -> EOPNOTSUPP
unix set SO_REUSEPORT 1 -> EOPNOTSUPP
)"},
      {"S4", "sizes of values",
       [](machine& m) {
         descriptor of = m.tcp("tcp");
         for (const socklen_t size : {0U, 3U, 4U, 8U}) set_bytes(m, of, OF_SOCKET(SO_REUSEADDR), size);
         for (const socklen_t size : {1U, 3U, 4U, 8U}) set_bytes(m, of, OF_TCP(TCP_NODELAY), size);
         for (const socklen_t room : {0U, 1U, 2U, 4U, 8U}) {
           int value[2] = {-1, -1};
           socklen_t size = room;
           const int result = m.calls().getsockopt(of.number(), SOL_SOCKET, SO_TYPE, value, &size);
           m.says("SO_TYPE with room for " + std::to_string(room),
                  result < 0 ? result_text(result) : std::to_string(size) + " bytes");
         }
         int value = 0;
         auto size = static_cast<socklen_t>(-1);
         m.says("SO_TYPE with room for -1", m.calls().getsockopt(of.number(), SOL_SOCKET, SO_TYPE, &value, &size));
         m.says("TCP_NODELAY with room for -1",
                m.calls().getsockopt(of.number(), IPPROTO_TCP, TCP_NODELAY, &value, &size));
       },
       R"(
SO_REUSEADDR of 0 bytes -> EINVAL
SO_REUSEADDR of 3 bytes -> EINVAL
SO_REUSEADDR of 4 bytes -> 0
SO_REUSEADDR of 8 bytes -> 0
TCP_NODELAY of 1 bytes -> EINVAL
TCP_NODELAY of 3 bytes -> EINVAL
TCP_NODELAY of 4 bytes -> 0
TCP_NODELAY of 8 bytes -> 0
SO_TYPE with room for 0 -> 0 bytes
SO_TYPE with room for 1 -> 1 bytes
SO_TYPE with room for 2 -> 2 bytes
SO_TYPE with room for 4 -> 4 bytes
SO_TYPE with room for 8 -> 4 bytes
SO_TYPE with room for -1 -> EINVAL
TCP_NODELAY with room for -1 -> EINVAL
)"},
      {"S5", "an accepted socket has the options of its listener",
       [](machine& m) {
         descriptor listener = m.listening();
         listener.must_set(OF_SOCKET(SO_KEEPALIVE), 1);
         listener.must_set(OF_TCP(TCP_NODELAY), 1);
         listener.must_set(OF_TCP(TCP_KEEPIDLE), 77);
         listener.must_set(OF_TCP(TCP_USER_TIMEOUT), 5'000);
         listener.must_set(OF_SOCKET(SO_SNDBUF), 10'000);
         listener.linger(5);
         descriptor client = m.connecting(listener);
         listener.wait(POLLIN);
         descriptor server = listener.accept("server");
         server.get(OF_SOCKET(SO_KEEPALIVE));
         server.get(OF_TCP(TCP_NODELAY));
         server.get(OF_TCP(TCP_KEEPIDLE));
         server.get(OF_TCP(TCP_USER_TIMEOUT));
         server.get(OF_SOCKET(SO_SNDBUF));
         server.get(OF_SOCKET(SO_LINGER));
         server.get(OF_SOCKET(SO_REUSEADDR));
         server.get(OF_SOCKET(SO_ACCEPTCONN));
       },
       R"(
listener accept -> server
server get SO_KEEPALIVE -> 1
server get TCP_NODELAY -> 1
server get TCP_KEEPIDLE -> 77
server get TCP_USER_TIMEOUT -> 5000
server get SO_SNDBUF -> 20000
server get SO_LINGER -> 1
server get SO_REUSEADDR -> 0
server get SO_ACCEPTCONN -> 0
)"},
      {"S5", "options of IP",
       [](machine& m) {
         descriptor of = m.udp("udp");
         round_trips(of, LOCKSTEP_OPTION(IPPROTO_IP, IP_TTL), {10, 0, 256, -1});
         round_trips(of, LOCKSTEP_OPTION(IPPROTO_IP, IP_TOS), {16, 0});
         round_trips(of, LOCKSTEP_OPTION(IPPROTO_IP, IP_RECVERR), {1, 0});
         round_trips(of, LOCKSTEP_OPTION(IPPROTO_IP, IP_PKTINFO), {1, 0});
         round_trips(of, LOCKSTEP_OPTION(IPPROTO_IP, IP_MTU_DISCOVER), {IP_PMTUDISC_DO, 9});
         of.get(LOCKSTEP_OPTION(IPPROTO_IP, IP_MTU));
       },
       R"(
udp get IP_TTL -> 64
udp set IP_TTL 10 -> 0
udp get IP_TTL -> 10
udp set IP_TTL 0 -> EINVAL
udp set IP_TTL 256 -> EINVAL
udp set IP_TTL -1 -> 0
udp get IP_TTL -> 64
udp get IP_TOS -> 0
udp set IP_TOS 16 -> 0
udp get IP_TOS -> 16
udp set IP_TOS 0 -> 0
udp get IP_TOS -> 0
udp get IP_RECVERR -> 0
udp set IP_RECVERR 1 -> 0
udp get IP_RECVERR -> 1
udp set IP_RECVERR 0 -> 0
udp get IP_RECVERR -> 0
udp get IP_PKTINFO -> 0
udp set IP_PKTINFO 1 -> 0
udp get IP_PKTINFO -> 1
udp set IP_PKTINFO 0 -> 0
udp get IP_PKTINFO -> 0
udp get IP_MTU_DISCOVER -> 1
udp set IP_MTU_DISCOVER 2 -> 0
udp get IP_MTU_DISCOVER -> 2
udp set IP_MTU_DISCOVER 9 -> EINVAL
udp get IP_MTU -> ENOTCONN
)"},
      {"S5", "the MTU of a route",
       [](machine& m) {
         descriptor of = m.bound(SOCK_DGRAM, "udp");
         of.connect(of.local());
         of.get(LOCKSTEP_OPTION(IPPROTO_IP, IP_MTU));
         auto [client, server] = m.tcp_pair();
         client.get(LOCKSTEP_OPTION(IPPROTO_IP, IP_MTU));
       },
       R"(
udp connect 127.0.0.1:#1 -> 0
udp get IP_MTU -> 65535
client get IP_MTU -> 65535
)",
       needs::own_network},
      {"S6", "keepalive finds a peer that is gone",
       [](machine& m) {
         descriptor listener = m.socket(AF_INET, SOCK_STREAM, "listener", "b");
         listener.bind(m.host_address("b", 80));
         listener.listen(1);
         descriptor client = m.tcp("client");
         client.connect(m.host_address("b", 80));
         client.wait(POLLOUT);
         client.set(OF_SOCKET(SO_KEEPALIVE), 1);
         client.set(OF_TCP(TCP_KEEPIDLE), 10);
         client.set(OF_TCP(TCP_KEEPINTVL), 1);
         client.set(OF_TCP(TCP_KEEPCNT), 3);
         m.cut();
         client.wait_for_reset();
         client.poll();
         client.recv(9);
         client.recv(9);
         client.send("x");
       },
       R"(
listener bind b:#1 -> 0
listener listen 1 -> 0
client connect b:#1 -> EINPROGRESS
client set SO_KEEPALIVE 1 -> 0
client set TCP_KEEPIDLE 10 -> 0
client set TCP_KEEPINTVL 1 -> 0
client set TCP_KEEPCNT 3 -> 0
client poll -> IN|OUT|ERR|HUP|RDHUP
client recv 9 -> ETIMEDOUT
client recv 9 -> 0
client send "x" -> EPIPE
)",
       needs::simulation, "takes seconds, and a cable to cut"},
  };
}

}  // namespace lockstep::sockets
