#include <lockstep/runtime/spawn.hpp>

#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/inbox.hpp>
#include <lockstep/runtime/snapshot.hpp>

#include <fmt/format.h>

#include <new>

namespace lockstep {

namespace detail {

namespace {

void report_unawaited(const source& made_at, bool by_mock) noexcept {
  const sparing_allocations of_reports;
  loop* const owner = current_loop();
  if (owner == nullptr || owner->destroying() || std::uncaught_exceptions() > 0) return;
  std::string message = "the task that the action of this expectation made was never awaited";
  if (!by_mock) {
    message = fmt::format("the task of {}() was made and never awaited or spawned", function_of(made_at));
  } else if (made_at.line() == 0) {
    message = "the task that a mock function without an action returned was never awaited";
  }
  // Of a task of the library's own, the line that matters is where the one who forgets it stands.
  const source where = is_internal(made_at) ? source() : made_at;
  std::vector<agent*> forgetful;
  if (owner->running() != nullptr) forgetful.push_back(owner->running());
  owner->report(verdict_kind::unawaited_task, std::move(message), where, std::move(forgetful));
}

}  // namespace

void abandon(std::coroutine_handle<> unstarted, const frame& made) noexcept {
  const frame_pool* const pool = made.made_in();
  inbox* const home = pool != nullptr ? static_cast<inbox*>(pool->home()) : nullptr;
  loop* const owner = current_loop();
  const bool at_home = home == nullptr || (owner != nullptr ? home == &owner->outside() : home->on_its_thread());
  if (at_home) {
    report_unawaited(made.where, made.owner == &made_by_mock);
    unstarted.destroy();
  } else {  // told of only while a run of that loop goes on: it may outlive its own
    home->take_over(unstarted,
                    usage{fmt::format("the task of {}()", function_of(made.where)), 0, "was destroyed", made.where});
  }
}

void refuse_if_elsewhere(std::coroutine_handle<>& unstarted, const frame& made) {
  const frame_pool* const pool = made.made_in();
  inbox* const home = pool != nullptr ? static_cast<inbox*>(pool->home()) : nullptr;
  if (home == nullptr || home->on_its_thread()) return;
  const source where = here().running != nullptr ? users_line() : source();
  const std::string text =
      home->tell(home->run(), {fmt::format("the task of {}()", function_of(made.where)), 0, "was started", where});
  home->take_over(std::exchange(unstarted, nullptr), std::nullopt);
  throw misuse(text, here().run);
}

void throw_awaited_twice(source where) {
  const char* text = "this task was awaited, spawned or moved from before; a task runs once";
  if (current_context != nullptr) current_context->owner->misused(text, where);
  throw misuse(text);
}

source users_line() {
  const std::vector<place> lines = current_task().stack(detail::unseen);
  return lines.empty() ? source() : source(lines.front());
}

void throw_cancelled_yield() {
  loop& owner = *here().owner;
  owner.yield_was_cancelled();
  throw_cancelled(*owner.running());
}

void awaited_outside_of_tasks() { here().owner->misused("a foreign coroutine awaits something outside of every task"); }

void throw_cancelled(agent& who) {
  const label reason = who.cancel_reason(detail::unseen);
  here().owner->note(reason.empty() ? "cancelled" : "cancelled:", reason.view());
  throw cancelled(reason);
}

void throw_no_result(operation::progress why, agent& who) {
  if (why == operation::progress::failed) throw std::bad_alloc();
  throw_cancelled(who);
}

}  // namespace detail

// -- owning -----------------------------------------------------------------------------------------------------------

void agent_owner::owns_none(source where) {
  const char* text = "this handle owns no task: it was moved from, or never given one";
  if (detail::current_context != nullptr) detail::current_context->owner->misused(text, where);
  throw misuse(text);
}

std::exception_ptr agent_owner::exception(source where) const {
  agent& who = looked_at(where);
  if (who.finished(detail::unseen)) who.observe();
  std::exception_ptr failure = who.failure(detail::unseen);
  agent* const reader = detail::current_context != nullptr ? detail::current_context->running : nullptr;
  if (failure != nullptr && reader != nullptr) reader->passes_on(failure, trail_of(who));
  return failure;
}

void agent_owner::pass_on(const std::exception_ptr& failure, const agent& from) {
  agent* const reader = detail::current_context != nullptr ? detail::current_context->running : nullptr;
  if (reader != nullptr) reader->passes_on(failure, trail_of(from));
  std::rethrow_exception(failure);
}

void agent_owner::no_result(agent& who, source where) {
  if (!who.finished(detail::unseen)) {
    detail::here().owner->misused(
        fmt::format("result() of task \"{}\", which has not finished", who.name(detail::unseen)), where);
  }
  who.observe();
  pass_on(who.thrown(detail::unseen), who);
}

// On another thread, or before its task has ended.
void agent_owner::drop() noexcept {
  if (!agent_->is_here()) return agent_->dropped_elsewhere();
  loop& owner = *detail::here().owner;
  owner.report_dropped(*agent_);
  owner.kill(*agent_);
  loop::release(*agent_);
}

// -- making -----------------------------------------------------------------------------------------------------------

void detail::spawn_guard::undo(agent& made) noexcept {
  here().owner->kill(made);
  loop::release(made);
}

agent& detail::adopt_named(std::coroutine_handle<> root, label name, const source& where) {
  agent& made = here().owner->adopt(root, where);
  spawn_guard guard(made);
  if (!name.empty()) made.rename(std::move(name), detail::unseen);
  return guard.pass();
}

agent& detail::adopt_eagerly(std::coroutine_handle<> root, label name, const source& where) {
  loop& owner = *here().owner;
  agent& made = owner.adopt_apart(root, where);
  spawn_guard guard(made);
  if (!name.empty()) made.rename(std::move(name), detail::unseen);
  owner.start_eagerly(made);
  return guard.pass();
}

agent& detail::task_that_dies_here(const source& where) {
  loop& owner = *here().owner;
  if (agent* const dying = owner.dying(); dying != nullptr) return *dying;
  owner.misused("there is no running task here; in a fixture, what needs one is for CoSetUp()", where);
}

}  // namespace lockstep
