// The test that GoogleTest runs now, as what is searched.
#pragma once

#include <lockstep/explore/program.hpp>
#include <lockstep/testing/crash.hpp>
#include <lockstep/testing/muted_output.hpp>
#include <lockstep/testing/test_runs.hpp>
#include <lockstep/testing/watcher.hpp>

#include <cstdint>
#include <optional>

namespace lockstep::detail {

class test_program final : public program {
 public:
  // `runner` must outlive it.
  explicit test_program(test_runner& runner) noexcept : runner_(runner) {}

  // What the runs print is kept there; null if nobody would see it.
  void mute(muted_output* output) noexcept { output_ = output; }

  run_result run(oracle& choices, ordering order) override {
    if (!guard_) guard_.emplace(runner_, output_);
    if (output_ != nullptr && ++runs_ % 256 == 0) output_->forget();
    return runner_.make_for_search(choices, order);
  }
  std::uint64_t trace_hash() const override { return runner_.trace_hash(); }

  // One of its runs, here or in a worker, got stuck: see test_runner.
  void expect_stuck_steps() noexcept { runner_.expect_stuck_steps(); }
  // Until the next run, this process has no thread of ours, and may fork.
  void rest() {
    guard_.reset();
    runner_.rest();
  }

 private:
  // For as long as runs are made, in the process that makes them.
  struct guard {
    guard(test_runner& runner, muted_output* output)
        : notice("the search was made within this process; with --lockstep_jobs=1 it tells which run it was",
                 &runner.watched_loop(), output),
          watched(runner.watched_by(), notice) {}
    crash_notice notice;
    watched_run watched;
  };

  test_runner& runner_;
  muted_output* output_ = nullptr;
  std::optional<guard> guard_;
  std::uint64_t runs_ = 0;
};

}  // namespace lockstep::detail
