// thread_pool: so many workers for blocking jobs, which take them in the order in which they were given.
//
//   thread_pool cpu(4, "cpu");
//   const auto digest = co_await run_blocking(cpu, [&] { return sha256(file); });
//
// The environment makes the workers, when the first job comes: threads in a program, virtual ones in a simulation.
#pragma once

#include <lockstep/runtime/executor.hpp>
#include <lockstep/runtime/task.hpp>

#include <cstddef>
#include <memory>
#include <string_view>

namespace lockstep {

// Requires that no task waits for a job of it when it dies; misuse otherwise, and then the jobs that have not begun get
// a broken promise, and those that run are waited for. One that was made outside may serve one run after another.
// Source: concurrent.futures.ThreadPoolExecutor.
class thread_pool final : public object, public executor {
 public:
  // At least 1 worker; misuse otherwise.
  explicit thread_pool(unsigned workers, label name = {}, source where = source::current());
  ~thread_pool() override;
  std::string_view noun() const noexcept override { return "thread_pool"; }

  unsigned workers() const noexcept { return count_; }
  // The jobs that it was given and that tasks still wait for.
  std::size_t unfinished() const noexcept { return jobs_.size(); }

  // Takes no more jobs, and waits until those that it has have ended, for at most `limit`. Returns how many have not.
  // Cancellation ends the wait; the pool stays as it is then. It may be called again.
  // Source: Executor.shutdown(wait=True).
  task<std::size_t> shut_down(duration limit = duration::max());
  template <coarser_duration D>
  task<std::size_t> shut_down(D limit) {
    return shut_down(saturating_cast(limit));
  }

  void submit(job work) override;

 private:
  friend class detail::job_waiter;
  friend class loop;
  class draining;

  thread_pool* as_pool() noexcept override { return this; }
  void forget_run() noexcept override;
  // Misuse if it takes no more, or is used elsewhere.
  void admit();
  void has_lost_a_job() noexcept;
  // The run ends without its jobs: it forgets them, and lets go of who runs them.
  void part_with_jobs() noexcept;

  unsigned count_;
  bool closed_ = false;
  wait_list jobs_;  // those that wait for one
  wait_list drainers_;
  std::unique_ptr<executor> workers_;
};

}  // namespace lockstep
