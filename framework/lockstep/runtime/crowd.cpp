#include <lockstep/runtime/crowd.hpp>

#include <lockstep/runtime/shield.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace lockstep::detail {

namespace {

// Nobody waits for it any more. On another thread, its handle leaves it to the loop.
void kill_here(agent& who) noexcept {
  if (who.is_here()) current_context->owner->kill(who);
}

}  // namespace

crowd::~crowd() {
  while (!members_.empty()) {
    agent& youngest = members_.last();
    members_.remove(youngest);
    kill_here(youngest);
  }
}

void crowd::watch(agent& who) {
  if (group_ == 0) group_ = group_identity(who.id());
  try {
    members_.add(who, *this);
  } catch (...) {
    kill_here(who);
    throw;
  }
}

void crowd::cancel(const label& reason) {
  members_.for_each([&reason](agent& member) { member.cancel(reason); });
}

crowd::wait crowd::wait_until(until condition) {
  condition_ = condition;
  return wait(*this);
}

bool crowd::enough() const noexcept {
  if (members_.empty()) return true;
  if (condition_ == until::first_failure) return failed_ != nullptr;
  return condition_ == until::first && first_ != nullptr;
}

void crowd::finished(agent& who) noexcept {
  const bool in_any_order =
      condition_ != until::first && who.failure(detail::unseen) == nullptr && !who.was_cancelled(detail::unseen);
  touch(group_, in_any_order ? access::update : access::write);
  touch(end_identity(group_), access::update);
  members_.remove(who);
  if (first_ == nullptr) first_ = &who;
  if (failed_ == nullptr && (who.failure(detail::unseen) != nullptr || who.was_cancelled(detail::unseen)))
    failed_ = &who;
  if (waiter_ != nullptr && enough()) current_context->owner->grant(*std::exchange(waiter_, nullptr));
}

bool crowd::wait::cancel_requested() noexcept {
  of_.condition_ = until::all;
  of_.cancel(who()->cancel_reason(detail::unseen));
  who()->keep_cancellation();
  return false;
}

std::string crowd::wait::describe() const { return fmt::format("join({})", list_of(of_.members_.all())); }

agent* crowd::wait::holder() const noexcept {
  return of_.condition_ == until::first ? nullptr : holder_among(of_.members_.all(), *who());
}

agent* holder_among(const std::vector<agent*>& all, const agent& waiter) noexcept {
  const auto waits_for_waiter = [&waiter](const agent* who) {
    const operation* at = who->parked_at(detail::unseen);
    return at != nullptr && at->what() != nullptr && at->what()->holder() == &waiter;
  };
  const auto found = std::find_if(all.begin(), all.end(), waits_for_waiter);
  if (found != all.end()) return *found;
  return all.size() == 1 ? all.front() : nullptr;
}

task<void> crowd::run_until(until condition, label reason_to_end) {
  shield_scope::make_room(current_task());
  std::exception_ptr interrupted;
  try {
    co_await wait_until(condition);
  } catch (const cancelled&) {
    interrupted = std::current_exception();
    reason_to_end = current_task().cancel_reason(detail::unseen);
  }
  if (!members_.empty()) {
    cancel(reason_to_end);
    const shield_scope until_all_ended;
    co_await wait_until(until::all);
  }
  if (interrupted != nullptr) std::rethrow_exception(interrupted);
}

}  // namespace lockstep::detail
