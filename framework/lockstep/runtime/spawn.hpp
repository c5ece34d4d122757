// Spawning: running a task beside the one that spawns it, and the handle that owns it.
//
// A spawned task belongs to its handle. The handle must be joined, or its task must have finished, before the handle
// dies; a handle that dies earlier destroys the task's frames there and then, and that is a verdict. Nothing is
// detached: what is meant to run for as long as the run lasts is a daemon.
//
//   auto question = spawn(answer_after(1h, 0));
//   co_await sleep_for(1s);
//   question.cancel();
//   EXPECT_THROW(co_await question.join(), cancelled);
//
// Threads: all of it on the loop's thread. Cancelling, joining or dropping a handle on another one, or in another run,
// is misuse, and a verdict of the run that the task belongs to, whose thread then drops the handle. What a task came to
// may be read anywhere after its run, and the handle dropped: on another thread, it is left to the loop until its next
// run begins. But a failure that nobody has looked at by the end of the run is a verdict of it.
// Source: asyncio.Task, but for the ownership, which is trio's.
#pragma once

#include <lockstep/runtime/callback.hpp>
#include <lockstep/runtime/task.hpp>

#include <utility>
#include <vector>

namespace lockstep {

namespace detail {

// As for operation.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

// Waits for a task to finish. Cancelling the waiter cancels the task, if `forward` says so, for the same reason, and
// waits for its end.
template <class Self>
class join_operation : public primitive<Self> {
 public:
  join_operation(agent& target, bool forward) noexcept
      : primitive<Self>(operation_kind::join), target_(target), target_id_(target.id()), forward_(forward) {}

  bool try_now() const noexcept { return target_.finished(detail::unseen); }
  // One of several for which a select() waits does not wait in any case: whether it can be now decides between them.
  void touch_what() const noexcept {
    if (this->progress_ == operation::progress::arm) {
      touch(end_identity(target_.id()), access::read);
    } else if (target_.finished(detail::unseen)) {
      touch(end_identity(target_.id()), access::after);
    }
  }
  void touch_end() const noexcept override { touch(target_id_, access::read); }
  bool waits_in_any_case() const noexcept override { return !target_.finished(detail::unseen); }
  void enqueue() noexcept override { target_.joiners().push_back(*this); }
  void withdraw() noexcept override { this->unlink(); }
  bool cancel_requested() noexcept override {
    if (forward_ && target_.cancel(this->who()->cancel_reason(detail::unseen))) return false;
    withdraw();
    return true;
  }
  std::string describe() const override { return "join(" + target_.name(detail::unseen) + ")"; }
  agent* holder() const noexcept override { return target_.finished(detail::unseen) ? nullptr : &target_; }
  void awaits(std::vector<agent*>& into) const override {
    if (!target_.finished(detail::unseen)) into.push_back(&target_);
  }

 protected:
  agent& target_;

 private:
  identity target_id_;  // the task itself may be gone when it has ended
  bool forward_;
};

// What a callback waits for that is to be called when the task has finished.
class join_of_callback final : public join_operation<join_of_callback> {
 public:
  explicit join_of_callback(agent& target) noexcept : join_operation(target, false) {}
  // Whoever asks for the call does not wait: it can ask before the end and after it.
  void touch_what() const noexcept { touch(target_.id(), access::read); }
  void result() const noexcept {}
};

}  // namespace detail

// Owns a spawned task; the part of join_handle that does not depend on the result.
class agent_owner {
 public:
  agent_owner() noexcept = default;
  explicit agent_owner(agent& owned) noexcept : agent_(&owned) {}
  agent_owner(agent_owner&& other) noexcept : agent_(std::exchange(other.agent_, nullptr)) {}
  agent_owner& operator=(agent_owner&& other) noexcept {
    agent_owner(std::move(other)).swap(*this);
    return *this;
  }
  ~agent_owner() {
    if (agent_ == nullptr) return;
    if (agent_->is_here() && agent_->finished(detail::unseen)) [[likely]] {
      loop::release(*agent_);
    } else {
      drop();
    }
  }
  void swap(agent_owner& other) noexcept { std::swap(agent_, other.agent_); }

  // Whether it owns a task; not after it was moved from. All that follows is misuse then.
  bool valid() const noexcept { return agent_ != nullptr; }
  // The task's control block, good for as long as this handle owns it.
  agent& get(source where = source::current()) const {
    if (agent_ == nullptr) [[unlikely]]
      owns_none(where);
    return *agent_;
  }

  // Finished: with a result, an exception, or cancelled.
  bool done(source where = source::current()) const { return looked_at(where).finished(detail::unseen); }
  bool was_cancelled(source where = source::current()) const { return looked_at(where).was_cancelled(detail::unseen); }
  // What reports call it.
  std::string name(source where = source::current()) const { return get(where).name(); }
  // Asks the task to stop, and returns at once: whether it had not finished. One that has not started never starts.
  // Otherwise it gets `cancelled` at the await where it is, or at its next one; see agent::cancel().
  bool cancel(label reason = {}, source where = source::current()) {
    return get(where).cancel(std::move(reason), where);
  }
  // The exception that ended the task, which then counts as read; null if none did or it has not finished. Where it
  // came from is told if the running task throws it from here on.
  std::exception_ptr exception(source where = source::current()) const;
  // Has the loop call `function()` when the task has finished, however it did; soon, if it has already. Those of one
  // task are called in the order in which they were given, joins among them. The handle takes it back. Looking at the
  // result is left to the function. Never called if the task is destroyed before its end.
  template <std::invocable F>
  callback_handle on_done(F function, source where = source::current()) const {
    return detail::call_when<detail::join_of_callback>(std::move(function), where, std::nullopt, to_join(where));
  }

 protected:
  agent& looked_at(source where) const {
    agent& who = get(where);
    detail::touch(who.id(), access::read);
    return who;
  }
  agent& to_join(source where) const {
    agent& who = get(where);
    who.require_here("was joined", where);
    return who;
  }
  [[noreturn]] static void owns_none(source where);
  void drop() noexcept;
  // The frame that holds the result, which counts as read. Throws what a join of a task without a result throws.
  static std::coroutine_handle<> finished_root(agent& who, source where) {
    if (who.state_ != agent::state::done || who.is_.cancelled) [[unlikely]]
      no_result(who, where);
    who.is_.observed = true;
    return who.root_;
  }
  [[noreturn]] static void no_result(agent& who, source where);
  // Throws what ended the task; the running task tells where that came from.
  [[noreturn]] static void pass_on(const std::exception_ptr& failure, const agent& from);

  agent* agent_ = nullptr;
};

template <class T>
class [[nodiscard("join() the handle; what runs until the end is for spawn_daemon()")]] join_handle
    : public agent_owner {
 public:
  using value_type = T;
  using agent_owner::agent_owner;

  class joining;
  // Waits until the task has finished and returns its result. The handle must live until then.
  // Throws what left the task; `cancelled` if it was cancelled. Once per result: a second join of the same value finds
  // it moved from.
  // Cancelling the waiter cancels the task instead, with the same reason, and the waiter goes on when that has ended,
  // with what it came to: `cancelled`, as a rule. A cancellation that is pending when the join begins is thrown at
  // once, and leaves the task alone.
  LOCKSTEP_AWAIT_IT joining join(source_pointer where = __builtin_source_location()) {
    return joining(to_join(source_at(where)), true);
  }
  // The same, but cancelling the waiter leaves the task alone.
  LOCKSTEP_AWAIT_IT joining join_shielded(source_pointer where = __builtin_source_location()) {
    return joining(to_join(source_at(where)), false);
  }

  // The result of a task that has finished; throws what join() would. Misuse if it has not.
  T result(source where = source::current()) { return result_of(looked_at(where), where); }

 private:
  static T result_of(agent & who, source where) {
    auto& root = std::coroutine_handle<detail::promise<T>>::from_address(finished_root(who, where).address()).promise();
    if (root.failure) [[unlikely]]
      pass_on(root.failure, who);
    return root.value();
  }
};

template <class T>
class join_handle<T>::joining final : public detail::join_operation<joining> {
 public:
  using detail::join_operation<joining>::join_operation;

  T result() { return result_of(this->target_, source()); }
};

#pragma GCC diagnostic pop

namespace detail {

// What follows the making of a task may throw: then this destroys the task, which has not started, and nobody hears of
// it.
class spawn_guard {
 public:
  explicit spawn_guard(agent& made) noexcept : made_(&made) {}
  spawn_guard(const spawn_guard&) = delete;
  spawn_guard& operator=(const spawn_guard&) = delete;
  ~spawn_guard() {
    if (made_ != nullptr) [[unlikely]]
      undo(*made_);
  }
  // All went well: the task is the caller's.
  agent& pass() noexcept { return *std::exchange(made_, nullptr); }

 private:
  [[gnu::cold]] static void undo(agent& made) noexcept;

  agent* made_;
};

agent& adopt_named(std::coroutine_handle<> root, label name, const source& where);
agent& adopt_eagerly(std::coroutine_handle<> root, label name, const source& where);

}  // namespace detail

// Runs `work` beside the running task, as its child, and returns its owner. It starts when its turn comes, not at once.
// Reports call it by the coroutine's name and its place in the tree of spawns. Does not suspend.
// Misuse without a loop on this thread, or if `work` was awaited or moved from. If it throws, `work` never runs.
template <class T>
inline join_handle<T> spawn(task<T> work, source where = source::current()) {
  loop& owner = *detail::here().owner;  // which may throw, while `work` still owns the coroutine
  return join_handle<T>(owner.adopt(work.release(where), where));
}

// The same, called `name` in reports.
template <class T>
join_handle<T> spawn(task<T> work, label name, source where = source::current()) {
  detail::here();  // which may throw, while `work` still owns the coroutine
  return join_handle<T>(detail::adopt_named(work.release(where), std::move(name), where));
}

// Says what to do with anything else.
template <class NoTask, class... More>
  requires(!detail::is_task<std::remove_cvref_t<NoTask>>)
void spawn(NoTask&&, More&&...) {
  static_assert(detail::is_task<NoTask>,
                "spawn() takes a task: call the coroutine, as in spawn(fetch(url)); "
                "a lambda that captures goes through co_invoke()");
}

// The same, but its first step is made at once, before this returns, with the new task as current_task(). A task that
// does not have to wait has finished then, and was never in the queue of those that are ready; no other task runs
// before its first wait. Does not suspend.
// While no task runs, as in a fixture, and within 64 others (loop::eager_max) that are being started so, it starts in
// its turn.
// Misuse, beside that of spawn(): the new task must not destroy the one that is starting it, which goes on as a daemon
// then. It may cancel it.
// Source: asyncio.create_task(eager_start=True).
template <class T>
join_handle<T> spawn_eager(task<T> work, label name = {}, source where = source::current()) {
  detail::here();  // which may throw, while `work` still owns the coroutine
  return join_handle<T>(detail::adopt_eagerly(work.release(where), std::move(name), where));
}

template <class NoTask, class... More>
  requires(!detail::is_task<std::remove_cvref_t<NoTask>>)
void spawn_eager(NoTask&& no_task, More&&...) { spawn(std::forward<NoTask>(no_task)); }

// Runs `work` until the end of the run, when it is cancelled and awaited. It must own all that it touches, as the main
// task has ended by then. The reference is good until the daemon has finished.
// An exception that leaves it is a verdict; so is a daemon that goes on after it was cancelled.
template <class T>
agent& spawn_daemon(task<T> work, label name = {}, source where = source::current()) {
  loop& owner = *detail::here().owner;
  agent& made = detail::adopt_named(work.release(where), std::move(name), where);
  owner.make_daemon(made);
  return made;
}

namespace detail {
// The innermost line of the user's that is being awaited: where a helper of ours was called.
source users_line();
// In whose name destructors run while no task does: the one that dies. Misuse if there is none either.
agent& task_that_dies_here(const source& where);
}  // namespace detail

// The task that is running. Requires one, or misuse; but a destructor that runs at the end of a run, because what is
// left is destroyed, is given the task that dies.
inline agent& current_task(source where = source::current()) {
  agent* const who = detail::here().running;
  if (who == nullptr) [[unlikely]]
    return detail::task_that_dies_here(where);
  return *who;
}

// All tasks of the loop that have not finished, the oldest first: the running one, daemons, and those that stand for
// foreign coroutines among them; not those in which the loop calls a function, such as that of call_later(). Each is
// good until it has finished. Misuse without a loop on this thread.
// Source: asyncio.all_tasks.
inline std::vector<agent*> all_tasks() {
  detail::touch(everything, access::write);
  return detail::here().owner->tasks();
}

}  // namespace lockstep
