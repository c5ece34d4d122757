// Table 1.2 of the reference: bytes on a connection.
#include "rows.hpp"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <linux/sockios.h>

#include <algorithm>
#include <string>

namespace lockstep::sockets {
namespace {

// TCP_INFO.
void state_of(machine& m, const descriptor& of) {
  static constexpr const char* names[] = {"",           "ESTABLISHED", "SYN_SENT",  "SYN_RECV",
                                          "FIN_WAIT1",  "FIN_WAIT2",   "TIME_WAIT", "CLOSE",
                                          "CLOSE_WAIT", "LAST_ACK",    "LISTEN",    "CLOSING"};
  tcp_info info{};
  socklen_t size = sizeof info;
  const int result = m.calls().getsockopt(of.number(), IPPROTO_TCP, TCP_INFO, &info, &size);
  m.says(of.name() + " state", result < 0 ? result_text(result) : names[info.tcpi_state]);
}

int queued(machine& m, const descriptor& of, unsigned long request) {
  int count = -1;
  const int result = m.calls().ioctl(of.number(), request, &count);
  return result < 0 ? result : count;
}

}  // namespace

std::vector<row> tcp_data_rows() {
  return {
      {"D10", "zero length",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.send("");
         server.recv(0);
         client.send("hello");
         server.wait(POLLIN);
         server.recv(0);
         server.recv(9);
         server.recv(9);
       },
       R"(
client send "" -> 0
server recv 0 -> EAGAIN
client send "hello" -> 5
server recv 0 -> 0
server recv 9 -> "hello"
server recv 9 -> EAGAIN
)"},
      {"D10", "a stream has no bounds",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.send("one");
         client.send("two");
         client.send("three");
         server.wait_for_bytes(11);
         server.recv(4);
         server.recv(40);
         server.recv(1);
       },
       R"(
client send "one" -> 3
client send "two" -> 3
client send "three" -> 5
server recv 4 -> "onet"
server recv 40 -> "wothree"
server recv 1 -> EAGAIN
)"},
      {"D10", "both directions are on their own",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.send("ping");
         server.send("pong");
         client.wait(POLLIN);
         client.recv(9);
         server.wait(POLLIN);
         server.recv(9);
       },
       R"(
client send "ping" -> 4
server send "pong" -> 4
client recv 9 -> "pong"
server recv 9 -> "ping"
)"},
      {"D10", "read and write are recv and send",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.write("hello");
         server.wait_for_bytes(5);
         server.read(2);
         server.read(9);
         server.read(9);
         client.write("");
         client.shutdown(SHUT_WR);
         server.wait(POLLRDHUP);
         server.read(9);
         client.write("x");
       },
       R"(
client write "hello" -> 5
server read 2 -> "he"
server read 9 -> "llo"
server read 9 -> EAGAIN
client write "" -> 0
client shutdown SHUT_WR -> 0
server read 9 -> 0
client write "x" -> EPIPE
)"},
      {"D10", "pieces are gathered and scattered",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         std::string one = "ab", two = "cdef";
         iovec out[] = {{one.data(), 2}, {nullptr, 0}, {two.data(), 4}};
         m.says("client writev", m.calls().writev(client.number(), out, 3));
         server.wait_for_bytes(6);
         std::string head(4, '?'), tail(4, '?');
         iovec in[] = {{head.data(), 4}, {tail.data(), 4}};
         m.says("server readv", m.calls().readv(server.number(), in, 2));
         m.says("it is", head + tail);
         m.says("server readv again", m.calls().readv(server.number(), in, 2));
         m.says("server readv of nothing", m.calls().readv(server.number(), in, 0));
         m.says("server readv of -1", m.calls().readv(server.number(), in, -1));
         const std::vector<iovec> many(1025, iovec{one.data(), 1});
         m.says("client writev of 1024", m.calls().writev(client.number(), many.data(), 1024));
         m.says("client writev of 1025", m.calls().writev(client.number(), many.data(), 1025));
       },
       R"(
client writev -> 6
server readv -> 6
it is -> abcdef??
server readv again -> EAGAIN
server readv of nothing -> 0
server readv of -1 -> EINVAL
client writev of 1024 -> 1024
client writev of 1025 -> EINVAL
)"},
      {"D10", "what is too much, or negative",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         std::string one = "ab";
         const iovec endless[] = {{one.data(), 1}, {one.data(), SIZE_MAX}};
         m.says("client writev of a negative piece", m.calls().writev(client.number(), endless, 2));
         m.says("client readv of a negative piece", m.calls().readv(client.number(), endless, 2));
         m.says("client write of a negative size", m.calls().write(client.number(), one.data(), SIZE_MAX));
         m.says("client read of a negative size", m.calls().read(client.number(), one.data(), SIZE_MAX));
         std::vector<iovec> many(1025, iovec{one.data(), 1});
         msghdr message{};
         message.msg_iov = many.data();
         message.msg_iovlen = 1025;
         m.says("client sendmsg of 1025 pieces", m.calls().sendmsg(client.number(), &message, MSG_NOSIGNAL));
         m.says("client recvmsg of 1025 pieces", m.calls().recvmsg(client.number(), &message, MSG_DONTWAIT));
         message.msg_iov = const_cast<iovec*>(endless);
         message.msg_iovlen = 2;
         m.says("client sendmsg of a negative piece", m.calls().sendmsg(client.number(), &message, MSG_NOSIGNAL));
         m.says("writev to no file", m.calls().writev(1'000'000, endless, 2));
         m.says("sendmsg to no file", m.calls().sendmsg(1'000'000, &message, MSG_NOSIGNAL));
         m.says("write to no file", m.calls().write(1'000'000, one.data(), SIZE_MAX));
       },
       R"(
client writev of a negative piece -> EINVAL
client readv of a negative piece -> EINVAL
client write of a negative size -> EFAULT
client read of a negative size -> EFAULT
client sendmsg of 1025 pieces -> EMSGSIZE
client recvmsg of 1025 pieces -> EMSGSIZE
client sendmsg of a negative piece -> EINVAL
writev to no file -> EBADF
sendmsg to no file -> EBADF
write to no file -> EBADF
)"},
      {"D10", "an address is ignored on a connection",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.send_to("hello", v4("203.0.113.1", 9));
         server.wait(POLLIN);
         server.recv_from(9);
         m.tcp("fresh").send_to("x", m.listening().local());
       },
       R"(
client send "hello" to 203.0.113.1:#1 -> 5
server recvmsg 9 -> "hello" from nobody
fresh send "x" to 127.0.0.1:#2 -> EPIPE
)"},
      {"D12", "what is queued comes at once",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         const std::string much(10'000, 'x');
         client.send(much);
         client.send(much);
         server.wait_for_bytes(20'000);
         server.recv(30'000);
         server.recv(30'000);
       },
       R"(
client send 10000 bytes -> 10000
client send 10000 bytes -> 10000
server recv 30000 -> 20000 bytes
server recv 30000 -> EAGAIN
)"},
      {"D12", "how much is queued",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         m.says("server FIONREAD", queued(m, server, FIONREAD));
         client.send("hello");
         client.shutdown(SHUT_WR);
         server.wait(POLLRDHUP);
         m.says("server FIONREAD", queued(m, server, FIONREAD));
         server.recv(2);
         m.says("server FIONREAD", queued(m, server, FIONREAD));
         server.send("x");
         client.wait(POLLIN);
         m.says("client SIOCOUTQ", queued(m, client, SIOCOUTQ));
         m.says("listener FIONREAD", queued(m, m.listening(), FIONREAD));
       },
       R"(
server FIONREAD -> 0
client send "hello" -> 5
client shutdown SHUT_WR -> 0
server FIONREAD -> 5
server recv 2 -> "he"
server FIONREAD -> 3
server send "x" -> 1
client SIOCOUTQ -> 0
listener FIONREAD -> EINVAL
)"},
      {"D13", "a full buffer",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.must_set(LOCKSTEP_OPTION(SOL_SOCKET, SO_SNDBUF), 4096);
         const std::string much(1'000'000, 'x');
         const std::int64_t sent = m.calls().send(client.number(), much.data(), much.size(), 0);
         m.says("some bytes are taken, not all", sent > 0 && sent < 1'000'000 ? "yes" : result_text(sent));
         std::size_t total = static_cast<std::size_t>(std::max<std::int64_t>(sent, 0)) + client.fill(4096);
         client.poll();
         client.send("x");
         std::size_t got = 0;
         while (got < total) {
           server.wait(POLLIN);
           got += server.drain(65'536);
         }
         m.says("all come", got == total ? "yes" : "no");
         client.wait(POLLOUT);
         client.send("x");
       },
       R"(
some bytes are taken, not all -> yes
client poll -> -
client send "x" -> EAGAIN
all come -> yes
client send "x" -> 1
)"},
      {"D13", "the first free byte does not make it ready",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.must_set(LOCKSTEP_OPTION(SOL_SOCKET, SO_SNDBUF), 4096);
         client.fill(4096);
         client.poll();
         server.wait(POLLIN);
         server.recv(1);
         client.poll();
         client.shutdown(SHUT_WR);
         client.poll();
       },
       R"(
client poll -> -
server recv 1 -> "x"
client poll -> -
client shutdown SHUT_WR -> 0
client poll -> OUT
)"},
      {"D13", "bytes not sent yet are sent after a close",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.must_set(LOCKSTEP_OPTION(SOL_SOCKET, SO_SNDBUF), 4096);
         const std::size_t total = client.fill(4096);
         client.close();
         std::size_t got = 0;
         while ((server.ready() & POLLRDHUP) == 0) {
           server.wait(POLLIN);
           got += server.drain(65'536);
         }
         got += server.drain(65'536);
         m.says("all come", got == total ? "yes" : "no");
         server.recv(9);
       },
       R"(
client close -> 0
all come -> yes
server recv 9 -> 0
)"},
      {"D14", "peek leaves the bytes",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         server.recv(9, MSG_PEEK);
         client.send("hello");
         server.wait_for_bytes(5);
         server.recv(2, MSG_PEEK);
         server.recv(9, MSG_PEEK);
         server.recv(9);
         server.recv(9, MSG_PEEK);
         client.close();
         server.wait(POLLRDHUP);
         server.recv(9, MSG_PEEK);
         server.recv(9);
       },
       R"(
server recv 9 MSG_PEEK -> EAGAIN
client send "hello" -> 5
server recv 2 MSG_PEEK -> "he"
server recv 9 MSG_PEEK -> "hello"
server recv 9 -> "hello"
server recv 9 MSG_PEEK -> EAGAIN
client close -> 0
server recv 9 MSG_PEEK -> 0
server recv 9 -> 0
)"},
      {"D14", "peek takes the error",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.linger(0);
         client.close();
         server.wait_for_reset();
         server.recv(9, MSG_PEEK);
         server.recv(9);
       },
       R"(
client close -> 0
server recv 9 MSG_PEEK -> ECONNRESET
server recv 9 -> 0
)"},
      {"D14", "what is not there is not waited for",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         server.recv(9, MSG_DONTWAIT);
         server.recv(9, MSG_WAITALL);
         client.send("hello");
         server.wait_for_bytes(5);
         server.recv(9, MSG_WAITALL);
       },
       R"(
server recv 9 MSG_DONTWAIT -> EAGAIN
server recv 9 MSG_WAITALL -> EAGAIN
client send "hello" -> 5
server recv 9 MSG_WAITALL -> "hello"
)"},
      {"D14", "bytes are thrown away unseen",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.send("hello");
         server.wait_for_bytes(5);
         m.says("server recv 3 MSG_TRUNC", m.calls().recv(server.number(), nullptr, 3, MSG_TRUNC));
         server.recv(9);
       },
       R"(
client send "hello" -> 5
server recv 3 MSG_TRUNC -> 3
server recv 9 -> "lo"
)"},
      {"D14", "an urgent byte",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         server.recv(1, MSG_OOB);
         client.send("ab!", MSG_OOB);
         client.send("cd");
         server.wait_for_bytes(2);
         server.wait(POLLPRI);
         server.poll();
         server.recv(9);
         server.recv(1, MSG_OOB);
         server.recv(1, MSG_OOB);
         server.wait(POLLIN);
         server.recv(9);
       },
       R"(
server recv 1 MSG_OOB -> EINVAL
client send "ab!" MSG_OOB -> 3
client send "cd" -> 2
server poll -> IN|PRI|OUT
server recv 9 -> "ab"
server recv 1 MSG_OOB -> "!"
server recv 1 MSG_OOB -> EINVAL
server recv 9 -> "cd"
)"},
      {"D14", "flags that a stream does not know",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         server.recv(9, MSG_ERRQUEUE);
         client.send("hello", MSG_EOR);
         server.wait_for_bytes(5);
         server.recv_from(9);
       },
       R"(
server recv 9 MSG_ERRQUEUE -> EAGAIN
client send "hello" MSG_EOR -> 5
server recvmsg 9 -> "hello" from nobody
)"},
      {"D15", "corked bytes come together",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.send("a", MSG_MORE);
         client.send("b");
         server.wait(POLLIN);
         server.recv(9);
         client.must_set(LOCKSTEP_OPTION(IPPROTO_TCP, TCP_CORK), 1);
         client.send("c");
         client.send("d");
         client.must_set(LOCKSTEP_OPTION(IPPROTO_TCP, TCP_CORK), 0);
         server.wait(POLLIN);
         server.recv(9);
       },
       R"(
client send "a" MSG_MORE -> 1
client send "b" -> 1
server recv 9 -> "ab"
client send "c" -> 1
client send "d" -> 1
server recv 9 -> "cd"
)"},
      {"D15", "the state is told",
       [](machine& m) {
         descriptor fresh = m.tcp("fresh");
         state_of(m, fresh);
         descriptor listener = m.listening();
         state_of(m, listener);
         auto [client, server] = m.tcp_pair();
         state_of(m, client);
         client.shutdown(SHUT_WR);
         server.wait(POLLRDHUP);
         client.wait_for_acknowledgement();
         state_of(m, client);
         state_of(m, server);
         server.shutdown(SHUT_WR);
         client.wait(POLLHUP);
         server.wait(POLLHUP);
         state_of(m, client);
         state_of(m, server);
       },
       R"(
fresh state -> CLOSE
listener state -> LISTEN
client state -> ESTABLISHED
client shutdown SHUT_WR -> 0
client state -> FIN_WAIT2
server state -> CLOSE_WAIT
server shutdown SHUT_WR -> 0
client state -> CLOSE
server state -> CLOSE
)"},
      {"D15", "the state while it connects",
       [](machine& m) {
         descriptor full = m.listening(0);
         m.connecting(full, "first").wait(POLLOUT);
         descriptor client = m.connecting(full);
         state_of(m, client);
         descriptor refused = m.tcp("refused");
         refused.connect(m.deaf_address());
         refused.wait(POLLOUT);
         state_of(m, refused);
       },
       R"(
client state -> SYN_SENT
refused connect 127.0.0.1:#1 -> EINPROGRESS
refused state -> CLOSE
)"},
  };
}

}  // namespace lockstep::sockets
