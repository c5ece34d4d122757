#include <lockstep/sync/mutex.hpp>

#include <fmt/format.h>

namespace lockstep {

namespace detail {

void orphan_waiters(wait_list& waiters, const object& of, std::string_view what) noexcept {
  if (waiters.empty()) return;
  loop* owner = current_loop();
  if (owner != nullptr && !owner->tearing_down() && std::uncaught_exceptions() == 0) {
    owner->report(verdict_kind::misuse,
                  fmt::format("the {} \"{}\" died while task \"{}\" waits for it", what, of.name(),
                              waiters.front().who()->name()),
                  source(), {waiters.front().who()});
  }
  while (!waiters.empty()) waiters.pop_front().orphan();
}

void throw_no_task_to_hold(const mutex& wanted) {
  here().owner->misused(
      fmt::format("mutex \"{}\" is locked outside of every task: nobody would hold it", wanted.name()));
}

}  // namespace detail

mutex::~mutex() {
  detail::orphan_waiters(waiters_, *this, "mutex");
  if (holder_ == nullptr) return;
  loop* owner = current_loop();
  if (owner != nullptr && !owner->tearing_down() && owner->dying() != holder_ && std::uncaught_exceptions() == 0) {
    owner->report(verdict_kind::misuse,
                  fmt::format("the mutex \"{}\" died while task \"{}\" holds it", name(), holder_->name()), source(),
                  {holder_});
  }
  loop::release(*holder_);
}

void mutex::forget_run() noexcept {
  if (holder_ != nullptr) loop::release(*std::exchange(holder_, nullptr));
}

void mutex::unlock() {
  detail::context& context = enter();
  if (context.owner->tearing_down()) return;
  if (const agent* dying = context.owner->dying(); dying != nullptr) {
    // A destructor calls this, for a task that may have given the lock up to wait for a condition.
    if (holder_ == dying) hand_over();
    return;
  }
  if (holder_ == nullptr || holder_ != context.running) {
    context.owner->misused(fmt::format("unlock() of mutex \"{}\" by task \"{}\"; it is held by {}", name(),
                                       context.running != nullptr ? context.running->name() : "none",
                                       holder_ != nullptr ? fmt::format("task \"{}\"", holder_->name()) : "nobody"));
  }
  hand_over();
}

void mutex_guard::unlock() noexcept {
  mutex* held = std::exchange(held_, nullptr);
  if (held == nullptr) return;
  loop* owner = current_loop();
  if (owner == nullptr || owner->tearing_down()) return;
  if (held->holder_ == holder_ && holder_ != nullptr) {
    held->hand_over();
  } else if (owner->dying() != holder_) {
    // A task that dies while it waits for a condition has given the lock up below its guard: that is no mistake.
    owner->report(
        verdict_kind::misuse,
        fmt::format("a guard of mutex \"{}\" unlocks what was unlocked before; it is held by {}", held->name(),
                    held->holder_ != nullptr ? fmt::format("task \"{}\"", held->holder_->name()) : "nobody"),
        source(), owner->running() != nullptr ? std::vector<agent*>{owner->running()} : std::vector<agent*>{});
  }
}

}  // namespace lockstep
