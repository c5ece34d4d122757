// shared_task<T>: work that is done once, for all who ask for it.
//
// Copies share the work. It starts when the first of them is awaited, as a task of its own, and everybody who awaits
// one gets the result. What several ask for at the same time is so done once:
//
//   const shared_task<page> fetch(get(url));
//   const auto [one, two] = co_await when_all(fetch, fetch);  // the same page
//
// Lifetime: the work is destroyed with its result when the last copy dies. If it still runs then, that is a verdict, as
// with a handle; so is an exception that nobody has read. It must not hold a copy of itself.
// Threads: as a handle, see spawn.hpp.
// Source: cppcoro::shared_task; the ownership of std::shared_future.
#pragma once

#include <lockstep/runtime/result.hpp>
#include <lockstep/runtime/spawn.hpp>
#include <lockstep/runtime/task.hpp>

#include <cstddef>
#include <memory>
#include <utility>

// As for operation.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

namespace lockstep {

namespace detail {

// Waits for the end of a task and looks at nothing.
class end_of_task final : public join_operation<end_of_task> {
 public:
  explicit end_of_task(agent& target) noexcept : join_operation(target, false) {}
  void result() const noexcept {}
};

// The work of a shared_task: the part that does not depend on the result.
class shared_work : public agent_owner {
 public:
  // Waits for its end in the name of the running task. If that is cancelled and nobody else waits, cancels the work and
  // waits for its end all the same.
  task<void> wait();

 protected:
  shared_work() = default;
  ~shared_work() = default;

 private:
  std::size_t waiters_ = 0;
};

}  // namespace detail

template <class T = void>
class [[nodiscard("co_await its get()")]] shared_task {
 public:
  using value_type = T;

  // Requires a task that was neither awaited nor moved from.
  explicit shared_task(task<T> work) : shared_(std::make_shared<state>(std::move(work))) {}

  // Starts the work unless it was started, as a child of the running task. Does not suspend.
  void start(source where = source::current()) const {
    detail::touch(everything, access::write);
    shared_->start(where);
  }
  // Whether it has ended: with a result, an exception, or cancelled.
  bool done() const noexcept { return shared_->valid() && shared_->done(); }

  // A task that waits for the end of the work, which it starts if need be, and returns the result, a const reference
  // that is good for as long as a copy of the shared_task lives. Throws what left the work, each time; `cancelled` if
  // the work was cancelled. Cancelling a waiter lets it go, and leaves the work to the others. The last that goes takes
  // the work along: that is cancelled, and the waiter goes on when it has ended; who comes after that gets `cancelled`,
  // too.
  task<detail::seen<T>> get() const { return wait_for(shared_); }

 private:
  struct state final : detail::shared_work {
    explicit state(task<T> to_do) noexcept : work(std::move(to_do)) {}

    void start(const source& where) {
      if (!valid()) agent_ = &detail::here().owner->adopt(work.release(where), where);
    }
    detail::seen<T> read() {
      auto& root =
          std::coroutine_handle<detail::promise<T>>::from_address(finished_root(get(), source()).address()).promise();
      if (root.failure) [[unlikely]]
        pass_on(root.failure, get());
      if constexpr (std::is_reference_v<T>) {
        return **root.result;
      } else if constexpr (!std::is_void_v<T>) {
        return *root.result;
      }
    }

    task<T> work;
  };

  static task<detail::seen<T>> wait_for(std::shared_ptr<state> shared) {
    if (current_task().accept_cancellation()) detail::throw_cancelled(current_task());
    shared->start(detail::users_line());
    co_await shared->wait();
    if constexpr (std::is_void_v<T>) {
      shared->read();
    } else {
      co_return shared->read();
    }
  }

  std::shared_ptr<state> shared_;
};

template <class T>
shared_task(task<T>) -> shared_task<T>;

}  // namespace lockstep

#pragma GCC diagnostic pop
