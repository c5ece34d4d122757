// What a search runs again and again: the code under test, from scratch each time.
#pragma once

#include <lockstep/choice/oracle.hpp>

#include <cstdint>
#include <string>

namespace lockstep {

// What one run came to.
struct run_result {
  bool failed = false;
  // Of a run that failed: what failed, where, and who was blocked, in words that do not depend on the schedule. Two
  // runs with the same signature show the same defect.
  std::string signature{};
  bool skipped = false;  // says nothing: it has neither failed nor passed
};

class program {
 public:
  program() = default;
  program(const program&) = delete;
  program& operator=(const program&) = delete;
  virtual ~program() = default;

  // Makes a run with these choices. A run that its observer gives up has not failed.
  virtual run_result run(oracle& choices, ordering order) = 0;
  // Of the last run.
  virtual std::uint64_t trace_hash() const = 0;
};

}  // namespace lockstep
