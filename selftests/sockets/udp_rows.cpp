// Table 1.3 of the reference.
#include "rows.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <string>

namespace lockstep::sockets {
namespace {

// "one" and "two", each connected to the other.
std::pair<descriptor, descriptor> udp_pair(machine& m) {
  descriptor one = m.bound(SOCK_DGRAM, "one");
  descriptor two = m.bound(SOCK_DGRAM, "two");
  const address first = one.local(), second = two.local();
  m.calls().connect(one.number(), second.get(), second.size);
  m.calls().connect(two.number(), first.get(), first.size);
  return {one, two};
}

}  // namespace

std::vector<row> udp_rows() {
  return {
      {"U1", "a datagram is cut",
       [](machine& m) {
         auto [one, two] = udp_pair(m);
         for (int i = 0; i < 4; ++i) one.send("hello");
         two.wait(POLLIN);
         two.recv(3);
         two.wait(POLLIN);
         two.recv_from(3);
         two.wait(POLLIN);
         two.recv(3, MSG_TRUNC);
         two.wait(POLLIN);
         two.recv_from(5);
         two.recv(3);
       },
       R"(
one send "hello" -> 5
one send "hello" -> 5
one send "hello" -> 5
one send "hello" -> 5
two recv 3 -> "hel"
two recvmsg 3 -> "hel" MSG_TRUNC from 127.0.0.1:#1
two recv 3 MSG_TRUNC -> "hel" of 5
two recvmsg 5 -> "hello" from 127.0.0.1:#1
two recv 3 -> EAGAIN
)"},
      {"U1", "an empty datagram",
       [](machine& m) {
         auto [one, two] = udp_pair(m);
         one.send("");
         two.wait(POLLIN);
         two.poll();
         two.recv(9);
         two.recv(9);
         one.send("");
         two.wait(POLLIN);
         two.recv_from(9);
       },
       R"(
one send "" -> 0
two poll -> IN|OUT
two recv 9 -> 0
two recv 9 -> EAGAIN
one send "" -> 0
two recvmsg 9 -> "" from 127.0.0.1:#1
)"},
      {"U1", "each datagram is one read",
       [](machine& m) {
         auto [one, two] = udp_pair(m);
         one.send("first");
         one.write("second");
         std::string head = "th", tail = "ird";
         iovec pieces[] = {{head.data(), 2}, {tail.data(), 3}};
         m.says("one writev", m.calls().writev(one.number(), pieces, 2));
         for (int i = 0; i < 3; ++i) {
           two.wait(POLLIN);
           two.read(40);
         }
         two.recv(0);
       },
       R"(
one send "first" -> 5
one write "second" -> 6
one writev -> 5
two read 40 -> "first"
two read 40 -> "second"
two read 40 -> "third"
two recv 0 -> EAGAIN
)"},
      {"U1", "peek and how much is queued",
       [](machine& m) {
         auto [one, two] = udp_pair(m);
         one.send("hello");
         one.send("x");
         two.wait(POLLIN);
         int count = -1;
         m.calls().ioctl(two.number(), FIONREAD, &count);
         m.says("two FIONREAD", count);
         two.recv(3, MSG_PEEK);
         two.recv(3, MSG_PEEK | MSG_TRUNC);
         two.recv(0);
         two.wait(POLLIN);
         two.recv(9);
       },
       R"(
one send "hello" -> 5
one send "x" -> 1
two FIONREAD -> 5
two recv 3 MSG_PEEK -> "hel"
two recv 3 MSG_PEEK MSG_TRUNC -> "hel" of 5
two recv 0 -> 0
two recv 9 -> "x"
)"},
      {"U2", "nobody at the port of a connected socket",
       [](machine& m) {
         descriptor one = m.udp("one");
         one.connect(m.deaf_datagram_address());
         one.send("x");
         one.wait(POLLERR);
         one.poll();
         one.send("x");
         one.send("x");
         one.wait(POLLERR);
         one.recv(9);
         one.recv(9);
         one.send("x");
         one.wait(POLLERR);
         one.error();
         one.error();
         one.poll();
       },
       R"(
one connect 127.0.0.1:#1 -> 0
one send "x" -> 1
one poll -> OUT|ERR
one send "x" -> ECONNREFUSED
one send "x" -> 1
one recv 9 -> ECONNREFUSED
one recv 9 -> EAGAIN
one send "x" -> 1
one SO_ERROR -> ECONNREFUSED
one SO_ERROR -> 0
one poll -> OUT
)"},
      {"U2", "nobody at the port and no connection",
       [](machine& m) {
         descriptor one = m.udp("one");
         descriptor two = m.bound(SOCK_DGRAM, "two");
         one.send_to("x", m.deaf_datagram_address());
         one.send_to("y", two.local());
         two.wait(POLLIN);
         one.poll();
         one.error();
         one.recv(9);
       },
       R"(
one send "x" to 127.0.0.1:#1 -> 1
one send "y" to 127.0.0.1:#2 -> 1
one poll -> OUT
one SO_ERROR -> 0
one recv 9 -> EAGAIN
)"},
      {"U2", "nobody at the port and the error is asked for",
       [](machine& m) {
         descriptor one = m.udp("one");
         one.set(LOCKSTEP_OPTION(IPPROTO_IP, IP_RECVERR), 1);
         one.send_to("x", m.deaf_datagram_address());
         one.wait(POLLERR);
         one.recv(9);
         one.recv(9);
       },
       R"(
one set IP_RECVERR 1 -> 0
one send "x" to 127.0.0.1:#1 -> 1
one recv 9 -> ECONNREFUSED
one recv 9 -> EAGAIN
)"},
      {"U3", "nobody on the link",
       [](machine& m) {
         descriptor one = m.udp("one");
         one.set(LOCKSTEP_OPTION(IPPROTO_IP, IP_RECVERR), 1);
         one.send_to("x", m.host_address("nobody", 80));
         one.wait(POLLERR);
         one.recv(9);
         one.recv(9);
       },
       R"(
one set IP_RECVERR 1 -> 0
one send "x" to nobody:#1 -> 1
one recv 9 -> EHOSTUNREACH
one recv 9 -> EAGAIN
)",
       needs::simulation, "takes a link with an address that nobody has, and three seconds"},
      {"U4", "the largest datagram",
       [](machine& m) {
         auto [one, two] = udp_pair(m);
         one.send(std::string(65'508, 'x'));
         one.send(std::string(65'507, 'x'));
         two.wait(POLLIN);
         two.recv(70'000);
       },
       R"(
one send 65508 bytes -> EMSGSIZE
one send 65507 bytes -> 65507
two recv 70000 -> 65507 bytes
)"},
      {"U4", "a datagram of several packets",
       [](machine& m) {
         m.set_loopback(true, 1500);
         auto [one, two] = udp_pair(m);
         one.send(std::string(3000, 'x'));
         two.wait(POLLIN);
         two.recv(4000);
         one.set(LOCKSTEP_OPTION(IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_DO);
         one.send(std::string(1473, 'x'));
         one.send(std::string(1472, 'x'));
         two.wait(POLLIN);
         two.recv(4000);
       },
       R"(
one send 3000 bytes -> 3000
two recv 4000 -> 3000 bytes
one set IP_MTU_DISCOVER 2 -> 0
one send 1473 bytes -> EMSGSIZE
one send 1472 bytes -> 1472
two recv 4000 -> 1472 bytes
)",
       needs::own_network},
      {"U5", "a full buffer drops the newest",
       [](machine& m) {
         auto [one, two] = udp_pair(m);
         two.must_set(LOCKSTEP_OPTION(SOL_SOCKET, SO_RCVBUF), 2304);
         bool all_sent = true;
         for (int i = 0; i < 100; ++i) {
           const std::string text = std::to_string(i);
           all_sent = all_sent && m.calls().send(one.number(), text.data(), text.size(), 0) > 0;
         }
         m.says("each send succeeds", all_sent ? "yes" : "no");
         two.wait(POLLIN);
         two.recv(9);
         two.recv(9);
         std::string last(9, '\0');
         while (m.calls().recv(two.number(), last.data(), last.size(), 0) > 0) {
         }
         m.says("the last came", last.substr(0, 2) == "99" ? "yes" : "no");
         one.poll();
         one.send("again");
         two.wait(POLLIN);
         two.recv(9);
       },
       R"(
each send succeeds -> yes
two recv 9 -> "0"
two recv 9 -> "1"
the last came -> no
one poll -> OUT
one send "again" -> 5
two recv 9 -> "again"
)"},
      {"U6", "connect filters who is heard",
       [](machine& m) {
         descriptor one = m.bound(SOCK_DGRAM, "one");
         descriptor two = m.bound(SOCK_DGRAM, "two");
         descriptor other = m.bound(SOCK_DGRAM, "other");
         other.send_to("before", one.local());
         one.wait(POLLIN);
         one.connect(two.local());
         other.send_to("after", one.local());
         two.send_to("friend", one.local());
         one.wait(POLLIN);
         one.recv_from(9);
         one.wait(POLLIN);
         one.recv_from(9);
         one.recv_from(9);
         one.peer_name();
       },
       R"(
other send "before" to 127.0.0.1:#1 -> 6
one connect 127.0.0.1:#2 -> 0
other send "after" to 127.0.0.1:#1 -> 5
two send "friend" to 127.0.0.1:#1 -> 6
one recvmsg 9 -> "before" from 127.0.0.1:#3
one recvmsg 9 -> "friend" from 127.0.0.1:#2
one recvmsg 9 -> EAGAIN
one getpeername -> 127.0.0.1:#2
)"},
      {"U6", "no destination",
       [](machine& m) {
         descriptor one = m.udp("one");
         one.send("x");
         one.write("x");
         one.peer_name();
         one.recv(9);
         one.poll();
         one.send_to("x", v4("127.0.0.1", 0));
         one.send_to("x", v6("::1", 9));
         address cut = v4("127.0.0.1", 9);
         cut.size = 8;
         one.send_to("x", cut);
       },
       R"(
one send "x" -> EDESTADDRREQ
one write "x" -> EDESTADDRREQ
one getpeername -> ENOTCONN
one recv 9 -> EAGAIN
one poll -> OUT
one send "x" to 127.0.0.1:0 -> EINVAL
one send "x" to [::1]:#1 -> EAFNOSUPPORT
one send "x" to 127.0.0.1:#1 -> EINVAL
)"},
      {"U6", "a broadcast without the option",
       [](machine& m) {
         descriptor one = m.udp("one");
         one.send_to("x", v4("127.255.255.255", 9));
         one.connect(v4("127.255.255.255", 9));
         one.set(LOCKSTEP_OPTION(SOL_SOCKET, SO_BROADCAST), 1);
         one.send_to("x", v4("127.255.255.255", 9));
       },
       R"(
one send "x" to 127.255.255.255:#1 -> EACCES
one connect 127.255.255.255:#1 -> EACCES
one set SO_BROADCAST 1 -> 0
one send "x" to 127.255.255.255:#1 -> 1
)"},
      {"U6", "the first send takes a port",
       [](machine& m) {
         descriptor one = m.udp("one");
         descriptor two = m.bound(SOCK_DGRAM, "two");
         one.local_name();
         one.send_to("x", two.local());
         one.local_name();
         two.wait(POLLIN);
         two.recv_from(9);
       },
       R"(
one getsockname -> 0.0.0.0:0
one send "x" to 127.0.0.1:#1 -> 1
one getsockname -> 0.0.0.0:#2
two recvmsg 9 -> "x" from 127.0.0.1:#2
)"},
      {"U6", "connect takes an address and a port",
       [](machine& m) {
         descriptor one = m.udp("one");
         descriptor two = m.bound(SOCK_DGRAM, "two");
         one.connect(two.local());
         one.local_name();
         address none;
         none.size = sizeof(sa_family_t);
         one.connect(none);
         one.local_name();
         one.peer_name();
         one.send("x");
         one.connect(with_port(two.local(), 0));
         one.peer_name();
       },
       R"(
one connect 127.0.0.1:#1 -> 0
one getsockname -> 127.0.0.1:#2
one connect AF_UNSPEC -> 0
one getsockname -> 0.0.0.0:0
one getpeername -> ENOTCONN
one send "x" -> EDESTADDRREQ
one connect 127.0.0.1:0 -> 0
one getpeername -> ENOTCONN
)"},
      {"U6", "connect again and another destination",
       [](machine& m) {
         descriptor one = m.bound(SOCK_DGRAM, "one");
         descriptor two = m.bound(SOCK_DGRAM, "two");
         descriptor other = m.bound(SOCK_DGRAM, "other");
         one.connect(two.local());
         one.connect(other.local());
         one.send("to the second");
         other.wait(POLLIN);
         other.recv_from(40);
         one.send_to("elsewhere", two.local());
         two.wait(POLLIN);
         two.recv_from(40);
       },
       R"(
one connect 127.0.0.1:#1 -> 0
one connect 127.0.0.1:#2 -> 0
one send "to the second" -> 13
other recvmsg 40 -> "to the second" from 127.0.0.1:#3
one send "elsewhere" to 127.0.0.1:#1 -> 9
two recvmsg 40 -> "elsewhere" from 127.0.0.1:#3
)"},
      {"U6", "a socket sends to itself",
       [](machine& m) {
         descriptor one = m.bound(SOCK_DGRAM, "one");
         one.send_to("echo", one.local());
         one.wait(POLLIN);
         one.recv_from(9);
       },
       R"(
one send "echo" to 127.0.0.1:#1 -> 4
one recvmsg 9 -> "echo" from 127.0.0.1:#1
)"},
      {"U6", "shutdown of datagrams",
       [](machine& m) {
         m.udp("fresh").shutdown(SHUT_RDWR);
         auto [one, two] = udp_pair(m);
         two.send("queued");
         one.wait(POLLIN);
         one.shutdown(SHUT_RD);
         one.poll();
         one.recv(9);
         one.recv(9);
         one.shutdown(SHUT_WR);
         one.send("x");
         one.poll();
       },
       R"(
fresh shutdown SHUT_RDWR -> ENOTCONN
two send "queued" -> 6
one shutdown SHUT_RD -> 0
one poll -> IN|OUT|RDHUP
one recv 9 -> "queued"
one recv 9 -> EAGAIN
one shutdown SHUT_WR -> 0
one send "x" -> EPIPE
one poll -> IN|OUT|HUP|RDHUP
)"},
      {"U6", "any address hears all",
       [](machine& m) {
         descriptor any = m.udp("any");
         any.bind(v4("0.0.0.0"));
         descriptor one = m.bound(SOCK_DGRAM, "one");
         one.send_to("first", with_port(v4("127.0.0.1"), port_of(any.local())));
         one.send_to("second", with_port(v4("127.0.0.9"), port_of(any.local())));
         any.wait(POLLIN);
         any.recv_from(9);
         any.wait(POLLIN);
         any.recv_from(9);
       },
       R"(
any bind 0.0.0.0:0 -> 0
one send "first" to 127.0.0.1:#1 -> 5
one send "second" to 127.0.0.9:#1 -> 6
any recvmsg 9 -> "first" from 127.0.0.1:#2
any recvmsg 9 -> "second" from 127.0.0.1:#2
)"},
      {"U6", "one socket for both families",
       [](machine& m) {
         descriptor six = m.socket(AF_INET6, SOCK_DGRAM, "six");
         six.bind(v6("::"));
         descriptor four = m.bound(SOCK_DGRAM, "four");
         four.send_to("from four", with_port(v4("127.0.0.1"), port_of(six.local())));
         six.wait(POLLIN);
         six.recv_from(40);
         six.send_to("to four", with_port(v6("::ffff:127.0.0.1"), port_of(four.local())));
         four.wait(POLLIN);
         four.recv_from(40);
       },
       R"(
six bind [::]:0 -> 0
four send "from four" to 127.0.0.1:#1 -> 9
six recvmsg 40 -> "from four" from [::ffff:127.0.0.1]:#2
six send "to four" to [::ffff:127.0.0.1]:#2 -> 7
four recvmsg 40 -> "to four" from 127.0.0.1:#1
)"},
      {"U6", "the last of two sockets at a port hears",
       [](machine& m) {
         descriptor one = m.udp("one"), two = m.udp("two");
         one.must_set(LOCKSTEP_OPTION(SOL_SOCKET, SO_REUSEADDR), 1);
         two.must_set(LOCKSTEP_OPTION(SOL_SOCKET, SO_REUSEADDR), 1);
         one.bind(v4("127.0.0.1"));
         two.bind(one.local());
         m.udp("sender").send_to("x", one.local());
         two.wait(POLLIN);
         one.poll();
         two.recv(9);
       },
       R"(
one bind 127.0.0.1:0 -> 0
two bind 127.0.0.1:#1 -> 0
sender send "x" to 127.0.0.1:#1 -> 1
one poll -> OUT
two recv 9 -> "x"
)",
       needs::own_network},
      {"U6", "the more precise address hears",
       [](machine& m) {
         descriptor any = m.udp("any"), one = m.udp("one");
         any.must_set(LOCKSTEP_OPTION(SOL_SOCKET, SO_REUSEADDR), 1);
         one.must_set(LOCKSTEP_OPTION(SOL_SOCKET, SO_REUSEADDR), 1);
         one.bind(v4("127.0.0.1"));
         any.bind(with_port(v4("0.0.0.0"), port_of(one.local())));
         descriptor sender = m.udp("sender");
         sender.send_to("to one", one.local());
         sender.send_to("to any", with_port(v4("127.0.0.2"), port_of(one.local())));
         one.wait(POLLIN);
         one.recv(9);
         any.wait(POLLIN);
         any.recv(9);
       },
       R"(
one bind 127.0.0.1:0 -> 0
any bind 0.0.0.0:#1 -> 0
sender send "to one" to 127.0.0.1:#1 -> 6
sender send "to any" to 127.0.0.2:#1 -> 6
one recv 9 -> "to one"
any recv 9 -> "to any"
)",
       needs::own_network},
  };
}

}  // namespace lockstep::sockets
