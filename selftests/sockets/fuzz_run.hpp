// Runs sequences of system calls on Linux and on the simulated kernel, and makes those short that tell them apart.
#pragma once

#include "fuzz_pair.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lockstep::sockets {

struct fuzz_run {
  std::vector<fuzz_step> steps;  // without those that had nothing to do
  verdict is = verdict::same;
  // Which operation of the sequence was the last.
  std::size_t last = 0;
};

class fuzzer {
 public:
  // What the simulated machine is made to do before each sequence: nothing, but in a test of the fuzz itself.
  explicit fuzzer(std::function<void(machine&)> prepare = nullptr);
  ~fuzzer();

  fuzz_run run(const sequence& what, int patience);
  // A short one that still differs in a call of the same kind. Requires that `what` differs.
  sequence shrink(sequence what);
  // The body of a row, both transcripts, and how to repeat it.
  // If they differ no more, it says how they did in the first run.
  std::string report(const sequence& shrunk, const fuzz_run& first, std::uint64_t seed);
  // Of that seed: nothing if both agree, or else the report.
  std::optional<std::string> check(std::uint64_t seed);

  // Of all sequences so far.
  struct counts {
    std::size_t sequences = 0;
    std::size_t steps = 0;
    std::map<std::string, std::size_t> ended;  // by why
    std::array<std::size_t, static_cast<std::size_t>(operation_kind::count)> succeeded{};
  };
  const counts& counted() const noexcept { return counts_; }

 private:
  void count(const fuzz_run& run);

  std::function<void(machine&)> prepare_;
  counts counts_;
};

}  // namespace lockstep::sockets
