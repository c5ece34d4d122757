// semaphore and bounded_semaphore: a number of permits, handed to waiters in the order in which they came.
#pragma once

#include <lockstep/sync/mutex.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

// As for operation.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

namespace lockstep {

class permit;
namespace detail {
template <class Self>
class acquisition;
}

// A permit goes straight from the one that releases it to the first waiter; nobody takes it in between. Permits belong
// to no task: another may release what one has acquired.
// Requires that no task waits for it when it dies; misuse otherwise. One that was made outside may serve one run after
// another, and begins each as it was made.
// Source: asyncio.Semaphore.
class semaphore : public object {
 public:
  // Begins with so many permits, 0 to 2^63 - 1; misuse for more, such as -1 comes to.
  explicit semaphore(std::uint64_t permits, label name = {}, source where = source::current())
      : semaphore(permits, ~std::uint64_t{0}, std::move(name), where) {}
  virtual ~semaphore();
  std::string_view noun() const noexcept override { return "semaphore"; }

  class acquiring;
  class acquiring_permit;
  // Waits for a permit and takes it. Cancelled just after it was handed one: the permit goes to the next.
  LOCKSTEP_AWAIT_IT acquiring acquire(source where = source::current());
  // The same, and returns what releases it at the end of its scope: `const permit slot = co_await
  // slots.acquire_permit();`
  LOCKSTEP_AWAIT_IT acquiring_permit acquire_permit(source where = source::current());
  // Takes a permit if one is free, and returns whether it did; never waits.
  bool try_acquire(source where = source::current()) {
    enter_to_change("was acquired", where);
    if (permits_ == 0) return false;
    --permits_;
    return true;
  }
  // Gives a permit back, or one more. Misuse if there would be more of them than there may be.
  void release(source where = source::current()) {
    enter_to_change("was released", where);
    if (!give()) [[unlikely]]
      refuse_release(where);
  }
  // The permits that are free.
  std::uint64_t available() const noexcept {
    touch(access::read);
    return permits_;
  }

 protected:
  semaphore(std::uint64_t permits, std::uint64_t permits_max, label name, const source& where)
      : object(std::move(name)), permits_(permits), permits_at_first_(permits), permits_max_(permits_max) {
    if (static_cast<std::int64_t>(permits) < 0) refuse_to_begin(where);
  }

 private:
  friend class permit;
  template <class Self>
  friend class detail::acquisition;

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
  // The permits that a run has not given back hold up no other, and are of no use in it.
  void forget_run() noexcept override {
    empty_permits();
    permits_ = permits_at_first_;
  }
  void empty_permits() noexcept;
  [[noreturn]] void refuse_to_begin(const source& where) const;
  [[noreturn]] void refuse_release(const source& where) const;
  std::string all_are_free(std::string_view done) const;

  std::uint64_t permits_;
  std::uint64_t permits_at_first_;
  std::uint64_t permits_max_;
  wait_list waiters_;
  intrusive_list<permit> held_by_;
};

namespace detail {

// As for operation.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
template <class Self>
class acquisition : public primitive<Self> {
 public:
  explicit acquisition(semaphore& wanted) noexcept : primitive<Self>(operation_kind::acquire, wanted) {}

  bool try_now() noexcept {
    if (of().permits_ == 0) return false;
    --of().permits_;
    return true;
  }
  void enqueue() noexcept override { of().waiters_.push_back(*this); }
  void withdraw() noexcept override { this->unlink(); }
  bool revoke() noexcept override { return this->what() == nullptr || of().give(); }

 protected:
  semaphore& of() const noexcept { return this->template subject<semaphore>(); }
};
#pragma GCC diagnostic pop

}  // namespace detail

// Releases a permit in its destructor. Moves, also to another task, may be released early, and may outlive its
// semaphore, which empties it. One too many is a verdict; it is not thrown.
class [[nodiscard("keep the permit in a variable: it is released with it")]] permit : public list_hook<> {
 public:
  // Requires that a permit was acquired.
  explicit permit(semaphore & held) noexcept : held_(&held) { held.held_by_.push_back(*this); }
  permit(permit && other) noexcept : held_(nullptr) { take_from(other); }
  permit& operator=(permit&& other) noexcept {
    if (this == &other) return *this;
    release();
    take_from(other);
    return *this;
  }
  ~permit() { release(); }

  // A second time does nothing.
  void release() noexcept;

 private:
  friend class semaphore;

  // Of a semaphore that has died since it gave the permit: it is released to nobody.
  permit() noexcept : held_(nullptr) {}

  // Requires that this one is empty.
  void take_from(permit & other) noexcept {
    if (other.held_ == nullptr) return;
    held_ = std::exchange(other.held_, nullptr);
    other.unlink();
    held_->held_by_.push_back(*this);
  }

  semaphore* held_;  // null also when the semaphore has died
};

inline void semaphore::empty_permits() noexcept {
  while (!held_by_.empty()) held_by_.pop_front().held_ = nullptr;
}

inline semaphore::~semaphore() {
  empty_permits();
  detail::orphan_waiters(waiters_, *this, true);
}

class semaphore::acquiring final : public detail::acquisition<semaphore::acquiring> {
 public:
  using acquisition::acquisition;
  void result() const noexcept {}
};

class semaphore::acquiring_permit final : public detail::acquisition<semaphore::acquiring_permit> {
 public:
  using acquisition::acquisition;
  permit result() const noexcept { return what() != nullptr ? permit(of()) : permit(); }
};

inline semaphore::acquiring semaphore::acquire(source where) {
  enter("was acquired", where);
  return acquiring(*this);
}

inline semaphore::acquiring_permit semaphore::acquire_permit(source where) {
  enter("was acquired", where);
  return acquiring_permit(*this);
}

// A semaphore that never has more permits than it began with: to release one when none was acquired is misuse.
// Source: asyncio.BoundedSemaphore.
class bounded_semaphore final : public semaphore {
 public:
  explicit bounded_semaphore(std::uint64_t permits, label name = {}, source where = source::current())
      : semaphore(permits, permits, std::move(name), where) {}
  std::string_view noun() const noexcept override { return "bounded_semaphore"; }
};

}  // namespace lockstep

#pragma GCC diagnostic pop
