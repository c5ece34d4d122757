// Table 1.4 of the reference: what goes with a message, descriptors and credentials.
// Source: unix(7), cmsg(3).
#include "rows.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace lockstep::sockets {
namespace {

constexpr std::size_t control_max = 2048;

void send_descriptors(machine& m, const descriptor& to, std::string text, const std::vector<int>& numbers) {
  alignas(cmsghdr) char control[control_max] = {};
  iovec piece = {text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = CMSG_SPACE(numbers.size() * sizeof(int));
  cmsghdr* const first = CMSG_FIRSTHDR(&message);
  first->cmsg_level = SOL_SOCKET;
  first->cmsg_type = SCM_RIGHTS;
  first->cmsg_len = CMSG_LEN(numbers.size() * sizeof(int));
  std::memcpy(CMSG_DATA(first), numbers.data(), numbers.size() * sizeof(int));
  const std::int64_t result = m.calls().sendmsg(to.number(), &message, MSG_NOSIGNAL);
  m.says(to.name() + " send \"" + text + "\" with " + std::to_string(numbers.size()), result);
}

// What came, with room for so many descriptors.
std::vector<descriptor> receive(machine& m, const descriptor& from, std::size_t size, std::size_t room, int flags = 0) {
  alignas(cmsghdr) char control[control_max] = {};
  std::string text(size, '?');
  iovec piece = {text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = room > 0 ? control : nullptr;
  message.msg_controllen = room > 0 ? CMSG_LEN(room * sizeof(int)) : 0;
  const std::int64_t result = m.calls().recvmsg(from.number(), &message, flags);
  std::vector<descriptor> got;
  std::string credentials;
  for (cmsghdr* each = CMSG_FIRSTHDR(&message); result >= 0 && each != nullptr; each = CMSG_NXTHDR(&message, each)) {
    if (each->cmsg_type == SCM_CREDENTIALS) {
      ucred who{};
      std::memcpy(&who, CMSG_DATA(each), sizeof who);
      credentials = who.pid > 0 ? " with credentials" : " with no credentials";
    }
    if (each->cmsg_type != SCM_RIGHTS) continue;
    for (std::size_t i = 0; i < (each->cmsg_len - CMSG_LEN(0)) / sizeof(int); ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(each) + i * sizeof number, sizeof number);
      got.push_back(m.named(number, "passed"));
    }
  }
  const std::string call = from.name() + " recvmsg " + std::to_string(size);
  if (result <= 0) {
    m.says(call, result);
  } else {
    m.says(call, "\"" + text.substr(0, std::min(size, static_cast<std::size_t>(result))) + "\" with " +
                     std::to_string(got.size()) + credentials +
                     ((message.msg_flags & MSG_CTRUNC) != 0 ? " MSG_CTRUNC" : ""));
  }
  return got;
}

constexpr option pass_credentials = LOCKSTEP_OPTION(SOL_SOCKET, SO_PASSCRED);

}  // namespace

std::vector<row> unix_message_rows() {
  return {
      {"X9", "a descriptor is passed",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         auto [reader, writer] = m.pipe();
         send_descriptors(m, a, "take", {writer.number()});
         writer.close();
         reader.poll();
         std::vector<descriptor> got = receive(m, b, 9, 1);
         if (got.empty()) m.ends("nothing is passed");
         got[0].write("through");
         reader.read(9);
         got[0].fcntl(F_GETFD, "F_GETFD");
         got[0].fcntl(F_GETFL, "F_GETFL");
         got[0].close();
         reader.read(9);
       },
       R"(
a send "take" with 1 -> 4
writer close -> 0
reader poll -> -
b recvmsg 9 -> "take" with 1
passed write "through" -> 7
reader read 9 -> "through"
passed F_GETFD -> 0
passed F_GETFL -> 2049
passed close -> 0
reader read 9 -> 0
)"},
      {"X9", "a read stops after a message with descriptors",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         a.send("one");
         send_descriptors(m, a, "two", {a.number()});
         a.send("three");
         send_descriptors(m, a, "four", {a.number()});
         receive(m, b, 40, 4);
         receive(m, b, 40, 4);
         receive(m, b, 40, 4);
         receive(m, b, 40, 4);
       },
       R"(
a send "one" -> 3
a send "two" with 1 -> 3
a send "three" -> 5
a send "four" with 1 -> 4
b recvmsg 40 -> "onetwo" with 1
b recvmsg 40 -> "threefour" with 1
b recvmsg 40 -> EAGAIN
b recvmsg 40 -> EAGAIN
)"},
      {"X9", "a read of a part takes the descriptors",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         send_descriptors(m, a, "hello", {a.number()});
         receive(m, b, 2, 4);
         receive(m, b, 9, 4);
       },
       R"(
a send "hello" with 1 -> 5
b recvmsg 2 -> "he" with 1
b recvmsg 9 -> "llo" with 0
)"},
      {"X9", "a plain read drops the descriptors",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         auto [reader, writer] = m.pipe();
         send_descriptors(m, a, "take", {writer.number()});
         writer.close();
         b.recv(9);
         reader.read(9);
       },
       R"(
a send "take" with 1 -> 4
writer close -> 0
b recv 9 -> "take"
reader read 9 -> 0
)"},
      {"X9", "too little room for the descriptors",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         auto [reader, writer] = m.pipe();
         send_descriptors(m, a, "take", {a.number(), writer.number()});
         writer.close();
         receive(m, b, 9, 1);
         reader.read(9);
         send_descriptors(m, a, "none", {reader.number()});
         receive(m, b, 9, 0);
       },
       R"(
a send "take" with 2 -> 4
writer close -> 0
b recvmsg 9 -> "take" with 1 MSG_CTRUNC
reader read 9 -> 0
a send "none" with 1 -> 4
b recvmsg 9 -> "none" with 0 MSG_CTRUNC
)"},
      {"X9", "peek passes a duplicate",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         send_descriptors(m, a, "take", {a.number()});
         receive(m, b, 9, 1, MSG_PEEK);
         receive(m, b, 9, 1);
       },
       R"(
a send "take" with 1 -> 4
b recvmsg 9 -> "take" with 1
b recvmsg 9 -> "take" with 1
)"},
      {"X9", "descriptors nobody has received are closed",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         auto [reader, writer] = m.pipe();
         send_descriptors(m, a, "take", {writer.number()});
         writer.close();
         reader.read(9);
         b.close();
         reader.read(9);
         a.send("x");
       },
       R"(
a send "take" with 1 -> 4
writer close -> 0
reader read 9 -> EAGAIN
b close -> 0
reader read 9 -> 0
a send "x" -> EPIPE
)"},
      {"X9", "descriptors that cannot be passed",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         send_descriptors(m, a, "bad", {a.number(), -1});
         send_descriptors(m, a, "253", std::vector<int>(253, a.number()));
         send_descriptors(m, a, "254", std::vector<int>(254, a.number()));
         send_descriptors(m, a, "", {a.number()});
         receive(m, b, 9, 253);
         receive(m, b, 9, 253);
       },
       R"(
a send "bad" with 2 -> EBADF
a send "253" with 253 -> 3
a send "254" with 254 -> EINVAL
a send "" with 1 -> 0
b recvmsg 9 -> "253" with 253
b recvmsg 9 -> EAGAIN
)"},
      {"X9", "close on exec of what is passed",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_DGRAM);
         send_descriptors(m, a, "take", {a.number()});
         send_descriptors(m, a, "", {a.number()});
         for (descriptor& each : receive(m, b, 9, 1, MSG_CMSG_CLOEXEC)) each.fcntl(F_GETFD, "F_GETFD");
         receive(m, b, 9, 1);
       },
       R"(
a send "take" with 1 -> 4
a send "" with 1 -> 0
b recvmsg 9 -> "take" with 1
passed F_GETFD -> 1
b recvmsg 9 -> 0
)"},
      {"X9", "who is the peer",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_STREAM);
         ucred who{};
         socklen_t size = sizeof who;
         m.says("SO_PEERCRED", m.calls().getsockopt(a.number(), SOL_SOCKET, SO_PEERCRED, &who, &size));
         m.says("size", size);
         m.says("has a process", who.pid > 0 ? "yes" : "no");
         descriptor fresh = m.socket(AF_UNIX, SOCK_STREAM, "fresh");
         m.says("SO_PEERCRED of nobody", m.calls().getsockopt(fresh.number(), SOL_SOCKET, SO_PEERCRED, &who, &size));
         m.says("process", who.pid);
       },
       R"(
SO_PEERCRED -> 0
size -> 12
has a process -> yes
SO_PEERCRED of nobody -> 0
process -> 0
)"},
      {"X9", "credentials of each message",
       [](machine& m) {
         auto [a, b] = m.unix_pair(SOCK_DGRAM);
         a.send("before");
         b.set(pass_credentials, 1);
         b.get(pass_credentials);
         a.send("after");
         receive(m, b, 9, 20);
         receive(m, b, 9, 20);
         receive(m, b, 9, 20);
       },
       R"(
a send "before" -> 6
b set SO_PASSCRED 1 -> 0
b get SO_PASSCRED -> 1
a send "after" -> 5
b recvmsg 9 -> "before" with 0 with no credentials
b recvmsg 9 -> "after" with 0 with credentials
b recvmsg 9 -> EAGAIN
)"},
  };
}

}  // namespace lockstep::sockets
