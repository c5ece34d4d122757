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
      pool_(std::make_unique<frame_pool>(inbox_)) {
  owner = this;
  frames = pool_.get();
}

loop::~loop() {
  {
    const loop_scope scope(*this);
    finish();
  }
  // Somebody may still hold a handle or a task of ours.
  frame_pool::retire(std::move(pool_));
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
  agents_made_ = agents_alive_ = objects_made_ = fixture_objects_made_ = 0;
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
  std::vector<agent*> daemons;
  for (agent& who : agents_) {
    if (who.daemon_) daemons.push_back(&who);
  }
  for (agent* daemon : daemons) daemon->cancel();
  go_on_until([this] {
    for (const agent& who : agents_) {
      if (who.daemon_) return false;
    }
    return true;
  });
}

void loop::go_on() {
  while (!ready_.empty()) {
    if (attention_.load(std::memory_order_relaxed) != 0) [[unlikely]] {
      note_slow_step();
      if (asked_for(attention_stop | attention_main_done)) break;
      agent& picked = pick_next();
      ++picked.steps_;
      step(picked);
      continue;
    }
    agent& who = *ready_.pop_front();
    __builtin_prefetch(*ready_.place(1));
    step(who);
  }
  note_slow_step();
  context::running = nullptr;
}

inline void loop::step(agent& who) {
  context::running = &who;
  if (who.attention_ != 0) [[unlikely]] {
    if (!prepare(who)) return;
  }
  resume(who);
}

// One step. Awaits of tasks that are too deep to be called, and the ends of tasks, come back here with what to resume
// next.
inline void loop::resume(agent& who) {
  note_step(who, *who.operation_);
  who.leaf_.resume();
  while (next) std::exchange(next, nullptr).resume();
  if (who.leaf_frame_ == nullptr) complete(who);
}

// What has to be seen to before a task is resumed. False if it is not to be resumed after all.
bool loop::prepare(agent& who) {
  operation* op = who.operation_;
  if ((who.attention_ & attention_doomed) != 0) {
    stop();
    return false;
  }
  // Other awaits have seen to that when they began.
  if (op == &yield_ && (who.attention_ & (attention_cancel | attention_swallow)) == attention_swallow) {
    note_swallowed(who);
  }
  if ((who.attention_ & attention_cancel) != 0 && (op->progress_ != operation::progress::granted || op->revoke())) {
    who.attention_ = static_cast<std::uint16_t>(who.attention_ & ~(attention_cancel | attention_retry));
    if (op == &start_) {
      who.was_cancelled_ = true;
      complete(who);
      return false;
    }
    who.attention_ |= attention_swallow;
    if (op == &yield_) {
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

void loop::complete(agent& who) {
  context::running = nullptr;
  who.state_ = agent::state::done;
  if (&who == main_) request(attention_main_done);
  if (who.start_frame_->failure) [[unlikely]]
    who.was_cancelled_ = holds<cancelled>(who.start_frame_->failure);
  static_cast<list_hook<agent>&>(who).unlink();
  --agents_alive_;
  while (!who.joiners_.empty()) grant(who.joiners_.pop_front());
  if (who.daemon_) {
    release(who);
  } else if (who.listener_ != nullptr) {
    who.listener_->finished(who);  // which may release it
  }
}

class loop::ready_view final : public candidates {
 public:
  ready_view(const ring<agent*>& ready, bool switching) noexcept : ready_(ready), switching_(switching) {}
  std::size_t size() const noexcept override { return ready_.size(); }
  candidate operator[](std::size_t i) const noexcept override {
    const agent& who = *ready_[i];
    const operation& op = *who.operation_;
    return {who.identity_, who.steps_ + 1, op.kind(), op.what_ != nullptr ? op.what_->id() : 0};
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
    note_step(who, op);
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
  note_step(who, op);
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
  who->operation_ = &op;
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

agent& loop::adopt(std::coroutine_handle<> root, frame* root_frame, const source& spawned_at) {
  agent* const parent = context::running;
  const std::uint32_t ordinal = parent != nullptr ? ++parent->spawned_ : 0;
  const identity made = parent != nullptr ? task_identity(parent->identity_, ordinal) : main_identity;
  void* const block = frame_pool::take(pool_.get(), sizeof(agent));
  agent& who = *::new (block) agent(made, agents_made_++, root, root_frame, start_, parent, ordinal, spawned_at);
  trace_.task_made(who.number_, made);
  if (root) {
    root_frame->caller = nullptr;
    root_frame->owner = nullptr;
    root_frame->resume_after = nullptr;
  }
  agents_.push_back(who);
  ready_.reserve(++agents_alive_);
  ready_.push_back(&who);
  return who;
}

// Its frame, with the result and what was passed to it by value.
void loop::destroy_result(agent& who) noexcept {
  const std::coroutine_handle<> root = std::exchange(who.root_, nullptr);
  const bool cut_short = who.was_cancelled_ || who.start_frame_->failure != nullptr;
  if (!cut_short || !who.is_here()) [[likely]]  // it is not when a handle outlived its run
    return root.destroy();
  loop* const reporter = current_loop();
  // Where nothing could go on, a task that failed unseen is the likely cause.
  if (!who.observed_ && !who.was_cancelled_ && (!reporter->tearing_down_ || reporter->standstill_)) {
    reporter->report_unread(who);
  }
  // A task among its parameters was not forgotten: the way to its await was cut.
  agent* const outer_dying = std::exchange(reporter->dying_, &who);
  root.destroy();
  reporter->dying_ = outer_dying;
}

// Children still name it as their parent. Its frame goes all the same: a handle of a child may lie in there.
void loop::lose_owner(agent& who) noexcept {
  if (!who.finished()) return;
  ++who.references_;
  destroy_result(who);
  who.start_frame_ = who.leaf_frame_ = nullptr;
  if (--who.references_ == 0) free_block(who);
}

void loop::free_block(agent& first) noexcept {
  agent* who = &first;
  while (who != nullptr) {
    if (who->root_) destroy_result(*who);
    agent* parent = who->parent_;
    who->~agent();
    frame_pool::give_back(who, sizeof(agent));
    who = parent != nullptr && --parent->references_ == 0 ? parent : nullptr;
  }
}

void loop::kill(agent& who) noexcept {
  if (who.finished()) return;
  if (context::running == &who) {
    report(verdict_kind::misuse, fmt::format("task \"{}\" destroys its own handle", who.name()), who.spawned_at_,
           {&who});
    who.daemon_ = true;
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
    if (op->progress_ == operation::progress::granted && !tearing_down_) op->revoke();
  } else if (op->progress_ == operation::progress::parked) {
    op->withdraw();
  }
  const bool owned_by_loop = who.daemon_ || !who.root_;
  who.state_ = agent::state::dead;
  static_cast<list_hook<agent>&>(who).unlink();
  --agents_alive_;
  agent* const outer_dying = std::exchange(dying_, &who);
  destroy_frames(who);
  dying_ = outer_dying;
  // Whoever joins it does so through a handle that is gone.
  while (!who.joiners_.empty()) who.joiners_.pop_front().orphan();
  if (who.listener_ != nullptr) std::exchange(who.listener_, nullptr)->finished(who);
  if (owned_by_loop) release(who);
}

// Leaf first: each frame is gone before the locals of its caller, which it may point to. Where the chain passes through
// something foreign, it goes on with the frame that awaits that; destroying this frame destroys the foreign coroutine
// and closes the wait.
void loop::destroy_frames(agent& who) noexcept {
  std::coroutine_handle<> handle = who.leaf_;
  frame* at = who.leaf_frame_;
  // A foreign leaf is owned by the frame that awaits it.
  const agent::rarities* rare = who.in_foreign_ ? who.rare_.get() : nullptr;
  if (rare != nullptr && at == rare->foreign_frame) handle = rare->foreign_leaf;
  who.root_ = nullptr;
  while (at != nullptr && at != &no_frame) {
    frame* const caller = at->caller;
    const std::coroutine_handle<> after = at->resume_after;
    if (at->owner != nullptr) *at->owner = nullptr;
    handle.destroy();
    at = caller;
    handle = rare != nullptr && at == rare->foreign_frame ? rare->foreign_leaf : after;
  }
  who.start_frame_ = who.leaf_frame_ = nullptr;
}

void loop::kill_descendants(agent& ancestor) noexcept {
  const auto descends = [&ancestor](const agent& who) {
    for (const agent* at = who.parent_; at != nullptr; at = at->parent_) {
      if (at == &ancestor) return true;
    }
    return false;
  };
  std::vector<agent*> doomed;
  for (agent& who : agents_) {
    if (&who != context::running && descends(who)) doomed.push_back(&who);
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
  while (!agents_.empty()) {
    agent& youngest = agents_.back();
    retain(youngest);
    kill(youngest);
    release(youngest);
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
