// For tests of datagrams: the calls, short, and an oracle that answers by the name of the domain.
#pragma once

#include <lockstep/lockstep.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::sim {

inline int bind_to(host& on, int fd, const endpoint& at) {
  sockaddr_storage name;
  const socklen_t size = at.to(name);
  return on.bind(fd, reinterpret_cast<const sockaddr*>(&name), size);
}

inline int connect_to(host& on, int fd, const endpoint& at) {
  sockaddr_storage name;
  const socklen_t size = at.to(name);
  return on.connect(fd, reinterpret_cast<const sockaddr*>(&name), size);
}

inline int forget_peer(host& on, int fd) {
  const sockaddr nobody{};
  return on.connect(fd, &nobody, sizeof nobody);
}

inline int open_udp(host& on, int family = AF_INET) { return on.socket(family, SOCK_DGRAM, 0); }
// Requires that it can be bound.
inline int open_udp(host& on, const endpoint& at) {
  const int fd = open_udp(on, at.address().is_v6() ? AF_INET6 : AF_INET);
  EXPECT_EQ(bind_to(on, fd, at), 0) << at;
  return fd;
}

inline endpoint local_of(host& on, int fd) {
  sockaddr_storage name;
  socklen_t size = sizeof name;
  EXPECT_EQ(on.getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size), 0);
  return endpoint::from(reinterpret_cast<const sockaddr*>(&name), size).value();
}

inline std::int64_t send_to(host& on, int fd, std::string_view text, const endpoint& to) {
  sockaddr_storage name;
  iovec piece{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_name = &name;
  message.msg_namelen = to.to(name);
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  return on.sendmsg(fd, &message, 0);
}

inline std::int64_t send(host& on, int fd, std::string_view text) { return on.send(fd, text.data(), text.size(), 0); }

struct received {
  std::int64_t result = 0;
  std::string text;
  endpoint from;
  int flags = 0;
};

inline received receive(host& on, int fd, std::size_t room = 100'000, int flags = 0) {
  received got;
  got.text.resize(room);
  sockaddr_storage name{};
  iovec piece{got.text.data(), room};
  msghdr message{};
  message.msg_name = &name;
  message.msg_namelen = sizeof name;
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  got.result = on.recvmsg(fd, &message, flags);
  got.text.resize(got.result < 0 ? 0 : std::min(room, static_cast<std::size_t>(got.result)));
  if (got.result >= 0) {
    got.from = endpoint::from(reinterpret_cast<const sockaddr*>(&name), message.msg_namelen).value();
    got.flags = message.msg_flags;
  }
  return got;
}

// All that is there.
inline std::vector<std::string> receive_all(host& on, int fd) {
  std::vector<std::string> all;
  for (received got = receive(on, fd); got.result >= 0; got = receive(on, fd)) all.push_back(got.text);
  return all;
}

inline int set(host& on, int fd, int level, int name, int value) {
  return on.setsockopt(fd, level, name, &value, sizeof value);
}
inline int get(host& on, int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  const int result = on.getsockopt(fd, level, name, &value, &size);
  return result < 0 ? result : value;
}

inline short polled(host& on, int fd) {
  pollfd asked{fd, POLLIN | POLLOUT | POLLRDHUP, 0};
  on.poll(&asked, 1);
  return asked.revents;
}

// Answers the questions of each domain in turn, and others with the dullest.
class named_choices final : public oracle {
 public:
  explicit named_choices(std::map<std::string, std::deque<std::uint64_t>, std::less<>> answers)
      : answers_(std::move(answers)) {}

  std::size_t pick_task(const candidates&) override { return 0; }
  std::uint64_t pick_value(choice_point point, std::uint64_t) override {
    asked[std::string(point.name)] += 1;
    const auto found = answers_.find(point.name);
    if (found == answers_.end() || found->second.empty()) return 0;
    const std::uint64_t answer = found->second.front();
    found->second.pop_front();
    return answer;
  }
  // How often, by domain.
  std::map<std::string, int> asked;

 private:
  std::map<std::string, std::deque<std::uint64_t>, std::less<>> answers_;
};

// Runs `body(network)`, which is a task, in a world; what it opened may stay open.
template <class F>
void in_network(F body, oracle* choices = nullptr) {
  world simulation;
  world_options how;
  how.choices = choices;
  simulation.start(how);
  const auto main = [&]() -> task<void> { co_await body(simulation.network()); };
  simulation.drive(main());
  simulation.finish();
  for (const verdict& each : simulation.verdicts()) {
    if (each.kind != verdict_kind::leaked_descriptor) ADD_FAILURE() << each.message;
  }
  if (simulation.failure() != nullptr) ADD_FAILURE() << lockstep::text_of(simulation.failure());
}

}  // namespace lockstep::sim
