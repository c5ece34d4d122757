// Depth-first search over the choices of a program that is run from its beginning again and again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

// Answers as in the run before, but for the last choice that had an answer left, which gets its next one; from there
// on, with the first.
class choice_stack {
 public:
  std::size_t answer(std::size_t options) {
    if (at_ == choices_.size()) choices_.push_back({0, options});
    return choices_[at_++].answer;
  }
  // Goes on to the next run. False if there is none: then it begins again with the first.
  bool next() {
    while (!choices_.empty() && ++choices_.back().answer == choices_.back().options) choices_.pop_back();
    at_ = 0;
    return !choices_.empty();
  }

 private:
  struct choice {
    std::size_t answer;
    std::size_t options;
  };

  std::vector<choice> choices_;
  std::size_t at_ = 0;
};

}  // namespace bench
