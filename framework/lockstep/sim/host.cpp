#include <lockstep/sim/host.hpp>

#include <lockstep/sim/network.hpp>
#include <lockstep/sim/tcp_socket.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

namespace lockstep::sim {

host::host(network& of, std::string name, std::vector<ip_address> addresses, std::uint32_t number)
    : network_(&of), name_(std::move(name)), addresses_(std::move(addresses)), number_(number),
      id_(domain_identity(name_)), loopback_(name_, of.loopback_traits()), table_(roll(id_, 6)) {}

host::~host() = default;

time_point host::now() const noexcept { return network_->owner().now(); }

bool host::has(const ip_address& address) const noexcept {
  const ip_address plain = address.unmapped();
  return plain.is_any() || plain.is_loopback() ||
         std::find(addresses_.begin(), addresses_.end(), plain) != addresses_.end();
}

namespace {

bool shares_bits(const ip_address& one, const ip_address& other, unsigned bits) noexcept {
  if (one.is_v6() != other.is_v6()) return false;
  constexpr unsigned byte = 8;
  for (unsigned at = 0; at < bits; ++at) {
    const auto mask = static_cast<std::uint8_t>(0x80u >> at % byte);
    if (((one.bytes()[at / byte] ^ other.bytes()[at / byte]) & mask) != 0) return false;
  }
  return true;
}

// An address that nobody has is looked for among the neighbours, which share the first 8 bits of an IPv4 address, or 64
// of IPv6; there is no router that would know others.
bool is_on_link(const ip_address& own, const ip_address& to) noexcept {
  constexpr unsigned v4_bits = 8;
  constexpr unsigned v6_bits = 64;
  return is_broadcast(to) || (!to.is_multicast() && shares_bits(own, to, own.is_v4() ? v4_bits : v6_bits));
}

}  // namespace

void host::refuse_route(const ip_address& network, unsigned bits, int error, source where) {
  const unsigned bits_max = network.is_v4() ? 32 : 128;
  if (bits > bits_max) {
    network_->owner().misused(fmt::format("{}/{} is no network: it has {} bits", network.text(), bits, bits_max),
                              where);
  }
  if (error != EHOSTUNREACH && error != EACCES && error != EINVAL && error != ENETUNREACH) {
    network_->owner().misused(
        fmt::format("a route does not fail with error {}, as with EHOSTUNREACH, EACCES, EINVAL and "
                    "ENETUNREACH",
                    error),
        where);
  }
  detail::touch(id_, access::write);
  refused_.push_back({network, bits, error});
}

bool is_broadcast(const ip_address& address) noexcept {
  constexpr std::uint32_t every_network = 0xFFFFFFFF;
  constexpr std::uint32_t this_network = 0x0AFFFFFF;
  constexpr std::uint32_t this_host = 0x7FFFFFFF;
  return address.is_v4() &&
         (address.number() == every_network || address.number() == this_network || address.number() == this_host);
}

std::uint32_t host::mtu_to(host* there) {
  return there != nullptr ? network_->lane_between(*this, *there)->traits().mtu : lane_traits().mtu;
}

int host::mtu_told(host* there, const ip_address& to) {
  constexpr std::uint32_t v4_packet_max = 65'535;
  return static_cast<int>(to.is_v4() ? std::min(mtu_to(there), v4_packet_max) : mtu_to(there));
}

bool host::may_bind(const ip_address& address) const noexcept {
  return has(address) || is_broadcast(address) || address.unmapped().is_multicast();
}

int host::route(const ip_address& to, ip_address& from, host*& there) noexcept {
  if (to.is_loopback() || has(to)) {
    if (from.is_any() || from.is_v6() != to.is_v6())
      from = to.is_loopback() && to.is_v4() ? ip_address::loopback_v4() : to;
    there = this;
    return 0;
  }
  detail::touch(id_, access::read);
  for (const refused_route& each : refused_) {
    if (shares_bits(each.network, to, each.bits)) return -each.error;
  }
  const auto same_family = [&to](const ip_address& each) { return each.is_v6() == to.is_v6(); };
  const auto own = std::find_if(addresses_.begin(), addresses_.end(), same_family);
  if (own == addresses_.end()) return -ENETUNREACH;
  if (from.is_loopback()) return -EINVAL;
  if (from.is_any() || from.is_v6() != to.is_v6()) from = *own;
  there = network_->host_of(to);
  return there != nullptr || is_on_link(*own, to) ? 0 : -ENETUNREACH;
}

void host::listens(tcp_socket& who, bool does) {
  detail::touch(listeners_id(), access::write);
  if (does) {
    listeners_.push_back(&who);
  } else {
    std::erase(listeners_, &who);
  }
}

tcp_socket* host::find_listener(const endpoint& at, const endpoint& from) noexcept {
  detail::touch(listeners_id(), access::read);
  const auto rank = [&at](const tcp_socket* each) {
    const endpoint& local = each->claim().local;
    if (local.port() != at.port() || !is_for(each->claim(), at.address())) return 0;
    return 1 + (local.address().is_any() ? 0 : 2) + (local.address().is_v4() ? 1 : 0);
  };
  const auto shares = [](const tcp_socket* each) { return each->claim().reuse_port; };
  const auto found = receiver_among(listeners_, rank, shares, from, at);
  return found != listeners_.end() ? *found : nullptr;
}

void host::close_all() noexcept {
  for (std::size_t at = 0; at < table_.slots().size(); ++at) table_.remove(static_cast<int>(at));
  unix_.collect();  // those that are left are in flight, of each other
}

}  // namespace lockstep::sim
