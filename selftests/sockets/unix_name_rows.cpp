// Table 1.4 of the reference: names, as paths and abstract.
#include "rows.hpp"

#include <poll.h>
#include <sys/un.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string>

namespace lockstep::sockets {
namespace {

descriptor listening_on_path(machine& m, const address& where) {
  descriptor made = m.socket(AF_UNIX, SOCK_STREAM, "listener");
  m.calls().bind(made.number(), where.get(), where.size);
  m.calls().listen(made.number(), 4);
  return made;
}

}  // namespace

std::vector<row> unix_name_rows() {
  return {
      {"X1", "connect to what does not listen",
       [](machine& m) {
         descriptor client = m.socket(AF_UNIX, SOCK_STREAM, "client");
         client.connect(m.path("missing"));
         descriptor stale = m.socket(AF_UNIX, SOCK_STREAM, "stale");
         stale.bind(m.path("stale"));
         client.connect(m.path("stale"));
         stale.close();
         client.connect(m.path("stale"));
         m.make_file("file");
         client.connect(m.path("file"));
         client.connect(m.path("file/below"));
         client.connect(m.abstract("missing"));
         client.poll();
       },
       R"(
client connect missing -> ENOENT
stale bind stale -> 0
client connect stale -> ECONNREFUSED
stale close -> 0
client connect stale -> ECONNREFUSED
client connect file -> ECONNREFUSED
client connect file/below -> ENOTDIR
client connect @missing -> ECONNREFUSED
client poll -> OUT|HUP
)"},
      {"X1", "connect to another type",
       [](machine& m) {
         descriptor listener = listening_on_path(m, m.path("stream"));
         m.socket(AF_UNIX, SOCK_DGRAM, "datagrams").connect(m.path("stream"));
         m.socket(AF_UNIX, SOCK_SEQPACKET, "packets").connect(m.path("stream"));
         descriptor one = m.socket(AF_UNIX, SOCK_DGRAM, "one");
         one.bind(m.path("datagrams"));
         m.socket(AF_UNIX, SOCK_STREAM, "client").connect(m.path("datagrams"));
       },
       R"(
datagrams connect stream -> EPROTOTYPE
packets connect stream -> EPROTOTYPE
one bind datagrams -> 0
client connect datagrams -> EPROTOTYPE
)"},
      {"X2", "bind to a path",
       [](machine& m) {
         descriptor one = m.socket(AF_UNIX, SOCK_STREAM, "one");
         one.bind(m.path("name"));
         one.bind(m.path("other"));
         one.local_name();
         descriptor two = m.socket(AF_UNIX, SOCK_STREAM, "two");
         two.bind(m.path("name"));
         one.close();
         m.says("the path is there", m.exists("name") ? "yes" : "no");
         two.bind(m.path("name"));
         m.unlink("name");
         two.bind(m.path("name"));
         m.make_file("file");
         descriptor three = m.socket(AF_UNIX, SOCK_STREAM, "three");
         three.bind(m.path("file"));
         three.bind(m.path("nowhere/name"));
         three.bind(m.path("file/name"));
       },
       R"(
one bind name -> 0
one bind other -> EINVAL
one getsockname -> name
two bind name -> EADDRINUSE
one close -> 0
the path is there -> yes
two bind name -> EADDRINUSE
two bind name -> 0
three bind file -> EADDRINUSE
three bind nowhere/name -> ENOENT
three bind file/name -> ENOTDIR
)"},
      {"X2", "the size of a name",
       [](machine& m) {
         descriptor one = m.socket(AF_UNIX, SOCK_STREAM, "one");
         address cut = m.path("name");
         cut.size = sizeof(sa_family_t) - 1;
         m.says("bind of 1 byte", m.calls().bind(one.number(), cut.get(), cut.size));
         address wide = m.path("name");
         wide.size = sizeof(sockaddr_un) + 1;
         m.says("bind of 111 bytes", m.calls().bind(one.number(), wide.get(), wide.size));
         address without_end = m.path("name");
         without_end.size -= 1;
         m.says("bind without a last 0", m.calls().bind(one.number(), without_end.get(), without_end.size));
         address asked;
         asked.size = sizeof asked.bytes;
         m.calls().getsockname(one.number(), asked.get(), &asked.size);
         m.says("getsockname has one more", asked.size - without_end.size);
         one.connect(v4("127.0.0.1", 9));
       },
       R"(
bind of 1 byte -> EINVAL
bind of 111 bytes -> EINVAL
bind without a last 0 -> 0
getsockname has one more -> 1
one connect 127.0.0.1:#1 -> EINVAL
)"},
      {"X2", "a path that is gone",
       [](machine& m) {
         descriptor listener = listening_on_path(m, m.path("name"));
         descriptor client = m.connecting(listener);
         m.unlink("name");
         m.socket(AF_UNIX, SOCK_STREAM, "late").connect(m.path("name"));
         descriptor server = listener.accept("server");
         client.send("x");
         server.recv(9);
         listener.local_name();
         m.socket(AF_UNIX, SOCK_STREAM, "next").bind(m.path("name"));
       },
       R"(
late connect name -> ENOENT
listener accept -> server
client send "x" -> 1
server recv 9 -> "x"
listener getsockname -> name
next bind name -> 0
)"},
      {"X8", "abstract names",
       [](machine& m) {
         descriptor listener = m.socket(AF_UNIX, SOCK_STREAM, "listener");
         listener.bind(m.abstract("name"));
         listener.listen(1);
         listener.local_name();
         m.socket(AF_UNIX, SOCK_STREAM, "other").bind(m.abstract("name"));
         descriptor client = m.socket(AF_UNIX, SOCK_STREAM, "client");
         client.connect(m.abstract("name"));
         client.peer_name();
         address longer = m.abstract("name");
         longer.size += 1;
         m.says("connect with one byte more", m.calls().connect(client.number(), longer.get(), longer.size));
         descriptor late = m.socket(AF_UNIX, SOCK_STREAM, "late");
         m.says("late connect with one byte more", m.calls().connect(late.number(), longer.get(), longer.size));
         listener.close();
         late.connect(m.abstract("name"));
         late.bind(m.abstract("name"));
       },
       R"(
listener bind @name -> 0
listener listen 1 -> 0
listener getsockname -> @name
other bind @name -> EADDRINUSE
client connect @name -> 0
client getpeername -> @name
connect with one byte more -> ECONNREFUSED
late connect with one byte more -> ECONNREFUSED
listener close -> 0
late connect @name -> ECONNREFUSED
late bind @name -> 0
)"},
      {"X8", "a name of the kernel's choice",
       [](machine& m) {
         descriptor one = m.socket(AF_UNIX, SOCK_STREAM, "one");
         address any;
         any.bytes.ss_family = AF_UNIX;
         any.size = sizeof(sa_family_t);
         one.local_name();
         m.says("one bind to no name", m.calls().bind(one.number(), any.get(), any.size));
         const address is = one.local();
         const char* const name = reinterpret_cast<const sockaddr_un*>(&is.bytes)->sun_path;
         m.says("size of the name", is.size - offsetof(sockaddr_un, sun_path));
         m.says(
             "0 and hexadecimal digits",
             name[0] == '\0' && std::all_of(name + 1, name + 6, [](unsigned char c) { return std::isxdigit(c) != 0; })
                 ? "yes"
                 : "no");
         m.says("one bind again", m.calls().bind(one.number(), any.get(), any.size));
       },
       R"(
one getsockname -> no name
one bind to no name -> 0
size of the name -> 6
0 and hexadecimal digits -> yes
one bind again -> 0
)"},
      {"X8", "socketpair",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         a.local_name();
         a.peer_name();
         a.send("ping");
         b.send("pong");
         a.recv(9);
         b.recv(9);
         int ends[2];
         m.says("socketpair of AF_INET", m.calls().socketpair(AF_INET, SOCK_STREAM, 0, ends));
         m.says("socketpair of protocol 6", m.calls().socketpair(AF_UNIX, SOCK_STREAM, IPPROTO_TCP, ends));
       },
       R"(
a getsockname -> no name
a getpeername -> no name
a send "ping" -> 4
b send "pong" -> 4
a recv 9 -> "pong"
b recv 9 -> "ping"
socketpair of AF_INET -> EOPNOTSUPP
socketpair of protocol 6 -> EPROTONOSUPPORT
)"},
  };
}

}  // namespace lockstep::sockets
