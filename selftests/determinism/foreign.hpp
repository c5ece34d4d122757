// A coroutine type that knows nothing of lockstep: it starts at once and resumes whoever awaits it.
#pragma once

#include <coroutine>
#include <exception>
#include <utility>

class foreign {
 public:
  struct promise_type {
    foreign get_return_object() noexcept { return foreign(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    struct back {
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> ended) const noexcept { ended.promise().caller.resume(); }
      void await_resume() const noexcept {}
    };
    back final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
    std::coroutine_handle<> caller;
  };

  foreign(foreign&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  foreign& operator=(foreign&&) = delete;
  ~foreign() {
    if (handle_) handle_.destroy();
  }
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> caller) {
    handle_.promise().caller = caller;
    handle_.resume();
  }
  void await_resume() const noexcept {}

 private:
  explicit foreign(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};
