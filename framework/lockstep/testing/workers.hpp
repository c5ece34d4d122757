// A search that several processes make, each a part of it, so that a run may crash and nothing is lost.
//
// Which failure is found depends on the options and on the number of workers, not on who was faster: of those that
// fail, the run counts that its worker came to first, and the others go on until they have made as many. A worker that
// dies is replaced, and samples from behind that run on.
#pragma once

#include <lockstep/explore/explorer.hpp>
#include <lockstep/testing/worker_process.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace lockstep::detail {

struct workers_options {
  std::uint32_t jobs = 1;
  // Told about four times a second how far all workers have come together. Null for nobody.
  std::function<void(const exploration_progress&)> on_progress = {};
  // Called in each worker at its end, see isolated_program. Null for nothing.
  std::function<void()> at_end = {};
  // Called in this process when a worker was ended as it was stuck, before another is started. Null for nothing.
  std::function<void()> on_stuck = {};
};

struct found_failure {
  failing_run run;
  std::optional<worker_end> death = {};  // if its process has died
};

struct search_result {
  exploration together;  // without the failures
  // One for each signature, that with the fewest runs first. Only deaths are followed by more of them.
  std::vector<found_failure> failures;
  bool interrupted = false;  // by a signal, see `interruption`
};

// `code` must not have been run in this process, which must have no other thread. A search by deviations or preemptions
// is made by one worker.
search_result search_in_workers(program& code, const explore_options& how, const workers_options& options);

// How many workers there can be: the cores that this process may use.
std::uint32_t usable_cores() noexcept;

// Makes `work` in a worker, and returns what it sends, or how it died. Calls `on_tick` about four times a second.
struct work_result {
  std::string sent;
  worker_end end;
};
work_result make_in_worker(const std::function<void(const sender&)>& work, const std::function<void()>& on_tick);

}  // namespace lockstep::detail
