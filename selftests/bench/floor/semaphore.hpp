// A number of permits. One that is released goes straight to the first waiter; with one permit it is a fair mutex.
#pragma once

#include "scheduler.hpp"
#include "wait_list.hpp"

#include <coroutine>
#include <cstdint>

namespace bench::floor {

class semaphore {
 public:
  explicit semaphore(std::uint64_t permits) noexcept : permits_(permits) {}

  class acquiring;
  acquiring acquire() noexcept;
  void release() noexcept {
    if (waiting* const next = waiters_.pop(); next != nullptr) {
      here.ready.push(next->waiter);
    } else {
      ++permits_;
    }
  }

 private:
  std::uint64_t permits_;
  wait_list<waiting> waiters_;
};

class semaphore::acquiring : waiting {
 public:
  explicit acquiring(semaphore& wanted) noexcept : semaphore_(wanted) {}

  bool await_ready() const noexcept {
    if (semaphore_.permits_ == 0) return false;
    --semaphore_.permits_;
    return true;
  }
  void await_suspend(std::coroutine_handle<> task) noexcept {
    waiter = task;
    semaphore_.waiters_.push(*this);
  }
  void await_resume() const noexcept {}

 private:
  semaphore& semaphore_;
};

inline semaphore::acquiring semaphore::acquire() noexcept { return acquiring(*this); }

}  // namespace bench::floor
