#include <lockstep/net/tcp.hpp>

#include <lockstep/system/current.hpp>

#include <fmt/format.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <limits>
#include <utility>

namespace lockstep {

namespace {

// The descriptor, or minus the error number.
int open_tcp(system_calls& calls, const endpoint& of) {
  return calls.socket(of.address().is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int set(system_calls& calls, int fd, int level, int name, int value) {
  return calls.setsockopt(fd, level, name, &value, sizeof value);
}

int bind_to(system_calls& calls, int fd, const endpoint& at) {
  sockaddr_storage stored{};
  const socklen_t size = at.to(stored);
  return calls.bind(fd, reinterpret_cast<const sockaddr*>(&stored), size);
}

// What comes before connect(): 0, or minus the error number.
int prepare(system_calls& calls, int fd, const connect_options& how) {
  if (fd < 0) return fd;
  int result = 0;
  const auto go_on = [&result](int next) { return (result = next) >= 0; };
  if (how.receive_buffer_bytes && !go_on(set(calls, fd, SOL_SOCKET, SO_RCVBUF, *how.receive_buffer_bytes)))
    return result;
  if (how.send_buffer_bytes && !go_on(set(calls, fd, SOL_SOCKET, SO_SNDBUF, *how.send_buffer_bytes))) return result;
  if (how.from && !go_on(bind_to(calls, fd, *how.from))) return result;
  return 0;
}

}  // namespace

// -- tcp_stream -------------------------------------------------------------------------------------------------------

tcp_stream tcp_stream::adopt(int fd, source where) {
  system_calls& calls = current_system(where);
  sockaddr_storage stored{};
  socklen_t size = sizeof stored;
  auto* const address = reinterpret_cast<sockaddr*>(&stored);
  const int result = calls.getpeername(fd, address, &size);
  if (result < 0 && result != -ENOTCONN) detail::throw_system_error(-result, fmt::format("descriptor {}", fd));
  const std::optional<endpoint> remote = result == 0 ? endpoint::from(address, size) : std::nullopt;
  auto made = std::make_unique<detail::open_socket>("tcp_stream", calls.shared_from_this(), remote);
  made->hold(fd, where);
  return tcp_stream(std::move(made));
}

void tcp_stream::reset(source where) {
  if (!is_open()) return;
  detail::open_socket& here = changed("was reset", where);
  const linger at_once{1, 0};
  here.calls().setsockopt(here.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  here.close();
}

const endpoint& tcp_stream::remote(source where) const {
  static constexpr endpoint none;
  const std::optional<endpoint>& known = looked_at("was asked for its peer", where).remote();
  return known ? *known : none;
}

void tcp_stream::no_delay(bool on, source where) {
  changed("had an option set", where).set_option(IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0);
}

bool tcp_stream::no_delay(source where) const {
  return looked_at("had an option read", where).option(IPPROTO_TCP, TCP_NODELAY) != 0;
}

void tcp_stream::keep_alive(bool on, source where) {
  changed("had an option set", where).set_option(SOL_SOCKET, SO_KEEPALIVE, on ? 1 : 0);
}

bool tcp_stream::keep_alive(source where) const {
  return looked_at("had an option read", where).option(SOL_SOCKET, SO_KEEPALIVE) != 0;
}

void tcp_stream::receive_buffer_bytes(int bytes, source where) {
  changed("had an option set", where).set_option(SOL_SOCKET, SO_RCVBUF, bytes);
}

int tcp_stream::receive_buffer_bytes(source where) const {
  return looked_at("had an option read", where).option(SOL_SOCKET, SO_RCVBUF);
}

void tcp_stream::send_buffer_bytes(int bytes, source where) {
  changed("had an option set", where).set_option(SOL_SOCKET, SO_SNDBUF, bytes);
}

int tcp_stream::send_buffer_bytes(source where) const {
  return looked_at("had an option read", where).option(SOL_SOCKET, SO_SNDBUF);
}

void tcp_stream::user_timeout(std::chrono::milliseconds limit, source where) {
  detail::open_socket& here = changed("had an option set", where);
  constexpr std::chrono::milliseconds most(std::numeric_limits<int>::max());
  if (limit.count() < 0 || limit > most) detail::throw_system_error(EINVAL, fmt::format("{} ms", limit.count()));
  here.set_option(IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(limit.count()));
}

std::chrono::milliseconds tcp_stream::user_timeout(source where) const {
  return std::chrono::milliseconds(looked_at("had an option read", where).option(IPPROTO_TCP, TCP_USER_TIMEOUT));
}

// -- listening and connecting -----------------------------------------------------------------------------------------

tcp_listener tcp_listener::bind(const endpoint& at, const listen_options& how, source where) {
  system_calls& calls = current_system(where);
  auto made = std::make_unique<detail::open_socket>("tcp_listener", calls.shared_from_this(), std::nullopt);
  const int fd = open_tcp(calls, at);
  made->hold(fd, where);
  const auto check = [&at](int result) {
    if (result < 0) detail::throw_system_error(-result, "tcp_listener at " + at.text());
  };
  check(fd);
  check(set(calls, fd, SOL_SOCKET, SO_REUSEADDR, how.reuse_address ? 1 : 0));
  if (how.reuse_port) check(set(calls, fd, SOL_SOCKET, SO_REUSEPORT, 1));
  if (at.address().is_v6()) check(set(calls, fd, IPPROTO_IPV6, IPV6_V6ONLY, how.only_v6 ? 1 : 0));
  check(bind_to(calls, fd, at));
  check(calls.listen(fd, how.backlog));
  return tcp_listener(std::move(made));
}

detail::connecting_tcp connect_tcp(const endpoint& to, const connect_options& how, source where) {
  system_calls& calls = current_system(where);
  auto made = std::make_unique<detail::open_socket>("tcp_stream", calls.shared_from_this(), to);
  const int fd = open_tcp(calls, to);
  made->hold(fd, where);
  const int error = prepare(calls, fd, how);
  return {std::move(made), to, -error};
}

}  // namespace lockstep
