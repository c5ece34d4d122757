// Disturbances of a whole host: nothing reaches it, or everything late. One that no packet meets with is a verdict, as
// of any fault that never fired, but for may_not_fire() and those of swizzle().
//
//   const black_hole lost("db");           // until the end of the scope
//   clog("web", 2s);                       // what is under way to and from it, and what is sent, waits so long
//   auto storm = spawn(swizzle(names, 10s));   // a vector of their names
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/runtime/task.hpp>
#include <lockstep/sim/fault.hpp>
#include <lockstep/sim/lane_disturbance.hpp>
#include <lockstep/time/clock.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep {

// While it lives, packets to and from a host vanish, or nobody answers who connects to one port of it.
class [[nodiscard("packets vanish while it lives")]] black_hole {
 public:
  // "db": nothing comes to it from any other host, nor from it. "db:5432": connections to that port are not answered,
  // and those that there are go on.
  // Misuse if there is no such host.
  explicit black_hole(std::string_view target, source where = source::current());
  black_hole(black_hole && other) noexcept = default;
  black_hole& operator=(black_hole&&) = delete;
  ~black_hole();
  // How many packets it has swallowed; of a port, attempts to connect.
  std::uint64_t fired() const noexcept;
  // That there are none is no verdict.
  black_hole& may_not_fire()& noexcept;
  black_hole may_not_fire()&& noexcept { return std::move(may_not_fire()); }

 private:
  std::unique_ptr<sim::lane_disturbance> around_;
  std::optional<fault> connecting_;
};

// Holds everything on its way to and from that host for so long, and then lets it go on. Returns what counts the
// packets that are late by it, and lives as long as the network. Misuse if there is no such host, or for no time.
sim::lane_disturbance& clog(std::string_view host, duration length, source where = source::current());
template <coarser_duration D>
sim::lane_disturbance& clog(std::string_view host, D length, source where = source::current()) {
  return clog(host, saturating_cast(length), where);
}

// Clogs some of the hosts, half of them or so, each from a time on and for a time within that length, so that they come
// free in another order; then it ends. Which and when are picks of the oracle; in the plain run, none is. Misuse if
// there is no such host, or for no time. Source: FoundationDB's RandomClogging.
task<void> swizzle(std::vector<std::string> hosts, duration within, source where = source::current());
template <coarser_duration D>
task<void> swizzle(std::vector<std::string> hosts, D within, source where = source::current()) {
  return swizzle(std::move(hosts), saturating_cast(within), where);
}

}  // namespace lockstep
