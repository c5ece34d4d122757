// A set of traces by their hashes, that counts its elements about: of so many bits, those that are set tell how many
// different ones there were.
// Source: Whang, Vander-Zanden, Taylor, "A linear-time probabilistic counting algorithm", 1990.
#pragma once

#include <lockstep/base/hash.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace lockstep {

class trace_set {
 public:
  trace_set() = default;
  // Of what words() said.
  explicit trace_set(std::vector<std::uint64_t> words);

  void add(std::uint64_t trace) {
    if (words_.empty()) words_.resize(bits / 64);
    const std::uint64_t at = mix(trace) % bits;
    const std::uint64_t bit = std::uint64_t{1} << (at % 64);
    if ((words_[at / 64] & bit) == 0) ++set_;
    words_[at / 64] |= bit;
  }
  void add_all(const trace_set& others);

  // How many there are, about, and no more than `most`: as many as were added.
  std::uint64_t size(std::uint64_t most) const noexcept;
  const std::vector<std::uint64_t>& words() const noexcept { return words_; }

 private:
  static constexpr std::uint64_t bits = std::uint64_t{1} << 20;

  std::vector<std::uint64_t> words_;  // none, or all
  std::uint64_t set_ = 0;             // bits
};

}  // namespace lockstep
