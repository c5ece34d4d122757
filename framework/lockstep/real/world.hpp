// A world on the operating system: real time, real I/O, other threads. Otherwise what sim::world is, tasks, verdicts
// and all; code that runs in one runs in the other.
//
//   lockstep::real::world world;
//   const page found = world.run(fetch("http://www.debian.org/"));
//
// Most programs call lockstep::run() (run.hpp), which has one of these.
//
// - The tasks run in the order in which they become ready, on the thread that calls run(). Nothing is explored.
// - Steps and time have no limit.
// - Where every task waits and nothing that could end a wait is under way, no timer, no I/O, no outside(x), that is a
//   deadlock here too, and ends the run.
// Threads: a world stays on the thread that runs it.
#pragma once

#include <lockstep/real/os_driver.hpp>
#include <lockstep/runtime/base_world.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace lockstep::real {

class interrupts;

struct world_options {
  clock_options clock;
  bool paused_clock = false;          // the clock moves only for advance()
  std::optional<std::uint64_t> seed;  // of random_int() and the like; without one, they draw the lowest
  bool keep_trace = false;            // keep every record, not only the last ones
  bool await_everybody = false;       // at the end, cancel and await all that is left, and not daemons alone
  bool take_interrupts = false;       // SIGINT cancels the main task; see interrupts.hpp
  // How long, on the machine's clock, blocking jobs that threads still run are awaited when the main task has ended and
  // the rest has been cancelled: see left_jobs(). Those of tasks that are awaited, so `await_everybody` for all.
  duration jobs_limit = duration::max();
};

class world final : private os_driver, public base_world {
 public:
  world();
  ~world() override;

  // Begins a run, ending one that is under way.
  void start(const world_options& options = {});

  // start(), drive(), finish(): runs `main` and returns its result, or throws what left it.
  // Verdicts are in verdicts() afterwards; a run whose main task could not end throws the first of them as misuse. A
  // run that ended returns its result whatever was found.
  template <class T>
  T run(task<T> main, const world_options& options = {}) {
    start(options);
    return run_started(std::move(main));
  }
  // The same for `make()`, called inside the run, for a task whose arguments or objects belong to it.
  template <task_function F>
  std::invoke_result_t<F>::value_type run(F make, const world_options& options = {}) {
    return run(task_of(std::move(make)), options);
  }

  // Whether the main task of the last run was cancelled by an interrupt, and by nothing else.
  bool interrupted() const noexcept { return interrupted_; }
  boost::asio::io_context& io_context() noexcept { return os_driver::context(); }

 private:
  void main_begins(agent& main) override;
  bool main_ended(agent& main) override;

  world_options how_;
  std::unique_ptr<interrupts> interrupts_;
  bool interrupted_ = false;
};

}  // namespace lockstep::real
