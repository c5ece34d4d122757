// Depth-first search over the choices of a program that is run from its beginning again and again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace bench {

// Answers as in the run before, but for the last choice that had an answer left, which gets its next one; from there
// on, with the first.
class choice_stack {
 public:
  std::size_t answer(std::size_t options) noexcept {
    if (at_ == count_) choices_[count_++] = {0, static_cast<std::uint32_t>(options)};
    return choices_[at_++].answer;
  }
  // Goes on to the next run. False if there is none: then it begins again with the first.
  bool next() noexcept {
    while (count_ != 0 && ++choices_[count_ - 1].answer == choices_[count_ - 1].options) --count_;
    at_ = 0;
    return count_ != 0;
  }

 private:
  struct choice {
    std::uint32_t answer;
    std::uint32_t options;
  };

  std::array<choice, 64> choices_;  // no run of the workloads makes more
  std::uint32_t count_ = 0;
  std::uint32_t at_ = 0;
};

}  // namespace bench
