#include <lockstep/net/udp.hpp>

#include <lockstep/system/current.hpp>

#include <netinet/in.h>

#include <memory>
#include <utility>

namespace lockstep {

namespace {

detail::socket_address address_of(const endpoint& of) noexcept {
  detail::socket_address address;
  address.size = of.to(address.stored);
  return address;
}

}  // namespace

udp_socket udp_socket::bind(const endpoint& at, const udp_options& how, source where) {
  system_calls& calls = current_system(where);
  auto made = std::make_unique<detail::open_socket>("udp_socket", calls.shared_from_this(), std::nullopt);
  const int family = at.address().is_v4() ? AF_INET : AF_INET6;
  const auto check = [&at](int result) {
    if (result < 0) detail::throw_system_error(-result, "udp_socket at " + at.text());
  };
  const int fd = calls.socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  check(fd);
  made->hold(fd, where);
  const auto set = [&](int level, int name, int value) {
    check(calls.setsockopt(fd, level, name, &value, sizeof value));
  };
  if (how.reuse_address) set(SOL_SOCKET, SO_REUSEADDR, 1);
  if (how.reuse_port) set(SOL_SOCKET, SO_REUSEPORT, 1);
  if (how.broadcast) set(SOL_SOCKET, SO_BROADCAST, 1);
  if (how.receive_buffer_bytes) set(SOL_SOCKET, SO_RCVBUF, *how.receive_buffer_bytes);
  if (how.send_buffer_bytes) set(SOL_SOCKET, SO_SNDBUF, *how.send_buffer_bytes);
  if (family == AF_INET6) set(IPPROTO_IPV6, IPV6_V6ONLY, how.only_v6 ? 1 : 0);
  const detail::socket_address address = address_of(at);
  check(calls.bind(fd, reinterpret_cast<const sockaddr*>(&address.stored), address.size));
  return udp_socket(std::move(made));
}

void udp_socket::connect(const endpoint& to, source where) {
  const detail::open_socket& here = changed("was connected", where);
  const detail::socket_address address = address_of(to);
  const int result = here.calls().connect(here.fd(), reinterpret_cast<const sockaddr*>(&address.stored), address.size);
  if (result < 0) detail::throw_system_error(-result, here.described_with_ends() + " to " + to.text());
}

detail::sending_datagram udp_socket::send_to(std::span<const std::byte> from, const endpoint& to, source where) {
  return {awaited("was sent from", where), from, address_of(to)};
}

received_datagram detail::receiving_udp::result() {
  outcome();
  const auto* const address = reinterpret_cast<const sockaddr*>(&from_.stored);
  return {size_, truncated_, endpoint::from(address, from_.size).value_or(endpoint())};
}

}  // namespace lockstep
