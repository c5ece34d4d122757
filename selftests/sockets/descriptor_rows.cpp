// Descriptors: their numbers, flags and duplicates, and calls on the wrong kind.
// Source: dup(2), fcntl(2), socket(2).
#include "rows.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include <cstdint>
#include <string>

namespace lockstep::sockets {
namespace {

// Each call of sockets, on what is none, or on a number that is not open.
void all_socket_calls(machine& m, descriptor on) {
  on.bind(v4("127.0.0.1"));
  on.listen(1);
  on.accept("server");
  on.connect(v4("127.0.0.1", 9));
  on.send("x");
  on.recv(9);
  on.recv_from(9);
  on.shutdown(SHUT_WR);
  on.local_name();
  on.peer_name();
  on.error();
  on.set(LOCKSTEP_OPTION(SOL_SOCKET, SO_REUSEADDR), 1);
  m.says(on.name() + " send of nothing", m.calls().send(on.number(), nullptr, 0, 0));
}

}  // namespace

std::vector<row> descriptor_rows() {
  return {
      {"F1", "the lowest free number is taken",
       [](machine& m) {
         auto [reader, writer] = m.pipe();
         const int first = reader.number();
         m.says("writer is the next", writer.number() - first);
         descriptor third = m.named(m.calls().dup(reader.number()), "third");
         descriptor fourth = m.tcp("fourth");
         reader.close();
         third.close();
         m.says("socket", m.tcp("one").number() - first);
         m.says("eventfd", m.calls().eventfd(0, 0) - first);
         m.says("dup", m.calls().dup(fourth.number()) - first);
       },
       R"(
writer is the next -> 1
reader close -> 0
third close -> 0
socket -> 0
eventfd -> 2
dup -> 4
)"},
      {"F1", "dup3 takes the number that it is told",
       [](machine& m) {
         auto [reader, writer] = m.pipe();
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         m.says("dup3", m.calls().dup3(writer.number(), a.number(), O_CLOEXEC) - a.number());
         b.poll();
         a.write("x");
         reader.read(9);
         a.fcntl(F_GETFD, "F_GETFD");
         m.says("dup3 onto itself", m.calls().dup3(a.number(), a.number(), 0));
         m.says("dup3 with flag 1", m.calls().dup3(a.number(), b.number(), 1));
         m.says("dup3 of -1", m.calls().dup3(-1, b.number(), 0));
         m.says("dup3 onto -1", m.calls().dup3(a.number(), -1, 0));
         m.says("dup of -1", m.calls().dup(-1));
         b.poll();
       },
       R"(
dup3 -> 0
b poll -> IN|OUT|HUP|RDHUP
a write "x" -> 1
reader read 9 -> "x"
a F_GETFD -> 1
dup3 onto itself -> EINVAL
dup3 with flag 1 -> EINVAL
dup3 of -1 -> EBADF
dup3 onto -1 -> EBADF
dup of -1 -> EBADF
b poll -> IN|OUT|HUP|RDHUP
)"},
      {"F1", "a duplicate at or above a number",
       [](machine& m) {
         auto [reader, writer] = m.pipe();
         const int base = writer.number() + 40;
         m.says("F_DUPFD", m.calls().fcntl(reader.number(), F_DUPFD, base) - base);
         const int second = m.calls().fcntl(reader.number(), F_DUPFD_CLOEXEC, base);
         m.says("F_DUPFD_CLOEXEC", second - base);
         m.named(second, "second").fcntl(F_GETFD, "F_GETFD");
         m.named(base, "first").fcntl(F_GETFD, "F_GETFD");
         reader.fcntl(F_DUPFD, "F_DUPFD -1", -1);
       },
       R"(
F_DUPFD -> 0
F_DUPFD_CLOEXEC -> 1
second F_GETFD -> 1
first F_GETFD -> 0
reader F_DUPFD -1 -> EINVAL
)"},
      {"F2", "flags of a descriptor and of what is open",
       [](machine& m) {
         descriptor one = m.named(m.calls().socket(AF_INET, SOCK_STREAM, 0), "one");
         one.fcntl(F_GETFD, "F_GETFD");
         one.fcntl(F_GETFL, "F_GETFL");
         descriptor two = m.named(m.calls().dup(one.number()), "two");
         one.fcntl(F_SETFD, "F_SETFD 1", FD_CLOEXEC);
         one.fcntl(F_SETFL, "F_SETFL O_NONBLOCK", O_NONBLOCK);
         two.fcntl(F_GETFD, "F_GETFD");
         two.fcntl(F_GETFL, "F_GETFL");
         int on = 0;
         m.says("two FIONBIO 0", m.calls().ioctl(two.number(), FIONBIO, &on));
         one.fcntl(F_GETFL, "F_GETFL");
         m.says("two FIOCLEX", m.calls().ioctl(two.number(), FIOCLEX, nullptr));
         two.fcntl(F_GETFD, "F_GETFD");
         one.fcntl(999, "fcntl 999");
         m.says("one ioctl 999", m.calls().ioctl(one.number(), 999, &on));
       },
       R"(
one F_GETFD -> 0
one F_GETFL -> 2
one F_SETFD 1 -> 0
one F_SETFL O_NONBLOCK -> 0
two F_GETFD -> 0
two F_GETFL -> 2050
two FIONBIO 0 -> 0
one F_GETFL -> 2
two FIOCLEX -> 0
two F_GETFD -> 1
one fcntl 999 -> EINVAL
one ioctl 999 -> ENOTTY
)"},
      {"F3", "a number that is not open",
       [](machine& m) {
         descriptor gone = m.tcp("gone");
         gone.close();
         gone.close();
         all_socket_calls(m, gone);
         gone.read(9);
         gone.write("x");
         gone.fcntl(F_GETFL, "F_GETFL");
         int count = 0;
         m.says("gone FIONREAD", m.calls().ioctl(gone.number(), FIONREAD, &count));
         m.named(-1, "minus one").read(9);
         m.named(1'000'000, "million").read(9);
       },
       R"(
gone close -> 0
gone close -> EBADF
gone bind 127.0.0.1:0 -> EBADF
gone listen 1 -> EBADF
gone accept -> EBADF
gone connect 127.0.0.1:#1 -> EBADF
gone send "x" -> EBADF
gone recv 9 -> EBADF
gone recvmsg 9 -> EBADF
gone shutdown SHUT_WR -> EBADF
gone getsockname -> EBADF
gone getpeername -> EBADF
gone SO_ERROR -> EBADF
gone set SO_REUSEADDR 1 -> EBADF
gone send of nothing -> EBADF
gone read 9 -> EBADF
gone write "x" -> EBADF
gone F_GETFL -> EBADF
gone FIONREAD -> EBADF
minus one read 9 -> EBADF
million read 9 -> EBADF
)"},
      {"F3", "a pipe is no socket",
       [](machine& m) {
         auto [reader, writer] = m.pipe();
         all_socket_calls(m, reader);
       },
       R"(
reader bind 127.0.0.1:0 -> ENOTSOCK
reader listen 1 -> ENOTSOCK
reader accept -> ENOTSOCK
reader connect 127.0.0.1:#1 -> ENOTSOCK
reader send "x" -> ENOTSOCK
reader recv 9 -> ENOTSOCK
reader recvmsg 9 -> ENOTSOCK
reader shutdown SHUT_WR -> ENOTSOCK
reader getsockname -> ENOTSOCK
reader getpeername -> ENOTSOCK
reader SO_ERROR -> ENOTSOCK
reader set SO_REUSEADDR 1 -> ENOTSOCK
reader send of nothing -> ENOTSOCK
)"},
      {"F3", "an epoll can be neither read nor written",
       [](machine& m) {
         descriptor epoll = m.epoll();
         epoll.read(9);
         epoll.write("x");
         epoll.recv(9);
       },
       R"(
epoll read 9 -> EINVAL
epoll write "x" -> EINVAL
epoll recv 9 -> ENOTSOCK
)"},
      {"F4", "sockets that there are not",
       [](machine& m) {
         const auto tries = [&m](const char* what, int domain, int type, int protocol) {
           m.says_ok(what, m.calls().socket(domain, type, protocol));
         };
         tries("domain 999", 999, SOCK_STREAM, 0);
         tries("domain -1", -1, SOCK_STREAM, 0);
         tries("AF_UNSPEC", AF_UNSPEC, SOCK_STREAM, 0);
         tries("type 0", AF_INET, 0, 0);
         tries("type 99", AF_INET, 99, 0);
         tries("SOCK_SEQPACKET of AF_INET", AF_INET, SOCK_SEQPACKET, 0);
         tries("SOCK_RDM of AF_INET", AF_INET, SOCK_RDM, 0);
         tries("stream of UDP", AF_INET, SOCK_STREAM, IPPROTO_UDP);
         tries("datagrams of TCP", AF_INET, SOCK_DGRAM, IPPROTO_TCP);
         tries("protocol 999", AF_INET, SOCK_STREAM, 999);
         tries("protocol -1", AF_INET, SOCK_STREAM, -1);
         tries("stream of TCP", AF_INET, SOCK_STREAM, IPPROTO_TCP);
         tries("datagrams of UDP", AF_INET, SOCK_DGRAM, IPPROTO_UDP);
         tries("unix of TCP", AF_UNIX, SOCK_STREAM, IPPROTO_TCP);
         tries("unix of protocol 1", AF_UNIX, SOCK_STREAM, 1);
         tries("SOCK_RDM of AF_UNIX", AF_UNIX, SOCK_RDM, 0);
         tries("an unknown flag", AF_INET, SOCK_STREAM | 0x100000, 0);
       },
       R"(
domain 999 -> EAFNOSUPPORT
domain -1 -> EAFNOSUPPORT
AF_UNSPEC -> EAFNOSUPPORT
type 0 -> ESOCKTNOSUPPORT
type 99 -> EINVAL
SOCK_SEQPACKET of AF_INET -> ESOCKTNOSUPPORT
SOCK_RDM of AF_INET -> ESOCKTNOSUPPORT
stream of UDP -> EPROTONOSUPPORT
datagrams of TCP -> EPROTONOSUPPORT
protocol 999 -> EINVAL
protocol -1 -> EINVAL
stream of TCP -> ok
datagrams of UDP -> ok
unix of TCP -> EPROTONOSUPPORT
unix of protocol 1 -> ok
SOCK_RDM of AF_UNIX -> ESOCKTNOSUPPORT
an unknown flag -> EINVAL
)"},
      {"F4", "what a socket is",
       [](machine& m) {
         const auto tell = [](descriptor of) {
           of.get(LOCKSTEP_OPTION(SOL_SOCKET, SO_DOMAIN));
           of.get(LOCKSTEP_OPTION(SOL_SOCKET, SO_TYPE));
           of.get(LOCKSTEP_OPTION(SOL_SOCKET, SO_PROTOCOL));
           of.fcntl(F_GETFL, "F_GETFL");
         };
         tell(m.tcp("stream"));
         tell(m.udp("datagrams"));
         tell(m.socket(AF_INET6, SOCK_STREAM, "six"));
         tell(m.socket(AF_UNIX, SOCK_SEQPACKET, "packets"));
       },
       R"(
stream get SO_DOMAIN -> 2
stream get SO_TYPE -> 1
stream get SO_PROTOCOL -> 6
stream F_GETFL -> 2050
datagrams get SO_DOMAIN -> 2
datagrams get SO_TYPE -> 2
datagrams get SO_PROTOCOL -> 17
datagrams F_GETFL -> 2050
six get SO_DOMAIN -> 10
six get SO_TYPE -> 1
six get SO_PROTOCOL -> 6
six F_GETFL -> 2050
packets get SO_DOMAIN -> 1
packets get SO_TYPE -> 5
packets get SO_PROTOCOL -> 0
packets F_GETFL -> 2050
)"},
      {"F4", "sizes of names",
       [](machine& m) {
         descriptor one = m.bound(SOCK_STREAM, "one");
         for (const socklen_t room : {16U, 4U, 0U, 100U}) {
           address is;
           is.size = room;
           const int result = m.calls().getsockname(one.number(), is.get(), &is.size);
           m.says("getsockname with " + std::to_string(room) + " bytes",
                  result < 0 ? result_text(result) : std::to_string(is.size));
         }
         auto six = m.socket(AF_INET6, SOCK_STREAM, "six").local();
         m.says("size of AF_INET6", six.size);
         auto none = m.socket(AF_UNIX, SOCK_STREAM, "unix").local();
         m.says("size of AF_UNIX without a name", none.size);
       },
       R"(
getsockname with 16 bytes -> 16
getsockname with 4 bytes -> 16
getsockname with 0 bytes -> 16
getsockname with 100 bytes -> 16
size of AF_INET6 -> 28
size of AF_UNIX without a name -> 2
)"},
  };
}

}  // namespace lockstep::sockets
