#include <lockstep/runtime/task_group.hpp>

#include <lockstep/runtime/crowd.hpp>
#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/shield.hpp>
#include <lockstep/runtime/snapshot.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace lockstep {

class task_group::children_wait final : public primitive<task_group::children_wait> {
 public:
  explicit children_wait(task_group& group) noexcept : primitive(operation_kind::wait_children), group_(group) {}

  bool try_now() const noexcept { return group_.children_.empty(); }
  void touch_what() const noexcept {
    if (group_.children_.empty()) detail::touch(end_identity(group_.identity_), access::after);
  }
  void touch_end() const noexcept override { detail::touch(group_.identity_, access::write); }
  bool waits_in_any_case() const noexcept override { return !group_.children_.empty(); }
  void enqueue() noexcept override { group_.waiter_ = this; }
  void withdraw() noexcept override { group_.waiter_ = nullptr; }
  bool cancel_requested() noexcept override {
    if (!std::exchange(group_.ending_, true)) group_.cancel_children(who()->cancel_reason(detail::unseen));
    who()->keep_cancellation();
    return false;
  }
  std::string describe() const override {
    const std::string of_group = group_.name_.empty() ? "" : fmt::format(" of \"{}\"", group_.name_.view());
    return fmt::format("children{}({})", of_group, list_of(group_.children_.all()));
  }
  void awaits(std::vector<agent*>& into) const override { group_.children_.add_to(into); }
  agent* holder() const noexcept override { return detail::holder_among(group_.children_.all(), *who()); }
  void result() const noexcept { detail::touch(end_identity(group_.identity_), access::after); }

 private:
  task_group& group_;
};

task_group::task_group(label name, source where)
    : owner_(current_task(where)), shield_(owner_.shield()), requests_before_(owner_.requests_delivered()),
      name_(std::move(name)) {}

task_group::~task_group() {
  if (!children_.empty() && !children_.last().is_here()) leave_children();
  if ((children_.empty() && failures_.empty()) || detail::current_context == nullptr) return;
  loop& owner = *detail::current_context->owner;
  const sparing_allocations of_reports;
  if (!owner.destroying() && !failures_.empty()) {
    owner.report(verdict_kind::unread_exception,
                 fmt::format("a task_group was not joined, and nobody looked at what failed in it: {}",
                             exception_group(failures_).what()),
                 source(), {&owner_}, {}, trail_);
  }
  if (const std::vector<agent*> left = children_.all(); !left.empty()) {
    owner.report_end(verdict_kind::dropped_handle,
                     fmt::format("a task_group died before {} of its tasks ended; await join(), or use "
                                 "with_task_group()",
                                 left.size()),
                     left.front()->spawned_at(), left);
  }
  while (!children_.empty()) {
    agent& youngest = children_.last();
    children_.remove(youngest);
    owner.kill(youngest);
    loop::release(youngest);
  }
}

// It dies on another thread: its tasks are left to the loop.
void task_group::leave_children() noexcept {
  while (!children_.empty()) {
    agent& youngest = children_.last();
    children_.remove(youngest);
    youngest.dropped_elsewhere();
  }
}

agent& task_group::add(std::coroutine_handle<> root, label name, const source& where) {
  agent& made = detail::here().owner->adopt(root, where);
  detail::spawn_guard guard(made);
  if (!name.empty()) made.rename(std::move(name), detail::unseen);
  make_room();
  join_in(made);
  return guard.pass();
}

void task_group::join_in(agent& made) {
  if (identity_ == everything) identity_ = group_identity(made.id());
  detail::touch(identity_, access::write);
  children_.add(made, *this);
}

// The group may be gone when the task has made its step.
agent* task_group::add_eagerly(std::coroutine_handle<> root, label name, const source& where) {
  loop& owner = *detail::here().owner;
  agent& made = owner.adopt_apart(root, where);
  {
    detail::spawn_guard guard(made);
    if (!name.empty()) made.rename(std::move(name), detail::unseen);
    make_room();
    join_in(made);
    guard.pass();
  }
  loop::retain(made);
  owner.start_eagerly(made);
  const bool finished = made.finished(detail::unseen);
  loop::release(made);
  return finished ? nullptr : &made;
}

// So that each child, one more, and the body can fail, and the group can end: none of that needs memory then.
void task_group::make_room() {
  shield_scope::make_room(owner_);
  const std::size_t needed = failures_.size() + children_.size() + 2;
  if (failures_.capacity() < needed) failures_.reserve(2 * needed);
}

// As in asyncio, it is closed when all have finished for whom somebody waits, and not only when that one goes on.
void task_group::require_open(const source& where) {
  owner_.require_here("had a task spawned into its task_group", where);
  detail::touch(identity_, access::read);
  touch_owner();
  const bool closed = joined_ && children_.empty();
  if (ending_ || closed) {
    detail::here().owner->misused(closed ? "spawn() into a task_group that has been joined"
                                         : "spawn() into a task_group that is ending: a task failed or the group "
                                           "was cancelled",
                                  where);
  }
}

// What another task does to the group is before or after what the owner does.
void task_group::touch_owner() const noexcept {
  if (detail::current_context->running != &owner_) detail::touch(owner_.id(), access::write);
}

void task_group::cancel(const label& reason, source where) {
  owner_.require_here("had its task_group cancelled", where);
  detail::touch(identity_, access::write);
  touch_owner();
  if (!ending_) end_early(reason);
}

void task_group::cancel_children(const label& reason) {
  children_.for_each([&reason](agent& child) { child.cancel(reason); });
}

void task_group::end_early(const label& reason) {
  ending_ = true;
  detail::touch(owner_.id(), access::write);  // whose body it is too late to cancel, once that has ended
  cancel_children(reason);
  if (cancels_body_) {
    cancelled_body_ = true;
    owner_.cancel_within(shield_, reason);
  }
}

void task_group::finished(agent& who) noexcept {
  children_.remove(who);
  loop& owner = *detail::current_context->owner;
  who.observe();
  std::exception_ptr failure = who.failure(detail::unseen);
  detail::touch(identity_, failure == nullptr ? access::update : access::write);
  detail::touch(end_identity(identity_), access::update);
  if (failure != nullptr) {
    add_failure(std::move(failure), trail_of(who));
    if (!ending_) end_early("a task of the group failed");
  }
  owner.release(who);
  if (children_.empty() && waiter_ != nullptr) owner.grant(*std::exchange(waiter_, nullptr));
}

void task_group::add_failure(std::exception_ptr failure, std::vector<task_snapshot> trail) noexcept {
  try {
    if (!trail.empty()) trail.front().threw = text_of(failure);
    add_trail(trail_, std::nullopt, trail);
  } catch (const std::bad_alloc&) {  // reports show less
  }
  failures_.push_back(std::move(failure));
}

void task_group::end_children(const label& reason) {
  detail::touch(identity_, access::read);  // who is left
  if (!std::exchange(ending_, true)) cancel_children(reason);
}

void task_group::conclude(const std::exception_ptr& interrupted) {
  if (!failures_.empty()) {
    if (owner_.cancel_requests_ > requests_before_) owner_.keep_cancellation();
    std::exception_ptr all;
    try {  // it is made where it is thrown: a copy could fail, and lose them
      throw exception_group(std::exchange(failures_, {}));
    } catch (...) {
      all = std::current_exception();
    }
    owner_.passes_on(all, std::exchange(trail_, {}));
    std::rethrow_exception(all);
  }
  if (interrupted != nullptr) std::rethrow_exception(interrupted);
}

task<void> task_group::join() {
  if (&current_task() != &owner_) {
    detail::here().owner->misused(fmt::format("join() of a task_group by task \"{}\"; it was made by task \"{}\"",
                                              current_task().name(detail::unseen), owner_.name(detail::unseen)));
  }
  std::exception_ptr interrupted;
  joined_ = true;
  try {
    co_await children_wait(*this);
  } catch (const cancelled&) {
    interrupted = std::current_exception();
  }
  // The cancellation may have been there before the wait began.
  if (interrupted != nullptr && size() != 0) {
    end_children(owner_.cancel_reason(detail::unseen));
    const shield_scope until_all_ended;
    co_await children_wait(*this);
  }
  conclude(interrupted);
}

// Where others have asked it to stop as well, that stands, whatever the body made of it: it could not tell the two
// apart.
std::exception_ptr task_group::end_body(std::exception_ptr interrupted) {
  cancels_body_ = false;
  if (!cancelled_body_) return interrupted;
  if (owner_.end_request(requests_before_)) return nullptr;
  owner_.keep_cancellation();
  return nullptr;
}

task<void> task_group::run_body(task<void> body) {
  make_room();
  cancels_body_ = true;
  std::exception_ptr failure;
  std::exception_ptr interrupted;
  std::vector<task_snapshot> of_body;
  try {
    co_await std::move(body);
  } catch (const cancelled&) {
    interrupted = std::current_exception();
  } catch (...) {
    failure = std::current_exception();
    of_body = trail_of_caught(owner_, "body of the group");
  }
  interrupted = end_body(interrupted);
  joined_ = true;
  const bool ended_early = failure != nullptr || interrupted != nullptr;
  if (!ended_early) {
    try {
      co_await children_wait(*this);
    } catch (const cancelled&) {
      interrupted = std::current_exception();
    }
  }
  if (ended_early || (interrupted != nullptr && size() != 0)) {
    end_children(ended_early ? label("the body of the group ended early") : owner_.cancel_reason(detail::unseen));
    const shield_scope until_all_ended;
    co_await children_wait(*this);
  }
  if (failure != nullptr) add_failure(std::move(failure), std::move(of_body));
  conclude(interrupted);
}

}  // namespace lockstep
