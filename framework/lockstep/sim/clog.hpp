// Disturbances of a whole host: nothing reaches it, or everything late.
//
//   const black_hole lost("db");           // until the end of the scope
//   clog("web", 2s);                       // what is under way to and from it, and what is sent, waits so long
//   auto storm = spawn(swizzle({"a", "b", "c"}, 10s));
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/runtime/task.hpp>
#include <lockstep/sim/fault.hpp>
#include <lockstep/sim/link.hpp>
#include <lockstep/time/clock.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

// While it lives, packets to and from a host vanish, or nobody answers who connects to one port of it.
class [[nodiscard("packets vanish while it lives")]] black_hole {
 public:
  // "db": nothing comes to it from any other host, nor from it. "db:5432": connections to that port are not answered,
  // and those that there are go on; one that nobody tried to make is a verdict, as of any fault.
  // Misuse if there is no such host.
  explicit black_hole(std::string_view target, source where = source::current());
  black_hole(black_hole && other) noexcept = default;
  black_hole& operator=(black_hole&&) = delete;

 private:
  sim::lane_cuts lanes_;
  std::optional<fault> connecting_;
};

// Holds everything on its way to and from that host for so long, and then lets it go on.
void clog(std::string_view host, duration length, source where = source::current());
template <coarser_duration D>
void clog(std::string_view host, D length, source where = source::current()) {
  clog(host, saturating_cast(length), where);
}

// Clogs some of the hosts, half of them or so, each from a time on and for a time within that length, so that they come
// free in another order; then it ends. Which and when are picks of the oracle; in the plain run, none is.
// Source: FoundationDB's RandomClogging.
task<void> swizzle(std::vector<std::string> hosts, duration within, source where = source::current());
template <coarser_duration D>
task<void> swizzle(std::vector<std::string> hosts, D within, source where = source::current()) {
  return swizzle(std::move(hosts), saturating_cast(within), where);
}

}  // namespace lockstep
