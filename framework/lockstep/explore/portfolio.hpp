// Several strategies in turn: which of them makes a run is drawn by weight.
#pragma once

#include <lockstep/explore/sampling.hpp>

#include <cstdint>
#include <iterator>
#include <memory>
#include <string_view>

namespace lockstep {

// How much of the samples each strategy makes, of the sum of all; coverage makes them where all are 0. The defaults are
// measured (`lockstep_finding`, ADR 036).
struct sample_weights {
  std::uint32_t urw = 60;
  std::uint32_t pos = 10;
  std::uint32_t uniform = 20;
  std::uint32_t pct = 10;
  std::uint32_t coverage = 0;
};

class portfolio {
 public:
  struct drawn {
    sampling_oracle* by;  // null for coverage, which is left to the caller
    std::string_view name;
  };

  // `known` must outlive it.
  explicit portfolio(const profile& known, sample_weights weights = {}) noexcept : known_(known), weights_(weights) {}

  // Who makes the `nth` sample of that seed. The same on every machine, if the profile is.
  drawn draw(std::uint64_t seed, std::uint64_t nth);

 private:
  const profile& known_;
  sample_weights weights_;
  std::unique_ptr<sampling_oracle> made_[std::size(all_samplers)];
};

}  // namespace lockstep
