// A group of tasks that end together: all are finished when the group is left.
//
// If one fails, the others and the body that runs the group are cancelled, and the failures come out as one
// exception_group; tasks that end by being cancelled are no failures. Cancelling the task that runs the group cancels
// all of it.
//
//   const auto body = [](task_group& group) -> task<void> {
//     group.spawn(answer_after(1h, 0));
//     group.spawn(fail_after(2s));
//     co_return;
//   };
//   EXPECT_THROW(co_await with_task_group(body), exception_group);
//
// Threads: as a handle, see spawn.hpp.
#pragma once

#include <lockstep/runtime/exception_group.hpp>
#include <lockstep/runtime/object.hpp>
#include <lockstep/runtime/spawn.hpp>
#include <lockstep/runtime/task.hpp>
#include <lockstep/runtime/watched_tasks.hpp>

#include <vector>

namespace lockstep {

// The group itself, for when its tasks do not begin in one body; join() is the caller's to await then.
class task_group final : private detail::finish_listener {
 public:
  // Requires a running task, which must be the one that joins.
  explicit task_group(label name = {}, source where = source::current());
  task_group(const task_group&) = delete;
  task_group& operator=(const task_group&) = delete;
  // Children that are left are destroyed, the youngest first, which is a verdict; so is a failure that join() did not
  // throw.
  ~task_group();

  // Adds a task, which starts when its turn comes. The result, if any, is dropped: let the task store it, or spawn what
  // a shared_task's get() returns, and read that afterwards. The reference is good until the task has finished. Does
  // not suspend. If it throws, `work` never runs. Misuse once the group is ending: a task has failed, it or the task
  // that runs it was cancelled, or it was joined and all have finished.
  template <class T>
  agent& spawn(task<T> work, label name = {}, source where = source::current()) {
    require_open(where);
    const std::coroutine_handle<detail::promise<T>> root = work.release(where);
    return add(root, std::move(name), where);
  }

  // The same, but its first step is made at once, as by lockstep::spawn_eager(). Returns null if it has finished.
  template <class T>
  agent* spawn_eager(task<T> work, label name = {}, source where = source::current()) {
    require_open(where);
    const std::coroutine_handle<detail::promise<T>> root = work.release(where);
    return add_eagerly(root, std::move(name), where);
  }

  // Says what to do with anything else.
  template <class NoTask, class... More>
    requires(!detail::is_task<std::remove_cvref_t<NoTask>>)
  void spawn(NoTask&&, More&&...) {
    static_assert(detail::is_task<NoTask>,
                  "spawn() takes a task: call the coroutine, as in spawn(fetch(url)); "
                  "a lambda that captures goes through co_invoke()");
  }

  // Ends the group: asks every child to stop, and the body too if with_task_group() runs one. That is no failure: the
  // group then ends as if all were done, without an exception of its own; what fails on the way is thrown as ever, and
  // so is a cancellation of the caller. Returns at once; any task of the loop may call it, at any time. Once is enough:
  // again, or after a failure, it does nothing.
  // Source: asyncio.TaskGroup.cancel.
  void cancel(const label& reason = "the group was cancelled", source where = source::current());
  // How many have not finished.
  std::size_t size() const noexcept {
    detail::touch(identity_, access::read);
    return children_.size();
  }

  // Waits until all children have finished. Throws exception_group if some failed. Misuse by another task than the one
  // that made the group.
  // Cancelling the waiter cancels the children and waits for their end. If some failed even so, exception_group is
  // thrown and the cancellation is delivered at the next await.
  task<void> join();

 private:
  template <class F>
    requires task_function<F&, task_group&>
  friend task<void> with_task_group(F body);

  class children_wait;

  agent& add(std::coroutine_handle<> root, label name, const source& where);
  void make_room();
  void join_in(agent& made);
  agent* add_eagerly(std::coroutine_handle<> root, label name, const source& where);
  void cancel_children(const label& reason);
  void end_early(const label& reason);
  void require_open(const source& where);
  void touch_owner() const noexcept;
  void leave_children() noexcept;
  void finished(agent& who) noexcept override;
  // Requires a place among the failures, which each child has.
  void add_failure(std::exception_ptr failure, std::vector<task_snapshot> trail) noexcept;
  // Cancels them, if nothing has yet.
  void end_children(const label& reason);
  // The body has ended: takes back what the group itself asked of it. `interrupted` is what was delivered to it;
  // returns what is left of that.
  std::exception_ptr end_body(std::exception_ptr interrupted);
  // Throws what the group comes to. `interrupted` is the cancellation of the owner, if it was delivered.
  void conclude(const std::exception_ptr& interrupted);
  task<void> run_body(task<void> body);

  agent& owner_;
  const shield_scope* shield_;  // around the group
  unsigned requests_before_;    // to cancel the owner
  label name_;
  identity identity_ = everything;  // to an observer: of its first task
  detail::watched_tasks children_;  // those that have not finished
  std::vector<std::exception_ptr> failures_;
  std::vector<task_snapshot> trail_;  // of all these
  operation* waiter_ = nullptr;
  bool ending_ = false;        // a child failed, or it or the owner was cancelled
  bool joined_ = false;        // somebody waits, or has waited, for all of it
  bool cancels_body_ = false;  // with_task_group: what ends the group cancels the owner
  bool cancelled_body_ = false;
};

// Runs `body(group)`, waits for all that it spawned into the group, and returns; a failure in the body or in a child
// ends the rest. Throws exception_group if anything failed, otherwise `cancelled` if the caller was cancelled; if both,
// the cancellation is delivered at the caller's next await.
// The body's locals are gone when it returns, and its children may still run: what they refer to is the caller's.
// Source: asyncio.TaskGroup, trio's nursery.
template <class F>
  requires task_function<F&, task_group&> task<void> with_task_group(F body) {
    task_group group;
    co_await group.run_body(body(group));
  }

}  // namespace lockstep
