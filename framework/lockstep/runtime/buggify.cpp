#include <lockstep/runtime/buggify.hpp>

#include <lockstep/runtime/loop.hpp>

#include <fmt/format.h>

#include <utility>

namespace lockstep {

bool detail::pick_fault(std::string_view name, std::uint64_t one_in) {
  if (one_in == 0) return false;
  loop& owner = *here().owner;
  auto found = owner.fault_points.find(name);
  if (found == owner.fault_points.end()) found = owner.fault_points.emplace(name, std::pair(0, 0)).first;
  ++found->second.first;
  if (one_in != 1 && owner.pick(fmt::format("fault point {}", name), one_in) != 1) return false;
  ++found->second.second;
  const agent* const who = here().running;
  owner.history().fault_fired(who != nullptr ? who->number() : 0, domain_identity(name));
  owner.note("fault", name);
  return true;
}

std::vector<fault_point> fault_points() {
  std::vector<fault_point> all;
  for (const auto& [name, counts] : detail::here().owner->fault_points) {
    all.push_back({name, counts.first, counts.second});
  }
  return all;
}

}  // namespace lockstep
