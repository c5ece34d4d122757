// The three ways to run a coroutine on the floor: joined, on its own, or called.
#pragma once

#include "scheduler.hpp"
#include "unordered_queue.hpp"

#include <coroutine>
#include <cstddef>
#include <exception>
#include <utility>

namespace bench::floor {

struct promise_base {
  static void* operator new(std::size_t bytes) { return here.frames.take(bytes); }
  static void operator delete(void* block, std::size_t bytes) noexcept { here.frames.give_back(block, bytes); }

  std::suspend_always initial_suspend() const noexcept { return {}; }
  void return_void() const noexcept {}
  [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
};

// Spawned and joined once; owns its frame.
class task {
 public:
  struct promise_type : promise_base {
    std::coroutine_handle<> joiner;

    task get_return_object() noexcept { return task(std::coroutine_handle<promise_type>::from_promise(*this)); }

    struct wake_joiner {
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> ended) const noexcept {
        if (ended.promise().joiner) here.ready.push(ended.promise().joiner);
      }
      void await_resume() const noexcept {}
    };
    wake_joiner final_suspend() const noexcept { return {}; }
  };

  task(task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  task& operator=(task&&) = delete;
  ~task() {
    if (frame_) frame_.destroy();
  }

  void spawn() const { here.ready.push(frame_); }

  struct joining {
    std::coroutine_handle<promise_type> joined;

    bool await_ready() const noexcept { return joined.done(); }
    void await_suspend(std::coroutine_handle<> joiner) const noexcept { joined.promise().joiner = joiner; }
    void await_resume() const noexcept {}
  };
  joining join() const noexcept { return {frame_}; }

 private:
  explicit task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}

  std::coroutine_handle<promise_type> frame_;
};

// Runs by itself and frees its frame at its end.
class detached {
 public:
  struct promise_type : promise_base {
    detached get_return_object() noexcept { return detached(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_never final_suspend() const noexcept { return {}; }
  };

  void spawn() const { here.ready.push(frame_); }
  void spawn_into(unordered_queue& queue) const { queue.push(frame_); }

 private:
  explicit detached(std::coroutine_handle<> frame) noexcept : frame_(frame) {}

  std::coroutine_handle<> frame_;
};

// A child awaited where it is made: control goes to it and back without passing through the scheduler.
class call {
 public:
  struct promise_type : promise_base {
    std::coroutine_handle<> caller;

    call get_return_object() noexcept { return call(std::coroutine_handle<promise_type>::from_promise(*this)); }

    struct return_to_caller {
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> ended) const noexcept {
        return ended.promise().caller;
      }
      void await_resume() const noexcept {}
    };
    return_to_caller final_suspend() const noexcept { return {}; }
  };

  call(const call&) = delete;
  call& operator=(const call&) = delete;
  ~call() { frame_.destroy(); }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) const noexcept {
    frame_.promise().caller = caller;
    return frame_;
  }
  void await_resume() const noexcept {}

 private:
  explicit call(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}

  std::coroutine_handle<promise_type> frame_;
};

}  // namespace bench::floor
