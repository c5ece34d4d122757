// Coroutines and awaitables that know nothing of us: what others' libraries look like.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace foreign {

// Starts when it is called, and owns itself.
struct fire_and_forget {
  struct promise_type {
    fire_and_forget get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
};

// Starts when it is called, and belongs to whoever holds it.
class owned {
 public:
  struct promise_type {
    owned get_return_object() noexcept { return owned(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };

  owned(owned&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  owned& operator=(owned&&) = delete;
  ~owned() {
    if (handle_) handle_.destroy();
  }

 private:
  explicit owned(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

// Starts when it is awaited, and goes from one coroutine to the other by symmetric transfer.
template <class T>
class lazy {
 public:
  struct promise_type {
    struct back {
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> ended) noexcept {
        return ended.promise().continuation;
      }
      void await_resume() noexcept {}
    };
    lazy get_return_object() { return lazy(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    back final_suspend() noexcept { return {}; }
    template <class U>
    void return_value(U&& from) {
      value.emplace(std::forward<U>(from));
    }
    void unhandled_exception() noexcept { failure = std::current_exception(); }

    std::coroutine_handle<> continuation;
    std::optional<T> value;
    std::exception_ptr failure;
  };

  lazy(lazy&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  lazy& operator=(lazy&&) = delete;
  ~lazy() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
    handle_.promise().continuation = caller;
    return handle_;
  }
  T await_resume() {
    if (handle_.promise().failure) std::rethrow_exception(handle_.promise().failure);
    return std::move(*handle_.promise().value);
  }

 private:
  explicit lazy(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

// One coroutine waits until somebody calls fire(), which resumes it there and then.
class signal {
 public:
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) noexcept { waiter_ = waiter; }
  int await_resume() const noexcept { return value_; }

  bool awaited() const noexcept { return static_cast<bool>(waiter_); }
  void fire(int value = 0) {
    value_ = value;
    std::exchange(waiter_, nullptr).resume();
  }

 private:
  std::coroutine_handle<> waiter_;
  int value_ = 0;
};

}  // namespace foreign
