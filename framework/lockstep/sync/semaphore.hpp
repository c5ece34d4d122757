// semaphore and bounded_semaphore: a number of permits, handed to waiters in the order in which they came.
#pragma once

#include <lockstep/sync/mutex.hpp>

#include <cstdint>
#include <utility>

namespace lockstep {

// A permit goes straight from the one that releases it to the first waiter; nobody takes it in between. Permits belong
// to no task: another may release what one has acquired.
// Requires that no task waits for it when it dies; misuse otherwise.
// Source: asyncio.Semaphore.
class semaphore : public object {
 public:
  // Begins with so many permits; 0 is allowed.
  explicit semaphore(std::uint64_t permits, label name = {}) : object(std::move(name)), permits_(permits) {}
  virtual ~semaphore() { detail::orphan_waiters(waiters_, *this, "semaphore"); }

  class acquiring;
  // Waits for a permit and takes it. Cancelled just after it was handed one: the permit goes to the next.
  LOCKSTEP_AWAIT_IT acquiring acquire();
  // Takes a permit if one is free, and returns whether it did; never waits.
  bool try_acquire() {
    enter();
    if (permits_ == 0) return false;
    --permits_;
    return true;
  }
  // Gives a permit back, or one more.
  void release() {
    enter();
    give();
  }
  // The permits that are free.
  std::uint64_t available() const noexcept { return permits_; }

 protected:
  friend class permit;

  void give() noexcept {
    if (waiters_.empty()) {
      ++permits_;
    } else {
      detail::current_context->owner->grant(waiters_.pop_front());
    }
  }

  std::uint64_t permits_;
  wait_list waiters_;
};

class semaphore::acquiring final : public primitive<semaphore::acquiring> {
 public:
  explicit acquiring(semaphore& wanted) noexcept : primitive(operation_kind::acquire, wanted) {}

  bool try_now() noexcept {
    if (subject<semaphore>().permits_ == 0) return false;
    --subject<semaphore>().permits_;
    return true;
  }
  void enqueue() noexcept override { subject<semaphore>().waiters_.push_back(*this); }
  void withdraw() noexcept override { unlink(); }
  bool revoke() noexcept override {
    subject<semaphore>().give();
    return true;
  }
  void result() const noexcept {}
};

inline semaphore::acquiring semaphore::acquire() {
  enter();
  return acquiring(*this);
}

// A semaphore that never has more permits than it began with. Source: asyncio.BoundedSemaphore.
class bounded_semaphore final : public semaphore {
 public:
  explicit bounded_semaphore(std::uint64_t permits, label name = {})
      : semaphore(permits, std::move(name)), permits_max_(permits) {}

  // Misuse if nothing was acquired.
  void release(source where = source::current());

 private:
  std::uint64_t permits_max_;
};

// Releases a permit in its destructor: `co_await slots_.acquire(); const permit slot(slots_);`
// Requires that a permit was acquired, and that the semaphore outlives it.
class [[nodiscard("keep the permit in a variable: it is released with it")]] permit {
 public:
  explicit permit(semaphore & held) noexcept : held_(&held) {}
  permit(permit && other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
  permit& operator=(permit&& other) noexcept {
    std::swap(held_, other.held_);
    return *this;
  }
  ~permit();

 private:
  semaphore* held_;
};

}  // namespace lockstep
