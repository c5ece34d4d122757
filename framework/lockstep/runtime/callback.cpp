#include <lockstep/runtime/callback.hpp>

#include <lockstep/runtime/inbox.hpp>
#include <lockstep/runtime/spawn.hpp>

#include <fmt/format.h>

#include <utility>

namespace lockstep {

namespace detail {

loop& loop_to_call(const source& where) {
  static_cast<void>(current_task(where));
  return *here().owner;
}

// The root of its task. Reports know it by this name.
task<void> scheduled_call::callback(scheduled_call* of) {
  of->make();
  co_return;
}

void scheduled_call::start(loop& on) {
  const std::coroutine_handle<> root = callback(this).release();
  operation* const wait = until();
  agent& who = wait != nullptr ? on.adopt_parked(root, where_, *wait) : on.adopt(root, where_);
  who.listen(this);
  agent_ = &who;
  kept_ = shared_from_this();
  home_ = on.home();
  run_ = static_cast<const context&>(on).run;
  id_ = who.id();
  on.calls().push_back(*this);
}

// In the step of its task.
void scheduled_call::make() {
  const operation* const waited = until();
  const bool task_was_cancelled = waited != nullptr && waited->cancelled();  // by somebody who cancels all
  state_ = task_was_cancelled ? state::cancelled : state::called;
  if (task_was_cancelled) return was_cancelled();
  struct forget_at_the_end {
    scheduled_call& made;
    ~forget_at_the_end() { made.forget_function(); }
  } const after{*this};
  call();
}

// Its task has ended, or is destroyed.
void scheduled_call::finished(agent& who) noexcept {
  const std::shared_ptr<scheduled_call> alive = std::move(kept_);
  unlink();
  agent_ = nullptr;
  if (who.was_cancelled(detail::unseen) && state_ == state::pending) state_ = state::cancelled;
  loop& owner = *current_context->owner;
  who.listen(this);  // by which reports know it
  owner.tell_of_failed_call(who);
  who.listen(nullptr);
  loop::release(who);
  forget_function();
  forget_until();
}

bool scheduled_call::cancel(source where) {
  if (home_ == nullptr || home_->run() != run_) return false;
  if (current_context == nullptr || current_context->run != run_) {
    home_->refuse(run_, {fmt::format("callback ({})", file_and_line(where_)), id_, "was cancelled", where});
  }
  touch(everything, access::write);
  if (state_ != state::pending || agent_ == nullptr) return false;
  state_ = state::cancelled;
  current_context->owner->kill(*agent_);
  return true;
}

}  // namespace detail

// -- the loop's side --------------------------------------------------------------------------------------------------

// `cancelled` that leaves a callback is an exception like others: nobody else sees it.
void loop::tell_of_failed_call(agent& who) noexcept {
  const frame* const start = who.start_frame();
  if (start != nullptr && start->failure) {
    who.is_.cancelled = false;
    report_unread(who);
  }
  who.observe();
}

// One that another thread has posted.
void loop::start_call(detail::scheduled_call& call) {
  agent* const ran = std::exchange(context::running, main_);
  call.start(*this);
  context::running = ran;
}

bool loop::timers_wake_tasks() noexcept {
  std::size_t of_calls = 0;
  for (const detail::scheduled_call& each : calls_) {
    if (each.when() && each.who()->parked_at(detail::unseen) != nullptr) ++of_calls;
  }
  return timers_.size() > of_calls;
}

void loop::drop_calls() noexcept {
  const loop_scope scope(*this);
  while (!calls_.empty()) kill(*calls_.back().who());
}

}  // namespace lockstep
