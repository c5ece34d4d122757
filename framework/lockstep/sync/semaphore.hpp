// semaphore and bounded_semaphore: a number of permits, handed to waiters in the order in which they came.
#pragma once

#include <lockstep/sync/mutex.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace lockstep {

// A permit goes straight from the one that releases it to the first waiter; nobody takes it in between. Permits belong
// to no task: another may release what one has acquired.
// Requires that no task waits for it when it dies; misuse otherwise. One that was made outside may serve one run after
// another, and begins each as it was made.
// Source: asyncio.Semaphore.
class semaphore : public object {
 public:
  // Begins with so many permits; 0 is allowed.
  explicit semaphore(std::uint64_t permits, label name = {}) : semaphore(permits, ~std::uint64_t{0}, std::move(name)) {}
  virtual ~semaphore() { detail::orphan_waiters(waiters_, *this, "semaphore", true); }
  std::string_view noun() const noexcept override { return "semaphore"; }

  class acquiring;
  // Waits for a permit and takes it. Cancelled just after it was handed one: the permit goes to the next.
  LOCKSTEP_AWAIT_IT acquiring acquire(source where = source::current());
  // Takes a permit if one is free, and returns whether it did; never waits.
  bool try_acquire(source where = source::current()) {
    enter("was acquired", where);
    if (permits_ == 0) return false;
    --permits_;
    return true;
  }
  // Gives a permit back, or one more. Misuse if there would be more of them than there may be.
  void release(source where = source::current()) {
    enter("was released", where);
    if (!give()) [[unlikely]]
      refuse_release(where);
  }
  // The permits that are free.
  std::uint64_t available() const noexcept { return permits_; }

 protected:
  semaphore(std::uint64_t permits, std::uint64_t permits_max, label name)
      : object(std::move(name)), permits_(permits), permits_at_first_(permits), permits_max_(permits_max) {}

 private:
  friend class permit;

  // False, and nothing is done, if all permits are free already.
  [[nodiscard]] bool give() noexcept {
    if (permits_ == permits_max_) [[unlikely]]
      return false;
    if (waiters_.empty()) {
      ++permits_;
    } else {
      detail::current_context->owner->grant(waiters_.pop_front());
    }
    return true;
  }
  // The permits that a run has not given back hold up no other.
  void forget_run() noexcept override { permits_ = permits_at_first_; }
  [[noreturn]] void refuse_release(const source& where) const;
  std::string all_are_free(std::string_view done) const;

  std::uint64_t permits_;
  std::uint64_t permits_at_first_;
  std::uint64_t permits_max_;
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
  bool revoke() noexcept override { return what() == nullptr || subject<semaphore>().give(); }
  void result() const noexcept {}
};

inline semaphore::acquiring semaphore::acquire(source where) {
  enter("was acquired", where);
  return acquiring(*this);
}

// A semaphore that never has more permits than it began with: to release one when none was acquired is misuse.
// Source: asyncio.BoundedSemaphore.
class bounded_semaphore final : public semaphore {
 public:
  explicit bounded_semaphore(std::uint64_t permits, label name = {}) : semaphore(permits, permits, std::move(name)) {}
  std::string_view noun() const noexcept override { return "bounded_semaphore"; }
};

// Releases a permit in its destructor: `co_await slots_.acquire(); const permit slot(slots_);`
// Requires that a permit was acquired, and that the semaphore outlives it. One too many is a verdict; it is not thrown.
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
