#include <lockstep/runtime/task_group.hpp>

#include <lockstep/runtime/crowd.hpp>
#include <lockstep/runtime/shield.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace lockstep {

class task_group::children_wait final : public primitive<task_group::children_wait> {
 public:
  explicit children_wait(task_group& group) noexcept : primitive(operation_kind::wait_children), group_(group) {}

  bool try_now() const noexcept { return group_.children_.empty(); }
  void enqueue() noexcept override { group_.waiter_ = this; }
  void withdraw() noexcept override { group_.waiter_ = nullptr; }
  bool cancel_requested() noexcept override {
    group_.cancel();
    who()->keep_cancellation();
    return false;
  }
  std::string describe() const override {
    std::string names;
    for (const agent* child : group_.children_) names += (names.empty() ? "" : ", ") + child->name();
    return fmt::format("children({})", names);
  }
  agent* holder() const noexcept override { return detail::holder_among(group_.children_, *who()); }
  void result() const noexcept {}

 private:
  task_group& group_;
};

task_group::task_group(label name) : owner_(current_task()), name_(std::move(name)) {}

task_group::~task_group() {
  if (children_.empty() || detail::current_context == nullptr) return;
  loop& owner = *detail::current_context->owner;
  owner.report_end(verdict_kind::dropped_handle,
                   fmt::format("a task_group died before {} of its tasks ended; await join(), or use with_task_group()",
                               children_.size()),
                   children_.front()->spawned_at(), children_);
  while (!children_.empty()) {
    agent& youngest = *children_.back();
    loop::retain(youngest);
    owner.kill(youngest);
    owner.release(youngest);
  }
}

agent& task_group::add(std::coroutine_handle<> root, frame& root_frame, label name, const source& where) {
  agent& made = detail::here().owner->adopt(root, &root_frame, where);
  if (!name.empty()) made.rename(std::move(name));
  made.listener_ = this;
  children_.push_back(&made);
  return made;
}

void task_group::require_open() {
  if (ending_ || closed_) {
    detail::here().owner->misused(closed_ ? "spawn() into a task_group that has been joined"
                                          : "spawn() into a task_group that is ending because a task failed");
  }
}

void task_group::cancel(label reason) {
  for (agent* child : std::vector<agent*>(children_)) child->cancel(reason);
}

void task_group::finished(agent& who) noexcept {
  std::erase(children_, &who);
  loop& owner = *detail::current_context->owner;
  who.observe();
  who.listener_ = nullptr;
  std::exception_ptr failure = who.failure();
  if (failure != nullptr && !who.was_cancelled()) {
    failures_.push_back(std::move(failure));
    if (!std::exchange(ending_, true)) {
      cancel("a task of the group failed");
      if (cancels_body_) {
        cancelled_body_ = true;
        owner_.cancel("a task of the group failed");
      }
    }
  }
  owner.release(who);
  if (children_.empty() && waiter_ != nullptr) owner.grant(*std::exchange(waiter_, nullptr));
}

std::exception_ptr task_group::outcome(std::exception_ptr of_body) {
  if (of_body != nullptr) failures_.push_back(std::move(of_body));
  if (failures_.empty()) return nullptr;
  return std::make_exception_ptr(exception_group(std::exchange(failures_, {})));
}

task<void> task_group::join() {
  co_await children_wait(*this);
  closed_ = true;
  if (const std::exception_ptr thrown = outcome(nullptr)) std::rethrow_exception(thrown);
}

task<void> task_group::run_body(task<void> body) {
  cancels_body_ = true;
  std::exception_ptr failure;
  bool body_cancelled = false;
  try {
    co_await std::move(body);
  } catch (const cancelled&) {
    body_cancelled = true;
  } catch (...) {
    failure = std::current_exception();
  }
  cancels_body_ = false;
  if (failure != nullptr || body_cancelled) {
    ending_ = true;
    cancel("the body of the group ended early");
    const shield_scope until_all_ended;
    co_await children_wait(*this);
  } else {
    co_await children_wait(*this);
  }
  closed_ = true;
  bool only_ours = false;
  if (cancelled_body_) only_ours = owner_.uncancel() == 0;
  const std::exception_ptr thrown = outcome(failure);
  if (body_cancelled && !only_ours) throw cancelled(owner_.cancel_reason());
  if (thrown != nullptr) std::rethrow_exception(thrown);
}

}  // namespace lockstep
