// A loop as other threads see it: what they want done there, they leave to it.
//
//   const loop_remote home;                                 // on the loop's thread
//   std::thread device([home] {
//     home.call_soon_threadsafe([] { ... });                // within a step of the loop
//     home.spawn_threadsafe([] { return fetch(7); }).get(); // blocks the device's thread
//   });
//
// It is about the run in which it was made. The loop takes what has come when no task is ready, before time moves. In
// a simulation it does not wait for it: the clock goes on, or everything waits, which is a deadlock, unless somebody
// awaits the thread as `outside(x)`. When what comes from threads comes, no token repeats.
// On a real clock, a loop waits for as long as there is a loop_remote of it, and reports no deadlock.
// Lifetime: it may outlive the run and the loop. Functions are destroyed on the loop's thread, or by the caller if the
// loop does not take them.
// Source: asyncio's loop.call_soon_threadsafe and asyncio.run_coroutine_threadsafe.
#pragma once

#include <lockstep/runtime/callback.hpp>
#include <lockstep/runtime/spawn.hpp>

#include <cstdint>
#include <exception>
#include <future>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

namespace lockstep {

template <class T>
class remote_task;

class loop_remote {
 public:
  // Of the run under way on this thread; misuse without one.
  loop_remote() : loop_remote(*detail::here().owner) {}

  // Has the loop call `function()` as call_soon() does, as a child of the main task. Returns false, and destroys the
  // function, if the main task has ended. Otherwise it is called unless the run ends before. Exceptions that leave it
  // are the run's. From any thread.
  template <std::invocable F>
  bool call_soon_threadsafe(F function, source where = source::current()) const {
    return post(std::make_shared<detail::call_of<F, std::monostate>>(std::move(function), where, std::nullopt));
  }

  // Has the loop call `make()` and run the task that it returns, as a daemon. `make` is kept until that has ended. From
  // any thread. What the task comes to is in the std::future that is returned: its result, what left it, or
  // `cancelled` if it was cancelled, by anybody, or destroyed, or the run ended before it could start.
  template <class F>
    requires task_function<F&> remote_task<typename std::invoke_result_t<F&>::value_type> spawn_threadsafe(
        F make, label name = {}, source where = source::current())
  const;

 private:
  class caller;

  explicit loop_remote(loop& of);
  bool post(std::shared_ptr<detail::scheduled_call> call) const;

  std::shared_ptr<const caller> caller_;
};

namespace detail {

// The task that a remote_task is about, as the loop's thread knows it.
struct remote_link {
  agent* who = nullptr;
};

// The task's side: whatever becomes of the task, somebody is told.
template <class T>
class remote_reply {
 public:
  explicit remote_reply(std::shared_ptr<remote_link> link) : link_(std::move(link)) {}
  remote_reply(remote_reply&&) noexcept = default;
  remote_reply& operator=(remote_reply&&) = delete;
  ~remote_reply() {
    if (link_ == nullptr) return;
    const agent* const who = std::exchange(link_->who, nullptr);
    if (told_) return;
    const bool has_reason = who != nullptr && !who->cancel_reason(detail::unseen).empty();
    fail(std::make_exception_ptr(
        cancelled(has_reason ? who->cancel_reason(detail::unseen) : label("its run has ended"))));
  }

  std::future<T> future() { return promise_.get_future(); }
  remote_link& link() const noexcept { return *link_; }
  template <class... Value>
  void succeed(Value&&... value) {
    promise_.set_value(std::forward<Value>(value)...);
    told_ = true;
  }
  void fail(const std::exception_ptr& thrown) {
    promise_.set_exception(thrown);
    told_ = true;
  }

 private:
  std::promise<T> promise_;
  std::shared_ptr<remote_link> link_;
  bool told_ = false;
};

template <class T, class F>
task<void> run_for_remote(F make, remote_reply<T> reply) {
  std::exception_ptr thrown;
  try {
    if constexpr (std::is_void_v<T>) {
      co_await make();
      reply.succeed();
    } else {
      T value = co_await make();
      reply.succeed(std::forward<T>(value));
    }
  } catch (...) {
    thrown = std::current_exception();
  }
  if (thrown != nullptr) reply.fail(std::exchange(thrown, nullptr));
}

}  // namespace detail

// A task that another thread has left to a loop. To drop it is to let the task run on.
template <class T>
class remote_task {
 public:
  // Waits, which blocks this thread, and returns the result once, or throws. Not for the loop's own thread.
  T get() { return result_.get(); }
  // The same as a future, to wait for a while or to pass on.
  std::future<T>& result() noexcept { return result_; }
  // Asks the task to stop, as its handle would, as soon as the loop can. Returns whether the loop has taken the
  // request; the task may have ended meanwhile. From any thread.
  bool cancel(label reason = {}, source where = source::current()) const {
    return loop_.call_soon_threadsafe(
        [link = link_, reason = std::move(reason)] {
          if (link->who != nullptr) link->who->cancel(reason);
        },
        where);
  }

 private:
  friend class loop_remote;
  remote_task(loop_remote loop, std::shared_ptr<detail::remote_link> link, std::future<T> result) noexcept
      : loop_(std::move(loop)), link_(std::move(link)), result_(std::move(result)) {}

  loop_remote loop_;
  std::shared_ptr<detail::remote_link> link_;
  std::future<T> result_;
};

template <class F>
  requires task_function<F&> remote_task<typename std::invoke_result_t<F&>::value_type> loop_remote::spawn_threadsafe(
      F make, label name, source where)
const {
  using T = typename std::invoke_result_t<F&>::value_type;
  auto link = std::make_shared<detail::remote_link>();
  detail::remote_reply<T> reply(link);
  remote_task<T> made(*this, std::move(link), reply.future());
  call_soon_threadsafe(
      [make = std::move(make), reply = std::move(reply), name = std::move(name), where]() mutable {
        detail::remote_link& started = reply.link();
        started.who =
            &spawn_daemon(detail::run_for_remote<T>(std::move(make), std::move(reply)), std::move(name), where);
      },
      where);
  return made;
}

}  // namespace lockstep
