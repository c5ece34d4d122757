#include <lockstep/sim/zone.hpp>

#include <algorithm>

namespace lockstep::sim {

std::string normal_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string normal(name);
  for (char& each : normal) {
    if (each >= 'A' && each <= 'Z') each = static_cast<char>(each - 'A' + 'a');
  }
  return normal;
}

bool is_name(std::string_view name) noexcept {
  constexpr std::size_t name_max = 253;
  constexpr std::size_t label_max = 63;
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.size() > name_max) return false;
  std::size_t length = 0;
  for (const char each : name) {
    const bool letter = (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9') ||
                        each == '-' || each == '_';
    if (each == '.' ? length == 0 : !letter || length == label_max) return false;
    length = each == '.' ? 0 : length + 1;
  }
  return length != 0;
}

void zone::add(std::string_view name, const ip_address& address, duration ttl) {
  entry& held = entries_[normal_name(name)];
  held.target.clear();
  (address.is_v6() ? held.v6 : held.v4).push_back(address);
  (address.is_v6() ? held.v6_ttl : held.v4_ttl) = ttl;
}

void zone::alias(std::string_view name, std::string_view target, duration ttl) {
  entry& held = entries_[normal_name(name)];
  held = {};
  held.target = normal_name(target);
  held.alias_ttl = ttl;
}

void zone::remove(std::string_view name) { entries_.erase(normal_name(name)); }

name_answer zone::look_up(std::string_view name, int family) const {
  constexpr std::size_t aliases_max = 16;  // in a circle, that is
  name_answer answer;
  answer.ttl = duration::max();
  auto found = entries_.find(normal_name(name));
  for (; found != entries_.end() && !found->second.target.empty(); found = entries_.find(found->second.target)) {
    if (answer.aliases.size() == aliases_max) return name_answer::failed(name_failure::server_failure);
    answer.aliases.push_back({found->first, found->second.target, found->second.alias_ttl});
    answer.ttl = std::min(answer.ttl, found->second.alias_ttl);
  }
  if (found == entries_.end()) {
    answer.failure = name_failure::no_such_name;
    return answer;
  }
  const entry& held = found->second;
  if (family != AF_UNSPEC) {
    answer.addresses = family == AF_INET6 ? held.v6 : held.v4;
    answer.ttl = std::min(answer.ttl, family == AF_INET6 ? held.v6_ttl : held.v4_ttl);
  }
  if (answer.addresses.empty()) answer.failure = name_failure::no_data;
  return answer;
}

}  // namespace lockstep::sim
