// lockstep::run: a program's main task, for real.
//
//   int main() {
//     return lockstep::run(serve());
//   }
//
// It has a real::world, and ends as asyncio.run() does: when the main task has ended, what is left is cancelled and
// awaited, and what went wrong there is told. What a test would fail of (a handle that was dropped, an exception that
// nobody read, a deadlock) is told as well. Functions that run_blocking() has put on a thread are waited for, as one
// that runs cannot be ended; but no longer than `run_options::jobs_limit`.
//
// This is in the library lockstep::real. Threads: run() may be called on any, and by several at a time.
#pragma once

#include <lockstep/real/world.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace lockstep {

// Thrown by run() where an interrupt (SIGINT) ended the main task. A program that lets it end main() returns
// `exit_status` by convention.
class interrupted final : public std::exception {
 public:
  static constexpr int exit_status = 130;
  const char* what() const noexcept override { return "interrupted"; }
};

struct run_options {
  // Called with each thing that is found wrong, when it is found; must not throw. By default it is printed to stderr,
  // with the tasks concerned and their stacks.
  std::function<void(const verdict&)> on_verdict = {};
  // Whether the first SIGINT cancels the main task, and the second ends the process. Only on the process's main thread,
  // and only while nobody else handles that signal.
  bool take_interrupts = true;
  // Of random_int() and the like; another one each time if unset.
  std::optional<std::uint64_t> seed = {};
  // How time passes.
  real::clock_options clock = {};
  // How long, on the machine's clock and from the end of the main task on, the functions of run_blocking() that still
  // run are waited for, when nothing else is left to wait for. Zero or less is not at all. Then a verdict (leaked_task)
  // names the tasks that wait for them, and run() returns without them. As they may refer to anything that belongs to
  // that run, none of it is ever destroyed: its tasks, their locals, its io_context. The process ends their threads.
  // Source: asyncio.constants.THREAD_JOIN_TIMEOUT.
  duration jobs_limit = std::chrono::minutes{5};
};

// Runs one main task after another, in one io_context; in another one after a run that has left blocking jobs behind.
// Source: asyncio.Runner.
class runner {
 public:
  explicit runner(run_options options = {});
  runner(const runner&) = delete;
  runner& operator=(const runner&) = delete;

  // Runs `main` on this thread until it has ended, and then what is left. Returns its result.
  // Throws what left it; `interrupted` if an interrupt was all that cancelled it; misuse if it could not end, as in a
  // deadlock, or if this is called within a run.
  template <class T>
  T run(task<T> main) {
    return run_any(std::move(main));
  }
  // The same for `make()`, called inside the run, for a task whose arguments or objects belong to it.
  template <task_function F>
  std::invoke_result_t<F>::value_type run(F make) {
    return run_any(std::move(make));
  }

  // Of the last run.
  const std::vector<verdict>& verdicts() const noexcept { return world_->verdicts(); }

 private:
  // Keeps one for ever whose jobs still run.
  struct parting {
    void operator()(real::world* last) const noexcept;
  };

  void make_world();
  real::world_options begin();
  template <class Main>
  decltype(auto) run_any(Main main) {
    const real::world_options how = begin();
    try {
      return world_->run(std::move(main), how);
    } catch (const cancelled&) {
      if (world_->interrupted()) throw interrupted();
      throw;
    }
  }

  run_options options_;
  std::unique_ptr<real::world, parting> world_;
};

// Runs a main task, or the one that a callable makes, as runner::run() does. Source: asyncio.run.
template <class T>
T run(task<T> main, run_options options = {}) {
  return runner(std::move(options)).run(std::move(main));
}
template <task_function F>
std::invoke_result_t<F>::value_type run(F make, run_options options = {}) {
  return runner(std::move(options)).run(std::move(make));
}

}  // namespace lockstep
