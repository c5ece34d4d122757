// Choices from the bytes that a fuzzer makes, and what it is told of the schedule in return.
//
// Each choice takes one byte, or as many as its options need, the lowest first. Past the end all answers are the
// dullest: the empty input is the plain run.
// With counters, the pairs of tasks that touch one object one after the other are counted there, as a fuzzer counts the
// edges of a program: an input that shows a new pair is then worth keeping.
// Source: libFuzzer, https://llvm.org/docs/LibFuzzer.html.
#pragma once

#include <lockstep/base/hash.hpp>
#include <lockstep/choice/oracle.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>

namespace lockstep {

// For one run. `bytes` and `counters` must outlive it.
class fuzzed_choices final : public oracle {
 public:
  explicit fuzzed_choices(std::span<const std::uint8_t> bytes, std::span<std::uint8_t> counters = {}) noexcept
      : bytes_(bytes), counters_(counters) {}

  std::size_t pick_task(const candidates& from) override {
    const std::size_t answer = static_cast<std::size_t>(next(from.size()));
    if (!counters_.empty()) count(from[answer]);
    return answer;
  }
  std::uint64_t pick_value(choice_point, std::uint64_t options) override { return next(options); }

 private:
  std::uint64_t next(std::uint64_t options) noexcept {
    std::uint64_t drawn = 0;
    int shift = 0;
    for (std::uint64_t left = options - 1; left > 0; left >>= 8, shift += 8) {
      if (bytes_.empty()) break;
      drawn |= std::uint64_t{bytes_.front()} << shift;
      bytes_ = bytes_.subspan(1);
    }
    return drawn % options;
  }
  void count(const candidate& next) {
    if (next.object == 0) return;
    identity& last = last_[next.object];
    if (last != 0 && last != next.task) {
      std::uint8_t& counter = counters_[hash_of(hash_of(next.object, last), next.task) % counters_.size()];
      if (counter != 255) ++counter;
    }
    last = next.task;
  }

  std::span<const std::uint8_t> bytes_;
  std::span<std::uint8_t> counters_;
  std::map<identity, identity> last_;  // to touch each object
};

}  // namespace lockstep
