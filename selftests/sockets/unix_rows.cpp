// Table 1.4 of the reference: connections and datagrams.
#include "rows.hpp"

#include <poll.h>
#include <sys/ioctl.h>

#include <linux/sockios.h>

#include <string>

namespace lockstep::sockets {
namespace {

descriptor listening_at(machine& m, const address& where, int backlog = 4) {
  descriptor made = m.socket(AF_UNIX, SOCK_STREAM, "listener");
  m.calls().bind(made.number(), where.get(), where.size);
  m.calls().listen(made.number(), backlog);
  return made;
}

}  // namespace

std::vector<row> unix_rows() {
  return {
      {"X3", "the backlog is full",
       [](machine& m) {
         descriptor listener = listening_at(m, m.path("name"), 1);
         for (const char* name : {"first", "second", "third"}) {
           m.socket(AF_UNIX, SOCK_STREAM, name).connect(m.path("name"));
         }
         listener.accept("server");
         descriptor fourth = m.socket(AF_UNIX, SOCK_STREAM, "fourth");
         fourth.connect(m.path("name"));
         listener.accept("server");
         listener.accept("server");
         listener.accept("server");
       },
       R"(
first connect name -> 0
second connect name -> 0
third connect name -> EAGAIN
listener accept -> server
fourth connect name -> 0
listener accept -> server
listener accept -> server
listener accept -> EAGAIN
)"},
      {"X4", "connect is done at once",
       [](machine& m) {
         descriptor listener = listening_at(m, m.path("name"));
         descriptor client = m.socket(AF_UNIX, SOCK_STREAM, "client");
         client.poll();
         listener.poll();
         client.connect(m.path("name"));
         client.poll();
         listener.poll();
         client.connect(m.path("name"));
         client.peer_name();
         client.local_name();
         client.send("early");
         descriptor server = listener.accept("server");
         server.poll();
         server.recv(9);
         server.recv(9);
         server.local_name();
         server.peer_name();
       },
       R"(
client poll -> OUT|HUP
listener poll -> -
client connect name -> 0
client poll -> OUT
listener poll -> IN
client connect name -> EISCONN
client getpeername -> name
client getsockname -> no name
client send "early" -> 5
listener accept -> server
server poll -> IN|OUT
server recv 9 -> "early"
server recv 9 -> EAGAIN
server getsockname -> name
server getpeername -> no name
)"},
      {"X4", "the client is gone before accept",
       [](machine& m) {
         descriptor listener = listening_at(m, m.path("name"));
         descriptor client = m.connecting(listener);
         client.send("hello");
         client.close();
         descriptor server = listener.accept("server");
         server.poll();
         server.recv(9);
         server.recv(9);
         server.send("x");
       },
       R"(
client send "hello" -> 5
client close -> 0
listener accept -> server
server poll -> IN|OUT|HUP|RDHUP
server recv 9 -> "hello"
server recv 9 -> 0
server send "x" -> EPIPE
)"},
      {"X4", "the listener is closed with connections",
       [](machine& m) {
         descriptor listener = listening_at(m, m.path("name"));
         descriptor client = m.connecting(listener);
         listener.close();
         client.poll();
         client.recv(9);
         client.recv(9);
         client.send("x");
       },
       R"(
listener close -> 0
client poll -> IN|OUT|ERR|HUP|RDHUP
client recv 9 -> ECONNRESET
client recv 9 -> 0
client send "x" -> EPIPE
)"},
      {"X4", "listen and accept of the wrong socket",
       [](machine& m) {
         descriptor fresh = m.socket(AF_UNIX, SOCK_STREAM, "fresh");
         fresh.listen(1);
         fresh.accept("server");
         descriptor datagrams = m.socket(AF_UNIX, SOCK_DGRAM, "datagrams");
         datagrams.bind(m.path("datagrams"));
         datagrams.listen(1);
         datagrams.accept("server");
         listening_at(m, m.path("name")).accept("server");
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         a.listen(1);
         a.accept("server");
       },
       R"(
fresh listen 1 -> EINVAL
fresh accept -> EINVAL
datagrams bind datagrams -> 0
datagrams listen 1 -> EOPNOTSUPP
datagrams accept -> EOPNOTSUPP
listener accept -> EAGAIN
a listen 1 -> EINVAL
a accept -> EINVAL
)"},
      {"X5", "a clean close",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         a.send("hello");
         a.close();
         b.poll();
         b.recv(9);
         b.recv(9);
         b.send("x");
         b.error();
       },
       R"(
a send "hello" -> 5
a close -> 0
b poll -> IN|OUT|HUP|RDHUP
b recv 9 -> "hello"
b recv 9 -> 0
b send "x" -> EPIPE
b SO_ERROR -> 0
)"},
      {"X5", "a close with unread bytes",
       [](machine& m) {
         for (const int type : {SOCK_STREAM, SOCK_SEQPACKET}) {
           auto [a, b] = m.unix_pair(type);
           a.send("hello");
           b.send("mine");
           b.close();
           a.poll();
           a.recv(9);
           a.recv(9);
           a.recv(9);
           a.send("x");
         }
       },
       R"(
a send "hello" -> 5
b send "mine" -> 4
b close -> 0
a poll -> IN|OUT|ERR|HUP|RDHUP
a recv 9 -> "mine"
a recv 9 -> ECONNRESET
a recv 9 -> 0
a send "x" -> EPIPE
a send "hello" -> 5
b send "mine" -> 4
b close -> 0
a poll -> IN|OUT|ERR|HUP|RDHUP
a recv 9 -> ECONNRESET
a recv 9 -> "mine"
a recv 9 -> 0
a send "x" -> EPIPE
)"},
      {"X5", "a half close",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         a.send("request");
         a.shutdown(SHUT_WR);
         a.poll();
         b.poll();
         b.recv(9);
         b.recv(9);
         b.send("answer");
         a.recv(9);
         a.send("x");
         b.shutdown(SHUT_WR);
         a.poll();
         b.poll();
         a.shutdown(SHUT_WR);
       },
       R"(
a send "request" -> 7
a shutdown SHUT_WR -> 0
a poll -> OUT
b poll -> IN|OUT|RDHUP
b recv 9 -> "request"
b recv 9 -> 0
b send "answer" -> 6
a recv 9 -> "answer"
a send "x" -> EPIPE
b shutdown SHUT_WR -> 0
a poll -> IN|OUT|HUP|RDHUP
b poll -> IN|OUT|HUP|RDHUP
a shutdown SHUT_WR -> 0
)"},
      {"X5", "an end of reading",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         a.send("queued");
         b.shutdown(SHUT_RD);
         a.poll();
         a.send("x");
         b.recv(9);
         b.recv(9);
         b.send("still");
         a.recv(9);
       },
       R"(
a send "queued" -> 6
b shutdown SHUT_RD -> 0
a poll -> OUT
a send "x" -> EPIPE
b recv 9 -> "queued"
b recv 9 -> 0
b send "still" -> 5
a recv 9 -> "still"
)"},
      {"X5", "packets keep their bounds",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_SEQPACKET);
         a.send("first");
         a.send("second");
         a.send("");
         a.send("third");
         b.recv(9);
         b.recv_from(3);
         b.recv(9);
         b.recv(9);
         b.recv(9);
         a.close();
         b.recv(9);
         b.send("x");
       },
       R"(
a send "first" -> 5
a send "second" -> 6
a send "" -> 0
a send "third" -> 5
b recv 9 -> "first"
b recvmsg 3 -> "sec" MSG_TRUNC from nobody
b recv 9 -> 0
b recv 9 -> "third"
b recv 9 -> EAGAIN
a close -> 0
b recv 9 -> 0
b send "x" -> EPIPE
)"},
      {"X5", "a stream has no bounds",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         a.send("one");
         a.send("two");
         a.send("");
         b.recv(2, MSG_PEEK);
         b.recv(4);
         b.recv(9);
         b.recv(9);
         b.recv(0);
       },
       R"(
a send "one" -> 3
a send "two" -> 3
a send "" -> 0
b recv 2 MSG_PEEK -> "on"
b recv 4 -> "onet"
b recv 9 -> "wo"
b recv 9 -> EAGAIN
b recv 0 -> EAGAIN
)"},
      {"X5", "a full buffer",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         const std::size_t sent = a.fill(4096);
         a.poll();
         a.send("x");
         m.says("all come", b.drain(1000) == sent ? "yes" : "no");
         a.poll();
         a.send("x");
       },
       R"(
a poll -> -
a send "x" -> EAGAIN
all come -> yes
a poll -> OUT
a send "x" -> 1
)"},
      {"X5", "how much is queued",
       [](machine& m) {
         for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
           auto [a, b] = m.unix_pair(type);
           a.send("one");
           a.send("four");
           int count = -1;
           m.calls().ioctl(b.number(), FIONREAD, &count);
           m.says("b FIONREAD", count);
           m.says("a SIOCOUTQ is more than 0",
                  m.calls().ioctl(a.number(), SIOCOUTQ, &count) == 0 && count > 0 ? "yes" : "no");
           b.recv(9);
           b.recv(9);
           m.calls().ioctl(a.number(), SIOCOUTQ, &count);
           m.says("a SIOCOUTQ", count);
         }
       },
       R"(
a send "one" -> 3
a send "four" -> 4
b FIONREAD -> 7
a SIOCOUTQ is more than 0 -> yes
b recv 9 -> "onefour"
b recv 9 -> EAGAIN
a SIOCOUTQ -> 0
a send "one" -> 3
a send "four" -> 4
b FIONREAD -> 3
a SIOCOUTQ is more than 0 -> yes
b recv 9 -> "one"
b recv 9 -> "four"
a SIOCOUTQ -> 0
a send "one" -> 3
a send "four" -> 4
b FIONREAD -> 7
a SIOCOUTQ is more than 0 -> yes
b recv 9 -> "one"
b recv 9 -> "four"
a SIOCOUTQ -> 0
)"},
      {"X5", "a buffer is writable when a quarter is left",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         const std::size_t sent = a.fill(4096);
         std::size_t read = 0;
         while ((a.ready() & POLLOUT) == 0) read += b.drain(4096, 4096);
         m.says("more than 70 of 100 are read", read * 100 > sent * 70 ? "yes" : "no");
         m.says("more than 80 of 100 are read", read * 100 > sent * 80 ? "yes" : "no");
         a.poll();
       },
       R"(
more than 70 of 100 are read -> yes
more than 80 of 100 are read -> no
a poll -> OUT
)"},
      {"X6", "how much fits",
       [](machine& m) {
         for (const int piece : {4096, 1}) {
           auto [a, b] = m.unix_pair(SOCK_STREAM);
           a.must_set(LOCKSTEP_OPTION(SOL_SOCKET, SO_SNDBUF), 106'496);
           m.says("bytes by pieces of " + std::to_string(piece),
                  static_cast<std::int64_t>(a.fill(static_cast<std::size_t>(piece))));
         }
       },
       R"(
bytes by pieces of 4096 -> 180224
bytes by pieces of 1 -> 278
)"},
      {"X7", "datagrams between names",
       [](machine& m) {
         descriptor one = m.socket(AF_UNIX, SOCK_DGRAM, "one");
         descriptor two = m.socket(AF_UNIX, SOCK_DGRAM, "two");
         two.bind(m.path("two"));
         one.send_to("x", m.path("two"));
         two.recv_from(9);
         one.bind(m.path("one"));
         one.send_to("hello", m.path("two"));
         two.recv_from(3);
         two.recv_from(9);
         one.send("x");
         one.send_to("x", m.path("missing"));
         one.connect(m.path("two"));
         one.send("connected");
         two.recv_from(40);
         two.send_to("back", m.path("one"));
         one.recv_from(9);
         m.socket(AF_UNIX, SOCK_DGRAM, "other").send_to("x", m.path("one"));
       },
       R"(
two bind two -> 0
one send "x" to two -> 1
two recvmsg 9 -> "x" from nobody
one bind one -> 0
one send "hello" to two -> 5
two recvmsg 3 -> "hel" MSG_TRUNC from one
two recvmsg 9 -> EAGAIN
one send "x" -> ENOTCONN
one send "x" to missing -> ENOENT
one connect two -> 0
one send "connected" -> 9
two recvmsg 40 -> "connected" from one
two send "back" to one -> 4
one recvmsg 9 -> "back" from two
other send "x" to one -> EPERM
)"},
      {"X7", "datagrams and a full queue",
       [](machine& m) {
         descriptor one = m.socket(AF_UNIX, SOCK_DGRAM, "one");
         descriptor two = m.socket(AF_UNIX, SOCK_DGRAM, "two");
         two.bind(m.path("two"));
         one.connect(m.path("two"));
         int count = 0;
         while (m.calls().send(one.number(), "x", 1, 0) == 1) ++count;
         m.says("taken", count);
         one.send("x");
         one.poll();
         two.recv(9);
         one.poll();
         one.send("x");
       },
       R"(
two bind two -> 0
one connect two -> 0
taken -> 11
one send "x" -> EAGAIN
one poll -> -
two recv 9 -> "x"
one poll -> OUT
one send "x" -> 1
)",
       needs::own_network},
      {"X7", "a datagram that is too large",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_DGRAM);
         a.must_set(LOCKSTEP_OPTION(SOL_SOCKET, SO_SNDBUF), 10'000);
         a.send(std::string(20'000, 'x'));
         a.send(std::string(19'000, 'x'));
         b.recv(30'000);
       },
       R"(
a send 20000 bytes -> EMSGSIZE
a send 19000 bytes -> 19000
b recv 30000 -> 19000 bytes
)"},
      {"X7", "what is told of datagrams",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_DGRAM);
         a.poll();
         b.send("");
         a.poll();
         a.recv_from(9);
         a.recv(9);
         b.send("x");
         a.shutdown(SHUT_RD);
         a.poll();
         a.recv(9);
         a.recv(9);
         b.send("x");
         a.shutdown(SHUT_WR);
         a.poll();
         b.poll();
         b.close();
         a.poll();
       },
       R"(
a poll -> OUT
b send "" -> 0
a poll -> IN|OUT
a recvmsg 9 -> "" from nobody
a recv 9 -> EAGAIN
b send "x" -> 1
a shutdown SHUT_RD -> 0
a poll -> IN|OUT|RDHUP
a recv 9 -> "x"
a recv 9 -> EAGAIN
b send "x" -> EPIPE
a shutdown SHUT_WR -> 0
a poll -> IN|OUT|HUP|RDHUP
b poll -> OUT
b close -> 0
a poll -> IN|OUT|HUP|RDHUP
)"},
      {"X7", "the peer of datagrams is gone",
       [](machine& m) {
         descriptor one = m.socket(AF_UNIX, SOCK_DGRAM, "one");
         descriptor two = m.socket(AF_UNIX, SOCK_DGRAM, "two");
         two.bind(m.path("two"));
         one.connect(m.path("two"));
         two.close();
         one.poll();
         one.send("x");
         one.send("x");
         one.send_to("x", m.path("two"));
         auto [a, b] = m.unix_pair(SOCK_DGRAM);
         a.send("queued");
         a.close();
         b.recv(9);
         b.recv(9);
         b.send("x");
       },
       R"(
two bind two -> 0
one connect two -> 0
two close -> 0
one poll -> OUT
one send "x" -> ECONNREFUSED
one send "x" -> ENOTCONN
one send "x" to two -> ECONNREFUSED
a send "queued" -> 6
a close -> 0
b recv 9 -> "queued"
b recv 9 -> EAGAIN
b send "x" -> ECONNREFUSED
)"},
  };
}

}  // namespace lockstep::sockets
