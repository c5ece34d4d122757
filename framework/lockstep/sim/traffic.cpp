#include <lockstep/sim/traffic.hpp>

#include <lockstep/runtime/disturbance.hpp>

#include <utility>

namespace lockstep::sim {

std::string traffic::flags_text() const {
  std::string text;
  for (const auto& [flag, letter] : {std::pair(syn, 'S'), {fin, 'F'}, {reset, 'R'}, {push, 'P'}}) {
    if ((flags & flag) != 0) text += letter;
  }
  if ((flags & acknowledges) != 0) text += text.empty() ? '.' : 'A';
  return text;
}

void traffic_tap::tell(const traffic& packet) noexcept {
  const sparing_allocations of_reports;
  for (traffic_listener& each : all_) each.saw(packet);
}

void traffic_tap::tell_begin() noexcept {
  const sparing_allocations of_reports;
  for (traffic_listener& each : all_) each.call_begins();
}

void traffic_tap::tell(const system_call& made) noexcept {
  const sparing_allocations of_reports;
  for (traffic_listener& each : all_) each.call_ended(made);
}

}  // namespace lockstep::sim
