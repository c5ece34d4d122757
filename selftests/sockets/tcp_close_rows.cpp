// Table 1.2 of the reference: how a connection ends, and who is told of an error.
#include "rows.hpp"

#include <netinet/tcp.h>
#include <poll.h>

#include <string>

namespace lockstep::sockets {
namespace {

// As close() with SO_LINGER{1, 0}: no FIN, but RST.
void reset(descriptor& end) {
  end.linger(0);
  end.close();
}

}  // namespace

std::vector<row> tcp_close_rows() {
  return {
      {"D1", "a clean close",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.send("hello");
         client.close();
         server.wait(POLLRDHUP);
         server.poll();
         server.recv(9);
         server.recv(9);
         server.recv(9);
         server.send("x");
         server.wait_for_reset();
         server.poll();
         server.send("x");
         server.recv(9);
         server.error();
       },
       R"(
client send "hello" -> 5
client close -> 0
server poll -> IN|OUT|RDHUP
server recv 9 -> "hello"
server recv 9 -> 0
server recv 9 -> 0
server send "x" -> 1
server poll -> IN|OUT|ERR|HUP|RDHUP
server send "x" -> EPIPE
server recv 9 -> 0
server SO_ERROR -> 0
)"},
      {"D1", "a clean close and recv first",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.close();
         server.wait(POLLRDHUP);
         server.send("x");
         server.wait_for_reset();
         server.recv(9);
         server.send("x");
         server.error();
       },
       R"(
client close -> 0
server send "x" -> 1
server recv 9 -> 0
server send "x" -> EPIPE
server SO_ERROR -> 0
)"},
      {"D1", "names after the peer has closed",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.close();
         server.wait(POLLRDHUP);
         server.local_name();
         server.peer_name();
         server.shutdown(SHUT_RDWR);
         server.wait(POLLHUP);
         server.local_name();
         server.peer_name();
         server.shutdown(SHUT_RDWR);
       },
       R"(
client close -> 0
server getsockname -> 127.0.0.1:#1
server getpeername -> 127.0.0.1:#2
server shutdown SHUT_RDWR -> 0
server getsockname -> 127.0.0.1:#1
server getpeername -> ENOTCONN
server shutdown SHUT_RDWR -> ENOTCONN
)"},
      {"D1", "both close",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.shutdown(SHUT_WR);
         server.wait(POLLRDHUP);
         server.shutdown(SHUT_WR);
         client.wait(POLLHUP);
         server.wait(POLLHUP);
         client.poll();
         server.poll();
         client.recv(9);
         server.recv(9);
         client.send("x");
         client.peer_name();
         server.peer_name();
       },
       R"(
client shutdown SHUT_WR -> 0
server shutdown SHUT_WR -> 0
client poll -> IN|OUT|HUP|RDHUP
server poll -> IN|OUT|HUP|RDHUP
client recv 9 -> 0
server recv 9 -> 0
client send "x" -> EPIPE
client getpeername -> ENOTCONN
server getpeername -> ENOTCONN
)"},
      {"D2", "a close with unread bytes",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.send("hello");
         server.wait(POLLIN);
         server.close();
         client.wait_for_reset();
         client.poll();
         client.recv(9);
         client.recv(9);
         client.send("x");
       },
       R"(
client send "hello" -> 5
server close -> 0
client poll -> IN|OUT|ERR|HUP|RDHUP
client recv 9 -> ECONNRESET
client recv 9 -> 0
client send "x" -> EPIPE
)"},
      {"D2", "a close with some bytes unread",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.send("hello");
         server.wait_for_bytes(5);
         server.recv(4);
         server.send("bye");
         client.wait(POLLIN);
         server.close();
         client.wait_for_reset();
         client.recv(9);
         client.recv(9);
         client.recv(9);
       },
       R"(
client send "hello" -> 5
server recv 4 -> "hell"
server send "bye" -> 3
server close -> 0
client recv 9 -> "bye"
client recv 9 -> ECONNRESET
client recv 9 -> 0
)"},
      {"D2", "bytes come after the close",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         server.close();
         client.wait(POLLRDHUP);
         client.send("x");
         client.wait_for_reset();
         client.send("x");
         client.send("x");
         client.recv(9);
       },
       R"(
server close -> 0
client send "x" -> 1
client send "x" -> EPIPE
client send "x" -> EPIPE
client recv 9 -> 0
)"},
      {"D3", "a reset with bytes unread and recv first",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.send("hello");
         reset(client);
         server.wait_for_reset();
         server.poll();
         server.recv(3);
         server.poll();
         server.recv(9);
         server.recv(9);
         server.recv(9);
         server.send("x");
       },
       R"(
client send "hello" -> 5
client close -> 0
server poll -> IN|OUT|ERR|HUP|RDHUP
server recv 3 -> "hel"
server poll -> IN|OUT|ERR|HUP|RDHUP
server recv 9 -> "lo"
server recv 9 -> ECONNRESET
server recv 9 -> 0
server send "x" -> EPIPE
)"},
      {"D3", "a reset with bytes unread and send first",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.send("hello");
         reset(client);
         server.wait_for_reset();
         server.send("x");
         server.poll();
         server.recv(9);
         server.recv(9);
         server.send("x");
       },
       R"(
client send "hello" -> 5
client close -> 0
server send "x" -> ECONNRESET
server poll -> IN|OUT|HUP|RDHUP
server recv 9 -> "hello"
server recv 9 -> 0
server send "x" -> EPIPE
)"},
      {"D3", "a reset with bytes unread and SO ERROR first",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.send("hello");
         reset(client);
         server.wait_for_reset();
         server.error();
         server.poll();
         server.error();
         server.recv(9);
         server.recv(9);
         server.send("x");
       },
       R"(
client send "hello" -> 5
client close -> 0
server SO_ERROR -> ECONNRESET
server poll -> IN|OUT|HUP|RDHUP
server SO_ERROR -> 0
server recv 9 -> "hello"
server recv 9 -> 0
server send "x" -> EPIPE
)"},
      {"D4", "a reset and recv first",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         reset(client);
         server.wait_for_reset();
         server.poll();
         server.recv(9);
         server.poll();
         server.recv(9);
         server.send("x");
         server.shutdown(SHUT_WR);
         server.peer_name();
         server.local_name();
       },
       R"(
client close -> 0
server poll -> IN|OUT|ERR|HUP|RDHUP
server recv 9 -> ECONNRESET
server poll -> IN|OUT|HUP|RDHUP
server recv 9 -> 0
server send "x" -> EPIPE
server shutdown SHUT_WR -> ENOTCONN
server getpeername -> ENOTCONN
server getsockname -> 127.0.0.1:#1
)"},
      {"D4", "a reset and send first",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         reset(client);
         server.wait_for_reset();
         server.send("x");
         server.send("x");
         server.recv(9);
       },
       R"(
client close -> 0
server send "x" -> ECONNRESET
server send "x" -> EPIPE
server recv 9 -> 0
)"},
      {"D4", "a reset and an end of writing first",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         reset(client);
         server.wait_for_reset();
         server.shutdown(SHUT_WR);
         server.error();
         server.recv(0);
         server.send("");
       },
       R"(
client close -> 0
server shutdown SHUT_WR -> ENOTCONN
server SO_ERROR -> ECONNRESET
server recv 0 -> 0
server send "" -> EPIPE
)"},
      {"D4", "a lingering close of what is sent",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.send("hello");
         client.wait_for_acknowledgement();
         client.linger(1);
         client.shutdown(SHUT_WR);
         server.wait(POLLRDHUP);
         server.shutdown(SHUT_WR);
         client.wait(POLLHUP);
         client.close();
         server.recv(9);
         server.recv(9);
       },
       R"(
client send "hello" -> 5
client shutdown SHUT_WR -> 0
server shutdown SHUT_WR -> 0
client close -> 0
server recv 9 -> "hello"
server recv 9 -> 0
)"},
      {"D5", "a half close",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.send("request");
         client.shutdown(SHUT_WR);
         client.send("x");
         client.poll();
         server.wait(POLLRDHUP);
         server.poll();
         server.recv(9);
         server.recv(9);
         server.poll();
         server.send("answer");
         client.wait(POLLIN);
         client.recv(9);
         client.recv(9);
         client.shutdown(SHUT_WR);
         server.shutdown(SHUT_WR);
         client.wait(POLLHUP);
         client.poll();
         client.recv(9);
         client.shutdown(SHUT_WR);
       },
       R"(
client send "request" -> 7
client shutdown SHUT_WR -> 0
client send "x" -> EPIPE
client poll -> OUT
server poll -> IN|OUT|RDHUP
server recv 9 -> "request"
server recv 9 -> 0
server poll -> IN|OUT|RDHUP
server send "answer" -> 6
client recv 9 -> "answer"
client recv 9 -> EAGAIN
client shutdown SHUT_WR -> 0
server shutdown SHUT_WR -> 0
client poll -> IN|OUT|HUP|RDHUP
client recv 9 -> 0
client shutdown SHUT_WR -> ENOTCONN
)"},
      {"D5", "shutdown with a wrong argument",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.shutdown(3);
         client.shutdown(-1);
         client.send("x");
       },
       R"(
client shutdown 3 -> EINVAL
client shutdown -1 -> EINVAL
client send "x" -> 1
)"},
      {"D6", "an end of reading",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         server.shutdown(SHUT_RD);
         server.poll();
         server.recv(9);
         client.send("late");
         server.wait_for_bytes(4);
         server.recv(9);
         server.recv(9);
         client.send("later");
         server.send("still");
         client.wait(POLLIN);
         client.recv(9);
         client.poll();
       },
       R"(
server shutdown SHUT_RD -> 0
server poll -> IN|OUT|RDHUP
server recv 9 -> 0
client send "late" -> 4
server recv 9 -> "late"
server recv 9 -> 0
client send "later" -> 5
server send "still" -> 5
client recv 9 -> "still"
client poll -> OUT
)"},
      {"D7", "an end of both and then bytes come",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         server.shutdown(SHUT_RDWR);
         server.poll();
         client.wait(POLLRDHUP);
         client.poll();
         client.send("x");
         client.wait_for_reset();
         server.wait(POLLERR);
         server.poll();
         server.recv(9);
         server.recv(9);
         client.send("x");
         client.recv(9);
       },
       R"(
server shutdown SHUT_RDWR -> 0
server poll -> IN|OUT|HUP|RDHUP
client poll -> IN|OUT|RDHUP
client send "x" -> 1
server poll -> IN|OUT|ERR|HUP|RDHUP
server recv 9 -> ECONNRESET
server recv 9 -> 0
client send "x" -> EPIPE
client recv 9 -> 0
)"},
      {"D8", "a cable is cut",
       [](machine& m) {
         descriptor server = m.socket(AF_INET, SOCK_STREAM, "listener", "b");
         server.bind(m.host_address("b", 80));
         server.listen(1);
         descriptor client = m.tcp("client");
         client.connect(m.host_address("b", 80));
         client.wait(POLLOUT);
         client.must_set(LOCKSTEP_OPTION(IPPROTO_TCP, TCP_USER_TIMEOUT), 5'000);
         m.cut();
         client.send("hello");
         client.recv(9);
         client.wait_for_reset();
         client.recv(9);
         client.recv(9);
         client.send("x");
       },
       R"(
listener bind b:#1 -> 0
listener listen 1 -> 0
client connect b:#1 -> EINPROGRESS
client send "hello" -> 5
client recv 9 -> EAGAIN
client recv 9 -> ETIMEDOUT
client recv 9 -> 0
client send "x" -> EPIPE
)",
       needs::simulation, "takes seconds, and a cable to cut"},
      {"D8", "the interface is down",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         const address listens = m.listening().local();
         m.set_loopback(false);
         client.send("hello");
         server.recv(9);
         client.poll();
         m.tcp("late").connect(listens);
         m.udp("datagrams").send_to("x", listens);
         m.tcp("bound").bind(v4("127.0.0.1"));
       },
       R"(
client send "hello" -> 5
server recv 9 -> EAGAIN
client poll -> OUT
late connect 127.0.0.1:#1 -> EINPROGRESS
datagrams send "x" to 127.0.0.1:#1 -> 1
bound bind 127.0.0.1:0 -> 0
)",
       needs::own_network},
      {"D9", "a socket without a connection",
       [](machine& m) {
         descriptor fresh = m.tcp("fresh");
         fresh.send("x");
         fresh.recv(9);
         fresh.shutdown(SHUT_WR);
         fresh.peer_name();
         fresh.poll();
         fresh.send("");
         fresh.recv(0);
         fresh.close();
         fresh.send("x");
       },
       R"(
fresh send "x" -> EPIPE
fresh recv 9 -> ENOTCONN
fresh shutdown SHUT_WR -> ENOTCONN
fresh getpeername -> ENOTCONN
fresh poll -> OUT|HUP
fresh send "" -> EPIPE
fresh recv 0 -> ENOTCONN
fresh close -> 0
fresh send "x" -> EBADF
)"},
      {"D11", "own shutdown ends reading",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.recv(9);
         client.poll();
         client.shutdown(SHUT_RDWR);
         client.poll();
         client.recv(9);
         client.send("x");
         server.wait(POLLRDHUP);
         server.recv(9);
       },
       R"(
client recv 9 -> EAGAIN
client poll -> OUT
client shutdown SHUT_RDWR -> 0
client poll -> IN|OUT|HUP|RDHUP
client recv 9 -> 0
client send "x" -> EPIPE
server recv 9 -> 0
)"},
      {"D11", "an error does not pass to another descriptor of it twice",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         descriptor again = m.named(m.calls().dup(server.number()), "again");
         reset(client);
         server.wait_for_reset();
         again.recv(9);
         server.recv(9);
         server.close();
         again.poll();
         again.send("x");
       },
       R"(
client close -> 0
again recv 9 -> ECONNRESET
server recv 9 -> 0
server close -> 0
again poll -> IN|OUT|HUP|RDHUP
again send "x" -> EPIPE
)"},
      {"D11", "a duplicate keeps the connection",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         descriptor again = m.named(m.calls().dup(client.number()), "again");
         client.close();
         again.send("x");
         server.wait(POLLIN);
         server.poll();
         again.close();
         server.wait(POLLRDHUP);
         server.recv(9);
         server.recv(9);
       },
       R"(
client close -> 0
again send "x" -> 1
server poll -> IN|OUT
again close -> 0
server recv 9 -> "x"
server recv 9 -> 0
)"},
  };
}

}  // namespace lockstep::sockets
