// Several spawned tasks that one task waits for: the machinery under when_all() and when_any().
#pragma once

#include <lockstep/runtime/spawn.hpp>
#include <lockstep/runtime/watched_tasks.hpp>

#include <vector>

namespace lockstep::detail {

class crowd final : private finish_listener {
 public:
  enum class until { all, first_failure, first };

  crowd() = default;
  crowd(const crowd&) = delete;
  crowd& operator=(const crowd&) = delete;
  ~crowd();

  // Adds a task, which must stay owned by its handle until the crowd is gone. What is left then is destroyed, the
  // youngest first; so is the task if this throws.
  void watch(agent& who);
  std::size_t left() const noexcept { return members_.size(); }
  // The first that finished, in the order of adding; and the first that failed or was cancelled. Null if none.
  agent* first_finished() const noexcept { return first_; }
  agent* first_failed() const noexcept { return failed_; }
  void cancel(const label& reason);

  class wait;
  // Waits until the condition holds, or all have finished. Cancelling the waiter cancels all of them, and is delivered
  // when the last has ended.
  wait wait_until(until condition);
  // The same, then cancels those that are left, giving the reason, and waits for their end. All have finished when it
  // returns or throws, even if the cancellation was already there when the wait began.
  task<void> run_until(until condition, label reason_to_end);

 private:
  void finished(agent& who) noexcept override;
  bool enough() const noexcept;

  watched_tasks members_;
  identity group_ = 0;
  agent* first_ = nullptr;
  agent* failed_ = nullptr;
  until condition_ = until::all;
  operation* waiter_ = nullptr;
};

class crowd::wait final : public primitive<crowd::wait> {
 public:
  explicit wait(crowd& of) noexcept : primitive(operation_kind::wait_children), of_(of) {}

  bool try_now() const noexcept { return of_.enough(); }
  void touch_what() const noexcept {
    if (of_.enough()) touch_result();
  }
  void touch_end() const noexcept override { touch(of_.group_, access::write); }
  bool waits_in_any_case() const noexcept override { return !of_.enough(); }
  void enqueue() noexcept override { of_.waiter_ = this; }
  void withdraw() noexcept override { of_.waiter_ = nullptr; }
  bool cancel_requested() noexcept override;
  // What has failed is thrown: a cancellation must not take its place.
  bool revoke() noexcept override { return of_.condition_ == until::all || of_.failed_ == nullptr; }
  std::string describe() const override;
  agent* holder() const noexcept override;
  void awaits(std::vector<agent*>& into) const override { of_.members_.add_to(into); }
  void result() const noexcept { touch_result(); }

 private:
  // Where others may not have finished, what follows depends on who has.
  void touch_result() const noexcept {
    if (of_.condition_ == until::all) {
      touch(end_identity(of_.group_), access::after);
    } else {
      touch(of_.group_, access::read);
    }
  }

  crowd& of_;
};

// Which of several tasks, for all of which `waiter` waits, a report names: the one that waits for it, or the only one.
agent* holder_among(const std::vector<agent*>& all, const agent& waiter) noexcept;

}  // namespace lockstep::detail
