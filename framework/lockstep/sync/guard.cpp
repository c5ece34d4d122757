#include <lockstep/sync/guard.hpp>

#include <lockstep/runtime/disturbance.hpp>

#include <fmt/format.h>

namespace lockstep::detail {

void orphan_waiters(wait_list& waiters, const object& of, bool handed) noexcept {
  loop* owner = current_loop();
  of.touch(access::write);
  if (owner != nullptr) owner->part_from(of, waiters, handed);
  if (waiters.empty()) return;
  const sparing_allocations of_reports;
  if (of.tell_elsewhere("died while a task waits for it")) owner = nullptr;
  if (owner != nullptr) {
    owner->report_end(verdict_kind::misuse,
                      fmt::format("the {} died while task \"{}\" waits for it", of.described(),
                                  waiters.front().who()->name(detail::unseen)),
                      source(), {waiters.front().who()});
  }
  while (!waiters.empty()) waiters.pop_front().orphan();
}

agent* lockable::holder() const noexcept {
  loop* owner = current_loop();
  return holder_ != 0 && owner != nullptr ? owner->find(holder_) : nullptr;
}

std::string lockable::described_holder() const {
  if (holder_ == 0) return "nobody";
  const agent* who = lockable::holder();
  return who != nullptr ? fmt::format("task \"{}\"", who->name(detail::unseen)) : "a task that has ended";
}

void lockable::refuse_to_lock() const {
  here().owner->misused(fmt::format("{} is locked outside of every task: nobody would hold it", described()));
}

lockable::unlocking lockable::begin_unlock(source where) {
  context& context = enter("was unlocked", where);
  const agent* const dying = context.owner->dying();
  const agent* const by = dying != nullptr ? dying : context.running;
  return {by != nullptr ? by->id() : 0, context.owner->destroying()};
}

// Of libstdc++ and of libc++: one of std's guards calls.
static bool of_standard_library(const source& where) {
  return std::string_view(where.file_name()).find("/include/c++/") != std::string_view::npos;
}

void lockable::refuse_unlock(std::string_view call, source where) const {
  const agent* const running = current_context->running;
  std::string text = fmt::format("{} of {} by task \"{}\"; it is held by {}", call, described(),
                                 running != nullptr ? running->name(detail::unseen) : "none", described_holder());
  if (of_standard_library(where)) {
    text +=
        "; std::lock_guard and the like await nothing, so they lock nothing: keep the guard that co_await lock() gives";
  }
  current_context->owner->misused(text, where);
}

bool lockable::guard_may_unlock(bool holds, identity in_whose_name) const noexcept {
  loop* const owner = current_loop();
  if ((owner == nullptr || !is_of(*owner)) && tell_elsewhere("was unlocked by its guard")) return false;
  if (owner == nullptr) return false;
  if (holds) return true;
  if (owner->tearing_down()) return false;
  const sparing_allocations of_reports;
  // A task that dies while it waits for a condition has given the lock up below its guard: that is no mistake.
  if (owner->dying() != nullptr && owner->dying()->id() == in_whose_name) return false;
  owner->report_misuse(
      fmt::format("a guard of {} unlocks what was unlocked before; it is held by {}", described(), described_holder()));
  return false;
}

void lockable::part(bool held) noexcept {
  orphan_waiters(waiters_, *this, held);
  loop* owner = current_loop();
  if (held && owner != nullptr && is_of(*owner)) {
    const sparing_allocations of_reports;
    owner->report_end(verdict_kind::misuse,
                      fmt::format("the {} died while it is held by {}", described(), described_holder()), source(), {});
  }
}

}  // namespace lockstep::detail
