#include <lockstep/sim/network.hpp>

#include <lockstep/sim/host.hpp>
#include <lockstep/sim/name_service.hpp>

#include <fmt/format.h>

namespace lockstep::sim {

network::network(loop& of) : owner_(of) {
  if (of.history().keeps_all()) [[unlikely]]
    add(notes_);
  add_host("client");
  of.run_listeners().push_back(*this);  // last, as there may be no memory for a host
}

std::shared_ptr<const lane_traits> network::traits_of_loopback() {
  constexpr std::uint32_t mtu_of_loopback = 65'536;
  lane_traits traits;
  traits.mtu = mtu_of_loopback;
  return std::make_shared<const lane_traits>(traits);
}

network::~network() {
  if (notes_.linked()) notes_.unlink();
  faults_.part();
  while (!disturbances_.empty()) disturbances_.front().part();
  if (linked()) unlink();
  close_all();
  tap_.part();
  for (const auto& each : hosts_) each->part();
}

void network::close_all() noexcept {
  if (dns_ != nullptr) dns_->stop();
  for (const auto& each : hosts_) each->close_all();
  while (!connections_.empty()) delete &connections_.front();
  drop_packets();
}

void network::drop_packets() noexcept {
  while (!packets_.empty()) delete &packets_.front();
}

host& network::add_host(std::string name, std::vector<ip_address> addresses, source where) {
  detail::touch(hosts_id, access::write);
  if (name.empty() || name.find_first_of(":/@[]\n") != name.npos || name == "localhost" || ip_address::parsed(name)) {
    owner_.misused(fmt::format("\"{}\" is no name of a host, which is not empty, no address and not \"localhost\", and "
                               "has none of : / @ [ ]",
                               name),
                   where);
  }
  if (by_name_.contains(name)) {
    owner_.misused(fmt::format("there is a host \"{}\" already, which network().at(\"{}\") finds", name, name), where);
  }
  if (addresses.empty()) {
    while (by_address_.contains(ip_address::v4(next_address_))) ++next_address_;
    addresses.push_back(ip_address::v4(next_address_++));
  }
  for (const ip_address& each : addresses) {
    if (const host* const other = host_of(each)) {
      owner_.misused(fmt::format("{} is the address of host \"{}\"", each.text(), other->name()), where);
    }
    if (each.is_any() || each.is_loopback() || each.is_multicast() || is_broadcast(each)) {
      owner_.misused(fmt::format("{} can be no address of a host", each.text()), where);
    }
  }
  const auto number = static_cast<std::uint32_t>(hosts_.size());
  hosts_.push_back(std::make_shared<host>(*this, name, std::move(addresses), number));
  host& made = *hosts_.back();
  made.loopback().set_tapped(tap() != nullptr);
  for (const ip_address& each : made.addresses()) by_address_[each] = &made;
  by_name_[std::move(name)] = &made;
  return made;
}

host* network::find(std::string_view name) noexcept {
  detail::touch(hosts_id, access::read);
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

host* network::host_of(const ip_address& address) noexcept {
  detail::touch(hosts_id, access::read);
  const auto found = by_address_.find(address);
  return found == by_address_.end() ? nullptr : found->second;
}

host& network::at(std::string_view name, source where) {
  if (host* const found = find(name)) return *found;
  std::string names;
  for (const auto& each : hosts_) names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", each->name());
  owner_.misused(fmt::format("there is no host \"{}\": there are {}", name, names), where);
}

link& network::between(host& one, host& other, source where) {
  if (&one == &other) owner_.misused(fmt::format("host \"{}\" has no link to itself", one.name()), where);
  host& lower = one.number() < other.number() ? one : other;
  host& higher = one.number() < other.number() ? other : one;
  detail::touch(hosts_id, access::read);
  const auto [at, is_new] =
      links_.try_emplace(std::pair(lower.number(), higher.number()), lower.name(), higher.name(), default_traits_);
  sim::link& found = at->second;
  if (is_new) {
    found.there.set_tapped(tap() != nullptr);
    found.back.set_tapped(tap() != nullptr);
    for (const host* const each : {&one, &other}) {
      if (!each->is_down()) continue;
      found.there.add_cut();
      found.back.add_cut();
    }
    for (lane_disturbance& each : disturbances_) each.link_made(found, one, other);
  }
  return found;
}

lane* network::lane_between(host& from, host& to) {
  if (&from == &to) return &from.loopback();
  sim::link& found = between(from, to);
  return from.number() < to.number() ? &found.there : &found.back;
}

name_service& network::dns() {
  if (dns_ == nullptr) dns_ = std::make_unique<name_service>(*this);
  return *dns_;
}

// -- looking on -------------------------------------------------------------------------------------------------------

void network::add(traffic_listener& who) noexcept {
  tap_.add(who);
  set_tap_of_lanes();
}

void network::remove(traffic_listener& who) noexcept {
  who.unlink();
  set_tap_of_lanes();
}

void network::set_tap_of_lanes() noexcept {
  const bool told = tap() != nullptr;
  for (const auto& each : hosts_) each->loopback().set_tapped(told);
  for (auto& [ends, way] : links_) {
    way.there.set_tapped(told);
    way.back.set_tapped(told);
  }
}

// -- the end ----------------------------------------------------------------------------------------------------------

void network::tasks_have_gone() noexcept {
  for (tcp_connection& each : connections_) each.stop();
  for (const auto& each : hosts_) each->tasks_have_gone();
  if (dns_ != nullptr) dns_->stop();
  drop_packets();
}

void network::add(fault standing) { faults_.keep(std::move(standing.injected_)); }

lane_disturbance& network::keep(std::unique_ptr<lane_disturbance> standing) {
  return *standing_disturbances_.emplace_back(std::move(standing));
}

void network::isolate(host& who, bool apart) {
  for_links_of(who, [apart](sim::link& each) {
    for (lane* const one : {&each.there, &each.back}) {
      if (apart) {
        one->add_cut();
      } else {
        one->heal();
      }
    }
  });
}

void network::run_ends(bool well) noexcept {
  if (well) {
    faults_.judge();
    for (lane_disturbance& each : disturbances_) each.judge(true);
    if (dns_ != nullptr) dns_->judge();
  }
  report_leaks();
  close_all();
}

void network::report_leaks() noexcept {
  for (const auto& each : hosts_) {
    for (std::size_t fd = 0; fd < each->descriptors().slots().size(); ++fd) {
      const file_reference& file = each->descriptors().slots()[fd].file;
      if (!file) continue;
      owner_.report(verdict_kind::leaked_descriptor,
                    fmt::format("{} of host \"{}\" was still open at the end, as descriptor {}{}{}", file->described(),
                                each->name(), fd, file->text_of_opener(), file->text_of_held()),
                    file->opened_behind());
    }
  }
}

}  // namespace lockstep::sim
