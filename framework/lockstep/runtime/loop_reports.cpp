// The loop's detectors: what each finds, and how it says so.
#include <lockstep/runtime/loop.hpp>

#include <lockstep/runtime/exception_group.hpp>
#include <lockstep/runtime/snapshot.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace lockstep {

// -- cycles of owners and waiters -------------------------------------------------------------------------------------

namespace {

// The next task along the wait graph: the one that could end the wait of `who`.
agent* waits_for(const agent& who) noexcept {
  const operation* at = who.parked_at();
  return at != nullptr ? at->holder() : nullptr;
}

// The cycles along `next`, which leads from each task to one other at most; those that can be reached from `tasks`.
template <class Next>
std::vector<std::vector<agent*>> cycles_along(const Next& next, const std::vector<agent*>& tasks) {
  std::vector<std::vector<agent*>> found;
  std::map<std::uint32_t, const agent*> walked;  // from which of the tasks one came to that number
  for (agent* start : tasks) {
    agent* at = start;
    while (at != nullptr && walked.emplace(at->number(), start).second) at = next(*at);
    if (at == nullptr || walked[at->number()] != start) continue;
    std::vector<agent*>& members = found.emplace_back();
    const agent* const first = at;
    do members.push_back(std::exchange(at, next(*at)));
    while (at != first);
  }
  return found;
}

// The cycles of waits among tasks that all wait, where a wait for what another has fed so far counts as one for that
// task.
std::vector<std::vector<agent*>> cycles_with_feeders(const std::vector<agent*>& waiters) {
  std::map<identity, agent*> by_identity;
  for (agent* who : waiters) by_identity.emplace(who->id(), who);
  const auto next = [&](const agent& who) -> agent* {
    if (agent* holder = waits_for(who); holder != nullptr) return holder;
    const operation* at = who.parked_at();
    const auto feeder = by_identity.find(at != nullptr ? at->feeder() : 0);
    return feeder != by_identity.end() && feeder->second != &who ? feeder->second : nullptr;
  };
  return cycles_along(next, waiters);
}

}  // namespace

void loop::report_cycle(const std::vector<agent*>& members) noexcept {
  cycle_found_ = true;
  report(verdict_kind::partial_deadlock, "tasks wait for each other for good, while others went on", source(), members,
         names_of(members));
}

// Only at the end is it certain that a cycle stands: until then any task may cancel one of its members.
void loop::report_cycles() noexcept {
  if (agents_.empty()) return;
  for (const std::vector<agent*>& members : cycles_along(waits_for, alive())) {
    const bool may_end =
        std::any_of(members.begin(), members.end(), [](const agent* member) { return member->rescues_ != 0; });
    if (!may_end) report_cycle(members);
  }
}

// -- reporting --------------------------------------------------------------------------------------------------------

verdict loop::verdict_of(verdict_kind kind, std::string message, const source& where, std::vector<agent*> concerned) {
  verdict found;
  found.kind = kind;
  found.message = std::move(message);
  found.where = where;
  found.at = now_;
  found.step = steps();
  found.tasks = snapshot_of(std::move(concerned));
  if (found.where.line() == 0 && !found.tasks.empty() && !found.tasks.front().stack.empty()) {
    found.where = found.tasks.front().stack.front();
  }
  return found;
}

void loop::report(verdict_kind kind, std::string message, const source& where, std::vector<agent*> concerned,
                  std::vector<std::string> cycle) noexcept {
  verdict found = verdict_of(kind, std::move(message), where, std::move(concerned));
  found.cycle = std::move(cycle);
  monitor_.report(std::move(found));
}

void loop::report_end(verdict_kind kind, std::string message, const source& where,
                      std::vector<agent*> concerned) noexcept {
  if (destroying() || cycle_found_) return;
  if (std::uncaught_exceptions() == 0) {
    report(kind, std::move(message), where, std::move(concerned));
    return;
  }
  const agent* who = context::running;
  const bool being_cancelled = who != nullptr && (who->attention_ & attention_swallow) != 0;
  if (!being_cancelled) kept_back_.push_back(verdict_of(kind, std::move(message), where, std::move(concerned)));
}

void loop::report_kept_back() noexcept {
  for (verdict& found : std::exchange(kept_back_, {})) monitor_.report(std::move(found));
}

void loop::report_dropped(agent& who) noexcept {
  if (!destroying() && !cycle_found_ && std::uncaught_exceptions() == 0) {
    const std::vector<std::vector<agent*>> cycles = cycles_along(waits_for, {&who});
    if (!cycles.empty() && cycles.front().front() == &who) {
      report_cycle(cycles.front());
      return;
    }
  }
  report_end(
      verdict_kind::dropped_handle,
      fmt::format("the handle of task \"{}\" died before the task ended; join it, or spawn it as a daemon", who.name()),
      who.spawned_at(), {&who});
}

std::vector<agent*> loop::alive() {
  std::vector<agent*> found;
  for (agent& who : agents_) found.push_back(&who);
  return found;
}

agent* loop::find(identity of) noexcept {
  for (agent& who : agents_) {
    if (who.identity_ == of) return &who;
  }
  return nullptr;
}

void loop::report_misuse(std::string message, const source& where) noexcept {
  std::vector<agent*> who;
  if (agent* const user = context::running != nullptr ? context::running : dying_; user != nullptr) {
    who.push_back(user);
  }
  report(verdict_kind::misuse, std::move(message), where, std::move(who));
}

void loop::misused(const std::string& message, const source& where) {
  report_misuse(message, where);
  throw misuse(message);
}

void loop::reach_step_limit() {
  if (std::exchange(standstill_, true)) return;
  report_cycles();
  report(verdict_kind::step_limit,
         fmt::format("{} steps were made (steps_max) and the test has not ended; the tasks that still run:", steps()),
         source(), alive());
  stop();
}

// The step that is now, or was last, made somebody who watches from outside impatient.
void loop::note_slow_step() noexcept {
  if (!asked_for(attention_slow)) return;
  attention_.fetch_and(static_cast<std::uint16_t>(~attention_slow), std::memory_order_relaxed);
  const std::vector<trace_record> records = trace_.recent();
  const auto last_step =
      std::find_if(records.rbegin(), records.rend(), [](const trace_record& each) { return each.is_step(); });
  agent* who = context::running;
  for (agent& each : agents_) {
    if (who == nullptr && last_step != records.rend() && each.number() == last_step->task) who = &each;
  }
  std::string step = "what ran before the first step";
  if (who != nullptr) {
    step = fmt::format("the step of task \"{}\" that began here", who->name());
  } else if (last_step != records.rend()) {
    step = "the last step of a task, which began here,";
  }
  report(verdict_kind::slow_step,
         fmt::format("{} took long in real time: it blocks the thread, or computes without awaiting", step),
         last_step != records.rend() && !is_internal(last_step->where()) ? last_step->where() : source(),
         who != nullptr ? std::vector<agent*>{who} : std::vector<agent*>{});
}

void loop::report_deadlock() {
  standstill_ = true;
  const std::vector<agent*> waiters = alive();
  std::vector<std::vector<agent*>> cycles = cycles_along(waits_for, waiters);
  if (cycles.empty()) cycles = cycles_with_feeders(waiters);
  report(verdict_kind::deadlock,
         paused_ ? "every task waits, and the clock is paused: nothing but advance() moves it" : "every task waits",
         source(), waiters, cycles.empty() ? std::vector<std::string>() : names_of(cycles.front()));
}

void loop::report_unread(agent& who) noexcept {
  const std::exception_ptr thrown = who.failure();
  if (holds<misuse>(thrown)) return;  // was reported where it was made
  report(who.daemon_ ? verdict_kind::unhandled_exception : verdict_kind::unread_exception,
         fmt::format("task \"{}\" failed and nobody looked: {}", who.name(), text_of(thrown)), source(), {&who});
}

}  // namespace lockstep
