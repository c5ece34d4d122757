// How large the space of a program's runs is, from a sample.
//
// A run that was drawn with probability 1/w stands for w runs, so the mean of all w estimates how many there are; and
// if k orders of its steps are this same run, w/k estimates how many differ. Both are unbiased, and vary widely: the
// sample must not be small.
// Source: Knuth, "Estimating the efficiency of backtrack programs", Mathematics of Computation 29, 1975.
#pragma once

#include <cstdint>
#include <optional>

namespace lockstep {

class space_estimate {
 public:
  // A run that was drawn with one in so many odds; and how many orders of its steps are the same run, where that is
  // known.
  void add(double weight, std::optional<double> orders) noexcept {
    ++runs_;
    weights_ += weight;
    if (!orders) return;
    ++known_;
    classes_ += weight / *orders;
  }
  std::uint64_t runs() const noexcept { return runs_; }
  // All interleavings. Requires a run.
  double interleavings() const noexcept { return weights_ / static_cast<double>(runs_); }
  // Those that differ; nothing if that is not known of most runs.
  std::optional<double> classes() const noexcept {
    if (2 * known_ <= runs_) return std::nullopt;
    return classes_ / static_cast<double>(known_);
  }

 private:
  std::uint64_t runs_ = 0;
  std::uint64_t known_ = 0;
  double weights_ = 0;
  double classes_ = 0;
};

}  // namespace lockstep
