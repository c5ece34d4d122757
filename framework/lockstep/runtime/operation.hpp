// One await of something of ours: the lock that a task asks for, the sleep it sleeps. It lives in the awaiting frame.
//
// Progress
//   fresh ──attempt() succeeds──────────────────────────▶ granted       the coroutine goes on without suspending
//   fresh ──other tasks could run first──▶ switching     ready; attempt() again when picked
//   fresh, switching ──attempt() fails──▶ parked         enqueue()d in its object
//   parked ──the object grants it──▶ granted             ready; await_resume() returns the result
//   parked ──cancel()──▶ withdraw() ──▶ cancelled        ready; await_resume() throws `cancelled`
//   granted, not resumed yet ──cancel()──▶ revoke() ──▶ cancelled, or still granted if it cannot be undone
//   switching ──attempt() finds no memory──▶ failed      ready; await_resume() throws std::bad_alloc
//   fresh ──the task may not go on──▶ stopped            never resumed again
//   switching, parked ──its object dies──▶ stopped       likewise
// An await that would have to wait, of one that is not fresh, is misuse: an operation waits once, in one place.
// Of an operation that is one of several in a select(), which is what the task is parked at:
//   fresh ──the select takes it──▶ arm                   waits in its object, until another arm or this one is granted
//   arm ──the object grants it──▶ granted                the others are withdrawn and the select is granted, at once
//   arm ──its object dies──▶ stopped                     the others wait on
//   arm ──the select is gone──▶ fresh                    as if it had never waited
#pragma once

#include <lockstep/base/intrusive_list.hpp>
#include <lockstep/choice/operation_kind.hpp>
#include <lockstep/runtime/frame.hpp>
#include <lockstep/runtime/object.hpp>
#include <lockstep/trace/trace.hpp>

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

// Marks what returns an operation.
#define LOCKSTEP_AWAIT_IT [[nodiscard("co_await the operation: nothing happens before")]]

namespace lockstep {

class agent;

namespace detail {

class selection;

// What is behind `granted` returns no result.
enum class progress_of_operation : std::uint32_t { fresh, switching, parked, arm, granted, cancelled, failed, stopped };

// Both made by one store.
struct operation_state {
  std::uint32_t label_;  // what it is in the trace
  progress_of_operation progress_;

  static operation_state fresh(std::uint32_t label) noexcept {
    constexpr int shift = std::endian::native == std::endian::little ? 0 : 32;
    return std::bit_cast<operation_state>(std::uint64_t{label} << shift);
  }
};

}  // namespace detail

class operation;
using wait_list = intrusive_list<operation, operation>;

// Its friends make GCC take the protected destructor for one that anybody may call.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class operation : public list_hook<operation>, private detail::operation_state {
 public:
  using progress = detail::progress_of_operation;

  operation_kind kind() const noexcept { return trace::kind_of(label_); }
  // The object that it is about; null for none.
  const object* what() const noexcept { return what_; }
  agent* who() const noexcept { return who_; }

  // "mutex "tx"": what a report says the task waits for.
  virtual std::string describe() const;
  // The task that could end this wait, where that is one task.
  virtual agent* holder() const noexcept;
  // Adds the tasks for whose end it waits: those that have not finished.
  virtual void awaits(std::vector<agent*>&) const {}
  // The task that ended such a wait last, 0 for none: it may have ended, and others may do the same.
  virtual identity feeder() const noexcept { return 0; }

  // Its object is gone, and it is in no wait list: nothing grants it any more.
  void orphan() noexcept {
    const bool was_arm = progress_ == progress::arm;
    progress_ = progress::stopped;
    what_ = nullptr;
    if (was_arm) [[unlikely]]
      leave_selection();
  }
  bool stopped() const noexcept { return progress_ == progress::stopped; }
  bool cancelled() const noexcept { return progress_ == progress::cancelled; }

 protected:
  using operation_state::progress_;

  explicit operation(operation_kind kind) noexcept : operation_state(fresh(trace::label(kind, 0))), what_(nullptr) {}
  operation(operation_kind kind, object& what) noexcept
      : operation_state(fresh(trace::label(kind, what.number()))), what_(&what) {}
  ~operation() = default;

  // For one that learns only when it begins what it is about.
  void is_about(object& what) noexcept {
    label_ = trace::label(kind(), what.number());
    what_ = &what;
  }
  // The same for the kind, of one that is about no object.
  void is_of(operation_kind kind) noexcept { label_ = trace::label(kind, 0); }
  // The object that it is about, as what it is.
  template <class Object>
  Object& subject() const noexcept {
    return static_cast<Object&>(*what_);
  }

  // Leaves the wait list. Called once, while parked. If that lets others through, what it grants them can be revoked.
  virtual void withdraw() noexcept = 0;
  // Gives back what was granted and not yet seen by the coroutine. False if that cannot be: then the await succeeds,
  // and the cancellation is delivered at the next.
  virtual bool revoke() noexcept { return true; }
  // Whether what was granted is of no use when the object is gone. If not, revoke() sees to an object that is gone.
  virtual bool needs_object_to_return() const noexcept { return false; }
  // Tries again after a switch; true if it need not wait. Only called for operations that can succeed at once.
  virtual bool attempt() { return false; }
  // Whether it would have to wait, and comes to the same whoever runs before: then nobody need be let to.
  virtual bool waits_in_any_case() const noexcept { return false; }
  // Tell the observer of the run, see choice/step_observer.hpp: of an attempt; and, if there is an observer, that the
  // wait is ended, or what was granted given back, by another way than the object's.
  void touch_what() const noexcept {
    if (what_ != nullptr) what_->touch(access_of(kind()));
  }
  [[gnu::cold]] virtual void touch_end() const noexcept {
    if (what_ != nullptr) what_->touch(access::write);
  }
  virtual void enqueue() noexcept = 0;
  // A request to cancel the task while it is parked here. Returns whether to wake it with `cancelled`; false if the
  // request went elsewhere.
  virtual bool cancel_requested() noexcept {
    withdraw();
    return true;
  }
  // The object `dying` dies while the task of this operation is ready. What is yet to be attempted on it joins
  // `orphans`; what was granted forgets it. Returns whether the task can never go on.
  [[gnu::cold]] virtual bool part_from(const object& dying, wait_list& orphans) noexcept;
  // The task that waits is `heir` from now on.
  [[gnu::cold]] virtual void pass_to(agent& heir) noexcept { who_ = &heir; }

  friend class loop;
  friend class agent;
  friend class detail::selection;

  [[gnu::cold]] void leave_selection() noexcept;

  object* what_;
  agent* who_;  // set when it waits
};

#pragma GCC diagnostic pop

}  // namespace lockstep
