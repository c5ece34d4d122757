// What every world has: a loop in which a task runs, and the verdicts on that run. sim::world and real::world add what
// time is.
//
// Each run is a new one, from time 0. The world may be used again and again; its memory is recycled.
// Threads: a world stays on the thread that runs it.
#pragma once

#include <lockstep/runtime/loop.hpp>
#include <lockstep/runtime/task.hpp>
#include <lockstep/runtime/verdict.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace lockstep {

// What a run came to.
struct run_summary {
  std::uint64_t steps = 0;
  std::uint64_t records = 0;
  std::uint64_t trace_hash = 0;
  duration virtual_time{};  // of its clock, which may be a real one
};

class base_world : private monitor {
 public:
  virtual ~base_world();

  // The parts of a run, for who needs to do something in between; its start() is the world's own. The thread is in the
  // world until finish(): objects may be made, and a task of another world must not await.
  // Runs `main` to its end, then cancels and awaits the daemons. Returns whether it ended; if not, a verdict says why,
  // or an assertion stopped the run. An exception that left it is in failure(). Misuse without start(), or twice in one
  // run. Throws what leaves the driver, such as an exception of somebody else's handler; finish() is to follow then,
  // too.
  bool drive(task<void> main);
  // Whether its main task has returned.
  bool ended_well() const noexcept { return main_ended_ && failure_ == nullptr; }
  // Destroys every frame that is left.
  void tear_down() noexcept;
  // The same. Within the scope that it returns, what outlived the tasks is destroyed, in the name of the main task.
  // That is judged as well if `judged`, the main task has returned, and no task was left.
  loop_scope epilogue(bool judged) noexcept;
  // Ends the run: every frame is destroyed, and the thread leaves the world. Returns what is in summary() from then on.
  run_summary finish();
  // Whether the last run ended without blocking jobs that still ran, as they may for ever: see real::world_options. A
  // verdict names them. What they may refer to is still there then; the end of this world, or its next run, destroys it
  // and waits for them.
  bool left_jobs() const noexcept { return left_jobs_; }

  // Of the last run, until the next begins; in the order in which they were found. Of each kind the first
  // `verdicts_max`, and one at the end of the run that says how many more there were.
  static constexpr std::uint64_t verdicts_max = 20;
  const std::vector<verdict>& verdicts() const noexcept { return verdicts_; }
  // The exception that left the main task, `cancelled` as well; null if none did.
  const std::exception_ptr& failure() const noexcept { return failure_; }
  // The same as a verdict, with where it came from.
  const std::optional<verdict>& failure_report() const noexcept { return failure_report_; }
  const run_summary& summary() const noexcept { return summary_; }
  lockstep::loop& loop() noexcept { return loop_; }
  // Called for each verdict when it is found, before the run goes on. Must not throw.
  void on_verdict(std::function<void(const verdict&)> hook) { hook_ = std::move(hook); }

 protected:
  // The driver must outlive the world: a world derives from it first.
  explicit base_world(driver& driven_by);

  // Begins a run, ending one that is under way.
  void start(loop_limits limits, oracle* choices, ordering order, bool keep_trace, bool paused_clock);
  // drive() and finish(): runs `main` and returns its result, or throws what left it; misuse with the first verdict if
  // it could not end.
  template <class T>
  T run_started(task<T> main);
  // A task for `make()`, which is called within the run.
  template <task_function F>
  static std::invoke_result_t<F> task_of(F make) {
    co_return co_await make();
  }

  // The main task is about to run, or has ended; then whether all that is left is to be cancelled and awaited, and not
  // the daemons alone.
  virtual void main_begins(agent&) {}
  virtual bool main_ended(agent&) { return false; }

  // Ends a run that is under way, before what it needs is destroyed.
  [[gnu::cold]] void finish_last() noexcept;

 private:
  void report(verdict found) noexcept override;
  [[gnu::cold]] void forget_findings() noexcept;
  [[gnu::cold]] void main_failed(agent& who, const std::exception_ptr& failure);
  [[gnu::cold]] void report_leaks();
  [[gnu::cold]] void leave_jobs();
  void tell(verdict found) noexcept;
  [[gnu::cold]] void tell_of_more() noexcept;
  // Throws what left the main task, or says why it could not end; and what left the driver, as from another's handler.
  void drive_and_finish(task<void> main);
  void throw_if_unfinished() const;

  std::vector<verdict> verdicts_;
  std::map<verdict_kind, std::uint64_t> found_;  // how many of each kind, those not kept among them
  std::function<void(const verdict&)> hook_;
  std::exception_ptr failure_;
  std::optional<verdict> failure_report_;
  bool describing_failure_ = false;
  bool main_ended_ = false;
  bool left_jobs_ = false;
  agent* main_ = nullptr;
  run_summary summary_;
  lockstep::loop loop_;
  std::optional<loop_scope> scope_;
};

template <class T>
T base_world::run_started(task<T> main) {
  if constexpr (std::is_void_v<T>) {
    drive_and_finish(std::move(main));
  } else {
    // Where T is a reference, `result` is a pointer.
    std::optional<typename detail::promise<T>::stored> result;
    const auto keep_result = [](task<T> inner, auto* into) -> task<void> {
      if constexpr (std::is_reference_v<T>) {
        into->emplace(&co_await std::move(inner));
      } else {
        into->emplace(co_await std::move(inner));
      }
    };
    drive_and_finish(keep_result(std::move(main), &result));
    if constexpr (std::is_reference_v<T>) {
      return **result;
    } else {
      return std::move(*result);
    }
  }
}

}  // namespace lockstep
