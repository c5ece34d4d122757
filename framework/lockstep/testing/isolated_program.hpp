// A program each run of which is made in a process of its own: so a run may crash, and is searched like any other.
#pragma once

#include <lockstep/explore/program.hpp>
#include <lockstep/testing/worker_process.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::detail {

// The oracle is asked in that process, whose copy of it is lost. So all that it was asked and told there is kept in
// memory which both processes share, and the oracle here is asked and told the same when the run has ended: it answers
// the same, and knows as much as if the run had been made here. A run that died has failed, with the signature of its
// death. Of a run whose questions take more than `log_bytes` nothing is known: it has not failed.
// A run that was stuck is not waited for again: one that has given all the answers which that one gave is stuck as
// well.
class isolated_program final : public program {
 public:
  static constexpr std::size_t log_bytes = std::size_t{64} << 20;

  // `code` makes the runs. It must outlive this, and must not have been run in this process. `after_run` is called
  // behind each, there: it should end threads, since TSan has a process that has some wait for a second when it ends.
  explicit isolated_program(program& code, std::function<void()> after_run = nullptr)
      : code_(code), after_run_(std::move(after_run)), log_(log_bytes) {}

  run_result run(oracle& choices, ordering order) override;
  std::uint64_t trace_hash() const override { return trace_hash_; }
  // Of the last run that died.
  const worker_end& last_death() const noexcept { return last_death_; }
  // The runs that were stuck and had to be waited for.
  std::uint64_t stuck_runs() const noexcept { return stuck_runs_; }

 private:
  struct log {
    std::atomic<std::uint64_t> used = 0;
    std::atomic<bool> full = false;
    std::atomic<std::uint64_t> questions = 0;
    std::atomic<std::uint64_t> hash = 0;       // of these, and the answers
    std::atomic<std::size_t> known_stuck = 0;  // which of the runs that were stuck this one is, from 1; 0 for none
  };
  struct stuck_run {
    ordering order;
    std::uint64_t questions;
    std::uint64_t hash;
    std::string log;
    worker_end end;
  };
  class recorder;
  class replayed;

  program& code_;
  std::function<void()> after_run_;
  shared_object<log> log_;
  std::uint64_t trace_hash_ = 0;
  worker_end last_death_;
  std::vector<stuck_run> stuck_;
  std::uint64_t stuck_runs_ = 0;
};

}  // namespace lockstep::detail
