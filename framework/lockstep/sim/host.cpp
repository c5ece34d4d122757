#include <lockstep/sim/host.hpp>

#include <lockstep/sim/network.hpp>
#include <lockstep/sim/tcp_socket.hpp>

#include <algorithm>

namespace lockstep::sim {

host::host(network& of, std::string name, std::vector<ip_address> addresses, std::uint32_t number)
    : network_(&of), name_(std::move(name)), addresses_(std::move(addresses)), number_(number),
      id_(domain_identity(name_)) {}

host::~host() = default;

time_point host::now() const noexcept { return network_->owner().now(); }

bool host::has(const ip_address& address) const noexcept {
  const ip_address plain = address.unmapped();
  return plain.is_any() || plain.is_loopback() ||
         std::find(addresses_.begin(), addresses_.end(), plain) != addresses_.end();
}

int host::route(const ip_address& to, ip_address& from, host*& there) noexcept {
  if (to.is_loopback() || has(to)) {
    if (from.is_any() || from.is_v6() != to.is_v6())
      from = to.is_loopback() && to.is_v4() ? ip_address::loopback_v4() : to;
    there = this;
    return 0;
  }
  const auto same_family = [&to](const ip_address& each) { return each.is_v6() == to.is_v6(); };
  const auto own = std::find_if(addresses_.begin(), addresses_.end(), same_family);
  if (own == addresses_.end()) return -ENETUNREACH;
  if (from.is_loopback()) return -EINVAL;
  if (from.is_any() || from.is_v6() != to.is_v6()) from = *own;
  there = network_->find(to);
  return 0;
}

void host::listens(tcp_socket& who, bool does) {
  detail::touch(ports_id(), access::write);
  if (does) {
    listeners_.push_back(&who);
  } else {
    std::erase(listeners_, &who);
  }
}

tcp_socket* host::find_listener(const endpoint& at) noexcept {
  detail::touch(ports_id(), access::read);
  tcp_socket* best = nullptr;
  for (tcp_socket* const each : listeners_) {
    const port_claim& claim = each->claim();
    if (claim.local.port() != at.port() || !is_for(claim, at.address())) continue;
    const auto rank = [](const port_claim& of) {
      return (of.local.address().is_any() ? 0 : 2) + (of.local.address().is_v4() ? 1 : 0);
    };
    if (best == nullptr || rank(claim) > rank(best->claim())) best = each;
  }
  return best;
}

void host::close_all() noexcept {
  for (std::size_t at = 0; at < table_.slots().size(); ++at) table_.remove(static_cast<int>(at));
  unix_.collect();  // those that are left are in flight, of each other
}

}  // namespace lockstep::sim
