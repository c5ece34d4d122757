// For tests of oracles: candidates that no loop has made.
#pragma once

#include <lockstep/choice/oracle.hpp>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {

class some_candidates final : public candidates {
 public:
  some_candidates(std::initializer_list<candidate> of, bool first_is_running = false)
      : candidates(of.size()), of_(of), first_is_running_(first_is_running) {}

  candidate operator[](std::size_t i) const noexcept override { return of_[i]; }
  bool first_is_running() const noexcept override { return first_is_running_; }
  std::string path(std::size_t i) const override { return std::to_string(i + 1); }

 private:
  std::vector<candidate> of_;
  bool first_is_running_;
};

}  // namespace lockstep
