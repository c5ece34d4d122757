// Table 1.1 of the reference, listen() and accept().
#include "rows.hpp"

#include <netinet/tcp.h>
#include <poll.h>

#include <string>

namespace lockstep::sockets {
namespace {

void fill_backlog(machine& m, int backlog) {
  descriptor listener = m.listening(backlog);
  for (int i = 0; i <= backlog; ++i) m.connecting(listener, "early").wait(POLLOUT);
  descriptor late = m.connecting(listener, "late");
  late.poll();
  int accepted = 0;
  while (m.calls().accept4(listener.number(), nullptr, nullptr, SOCK_NONBLOCK) >= 0) ++accepted;
  m.says("accepted of backlog " + std::to_string(backlog), accepted);
}

// What TCP_INFO says of a listener: connections that wait for accept, and how many may.
void tell_backlog(machine& m, const descriptor& listener) {
  tcp_info info{};
  socklen_t size = sizeof info;
  m.calls().getsockopt(listener.number(), IPPROTO_TCP, TCP_INFO, &info, &size);
  m.says(listener.name() + " has", std::to_string(info.tcpi_unacked) + " of " + std::to_string(info.tcpi_sacked));
}

}  // namespace

std::vector<row> tcp_listen_rows() {
  return {
      {"L1", "backlog n takes n plus 1",
       [](machine& m) {
         fill_backlog(m, 0);
         fill_backlog(m, 1);
         fill_backlog(m, 5);
       },
       R"(
late poll -> -
accepted of backlog 0 -> 1
late poll -> -
accepted of backlog 1 -> 2
late poll -> -
accepted of backlog 5 -> 6
)"},
      {"L1", "a second listen changes the backlog",
       [](machine& m) {
         descriptor listener = m.listening(0);
         m.connecting(listener, "first").wait(POLLOUT);
         listener.listen(1);
         m.connecting(listener, "second").wait(POLLOUT);
         m.connecting(listener, "third").poll();
         listener.accept("one");
         listener.accept("two");
         listener.accept("three");
       },
       R"(
listener listen 1 -> 0
third poll -> -
listener accept -> one
listener accept -> two
listener accept -> EAGAIN
)"},
      {"L1", "a negative backlog is a large one",
       [](machine& m) {
         descriptor listener = m.listening(-1);
         for (int i = 0; i < 4; ++i) m.connecting(listener).wait(POLLOUT);
         for (int i = 0; i < 5; ++i) listener.accept("server");
       },
       R"(
listener accept -> server
listener accept -> server
listener accept -> server
listener accept -> server
listener accept -> EAGAIN
)"},
      {"L1", "the backlog has a limit",
       [](machine& m) {
         m.set("net/core/somaxconn", "3");
         for (const int backlog : {2, 100, -1}) {
           descriptor listener = m.listening(backlog);
           m.connecting(listener).wait(POLLOUT);
           tell_backlog(m, listener);
         }
       },
       R"(
listener has -> 1 of 2
listener has -> 1 of 3
listener has -> 1 of 3
)",
       needs::own_network},
      {"L2", "listen without bind",
       [](machine& m) {
         descriptor listener = m.tcp("listener");
         listener.local_name();
         listener.listen(1);
         listener.local_name();
         m.connecting(listener).wait(POLLOUT);
         listener.accept("server");
       },
       R"(
listener getsockname -> 0.0.0.0:0
listener listen 1 -> 0
listener getsockname -> 0.0.0.0:#1
listener accept -> server
)"},
      {"L3", "accept of nothing",
       [](machine& m) {
         m.listening().accept("server");
         m.bound(SOCK_STREAM, "bound").accept("server");
         m.tcp("fresh").accept("server");
         m.udp("datagram").accept("server");
         m.udp("datagram").listen(1);
         auto [client, server] = m.tcp_pair();
         client.accept("server");
       },
       R"(
listener accept -> EAGAIN
bound accept -> EINVAL
fresh accept -> EINVAL
datagram accept -> EOPNOTSUPP
datagram listen 1 -> EOPNOTSUPP
client accept -> EINVAL
)"},
      {"L3", "calls on a listener",
       [](machine& m) {
         descriptor listener = m.listening();
         listener.poll();
         listener.recv(9);
         listener.send("x");
         listener.peer_name();
         listener.error();
         listener.get(LOCKSTEP_OPTION(SOL_SOCKET, SO_ACCEPTCONN));
         m.bound(SOCK_STREAM, "bound").get(LOCKSTEP_OPTION(SOL_SOCKET, SO_ACCEPTCONN));
       },
       R"(
listener poll -> -
listener recv 9 -> ENOTCONN
listener send "x" -> EPIPE
listener getpeername -> ENOTCONN
listener SO_ERROR -> 0
listener get SO_ACCEPTCONN -> 1
bound get SO_ACCEPTCONN -> 0
)"},
      {"L3", "shutdown of a listener ends it",
       [](machine& m) {
         descriptor listener = m.listening();
         descriptor client = m.connecting(listener);
         listener.wait(POLLIN);
         listener.shutdown(SHUT_WR);
         listener.accept("server");
         m.connecting(listener, "other");
         listener.wait(POLLIN);
         listener.shutdown(SHUT_RD);
         listener.poll();
         listener.accept("server");
         listener.listen(1);
         listener.poll();
       },
       R"(
listener shutdown SHUT_WR -> 0
listener accept -> server
listener shutdown SHUT_RD -> 0
listener poll -> OUT|HUP
listener accept -> EINVAL
listener listen 1 -> 0
listener poll -> -
)"},
      {"L3", "accept gives flags and the address",
       [](machine& m) {
         descriptor listener = m.listening();
         descriptor client = m.connecting(listener);
         m.connecting(listener, "other").wait(POLLOUT);
         listener.wait(POLLIN);
         address from;
         from.size = sizeof from.bytes;
         const int plain = m.calls().accept4(listener.number(), from.get(), &from.size, 0);
         m.says("is the client's", m.text_of(from) == m.text_of(client.local()) ? "yes" : "no");
         m.named(plain, "plain").fcntl(F_GETFL, "F_GETFL");
         m.named(plain, "plain").fcntl(F_GETFD, "F_GETFD");
         descriptor flagged = listener.accept("flagged");
         flagged.fcntl(F_GETFL, "F_GETFL");
         flagged.fcntl(F_GETFD, "F_GETFD");
         m.says("accept with flag 1", m.calls().accept4(listener.number(), nullptr, nullptr, 1));
       },
       R"(
is the client's -> yes
plain F_GETFL -> 2
plain F_GETFD -> 0
listener accept -> flagged
flagged F_GETFL -> 2050
flagged F_GETFD -> 1
accept with flag 1 -> EINVAL
)"},
      {"L3", "connections are accepted in their order",
       [](machine& m) {
         descriptor listener = m.listening();
         for (const char* name : {"first", "second", "third"}) {
           descriptor client = m.connecting(listener, name);
           client.wait(POLLOUT);
           client.send(name);
         }
         for (int i = 0; i < 3; ++i) {
           descriptor server = listener.accept("server");
           server.wait(POLLIN);
           server.recv(9);
         }
         listener.poll();
       },
       R"(
first send "first" -> 5
second send "second" -> 6
third send "third" -> 5
listener accept -> server
server recv 9 -> "first"
listener accept -> server
server recv 9 -> "second"
listener accept -> server
server recv 9 -> "third"
listener poll -> -
)"},
      {"L4", "data and an end before accept",
       [](machine& m) {
         descriptor listener = m.listening();
         descriptor client = m.connecting(listener);
         client.wait(POLLOUT);
         client.send("hello");
         client.shutdown(SHUT_WR);
         listener.wait(POLLIN);
         descriptor server = listener.accept("server");
         server.wait(POLLRDHUP);
         server.poll();
         server.recv(9);
         server.recv(9);
         server.send("bye");
         client.wait(POLLIN);
         client.recv(9);
       },
       R"(
client send "hello" -> 5
client shutdown SHUT_WR -> 0
listener accept -> server
server poll -> IN|OUT|RDHUP
server recv 9 -> "hello"
server recv 9 -> 0
server send "bye" -> 3
client recv 9 -> "bye"
)"},
      {"L4", "a close before accept",
       [](machine& m) {
         descriptor listener = m.listening();
         descriptor client = m.connecting(listener);
         client.wait(POLLOUT);
         client.send("hello");
         client.close();
         listener.wait(POLLIN);
         descriptor server = listener.accept("server");
         server.wait(POLLRDHUP);
         server.recv(9);
         server.recv(9);
         server.send("x");
         server.wait_for_reset();
         server.send("x");
       },
       R"(
client send "hello" -> 5
client close -> 0
listener accept -> server
server recv 9 -> "hello"
server recv 9 -> 0
server send "x" -> 1
server send "x" -> EPIPE
)"},
      {"L5", "a reset before accept",
       [](machine& m) {
         descriptor listener = m.listening();
         descriptor client = m.connecting(listener);
         client.wait(POLLOUT);
         client.linger(0);
         client.close();
         listener.poll();
         descriptor server = listener.accept("server");
         server.wait_for_reset();
         server.poll();
         server.peer_name();
         server.recv(9);
         server.recv(9);
         server.send("x");
       },
       R"(
client close -> 0
listener poll -> IN
listener accept -> server
server poll -> IN|OUT|ERR|HUP|RDHUP
server getpeername -> ENOTCONN
server recv 9 -> ECONNRESET
server recv 9 -> 0
server send "x" -> EPIPE
)"},
      {"L5", "data and a reset before accept",
       [](machine& m) {
         descriptor listener = m.listening();
         descriptor client = m.connecting(listener);
         client.wait(POLLOUT);
         client.send("hello");
         client.linger(0);
         client.close();
         descriptor server = listener.accept("server");
         server.wait_for_reset();
         server.recv(9);
         server.recv(9);
         server.recv(9);
       },
       R"(
client send "hello" -> 5
client close -> 0
listener accept -> server
server recv 9 -> "hello"
server recv 9 -> ECONNRESET
server recv 9 -> 0
)"},
      {"L6", "the listener is closed with connections",
       [](machine& m) {
         descriptor listener = m.listening();
         descriptor reads = m.connecting(listener, "reads");
         descriptor sends = m.connecting(listener, "sends");
         reads.wait(POLLOUT);
         sends.wait(POLLOUT);
         listener.wait(POLLIN);
         const address was = listener.local();
         listener.close();
         reads.wait_for_reset();
         sends.wait_for_reset();
         reads.poll();
         reads.recv(9);
         reads.recv(9);
         reads.send("x");
         sends.send("x");
         sends.send("x");
         m.tcp("next").bind(was);
       },
       R"(
listener close -> 0
reads poll -> IN|OUT|ERR|HUP|RDHUP
reads recv 9 -> ECONNRESET
reads recv 9 -> 0
reads send "x" -> EPIPE
sends send "x" -> ECONNRESET
sends send "x" -> EPIPE
next bind 127.0.0.1:#1 -> 0
)",
       needs::own_network},
      {"L6", "an accepted connection outlives its listener",
       [](machine& m) {
         descriptor listener = m.listening();
         descriptor client = m.connecting(listener);
         listener.wait(POLLIN);
         descriptor server = listener.accept("server");
         const address was = listener.local();
         listener.close();
         client.wait(POLLOUT);
         client.send("x");
         server.wait(POLLIN);
         server.recv(9);
         descriptor late = m.tcp("late");
         late.connect(was);
         late.wait(POLLOUT);
         late.error();
       },
       R"(
listener accept -> server
listener close -> 0
client send "x" -> 1
server recv 9 -> "x"
late connect 127.0.0.1:#1 -> EINPROGRESS
late SO_ERROR -> ECONNREFUSED
)"},
      {"L7", "no descriptor is left for accept",
       [](machine& m) {
         descriptor listener = m.listening();
         descriptor client = m.connecting(listener);
         listener.wait(POLLIN);
         m.no_more_descriptors(true);
         listener.accept("server");
         m.says("socket", m.calls().socket(AF_INET, SOCK_STREAM, 0));
         int ends[2];
         m.says("pipe", m.calls().pipe2(ends, 0));
         m.says("dup", m.calls().dup(client.number()));
         listener.poll();
         m.no_more_descriptors(false);
         listener.accept("server");
         listener.poll();
         client.poll();
       },
       R"(
listener accept -> EMFILE
socket -> EMFILE
pipe -> EMFILE
dup -> EMFILE
listener poll -> IN
listener accept -> server
listener poll -> -
client poll -> OUT
)"},
  };
}

}  // namespace lockstep::sockets
