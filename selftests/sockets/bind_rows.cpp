// Table 1.1 of the reference, bind(). Who binds a port again needs the network for himself: another process could take
// it, or has it at another address.
#include "rows.hpp"

#include <poll.h>

#include <string>
#include <vector>

namespace lockstep::sockets {
namespace {

constexpr option reuse_address = LOCKSTEP_OPTION(SOL_SOCKET, SO_REUSEADDR);
constexpr option reuse_port = LOCKSTEP_OPTION(SOL_SOCKET, SO_REUSEPORT);
constexpr option v6_only = LOCKSTEP_OPTION(IPPROTO_IPV6, IPV6_V6ONLY);

// A second socket is bound to the port of a first.
struct two_binds {
  const char* first;
  const char* second;
  bool first_reuses;
  bool second_reuses;
  bool first_listens;
  int type = SOCK_STREAM;
  option by = reuse_address;
};

void second_bind(machine& m, const two_binds& how) {
  const auto bound = [&m, &how](const address& to, bool reuses, const char* name) {
    descriptor made = m.socket(to.bytes.ss_family, how.type, name);
    if (reuses) made.must_set(how.by, 1);
    return std::pair(made, m.calls().bind(made.number(), to.get(), to.size));
  };
  const auto [first, result] = bound(v4(how.first), how.first_reuses, "first");
  if (result < 0) m.ends("first bind: " + result_text(result));
  if (how.first_listens) m.calls().listen(first.number(), 1);
  const auto [second, then] = bound(v4(how.second, port_of(first.local())), how.second_reuses, "second");
  std::string call = std::string(how.first) + (how.first_reuses ? " reuse" : "") +
                     (how.first_listens ? " listens" : "") + ", " + how.second + (how.second_reuses ? " reuse" : "");
  m.says(call, then);
  if (then == 0 && how.type == SOCK_STREAM) {
    m.says("  second listens", m.calls().listen(second.number(), 1));
    m.says("  first listens", m.calls().listen(first.number(), 1));
  }
  m.calls().close(first.number());
  m.calls().close(second.number());
}

// A connection whose first end closes first, so that its port is in TIME_WAIT, and its listener is gone too.
address ended_by_the_server(machine& m, bool listener_reuses) {
  descriptor listener = m.tcp("listener");
  if (listener_reuses) listener.must_set(reuse_address, 1);
  const address any = v4("127.0.0.1");
  m.calls().bind(listener.number(), any.get(), any.size);
  m.calls().listen(listener.number(), 1);
  descriptor client = m.connecting(listener);
  listener.wait(POLLIN);
  const int server = m.calls().accept4(listener.number(), nullptr, nullptr, SOCK_NONBLOCK);
  const address was = listener.local();
  m.calls().close(listener.number());
  m.calls().close(server);
  client.wait(POLLRDHUP);
  m.calls().shutdown(client.number(), SHUT_WR);
  client.wait_for_acknowledgement();
  return was;
}

void rebind(machine& m, const address& was, bool reuses) {
  descriptor next = m.tcp(reuses ? "reusing" : "next");
  if (reuses) next.must_set(reuse_address, 1);
  if (next.bind(was) == 0) next.listen(1);
  m.calls().close(next.number());
}

}  // namespace

std::vector<row> bind_rows() {
  return {
      {"B1", "the same address",
       [](machine& m) {
         for (const bool listens : {false, true}) {
           second_bind(m, {"127.0.0.1", "127.0.0.1", false, false, listens});
           second_bind(m, {"127.0.0.1", "127.0.0.1", true, false, listens});
           second_bind(m, {"127.0.0.1", "127.0.0.1", false, true, listens});
           second_bind(m, {"127.0.0.1", "127.0.0.1", true, true, listens});
         }
       },
       R"(
127.0.0.1, 127.0.0.1 -> EADDRINUSE
127.0.0.1 reuse, 127.0.0.1 -> EADDRINUSE
127.0.0.1, 127.0.0.1 reuse -> EADDRINUSE
127.0.0.1 reuse, 127.0.0.1 reuse -> 0
  second listens -> 0
  first listens -> EADDRINUSE
127.0.0.1 listens, 127.0.0.1 -> EADDRINUSE
127.0.0.1 reuse listens, 127.0.0.1 -> EADDRINUSE
127.0.0.1 listens, 127.0.0.1 reuse -> EADDRINUSE
127.0.0.1 reuse listens, 127.0.0.1 reuse -> EADDRINUSE
)",
       needs::own_network},
      {"B1", "any address and one",
       [](machine& m) {
         for (const bool listens : {false, true}) {
           second_bind(m, {"0.0.0.0", "127.0.0.1", false, false, listens});
           second_bind(m, {"0.0.0.0", "127.0.0.1", true, true, listens});
           second_bind(m, {"127.0.0.1", "0.0.0.0", false, false, listens});
           second_bind(m, {"127.0.0.1", "0.0.0.0", true, true, listens});
         }
       },
       R"(
0.0.0.0, 127.0.0.1 -> EADDRINUSE
0.0.0.0 reuse, 127.0.0.1 reuse -> 0
  second listens -> 0
  first listens -> EADDRINUSE
127.0.0.1, 0.0.0.0 -> EADDRINUSE
127.0.0.1 reuse, 0.0.0.0 reuse -> 0
  second listens -> 0
  first listens -> EADDRINUSE
0.0.0.0 listens, 127.0.0.1 -> EADDRINUSE
0.0.0.0 reuse listens, 127.0.0.1 reuse -> EADDRINUSE
127.0.0.1 listens, 0.0.0.0 -> EADDRINUSE
127.0.0.1 reuse listens, 0.0.0.0 reuse -> EADDRINUSE
)",
       needs::own_network},
      {"B1", "connections to a port that two listen at",
       [](machine& m) {
         descriptor one = m.tcp("one");
         descriptor other = m.tcp("other");
         one.must_set(reuse_port, 1);
         other.must_set(reuse_port, 1);
         const address any = v4("127.0.0.1");
         m.calls().bind(one.number(), any.get(), any.size);
         const address shared = one.local();
         m.says("the other binds", m.calls().bind(other.number(), shared.get(), shared.size));
         for (const descriptor* each : {&one, &other}) m.calls().listen(each->number(), 64);
         constexpr int many = 40;
         std::vector<descriptor> clients;
         for (int i = 0; i < many; ++i) clients.push_back(m.connecting(one));
         int taken = 0;
         const auto take_all = [&](const descriptor& from) {
           int count = 0;
           for (int got; (got = m.calls().accept4(from.number(), nullptr, nullptr, SOCK_NONBLOCK)) >= 0; ++count)
             m.calls().close(got);
           taken += count;
           return count != 0;
         };
         for (descriptor& each : clients) each.wait(POLLOUT);
         m.says("both have some", std::string(take_all(one) && take_all(other) ? "yes" : "no"));
         m.says("together", taken);
       },
       R"(
the other binds -> 0
both have some -> yes
together -> 40
)",
       needs::own_network},
      {"B1", "two addresses of the host",
       [](machine& m) {
         second_bind(m, {"127.0.0.1", "127.0.0.2", false, false, false});
         second_bind(m, {"127.0.0.1", "127.0.0.2", false, false, true});
       },
       R"(
127.0.0.1, 127.0.0.2 -> 0
  second listens -> 0
  first listens -> 0
127.0.0.1 listens, 127.0.0.2 -> 0
  second listens -> 0
  first listens -> 0
)",
       needs::own_network},
      {"B1", "a shared port",
       [](machine& m) {
         second_bind(m, {"127.0.0.1", "127.0.0.1", true, true, true, SOCK_STREAM, reuse_port});
         second_bind(m, {"127.0.0.1", "127.0.0.1", true, false, true, SOCK_STREAM, reuse_port});
         second_bind(m, {"127.0.0.1", "127.0.0.1", false, true, true, SOCK_STREAM, reuse_port});
         second_bind(m, {"0.0.0.0", "127.0.0.1", true, true, true, SOCK_STREAM, reuse_port});
       },
       R"(
127.0.0.1 reuse listens, 127.0.0.1 reuse -> 0
  second listens -> 0
  first listens -> 0
127.0.0.1 reuse listens, 127.0.0.1 -> EADDRINUSE
127.0.0.1 listens, 127.0.0.1 reuse -> EADDRINUSE
0.0.0.0 reuse listens, 127.0.0.1 reuse -> 0
  second listens -> 0
  first listens -> 0
)",
       needs::own_network},
      {"B1", "datagram sockets",
       [](machine& m) {
         second_bind(m, {"127.0.0.1", "127.0.0.1", false, false, false, SOCK_DGRAM});
         second_bind(m, {"127.0.0.1", "127.0.0.1", true, false, false, SOCK_DGRAM});
         second_bind(m, {"127.0.0.1", "127.0.0.1", true, true, false, SOCK_DGRAM});
         second_bind(m, {"0.0.0.0", "127.0.0.1", false, false, false, SOCK_DGRAM});
         second_bind(m, {"127.0.0.1", "127.0.0.2", false, false, false, SOCK_DGRAM});
         second_bind(m, {"127.0.0.1", "127.0.0.1", true, true, false, SOCK_DGRAM, reuse_port});
         second_bind(m, {"127.0.0.1", "127.0.0.1", true, false, false, SOCK_DGRAM, reuse_port});
       },
       R"(
127.0.0.1, 127.0.0.1 -> EADDRINUSE
127.0.0.1 reuse, 127.0.0.1 -> EADDRINUSE
127.0.0.1 reuse, 127.0.0.1 reuse -> 0
0.0.0.0, 127.0.0.1 -> EADDRINUSE
127.0.0.1, 127.0.0.2 -> 0
127.0.0.1 reuse, 127.0.0.1 reuse -> 0
127.0.0.1 reuse, 127.0.0.1 -> EADDRINUSE
)",
       needs::own_network},
      {"B1", "TCP and UDP share no ports",
       [](machine& m) {
         descriptor datagrams = m.bound(SOCK_DGRAM, "datagrams");
         m.tcp("stream").bind(datagrams.local());
       },
       R"(
stream bind 127.0.0.1:#1 -> 0
)",
       needs::own_network},
      {"B1", "the port of a connected client",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         m.tcp("next").bind(client.local());
         descriptor reusing = m.tcp("reusing");
         reusing.must_set(reuse_address, 1);
         reusing.bind(client.local());
       },
       R"(
next bind 127.0.0.1:#1 -> EADDRINUSE
reusing bind 127.0.0.1:#1 -> EADDRINUSE
)",
       needs::own_network},
      {"B2", "the server side in TIME WAIT",
       [](machine& m) {
         for (const bool old : {false, true}) {
           m.says("the listener reused", old ? "yes" : "no");
           const address was = ended_by_the_server(m, old);
           rebind(m, was, false);
           rebind(m, was, true);
         }
       },
       R"(
the listener reused -> no
next bind 127.0.0.1:#1 -> EADDRINUSE
reusing bind 127.0.0.1:#1 -> EADDRINUSE
the listener reused -> yes
next bind 127.0.0.1:#2 -> EADDRINUSE
reusing bind 127.0.0.1:#2 -> 0
reusing listen 1 -> 0
)",
       needs::own_network},
      {"B2", "a connection still lives",
       [](machine& m) {
         for (const bool old : {false, true}) {
           descriptor listener = m.tcp("listener");
           if (old) listener.must_set(reuse_address, 1);
           listener.bind(v4("127.0.0.1"));
           listener.listen(1);
           descriptor client = m.connecting(listener);
           listener.wait(POLLIN);
           listener.accept("server");
           const address was = listener.local();
           listener.close();
           rebind(m, was, false);
           rebind(m, was, true);
         }
       },
       R"(
listener bind 127.0.0.1:0 -> 0
listener listen 1 -> 0
listener accept -> server
listener close -> 0
next bind 127.0.0.1:#1 -> EADDRINUSE
reusing bind 127.0.0.1:#1 -> EADDRINUSE
listener bind 127.0.0.1:0 -> 0
listener listen 1 -> 0
listener accept -> server
listener close -> 0
next bind 127.0.0.1:#2 -> EADDRINUSE
reusing bind 127.0.0.1:#2 -> 0
reusing listen 1 -> 0
)",
       needs::own_network},
      {"B2", "the client side in TIME WAIT",
       [](machine& m) {
         descriptor listener = m.listening();
         descriptor client = m.connecting(listener);
         listener.wait(POLLIN);
         descriptor server = listener.accept("server");
         client.wait(POLLOUT);
         client.shutdown(SHUT_WR);
         server.wait(POLLRDHUP);
         server.close();
         client.wait(POLLHUP);
         client.close();
         const address was = listener.local();
         listener.close();
         rebind(m, was, false);
       },
       R"(
listener accept -> server
client shutdown SHUT_WR -> 0
server close -> 0
client close -> 0
listener close -> 0
next bind 127.0.0.1:#1 -> 0
next listen 1 -> 0
)",
       needs::own_network},
      {"B2", "the listener is closed and bound again",
       [](machine& m) {
         descriptor listener = m.listening();
         const address was = listener.local();
         listener.close();
         rebind(m, was, false);
       },
       R"(
listener close -> 0
next bind 127.0.0.1:#1 -> 0
next listen 1 -> 0
)",
       needs::own_network},
      {"B3", "the client takes its port again",
       [](machine& m) {
         descriptor listener = m.listening();
         descriptor client = m.connecting(listener);
         listener.wait(POLLIN);
         descriptor server = listener.accept("server");
         client.wait(POLLOUT);
         const address was = client.local();
         client.shutdown(SHUT_WR);
         server.wait(POLLRDHUP);
         server.close();
         client.wait(POLLHUP);
         client.close();
         descriptor next = m.tcp("next");
         next.bind(was);
         descriptor reusing = m.tcp("reusing");
         reusing.must_set(reuse_address, 1);
         reusing.bind(was);
         reusing.connect(listener.local());
         reusing.wait(POLLOUT);
         reusing.error();
       },
       R"(
listener accept -> server
client shutdown SHUT_WR -> 0
server close -> 0
client close -> 0
next bind 127.0.0.1:#1 -> EADDRINUSE
reusing bind 127.0.0.1:#1 -> EADDRINUSE
reusing connect 127.0.0.1:#2 -> EINPROGRESS
reusing SO_ERROR -> 0
)",
       needs::own_network},
      {"B3", "the client takes a port again that it may use again",
       [](machine& m) {
         descriptor listener = m.listening();
         descriptor client = m.tcp("client");
         client.must_set(reuse_address, 1);
         client.bind(v4("127.0.0.1"));
         client.connect(listener.local());
         listener.wait(POLLIN);
         descriptor server = listener.accept("server");
         const address was = client.local();
         client.shutdown(SHUT_WR);
         server.wait(POLLRDHUP);
         server.close();
         client.wait(POLLHUP);
         client.close();
         descriptor reusing = m.tcp("reusing");
         reusing.must_set(reuse_address, 1);
         reusing.bind(was);
         reusing.connect(listener.local());
         reusing.wait(POLLOUT);
         reusing.error();
       },
       R"(
client bind 127.0.0.1:0 -> 0
client connect 127.0.0.1:#1 -> EINPROGRESS
listener accept -> server
client shutdown SHUT_WR -> 0
server close -> 0
client close -> 0
reusing bind 127.0.0.1:#2 -> 0
reusing connect 127.0.0.1:#1 -> EINPROGRESS
reusing SO_ERROR -> 0
)",
       needs::own_network},
      {"B4", "addresses and sockets that cannot be bound",
       [](machine& m) {
         m.tcp("foreign").bind(v4("203.0.113.1"));
         m.udp("foreign datagrams").bind(v4("203.0.113.1"));
         descriptor twice = m.bound(SOCK_STREAM, "twice");
         twice.bind(v4("127.0.0.1"));
         auto [client, server] = m.tcp_pair();
         client.bind(v4("127.0.0.1"));
         address cut = v4("127.0.0.1");
         cut.size = 8;
         m.tcp("short").bind(cut);
         m.tcp("six for four").bind(v6("::1"));
         m.socket(AF_INET6, SOCK_STREAM, "four for six").bind(v4("127.0.0.1"));
         m.tcp("broadcast").bind(v4("255.255.255.255"));
         m.tcp("multicast").bind(v4("224.0.0.1"));
         m.udp("multicast datagrams").bind(v4("224.0.0.1"));
         m.tcp("whole net").bind(v4("127.9.9.9"));
       },
       R"(
foreign bind 203.0.113.1:0 -> EADDRNOTAVAIL
foreign datagrams bind 203.0.113.1:0 -> EADDRNOTAVAIL
twice bind 127.0.0.1:0 -> EINVAL
client bind 127.0.0.1:0 -> EINVAL
short bind 127.0.0.1:0 -> EINVAL
six for four bind [::1]:0 -> EAFNOSUPPORT
four for six bind 127.0.0.1:0 -> EINVAL
broadcast bind 255.255.255.255:0 -> 0
multicast bind 224.0.0.1:0 -> 0
multicast datagrams bind 224.0.0.1:0 -> 0
whole net bind 127.9.9.9:0 -> 0
)"},
      {"B4", "a port of the kernel's choice",
       [](machine& m) {
         descriptor one = m.bound(SOCK_STREAM, "one");
         descriptor two = m.bound(SOCK_STREAM, "two");
         one.local_name();
         two.local_name();
         descriptor fresh = m.tcp("fresh");
         fresh.local_name();
         fresh.bind(v4("0.0.0.0"));
         fresh.local_name();
         const std::uint16_t port = port_of(one.local());
         m.says("not privileged", port >= 1024 ? "yes" : "no");
       },
       R"(
one getsockname -> 127.0.0.1:#1
two getsockname -> 127.0.0.1:#2
fresh getsockname -> 0.0.0.0:0
fresh bind 0.0.0.0:0 -> 0
fresh getsockname -> 0.0.0.0:#3
not privileged -> yes
)"},
      {"B4", "a privileged port", [](machine& m) { m.tcp("client").bind(v4("127.0.0.1", 80)); }, R"(
client bind 127.0.0.1:#1 -> EACCES
)",
       needs::simulation, "depends on who runs the test"},
      {"B5", "one socket for both families",
       [](machine& m) {
         descriptor both = m.socket(AF_INET6, SOCK_STREAM, "both");
         both.set(v6_only, 0);
         both.bind(v6("::"));
         both.listen(4);
         const std::uint16_t port = port_of(both.local());
         descriptor client = m.tcp("client");
         client.connect(v4("127.0.0.1", port));
         both.wait(POLLIN);
         descriptor server = both.accept("server");
         server.local_name();
         server.peer_name();
         client.peer_name();
         m.tcp("four").bind(v4("0.0.0.0", port));
         m.tcp("one").bind(v4("127.0.0.1", port));
         descriptor six = m.socket(AF_INET6, SOCK_STREAM, "six");
         six.connect(v6("::1", port));
         both.wait(POLLIN);
         both.accept("server").peer_name();
       },
       R"(
both set IPV6_V6ONLY 0 -> 0
both bind [::]:0 -> 0
both listen 4 -> 0
client connect 127.0.0.1:#1 -> EINPROGRESS
both accept -> server
server getsockname -> [::ffff:127.0.0.1]:#1
server getpeername -> [::ffff:127.0.0.1]:#2
client getpeername -> 127.0.0.1:#1
four bind 0.0.0.0:#1 -> EADDRINUSE
one bind 127.0.0.1:#1 -> EADDRINUSE
six connect [::1]:#1 -> EINPROGRESS
both accept -> server
server getpeername -> [::1]:#3
)",
       needs::own_network},
      {"B5", "one family only",
       [](machine& m) {
         descriptor six = m.socket(AF_INET6, SOCK_STREAM, "six");
         six.set(v6_only, 1);
         six.bind(v6("::"));
         six.listen(4);
         const std::uint16_t port = port_of(six.local());
         descriptor client = m.tcp("client");
         client.connect(v4("127.0.0.1", port));
         client.wait(POLLOUT);
         client.error();
         m.tcp("four").bind(v4("0.0.0.0", port));
         six.set(v6_only, 0);
         m.socket(AF_INET6, SOCK_STREAM, "default").get(v6_only);
       },
       R"(
six set IPV6_V6ONLY 1 -> 0
six bind [::]:0 -> 0
six listen 4 -> 0
client connect 127.0.0.1:#1 -> EINPROGRESS
client SO_ERROR -> ECONNREFUSED
four bind 0.0.0.0:#1 -> 0
six set IPV6_V6ONLY 0 -> EINVAL
default get IPV6_V6ONLY -> 0
)",
       needs::own_network},
      {"B5", "a mapped address reaches the other family",
       [](machine& m) {
         descriptor listener = m.listening();
         descriptor six = m.socket(AF_INET6, SOCK_STREAM, "six");
         six.connect(v6("::ffff:127.0.0.1", port_of(listener.local())));
         six.wait(POLLOUT);
         six.error();
         six.peer_name();
         six.local_name();
         listener.accept("server").peer_name();
       },
       R"(
six connect [::ffff:127.0.0.1]:#1 -> EINPROGRESS
six SO_ERROR -> 0
six getpeername -> [::ffff:127.0.0.1]:#1
six getsockname -> [::ffff:127.0.0.1]:#2
listener accept -> server
server getpeername -> 127.0.0.1:#2
)",
       needs::own_network},
  };
}

}  // namespace lockstep::sockets
