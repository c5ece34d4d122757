// How many steps each task has yet to make, by what earlier runs have shown: what it is known to do, less what it has
// done, and all that those will do whom it has yet to spawn.
#pragma once

#include <lockstep/choice/oracle.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lockstep {

class profile;

namespace detail {

class remaining_steps {
 public:
  // Before each run. `known` must outlive the run.
  void begin_run(const profile& known);
  // Looks at all candidates of a choice. Returns the sum of what they have left: one each, at least.
  std::uint64_t see(const candidates& from);
  // What the i-th of those has left.
  std::uint64_t of(std::size_t i) const noexcept { return i == 0 ? sums_[0] : sums_[i] - sums_[i - 1]; }
  // To which of them that one of all the steps left belongs, from 0.
  std::size_t at(std::uint64_t nth) const noexcept {
    return static_cast<std::size_t>(std::upper_bound(sums_.begin(), sums_.end(), nth) - sums_.begin());
  }

 private:
  void note(identity task);
  std::uint64_t of_task(const candidate& who) const;

  const profile* known_ = nullptr;
  std::vector<bool> seen_;
  std::vector<std::uint64_t> all_;   // of each task and its descendants
  std::vector<std::uint64_t> left_;  // of each task and those of its descendants that were not seen
  std::vector<std::uint64_t> sums_;  // of the candidates, up to each
};

}  // namespace detail

}  // namespace lockstep
