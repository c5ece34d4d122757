// Blocking work beside the loop: what computes long, or waits in a system call, must not hold up every task.
//
//   const image small = co_await run_blocking([&] { return scaled(photo, 100); });
//
// The function runs on a thread of a pool: the loop's own, or the one that is named. In a simulation there are no
// threads. The pool has virtual workers; the function runs in one go when a worker takes it, and says with `consume()`
// how long it takes: the worker is busy until then, and the result arrives then. Which of several jobs begins first,
// and which of those that end at one instant, is a pick.
//
// Ten waits of 100 ms overlap on one loop and take 100 ms. Ten computations of 100 ms need workers: one takes 1 s, four
// take 300 ms, ten take 100 ms. On the loop itself they take 1 s, and everything else waits: `consume()` in a task.
//
// What a job may touch is what may be touched from any thread. It must not await, spawn, lock or set anything of the
// library's, or use the loop: that is misuse, a verdict in a simulation just as with threads; but now() is the job's
// own time. Whether two jobs race for plain data a simulation cannot see, as each runs in one go; nor may a job wait
// for another, which would block the one thread there is. ThreadSanitizer and the same tests on threads see to that.
#pragma once

#include <lockstep/runtime/blocking_job.hpp>
#include <lockstep/runtime/executor.hpp>
#include <lockstep/runtime/job_waiter.hpp>
#include <lockstep/runtime/spawn.hpp>
#include <lockstep/runtime/task.hpp>

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace lockstep {

namespace detail {

// Waits for a job: parked from when the executor has it until what it came to has arrived.
class job_wait final : public primitive<job_wait, job_waiter> {
 public:
  // For what `on` runs; the loop's own executor if that is null. Misuse if it is a pool that takes no more.
  job_wait(executor* on, std::shared_ptr<job_state> work);
  ~job_wait() { part(); }

  bool try_now() const noexcept { return false; }
  void touch_what() const noexcept { touch(everything, access::write); }
  void touch_end() const noexcept override { touch_what(); }
  void enqueue() noexcept override { submit(); }
  void withdraw() noexcept override { part(); }
  // An error of the job's goes before the cancellation, which is delivered at the next await.
  bool revoke() noexcept override { return failure() == nullptr; }
  bool cancel_requested() noexcept override { return cancel_job(); }
  void result() const;

 private:
  void job_ended() noexcept override { current_context->owner->grant(*this); }
};

// `on` is null for the loop's own.
template <class F>
task<job_result<F>> run_job(executor* on, F function) {
  const auto work = std::make_shared<job_of<F>>(std::move(function), users_line());
  job_wait wait(on, work);
  co_await wait;
  co_return work->take();
}

template <class F>
consteval void check_blocking_function() {
  static_assert(blocking_function<F>,
                "run_blocking() takes a function without parameters, or with a std::stop_token: "
                "bind the arguments, as in run_blocking([=] { return parse(text); })");
  if constexpr (blocking_function<F>) {
    static_assert(!is_task<job_result<F>>,
                  "run_blocking() takes a plain function: a coroutine does not block, so co_await it");
  }
}

}  // namespace detail

// Runs `function` on a thread that may be blocked, and returns what it returns: a value that can be moved, an lvalue
// reference, or nothing.
// The function is moved into the job, called once, and destroyed before the result arrives. What it refers to must live
// until the await has ended. (g++ 12 destroys a closure that owns what it captured twice, if it is written within a
// co_await: name it first, and pass it with std::move.) Values of task_local are those of the caller, as they were.
// Cancellation: a job that no thread has begun is taken back and never runs. One that runs cannot be interrupted: the
// caller goes on when it has ended, and gets `cancelled`. If the function takes a std::stop_token, that is stopped. A
// caller that is destroyed meanwhile blocks its thread until the function has returned.
// Errors: throws what left the function, with its type, also when the caller was cancelled, which is delivered at the
// next await then; std::future_error (broken promise) if the executor dropped the job.
// In a simulation a function has run to its end before it can be stopped; only its time is still to pass.
// Source: asyncio.to_thread; for the cancellation trio.to_thread.run_sync.
template <class F>
auto run_blocking(F&& function) {
  detail::check_blocking_function<std::decay_t<F>>();
  return detail::run_job<std::decay_t<F>>(nullptr, std::forward<F>(function));
}

// The same on `on`, a thread_pool or an executor of one's own, which must outlive the await.
// Misuse on a pool that was shut down.
// Source: asyncio.loop.run_in_executor.
template <class F>
auto run_blocking(executor& on, F&& function) {
  detail::check_blocking_function<std::decay_t<F>>();
  return detail::run_job<std::decay_t<F>>(&on, std::forward<F>(function));
}

// What calls without an executor run on, from now until the end of the run. It must live as long as there are any: they
// are misuse when it has died. Jobs that were begun stay where they are. Without this it is a pool made at first use:
// in a simulation of 4 workers, otherwise of as many threads as asyncio has, min(32, cores + 4). Source:
// asyncio.loop.set_default_executor.
void set_default_executor(executor& on);

// Lets the pool made at first use take no more jobs, and waits until those that it has have ended, for at most `limit`.
// Returns how many have not. Where another executor was set, that is shut down if it is a thread_pool.
// Cancellation ends the wait. Without a call, the end of the run waits for them, that of lockstep::run() for as long as
// run_options::jobs_limit says.
// Source: asyncio.loop.shutdown_default_executor.
task<std::size_t> shut_down_default_executor(duration limit = duration::max());
template <coarser_duration D>
task<std::size_t> shut_down_default_executor(D limit) {
  return shut_down_default_executor(saturating_cast(limit));
}

// Says that what runs now takes so long, in a simulation; otherwise it does nothing, as real work takes its time by
// itself.
// In a job: its worker is busy for so much longer, now() in it says so, and the result comes later. In a task: it
// computes on the loop's own thread, so the clock moves for all and nothing else runs; timers that come due are late,
// and fire when the task has awaited. That moves a paused clock as well. Misuse outside of both.
// Zero or less is nothing.
void consume(duration length, source where = source::current());
template <coarser_duration T>
void consume(T length, source where = source::current()) {
  consume(saturating_cast(length), where);
}

}  // namespace lockstep
