#include <lockstep/sync/condition_variable.hpp>

#include <fmt/format.h>

namespace lockstep {

// The mutex is given up in the moment in which the wait begins: no notification is missed in between.
class condition_variable::waiting final : public primitive<condition_variable::waiting> {
 public:
  explicit waiting(condition_variable& of) noexcept : primitive(operation_kind::wait_condition, of), of_(of) {}

  bool try_now() const noexcept { return false; }
  void enqueue() noexcept override {
    of_.waiters_.push_back(*this);
    of_.mutex_.hand_over();
    gave_up_mutex_ = true;
  }
  void withdraw() noexcept override { unlink(); }
  bool revoke() noexcept override {
    if (what() != nullptr) of_.pass_on();
    return true;
  }
  void result() const noexcept {}
  bool gave_up_mutex() const noexcept { return gave_up_mutex_; }

 private:
  condition_variable& of_;
  bool gave_up_mutex_ = false;
};

// A notification that its task has got and has not returned with. If the task ends before, another gets it; but once
// all are notified the object may die.
class condition_variable::notification : public list_hook<> {
 public:
  explicit notification(condition_variable& of) noexcept : of_(of) { mark_unlinked(); }
  notification(const notification&) = delete;
  notification& operator=(const notification&) = delete;
  ~notification() {
    if (!linked()) return;
    unlink();
    if (current_loop() != nullptr) of_.pass_on();
  }

  void receive() noexcept { of_.received_.push_back(*this); }
  void use() noexcept {
    if (linked()) unlink();
  }

 private:
  condition_variable& of_;
};

condition_variable::~condition_variable() {
  detail::orphan_waiters(waiters_, *this, true);
  while (!received_.empty()) received_.pop_front();
}

void condition_variable::pass_on() noexcept {
  if (!waiters_.empty()) detail::current_context->owner->grant(waiters_.pop_front());
}

void condition_variable::require_held(const char* deed, std::string_view what, const source& where) {
  detail::context& context = enter_to_change(deed, where);
  if (context.running != nullptr && mutex_.holder_ == context.running->id()) return;
  context.owner->misused(fmt::format("{} of {} without holding its {}", what, described(), mutex_.described()), where);
}

task<void> condition_variable::wait() {
  require_held("was waited for", "wait()", detail::users_line());
  shield_scope::make_room(current_task());
  mutex& guarded = mutex_;
  waiting notified(*this);
  notification received(*this);
  bool was_cancelled = false;
  try {
    co_await notified;
    if (notified.what() != nullptr) received.receive();
  } catch (const cancelled&) {
    if (!notified.gave_up_mutex()) throw;
    was_cancelled = true;
  }
  {
    const shield_scope until_locked;
    mutex_guard again = co_await guarded.lock();
    again.keep_locked();
  }
  // Requests that came meanwhile are delivered with this one, not at the next await, which may well be clean-up.
  const bool cancelled_since = current_task().accept_cancellation();
  if (was_cancelled || cancelled_since) throw cancelled(current_task().cancel_reason(detail::unseen));
  received.use();
}

void condition_variable::notify(std::size_t count, source where) {
  require_held("was notified", "notify()", where);
  for (; count > 0 && !waiters_.empty(); --count) pass_on();
}

}  // namespace lockstep
