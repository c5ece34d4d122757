// A world: a loop on virtual time in which a task runs deterministically, and the verdicts on that run.
//
// Each run() is a new run, from time 0. The world may be used again and again; its memory is recycled.
//
//   const auto choices = lockstep::make_oracle(lockstep::schedule::random, given.seed);
//   lockstep::sim::world world;
//   lockstep::sim::world_options how;
//   how.choices = choices.get();
//   const crawl_result found = world.run(crawl(source, start, given.options), how);
//
// Threads: a world stays on the thread that runs it. Worlds nest: a task may run another world, to its end.
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

namespace lockstep::sim {

struct world_options {
  std::uint64_t steps_max = loop_limits().steps_max;              // steps of all tasks together; more is a livelock
  duration time_max = loop_limits().time_max.time_since_epoch();  // virtual time; more is a verdict
  ordering order = ordering::any_order;
  bool paused_clock = false;  // the clock moves only for advance()
  oracle* choices = nullptr;  // null: the plain run. Must outlive the run.
  bool keep_trace = false;    // keep every record, not only the last ones
};

// What a run came to.
struct run_summary {
  std::uint64_t steps = 0;
  std::uint64_t records = 0;
  std::uint64_t trace_hash = 0;
  duration virtual_time{};
};

class world final : private monitor, private driver {
 public:
  world();
  ~world();

  // The parts of run(), for who needs to do something in between.
  // Begins a run, ending one that is under way. The thread is in the world until finish(): objects may be made, and a
  // task of another world must not await.
  void start(const world_options& options = {});
  // Runs `main` to its end, then cancels and awaits the daemons. Returns whether it ended; if not, a verdict says why,
  // or an assertion stopped the run. An exception that left it is in failure(). Misuse without start(), or twice in one
  // run.
  bool drive(task<void> main);
  // Destroys every frame that is left.
  void tear_down() noexcept;
  // The same. Within the scope that it returns, what outlived the tasks is destroyed, in the name of the main task.
  // That is judged as well if `judged`, the main task has returned, and no task was left.
  loop_scope epilogue(bool judged) noexcept;
  // Ends the run: every frame is destroyed, and the thread leaves the world. Returns what is in summary() from then on.
  run_summary finish();

  // start(), drive(), finish(): runs `main` and returns its result, or throws what left it.
  // Verdicts are in verdicts() afterwards; a run whose main task could not end throws the first of them as misuse. A
  // run that ended returns its result whatever was found.
  template <class T>
  T run(task<T> main, const world_options& options = {});
  // The same for `make()`, called inside the run, for a task whose arguments or objects belong to it.
  template <task_function F>
  std::invoke_result_t<F>::value_type run(F make, const world_options& options = {});

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

 private:
  void report(verdict found) noexcept override;
  bool idle(lockstep::loop& of) override;
  std::unique_ptr<executor> make_workers(unsigned count, std::string_view name) override;
  bool time_is_virtual() const noexcept override { return true; }
  void tell(verdict found) noexcept;
  void tell_of_more() noexcept;
  // Throws what left the main task, or says why it could not end.
  void throw_if_unfinished() const;

  std::vector<verdict> verdicts_;
  std::map<verdict_kind, std::uint64_t> found_;  // how many of each kind, those not kept among them
  std::function<void(const verdict&)> hook_;
  std::exception_ptr failure_;
  std::optional<verdict> failure_report_;
  bool describing_failure_ = false;
  bool main_ended_ = false;
  agent* main_ = nullptr;
  run_summary summary_;
  lockstep::loop loop_;
  std::optional<loop_scope> scope_;
};

template <class T>
T world::run(task<T> main, const world_options& options) {
  start(options);
  if constexpr (std::is_void_v<T>) {
    drive(std::move(main));
    finish();
    throw_if_unfinished();
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
    drive(keep_result(std::move(main), &result));
    finish();
    throw_if_unfinished();
    if constexpr (std::is_reference_v<T>) {
      return **result;
    } else {
      return std::move(*result);
    }
  }
}

template <task_function F>
std::invoke_result_t<F>::value_type world::run(F make, const world_options& options) {
  using result = std::invoke_result_t<F>::value_type;
  return run([](F make_main) -> task<result> { co_return co_await make_main(); }(std::move(make)), options);
}

}  // namespace lockstep::sim
