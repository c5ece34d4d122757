// executor: something that runs blocking work beside the loop, such as a pool of threads.
//
// The library has one, thread_pool; a program that has threads of its own derives another, and gives it the jobs:
//
//   class our_threads final : public executor {
//    public:
//     void submit(job work) override { boost::asio::post(pool_, std::move(work)); }
//     ...
//   };
//
// Where only functions that can be copied are taken: `auto kept = std::make_shared<job>(std::move(work))`, and
// `[kept] { (*kept)(); }`.
// Source: concurrent.futures.Executor.
#pragma once

#include <memory>
#include <utility>

namespace lockstep {

class thread_pool;

namespace detail {
class job_state;
class job_waiter;
}  // namespace detail

// One call of run_blocking(), to be called once, on any thread. Calling it runs the function and sends the result to
// the task that waits; it throws nothing. If that task has meanwhile been cancelled or is gone, nothing is run.
// One that dies uncalled tells the task so, which gets std::future_error (broken promise).
class [[nodiscard("call the job, or its task gets a broken promise")]] job {
 public:
  job(job && other) noexcept = default;
  job& operator=(job&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~job();

  void operator()() noexcept;

  // For the library's own executors: what it calls, and the same without calling it.
  const std::shared_ptr<detail::job_state>& state() const noexcept { return state_; }
  std::shared_ptr<detail::job_state> release() noexcept { return std::move(state_); }

 private:
  friend class detail::job_waiter;
  explicit job(std::shared_ptr<detail::job_state> state) noexcept : state_(std::move(state)) {}

  std::shared_ptr<detail::job_state> state_;
};

class executor {
 public:
  executor() = default;
  executor(const executor&) = delete;
  executor& operator=(const executor&) = delete;
  virtual ~executor();

  // Sees to it that `work` is called, soon and once, on a thread that may be blocked. Called on the thread of the loop
  // whose task waits; one executor may serve several loops, if it can be called on several threads. What it throws,
  // the task gets.
  virtual void submit(job work) = 0;

 private:
  friend class detail::job_waiter;
  friend class thread_pool;
  virtual thread_pool* as_pool() noexcept { return nullptr; }
  // Its run ends without the jobs that run: it begins no other, and its destructor waits for none.
  virtual void leave_jobs() noexcept {}
};

}  // namespace lockstep
