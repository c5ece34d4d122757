// Fault points in the code under test: places at which something rare may be made to happen.
//
//   if (buggify("cache: full", 20)) evict_everything();
//
// One time in so many it is true, as the oracle picks, where a simulation is explored; so it is found, replayed and
// shrunk like any other choice. In the plain run it is false, unless it is so every time; and in production, for the
// cost of one look at the context of this thread.
// Source: FoundationDB's BUGGIFY.
#pragma once

#include <lockstep/runtime/context.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

// How often a run came by the fault points of one name, and how often they were true.
struct fault_point {
  std::string name;
  std::uint64_t passed = 0;
  std::uint64_t fired = 0;
};

namespace detail {

[[gnu::cold]] bool pick_fault(std::string_view name, std::uint64_t one_in);

}  // namespace detail

// Whether it happens, here and this time. `name` is the domain of the picks, so that those of one name do not shift
// those of another. 1 is every time; 0 is never. Does not suspend, and is allowed anywhere.
inline bool buggify(std::string_view name, std::uint64_t one_in) {
  const detail::context* const found = detail::current_context;
  return found != nullptr && found->simulates && detail::pick_fault(name, one_in);
}

// Of the run under way, or else of the last, by their names. A point that was passed and never true is no verdict.
// Misuse without a loop on this thread.
std::vector<fault_point> fault_points();

}  // namespace lockstep
