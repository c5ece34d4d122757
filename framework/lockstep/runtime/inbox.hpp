// Where a loop is reached from other threads: wake-ups arrive here, and what went wrong there.
//
// Any thread may post; the loop takes it when nothing else is ready, and at the end of the run. While a wait is marked
// as being outside the simulation (`outside(x)`), the virtual clock holds and an idle loop waits here.
//
// Whatever belongs to a run is used on the thread of its loop and within that run. Objects, tasks and unstarted tasks
// all find the inbox of their loop, which is asked `on_its_thread()`; where they are used elsewhere all the same, it
// tells the run (`tell`), or throws misuse as well (`refuse`). They share its ownership, so it can be told at any time.
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/choice/identity.hpp>
#include <lockstep/runtime/context.hpp>

#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace lockstep {

class agent;
class driver;

namespace detail {

class foreign_wait;
class scheduled_call;
class job_state;
struct wake_up;

// What was done with something of a run's: `mutex "tx"` `was unlocked` at `where`.
struct usage {
  std::string subject;
  identity task = 0;  // if it was done with a task, which the loop may know by a better name
  std::string deed;
  source where;            // with line 0 where that is not known
  bool done_there = true;  // and not, as in a destructor, only made there
};

}  // namespace detail

class inbox {
 public:
  // Something of the run `run` was used elsewhere.
  struct complaint {
    std::uint64_t run;
    detail::usage use;
  };
  struct mail {
    std::vector<detail::foreign_wait*> done;  // in order of arrival
    std::vector<detail::job_state*> jobs;     // that are done
    std::vector<complaint> complaints;
    std::vector<agent*> dropped;  // whose handles died on another thread
    std::vector<std::coroutine_handle<>> unstarted;
    std::vector<std::shared_ptr<detail::scheduled_call>> calls;
  };

  // `woken` is told when something arrives, until the loop retires this.
  explicit inbox(driver* woken = nullptr) noexcept : woken_(woken) {}
  inbox(const inbox&) = delete;
  inbox& operator=(const inbox&) = delete;
  ~inbox();

  // -- the run it is for ------------------------------------------------------------------------------------------

  // A run begins on this thread.
  void open(std::uint64_t run) {
    if (abandoned_ == nullptr && alone()) [[likely]] {
      begin(run);
    } else {
      open_carefully(run);
    }
  }
  // It has ended, and no complaint is taken any more. Returns what is there.
  mail close();
  // The same where it returned nothing and nothing that must be taken can come meanwhile; false if that is not so.
  bool close_if_quiet() noexcept {
    if (!empty() || !alone()) return false;
    run_.store(0, std::memory_order_relaxed);
    return true;
  }
  // The loop is about to be destroyed: nothing is handed over to it any more.
  void retire();
  // The memory of loops that are gone, or about to go, is everybody's, but one thread's at a time.
  static std::unique_lock<std::recursive_mutex> of_loops_gone();
  // The run under way; 0 for none.
  std::uint64_t run() const noexcept { return run_.load(std::memory_order_relaxed); }
  // Whether this is the thread of its loop. From any thread.
  bool on_its_thread() const noexcept {
    return thread_.load(std::memory_order_relaxed) == static_cast<const void*>(&detail::current_context);
  }

  // While it lives, this thread counts as another than the loop's, if it is that: a blocking job runs on it.
  class elsewhere {
   public:
    explicit elsewhere(inbox& of) noexcept : of_(of), thread_(of.on_its_thread() ? of.thread_.load() : nullptr) {
      if (thread_ != nullptr) of_.thread_.store(nullptr, std::memory_order_relaxed);
    }
    elsewhere(const elsewhere&) = delete;
    elsewhere& operator=(const elsewhere&) = delete;
    ~elsewhere() {
      if (thread_ != nullptr) of_.thread_.store(thread_, std::memory_order_relaxed);
    }

   private:
    inbox& of_;
    const void* thread_;
  };

  // -- what was used where it may not be; from any thread ---------------------------------------------------------

  // Reports the use to the run `run`, if that is under way, and to the one that goes on here. Returns what it said.
  std::string tell(std::uint64_t run, detail::usage use) noexcept;
  // The same, and throws it as misuse. If it was used on its own thread, outside of every run, only that is thrown.
  [[noreturn]] void refuse(std::uint64_t run, detail::usage use);
  // Lets go of a task whose handle died here, or destroys an unstarted one, and tells the run under way of `use`. The
  // loop does it, as soon as it can or when its next run begins; without a loop, and on its thread between two runs, it
  // is done here.
  void take_over(agent& dropped, std::optional<detail::usage> use) noexcept;
  void take_over(std::coroutine_handle<> unstarted, std::optional<detail::usage> use) noexcept;

  // -- calls --------------------------------------------------------------------------------------------------------

  // Leaves it to the loop to make the call, in the run `run`. False if the main task of that has ended. From any
  // thread.
  bool post(std::uint64_t run, std::shared_ptr<detail::scheduled_call> call);
  // The main task has ended.
  void take_no_calls() {
    if (alone()) {
      takes_calls_ = false;
    } else {
      refuse_calls();
    }
  }
  // One of `callers` has gone. From any thread.
  void lose_caller() noexcept;

  // -- wake-ups -----------------------------------------------------------------------------------------------------

  // A wait has ended on another thread than the loop's, or in another loop.
  void post(detail::wake_up& done);
  // The wait has ended otherwise: nothing of it is wanted any more.
  void withdraw(detail::wake_up& unwanted) noexcept;
  // The same, but the proxy may yet be resumed. It is kept until the next run begins.
  void abandon(detail::wake_up& unwanted, std::coroutine_handle<> proxy) noexcept;

  // A blocking job of the run `run` is done, or it is wanted no more.
  void post(detail::job_state& done, std::uint64_t run) noexcept;
  void withdraw(detail::job_state& unwanted) noexcept;

  // Whether there is nothing to take. Takes no lock.
  bool empty() const noexcept { return !arrived_.load(std::memory_order_acquire); }
  // What has arrived since the last call.
  mail take();
  // Blocks this thread until something is there.
  void wait();

  // The number of waits whose wake-up comes from outside, and how many of them are for blocking jobs. Loop thread only.
  unsigned in_flight = 0;
  unsigned jobs = 0;
  // Who may yet call in from another thread. While there are any, a loop on a real clock waits for them, where it would
  // report a deadlock otherwise. From any thread.
  std::atomic<unsigned> callers = 0;

 private:
  // On the loop's thread: whether no other thread may look at what is of this run alone, as it has neither a job nor a
  // way to call in. What it may still post, a task that it drops or a complaint, waits for the next run if it is late.
  bool alone() const noexcept { return in_flight == 0 && jobs == 0 && callers.load(std::memory_order_acquire) == 0; }
  void begin(std::uint64_t run) noexcept {
    thread_.store(&detail::current_context, std::memory_order_relaxed);
    run_.store(run, std::memory_order_relaxed);
    takes_calls_ = true;
  }
  [[gnu::cold]] void open_carefully(std::uint64_t run);
  void refuse_calls();
  void notify();
  void remove(detail::wake_up& unwanted) noexcept;
  // What `use` was in words. Reports it to the run that goes on here, if that is not `run`.
  std::string word(std::uint64_t run, detail::usage& use) noexcept;
  template <class T>
  void take_over(std::vector<T> mail::*list, T item, std::optional<detail::usage> use);
  void destroy_abandoned() noexcept;

  driver* woken_;
  std::mutex mutex_;
  std::condition_variable waiting_;
  std::atomic<bool> arrived_ = false;
  std::atomic<const void*> thread_ = nullptr;  // the address of a variable that each thread has
  std::atomic<std::uint64_t> run_ = 0;
  bool loop_is_gone_ = false;
  bool takes_calls_ = false;
  mail mail_;
  detail::wake_up* abandoned_ = nullptr;  // the last that was
};

}  // namespace lockstep
