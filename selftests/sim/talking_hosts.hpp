// Hosts whose tasks talk to each other through streams, for tests of faults.
#pragma once

#include "two_hosts.hpp"

#include <lockstep/net/tcp.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <system_error>

namespace lockstep::sim {

// What a call came to: "ok", or the error's name.
template <class F>
task<std::string> outcome_of(F call) {
  try {
    co_await call();
    co_return "ok";
  } catch (const std::system_error& failed) {
    co_return strerrorname_np(failed.code().value());
  }
}

inline task<std::string> connect_to(endpoint to) {
  return outcome_of([to]() -> task<void> { const tcp_stream made = co_await connect_tcp(to); });
}

// What comes next: "end", or the error's name.
inline task<std::string> read_from(tcp_stream& from) {
  std::array<char, 64> buffer;
  try {
    const std::size_t count = co_await from.read_some(buffer);
    co_return count == 0 ? "end" : std::string(buffer.data(), count);
  } catch (const std::system_error& failed) {
    co_return strerrorname_np(failed.code().value());
  }
}

// Sends back what comes, one connection after the other.
inline task<void> echo_at(endpoint at) {
  tcp_listener listener = tcp_listener::bind(at);
  for (;;) {
    tcp_stream peer = co_await listener.accept();
    try {
      std::array<char, 64> buffer;
      while (const std::size_t count = co_await peer.read_some(buffer)) {
        co_await peer.write(std::string_view(buffer.data(), count));
      }
    } catch (const std::system_error&) {  // the next one may be luckier
    }
  }
}

inline const endpoint web_80 = "10.0.0.2:80";

// The daemon of `echo_at` on a host "web", which listens at `web_80` when this returns.
struct echo_host : two_hosts {
  echo_host() {
    const scoped_value there = web.enter();
    spawn_daemon(echo_at(web_80), "echo");
  }
};

inline std::vector<std::string> messages_of(const class world& of) {
  std::vector<std::string> all;
  for (const verdict& each : of.verdicts()) all.push_back(each.message);
  return all;
}

}  // namespace lockstep::sim
