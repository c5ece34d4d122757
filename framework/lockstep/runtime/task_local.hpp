// Task-local values: variables that each task sees with a value of its own, such as the number of the request that it
// serves.
//
//   constinit task_local<int> request_id{0};
//
//   task<void> serve(int number) {
//     request_id.set(number);
//     co_await with_task_group(handle_parts);  // whose tasks all see that number
//   }
//
// A task begins with a copy of the values that its spawner had at the spawn; what either of them sets afterwards the
// other does not see. An awaited task is a call, and shares those of the task that awaits it.
// Reading never suspends, and is allowed anywhere: where no task runs, every variable has its initial value, unless
// task_locals::run() gives others.
//
// Lifetime: a variable is meant for namespace scope, and must outlive every task. Its values live until the task's
// handle has gone.
// Threads: a task stays on its loop's thread. What a copy (`task_locals`) holds may be read on another one.
// Source: Python's contextvars.
#pragma once

#include <lockstep/runtime/agent.hpp>
#include <lockstep/runtime/context.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <utility>

namespace lockstep {

namespace detail {

// Of the innermost task_locals::run() on this thread.
inline constinit thread_local bound_values* values_of_run = nullptr;

// Of the running task, or where none runs of task_locals::run(); null if there are none.
inline const bound_values* values_here() noexcept {
  const agent* const who = current_context != nullptr ? current_context->running : nullptr;
  return who != nullptr ? who->values() : values_of_run;
}
bound_values& values_to_change(const source& where);
const void* find_value(const void* variable) noexcept;
void bind_value(bound_values& in, const void* variable, std::shared_ptr<const void> value);

}  // namespace detail

// While it lives, a variable has a value in the task that has made it; then it has the one from before. Made by
// task_local::bind(). Scopes of one task end in the reverse order of their beginning.
class [[nodiscard("the value holds while the scope lives")]] scoped_value {
 public:
  scoped_value(const void* variable, std::shared_ptr<const void> value, source where);
  scoped_value(const scoped_value&) = delete;
  scoped_value& operator=(const scoped_value&) = delete;
  ~scoped_value();

 private:
  detail::bound_values& in_;
  const void* variable_;
  std::shared_ptr<const void> before_;  // null if it had its initial value
};

template <std::copy_constructible T>
class task_local {
 public:
  constexpr task_local() requires std::default_initializable<T> : initial_() {}
  // `initial` is what a task sees that has not been given another value.
  constexpr explicit task_local(T initial) : initial_(std::move(initial)) {}
  task_local(const task_local&) = delete;
  task_local& operator=(const task_local&) = delete;

  // The value in the running task.
  T get() const {
    const void* const found = detail::find_value(this);
    return found != nullptr ? *static_cast<const T*>(found) : initial_;
  }

  // Sets it for the rest of the running task, or until the scope ends within which that is done. Misuse where no task
  // runs, but for task_locals::run().
  void set(T value, source where = source::current()) {
    detail::bind_value(detail::values_to_change(where), this, std::make_shared<const T>(std::move(value)));
  }

  // Sets it until the scope that it returns ends: const auto bound = request_id.bind(7).
  scoped_value bind(T value, source where = source::current()) {
    return scoped_value(this, std::make_shared<const T>(std::move(value)), where);
  }

 private:
  T initial_;
};

// A copy of all values that a task has, to run something else with: a callback, a job on another thread.
// Source: contextvars.copy_context(), Context.run().
class task_locals {
 public:
  // None: every variable has its initial value.
  task_locals() noexcept = default;
  // Those of the running task, or of the run() around.
  static task_locals current();

  // Calls `f` with these values, also where no task runs, and returns what it returns. What it sets stays in here, and
  // nobody else sees it. A task that is spawned in `f` begins with a copy of them.
  // `f` is done when it returns: a coroutine is only made in it.
  template <std::invocable F>
  decltype(auto) run(F&& f) {
    const in_force scope(values_);
    return std::invoke(std::forward<F>(f));
  }

 private:
  class in_force {
   public:
    explicit in_force(detail::bound_values& values);
    in_force(const in_force&) = delete;
    in_force& operator=(const in_force&) = delete;
    ~in_force();

   private:
    agent* who_;
    detail::bound_values* before_;
  };

  detail::bound_values values_;
};

}  // namespace lockstep
