// barrier: a number of tasks that wait for each other, again and again.
#pragma once

#include <lockstep/sync/mutex.hpp>

#include <cstddef>
#include <stdexcept>

namespace lockstep {

// Thrown to those who wait at a barrier that is reset or aborted, and to all who come to an aborted one.
class broken_barrier : public std::runtime_error {
 public:
  broken_barrier() : std::runtime_error("the barrier is broken") {}
};

// Requires that no task waits at it when it dies; misuse otherwise.
// Source: asyncio.Barrier.
class barrier final : public object {
 public:
  barrier() = delete;  // say how many tasks meet: barrier start(3)
  // `parties` is at least 1; misuse otherwise, and for a negative number.
  explicit barrier(std::size_t parties, label name = {}, source where = source::current());
  ~barrier() { detail::orphan_waiters(waiters_, *this, false); }
  std::string_view noun() const noexcept override { return "barrier"; }

  class waiting;
  // Waits until `parties` tasks wait, and returns this task's place among them: 0 for the first to come.
  // A cancelled task leaves, and another may take its place; once all have come, the others go on without it.
  // Throws broken_barrier if it is reset or aborted meanwhile, or was aborted before.
  LOCKSTEP_AWAIT_IT waiting wait(source where = source::current());
  // Those who wait get broken_barrier, but not those who have met and are yet to run; then it can be used again.
  void reset(source where = source::current());
  // The same, and the barrier stays broken until reset().
  void abort(source where = source::current());

  std::size_t parties() const noexcept { return parties_; }
  std::size_t waiting_now() const noexcept {
    touch(access::read);
    return arrived_;
  }
  bool broken() const noexcept {
    touch(access::read);
    return broken_;
  }

 private:
  void release_all(bool broken);

  std::size_t parties_;
  std::size_t arrived_ = 0;
  bool broken_ = false;
  wait_list waiters_;
};

class barrier::waiting final : public primitive<barrier::waiting> {
 public:
  explicit waiting(barrier& at) noexcept : primitive(operation_kind::arrive, at), barrier_(at) {}

  bool try_now() {
    if (barrier_.broken_) {
      broken_ = true;
      return true;
    }
    if (barrier_.arrived_ + 1 < barrier_.parties_) return false;
    place_ = barrier_.arrived_;
    barrier_.release_all(false);
    return true;
  }
  void enqueue() noexcept override {
    ++barrier_.arrived_;
    barrier_.waiters_.push_back(*this);
  }
  void withdraw() noexcept override {
    --barrier_.arrived_;
    unlink();
  }
  std::size_t result() const {
    if (broken_) throw broken_barrier();
    return place_;
  }

 private:
  friend class barrier;

  barrier& barrier_;
  std::size_t place_ = 0;
  bool broken_ = false;
};

inline barrier::waiting barrier::wait(source where) {
  enter("was waited at", where);
  return waiting(*this);
}

}  // namespace lockstep
