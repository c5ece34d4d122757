// The loop: a queue of ready tasks, timers, and a driver that says what to do when nothing is ready.
//
// One thread runs it. Each step resumes one task until its next await that parks it; after every step it is the
// oracle's choice, if there is one, who runs next. A task that waits is resumed from here and nowhere else. A call of
// an awaited task stands on the stack, up to a depth; beyond it the loop makes the call, so the stack stays flat
// however deep the awaits nest (docs/design/adr/001-calls-on-the-stack.md).
//
// Lifetime: it is used for one run after another; its memory is recycled. What a run leaves, tear_down() destroys.
// Threads: all of it on the thread that runs it, but for request() and what is said of `inbox` and `trace`. Between two
// runs it may move to another thread.
// Most users never name it: a test makes one, `sim::world` makes one, and the free functions find it.
#pragma once

#include <lockstep/base/ring.hpp>
#include <lockstep/choice/oracle.hpp>
#include <lockstep/runtime/agent_pool.hpp>
#include <lockstep/runtime/context.hpp>
#include <lockstep/runtime/driver.hpp>
#include <lockstep/runtime/exception_handler.hpp>
#include <lockstep/runtime/listeners.hpp>
#include <lockstep/runtime/object.hpp>
#include <lockstep/runtime/verdict.hpp>
#include <lockstep/time/timer_wheel.hpp>
#include <lockstep/trace/trace.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {

class disturbance;
class inbox;
class thread_pool;

namespace detail {
struct kept_failure;
class scheduled_call;
}  // namespace detail

// What ends a run that does not end by itself; each is a verdict.
struct loop_limits {
  std::uint64_t steps_max = 1'000'000;                             // of all tasks together
  time_point time_max = time_point(std::chrono::hours{24 * 366});  // the last instant to which virtual time may come
};

class loop : public detail::context {
 public:
  // Both must outlive the loop.
  loop(driver& idle_driver, monitor& verdicts);
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;
  ~loop();

  // -- a run ------------------------------------------------------------------------------------------------------

  // Begins a new run: time 0, no tasks, an empty trace. Requires that none is under way, and that `choices` (null for
  // the plain run) outlive it.
  void start(loop_limits limits, oracle* choices, ordering order, bool keep_trace = false);
  // Whether the observer of its choices has given the run up.
  bool given_up() const noexcept { return given_up_; }
  // Runs until `main` has finished, or until nothing can go on, or stop(). Returns whether it has.
  bool run(agent& main);
  // Then: cancels the daemons, or `everybody` who is left, and runs until they have finished. Calls that are not due
  // are dropped. Returns false if threads still run jobs for some of them and the driver waits no longer; then nothing
  // of the run may be destroyed.
  bool wind_up(bool everybody = false);
  // Ends run() after this step.
  void stop() noexcept { request(attention_stop); }
  bool stopped() const noexcept { return asked_for(attention_stop); }
  // Destroys the frames of all tasks that are left, the youngest first, and forgets all timers.
  void tear_down() noexcept;
  // The same, and ends the run: what still belongs to it may be destroyed on any thread.
  void finish() noexcept;
  bool tearing_down() const noexcept { return tearing_down_; }
  // After tear_down(): what dies from now on is judged as in the run.
  void judge_again() noexcept { tearing_down_ = false; }
  // The task whose frames are being destroyed before it has finished; null if none.
  agent* dying() const noexcept { return dying_; }

  // -- tasks ------------------------------------------------------------------------------------------------------

  // Makes a task ready that will start at `root`, as a child of the running task. The caller owns one reference.
  // Destroys `root` if it throws std::bad_alloc.
  agent& adopt(std::coroutine_handle<> root, source spawned_at);
  // The same for a task that is not ready yet: start_eagerly() follows.
  agent& adopt_apart(std::coroutine_handle<> root, source spawned_at);
  // Makes its first step there and then, within the step of the running task, which is spawning it. Makes it ready
  // instead where no step may be made: while no task runs, when the run is being stopped, or within `eager_max` others.
  void start_eagerly(agent& who);
  static constexpr unsigned eager_max = 64;
  // Its owner lets go of it: nobody can ask for its result any more.
  static void release(agent& who) noexcept {
    if (--who.references_ == 0) [[likely]] {
      free_block(who);
    } else if (who.root_) {
      lose_owner(who);
    }
  }
  static void retain(agent& who) noexcept { ++who.references_; }
  // The same as adopt(), but it starts when `until`, which nobody has awaited, is granted: at once if it need not wait.
  agent& adopt_parked(std::coroutine_handle<> root, source spawned_at, operation& until);
  // The loop owns it from now on. Requires that it has not finished.
  void make_daemon(agent& who) noexcept {
    who.is_.daemon = true;
    ++daemons_;
  }
  // Whether a clean-up that is spawned now will be run: not before and after run(), and in tear_down().
  bool accepts_clean_up() const noexcept { return running_tasks_ && !tearing_down_; }
  // Spawns the clean-up of a generator, `of`, that was dropped: a daemon, but at the end of the run it is awaited and
  // not cancelled. In the name of who runs, or dies. Requires accepts_clean_up(); destroys `root` if it throws.
  void spawn_clean_up(std::coroutine_handle<> root, source of);
  // Destroys its frames, leaf first, if it has not finished. What it was granted and did not see goes back.
  void kill(agent& who, bool joinable = false) noexcept;
  // Has a parked task see to a request to cancel it; where that goes deeper than the stack, the outermost call does.
  void cancel_wait(agent& who) noexcept;
  // Kills everything that `who` spawned, directly or not, and that is not running. For an assertion that is about to
  // unwind locals that those tasks point to.
  void kill_descendants(agent& who) noexcept;
  // Its machine has failed: kill(), and whoever joins it gets `cancelled` with that reason.
  void strike(agent& who, label reason) noexcept;
  // It makes no step until it is thawed; what it waits for may be granted.
  void freeze(agent& who) noexcept { who.attention_ |= attention_frozen; }
  void thaw(agent& who) noexcept;

  agent* running() const noexcept { return context::running; }
  bool quiet() const noexcept { return ready_.empty(); }  // no task is ready
  // All that have not finished, the oldest first.
  std::vector<agent*> alive() const { return all_have_gone() ? std::vector<agent*>() : agents_->alive(); }
  // The same without those that are there to call a function once.
  std::vector<agent*> tasks() const;
  // Whether it is known that every task so far has ended, and that nobody keeps one but, perhaps, the main one.
  bool all_have_gone() const noexcept { return gone_ == trace_.tasks_made(); }

  // -- awaiting ---------------------------------------------------------------------------------------------------

  // For await_suspend: the running task awaits another, and there is no room on the stack to call it.
  void call(std::coroutine_handle<> callee) noexcept;
  // For await_ready: what the next await must see to in begin_attentively(), as bits of `attention`.
  int asked_here() const noexcept { return attention_.load(std::memory_order_relaxed) | context::running->attention_; }
  bool needs_attention() const noexcept { return asked_here() != 0; }
  // The slow form of await_ready: delivers cancellation, stops or lets others run first, then attempts `op`.
  bool begin_attentively(operation& op);
  // The same for an await of a foreign coroutine.
  bool begin_of_foreign(operation& op);
  // Counts an operation that was granted without waiting.
  void note_granted(operation& op) { note_step(*context::running, op.label_); }
  // For await_suspend: the running task waits at `op`, which its innermost frame awaits; `op` enqueues itself then.
  void park(operation& op, std::coroutine_handle<> leaf) {
    agent& who = *context::running;
    who.leaf_ = leaf;
    who.waits_at(op);
    who.state_ = agent::state::parked;
    op.who_ = &who;
    op.progress_ = operation::progress::parked;
  }
  // The same for what may not simply wait, or is awaited by a foreign coroutine (then `awaiting` is null).
  void park_unusually(operation& op, std::coroutine_handle<> leaf, frame* awaiting);
  // That it is awaited already, or was, is seen where it waits.
  [[noreturn]] void refuse_second_await(const operation& op);
  // The running task is ready again, behind all others.
  void requeue(std::coroutine_handle<> leaf) noexcept {
    agent& who = *context::running;
    who.leaf_ = leaf;
    who.operation_ = nullptr;
    who.state_ = agent::state::ready;  // from parked, within a foreign coroutine
    who.is_now(trace::label(operation_kind::yield, 0));
    ready_.push_back(&who);
  }
  // Whether the step that is being made delivers a cancellation to a task that had yielded.
  bool cancels_yield() const noexcept { return yield_cancelled_; }
  void yield_was_cancelled() noexcept { yield_cancelled_ = false; }
  // The object grants `op`, which it has taken from its list: its task becomes ready.
  void grant(operation& op) noexcept {
    if (op.progress_ == operation::progress::arm) return grant_arm(op);
    op.progress_ = operation::progress::granted;
    op.who_->state_ = agent::state::ready;
    ready_.push_back(op.who_);
  }

  // An object dies. Tasks that are ready and would still touch it never run again: those that are yet to attempt an
  // operation on it join `orphans`. The others, which got what they waited for, forget it. `handed` says whether it may
  // have given somebody what can be given back.
  void part_from(const object& dying, wait_list& orphans, bool handed) noexcept {
    if ((!ready_.empty() || !frozen_.empty()) && (handed || oracle_ != nullptr)) part_ready_from(dying, orphans);
  }

  // -- time and choices -------------------------------------------------------------------------------------------

  void make_ready(agent& who) noexcept { ready_.push_back(&who); }

  // Whether it is the machine's, and not virtual.
  bool clock_is_real() const noexcept { return driver_.polled(); }
  // On a real clock, the time at which this turn began.
  time_point now() const noexcept { return now_; }
  wall_clock::time_point wall_now() const noexcept {
    return wall_clock::time_point(saturating_add(driver_.wall_at(now_).time_since_epoch(), wall_shift_));
  }
  void shift_wall_clock(duration by) noexcept { wall_shift_ = saturating_add(wall_shift_, by); }
  timer_wheel& timers() noexcept { return timers_; }
  // Whether one wakes somebody else than calls that are to be made later.
  [[gnu::cold]] bool timers_wake_tasks() noexcept;
  // Jumps to the next deadline and fires what is due; false if there is none.
  bool advance_to_next_deadline();
  // The running task computes for so long, if time is virtual: the clock moves at once, and timers that come due
  // meanwhile fire before the next step.
  [[gnu::cold]] void consume(duration length);
  // It is `at`, as a real clock says. Fires what has become due, deadline by deadline; of several deadlines the first
  // alone if `exact`, when it is then no later than that.
  void advance_to(time_point at, bool exact);
  // A paused clock moves only for advance().
  void pause_clock(bool paused) noexcept { paused_ = paused; }
  bool clock_paused() const noexcept { return paused_; }
  // Whether timers wait for nothing but time to pass.
  bool clock_runs() const noexcept { return !paused_ || advancing != 0; }

  // Which of several arms of a select() is tried first: any may be, in any order; 0 in the plain run.
  [[gnu::cold, gnu::noinline]] std::size_t pick_arm(std::size_t arms);
  // The identity of what the running task makes now: the n-th that it has made.
  identity identity_of_new() noexcept {
    agent* const maker = context::running;
    return maker != nullptr ? object_identity(maker->identity_, ++maker->objects_made_)
                            : object_identity(main_identity, ++fixture_objects_made_);
  }
  // The oracle's answer in 0 … options - 1; 0 in the plain run. Requires options > 0.
  std::uint64_t pick(std::string_view of, std::uint64_t options) { return pick(domain_identity(of), of, options); }
  std::uint64_t pick(const choice_domain& of, std::uint64_t options) { return pick(of.id, of.name, options); }

  // -- blocking work ----------------------------------------------------------------------------------------------

  // What runs blocking jobs that name no executor: the one that was set, or a pool that is made now. Misuse if the one
  // that was set has died.
  executor& default_executor();
  void set_default_executor(executor& on) noexcept {
    default_executor_ = &on;
    default_executor_died_ = false;
  }
  // If it is the one that was set, whoever asks for it from now on is told.
  void part_from(const executor& dying) noexcept {
    if (default_executor_ != &dying) return;
    default_executor_ = nullptr;
    default_executor_died_ = true;
  }
  // The workers of a pool. Misuse if the driver has none.
  std::unique_ptr<executor> make_workers(unsigned count, std::string_view name);
  // The tasks that wait for a job on a thread.
  std::vector<agent*> waiting_for_jobs() const;
  // The run ends, and they are left as they are: they, and who waits for them, never go on.
  void part_with_jobs() noexcept;
  // A blocking job runs within the present step, which may take long in real time.
  void excuse_slow_step() noexcept { excused_step_ = steps(); }

  // -- watching ---------------------------------------------------------------------------------------------------
  const trace& history() const noexcept { return trace_; }
  trace& history() noexcept { return trace_; }  // for what is no step
  // Whether what note() is told is kept.
  bool takes_notes() const noexcept { return trace_.keeps_all() && !tearing_down_ && !noting_; }
  // Says in reports of the running task's step what it saw: of `subject` "balance" the `text` "= 20". Where there is no
  // memory for that, they show less.
  [[gnu::cold]] void note(std::string_view subject, std::string_view text) noexcept;
  // The same of a value, whose text may be made by code of the user's: what that does is no part of the run.
  [[gnu::cold]] void note_value(const object& of, bool of_this_run, std::string (*text)(const object&)) noexcept;
  // The same for a value that it drew, whose text `text` makes of `value`; the label may be empty.
  [[gnu::cold]] void note_drawn(std::string_view label, std::string (*text)(const void*), const void* value) noexcept;
  std::uint64_t steps() const noexcept { return trace_.steps(); }

  // Reports `kind` at `where` with a snapshot of the tasks concerned; `trail` is of what ended the first of them.
  void report(verdict_kind kind, std::string message, const source& where, std::vector<agent*> concerned = {},
              std::vector<std::string> cycle = {}, const std::vector<task_snapshot>& trail = {}) noexcept;
  // The same about something that ends too early: not if it ends only because something else did, a killed task or a
  // cancelled one. While an exception unwinds, the verdict is kept back: it counts if the run has no other failure.
  void report_end(verdict_kind kind, std::string message, const source& where, std::vector<agent*> concerned) noexcept;
  // For the end of a run that found nothing else: makes the verdicts that were kept back.
  void report_kept_back() noexcept {
    if (!kept_back_.empty()) report_what_was_kept_back();
  }
  // For the end of a run, when every frame that is left has been destroyed: tasks whose handles are kept outlive it.
  // Who of them failed unseen is told of now or, if not `reported`, never.
  void part_with_kept(bool reported) noexcept {
    if (!all_have_gone() || !failures_.empty()) part_with_those_kept(reported);
  }
  // What nobody can catch any more goes to the exception handler; without one, it is the verdict that is in `found`.
  void tell_of(const exception_context& found) noexcept;
  // The same for one in a future that nobody has read, and for one that has left a callback, which has ended.
  void tell_of_unread(detail::kept_failure& kept) noexcept;
  void tell_of_failed_call(agent& who) noexcept;
  // Remembers it until it is read, or the run ends and it is told of.
  void keep_failure(std::shared_ptr<detail::kept_failure> kept);
  // Null for none. Returns the one before.
  std::shared_ptr<const exception_handler> set_exception_handler(std::shared_ptr<const exception_handler> handler) {
    std::swap(handler, handler_);
    return handler;
  }
  void forget_exception_handler() noexcept {
    if (handler_ != nullptr) handler_ = nullptr;
  }
  // What report() would make of it, about the running task.
  verdict verdict_here(verdict_kind kind, std::string message, const source& where);
  // Makes that verdict.
  void report(verdict found) noexcept { monitor_.report(std::move(found)); }
  // Whether what dies now is freed with the frames of a task that did not end by itself.
  bool destroying() const noexcept { return tearing_down_ || dying_ != nullptr; }
  // Reports that the handle of `who` dies before it has ended.
  void report_dropped(agent& who) noexcept;
  // Reports misuse by the running task, for where nothing can be thrown.
  void report_misuse(std::string message, const source& where = source()) noexcept;
  // Reports misuse and throws it.
  [[noreturn]] void misused(const std::string& message, const source& where = source());
  // Whether what was thrown is misuse that this run has, or is about to have, a verdict for.
  bool tells_of(const std::exception_ptr& thrown) const noexcept;
  // Whether the run stopped for good before its end: nothing could go on, or a limit was reached.
  bool at_standstill() const noexcept { return standstill_; }
  // Whether tasks wait for each other for good.
  bool cycle_found() const noexcept { return cycle_found_; }
  // The task that is alive under this identity; null if none is. Slow: for reports.
  agent* find(identity of) const noexcept;
  class finding;

  // What the next await must see to; of the loop or of one task. request() may be called from any thread.
  enum attention : std::uint16_t {
    attention_switch = 1,   // other tasks may run first
    attention_stop = 2,     // the run ends here
    attention_cancel = 4,   // a cancellation is pending
    attention_swallow = 8,  // one was delivered, and has not been taken back
    attention_retry = 16,   // this task is ready to attempt its operation
    attention_slow = 32,    // the present step takes long; asked for by a thread that watches
    attention_doomed = 64,  // an assertion of this task has failed: it must not go on
    attention_main_done = 128,
    attention_foreign = 256,     // this task is inside something foreign
    attention_overdue = 512,     // the clock has passed deadlines
    attention_frozen = 1024,     // this task makes no step
    attention_observe = 2048,    // somebody observes from the next step on
    attention_disturb = 0x4000,  // the run is disturbed on purpose
  };
  void request(std::uint16_t what) noexcept { attention_.fetch_or(what, std::memory_order_relaxed); }

  // -- disturbing -------------------------------------------------------------------------------------------------

  // Has the run disturbed from now on, until it is called with null.
  void disturb(disturbance* by) noexcept;
  disturbance* disturbed_by() const noexcept { return disturbed_by_; }

  // -- quiet ------------------------------------------------------------------------------------------------------

  // Asked whenever no task is ready, before time moves, while they are in this list.
  intrusive_list<detail::quiet_listener>& quiet_listeners() noexcept { return quiet_listeners_; }
  // Asks them now, those that are not spent.
  void tell_of_quiet();
  // The one that is being asked; null if none is.
  detail::quiet_listener* asked() const noexcept { return asked_; }
  // Told of the end of this run.
  using run_listeners_list = intrusive_list<detail::run_listener, detail::run_listener>;
  run_listeners_list& run_listeners() noexcept { return run_listeners_; }
  void tell_of_end(bool well) noexcept {
    while (!run_listeners_.empty()) run_listeners_.pop_front().run_ends(well);
  }

  // Not for users: tasks that wait for quiet, and the tools of other modules.
  wait_list& settlers() noexcept { return settlers_; }
  inbox& outside() noexcept { return *inbox_; }
  const std::shared_ptr<inbox>& shared_outside() const noexcept { return inbox_; }
  driver& driven_by() noexcept { return driver_; }
  // Whether the driver waits for the world outside, as it may for long. May be asked from another thread.
  bool resting() const noexcept { return resting_.load(std::memory_order_relaxed); }
  void rest(bool resting) noexcept { resting_.store(resting, std::memory_order_relaxed); }
  const std::shared_ptr<inbox>& home() const noexcept { return inbox_; }
  intrusive_list<detail::scheduled_call, detail::scheduled_call>& calls() noexcept { return calls_; }
  // The proxy of `wait`, in which `who` is, was resumed on this thread.
  void resume_from_foreign(agent& who, detail::foreign_wait& wait);
  // A foreign coroutine awaits a task.
  void call_from_foreign(std::coroutine_handle<> callee, frame& callee_frame);
  // Grants what arrived from other threads, and reports what they did wrong.
  void take_from_outside(bool run_ends = false);
  unsigned advancing = 0;
  void* point_order = nullptr;  // the order in force, of sync/point
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>, std::less<>> fault_points;  // of runtime/buggify

 private:
  friend class agent;
  friend class object;
  friend class loop_scope;

  class ready_view;
  class lone_view;

  // A task is being started eagerly, within a step of another.
  struct first_step {
    agent* within;
    first_step* outer;  // within which that step is made itself; null for none
    unsigned depth;
  };
  // Where it is noted that a step of `who` is being made; null if none is.
  agent** seat_of(const agent& who) noexcept;

  // The label of a task within a step of foreign code, until it awaits something of ours.
  static constexpr std::uint32_t nothing_awaited = ~std::uint32_t{0};

  bool asked_for(int what) const noexcept { return (attention_.load(std::memory_order_relaxed) & what) != 0; }
  void note_slow_step() noexcept {
    if (asked_for(attention_slow)) [[unlikely]]
      report_slow_step();
  }
  void report_slow_step() noexcept;
  void note_swallowed(agent& who);

  void note_step(agent& who, std::uint32_t label) {
    if (trace_.step(who.number(), label, who.leaf_frame_->where)) see_to_step();
  }
  [[gnu::cold, gnu::noinline]] void see_to_step();
  [[gnu::cold, gnu::noinline]] void see_to_resumed_step();
  // Calls `make`, which makes texts of values by code of users.
  template <class F>
  void make_text(F make) noexcept;
  [[gnu::cold]] void note_waits(const std::vector<agent*>& of) noexcept;
  void note_if_all_have_gone() noexcept;
  bool acts_for(agent& who);
  bool begin(operation& op, bool of_running);
  [[gnu::cold, gnu::noinline]] bool see_to_requests(agent& who, operation& op, bool of_running);
  agent& make_agent(agent& who, std::coroutine_handle<> root, frame& first, agent* parent, source spawned_at);
  void make_room_for(std::coroutine_handle<> root, frame& first, agent::inheritance& given);
  agent& adopt_at_once(std::coroutine_handle<> root, frame& first, agent* parent, source spawned_at);
  [[gnu::cold, gnu::noinline]] agent& adopt_carefully(std::coroutine_handle<> root, frame& first, source spawned_at);
  [[gnu::cold, gnu::noinline]] agent& after_turn(agent& who);
  void refill_agents();
  agent& adopt_foreign();
  void part_from_foreign(agent& who, detail::foreign_wait& ended);
  bool prepare(agent& who);
  [[gnu::cold, gnu::noinline]] void step_disturbed(agent& who);
  [[gnu::noinline]] void step_observed(agent& who);
  // One step.
  void resume(agent& who) {
    if (trace_.step(who.word_, who.leaf_frame_->where)) see_to_resumed_step();
    who.leaf_.resume();
    if (next) follow();
  }
  // Awaits of tasks that are too deep to be called, and the ends of tasks, come back to the loop with what is to be
  // resumed next; the root of a task, which nobody awaits, with itself. Returns whether the running task has ended.
  bool follow() {
    if (context::running->leaf_frame_ != nullptr) [[unlikely]]
      return follow_calls();
    next = nullptr;
    complete(*context::running);
    return true;
  }
  [[gnu::noinline]] bool follow_calls();
  void step_of_foreign(agent& who);
  void complete(agent& who);
  [[gnu::noinline]] void complete_specially(agent& who);
  void wake_joiners(agent& who);
  [[gnu::noinline]] void wake_several_joiners(agent& who);
  void main_ends() noexcept;
  void tell_watchers(agent& who) noexcept;
  [[gnu::cold, gnu::noinline]] static void grant_arm(operation& arm) noexcept;
  std::uint64_t pick(identity domain, std::string_view name, std::uint64_t options);
  agent& pick_next();
  agent& pick_observed(ready_view& view);
  template <bool Observed>
  agent& pick_among(ready_view& view);
  [[gnu::noinline]] agent& take_overtaking(const ready_view& view, std::size_t picked);
  [[noreturn, gnu::cold]] void refuse_pick(std::size_t picked);
  bool observe(const candidates& ready, std::size_t picked);
  [[gnu::cold]] bool observe_alone(agent& who, operation& op);
  [[gnu::cold]] void observe_end();
  template <bool InTurns>
  [[gnu::noinline]] void go_on();
  template <class Done>
  bool go_on_until(const Done& done);
  void go_on_switching();
  [[gnu::noinline]] void go_on_observed(ready_view& view);
  [[gnu::noinline]] bool go_on_attentively();
  bool idle();
  void report_cycle(const std::vector<agent*>& members) noexcept;
  void report_cycles() noexcept;
  verdict verdict_of(verdict_kind kind, std::string message, const source& where, std::vector<agent*> concerned,
                     const std::vector<task_snapshot>& trail = {});
  void reach_step_limit();
  [[gnu::cold]] void forget_what_few_have() noexcept;
  [[gnu::cold, gnu::noinline]] bool wind_up_tasks(bool everybody);
  void report_deadlock();
  [[gnu::cold]] void report_what_was_kept_back() noexcept;
  [[gnu::cold]] void part_with_those_kept(bool reported) noexcept;
  void report_unread(agent& who) noexcept;
  void destroy_frames(agent& who) noexcept;
  void destroy_tasks() noexcept;
  void let_go_of_leftovers() noexcept;
  void drop_calls() noexcept;
  void start_call(detail::scheduled_call& call);
  [[gnu::cold]] void part_ready_from(const object& dying, wait_list& orphans) noexcept;
  static void free_block(agent& who) noexcept;
  static void lose_owner(agent& who) noexcept;
  static agent* free_one(agent& who) noexcept;
  [[gnu::cold]] static void free_ancestors(agent* who) noexcept;
  static void destroy_result(agent& who) noexcept;
  [[gnu::cold]] static void destroy_failure(agent& who) noexcept;
  bool move_clock(time_point to);
  void fire(timer_list& due);
  void fire_in_picked_order(timer_list& due);
  void fire_overdue();
  void end_default_pool() noexcept;

  // What each step touches.
  ring<agent*> ready_;
  std::vector<agent*> frozen_;  // that would be ready
  std::atomic<std::uint16_t> attention_ = 0;
  oracle* oracle_ = nullptr;
  trace trace_;
  loop_limits limits_;

  // What is as it is here at the begin of every run: side by side, so that few stores do it.
  time_point now_{};
  duration wall_shift_{};
  agent* main_ = nullptr;
  disturbance* disturbed_by_ = nullptr;
  std::uint64_t excused_step_ = 0;  // that has run a blocking job
  executor* default_executor_ = nullptr;
  std::uint32_t daemons_ = 0;  // that have not finished
  std::uint32_t roots_ = 0;    // tasks that nobody spawned
  std::uint32_t gone_ = 0;     // the number of tasks, when all of them had gone
  std::uint32_t objects_made_ = 0;
  std::uint32_t fixture_objects_made_ = 0;  // those made while no task runs
  bool paused_ = false;
  bool standstill_ = false;
  bool cycle_found_ = false;
  bool tearing_down_ = false;
  bool given_up_ = false;
  bool default_executor_died_ = false;
  bool switching_ = false;  // since the last pick, a task came to an await at which others may run first

  driver& driver_;
  monitor& monitor_;
  timer_wheel timers_;
  wait_list settlers_;
  intrusive_list<detail::scheduled_call, detail::scheduled_call> calls_;  // that were not made yet, or are under way
  std::shared_ptr<const exception_handler> handler_;
  std::vector<std::shared_ptr<detail::kept_failure>> failures_;  // of futures; some may have been read
  std::vector<verdict> kept_back_;
  std::map<identity, std::uint64_t> picks_;  // how many were made in each domain
  std::shared_ptr<inbox> inbox_;
  ordering order_ = ordering::any_order;
  agent* dying_ = nullptr;
  std::uint64_t all_runs_ = 0;  // tells this loop apart
  std::uint64_t runs_ = 0;
  bool noting_ = false;
  intrusive_list<detail::quiet_listener> quiet_listeners_;
  run_listeners_list run_listeners_;
  detail::quiet_listener* asked_ = nullptr;
  bool running_tasks_ = false;  // until they are wound up
  std::unique_ptr<frame_pool> pool_;
  std::unique_ptr<agent_pool> agents_;
  bool yield_cancelled_ = false;
  first_step* starting_ = nullptr;  // the innermost
  unsigned cancels_nested_ = 0;
  std::vector<agent*> cancels_put_off_;
  std::unique_ptr<thread_pool> default_pool_;
  std::atomic<bool> resting_ = false;
  bool handling_ = false;                        // the exception handler is being called
  std::map<identity, agent*>* known_ = nullptr;  // those alive, within the scope of a `finding`
};

inline unsigned agent::requests_delivered() const noexcept {
  const bool one_is_pending = cancel_requests_ != 0 && (attention_ & loop::attention_cancel) != 0;
  return cancel_requests_ - (one_is_pending ? 1U : 0U);
}

// For who asks for many tasks while none is made or ends: find() looks them all up once, and is fast then.
class loop::finding {
 public:
  explicit finding(loop& in) noexcept : in_(in), outer_(in.known_) {
    if (outer_ == nullptr) in.known_ = &known_;
  }
  finding(const finding&) = delete;
  finding& operator=(const finding&) = delete;
  ~finding() { in_.known_ = outer_; }

 private:
  loop& in_;
  std::map<identity, agent*>* outer_;
  std::map<identity, agent*> known_;
};

// Makes a loop current on this thread for as long as it lives. `as` is the task in whose name objects are made.
class loop_scope {
 public:
  explicit loop_scope(loop& entered, agent* as = nullptr) noexcept;
  loop_scope(const loop_scope&) = delete;
  loop_scope& operator=(const loop_scope&) = delete;
  ~loop_scope();

 private:
  detail::context* outer_;
  detail::context& entered_;
  agent* outer_running_;
};

}  // namespace lockstep
