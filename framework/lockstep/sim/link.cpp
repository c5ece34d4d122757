#include <lockstep/sim/link.hpp>

#include <lockstep/runtime/loop.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace lockstep::sim {

duration lane::latency_of(loop& owner, std::uint64_t bytes) {
  duration taken = traits_.latency_min;
  if (const auto spread = traits_.latency_max - traits_.latency_min; spread > duration::zero()) {
    taken += duration(static_cast<duration::rep>(owner.pick(name_, static_cast<std::uint64_t>(spread.count()) + 1)));
  }
  if (traits_.bytes_per_second != 0) {
    constexpr std::uint64_t second_in_ns = 1'000'000'000;  // a packet is short, so that this does not overflow
    const auto ns = static_cast<duration::rep>(bytes * second_in_ns / traits_.bytes_per_second);
    busy_until_ = saturating_add(std::max(busy_until_, owner.now()), duration(ns));
    taken = saturating_add(taken, busy_until_ - owner.now());
  }
  return taken;
}

bool lane::draws(loop& owner, std::string_view what, std::uint64_t one_in) const {
  if (one_in <= 1) return one_in == 1;
  return owner.pick(fmt::format("{} {}", name_, what), one_in) == 1;
}

void lane::add_cut() noexcept {
  if (cuts_++ != 0) return;
  // Those that are lost by it leave the list.
  intrusive_list<traveller, traveller> under_way;
  under_way.splice_back(travellers_);
  while (!under_way.empty()) {
    traveller& next = under_way.pop_front();
    travellers_.push_back(next);
    next.lane_cut();
  }
}

void lane::heal() noexcept {
  if (--cuts_ != 0) return;
  // Whoever sets out again stays in the list; what arrives at once may end others, so each is looked up anew.
  intrusive_list<traveller, traveller> waiting;
  waiting.splice_back(travellers_);
  while (!waiting.empty()) {
    traveller& next = waiting.pop_front();
    travellers_.push_back(next);
    next.lane_healed();
  }
}

link& link::latency(duration shortest, duration longest, source where) {
  if (shortest < duration::zero() || longest < shortest) {
    detail::here().owner->misused(fmt::format("a latency of {} to {}: it must not be negative, and the longest not "
                                              "below the shortest",
                                              to_text(shortest), to_text(longest)),
                                  where);
  }
  for (lane* const each : {&there, &back}) {
    lane_traits changed = each->traits();
    changed.latency_min = shortest;
    changed.latency_max = longest;
    each->set_traits(changed);
  }
  return *this;
}

link& link::bandwidth(std::uint64_t bytes_per_second) {
  for (lane* const each : {&there, &back}) {
    lane_traits changed = each->traits();
    changed.bytes_per_second = bytes_per_second;
    each->set_traits(changed);
  }
  return *this;
}

}  // namespace lockstep::sim
