// task<T>: a lazy coroutine with one result.
//
// Calling the coroutine makes the task; nothing runs until it is awaited or spawned. Awaiting it is a call: the body
// runs in the awaiting task's name, at once, and its result or exception comes back. A task is awaited or spawned
// exactly once; one that never is, is a verdict.
//
//   task<int> answer_after(duration delay, int answer) {
//     co_await sleep_for(delay);
//     co_return answer;
//   }
//
// Parameters live in the task's frame. What is taken by reference, and what a lambda coroutine captures, must outlive
// the task.
// Cancellation: awaiting a task is no cancel point; the awaits in its body are.
// Threads: a task stays with the loop that runs it. One that is destroyed unawaited on another thread than that of the
// run which made it is misuse: the verdict is that run's, and its thread destroys the task.
#pragma once

#include <lockstep/base/frame_pool.hpp>
#include <lockstep/runtime/context.hpp>
#include <lockstep/runtime/foreign.hpp>
#include <lockstep/runtime/frame.hpp>
#include <lockstep/runtime/primitive.hpp>

#include <coroutine>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace lockstep {

template <class T>
class [[nodiscard("co_await the task or spawn() it")]] task;

namespace detail {

// Destroys a task that has not started, and reports it. `made` is its frame.
void abandon(std::coroutine_handle<> unstarted, const frame& made) noexcept;
// Marks, as the owner of a frame that has not started, a task that a mock action made.
inline constinit std::coroutine_handle<> made_by_mock;
[[noreturn]] void throw_awaited_twice(source where);
// For a task that is about to be spawned, and was not made in this loop's memory: misuse if it is another thread's, to
// which it is then left. Does nothing otherwise.
[[gnu::cold]] void refuse_if_elsewhere(std::coroutine_handle<>& unstarted, const frame& made);

// Awaits an operation where it stands. (GCC 12 copies an awaiter that await_transform returns by reference.)
template <class Operation>
class by_reference {
 public:
  explicit by_reference(Operation& awaited) noexcept : awaited_(awaited) {}
  [[gnu::always_inline]] bool await_ready() { return awaited_.begin_in_task(*static_cast<loop*>(current_context)); }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> leaf) {
    awaited_.wait_in_task(*static_cast<loop*>(current_context), leaf, leaf.promise());
  }
  decltype(auto) await_resume() { return awaited_.await_resume(); }

 private:
  Operation& awaited_;
};

// Takes the coroutine's memory from the loop that runs here, if one does.
struct pooled_frame {
  static frame_pool* memory_here() noexcept {
    const context* found = current_context;
    return found != nullptr ? found->frames : nullptr;
  }
  static void* operator new(std::size_t bytes) { return frame_pool::take(memory_here(), bytes); }
  static void operator delete(void* block, std::size_t bytes) noexcept { frame_pool::give_back(block, bytes); }
};

struct promise_base : frame, pooled_frame {
  promise_base() noexcept { made_in(memory_here()); }

  std::suspend_always initial_suspend() const noexcept { return {}; }

  struct back_to_caller {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
      current_context->next = ended.promise().resume_after;
      current_context->running->stands_at(ended.promise().caller);
    }
    void await_resume() const noexcept {}
  };
  back_to_caller final_suspend() const noexcept { return {}; }

  void unhandled_exception() noexcept { leave_by_exception(); }

  // Every await of ours passes here, so that the frame knows the line at which it waits.
  template <class Awaitable>
  decltype(auto) await_transform(Awaitable&& awaitable, source_pointer at = __builtin_source_location()) {
    where = source_at(at);
    if constexpr (operation_of_ours<Awaitable>) {
      if constexpr (requires { typename std::remove_cvref_t<Awaitable>::awaited_where_made; }) {
        static_assert(!std::is_lvalue_reference_v<Awaitable>,
                      "co_await select() where it is made: its operations end with the full-expression");
      }
      return by_reference<std::remove_reference_t<Awaitable>>(awaitable);
    } else if constexpr (requires { typename std::remove_cvref_t<Awaitable>::in_task; }) {
      return typename std::remove_cvref_t<Awaitable>::in_task();
    } else if constexpr (requires { typename std::remove_cvref_t<Awaitable>::lockstep_task; }) {
      static_assert(!std::is_lvalue_reference_v<Awaitable>, "a task runs once: co_await std::move() of it");
      return std::forward<Awaitable>(awaitable).operator co_await();
    } else {
      return proxy(std::forward<Awaitable>(awaitable), *this);
    }
  }
  template <class Awaitable>
  auto await_transform(outside_in_place<Awaitable> temporary, source_pointer at = __builtin_source_location()) {
    where = source_at(at);
    return proxy(temporary, *this);
  }
};

template <class T>
struct promise final : promise_base {
  static_assert(!std::is_rvalue_reference_v<T>, "a task returns a value or an lvalue reference: make it task<T>");
  using stored = std::conditional_t<std::is_reference_v<T>, std::add_pointer_t<T>, T>;

  task<T> get_return_object(source at = source::current()) noexcept;

  template <class U>
    requires std::convertible_to<U&&, T>
  void return_value(U&& value) {
    if constexpr (std::is_reference_v<T>) {
      T bound = std::forward<U>(value);
      result.emplace(&bound);
    } else {
      result.emplace(std::forward<U>(value));
    }
  }

  T take() {
    if (failure) [[unlikely]]
      std::rethrow_exception(failure);
    return value();
  }
  // Requires that nothing failed.
  T value() {
    if constexpr (std::is_reference_v<T>) {
      return **result;
    } else {
      return std::move(*result);
    }
  }

  std::optional<stored> result;
};

template <>
struct promise<void> final : promise_base {
  task<void> get_return_object(source at = source::current()) noexcept;
  void return_void() const noexcept {}
  void take() {
    if (failure) [[unlikely]]
      std::rethrow_exception(failure);
  }
  void value() const noexcept {}
};

}  // namespace detail

// Owns a coroutine that has not started, or nothing. T is a value that can be moved, an lvalue reference, or void.
template <class T = void>
class [[nodiscard("co_await the task or spawn() it")]] task {
 public:
  using promise_type = detail::promise<T>;
  using value_type = T;
  using lockstep_task = void;

  task(const task&) = delete;  // a task runs once: std::move() it
  task(task && other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  task& operator=(task&& other) noexcept {
    task(std::move(other)).swap(*this);
    return *this;
  }
  ~task() {
    if (handle_) [[unlikely]]
      abandon();
  }

  void swap(task & other) noexcept { std::swap(handle_, other.handle_); }

  // Whether it still may be awaited or spawned.
  bool valid() const noexcept { return static_cast<bool>(handle_); }

  class awaiter;
  // Runs the body, and returns its result or throws what left it. Waits whenever the body waits. Misuse if the task was
  // awaited or moved from. Its frame is destroyed at the end of the full-expression with the co_await.
  awaiter operator co_await()&& { return awaiter(release()); }

  // For what runs tasks: the coroutine, which the caller must destroy. Misuse if the task was awaited or moved from.
  // `where` is the line to blame, if not the one that awaits.
  std::coroutine_handle<promise_type> release(source where = source()) {
    if (!handle_) [[unlikely]]
      detail::throw_awaited_twice(where);
    return std::exchange(handle_, nullptr);
  }

  // For mock actions: the line that a report of an unawaited task names, instead of the coroutine's own; an empty one
  // for a mock function without an action.
  task&& made_by_mock_at(const source& where)&& noexcept {
    handle_.promise().where = where;
    handle_.promise().owner = &detail::made_by_mock;
    return std::move(*this);
  }

 private:
  friend promise_type;
  explicit task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}

  [[gnu::cold]] void abandon() noexcept { detail::abandon(handle_, handle_.promise()); }

  std::coroutine_handle<promise_type> handle_;
};

template <class T>
class task<T>::awaiter {
 public:
  explicit awaiter(std::coroutine_handle<promise_type> callee) noexcept : callee_(callee) {}
  awaiter(const awaiter&) = delete;
  awaiter& operator=(const awaiter&) = delete;
  ~awaiter() {
    if (callee_) callee_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  // Calls the body. What waits in it suspends the caller too, which is resumed by the loop then. So does a call that is
  // too deep for the stack: the loop makes it.
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> caller) {
    const std::coroutine_handle<> called = callee_;
    promise_type& callee = promise();
    callee.owner = &callee_;
    if constexpr (std::derived_from<Promise, frame>) {
      detail::context& context = *detail::current_context;
      callee.caller = &caller.promise();
      context.running->stands_at(&callee);
      if (static_cast<const char*>(__builtin_frame_address(0)) > context.stack_end) [[likely]] {
        called.resume();
        if (called.done()) return false;
      } else {
        static_cast<loop&>(context).call(called);
      }
    } else {
      detail::here().owner->call_from_foreign(called, callee);
    }
    callee.resume_after = caller;
    return true;
  }
  T await_resume() { return promise().take(); }

 private:
  promise_type& promise() const noexcept {
    return std::coroutine_handle<promise_type>::from_address(callee_.address()).promise();
  }

  std::coroutine_handle<> callee_;  // nulled when the frame is destroyed from its leaf
};

namespace detail {

template <class T>
task<T> promise<T>::get_return_object(source at) noexcept {
  where = place::in_function(at);
  return task<T>(std::coroutine_handle<promise>::from_promise(*this));
}

inline task<void> promise<void>::get_return_object(source at) noexcept {
  where = place::in_function(at);
  return task<void>(std::coroutine_handle<promise>::from_promise(*this));
}

template <class T>
inline constexpr bool is_task = false;
template <class T>
inline constexpr bool is_task<task<T>> = true;

}  // namespace detail

// A callable that returns a task when called with `Args`.
template <class F, class... Args>
concept task_function = std::invocable<F, Args...> && detail::is_task<std::invoke_result_t<F, Args...>>;

// Calls `make(args...)` and awaits the task with the callable and its arguments kept alive until it ends: the safe way
// to run a coroutine lambda that captures. Returns its result or throws what left it.
template <class F, class... Args>
  requires task_function<F&, Args&...> std::invoke_result_t<F&, Args&...> co_invoke(F make, Args... args) {
    co_return co_await std::invoke(make, args...);
  }

}  // namespace lockstep
