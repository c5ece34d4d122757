#include <lockstep/sync/condition_variable.hpp>

#include <fmt/format.h>

namespace lockstep {

class condition_variable::waiting final : public primitive<condition_variable::waiting> {
 public:
  explicit waiting(condition_variable& of) noexcept : primitive(operation_kind::wait_condition, of), of_(of) {}

  // Whether the wait began, so that the mutex was given up.
  bool began() const noexcept { return began_; }

  bool try_now() const noexcept { return false; }
  void enqueue() noexcept override {
    of_.waiters_.push_back(*this);
    began_ = true;
    of_.mutex_.hand_over();
  }
  void withdraw() noexcept override { unlink(); }
  // Notified and then cancelled: the notification goes to another.
  void revoke() noexcept override {
    if (!of_.waiters_.empty()) detail::current_context->owner->grant(of_.waiters_.pop_front());
  }
  void result() const noexcept {}

 private:
  condition_variable& of_;
  bool began_ = false;
};

void condition_variable::require_held(detail::context& context, std::string_view what, const source& where) {
  if (mutex_.holder_ == mutex::taker(context)) return;
  context.owner->misused(
      fmt::format("{} of condition_variable \"{}\" without holding its mutex \"{}\"", what, name(), mutex_.name()),
      where);
}

task<void> condition_variable::wait() {
  require_held(enter(), "wait()", detail::users_line());
  // The mutex is given up only once the wait has begun, so that no notification is missed.
  waiting notified(*this);
  bool was_cancelled = false;
  try {
    co_await notified;
  } catch (const cancelled&) {
    was_cancelled = true;
  }
  if (notified.began()) {
    const shield_scope until_locked;
    mutex_guard again = co_await mutex_.lock();
    again.keep_locked();
  }
  if (was_cancelled) throw cancelled(current_task().cancel_reason());
}

void condition_variable::notify(std::size_t count, source where) {
  detail::context& context = enter();
  require_held(context, "notify()", where);
  for (; count > 0 && !waiters_.empty(); --count) context.owner->grant(waiters_.pop_front());
}

}  // namespace lockstep
