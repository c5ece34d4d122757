#include <lockstep/sync/mutex.hpp>

#include <lockstep/runtime/disturbance.hpp>

#include <fmt/format.h>

namespace lockstep {

namespace detail {

void orphan_waiters(wait_list& waiters, const object& of, std::string_view what, bool handed) noexcept {
  loop* owner = current_loop();
  if (owner != nullptr) owner->part_from(of, waiters, handed);
  if (waiters.empty()) return;
  const sparing_allocations of_reports;
  if (of.tell_elsewhere("died while a task waits for it")) owner = nullptr;
  if (owner != nullptr) {
    owner->report_end(verdict_kind::misuse,
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

agent* mutex::holder() const noexcept {
  loop* owner = current_loop();
  return holder_ != 0 && owner != nullptr ? owner->find(holder_) : nullptr;
}

std::string mutex::described_holder() const {
  if (!locked()) return "nobody";
  const agent* who = holder();
  return who != nullptr ? fmt::format("task \"{}\"", who->name()) : "a task that has ended";
}

std::string mutex::locking::describe() const {
  const mutex& wanted = subject<mutex>();
  const bool left = wanted.locked() && wanted.holder() == nullptr;
  return operation::describe() + (left ? ", held by a task that has ended" : "");
}

mutex::~mutex() {
  if (guard_ != nullptr) guard_->held_ = nullptr;
  detail::orphan_waiters(waiters_, *this, "mutex", holder_ != 0);
  loop* owner = current_loop();
  if (holder_ != 0 && owner != nullptr && is_of(*owner)) {
    const sparing_allocations of_reports;
    owner->report_end(verdict_kind::misuse,
                      fmt::format("the mutex \"{}\" died while it is held by {}", name(), described_holder()), source(),
                      {});
  }
}

void mutex::unlock(source where) {
  detail::context& context = enter("was unlocked", where);
  if (context.owner->tearing_down()) return;
  if (const agent* dying = context.owner->dying(); dying != nullptr) {
    // A destructor calls this, for a task that may have given the lock up to wait for a condition.
    if (holder_ == dying->id()) hand_over();
    return;
  }
  if (holder_ == 0 || context.running == nullptr || holder_ != context.running->id()) {
    context.owner->misused(
        fmt::format("unlock() of mutex \"{}\" by task \"{}\"; it is held by {}", name(),
                    context.running != nullptr ? context.running->name() : "none", described_holder()),
        where);
  }
  hand_over();
}

void mutex_guard::unlock_unusually(mutex& held) noexcept {
  const sparing_allocations of_reports;
  loop* const owner = current_loop();
  if ((owner == nullptr || !held.is_of(*owner)) && held.tell_elsewhere("was unlocked by its guard")) return;
  if (owner == nullptr || owner->tearing_down()) return;
  if (held.holder_ == holder_ && holder_ != 0) {
    held.hand_over();
  } else if (owner->dying() == nullptr || owner->dying()->id() != holder_) {
    // A task that dies while it waits for a condition has given the lock up below its guard: that is no mistake.
    owner->report_misuse(fmt::format("a guard of mutex \"{}\" unlocks what was unlocked before; it is held by {}",
                                     held.name(), held.described_holder()));
  }
}

}  // namespace lockstep
