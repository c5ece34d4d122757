// A sample that tells how large the space of a program's runs is: runs that are drawn with known odds.
//
// Every other run is drawn uniformly at each choice, the others by the steps that the tasks have left, as urw does. The
// odds of a run are those that both together give it. Where the tasks are of different lengths, a uniform draw nearly
// never comes to most of the space, and the sample would say that there is little; where the profile is wrong, the
// other half would. Source: Veach, Guibas, "Optimally combining sampling techniques", SIGGRAPH 1995 (the balance
// heuristic).
#pragma once

#include <lockstep/choice/oracle.hpp>
#include <lockstep/explore/remaining_steps.hpp>
#include <lockstep/explore/sampling.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lockstep {

class pilot_sampler final : public sampling_oracle {
 public:
  // `known` must outlive it.
  using sampling_oracle::sampling_oracle;

  std::size_t draw_task(const candidates& from) override;
  // How the present run is drawn.
  std::string_view name() const noexcept { return name_of(by_steps_ ? sampler::urw : sampler::uniform); }
  // For how many orders the last run stands in an estimate of all. That it has values in it is not counted.
  double weight() const noexcept;

 private:
  void begin_run() override;

  detail::remaining_steps left_;
  bool by_steps_ = true;
  std::uint64_t made_ = 0;
  double uniform_ = 0;  // the logarithms, to base 2, of the odds of the present run
  double of_steps_ = 0;
};

}  // namespace lockstep
