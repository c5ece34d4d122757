// The loop's detectors: what each finds, and how it says so.
#include <lockstep/runtime/loop.hpp>

#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/exception_group.hpp>
#include <lockstep/runtime/future.hpp>
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
  const operation* at = who.parked_at(detail::unseen);
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

// Whether a timeout or a race may yet cancel one of them, or a task that led to its spawn.
bool may_be_rescued(const std::vector<agent*>& members) noexcept {
  return std::any_of(members.begin(), members.end(), [](const agent* at) {
    while (at != nullptr && !at->has_rescue()) at = at->parent();
    return at != nullptr;
  });
}

// The cycles of waits among tasks that all wait, where a wait for what another has fed so far counts as one for that
// task.
std::vector<std::vector<agent*>> cycles_with_feeders(const std::vector<agent*>& waiters) {
  std::map<identity, agent*> by_identity;
  for (agent* who : waiters) by_identity.emplace(who->id(), who);
  const auto next = [&](const agent& who) -> agent* {
    if (agent* holder = waits_for(who); holder != nullptr) return holder;
    const operation* at = who.parked_at(detail::unseen);
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
  const finding holders(*this);
  for (const std::vector<agent*>& members : cycles_along(waits_for, alive())) {
    if (!may_be_rescued(members)) report_cycle(members);
  }
}

// -- reporting --------------------------------------------------------------------------------------------------------

namespace {

// The innermost line of a task that is known, that of its spawn if it has none.
source line_of(const task_snapshot& task) {
  const auto known =
      std::find_if(task.stack.begin(), task.stack.end(), [](const place& each) { return each.line() != 0; });
  return known != task.stack.end() ? source(*known) : task.spawned_at;
}

// The line to look at first: where the first task stands, or where what ended it was thrown.
source line_of(const std::vector<task_snapshot>& tasks) {
  source found;
  std::optional<std::size_t> at;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (i != 0 && (tasks[i].parent != at || tasks[i].state != task_snapshot::condition::failed)) continue;
    at = i;
    if (const source line = line_of(tasks[i]); line.line() != 0) found = line;
  }
  return found;
}

}  // namespace

verdict loop::verdict_of(verdict_kind kind, std::string message, const source& where, std::vector<agent*> concerned,
                         const std::vector<task_snapshot>& trail) {
  verdict found;
  found.kind = kind;
  found.message = std::move(message);
  found.where = where;
  found.at = now_;
  found.at_real_time = clock_is_real();
  found.step = steps();
  found.tasks = snapshot_of(std::move(concerned));
  add_trail(found.tasks, 0, trail);
  if (found.where.line() == 0) found.where = line_of(found.tasks);
  return found;
}

verdict loop::verdict_here(verdict_kind kind, std::string message, const source& where) {
  note(name_of(kind), "");
  std::vector<agent*> who;
  if (agent* const user = context::running != nullptr ? context::running : dying_; user != nullptr) {
    who.push_back(user);
  }
  return verdict_of(kind, std::move(message), where, std::move(who));
}

void loop::report(verdict_kind kind, std::string message, const source& where, std::vector<agent*> concerned,
                  std::vector<std::string> cycle, const std::vector<task_snapshot>& trail) noexcept {
  const sparing_allocations of_reports;
  note(name_of(kind), "");
  note_waits(concerned);
  verdict found = verdict_of(kind, std::move(message), where, std::move(concerned), trail);
  found.cycle = std::move(cycle);
  monitor_.report(std::move(found));
}

void loop::report_end(verdict_kind kind, std::string message, const source& where,
                      std::vector<agent*> concerned) noexcept {
  const sparing_allocations of_reports;
  if (destroying() || cycle_found_) return;
  if (std::uncaught_exceptions() == 0) {
    report(kind, std::move(message), where, std::move(concerned));
    return;
  }
  const agent* who = context::running;
  const bool being_cancelled = who != nullptr && (who->attention_ & attention_swallow) != 0;
  const bool disturbed = disturbed_by_ != nullptr && !disturbed_by_->done().empty();
  if (!being_cancelled && !disturbed)
    kept_back_.push_back(verdict_of(kind, std::move(message), where, std::move(concerned)));
}

void loop::report_what_was_kept_back() noexcept {
  for (verdict& found : std::exchange(kept_back_, {})) monitor_.report(std::move(found));
}

void loop::part_with_those_kept(bool reported) noexcept {
  for (agent* who : agents_->kept()) {
    who->is_.outlives = true;
    if (who->failure(detail::unseen) == nullptr || who->is_.observed) continue;
    if (reported) report_unread(*who);
    who->observe();
  }
  for (const std::shared_ptr<detail::kept_failure>& each : std::exchange(failures_, {})) {
    if (reported) tell_of_unread(*each);
    each->read = true;
  }
}

void loop::report_dropped(agent& who) noexcept {
  const sparing_allocations of_reports;
  if (!destroying() && !cycle_found_ && std::uncaught_exceptions() == 0) {
    const std::vector<std::vector<agent*>> cycles = cycles_along(waits_for, {&who});
    if (!cycles.empty() && cycles.front().front() == &who && !may_be_rescued(cycles.front())) {
      report_cycle(cycles.front());
      return;
    }
  }
  report_end(verdict_kind::dropped_handle,
             fmt::format("the handle of task \"{}\" died before the task ended; join it, or spawn it as a daemon",
                         who.name(detail::unseen)),
             who.spawned_at(), {&who});
}

agent* loop::find(identity of) const noexcept {
  const sparing_allocations of_reports;
  std::map<identity, agent*> for_now;
  std::map<identity, agent*>& known = known_ != nullptr ? *known_ : for_now;
  if (known.empty()) {
    for (agent* who : alive()) known.emplace(who->identity_, who);
  }
  const auto found = known.find(of);
  return found != known.end() ? found->second : nullptr;
}

void loop::report_misuse(std::string message, const source& where) noexcept {
  const sparing_allocations of_reports;
  report(verdict_here(verdict_kind::misuse, std::move(message), where));
}

void loop::misused(const std::string& message, const source& where) {
  report_misuse(message, where);
  throw misuse(message, context::run);
}

bool loop::tells_of(const std::exception_ptr& thrown) const noexcept {
  try {
    std::rethrow_exception(thrown);
  } catch (const misuse& mistake) {
    return mistake.run() == context::run;
  } catch (...) {
    return false;
  }
}

// The running task's, which was recorded.
void loop::see_to_step() {
  if (takes_notes()) {
    const sparing_allocations of_the_trace;
    // Where the library's own coroutines wait, the user's line is that of who awaits them.
    const agent& who = *context::running;
    if (is_internal(who.leaf_frame_->where)) {
      const std::vector<place> stack = who.stack(detail::unseen);
      if (!stack.empty()) trace_.last_step_is_at(stack.front());
    }
  }
  if (trace_.limit_passed()) reach_step_limit();
}

void loop::note(std::string_view subject, std::string_view text) noexcept {
  const agent* const who = context::running;
  if (who == nullptr || !takes_notes()) return;
  const sparing_allocations of_the_trace;
  try {
    trace_.note(who->number(), subject, text);
  } catch (const std::bad_alloc&) {
  }
}

// What that code reads meanwhile is no part of the run, and of what it cannot make there is no text.
template <class F>
void loop::make_text(F make) noexcept {
  step_observer* const outer_observer = std::exchange(context::observer, nullptr);
  noting_ = true;
  try {
    make();
  } catch (...) {
  }
  noting_ = false;
  context::observer = outer_observer;
}

void loop::note_value(const object& of, bool of_this_run, std::string (*text)(const object&)) noexcept {
  const sparing_allocations of_the_trace;
  std::string subject;
  std::string made;
  make_text([&] {
    made = text(of);
    subject = !of.name().empty() ? std::string(of.name()) : of_this_run ? of.described() : std::string(of.noun());
  });
  if (!subject.empty()) note(subject, made);
}

void loop::note_drawn(std::string_view label, std::string (*text)(const void*), const void* value) noexcept {
  const agent* const who = context::running;
  if (who == nullptr || !takes_notes()) return;
  const sparing_allocations of_the_trace;
  std::string made;
  make_text([&] { made = text(value); });
  try {
    if (!made.empty()) trace_.note_drawn(who->number(), label, made);
  } catch (const std::bad_alloc&) {
  }
}

// The same, where it goes on after a wait: whom it has joined is known to the operation, and to no record.
void loop::see_to_resumed_step() {
  see_to_step();
  const operation* const at = context::running->operation_;
  if (!takes_notes() || at == nullptr || at->kind() != operation_kind::join) return;
  const sparing_allocations of_the_trace;
  note(trace_note::awaited, at->describe());
}

// Their last steps ended there; the place of a step is where it began.
void loop::note_waits(const std::vector<agent*>& of) noexcept {
  if (!takes_notes()) return;
  const sparing_allocations of_the_trace;
  try {
    for (const agent* who : of) {
      const operation* const at = who->parked_at(detail::unseen);
      if (at == nullptr) continue;
      const std::vector<place> stack = who->stack(detail::unseen);
      const std::string where = stack.empty() ? std::string() : " at " + file_and_line(stack.front());
      trace_.note(who->number(), "then waits for", at->describe() + where);
    }
  } catch (const std::bad_alloc&) {
  }
}

void loop::reach_step_limit() {
  if (std::exchange(standstill_, true)) return;
  const sparing_allocations of_reports;
  report_cycles();
  report(verdict_kind::step_limit,
         fmt::format("more than {} steps were made (steps_max) and the test has not ended; the tasks that still run:",
                     limits_.steps_max),
         source(), alive());
  stop();
}

namespace {

// "the first step of task "main", up to cache.cpp:12,": what is known of it. `who` is null when it has ended.
std::string text_of_step(const agent* who, bool first, std::string_view function, const source& from,
                         const source& to) {
  std::string task = who != nullptr ? fmt::format(" of task \"{}\"", who->name(detail::unseen)) : " of a task";
  if (who == nullptr && !function.empty()) task += fmt::format(" in {}()", function);
  std::string lines;
  if (from.line() != 0) lines += " from " + file_and_line(from);
  if (to.line() != 0) lines += " up to " + file_and_line(to);
  if (!lines.empty()) lines = "," + lines + ",";
  const bool ended = who == nullptr || who->finished(detail::unseen);
  return fmt::format("the {}step{}{}", first ? (ended ? "only " : "first ") : (ended ? "last " : ""), task, lines);
}

}  // namespace

// The step that is now, or was last, made somebody who watches from outside impatient.
void loop::report_slow_step() noexcept {
  const sparing_allocations of_reports;
  attention_.fetch_and(static_cast<std::uint16_t>(~attention_slow), std::memory_order_relaxed);
  if (excused_step_ != 0 && excused_step_ == steps()) return;
  const std::vector<trace_record> records = trace_.recent();
  const auto last_step =
      std::find_if(records.rbegin(), records.rend(), [](const trace_record& each) { return each.is_step(); });
  std::string step = "what ran before the first step";
  source from;
  source to;
  agent* who = nullptr;
  if (last_step != records.rend()) {
    const auto made_it = [&](const agent* task) { return task != nullptr && task->number() == last_step->task; };
    for (agent* each : alive()) {
      if (made_it(each)) who = each;
    }
    if (made_it(main_)) who = main_;  // also when it has ended
    const bool first = last_step->operation() == operation_kind::start;
    const bool ours = is_internal(last_step->where());
    if (last_step->where().line() != 0 && !ours) from = last_step->where();
    const std::vector<place> stack = who != nullptr ? who->stack(detail::unseen) : std::vector<place>();
    if (!stack.empty() && stack.front().line() != 0) to = stack.front();
    step = text_of_step(who, first, ours ? std::string_view() : function_of(last_step->where()), from, to);
    if (from.line() == 0) from = to;
    if (from.line() == 0 && who != nullptr) from = who->spawned_at();
  }
  report(verdict_kind::slow_step,
         fmt::format(
             "{} took long in real time: it blocks the thread, or computes without awaiting; run_blocking() is for "
             "that",
             step),
         from, who != nullptr ? std::vector<agent*>{who} : std::vector<agent*>{});
}

void loop::report_deadlock() {
  const finding holders(*this);
  standstill_ = true;
  const std::vector<agent*> waiters = alive();
  std::vector<std::vector<agent*>> cycles = cycles_along(waits_for, waiters);
  if (cycles.empty()) cycles = cycles_with_feeders(waiters);
  report(verdict_kind::deadlock,
         paused_ ? "every task waits, and the clock is paused: nothing but advance() moves it" : "every task waits",
         source(), waiters, cycles.empty() ? std::vector<std::string>() : names_of(cycles.front()));
}

void loop::report_unread(agent& who) noexcept {
  const sparing_allocations of_reports;
  const std::exception_ptr thrown = who.failure(detail::unseen);
  const bool an_assertion_failed = (who.attention_ & attention_doomed) != 0;
  if (an_assertion_failed || tells_of(thrown)) return;
  std::string name = who.name(detail::unseen);
  const bool nobody_can_read = who.is_.daemon || who.is_callback();
  const std::string what = who.is_.daemon    ? fmt::format("daemon \"{}\" failed", name)
                           : nobody_can_read ? name + " failed"
                                             : fmt::format("task \"{}\" failed and nobody looked", name);
  const verdict_kind kind = nobody_can_read ? verdict_kind::unhandled_exception : verdict_kind::unread_exception;
  tell_of({thrown, std::move(name), verdict_of(kind, what + ": " + text_of(thrown), source(), {&who})});
}

}  // namespace lockstep
