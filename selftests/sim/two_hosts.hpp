// Two hosts and plain system calls, for tests of the simulated kernel: what comes back is text, or an error's name.
#pragma once

#include <lockstep/lockstep.hpp>
#include <lockstep/sim/host.hpp>
#include <lockstep/sim/network.hpp>
#include <lockstep/sim/partition.hpp>

#include <gmock/gmock.h>

#include <functional>
#include <string>

namespace lockstep::sim {

inline std::string error_text(std::int64_t result) {
  return result >= 0 ? std::to_string(result) : strerrorname_np(static_cast<int>(-result));
}

// A descriptor of a host.
struct file {
  host* on;
  int fd;

  std::string connect(const endpoint& to) const {
    sockaddr_storage address;
    const socklen_t size = to.to(address);
    return error_text(on->connect(fd, reinterpret_cast<sockaddr*>(&address), size));
  }
  std::string bind(const endpoint& to) const {
    sockaddr_storage address;
    const socklen_t size = to.to(address);
    return error_text(on->bind(fd, reinterpret_cast<sockaddr*>(&address), size));
  }
  std::string send(const std::string& text) const { return error_text(on->send(fd, text.data(), text.size(), 0)); }
  std::string recv(std::size_t size = 100) const {
    std::string into(size, '\0');
    const std::int64_t result = on->recv(fd, into.data(), into.size(), 0);
    if (result < 0) return error_text(result);
    into.resize(static_cast<std::size_t>(result));
    return result == 0 ? "end" : into;
  }
  std::string error() const {
    int is = 0;
    socklen_t size = sizeof is;
    on->getsockopt(fd, SOL_SOCKET, SO_ERROR, &is, &size);
    return is == 0 ? "0" : strerrorname_np(is);
  }
  void set(int level, int name, int value) const {
    EXPECT_EQ(on->setsockopt(fd, level, name, &value, sizeof value), 0);
  }
  file accept() const { return {on, on->accept4(fd, nullptr, nullptr, 0)}; }
  std::string ready() const {
    pollfd asked{fd, POLLIN | POLLOUT | POLLRDHUP, 0};
    on->poll(&asked, 1);
    std::string text;
    const auto add = [&](int event, const char* name) {
      if ((asked.revents & event) != 0) text += text.empty() ? name : std::string("|") + name;
    };
    add(POLLIN, "IN");
    add(POLLOUT, "OUT");
    add(POLLERR, "ERR");
    add(POLLHUP, "HUP");
    add(POLLRDHUP, "RDHUP");
    return text.empty() ? "-" : text;
  }
  void close() const { EXPECT_EQ(on->close(fd), 0); }
};

inline file tcp(host& on, int family = AF_INET) { return {&on, on.socket(family, SOCK_STREAM, 0)}; }
inline file listening(host& on, const endpoint& at, int backlog = 16) {
  const file made = tcp(on, at.address().is_v6() ? AF_INET6 : AF_INET);
  EXPECT_EQ(made.bind(at), "0");
  EXPECT_EQ(on.listen(made.fd, backlog), 0);
  return made;
}

// "client" is 10.0.0.1, where the test runs, and "web" is 10.0.0.2.
struct two_hosts {
  host& client = lockstep::world().network().first_host();
  host& web = lockstep::world().host("web", "10.0.0.2");
};

// With a connection to port 80 of "web", made and accepted at once.
struct connected_hosts : two_hosts {
  struct ends {
    file listener;
    file here;
    file there;
  };
  ends connection = connect();

 private:
  ends connect() {
    ends made{listening(web, "10.0.0.2:80"), tcp(client), {}};
    made.here.connect("10.0.0.2:80");
    made.there = made.listener.accept();
    return made;
  }
};

// Runs it in a world of its own, and expects that nothing is found.
inline void run_on_hosts(const std::function<task<void>()>& body) {
  class world of;
  of.run(body);
  for (const verdict& each : of.verdicts()) ADD_FAILURE() << name_of(each.kind) << ": " << each.message;
}

}  // namespace lockstep::sim
