// Row R1 of the reference and what else poll() and epoll tell.
// Source: poll(2), epoll(7), epoll_ctl(2).
#include "rows.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include <string>

namespace lockstep::sockets {
namespace {

constexpr unsigned all_edges = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

std::string revents_text(const pollfd& of) { return events_text(static_cast<unsigned short>(of.revents)); }

}  // namespace

std::vector<row> readiness_rows() {
  return {
      {"R1", "edges of a connection",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         descriptor epoll = m.epoll();
         epoll.add(server, all_edges);
         epoll.events();
         epoll.events();
         client.send("hello");
         epoll.wait(POLLIN);
         epoll.events();
         epoll.events();
         server.recv(2);
         epoll.events();
         client.send("more");
         epoll.wait(POLLIN);
         epoll.events();
         server.recv(40);
         epoll.events();
         client.shutdown(SHUT_WR);
         epoll.wait(POLLIN);
         epoll.events();
         epoll.events();
         server.shutdown(SHUT_WR);
         epoll.wait(POLLIN);
         epoll.events();
       },
       R"(
epoll add server -> 0
epoll epoll_wait -> server OUT
epoll epoll_wait -> nothing
client send "hello" -> 5
epoll epoll_wait -> server IN|OUT
epoll epoll_wait -> nothing
server recv 2 -> "he"
epoll epoll_wait -> nothing
client send "more" -> 4
epoll epoll_wait -> server IN|OUT
server recv 40 -> "llomore"
epoll epoll_wait -> nothing
client shutdown SHUT_WR -> 0
epoll epoll_wait -> server IN|OUT|RDHUP
epoll epoll_wait -> nothing
server shutdown SHUT_WR -> 0
epoll epoll_wait -> server IN|OUT|HUP|RDHUP
)"},
      {"R1", "the edge of a reset",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         descriptor epoll = m.epoll();
         epoll.add(server, all_edges);
         epoll.events();
         client.linger(0);
         client.close();
         epoll.wait(POLLIN);
         epoll.events();
         epoll.events();
         server.recv(9);
         epoll.events();
       },
       R"(
epoll add server -> 0
epoll epoll_wait -> server OUT
client close -> 0
epoll epoll_wait -> server IN|OUT|ERR|HUP|RDHUP
epoll epoll_wait -> nothing
server recv 9 -> ECONNRESET
epoll epoll_wait -> nothing
)"},
      {"R1", "edges of a listener and of connect",
       [](machine& m) {
         descriptor listener = m.listening();
         descriptor epoll = m.epoll();
         epoll.add(listener, EPOLLIN | EPOLLET);
         epoll.events();
         descriptor client = m.tcp("client");
         epoll.add(client, all_edges);
         epoll.events();
         client.connect(listener.local());
         client.wait(POLLOUT);
         listener.wait(POLLIN);
         epoll.events();
         m.connecting(listener, "other").wait(POLLOUT);
         epoll.wait(POLLIN);
         epoll.events();
         listener.accept("server");
         epoll.events();
       },
       R"(
epoll add listener -> 0
epoll epoll_wait -> nothing
epoll add client -> 0
epoll epoll_wait -> client OUT|HUP
client connect 127.0.0.1:#1 -> EINPROGRESS
epoll epoll_wait -> client OUT, listener IN
epoll epoll_wait -> listener IN
listener accept -> server
epoll epoll_wait -> nothing
)"},
      {"R1", "the edge of a refused connect",
       [](machine& m) {
         descriptor client = m.tcp("client");
         descriptor epoll = m.epoll();
         client.connect(m.deaf_address());
         epoll.add(client, all_edges);
         client.wait(POLLOUT);
         epoll.events();
         epoll.events();
       },
       R"(
client connect 127.0.0.1:#1 -> EINPROGRESS
epoll add client -> 0
epoll epoll_wait -> client IN|OUT|ERR|HUP|RDHUP
epoll epoll_wait -> nothing
)"},
      {"R1", "the edge of room to write",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         descriptor epoll = m.epoll();
         client.must_set(LOCKSTEP_OPTION(SOL_SOCKET, SO_SNDBUF), 4096);
         epoll.add(client, EPOLLOUT | EPOLLET);
         epoll.events();
         std::size_t left = client.fill(65'536);
         epoll.events();
         while (left > 0) {
           server.wait(POLLIN);
           left -= server.drain(65'536);
         }
         epoll.wait(POLLIN);
         epoll.events();
         epoll.events();
       },
       R"(
epoll add client -> 0
epoll epoll_wait -> client OUT
epoll epoll_wait -> nothing
epoll epoll_wait -> client OUT
epoll epoll_wait -> nothing
)"},
      {"R1", "edges of datagrams",
       [](machine& m) {
         descriptor one = m.bound(SOCK_DGRAM, "one");
         descriptor epoll = m.epoll();
         epoll.add(one, all_edges);
         epoll.events();
         one.send_to("first", one.local());
         epoll.wait(POLLIN);
         epoll.events();
         one.send_to("second", one.local());
         epoll.wait(POLLIN);
         epoll.events();
         one.recv(9);
         epoll.events();
       },
       R"(
epoll add one -> 0
epoll epoll_wait -> one OUT
one send "first" to 127.0.0.1:#1 -> 5
epoll epoll_wait -> one IN|OUT
one send "second" to 127.0.0.1:#1 -> 6
epoll epoll_wait -> one IN|OUT
one recv 9 -> "first"
epoll epoll_wait -> nothing
)"},
      {"R1", "edges of a Unix stream",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         descriptor epoll = m.epoll();
         epoll.add(b, all_edges);
         epoll.events();
         a.send("hello");
         epoll.events();
         b.recv(2);
         epoll.events();
         a.send("more");
         epoll.events();
         a.shutdown(SHUT_WR);
         epoll.events();
         a.close();
         epoll.events();
         epoll.events();
       },
       R"(
epoll add b -> 0
epoll epoll_wait -> b OUT
a send "hello" -> 5
epoll epoll_wait -> b IN|OUT
b recv 2 -> "he"
epoll epoll_wait -> nothing
a send "more" -> 4
epoll epoll_wait -> b IN|OUT
a shutdown SHUT_WR -> 0
epoll epoll_wait -> b IN|OUT|RDHUP
a close -> 0
epoll epoll_wait -> b IN|OUT|HUP|RDHUP
epoll epoll_wait -> nothing
)"},
      {"R1", "edges of a pipe",
       [](machine& m) {
         auto [reader, writer] = m.pipe();
         descriptor epoll = m.epoll();
         epoll.add(reader, EPOLLIN | EPOLLET);
         epoll.add(writer, EPOLLOUT | EPOLLET);
         epoll.events();
         writer.write("one");
         epoll.events();
         writer.write("two");
         epoll.events();
         reader.read(2);
         epoll.events();
         writer.fill(4096);
         epoll.events();
         reader.read(4095);
         epoll.events();
         reader.read(4096);
         epoll.events();
         writer.close();
         epoll.events();
       },
       R"(
epoll add reader -> 0
epoll add writer -> 0
epoll epoll_wait -> writer OUT
writer write "one" -> 3
epoll epoll_wait -> reader IN
writer write "two" -> 3
epoll epoll_wait -> reader IN
reader read 2 -> "on"
epoll epoll_wait -> nothing
epoll epoll_wait -> reader IN
reader read 4095 -> 4095 bytes
epoll epoll_wait -> writer OUT
reader read 4096 -> 4096 bytes
epoll epoll_wait -> nothing
writer close -> 0
epoll epoll_wait -> reader IN|HUP
)"},
      {"R1", "edges of an eventfd",
       [](machine& m) {
         descriptor event = m.named(m.calls().eventfd(0, EFD_NONBLOCK), "event");
         descriptor epoll = m.epoll();
         epoll.add(event, EPOLLIN | EPOLLET);
         epoll.events();
         event.write(std::string("\1\0\0\0\0\0\0\0", 8));
         epoll.events();
         epoll.events();
         event.write(std::string("\1\0\0\0\0\0\0\0", 8));
         epoll.events();
       },
       R"(
epoll add event -> 0
epoll epoll_wait -> nothing
event write "\0\0\0\0\0\0\0" -> 8
epoll epoll_wait -> event IN
epoll epoll_wait -> nothing
event write "\0\0\0\0\0\0\0" -> 8
epoll epoll_wait -> event IN
)"},
      {"R1", "the edge of a timer",
       [](machine& m) {
         descriptor timer = m.named(m.calls().timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), "timer");
         descriptor epoll = m.epoll();
         epoll.add(timer, EPOLLIN | EPOLLET);
         epoll.events();
         const itimerspec soon = {{0, 0}, {0, 1}};
         for (int i = 0; i < 2; ++i) {
           m.says("settime", m.calls().timerfd_settime(timer.number(), 0, &soon, nullptr));
           epoll.wait(POLLIN);
           epoll.events();
           epoll.events();
         }
       },
       R"(
epoll add timer -> 0
epoll epoll_wait -> nothing
settime -> 0
epoll epoll_wait -> timer IN
epoll epoll_wait -> nothing
settime -> 0
epoll epoll_wait -> timer IN
epoll epoll_wait -> nothing
)"},
      {"R2", "levels are told as long as they last",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         descriptor epoll = m.epoll();
         epoll.add(b, EPOLLIN);
         epoll.events();
         a.send("hello");
         epoll.events();
         epoll.events();
         b.recv(2);
         epoll.events();
         b.recv(9);
         epoll.events();
         epoll.modify(b, EPOLLOUT);
         epoll.events();
         epoll.modify(b, 0);
         epoll.events();
         a.close();
         epoll.events();
       },
       R"(
epoll add b -> 0
epoll epoll_wait -> nothing
a send "hello" -> 5
epoll epoll_wait -> b IN
epoll epoll_wait -> b IN
b recv 2 -> "he"
epoll epoll_wait -> b IN
b recv 9 -> "llo"
epoll epoll_wait -> nothing
epoll modify b -> 0
epoll epoll_wait -> b OUT
epoll modify b -> 0
epoll epoll_wait -> nothing
a close -> 0
epoll epoll_wait -> b HUP
)"},
      {"R2", "one shot until it is modified",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         descriptor epoll = m.epoll();
         epoll.add(b, EPOLLIN | EPOLLONESHOT);
         a.send("hello");
         epoll.events();
         epoll.events();
         a.send("more");
         epoll.events();
         epoll.modify(b, EPOLLIN | EPOLLONESHOT);
         epoll.events();
         a.close();
         epoll.events();
       },
       R"(
epoll add b -> 0
a send "hello" -> 5
epoll epoll_wait -> b IN
epoll epoll_wait -> nothing
a send "more" -> 4
epoll epoll_wait -> nothing
epoll modify b -> 0
epoll epoll_wait -> b IN
a close -> 0
epoll epoll_wait -> nothing
)"},
      {"R2", "modify tells an edge again",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         descriptor epoll = m.epoll();
         epoll.add(b, EPOLLIN | EPOLLET);
         a.send("hello");
         epoll.events();
         epoll.events();
         epoll.modify(b, EPOLLIN | EPOLLET);
         epoll.events();
         epoll.events();
       },
       R"(
epoll add b -> 0
a send "hello" -> 5
epoll epoll_wait -> b IN
epoll epoll_wait -> nothing
epoll modify b -> 0
epoll epoll_wait -> b IN
epoll epoll_wait -> nothing
)"},
      {"R2", "the order of what is ready",
       [](machine& m) {
         descriptor epoll = m.epoll();
         descriptor events[3];
         const char* names[3] = {"first", "second", "third"};
         for (int i = 0; i < 3; ++i) {
           events[i] = m.named(m.calls().eventfd(0, EFD_NONBLOCK), names[i]);
           epoll.add(events[i], EPOLLIN);
         }
         for (const int i : {2, 0, 1}) events[i].write(std::string("\1\0\0\0\0\0\0\0", 8));
         epoll.events();
         epoll.events(1);
         epoll.events(1);
         epoll.events(2);
         epoll.events();
       },
       R"(
epoll add first -> 0
epoll add second -> 0
epoll add third -> 0
third write "\0\0\0\0\0\0\0" -> 8
first write "\0\0\0\0\0\0\0" -> 8
second write "\0\0\0\0\0\0\0" -> 8
epoll epoll_wait -> third IN, first IN, second IN
epoll epoll_wait -> third IN
epoll epoll_wait -> first IN
epoll epoll_wait -> second IN, third IN
epoll epoll_wait -> first IN, second IN, third IN
)"},
      {"R3", "wrong calls of epoll",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         descriptor epoll = m.epoll();
         epoll.add(a, EPOLLIN);
         epoll.add(a, EPOLLOUT);
         epoll.modify(b, EPOLLIN);
         epoll.remove(b);
         epoll.remove(a);
         epoll.add(epoll, EPOLLIN);
         epoll.add(m.named(-1, "minus one"), EPOLLIN);
         a.add(b, EPOLLIN);
         m.named(-1, "minus one").add(b, EPOLLIN);
         epoll.events(0);
         epoll_event event{};
         m.says("operation 9", m.calls().epoll_ctl(epoll.number(), 9, a.number(), &event));
         m.says("epoll_create1 with flag 1", m.calls().epoll_create1(1));
         epoll_event room[1];
         m.says("a epoll_wait", m.calls().epoll_wait(a.number(), room, 1));
       },
       R"(
epoll add a -> 0
epoll add a -> EEXIST
epoll modify b -> ENOENT
epoll remove b -> ENOENT
epoll remove a -> 0
epoll add epoll -> EINVAL
epoll add minus one -> EBADF
a add b -> EINVAL
minus one add b -> EBADF
epoll epoll_wait -> EINVAL
operation 9 -> EINVAL
epoll_create1 with flag 1 -> EINVAL
a epoll_wait -> EINVAL
)"},
      {"R3", "a duplicate keeps what is watched",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         descriptor epoll = m.epoll();
         epoll.add(b, EPOLLIN);
         descriptor again = m.named(m.calls().dup(b.number()), "again");
         epoll.add(again, EPOLLIN);
         a.send("hello");
         epoll.events();
         b.close();
         epoll.events();
         epoll.remove(b);
         again.close();
         epoll.events();
       },
       R"(
epoll add b -> 0
epoll add again -> 0
a send "hello" -> 5
epoll epoll_wait -> again IN, b IN
b close -> 0
epoll epoll_wait -> again IN, b IN
epoll remove b -> EBADF
again close -> 0
epoll epoll_wait -> nothing
)"},
      {"R3", "what is closed is no more watched",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         descriptor epoll = m.epoll();
         epoll.add(b, EPOLLIN);
         a.send("hello");
         b.close();
         epoll.events();
         epoll.poll();
       },
       R"(
epoll add b -> 0
a send "hello" -> 5
b close -> 0
epoll epoll_wait -> nothing
epoll poll -> -
)"},
      {"R3", "an epoll in an epoll",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         descriptor inner = m.epoll("inner"), outer = m.epoll("outer");
         outer.add(inner, EPOLLIN);
         inner.add(b, EPOLLIN);
         outer.events();
         inner.poll();
         a.send("hello");
         inner.poll();
         outer.events();
         inner.events();
         outer.events();
         b.recv(9);
         outer.events();
         inner.add(outer, EPOLLIN);
       },
       R"(
outer add inner -> 0
inner add b -> 0
outer epoll_wait -> nothing
inner poll -> -
a send "hello" -> 5
inner poll -> IN
outer epoll_wait -> inner IN
inner epoll_wait -> b IN
outer epoll_wait -> inner IN
b recv 9 -> "hello"
outer epoll_wait -> nothing
inner add outer -> ELOOP
)"},
      {"R4", "poll of several",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         a.send("x");
         pollfd asked[] = {{a.number(), POLLIN, 0},   {b.number(), POLLIN, 0}, {b.number(), POLLIN | POLLOUT, 0},
                           {-1, POLLIN | POLLOUT, 9}, {1'000'000, POLLIN, 0},  {a.number(), 0, 0}};
         m.says("poll", m.calls().poll(asked, 6));
         for (const pollfd& each : asked) m.says("  of it", revents_text(each));
         m.says("poll of nothing", m.calls().poll(nullptr, 0));
       },
       R"(
a send "x" -> 1
poll -> 3
  of it -> -
  of it -> IN
  of it -> IN|OUT
  of it -> -
  of it -> NVAL
  of it -> -
poll of nothing -> 0
)"},
      {"R4", "poll tells errors unasked",
       [](machine& m) {
         auto [client, server] = m.tcp_pair();
         client.linger(0);
         client.close();
         server.wait_for_reset();
         pollfd asked = {server.number(), 0, 0};
         m.says("poll", m.calls().poll(&asked, 1));
         m.says("  of it", revents_text(asked));
       },
       R"(
client close -> 0
poll -> 1
  of it -> ERR|HUP
)"},
  };
}

}  // namespace lockstep::sockets
