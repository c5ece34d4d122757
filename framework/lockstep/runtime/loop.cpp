#include <lockstep/runtime/loop.hpp>

#include <lockstep/runtime/exception_group.hpp>
#include <lockstep/runtime/inbox.hpp>

#include <fmt/format.h>

#include <utility>

namespace lockstep {

namespace detail {

void no_loop_here() {
  throw misuse("no lockstep loop runs on this thread: call this from a task, a CO_TEST, or sim::world::run()");
}

}  // namespace detail

loop::loop(driver& idle_driver, monitor& verdicts)
    : driver_(idle_driver), monitor_(verdicts), inbox_(std::make_shared<inbox>()),
      pool_(std::make_unique<frame_pool>(inbox_)), agents_(std::make_unique<agent_pool>(inbox_)) {
  owner = this;
  frames = pool_.get();
  agents = agents_.get();
}

loop::~loop() {
  {
    const loop_scope scope(*this);
    finish();
  }
  // Somebody may still hold a handle or a task of ours.
  frame_pool::retire(std::move(pool_));
  agent_pool::retire(std::move(agents_));
}

void loop::start(const loop_limits& limits, oracle* choices, ordering order, bool keep_trace) {
  limits_ = limits;
  oracle_ = choices;
  order_ = order;
  attention_.store(choices != nullptr && order == ordering::any_order ? attention_switch : 0,
                   std::memory_order_relaxed);
  trace_.start(limits.steps_max, keep_trace);
  now_ = time_point{};
  timers_.reset();
  picks_.clear();
  kept_back_.clear();
  wall_shift_ = {};
  main_ = nullptr;
  point_order = nullptr;
  advancing = 0;
  daemons_ = objects_made_ = fixture_objects_made_ = 0;
  paused_ = standstill_ = cycle_found_ = tearing_down_ = false;
  // Objects of earlier runs share the inbox, so no other loop's is at its address.
  context::run = hash_of(reinterpret_cast<std::uintptr_t>(inbox_.get()), ++runs_) | 1;
  inbox_->open(context::run);
}

// -- running ----------------------------------------------------------------------------------------------------------

void loop::run(agent& main) {
  const loop_scope scope(*this);
  context::stack_end = static_cast<const char*>(__builtin_frame_address(0)) - stack_bytes;
  main_ = &main;
  main.is_.main = true;
  // False if nothing can go on before.
  const auto go_on_until = [this](const auto& done) {
    while (!done() && !stopped()) {
      go_on();
      if (!done() && !stopped() && !idle()) return false;
    }
    return true;
  };
  if (!go_on_until([&main] { return main.finished(); })) report_deadlock();
  if (!main.finished() || stopped()) return;
  main_ = nullptr;
  report_cycles();
  attention_.fetch_and(static_cast<std::uint16_t>(~attention_main_done), std::memory_order_relaxed);
  if (daemons_ == 0) return;
  for (agent* who : alive()) {
    if (who->is_.daemon) who->cancel();
  }
  go_on_until([this] { return daemons_ == 0; });
}

void loop::go_on() {
  while (!ready_.empty()) {
    agent& first = *ready_[0];
    if ((attention_.load(std::memory_order_relaxed) | first.attention_) != 0) [[unlikely]] {
      if (!go_on_attentively()) break;
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
    who = &pick_next();
    ++who->steps_;
  }
  context::running = who;
  if (who->attention_ == 0 || prepare(*who)) resume(*who);
  return true;
}

// One step.
inline void loop::resume(agent& who) {
  note_step(who, who.label_);
  who.leaf_.resume();
  if (next) follow();
}

// Awaits of tasks that are too deep to be called, and the ends of tasks, come back to the loop with what is to be
// resumed next; the root of a task, which nobody awaits, with itself. Returns whether the running task has ended.
bool loop::follow() {
  do {
    const std::coroutine_handle<> following = std::exchange(next, nullptr);
    if (context::running->leaf_frame_ == nullptr) {
      complete(*context::running);
      return true;
    }
    following.resume();
  } while (next);
  return false;
}

// What has to be seen to before a task is resumed. False if it is not to be resumed after all.
bool loop::prepare(agent& who) {
  operation* op = who.operation_;
  if ((who.attention_ & attention_doomed) != 0) {
    stop();
    return false;
  }
  // Other awaits have seen to that when they began.
  if (op == nullptr && (who.attention_ & (attention_cancel | attention_swallow)) == attention_swallow) {
    note_swallowed(who);
  }
  if ((who.attention_ & attention_cancel) != 0 &&
      (op == nullptr || op->progress_ != operation::progress::granted || op->revoke())) {
    who.attention_ = static_cast<std::uint16_t>(who.attention_ & ~(attention_cancel | attention_retry));
    if (who.label_ == trace::label(operation_kind::start, 0)) {
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
    if (op->attempt()) {
      op->progress_ = operation::progress::granted;
    } else {
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

inline void loop::wake_joiners(agent& who) {
  who.joiners_.drain([this](operation& each) { grant(each); });
}

void loop::complete(agent& who) {
  context::running = nullptr;
  who.state_ = agent::state::done;
  if (who.is_.main || who.is_.daemon || who.is_.watched || agent::start_frame_of(who.root_)->failure) [[unlikely]]
    return complete_specially(who);
  wake_joiners(who);
}

void loop::complete_specially(agent& who) {
  if (who.is_.main) request(attention_main_done);
  if (const std::exception_ptr failed = who.failure()) who.is_.cancelled = holds<cancelled>(failed);
  wake_joiners(who);
  if (who.is_.daemon) {
    --daemons_;
    release(who);
  } else if (who.is_.watched) {
    who.listener_->finished(who);  // which may release it
  }
}

class loop::ready_view final : public candidates {
 public:
  ready_view(const ring<agent*>& ready, bool switching) noexcept : ready_(ready), switching_(switching) {}
  std::size_t size() const noexcept override { return ready_.size(); }
  candidate operator[](std::size_t i) const noexcept override {
    const agent& who = *ready_[i];
    const operation* op = who.operation_;
    const identity object = op != nullptr && op->what_ != nullptr ? op->what_->id() : 0;
    return {who.identity_, who.steps_ + 1, trace::kind_of(who.label_), object};
  }
  bool first_is_running() const noexcept override { return switching_; }

 private:
  const ring<agent*>& ready_;
  bool switching_;
};

agent& loop::pick_next() {
  if (oracle_ == nullptr || ready_.size() == 1 || order_ == ordering::fifo) return *ready_.pop_front();
  // Whether the first could go on. One that was overtaken before is ready to retry as well, but has lost its turn.
  const bool switching = ready_[0] == context::running && (ready_[0]->attention_ & attention_retry) != 0;
  const std::size_t picked = oracle_->pick_task(ready_view(ready_, switching));
  if (picked >= ready_.size()) {
    misused(fmt::format("the oracle picked task {} of {}", picked, ready_.size()));
  }
  agent& who = *ready_.take(picked);
  // A task that could have gone on and was overtaken queues behind the others.
  if (switching && picked != 0) ready_.push_back(ready_.pop_front());
  return who;
}

bool loop::idle() {
  if (!inbox_->empty()) take_from_outside();
  if (!ready_.empty()) return true;
  if (!settlers_.empty()) {
    grant(settlers_.pop_front());
    return true;
  }
  return driver_.idle(*this);
}

bool loop::advance_to_next_deadline() {
  if (timers_.empty()) return false;
  timer_list& due = timers_.earliest();
  now_ = due.front().deadline();
  trace_.time_moved(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
  if (now_ > limits_.time_max) {
    standstill_ = true;
    report_cycles();
    report(verdict_kind::time_limit,
           fmt::format("virtual time passed {} (time_max); what still waits:",
                       to_text(limits_.time_max.time_since_epoch())),
           source(), alive());
    stop();
    return true;
  }
  if (oracle_ != nullptr && order_ == ordering::fifo) {
    fire_in_picked_order(due);
  } else {
    while (!due.empty()) {
      timer& first = due.front();
      timers_.disarm(first);
      first.fire();
    }
  }
  return true;
}

// In fifo order, which of the timers due at one instant is first is still the world's choice. Each instant is a domain
// of its own, so that a timer more at another one shifts no answer.
void loop::fire_in_picked_order(timer_list& due) {
  identity domain = 0;
  std::uint64_t picks = 0;
  while (!due.empty()) {
    std::uint64_t picked = 0;
    if (const std::uint64_t left = due.size(); left > 1) {
      if (domain == 0) domain = domain_identity(fmt::format("timers-{}", now_.time_since_epoch().count()));
      picked = oracle_->pick_value({domain, ++picks}, left);
      if (picked >= left) {  // reported but not thrown: the timers that are left must fire
        report(verdict_kind::misuse, fmt::format("the oracle picked timer {} of {}", picked, left), source());
        picked = 0;
      }
    }
    auto at = due.begin();
    for (; picked > 0; --picked) ++at;
    timer& item = *at;
    timers_.disarm(item);
    item.fire();
  }
}

std::uint64_t loop::pick(identity domain, std::uint64_t options) {
  std::uint64_t answer = 0;
  if (options > 1) {
    const std::uint64_t nth = ++picks_[domain];
    if (oracle_ != nullptr) answer = oracle_->pick_value({domain, nth}, options);
    if (answer >= options) misused(fmt::format("the oracle picked value {} of {}", answer, options));
    trace_.value_picked(context::running != nullptr ? context::running->number_ : 0, domain, answer);
  }
  return answer;
}

// -- awaiting ---------------------------------------------------------------------------------------------------------

bool loop::begin_attentively(operation& op) {
  agent& who = *context::running;
  note_slow_step();
  if ((who.attention_ & attention_doomed) != 0) stop();
  if (stopped()) {
    op.progress_ = operation::progress::stopped;
    return false;
  }
  if ((who.attention_ & attention_cancel) != 0) {
    who.attention_ = static_cast<std::uint16_t>(who.attention_ & ~attention_cancel);
    who.attention_ |= attention_swallow;
    ++who.steps_;
    note_step(who, op.label_);
    op.progress_ = operation::progress::cancelled;
    return true;
  }
  if ((who.attention_ & attention_swallow) != 0) note_swallowed(who);
  if (asked_for(attention_switch) && !ready_.empty()) {
    op.progress_ = operation::progress::switching;
    return false;
  }
  if (!op.attempt()) return false;
  op.progress_ = operation::progress::granted;
  ++who.steps_;
  note_step(who, op.label_);
  return true;
}

void loop::note_swallowed(agent& who) {
  who.attention_ = static_cast<std::uint16_t>(who.attention_ & ~attention_swallow);
  report(
      verdict_kind::swallowed_cancellation,
      fmt::format("task \"{}\" caught `cancelled` and awaits again; throw it on, call uncancel(), or clean up within "
                  "shield()",
                  who.name()),
      source(), {&who});
}

void loop::park_unusually(operation& op, std::coroutine_handle<> leaf, frame* awaiting) {
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
    case operation::progress::fresh:
      op.progress_ = operation::progress::parked;
      op.enqueue();
      break;
    case operation::progress::switching:
      who->state_ = agent::state::ready;
      who->attention_ |= attention_retry;
      ready_.push_front(who);
      break;
    default: break;  // stopped: nothing will wake it
  }
}

// -- tasks ------------------------------------------------------------------------------------------------------------

// Requires a free block.
inline agent& loop::make_agent(std::coroutine_handle<> root, frame& first, source spawned_at) {
  agent& who = agents_->take();
  agent* const parent = context::running;
  const std::uint32_t ordinal = parent != nullptr ? ++parent->spawned_ : 0;
  const identity made = parent != nullptr ? task_identity(parent->identity_, ordinal) : main_identity;
  who.begin(made, trace_.tasks_made(), root, first, parent, ordinal, spawned_at);
  return trace_.task_made(made) ? after_turn(who) : who;
}

agent& loop::after_turn(agent& who) {
  trace_.turn();
  return who;
}

agent& loop::adopt(std::coroutine_handle<> root, source spawned_at) {
  if (!agents_->has_free()) [[unlikely]]
    return adopt_after_refill(root, spawned_at);
  frame& first = *agent::start_frame_of(root);
  first.begin_as_root(root);
  ready_.push_back(agents_->next());
  return make_agent(root, first, spawned_at);
}

agent& loop::adopt_after_refill(std::coroutine_handle<> root, source spawned_at) {
  refill_agents();
  return adopt(root, spawned_at);
}

// An agent for a foreign coroutine, which is not ready.
agent& loop::adopt_foreign() {
  if (!agents_->has_free()) refill_agents();
  agent& stand_in = make_agent({}, no_frame, source());
  stand_in.rare().foreign_frame = &no_frame;
  stand_in.is_.in_foreign = true;
  stand_in.attention_ |= attention_foreign;
  return stand_in;
}

// Each has its place in the ready queue from now on.
void loop::refill_agents() {
  agents_->refill();
  ready_.reserve(agents_->made());
}

// Its frame, with the result and what was passed to it by value.
inline void loop::destroy_result(agent& who) noexcept {
  if (who.is_.cancelled || who.start_frame()->failure) [[unlikely]]
    return destroy_failure(who);
  std::exchange(who.root_, nullptr).destroy();
}

void loop::destroy_failure(agent& who) noexcept {
  if (!who.is_here()) return std::exchange(who.root_, nullptr).destroy();  // the handle outlived its run
  loop* const reporter = current_loop();
  // Where nothing could go on, a task that failed unseen is the likely cause.
  if (!who.is_.observed && !who.is_.cancelled && (!reporter->tearing_down_ || reporter->standstill_)) {
    reporter->report_unread(who);
  }
  // A task among its parameters was not forgotten: the way to its await was cut.
  agent* const outer_dying = std::exchange(reporter->dying_, &who);
  std::exchange(who.root_, nullptr).destroy();
  reporter->dying_ = outer_dying;
}

// Children still name it as their parent. Its frame goes all the same: a handle of a child may lie in there.
void loop::lose_owner(agent& who) noexcept {
  if (!who.finished()) return;
  ++who.references_;
  destroy_result(who);
  who.leaf_frame_ = nullptr;
  if (--who.references_ == 0) free_block(who);
}

// Returns the parent, if nobody is left who needs that.
inline agent* loop::free_one(agent& who) noexcept {
  if (who.root_) destroy_result(who);
  if (who.rare_) [[unlikely]]
    who.rare_.reset();
  agent* const parent = who.parent_;
  agent_pool::give_back(who);
  return parent != nullptr && --parent->references_ == 0 ? parent : nullptr;
}

void loop::free_block(agent& who) noexcept {
  if (agent* const parent = free_one(who); parent != nullptr) [[unlikely]]
    free_ancestors(parent);
}

void loop::free_ancestors(agent* who) noexcept {
  while (who != nullptr) who = free_one(*who);
}

void loop::kill(agent& who) noexcept {
  if (who.finished()) return;
  if (context::running == &who) {
    report(verdict_kind::misuse, fmt::format("task \"{}\" destroys its own handle", who.name()), who.spawned_at_,
           {&who});
    make_daemon(who);
    ++who.references_;
    return;
  }
  operation* op = who.operation_;
  if (who.state_ == agent::state::ready) {
    for (std::size_t i = 0; i < ready_.size(); ++i) {
      if (ready_[i] == &who) {
        ready_.take(i);
        break;
      }
    }
    // In a run that ends, nobody is left to take it, and the object may be gone.
    if (op != nullptr && op->progress_ == operation::progress::granted && !tearing_down_) op->revoke();
  } else if (op->progress_ == operation::progress::parked) {
    op->withdraw();
  }
  const bool owned_by_loop = who.is_.daemon || !who.root_;
  who.state_ = agent::state::dead;
  if (who.is_.daemon) --daemons_;
  agent* const outer_dying = std::exchange(dying_, &who);
  destroy_frames(who);
  dying_ = outer_dying;
  // Whoever joins it does so through a handle that is gone.
  while (!who.joiners_.empty()) who.joiners_.pop_front().orphan();
  if (who.is_.watched) {
    detail::finish_listener& listener = *who.listener_;
    who.listen(nullptr);
    listener.finished(who);
  }
  if (owned_by_loop) release(who);
}

// Leaf first: each frame is gone before the locals of its caller, which it may point to. Where the chain passes through
// something foreign, it goes on with the frame that awaits that; destroying this frame destroys the foreign coroutine
// and closes the wait.
void loop::destroy_frames(agent& who) noexcept {
  std::coroutine_handle<> handle = who.leaf_;
  frame* at = who.leaf_frame_;
  // A foreign leaf is owned by the frame that awaits it.
  const agent::rarities* rare = who.is_.in_foreign ? who.rare_.get() : nullptr;
  if (rare != nullptr && at == rare->foreign_frame) handle = rare->foreign_leaf;
  who.root_ = nullptr;
  while (at != nullptr && at != &no_frame) {
    frame* const caller = at->caller;
    const std::coroutine_handle<> after = at->resume_after;
    if (at->owner != nullptr && *at->owner) *at->owner = nullptr;
    handle.destroy();
    at = caller;
    handle = rare != nullptr && at == rare->foreign_frame ? rare->foreign_leaf : after;
  }
  who.leaf_frame_ = nullptr;
}

void loop::kill_descendants(agent& ancestor) noexcept {
  const auto descends = [&ancestor](const agent& who) {
    for (const agent* at = who.parent_; at != nullptr; at = at->parent_) {
      if (at == &ancestor) return true;
    }
    return false;
  };
  std::vector<agent*> doomed;
  for (agent* who : alive()) {
    if (who != context::running && descends(*who)) doomed.push_back(who);
  }
  const bool was_tearing_down = std::exchange(tearing_down_, true);
  for (agent* who : doomed) retain(*who);
  for (auto who = doomed.rbegin(); who != doomed.rend(); ++who) kill(**who);
  for (agent* who : doomed) release(*who);
  tearing_down_ = was_tearing_down;
}

void loop::tear_down() noexcept {
  tearing_down_ = true;
  context::running = nullptr;
  // Again, as destructors may spawn.
  for (std::vector<agent*> left = alive(); !left.empty(); left = alive()) {
    for (agent* who : left) retain(*who);
    while (!left.empty()) {
      kill(*left.back());
      release(*left.back());
      left.pop_back();
    }
  }
  timers_.reset();
  ready_.clear();
  settlers_.reset();
  if (!inbox_->empty()) take_from_outside();  // of the waits, none is left
}

void loop::finish() noexcept {
  tear_down();
  take_from_outside(true);
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
