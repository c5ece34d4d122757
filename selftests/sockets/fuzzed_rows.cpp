// What random sequences of calls (differential_fuzz_test.cpp) found that the simulated kernel had done otherwise.
// Source: Linux's net/ipv4/af_inet.c, net/ipv6/af_inet6.c, net/ipv6/datagram.c, net/unix/af_unix.c, net/core/sock.c.
#include "rows.hpp"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include <string>

namespace lockstep::sockets {
namespace {

address no_family() {
  address none;
  none.size = sizeof none.bytes;
  return none;
}

void disconnect(machine& m, descriptor which) {
  const address none = no_family();
  m.says(which.name() + " connect AF_UNSPEC", m.calls().connect(which.number(), none.get(), none.size));
}

descriptor refused(machine& m, const std::string& name = "refused") {
  const address deaf = m.deaf_address();
  descriptor made = m.tcp(name);
  made.connect(deaf);
  made.wait(POLLERR);
  return made;
}

descriptor bound_v6(machine& m, int type, const std::string& host, const std::string& name) {
  descriptor made = m.socket(AF_INET6, type, name);
  made.bind(v6(host));
  return made;
}

// Edges that come with no change of what is ready.
void edges_of(machine& m, descriptor watched, void (*call)(descriptor&), unsigned events = EPOLLIN | EPOLLOUT) {
  descriptor epoll = m.epoll("epoll of " + watched.name());
  epoll.add(watched, events | EPOLLET);
  epoll.events();
  epoll.events();
  call(watched);
  epoll.events();
}

}  // namespace

std::vector<row> fuzzed_rows() {
  return {
      {"Z1", "shutdown without a connection",
       [](machine& m) {
         descriptor fresh = m.tcp("fresh");
         fresh.recv(9, MSG_OOB);
         fresh.shutdown(SHUT_RD);
         fresh.poll();
         fresh.recv(9);
         disconnect(m, fresh);
         fresh.poll();
       },
       R"(
fresh recv 9 MSG_OOB -> EINVAL
fresh shutdown SHUT_RD -> ENOTCONN
fresh poll -> IN|OUT|HUP|RDHUP
fresh recv 9 -> 0
fresh connect AF_UNSPEC -> 0
fresh poll -> OUT|HUP
)"},
      {"Z1", "connecting after shutdown",
       [](machine& m) {
         descriptor listener = m.listening();
         descriptor client = m.tcp("client");
         client.shutdown(SHUT_RDWR);
         client.connect(listener.local());
         listener.wait(POLLIN);
         descriptor server = listener.accept("server");
         client.poll();
         client.send("x");
         server.poll();
         client.shutdown(SHUT_WR);
         server.wait(POLLRDHUP);
         server.poll();
       },
       R"(
client shutdown SHUT_RDWR -> ENOTCONN
client connect 127.0.0.1:#1 -> EINPROGRESS
listener accept -> server
client poll -> IN|OUT|HUP|RDHUP
client send "x" -> EPIPE
server poll -> OUT
client shutdown SHUT_WR -> 0
server poll -> IN|OUT|RDHUP
)"},
      {"Z1", "listening after shutdown",
       [](machine& m) {
         descriptor listener = m.bound(SOCK_STREAM, "listener");
         listener.shutdown(SHUT_RDWR);
         listener.listen(8);
         descriptor client = m.connecting(listener);
         client.wait(POLLRDHUP);
         client.poll();
         descriptor server = listener.accept("server");
         server.poll();
         listener.poll();
       },
       R"(
listener shutdown SHUT_RDWR -> ENOTCONN
listener listen 8 -> 0
client poll -> IN|OUT|RDHUP
listener accept -> server
server poll -> IN|OUT|HUP|RDHUP
listener poll -> -
)"},
      {"Z2", "a refused connection has no port",
       [](machine& m) {
         descriptor one = refused(m);
         one.local_name();
         descriptor other = m.tcp("other");
         other.bind(one.local());
         one.bind(v4("127.0.0.1"));
         one.local_name();
         one.connect(other.local());
         one.local_name();
       },
       R"(
refused connect 127.0.0.1:#1 -> EINPROGRESS
refused getsockname -> 127.0.0.1:#2
other bind 127.0.0.1:#2 -> 0
refused bind 127.0.0.1:0 -> 0
refused getsockname -> 127.0.0.1:#3
refused connect 127.0.0.1:#2 -> ECONNREFUSED
refused getsockname -> 127.0.0.1:#3
)"},
      {"Z2", "shutdown after a refused connection",
       [](machine& m) {
         descriptor one = refused(m);
         one.shutdown(SHUT_WR);
         one.connect(m.deaf_address());
         one.listen(1);
         disconnect(m, one);
         one.poll();
         one.error();
         one.listen(1);
       },
       R"(
refused connect 127.0.0.1:#1 -> EINPROGRESS
refused shutdown SHUT_WR -> ENOTCONN
refused connect 127.0.0.1:#2 -> EINVAL
refused listen 1 -> EINVAL
refused connect AF_UNSPEC -> 0
refused poll -> OUT|ERR|HUP
refused SO_ERROR -> ECONNREFUSED
refused listen 1 -> 0
)"},
      {"Z2", "AF_UNSPEC ends a connection",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         disconnect(m, client);
         client.poll();
         client.error();
         client.poll();
         client.local_name();
         server.wait_for_reset();
         server.poll();
       },
       R"(
client connect AF_UNSPEC -> 0
client poll -> OUT|ERR|HUP
client SO_ERROR -> ECONNRESET
client poll -> OUT|HUP
client getsockname -> 0.0.0.0:#1
server poll -> IN|OUT|ERR|HUP|RDHUP
)"},
      {"Z2", "what was bound once stays bound",
       [](machine& m) {
         descriptor one = m.udp("one");
         one.bind(v4("127.0.0.1"));
         disconnect(m, one);
         one.local_name();
         one.bind(v4("0.0.0.0"));
         one.connect(v4("127.0.0.1", 9));
         disconnect(m, one);
         one.local_name();
       },
       R"(
one bind 127.0.0.1:0 -> 0
one connect AF_UNSPEC -> 0
one getsockname -> 127.0.0.1:0
one bind 0.0.0.0:0 -> 0
one connect 127.0.0.1:#1 -> 0
one connect AF_UNSPEC -> 0
one getsockname -> 127.0.0.1:0
)"},
      {"Z2", "AF_UNSPEC ends listening",
       [](machine& m) {
         descriptor listener = m.tcp("listener");
         listener.listen(8);
         descriptor epoll = m.epoll();
         epoll.add(listener, EPOLLIN);
         epoll.events();
         disconnect(m, listener);
         epoll.events();
         listener.local_name();
         listener.bind(v4("127.0.0.1"));
         listener.connect(listener.local());
       },
       R"(
listener listen 8 -> 0
epoll add listener -> 0
epoll epoll_wait -> nothing
listener connect AF_UNSPEC -> 0
epoll epoll_wait -> listener HUP
listener getsockname -> 0.0.0.0:#1
listener bind 127.0.0.1:0 -> 0
listener connect 127.0.0.1:#2 -> EINPROGRESS
)"},
      {"Z2", "accept names a peer that has gone",
       [](machine& m) {
         descriptor listener = m.listening();
         descriptor client = m.connecting(listener);
         listener.wait(POLLIN);
         client.local_name();
         client.linger(0);
         client.close();
         address from;
         from.size = sizeof from.bytes;
         m.says_ok("accept", m.calls().accept4(listener.number(), from.get(), &from.size, SOCK_NONBLOCK));
         m.says("from", m.text_of(from));
       },
       R"(
client getsockname -> 127.0.0.1:#1
client close -> 0
accept -> ok
from -> 127.0.0.1:#1
)"},
      {"Z3", "an address of IPv6 takes no IPv4",
       [](machine& m) {
         for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
           const std::string kind = type == SOCK_STREAM ? "tcp" : "udp";
           descriptor six = bound_v6(m, type, "::1", kind + " six");
           six.get(LOCKSTEP_OPTION(IPPROTO_IPV6, IPV6_V6ONLY));
           six.connect(v6("::ffff:127.0.0.1", 9));
           descriptor mapped = bound_v6(m, type, "::ffff:127.0.0.1", kind + " mapped");
           mapped.connect(v6("::1", 9));
           descriptor only = m.socket(AF_INET6, type, kind + " only");
           only.set(LOCKSTEP_OPTION(IPPROTO_IPV6, IPV6_V6ONLY), 1);
           only.bind(v6("::ffff:127.0.0.1"));
         }
         bound_v6(m, SOCK_DGRAM, "::1", "six").connect(v4("127.0.0.1", 9));
       },
       R"(
tcp six bind [::1]:0 -> 0
tcp six get IPV6_V6ONLY -> 1
tcp six connect [::ffff:127.0.0.1]:#1 -> ENETUNREACH
tcp mapped bind [::ffff:127.0.0.1]:0 -> 0
tcp mapped connect [::1]:#1 -> EAFNOSUPPORT
tcp only set IPV6_V6ONLY 1 -> 0
tcp only bind [::ffff:127.0.0.1]:0 -> EINVAL
udp six bind [::1]:0 -> 0
udp six get IPV6_V6ONLY -> 1
udp six connect [::ffff:127.0.0.1]:#1 -> ENETUNREACH
udp mapped bind [::ffff:127.0.0.1]:0 -> 0
udp mapped connect [::1]:#1 -> EAFNOSUPPORT
udp only set IPV6_V6ONLY 1 -> 0
udp only bind [::ffff:127.0.0.1]:0 -> EINVAL
six bind [::1]:0 -> 0
six connect 127.0.0.1:#1 -> EAFNOSUPPORT
)"},
      {"Z3", "to no address is to one's own",
       [](machine& m) {
         descriptor other = m.udp("other");
         other.bind(v4("127.0.0.2"));
         other.connect(v4("0.0.0.0", port_of(other.local())));
         other.peer_name();
         descriptor mapped = bound_v6(m, SOCK_DGRAM, "::ffff:127.0.0.2", "mapped");
         mapped.connect(v6("::", port_of(mapped.local())));
         mapped.peer_name();
       },
       R"(
other bind 127.0.0.2:0 -> 0
other connect 0.0.0.0:#1 -> 0
other getpeername -> 127.0.0.2:#1
mapped bind [::ffff:127.0.0.2]:0 -> 0
mapped connect [::]:#2 -> 0
mapped getpeername -> [::ffff:127.0.0.1]:#2
)"},
      {"Z3", "an address that connect() chose keeps others out",
       [](machine& m) {
         descriptor six = m.socket(AF_INET6, SOCK_DGRAM, "six");
         six.connect(v6("::1", 9));
         descriptor four = m.udp("four");
         four.bind(v4("0.0.0.0", port_of(six.local())));
         six.send_to("x", no_family());
         descriptor mapped = m.socket(AF_INET6, SOCK_DGRAM, "mapped");
         mapped.connect(v6("::ffff:127.0.0.1", 9));
         mapped.send_to("x", no_family());
       },
       R"(
six connect [::1]:#1 -> 0
four bind 0.0.0.0:#2 -> EADDRINUSE
six send "x" to AF_UNSPEC -> 1
mapped connect [::ffff:127.0.0.1]:#1 -> 0
mapped send "x" to AF_UNSPEC -> ENETUNREACH
)"},
      {"Z4", "options of another family",
       [](machine& m) {
         m.bound(SOCK_DGRAM, "udp").set(LOCKSTEP_OPTION(IPPROTO_IPV6, IPV6_V6ONLY), 1);
         m.bound(SOCK_STREAM, "tcp").set(LOCKSTEP_OPTION(IPPROTO_IPV6, IPV6_V6ONLY), 1);
         m.udp("four").get(LOCKSTEP_OPTION(IPPROTO_TCP, TCP_NODELAY));
         m.socket(AF_INET6, SOCK_DGRAM, "six").get(LOCKSTEP_OPTION(IPPROTO_TCP, TCP_NODELAY));
         descriptor local = m.socket(AF_UNIX, SOCK_STREAM, "unix");
         local.set(LOCKSTEP_OPTION(SOL_SOCKET, SO_REUSEPORT), 0);
         local.set(LOCKSTEP_OPTION(SOL_SOCKET, SO_REUSEPORT), 1);
       },
       R"(
udp set IPV6_V6ONLY 1 -> ENOPROTOOPT
tcp set IPV6_V6ONLY 1 -> ENOPROTOOPT
four get TCP_NODELAY -> EOPNOTSUPP
six get TCP_NODELAY -> ENOPROTOOPT
unix set SO_REUSEPORT 0 -> 0
unix set SO_REUSEPORT 1 -> EOPNOTSUPP
)"},
      {"Z4", "reading nothing",
       [](machine& m) {
         m.epoll().read(0);
         m.named(m.calls().eventfd(0, EFD_NONBLOCK), "eventfd").read(0);
         m.pipe().first.read(0);
         m.udp("udp").read(0);
         m.tcp("tcp").read(0);
       },
       R"(
epoll read 0 -> EINVAL
eventfd read 0 -> EINVAL
reader read 0 -> 0
udp read 0 -> 0
tcp read 0 -> 0
)"},
      {"Z5", "a shut Unix socket without a peer",
       [](machine& m) {
         descriptor one = m.socket(AF_UNIX, SOCK_DGRAM, "one");
         one.send("x");
         one.shutdown(SHUT_WR);
         one.send("x");
       },
       R"(
one send "x" -> ENOTCONN
one shutdown SHUT_WR -> 0
one send "x" -> EPIPE
)"},
      {"Z5", "an empty message that nobody has read",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_SEQPACKET);
         b.send("");
         a.close();
         b.poll();
         b.recv(9);
         auto [c, d] = m.unix_pair(SOCK_SEQPACKET);
         d.send("");
         d.send("");
         c.close();
         d.recv(9);
       },
       R"(
b send "" -> 0
a close -> 0
b poll -> IN|OUT|HUP|RDHUP
b recv 9 -> 0
b send "" -> 0
b send "" -> 0
a close -> 0
b recv 9 -> ECONNRESET
)"},
      {"Z5", "MSG_WAITALL finds the reset after the bytes",
       [](machine& m) {
         for (const int flags : {0, static_cast<int>(MSG_WAITALL)}) {
           auto [a, b] = m.unix_pair(SOCK_STREAM);
           b.send("unread");
           a.send("x");
           a.close();
           b.recv(9, flags);
           b.poll();
         }
       },
       R"(
b send "unread" -> 6
a send "x" -> 1
a close -> 0
b recv 9 -> "x"
b poll -> IN|OUT|ERR|HUP|RDHUP
b send "unread" -> 6
a send "x" -> 1
a close -> 0
b recv 9 MSG_WAITALL -> "x"
b poll -> IN|OUT|HUP|RDHUP
)"},
      {"Z6", "a datagram in fragments and a small buffer",
       [](machine& m) {
         descriptor six = m.socket(AF_INET6, SOCK_DGRAM, "six");
         six.connect(v6("::1", 9));
         six.must_set(LOCKSTEP_OPTION(SOL_SOCKET, SO_SNDBUF), 1);
         six.send(std::string(65'000, 'x'));
         six.error();
         six.send(std::string(65'507, 'x'));
       },
       R"(
six connect [::1]:#1 -> 0
six send 65000 bytes -> 65000
six SO_ERROR -> ECONNREFUSED
six send 65507 bytes -> ENOBUFS
)"},
      {"Z7", "edges without a change",
       [](machine& m) {
         const auto send_buffer = [](descriptor& of) { of.must_set(LOCKSTEP_OPTION(SOL_SOCKET, SO_SNDBUF), 4096); };
         edges_of(m, m.tcp("tcp"), send_buffer);
         edges_of(m, m.udp("udp"), send_buffer);
         edges_of(m, m.unix_pair(SOCK_STREAM).first, send_buffer);
         edges_of(m, m.socket(AF_UNIX, SOCK_DGRAM, "unix"), [](descriptor& of) { of.send("x"); });
         edges_of(m, m.udp("sender"), [](descriptor& of) { of.send_to("x", v4("127.0.0.1", 9)); });
         edges_of(
             m, m.udp("shut"), [](descriptor& of) { of.shutdown(SHUT_RDWR); }, 0);
       },
       R"(
epoll of tcp add tcp -> 0
epoll of tcp epoll_wait -> tcp OUT|HUP
epoll of tcp epoll_wait -> nothing
epoll of tcp epoll_wait -> tcp OUT|HUP
epoll of udp add udp -> 0
epoll of udp epoll_wait -> udp OUT
epoll of udp epoll_wait -> nothing
epoll of udp epoll_wait -> udp OUT
epoll of a add a -> 0
epoll of a epoll_wait -> a OUT
epoll of a epoll_wait -> nothing
epoll of a epoll_wait -> a OUT
epoll of unix add unix -> 0
epoll of unix epoll_wait -> unix OUT
epoll of unix epoll_wait -> nothing
unix send "x" -> ENOTCONN
epoll of unix epoll_wait -> unix OUT
epoll of sender add sender -> 0
epoll of sender epoll_wait -> sender OUT
epoll of sender epoll_wait -> nothing
sender send "x" to 127.0.0.1:#1 -> 1
epoll of sender epoll_wait -> sender OUT
epoll of shut add shut -> 0
epoll of shut epoll_wait -> nothing
epoll of shut epoll_wait -> nothing
shut shutdown SHUT_RDWR -> ENOTCONN
epoll of shut epoll_wait -> shut HUP
)"},
      {"Z7", "listening ends under an epoll",
       [](machine& m) {
         descriptor epoll = m.epoll();
         descriptor listener = m.listening();
         epoll.add(listener, EPOLLIN);
         epoll.events();
         listener.shutdown(SHUT_RDWR);
         epoll.events();
       },
       R"(
epoll add listener -> 0
epoll epoll_wait -> nothing
listener shutdown SHUT_RDWR -> 0
epoll epoll_wait -> listener HUP
)"},
      {"Z8", "only an urgent byte",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.send("!", MSG_OOB);
         server.wait(POLLPRI);
         server.poll();
         int there = -1;
         m.says_ok("FIONREAD", m.calls().ioctl(server.number(), FIONREAD, &there));
         m.says("bytes", there);
         server.recv_from(9, MSG_OOB);
         server.poll();
         client.send("x");
         server.wait(POLLIN);
         server.recv(9);
       },
       R"(
client send "!" MSG_OOB -> 1
server poll -> PRI|OUT
FIONREAD -> ok
bytes -> 0
server recvmsg 9 MSG_OOB -> "!" MSG_OOB from nobody
server poll -> OUT
client send "x" -> 1
server recv 9 -> "x"
)"},
      {"Z8", "looking at what is there takes no urgent byte",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.send("!", MSG_OOB);
         server.wait(POLLPRI);
         server.recv(9, MSG_PEEK);
         server.poll();
         client.send("xy");
         server.wait(POLLIN);
         server.recv(9, MSG_PEEK);
         server.recv(0, MSG_OOB);
         server.poll();
         server.recv(9);
       },
       R"(
client send "!" MSG_OOB -> 1
server recv 9 MSG_PEEK -> EAGAIN
server poll -> PRI|OUT
client send "xy" -> 2
server recv 9 MSG_PEEK -> "xy"
server recv 0 MSG_OOB -> 0
server poll -> IN|OUT
server recv 9 -> "xy"
)"},
      {"Z1", "data for a shut connection that nobody has accepted",
       [](machine& m) {
         descriptor listener = m.bound(SOCK_STREAM, "listener");
         listener.shutdown(SHUT_RDWR);
         listener.listen(8);
         descriptor client = m.connecting(listener);
         client.wait(POLLRDHUP);
         client.send("x");
         client.wait_for_reset();
         descriptor server = listener.accept("server");
         server.poll();
         server.error();
       },
       R"(
listener shutdown SHUT_RDWR -> ENOTCONN
listener listen 8 -> 0
client send "x" -> 1
listener accept -> server
server poll -> IN|OUT|ERR|HUP|RDHUP
server SO_ERROR -> ECONNRESET
)"},
      {"Z8", "an urgent byte to oneself",
       [](machine& m) {
         descriptor self = m.bound(SOCK_STREAM, "self");
         self.connect(self.local());
         self.wait(POLLOUT);
         self.send("!", MSG_OOB);
         self.wait(POLLPRI);
         self.poll();
       },
       R"(
self connect 127.0.0.1:#1 -> EINPROGRESS
self send "!" MSG_OOB -> 1
self poll -> PRI|OUT
)"},
  };
}

}  // namespace lockstep::sockets
