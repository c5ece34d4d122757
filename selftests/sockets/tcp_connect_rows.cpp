// Table 1.1 of the reference, connect().
#include "rows.hpp"

#include <poll.h>

#include <string>
#include <utility>

namespace lockstep::sockets {

std::vector<row> tcp_connect_rows() {
  return {
      {"C1", "a closed port refuses",
       [](machine& m) {
         descriptor client = m.tcp("client");
         client.connect(m.deaf_address());
         client.wait(POLLOUT);
         client.error();
         client.recv(9);
       },
       R"(
client connect 127.0.0.1:#1 -> EINPROGRESS
client SO_ERROR -> ECONNREFUSED
client recv 9 -> 0
)"},
      {"C2", "packets are dropped",
       [](machine& m) {
         descriptor client = m.tcp("client");
         m.cut();
         client.connect(m.host_address("b", 80));
         client.wait(POLLOUT);
         client.error();
         client.error();
       },
       R"(
client connect b:#1 -> EINPROGRESS
client SO_ERROR -> ETIMEDOUT
client SO_ERROR -> 0
)",
       needs::simulation, "takes minutes"},
      {"C3", "there is no route",
       [](machine& m) {
         m.tcp("client").connect(v4("203.0.113.1", 80));
         descriptor datagrams = m.udp("datagrams");
         datagrams.send_to("x", v4("203.0.113.1", 80));
         datagrams.connect(v4("203.0.113.1", 80));
       },
       R"(
client connect 203.0.113.1:#1 -> ENETUNREACH
datagrams send "x" to 203.0.113.1:#1 -> ENETUNREACH
datagrams connect 203.0.113.1:#1 -> ENETUNREACH
)",
       needs::own_network},
      {"C3", "routes that lead nowhere",
       [](machine& m) {
         const std::pair<const char*, no_route> routes[] = {{"198.51.100.0", no_route::unreachable},
                                                            {"198.51.101.0", no_route::prohibited},
                                                            {"198.51.102.0", no_route::black_hole}};
         for (const auto& [network, kind] : routes) {
           m.add_route(v4(network), kind);
           m.tcp("client").connect(v4(network, 80));
           m.udp("datagrams").connect(v4(network, 80));
           m.udp("datagrams").send_to("x", v4(network, 80));
         }
       },
       R"(
client connect 198.51.100.0:#1 -> EHOSTUNREACH
datagrams connect 198.51.100.0:#1 -> EHOSTUNREACH
datagrams send "x" to 198.51.100.0:#1 -> EHOSTUNREACH
client connect 198.51.101.0:#1 -> EACCES
datagrams connect 198.51.101.0:#1 -> EACCES
datagrams send "x" to 198.51.101.0:#1 -> EACCES
client connect 198.51.102.0:#1 -> EINVAL
datagrams connect 198.51.102.0:#1 -> EINVAL
datagrams send "x" to 198.51.102.0:#1 -> EINVAL
)",
       needs::own_network},
      {"C4", "nobody answers on the link",
       [](machine& m) {
         descriptor client = m.tcp("client");
         client.connect(m.host_address("nobody", 80));
         client.wait(POLLOUT);
         client.error();
       },
       R"(
client connect nobody:#1 -> EINPROGRESS
client SO_ERROR -> EHOSTUNREACH
)",
       needs::simulation, "takes a link with an address that nobody has, and three seconds"},
      {"C5", "connect that succeeds",
       [](machine& m) {
         descriptor listener = m.listening();
         descriptor client = m.tcp("client");
         client.connect(listener.local());
         client.wait(POLLOUT);
         client.poll();
         client.error();
         client.connect(listener.local());
         client.connect(listener.local());
         client.peer_name();
         client.local_name();
         listener.poll();
         descriptor server = listener.accept("server");
         server.peer_name();
         server.local_name();
         server.poll();
       },
       R"(
client connect 127.0.0.1:#1 -> EINPROGRESS
client poll -> OUT
client SO_ERROR -> 0
client connect 127.0.0.1:#1 -> 0
client connect 127.0.0.1:#1 -> EISCONN
client getpeername -> 127.0.0.1:#1
client getsockname -> 127.0.0.1:#2
listener poll -> IN
listener accept -> server
server getpeername -> 127.0.0.1:#2
server getsockname -> 127.0.0.1:#1
server poll -> OUT
)"},
      {"C5", "connect that fails",
       [](machine& m) {
         descriptor client = m.tcp("client");
         client.poll();
         const address nobody = m.deaf_address();
         client.connect(nobody);
         client.wait(POLLOUT);
         client.poll();
         client.error();
         client.error();
         client.poll();
         client.connect(nobody);
         client.wait(POLLOUT);
         client.error();
       },
       R"(
client poll -> OUT|HUP
client connect 127.0.0.1:#1 -> EINPROGRESS
client poll -> IN|OUT|ERR|HUP|RDHUP
client SO_ERROR -> ECONNREFUSED
client SO_ERROR -> 0
client poll -> IN|OUT|HUP|RDHUP
client connect 127.0.0.1:#1 -> ECONNABORTED
client SO_ERROR -> 0
)"},
      {"C5", "connect tells the error itself",
       [](machine& m) {
         descriptor client = m.tcp("client");
         const address nobody = m.deaf_address();
         client.connect(nobody);
         client.wait(POLLOUT);
         client.connect(nobody);
         client.error();
         client.poll();
       },
       R"(
client connect 127.0.0.1:#1 -> EINPROGRESS
client connect 127.0.0.1:#1 -> ECONNREFUSED
client SO_ERROR -> 0
client poll -> OUT|HUP
)"},
      {"C5", "recv and send tell the error",
       [](machine& m) {
         for (const bool receives : {true, false}) {
           descriptor client = m.tcp("client");
           client.connect(m.deaf_address());
           client.wait(POLLOUT);
           if (receives) client.recv(9);
           client.send("x");
           client.recv(9);
           client.send("x");
         }
       },
       R"(
client connect 127.0.0.1:#1 -> EINPROGRESS
client recv 9 -> ECONNREFUSED
client send "x" -> EPIPE
client recv 9 -> 0
client send "x" -> EPIPE
client connect 127.0.0.1:#2 -> EINPROGRESS
client send "x" -> ECONNREFUSED
client recv 9 -> 0
client send "x" -> EPIPE
)"},
      {"C5", "a socket is used again after a failure",
       [](machine& m) {
         descriptor listener = m.listening();
         descriptor client = m.tcp("client");
         client.connect(m.deaf_address());
         client.wait(POLLOUT);
         client.error();
         client.connect(listener.local());
         client.connect(listener.local());
         client.wait(POLLOUT);
         client.poll();
         client.error();
       },
       R"(
client connect 127.0.0.1:#1 -> EINPROGRESS
client SO_ERROR -> ECONNREFUSED
client connect 127.0.0.1:#2 -> ECONNABORTED
client connect 127.0.0.1:#2 -> EINPROGRESS
client poll -> OUT
client SO_ERROR -> 0
)"},
      {"C6", "connect while one is pending",
       [](machine& m) {
         descriptor full = m.listening(0);
         descriptor first = m.connecting(full, "first");
         full.wait(POLLIN);
         descriptor client = m.tcp("client");
         client.connect(full.local());
         client.connect(full.local());
         client.poll();
         client.send("x");
         client.recv(9);
         client.peer_name();
         client.shutdown(SHUT_WR);
       },
       R"(
client connect 127.0.0.1:#1 -> EINPROGRESS
client connect 127.0.0.1:#1 -> EALREADY
client poll -> -
client send "x" -> EAGAIN
client recv 9 -> EAGAIN
client getpeername -> ENOTCONN
client shutdown SHUT_WR -> 0
)"},
      {"C7", "connect of what is connected",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.connect(server.local());
         server.connect(client.local());
         server.listen(1);
       },
       R"(
client connect 127.0.0.1:#1 -> 0
server connect 127.0.0.1:#2 -> EISCONN
server listen 1 -> EINVAL
)"},
      {"C7", "connect of a listener",
       [](machine& m) {
         descriptor listener = m.listening();
         descriptor other = m.listening(8, "other");
         listener.connect(other.local());
       },
       R"(
listener connect 127.0.0.1:#1 -> EISCONN
)"},
      {"C7", "connect to oneself",
       [](machine& m) {
         descriptor self = m.bound(SOCK_STREAM, "self");
         self.connect(self.local());
         self.wait(POLLOUT);
         self.error();
         self.send("echo");
         self.wait(POLLIN);
         self.recv(9);
         self.peer_name();
       },
       R"(
self connect 127.0.0.1:#1 -> EINPROGRESS
self SO_ERROR -> 0
self send "echo" -> 4
self recv 9 -> "echo"
self getpeername -> 127.0.0.1:#1
)"},
      {"C7", "connect to no family disconnects",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.connect(address{});
         address none;
         none.size = sizeof(sa_family_t);
         client.connect(none);
         client.peer_name();
         server.wait_for_reset();
         server.recv(9);
         client.connect(m.listening().local());
         client.wait(POLLOUT);
         client.poll();
       },
       R"(
client connect AF_UNSPEC -> EINVAL
client connect AF_UNSPEC -> 0
client getpeername -> ENOTCONN
server recv 9 -> ECONNRESET
client connect 127.0.0.1:#1 -> EINPROGRESS
client poll -> OUT
)"},
      {"C8", "no port is left",
       [](machine& m) {
         descriptor listener = m.listening();
         m.set("net/ipv4/ip_local_port_range", "20000 20001");
         m.bound(SOCK_STREAM, "one");
         m.bound(SOCK_STREAM, "two");
         m.tcp("third").bind(v4("127.0.0.1"));
         m.tcp("client").connect(listener.local());
         m.tcp("listening").listen(1);
       },
       R"(
third bind 127.0.0.1:0 -> EADDRINUSE
client connect 127.0.0.1:#1 -> EADDRNOTAVAIL
listening listen 1 -> EADDRINUSE
)",
       needs::own_network},
      {"C9", "wrong addresses",
       [](machine& m) {
         descriptor client = m.tcp("client");
         address some = m.listening().local();
         some.size = 4;
         client.connect(some);
         client.connect(v6("::1", 80));
         descriptor six = m.socket(AF_INET6, SOCK_STREAM, "six");
         six.connect(v4("127.0.0.1", 80));
         client.connect(v4("224.0.0.1", 80));
       },
       R"(
client connect 127.0.0.1:#1 -> EINVAL
client connect [::1]:#2 -> EAFNOSUPPORT
six connect 127.0.0.1:#2 -> EINVAL
client connect 224.0.0.1:#2 -> ENETUNREACH
)"},
      {"C9", "connect to any address reaches this host",
       [](machine& m) {
         descriptor listener = m.listening();
         descriptor client = m.tcp("client");
         client.connect(with_port(v4("0.0.0.0"), port_of(listener.local())));
         client.wait(POLLOUT);
         client.error();
         client.peer_name();
       },
       R"(
client connect 0.0.0.0:#1 -> EINPROGRESS
client SO_ERROR -> 0
client getpeername -> 127.0.0.1:#1
)"},
      {"C9", "the local address is chosen",
       [](machine& m) {
         descriptor listener = m.tcp("listener");
         listener.bind(v4("0.0.0.0"));
         listener.listen(1);
         descriptor client = m.tcp("client");
         client.bind(v4("127.0.0.2"));
         client.connect(with_port(v4("127.0.0.3"), port_of(listener.local())));
         listener.wait(POLLIN);
         descriptor server = listener.accept("server");
         server.local_name();
         server.peer_name();
       },
       R"(
listener bind 0.0.0.0:0 -> 0
listener listen 1 -> 0
client bind 127.0.0.2:0 -> 0
client connect 127.0.0.3:#1 -> EINPROGRESS
listener accept -> server
server getsockname -> 127.0.0.3:#1
server getpeername -> 127.0.0.2:#2
)"},
  };
}

}  // namespace lockstep::sockets
