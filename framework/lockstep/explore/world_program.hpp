// A main task as a program to be searched, in a world of its own.
//
//   world_program code([] { return transfer_twice(); });
//   const exploration found = explorer(code).explore({});
#pragma once

#include <lockstep/explore/program.hpp>
#include <lockstep/runtime/task.hpp>
#include <lockstep/sim/world.hpp>

#include <functional>

namespace lockstep {

// A run has failed if an exception left the main task, or if there is a verdict.
class world_program final : public program {
 public:
  // Calls `main` inside each run.
  explicit world_program(std::function<task<void>()> main, sim::world_options how = {})
      : main_(std::move(main)), how_(how) {}

  run_result run(oracle& choices, ordering order) override;
  std::uint64_t trace_hash() const override { return world_.summary().trace_hash; }
  // The world of the last run, with its verdicts.
  const sim::world& world() const noexcept { return world_; }

 private:
  std::function<task<void>()> main_;
  sim::world_options how_;
  sim::world world_;
};

}  // namespace lockstep
