// One await of something of ours: the lock that a task asks for, the sleep it sleeps. It lives in the awaiting frame.
//
// Progress
//   fresh ──attempt() succeeds──────────────────────────▶ granted       the coroutine goes on without suspending
//   fresh ──other tasks could run first──▶ switching     ready; attempt() again when picked
//   fresh, switching ──attempt() fails──▶ parked         enqueue()d in its object
//   parked ──the object grants it──▶ granted             ready; await_resume() returns the result
//   parked ──cancel()──▶ withdraw() ──▶ cancelled        ready; await_resume() throws `cancelled`
//   granted, not resumed yet ──cancel()──▶ revoke() ──▶ cancelled
//   fresh ──the task may not go on──▶ stopped            never resumed again
#pragma once

#include <lockstep/base/intrusive_list.hpp>
#include <lockstep/choice/operation_kind.hpp>
#include <lockstep/runtime/frame.hpp>
#include <lockstep/runtime/object.hpp>
#include <lockstep/trace/trace.hpp>

#include <cstdint>
#include <string>

namespace lockstep {

class agent;

class operation : public list_hook<operation> {
 public:
  enum class progress : std::uint8_t { fresh, switching, parked, granted, cancelled, stopped };

  operation_kind kind() const noexcept { return trace::kind_of(label_); }
  // The object that it is about; null for none.
  const object* what() const noexcept { return what_; }
  agent* who() const noexcept { return who_; }

  // Whether it parked for good unless somebody else acts: not so for sleeping.
  virtual bool ends_by_itself() const noexcept { return false; }
  // "mutex "tx"": what a report says the task waits for.
  virtual std::string describe() const;
  // The task that could end this wait, where that is one task.
  virtual agent* holder() const noexcept;

  // Its object is gone, having taken it from its wait list: nothing grants it any more.
  void orphan() noexcept {
    progress_ = progress::stopped;
    what_ = nullptr;
  }

 protected:
  explicit operation(operation_kind kind) noexcept
      : what_(nullptr), code_(trace::code(kind, 0)), label_(trace::label(kind, 0)) {}
  operation(operation_kind kind, const object& what) noexcept
      : what_(&what), code_(trace::code(kind, what.id())), label_(trace::label(kind, what.number())) {}
  ~operation() = default;

  // Leaves the wait list. Called once, while parked.
  virtual void withdraw() noexcept = 0;
  // Gives back what was granted and not yet seen by the coroutine.
  virtual void revoke() noexcept {}
  // Tries again after a switch; true if it need not wait. Only called for operations that can succeed at once.
  virtual bool attempt() { return false; }
  virtual void enqueue() noexcept = 0;
  // A request to cancel the task while it is parked here. Returns whether to wake it with `cancelled`; false if the
  // request went elsewhere.
  virtual bool cancel_requested() noexcept {
    withdraw();
    return true;
  }

  friend class loop;
  friend class agent;

  const object* what_;
  agent* who_;           // set when it waits
  std::uint64_t code_;   // what a step of it adds to the trace hash
  std::uint32_t label_;  // and to the trace
  progress progress_ = progress::fresh;
};

// What a task does that none of its frames holds: starting, yielding.
class frameless_operation final : public operation {
 public:
  explicit frameless_operation(operation_kind kind) noexcept : operation(kind) {}

 private:
  void withdraw() noexcept override {}
  void enqueue() noexcept override {}
};

using wait_list = intrusive_list<operation, operation>;

}  // namespace lockstep
