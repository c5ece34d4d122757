// The loop's tasks: how they are made, how they end and are freed, and how they are destroyed before they have ended.
#include <lockstep/runtime/loop.hpp>

#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/exception_group.hpp>
#include <lockstep/runtime/inbox.hpp>
#include <lockstep/runtime/spawn.hpp>
#include <lockstep/runtime/task.hpp>
#include <lockstep/runtime/task_local.hpp>
#include <lockstep/runtime/thread_pool.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

namespace lockstep {

// -- making -----------------------------------------------------------------------------------------------------------

inline agent& loop::make_agent(agent& who, std::coroutine_handle<> root, frame& first, agent* parent,
                               source spawned_at) {
  if (parent == nullptr) ++roots_;
  const std::uint32_t ordinal = parent != nullptr ? ++parent->spawned_ : 0;
  const identity made = parent != nullptr ? task_identity(parent->identity_, ordinal) : main_identity;
  who.begin(made, trace_.tasks_made(), root, first, parent, ordinal, spawned_at);
  return trace_.task_made(made) ? after_turn(who) : who;
}

agent& loop::after_turn(agent& who) {
  trace_.turn();
  return who;
}

// Requires a free block.
inline agent& loop::adopt_at_once(std::coroutine_handle<> root, frame& first, agent* parent, source spawned_at) {
  agent& who = agents_->take();
  first.begin_as_root(root);
  ready_.push_back(&who);
  return make_agent(who, root, first, parent, spawned_at);
}

agent& loop::adopt(std::coroutine_handle<> root, source spawned_at) {
  frame& first = *agent::start_frame_of(root);
  agent* const parent = context::running;
  if (first.made_in() != context::frames || !agents_->has_free()) [[unlikely]]
    return adopt_carefully(root, first, spawned_at);
  if (parent == nullptr || parent->is_.has_values) [[unlikely]]
    return parent == nullptr && detail::values_here() == nullptr ? adopt_at_once(root, first, nullptr, spawned_at)
                                                                 : adopt_carefully(root, first, spawned_at);
  return adopt_at_once(root, first, parent, spawned_at);
}

// So that nothing that follows can fail. Destroys `root` if it throws.
void loop::make_room_for(std::coroutine_handle<> root, frame& first, agent::inheritance& given) {
  detail::refuse_if_elsewhere(root, first);
  struct destroyed_if_thrown {
    std::coroutine_handle<> root;
    ~destroyed_if_thrown() {
      if (root) root.destroy();
    }
  } unowned{root};
  if (!agents_->has_free()) refill_agents();
  given = agent::to_inherit();
  unowned.root = nullptr;
}

agent& loop::adopt_carefully(std::coroutine_handle<> root, frame& first, source spawned_at) {
  agent::inheritance given;
  make_room_for(root, first, given);
  agent& made = adopt_at_once(root, first, context::running, spawned_at);
  made.inherit(std::move(given));
  return made;
}

agent& loop::adopt_apart(std::coroutine_handle<> root, source spawned_at) {
  frame& first = *agent::start_frame_of(root);
  agent::inheritance given;
  make_room_for(root, first, given);
  first.begin_as_root(root);
  agent& made = make_agent(agents_->take(), root, first, context::running, spawned_at);
  made.inherit(std::move(given));
  return made;
}

agent& loop::adopt_parked(std::coroutine_handle<> root, source spawned_at, operation& until) {
  agent& who = adopt_apart(root, spawned_at);
  who.waits_at(until);
  who.state_ = agent::state::parked;
  until.who_ = &who;
  until.progress_ = operation::progress::parked;
  if (until.attempt()) {
    grant(until);
  } else {
    until.enqueue();
  }
  return who;
}

void loop::spawn_clean_up(std::coroutine_handle<> root, source of) {
  agent* const dropper = context::running != nullptr ? context::running : dying_;
  const loop_scope scope(*this, dropper != nullptr ? dropper : main_);
  agent& made = adopt(root, of);
  detail::spawn_guard guard(made);
  made.rename(label(fmt::format("clean-up of {}", function_of(of))), detail::unseen);
  made.rare().cleans_up = true;
  make_daemon(guard.pass());
}

// An agent for a foreign coroutine, which is not ready.
agent& loop::adopt_foreign() {
  if (!agents_->has_free()) refill_agents();
  agent::inheritance given = agent::to_inherit();
  agent& stand_in = make_agent(agents_->take(), {}, no_frame, context::running, source());
  stand_in.inherit(std::move(given));
  stand_in.rare().foreign_frame = &no_frame;
  stand_in.is_.in_foreign = true;
  stand_in.attention_ |= attention_foreign;
  return stand_in;
}

// Each has its place in the ready queue from now on.
void loop::refill_agents() {
  ready_.reserve(agents_->made() + agent_pool::blocks_at_once);
  agents_->refill();
}

std::vector<agent*> loop::tasks() const {
  std::vector<agent*> found = alive();
  std::erase_if(found, [](const agent* who) { return who->is_callback(); });
  return found;
}

// -- ending -----------------------------------------------------------------------------------------------------------

void loop::wake_joiners(agent& who) {
  who.joiners_.drain([this](operation& each) { grant(each); });
}

void loop::wake_several_joiners(agent& who) {
  wake_joiners(who);
  if (who.is_.main) main_ends();
}

void loop::complete(agent& who) {
  context::running = nullptr;
  who.state_ = agent::state::done;
  constexpr auto bits_of = [](detail::step_state::marks is) { return std::bit_cast<std::uint8_t>(is); };
  const bool special = (bits_of(who.is_) & bits_of({.daemon = true, .watched = true})) != 0;
  const bool asked_to_stop = (who.attention_ & attention_cancel) != 0;
  if (special || asked_to_stop || agent::start_frame_of(who.root_)->failure) [[unlikely]]
    return complete_specially(who);
  // Measured: nothing but tail calls, so that nothing has to be saved where one task waits at most.
  if (!who.joiners_.empty()) {
    operation& first = who.joiners_.front();
    if (!who.joiners_.is_only(first) || first.progress_ == operation::progress::arm) [[unlikely]]
      return wake_several_joiners(who);
    who.joiners_.pop_front();
    grant(first);
  }
  if (who.is_.main) main_ends();
}

// Where nobody is ready, the run ends anyway, and without an atomic operation.
inline void loop::main_ends() noexcept {
  if (!ready_.empty()) request(attention_main_done);
}

void loop::complete_specially(agent& who) {
  const bool main = who.is_.main;
  if (const std::exception_ptr failed = who.failure(detail::unseen)) {
    who.is_.cancelled = holds<cancelled>(failed);
    if (takes_notes() && !who.is_.cancelled && (who.attention_ & attention_doomed) == 0) {
      const loop_scope in_its_name(*this, &who);
      const sparing_allocations of_the_trace;
      note("threw", text_of(failed));
    }
  } else if ((who.attention_ & attention_cancel) != 0) {
    who.is_.cancelled = true;  // it has returned before the request could be delivered
  }
  wake_joiners(who);
  if (who.is_.daemon) {
    --daemons_;
    release(who);
  } else if (who.is_.watched) {
    tell_watchers(who);
  }
  if (main) main_ends();
}

// The listener is last, as it may release the task.
void loop::tell_watchers(agent& who) noexcept {
  detail::finish_listener* const listener = who.listener_;
  who.listen(nullptr);
  if (who.rare_) who.rare_->watches.drain([&who](detail::finish_watch& each) { each.finished(who); });
  if (listener != nullptr) listener->finished(who);
}

// -- freeing ----------------------------------------------------------------------------------------------------------

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
  if (!who.is_.observed && !who.is_.cancelled && (!reporter->destroying() || reporter->standstill_)) {
    reporter->report_unread(who);
  }
  // A task among its parameters was not forgotten: the way to its await was cut.
  agent* const outer_dying = std::exchange(reporter->dying_, &who);
  std::exchange(who.root_, nullptr).destroy();
  reporter->dying_ = outer_dying;
}

// Children still name it as their parent. Its frame goes all the same: a handle of a child may lie in there.
void loop::lose_owner(agent& who) noexcept {
  if (!who.finished(detail::unseen)) return;
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

// -- cancelling -------------------------------------------------------------------------------------------------------

void loop::cancel_wait(agent& who) noexcept {
  constexpr unsigned nested_max = 64;
  if (cancels_nested_ >= nested_max) {
    const sparing_allocations of_the_loop;
    try {
      cancels_put_off_.push_back(&who);
      return retain(who);
    } catch (const std::bad_alloc&) {  // then the stack has to do
    }
  }
  ++cancels_nested_;
  who.cancel_wait();
  if (cancels_nested_ == 1) {
    for (std::size_t i = 0; i < cancels_put_off_.size(); ++i) {
      agent& deeper = *cancels_put_off_[i];
      if (deeper.state_ == agent::state::parked && deeper.cancel_requests_ != 0) deeper.cancel_wait();
      release(deeper);
    }
    cancels_put_off_.clear();
  }
  --cancels_nested_;
}

// -- destroying -------------------------------------------------------------------------------------------------------

void loop::kill(agent& who, bool joinable) noexcept {
  if (who.finished(detail::unseen)) return;
  if (seat_of(who) != nullptr) {
    const sparing_allocations of_reports;
    report(verdict_kind::misuse,
           context::running == &who
               ? fmt::format("task \"{}\" destroys its own handle", who.name(detail::unseen))
               : fmt::format("task \"{}\" destroys the handle of task \"{}\", which is just starting it",
                             context::running->name(detail::unseen), who.name(detail::unseen)),
           who.spawned_at_, {&who});
    make_daemon(who);
    ++who.references_;
    return;
  }
  operation* op = who.operation_;
  detail::touch(who.identity_, access::write);
  if (context::observer != nullptr && op != nullptr) op->touch_end();
  if (who.state_ == agent::state::ready) {
    std::erase(frozen_, &who);
    for (std::size_t i = ready_.size(); i-- > 0;) {  // from behind, as the youngest are killed first
      if (ready_[i] == &who) {
        ready_.take(i);
        break;
      }
    }
    if (op != nullptr && op->progress_ == operation::progress::granted) op->revoke();
  } else if (op->progress_ == operation::progress::parked) {
    op->withdraw();
  }
  const bool owned_by_loop = who.is_.daemon || !who.root_;
  who.state_ = agent::state::dead;
  if (who.is_.daemon) --daemons_;
  agent* const outer_dying = std::exchange(dying_, &who);
  destroy_frames(who);
  dying_ = outer_dying;
  if (joinable) who.joiners_.drain([this](operation& each) { grant(each); });
  // Whoever joins it does so through a handle that is gone.
  while (!who.joiners_.empty()) who.joiners_.pop_front().orphan();
  if (who.is_.watched || (who.rare_ && !who.rare_->watches.empty())) tell_watchers(who);
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
    const frame* const outer = std::exchange(context::destroyed, at);
    handle.destroy();
    context::destroyed = outer;
    at = caller;
    handle = rare != nullptr && at == rare->foreign_frame ? rare->foreign_leaf : after;
  }
  who.leaf_frame_ = nullptr;
}

// Without choices, nobody looks at the objects of those who are ready, and none of them has an operation to attempt.
void loop::part_ready_from(const object& dying, wait_list& orphans) noexcept {
  for (std::size_t i = 0; i < ready_.size();) {
    agent& who = *ready_[i];
    if (who.operation_ == nullptr || !who.operation_->part_from(dying, orphans)) {
      ++i;
    } else {
      ready_.take(i);
      who.state_ = agent::state::parked;
    }
  }
  std::erase_if(frozen_, [&](agent* who) {
    if (who->operation_ == nullptr || !who->operation_->part_from(dying, orphans)) return false;
    who->state_ = agent::state::parked;
    return true;
  });
}

// What is kept of it is only that it was cancelled, and why.
void loop::strike(agent& who, label reason) noexcept {
  if (who.finished(detail::unseen) || seat_of(who) != nullptr) return;
  retain(who);
  who.keep_reason(std::move(reason));
  kill(who, true);
  who.is_.cancelled = who.is_.observed = true;
  if (--who.references_ == 0) free_block(who);  // as in step_disturbed()
}

// It has its turn behind those that are ready.
void loop::thaw(agent& who) noexcept {
  who.attention_ = static_cast<std::uint16_t>(who.attention_ & ~attention_frozen);
  const auto at = std::find(frozen_.begin(), frozen_.end(), &who);
  if (at == frozen_.end()) return;
  frozen_.erase(at);
  ready_.push_back(&who);
}

void loop::kill_descendants(agent& ancestor) noexcept {
  const sparing_allocations of_reports;
  const auto descends = [&ancestor](const agent& who) {
    for (const agent* at = who.parent_; at != nullptr; at = at->parent_) {
      if (at == &ancestor) return true;
    }
    return false;
  };
  std::vector<agent*> doomed;
  for (agent* who : alive()) {
    if (seat_of(*who) == nullptr && descends(*who)) doomed.push_back(who);
  }
  for (agent* who : doomed) retain(*who);
  for (auto who = doomed.rbegin(); who != doomed.rend(); ++who) kill(**who);
  for (agent* who : doomed) release(*who);
}

void loop::destroy_tasks() noexcept {
  // Again, as destructors may spawn.
  for (std::vector<agent*> left = alive(); !left.empty(); left = alive()) {
    for (agent* who : left) retain(*who);
    while (!left.empty()) {
      kill(*left.back());
      release(*left.back());
      left.pop_back();
    }
  }
}

void loop::tear_down() noexcept {
  tearing_down_ = true;
  forget_exception_handler();
  context::running = nullptr;
  if (!all_have_gone()) destroy_tasks();
  for (detail::run_listener& each : run_listeners_) each.tasks_have_gone();
  timers_.reset();
  ready_.clear();
  settlers_.reset();
  default_executor_ = nullptr;
  default_executor_died_ = false;
  if (default_pool_) [[unlikely]]
    end_default_pool();
  if (!inbox_->empty()) take_from_outside();  // of the waits, none is left
}

void loop::finish() noexcept {
  if (!tearing_down_ || !all_have_gone()) tear_down();
  if (!failures_.empty()) [[unlikely]]
    forget_what_few_have();
  if (!inbox_->close_if_quiet()) take_from_outside(true);
}

// Between two runs: what outlived one, and died on another thread.
void loop::let_go_of_leftovers() noexcept {
  while (!inbox_->empty()) take_from_outside(true);
}

}  // namespace lockstep
