// Runs sequences of calls on files on two machines, and makes those short that tell them apart.
#pragma once

#include "fuzz_pair.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace lockstep::files {

struct fuzz_run {
  std::vector<fuzz_step> steps;  // without those that had nothing to do; the last is the tree if all before agree
  bool differs = false;
  // How many operations of the sequence were made.
  std::size_t made = 0;
};

struct finding {
  // What they say of the last call, which tells one finding from another.
  std::string difference;
  // With it the body of a row that tells them apart, both transcripts, and how to repeat it.
  std::string report;
};

class fuzzer {
 public:
  // What the other machine is made to do before each sequence, in its own directory: nothing, but in a test of the fuzz
  // itself.
  explicit fuzzer(std::function<void(machine&)> prepare = nullptr) : prepare_(std::move(prepare)) {}

  fuzz_run run(const sequence& what, user as);
  // Of that seed: nothing if both agree.
  std::optional<finding> check(std::uint64_t seed);

  // Of all sequences so far, without those that made one short.
  struct counts {
    std::size_t sequences = 0;
    std::size_t steps = 0;
    std::array<std::size_t, static_cast<std::size_t>(operation_kind::count)> succeeded{};
  };
  const counts& counted() const noexcept { return counts_; }

 private:
  finding report(const sequence& shrunk, user as, std::uint64_t seed);

  std::function<void(machine&)> prepare_;
  counts counts_;
};

}  // namespace lockstep::files
