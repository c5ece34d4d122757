#include <lockstep/runtime/loop.hpp>

#include <lockstep/runtime/blocking_job.hpp>
#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/inbox.hpp>
#include <lockstep/runtime/thread_pool.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace lockstep {

namespace detail {

void no_loop_here() {
  if (const job_state* const job = job_state::here(); job != nullptr) job->refuse_loop();
  throw misuse("no lockstep loop runs on this thread: call this from a task, a CO_TEST, or sim::world::run()");
}

}  // namespace detail

loop::loop(driver& idle_driver, monitor& verdicts)
    : driver_(idle_driver), monitor_(verdicts), inbox_(std::make_shared<inbox>(&idle_driver)),
      pool_(std::make_unique<frame_pool>(inbox_)), agents_(std::make_unique<agent_pool>(inbox_)) {
  owner = this;
  frames = pool_.get();
  agents = agents_.get();
  // Objects of earlier runs share the inbox, so no other loop's is at its address.
  all_runs_ = hash_of(reinterpret_cast<std::uintptr_t>(inbox_.get()), 0);
}

loop::~loop() {
  {
    const loop_scope scope(*this);
    finish();
  }
  inbox_->retire();
  const auto alone = inbox::of_loops_gone();
  let_go_of_leftovers();
  // Somebody may still hold a handle or a task of ours.
  frame_pool::retire(std::move(pool_));
  agent_pool::retire(std::move(agents_));
}

void loop::start(loop_limits limits, oracle* choices, ordering order, bool keep_trace) {
  if (!inbox_->empty()) [[unlikely]]
    let_go_of_leftovers();
  const bool few_have = !fault_points.empty() || !frozen_.empty() || handler_ != nullptr;
  if (!picks_.empty() || !kept_back_.empty() || !failures_.empty() || few_have) [[unlikely]]
    forget_what_few_have();
  if (default_pool_) [[unlikely]]
    end_default_pool();
  agents_->start();
  limits_ = limits;
  oracle_ = choices;
  order_ = order;
  attention_.store(choices != nullptr && order == ordering::any_order ? attention_switch : 0,
                   std::memory_order_relaxed);
  trace_.start(limits.steps_max, keep_trace);
  point_order = nullptr;
  now_ = time_point{};
  wall_shift_ = {};
  main_ = nullptr;
  disturbed_by_ = nullptr;
  excused_step_ = 0;
  default_executor_ = nullptr;
  daemons_ = roots_ = gone_ = objects_made_ = fixture_objects_made_ = 0;
  paused_ = standstill_ = cycle_found_ = tearing_down_ = given_up_ = default_executor_died_ = switching_ = false;
  context::observer = choices != nullptr && order == ordering::any_order ? choices->observer() : nullptr;
  context::simulates = !clock_is_real();
  context::run = roll(all_runs_, ++runs_) | 1;
  inbox_->open(context::run);
}

void loop::forget_what_few_have() noexcept {
  picks_.clear();
  fault_points.clear();
  frozen_.clear();
  kept_back_.clear();
  failures_.clear();
  handler_ = nullptr;
}

// -- running ----------------------------------------------------------------------------------------------------------

bool loop::run(agent& main) {
  const loop_scope scope(*this);
  context::stack_limit = context::stack_end = static_cast<const char*>(__builtin_frame_address(0)) - stack_bytes;
  main_ = &main;
  main.is_.main = true;
  if (!go_on_until([&main] { return main.finished(detail::unseen); })) report_deadlock();
  if (context::observer != nullptr) [[unlikely]]
    observe_end();
  if (!main.finished(detail::unseen) || stopped()) return main.finished(detail::unseen);
  note_if_all_have_gone();
  if (!all_have_gone()) report_cycles();
  inbox_->take_no_calls();
  return true;
}

bool loop::wind_up(bool everybody) {
  if (stopped()) return true;
  if ((daemons_ != 0 || everybody) && !wind_up_tasks(everybody)) return false;
  if (!calls_.empty()) drop_calls();
  note_if_all_have_gone();
  forget_exception_handler();  // it may refer to what goes now
  return true;
}

bool loop::wind_up_tasks(bool everybody) {
  const loop_scope scope(*this);
  context::stack_limit = context::stack_end = static_cast<const char*>(__builtin_frame_address(0)) - stack_bytes;
  attention_.fetch_and(static_cast<std::uint16_t>(~attention_main_done), std::memory_order_relaxed);
  for (agent* who : tasks()) {
    thaw(*who);
    if (!who->cleans_up() && (who->is_.daemon || (everybody && who->root_))) who->cancel();
  }
  const bool ended = go_on_until([this, everybody] { return daemons_ == 0 && (!everybody || tasks().empty()); });
  return ended || inbox_->jobs == 0;
}

// The owner of the main task keeps it, and so does every other task that somebody keeps.
void loop::note_if_all_have_gone() noexcept {
  if (!all_have_gone() && main_ != nullptr && roots_ == 1 && main_->references_ == 1 && main_->finished(detail::unseen))
    gone_ = trace_.tasks_made();
}

// Returns false if nothing can go on before.
template <class Done>
bool loop::go_on_until(const Done& done) {
  const bool in_turns = driver_.polled();
  bool can = true;
  struct marked {
    bool& running;
    explicit marked(bool& mark) noexcept : running(mark) { running = true; }
    ~marked() { running = false; }
  };
  const marked running(running_tasks_);
  while (can && !done() && !stopped()) {
    if (in_turns) {
      go_on<true>();
    } else {
      go_on<false>();
    }
    can = done() || stopped() || idle();
  }
  return can;
}

// Until nothing is ready, or for one turn.
template <bool InTurns>
void loop::go_on() {
  std::size_t left = InTurns ? ready_.size() : 0;
  while (!ready_.empty() && (!InTurns || left-- != 0)) {
    agent& first = *ready_[0];
    if ((attention_.load(std::memory_order_relaxed) | first.attention_) != 0) [[unlikely]] {
      if (!InTurns) go_on_switching();
      if (ready_.empty() || !go_on_attentively()) break;
      continue;
    }
    ready_.pop_front();
    __builtin_prefetch(*ready_.place(1));
    context::running = &first;
    resume(first);
  }
  note_slow_step();
  context::running = nullptr;
}

// The same where something has to be seen to. Returns false if no step may be made.
bool loop::go_on_attentively() {
  agent* who;
  if (attention_.load(std::memory_order_relaxed) == 0) {
    who = ready_.pop_front();
  } else {
    note_slow_step();
    if (asked_for(attention_stop | attention_main_done)) return false;
    if (asked_for(attention_overdue)) fire_overdue();
    if (asked_for(attention_observe)) {
      attention_.fetch_and(static_cast<std::uint16_t>(~attention_observe), std::memory_order_relaxed);
    }
    who = &pick_next();
    if (given_up_) [[unlikely]]
      return false;
    ++who->steps_;
    if (asked_for(attention_disturb)) {
      step_disturbed(*who);
      return true;
    }
    if (context::observer != nullptr) [[unlikely]] {
      step_observed(*who);
      return true;
    }
  }
  context::running = who;
  if (who->attention_ == 0 || prepare(*who)) resume(*who);
  return true;
}

// One step, in which allocations may fail, and before and after which the task may be cancelled.
void loop::step_disturbed(agent& who) {
  disturbance& by = *disturbed_by_;
  retain(who);
  by.before_step(who);
  context::running = &who;
  if (by.lets_fail(who)) context::fails = &by;
  if (who.attention_ == 0 || prepare(who)) resume(who);
  context::fails = nullptr;
  if (disturbed_by_ != nullptr) by.after_step(who);
  if (--who.references_ == 0) free_block(who);  // unlike release(), this is no owner that goes
}

// Requires that the running task has not ended.
bool loop::follow_calls() {
  do {
    std::exchange(next, nullptr).resume();
  } while (next && context::running->leaf_frame_ != nullptr);
  return next && follow();
}

// One step, after which the observer is told whether that was the task's last.
void loop::step_observed(agent& who) {
  retain(who);
  context::running = &who;
  if (who.attention_ == 0 || prepare(who)) resume(who);
  if (who.finished(detail::unseen) && context::observer != nullptr) {
    detail::touch(who.identity_, access::write);
    detail::touch(end_identity(who.identity_), access::write);
    if (who.is_.main) detail::touch(everything, access::write);
  }
  if (--who.references_ == 0) free_block(who);  // as in step_disturbed()
}

agent** loop::seat_of(const agent& who) noexcept {
  if (context::running == &who) return &(context::running);
  for (first_step* at = starting_; at != nullptr; at = at->outer) {
    if (at->within == &who) return &at->within;
  }
  return nullptr;
}

// The step of the spawner is in two parts then, and each has a record, so that the trace tells who did what.
void loop::start_eagerly(agent& who) {
  agent* const spawner = context::running;
  const unsigned depth = starting_ != nullptr ? starting_->depth + 1 : 1;
  if (spawner != nullptr && (spawner->attention_ & attention_doomed) != 0) stop();
  if (spawner == nullptr || stopped() || depth > eager_max) {
    ready_.push_back(&who);
    return;
  }
  note_slow_step();
  first_step step{spawner, starting_, depth};
  const std::coroutine_handle<> next_of_spawner = std::exchange(next, nullptr);
  starting_ = &step;
  context::running = &who;
  if (attention_.load(std::memory_order_relaxed) != 0) ++who.steps_;
  note_step(who, who.step_label());
  const identity made = who.identity_;
  detail::touch(made, access::write);
  who.leaf_.resume();
  if (next && follow()) detail::touch(end_identity(made), access::write);
  note_slow_step();
  next = next_of_spawner;
  starting_ = step.outer;
  agent& goes_on = *step.within;  // perhaps not the spawner any more: see part_from_foreign()
  context::running = &goes_on;
  note_step(goes_on, trace::label(operation_kind::spawn_eagerly, 0));
}

// What has to be seen to before a task is resumed. False if it is not to be resumed after all.
bool loop::prepare(agent& who) {
  operation* op = who.operation_;
  if ((who.attention_ & attention_frozen) != 0) {
    if (context::observer != nullptr) context::observer->only_attempted();
    frozen_.push_back(&who);
    return false;
  }
  if ((who.attention_ & attention_doomed) != 0) {
    stop();
    return false;
  }
  // Other awaits have seen to that when they began.
  if (op == nullptr && (who.attention_ & (attention_cancel | attention_swallow)) == attention_swallow) {
    note_swallowed(who);
  }
  const bool has_something = op != nullptr && op->progress_ == operation::progress::granted;
  if (context::observer != nullptr && (who.attention_ & attention_cancel) != 0 && has_something) op->touch_end();
  if ((who.attention_ & attention_cancel) != 0 && (!has_something || op->revoke())) {
    who.attention_ = static_cast<std::uint16_t>(who.attention_ & ~(attention_cancel | attention_retry));
    if (who.step_label() == trace::label(operation_kind::start, 0)) {
      who.is_.cancelled = true;
      complete(who);
      return false;
    }
    who.attention_ |= attention_swallow;
    if (op == nullptr) {
      yield_cancelled_ = true;
    } else {
      op->progress_ = operation::progress::cancelled;
    }
  } else if ((who.attention_ & attention_retry) != 0) {
    who.attention_ = static_cast<std::uint16_t>(who.attention_ & ~attention_retry);
    bool succeeded = true;
    try {
      succeeded = op->attempt();  // NOLINT(clang-analyzer-core.CallAndMessage): retried is an operation
      op->progress_ = operation::progress::granted;
    } catch (const std::bad_alloc&) {
      op->progress_ = operation::progress::failed;
    }
    if (!succeeded) {
      if (context::observer != nullptr) context::observer->only_attempted();
      who.state_ = agent::state::parked;
      op->progress_ = operation::progress::parked;
      op->enqueue();
      return false;
    }
  }
  if ((who.attention_ & attention_foreign) != 0) {
    step_of_foreign(who);
    return false;
  }
  return true;
}

bool loop::idle() {
  if (!inbox_->empty()) take_from_outside();
  if (driver_.polled()) driver_.poll(*this);
  if (asked_for(attention_overdue)) fire_overdue();
  if (!ready_.empty()) return true;
  if (context::observer != nullptr) [[unlikely]]
    context::observer->all_quiet();
  if (!quiet_listeners_.empty()) {
    tell_of_quiet();
    if (stopped() || !ready_.empty()) return true;
  }
  if (!settlers_.empty()) {
    grant(settlers_.pop_front());
    return true;
  }
  return driver_.idle(*this);
}

// A listener may come or go meanwhile.
void loop::tell_of_quiet() {
  intrusive_list<detail::quiet_listener> left;
  left.splice_back(quiet_listeners_);
  while (!left.empty()) {
    asked_ = &left.pop_front();
    quiet_listeners_.push_back(*asked_);
    if (!asked_->spent()) asked_->all_is_quiet();
  }
  asked_ = nullptr;
}

bool loop::advance_to_next_deadline() {
  if (timers_.empty()) return false;
  timer_list& due = timers_.earliest();
  if (move_clock(due.front().deadline())) fire(due);
  return true;
}

// Returns false if that ends the run.
bool loop::move_clock(time_point to) {
  now_ = to;
  trace_.time_moved(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
  if (now_ <= limits_.time_max) return true;
  if (std::exchange(standstill_, true)) return false;
  report_cycles();
  report(
      verdict_kind::time_limit,
      fmt::format("virtual time passed {} (time_max); what still waits:", to_text(limits_.time_max.time_since_epoch())),
      source(), alive());
  stop();
  return false;
}

inline void loop::fire(timer_list& due) {
  if (oracle_ != nullptr) return fire_in_picked_order(due);
  while (!due.empty()) timers_.fire(due.front());
}

// What comes due fires when the step has ended, as on a loop whose thread was busy.
void loop::consume(duration length) {
  if (length <= duration::zero() || !driver_.time_is_virtual()) return;
  detail::touch(everything, access::write);
  if (move_clock(saturating_add(now_, length))) request(attention_overdue);
}

void loop::fire_overdue() {
  attention_.fetch_and(static_cast<std::uint16_t>(~attention_overdue), std::memory_order_relaxed);
  agent* const outer_running = std::exchange(context::running, nullptr);  // it fires in nobody's name
  while (timer_list* const due = timers_.due(now_)) fire(*due);
  context::running = outer_running;
}

void loop::advance_to(time_point at, bool exact) {
  while (timer_list* due = timers_.due(at)) {
    now_ = exact ? due->front().deadline() : at;
    trace_.time_moved(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
    fire(*due);
    if (exact) return;
  }
  now_ = std::max(now_, at);
}

// -- awaiting ---------------------------------------------------------------------------------------------------------

void loop::call(std::coroutine_handle<> callee) noexcept {
  agent& who = *context::running;
  if ((who.attention_ & (attention_doomed | attention_foreign)) == attention_doomed) {
    who.leaf_ = callee;  // which never starts
    who.operation_ = nullptr;
    stop();
  } else {
    next = callee;
  }
}

// `of_running`: of the running task, and not of a foreign coroutine that was called within its step. Such a one is not
// asked to stop when that task is, and goes on where it can, as what is started eagerly does: the step that it is
// within cannot be left here.
inline bool loop::begin(operation& op, bool of_running) {
  agent& who = *context::running;
  constexpr std::uint16_t of_run = attention_slow | attention_disturb | attention_stop;
  constexpr std::uint16_t of_task = attention_doomed | attention_cancel | attention_swallow;
  if (asked_for(of_run) || (who.attention_ & of_task) != 0) [[unlikely]] {
    if (!see_to_requests(who, op, of_running)) return op.progress_ == operation::progress::cancelled;
  }
  if (op.progress_ != operation::progress::fresh) [[unlikely]]
    refuse_second_await(op);
  const bool waits = op.waits_in_any_case();
  if (waits && context::observer == nullptr) return false;
  const bool others_may_run = of_running && asked_for(attention_switch) && starting_ == nullptr && !waits;
  if (others_may_run && !ready_.empty()) {
    op.progress_ = operation::progress::switching;
    return false;
  }
  if (others_may_run && context::observer != nullptr && !observe_alone(who, op)) {
    op.progress_ = operation::progress::stopped;
    return false;
  }
  if (!op.attempt()) {
    if (others_may_run) {
      ++who.steps_;  // as where somebody else could have run
      if (context::observer != nullptr) context::observer->only_attempted();
    }
    return false;
  }
  op.progress_ = operation::progress::granted;
  ++who.steps_;
  note_step(who, op.label_);
  return true;
}

// Returns whether `op` is still to be attempted; if not, it is stopped or cancelled.
bool loop::see_to_requests(agent& who, operation& op, bool of_running) {
  note_slow_step();
  if (asked_for(attention_disturb)) disturbed_by_->comes_to(who, op);
  if ((who.attention_ & attention_doomed) != 0) stop();
  if (stopped()) {
    op.progress_ = operation::progress::stopped;
    return false;
  }
  if (op.progress_ != operation::progress::fresh) refuse_second_await(op);
  if (!of_running) return true;
  if ((who.attention_ & attention_cancel) != 0) {
    who.attention_ = static_cast<std::uint16_t>(who.attention_ & ~attention_cancel);
    who.attention_ |= attention_swallow;
    ++who.steps_;
    note_step(who, op.label_);
    op.progress_ = operation::progress::cancelled;
    return false;
  }
  if ((who.attention_ & attention_swallow) != 0) note_swallowed(who);
  return true;
}

bool loop::begin_attentively(operation& op) { return begin(op, true); }

bool loop::begin_of_foreign(operation& op) { return begin(op, acts_for(*context::running)); }

void loop::note_swallowed(agent& who) {
  const sparing_allocations of_reports;
  who.attention_ = static_cast<std::uint16_t>(who.attention_ & ~attention_swallow);
  report(
      verdict_kind::swallowed_cancellation,
      fmt::format("task \"{}\" caught `cancelled` and awaits again; throw it on, call uncancel(), or clean up within "
                  "shield()",
                  who.name(detail::unseen)),
      source(), {&who});
}

// Its object may be gone, so it is called by its kind.
void loop::refuse_second_await(const operation& op) {
  misused(fmt::format("an operation ({}) is awaited that was awaited before, or is awaited elsewhere; make another one",
                      name_of(op.kind())));
}

void loop::park_unusually(operation& op, std::coroutine_handle<> leaf, frame* awaiting) {
  using progress = operation::progress;
  if (op.progress_ > progress::switching && op.progress_ != progress::stopped) refuse_second_await(op);
  agent* who = context::running;
  if (awaiting == nullptr && !acts_for(*who)) {
    // A foreign coroutine waits that does not act for the running task alone: it gets an agent of its own.
    who = &adopt_foreign();
  }
  who->leaf_ = leaf;
  who->leaf_frame_ = awaiting != nullptr ? awaiting : who->rare().foreign_frame;
  who->waits_at(op);
  op.who_ = who;
  who->state_ = agent::state::parked;
  switch (op.progress_) {
    case progress::fresh:
      op.progress_ = progress::parked;
      op.enqueue();
      break;
    case progress::switching:
      who->state_ = agent::state::ready;
      who->attention_ |= attention_retry;
      ready_.push_front(who);
      switching_ = true;
      break;
    default: break;  // stopped: nothing will wake it
  }
}

// -- scopes -----------------------------------------------------------------------------------------------------------

loop_scope::loop_scope(loop& entered, agent* as) noexcept
    : outer_(detail::current_context), entered_(entered), outer_running_(entered_.running) {
  detail::current_context = &entered_;
  if (as != nullptr) entered_.running = as;
}

loop_scope::~loop_scope() {
  detail::current_context = outer_;
  entered_.running = outer_running_;
}

}  // namespace lockstep
