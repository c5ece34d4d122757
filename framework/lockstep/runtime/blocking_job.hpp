// One blocking job: the function, what it came to, and how the two sides part. The machinery under run_blocking().
//
// State, of which the worker and the loop may take the job out of `waiting`; who does so first has it
//   waiting     in the hands of the executor
//   running     the function runs, or its time passes
//   done        what it came to may be read
//   taken_back  by the loop: it never runs
//
// Lifetime: shared by the waiting task and the worker. The function is destroyed in the job, before the result can be
// seen; a task that is destroyed while its job runs waits for it, blocking the thread, as the function may refer to
// that task's frame.
// Threads: begin() to drop() on any one; the rest on the loop's.
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/runtime/task_local.hpp>
#include <lockstep/time/clock.hpp>

#include <atomic>
#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <version>
#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

namespace lockstep {

class agent;
class driver;
class inbox;
class loop;

namespace detail {

class job_waiter;

class job_state {
 public:
  // In the task that will wait, at `where`.
  explicit job_state(const source& where);
  job_state(const job_state&) = delete;
  job_state& operator=(const job_state&) = delete;
  virtual ~job_state();

  // -- the worker's side ------------------------------------------------------------------------------------------

  // Whether it is to be run; not if it was taken back.
  bool begin() noexcept;
  // Runs the function, in a context that is no loop's.
  void run() noexcept;
  // What it came to goes to the task, by way of the loop's inbox.
  void send() noexcept;
  // Nobody will run it.
  void drop() noexcept;

  // -- in a simulation, where the loop's thread stands for all ----------------------------------------------------

  // Runs the function, whose clock begins at `start`. Returns how much time that took.
  duration run_at(time_point start) noexcept;
  // What it came to goes to the task at once.
  void hand_over() noexcept;
  // `worker` runs it, and is the task's to let go of.
  void is_run_by(agent& worker) noexcept { worker_ = &worker; }
  void forget_worker() noexcept { worker_ = nullptr; }
  // Null where threads do.
  agent* worker() const noexcept { return worker_; }

  // -- the loop's side ----------------------------------------------------------------------------------------------

  // Whether it will not run: it is not begun. The function is destroyed.
  bool take_back() noexcept;
  // Asks the function to stop, if it can be asked.
  void ask_to_stop() noexcept { stop(); }
  // Blocks the thread until the function has returned.
  void wait_until_done() noexcept;
  // It was dropped because the executor threw this.
  void refused(std::exception_ptr why) noexcept;
  // It is done, and the loop of this run hears of it.
  void arrive(std::uint64_t run) noexcept;
  void is_awaited_by(job_waiter* waiter) noexcept { waiter_ = waiter; }
  bool failed() const noexcept { return failure_ != nullptr; }
  // Null if the function returned.
  const std::exception_ptr& failure() const noexcept { return failure_; }
  // Nobody will ask what it came to: that is destroyed here, and not by the worker, which may be the last to let go.
  // Requires that it does not run.
  void forget_outcome() noexcept {
    failure_ = nullptr;
    destroy_result();
  }

  // -- in the function ------------------------------------------------------------------------------------------------

  // The job that runs on this thread; null if a loop does, or neither.
  static job_state* here() noexcept;
  // The time of the loop, as this job sees it.
  time_point local_time() const noexcept;
  void consume(duration length) noexcept;
  // Something was used that is only for tasks.
  [[noreturn]] void refuse_loop() const;

 protected:
  virtual void call() = 0;
  virtual void destroy_function() noexcept = 0;
  virtual void destroy_result() noexcept = 0;
  virtual void stop() noexcept {}

 private:
  class scope;
  job_state(const source& where, loop& owner);
  enum class stage : std::uint8_t { waiting, running, done, taken_back };

  std::atomic<stage> stage_ = stage::waiting;
  std::shared_ptr<inbox> home_;
  std::uint64_t run_;
  source where_;
  std::exception_ptr failure_;
  const driver& environment_;
  task_locals locals_;         // a copy of those of the task
  time_point given_;           // when it was, or began in a simulation
  duration given_on_machine_;  // the same on the machine's clock
  bool simulated_ = false;
  duration consumed_{};
  agent* worker_ = nullptr;
  job_waiter* waiter_ = nullptr;
};

#ifdef __cpp_lib_jthread
template <class F>
concept asks_whether_to_stop = std::invocable<F, std::stop_token>;
#else
template <class F>
concept asks_whether_to_stop = false;
#endif

template <class F>
concept blocking_function = std::invocable<F> || asks_whether_to_stop<F>;

template <class F>
struct returned_by_job : std::invoke_result<F> {};
#ifdef __cpp_lib_jthread
template <asks_whether_to_stop F>
struct returned_by_job<F> : std::invoke_result<F, std::stop_token> {};
#endif

// A value, an lvalue reference, or void.
template <blocking_function F>
using job_result =
    std::conditional_t<std::is_lvalue_reference_v<typename returned_by_job<F>::type>, typename returned_by_job<F>::type,
                       std::remove_cvref_t<typename returned_by_job<F>::type>>;

template <blocking_function F>
class job_of final : public job_state {
 public:
  using result = job_result<F>;

  job_of(F function, const source& where) : job_state(where), function_(std::move(function)) {}

  // Requires that it is done and has not failed.
  result take() {
    if constexpr (std::is_reference_v<result>) {
      return **result_;
    } else if constexpr (!std::is_void_v<result>) {
      return std::move(*result_);
    }
  }

 private:
  static constexpr bool stoppable = asks_whether_to_stop<F>;
  struct nothing {};
  using stored = std::conditional_t<
      std::is_void_v<result>, nothing,
      std::conditional_t<std::is_reference_v<result>, std::add_pointer_t<std::remove_reference_t<result>>, result>>;

  typename returned_by_job<F>::type invoke() {
#ifdef __cpp_lib_jthread
    if constexpr (stoppable) return std::invoke(std::move(*function_), stop_.get_token());
#endif
    if constexpr (!stoppable) return std::invoke(std::move(*function_));
  }
  void call() override {
    if constexpr (std::is_void_v<result>) {
      invoke();
    } else if constexpr (std::is_reference_v<result>) {
      result referred = invoke();
      result_.emplace(std::addressof(referred));
    } else {
      result_.emplace(invoke());
    }
  }
  void destroy_function() noexcept override { function_.reset(); }
  void destroy_result() noexcept override { result_.reset(); }
#ifdef __cpp_lib_jthread
  void stop() noexcept override {
    if constexpr (stoppable) stop_.request_stop();
  }
  [[no_unique_address]] std::conditional_t<stoppable, std::stop_source, nothing> stop_;
#endif

  std::optional<F> function_;
  std::optional<stored> result_;
};

}  // namespace detail

}  // namespace lockstep
