#include <lockstep/runtime/foreign.hpp>

#include <lockstep/runtime/blocking_job.hpp>
#include <lockstep/runtime/disturbance.hpp>
#include <lockstep/runtime/inbox.hpp>
#include <lockstep/runtime/loop.hpp>

#include <fmt/format.h>

namespace lockstep {

namespace detail {

foreign_wait::foreign_wait(frame& awaiting, bool from_outside) noexcept
    : primitive(from_outside ? operation_kind::outside : operation_kind::foreign), awaiting_(awaiting),
      from_outside_(from_outside) {}

foreign_wait::~foreign_wait() { close(); }

// Nothing of ours can be withdrawn from a foreign awaitable: the request waits for the next await.
bool foreign_wait::cancel_requested() noexcept {
  owner_->keep_cancellation();
  if (ask_ != nullptr) ask_(awaiter_);
  return false;
}

bool foreign_wait::open(std::coroutine_handle<> self) {
  context& context = here();
  if (progress_ == progress::stopped) {
    context.owner->park_unusually(*this, self, &awaiting_);
    return false;
  }
  loop_ = context.owner;
  owner_ = context.running;
  state_before_ = owner_->state_;
  operation_before_ = owner_->operation_;
  label_before_ = owner_->step_label();
  progress_ = progress::parked;
  who_ = owner_;
  agent::rarities& rare = owner_->rare();
  enclosing_ = std::exchange(rare.foreign, this);
  enclosing_leaf_ = std::exchange(rare.foreign_leaf, self);
  enclosing_frame_ = std::exchange(rare.foreign_frame, &awaiting_);
  owner_->is_.in_foreign = true;
  owner_->attention_ |= loop::attention_foreign;
  owner_->state_ = agent::state::parked;
  owner_->waits_at(*this);
  owner_->leaf_ = self;
  owner_->leaf_frame_ = &awaiting_;
  open_ = true;
  if (from_outside_) ++loop_->outside().in_flight;
  return true;
}

// The task may be ready by now, as the end may have come at once.
void foreign_wait::ends_inside() noexcept {
  if (!std::exchange(from_outside_, false) || !open_) return;
  --loop_->outside().in_flight;
  is_of(operation_kind::foreign);
  if (owner_->operation_ == this) owner_->waits_at(*this);
}

void foreign_wait::close() noexcept {
  if (!std::exchange(open_, false)) return;
  agent::rarities& rare = owner_->rare();
  rare.foreign = enclosing_;
  rare.foreign_leaf = enclosing_leaf_;
  rare.foreign_frame = enclosing_frame_;
  owner_->is_.in_foreign = enclosing_frame_ != nullptr;
  if (!owner_->is_.in_foreign) {
    owner_->attention_ = static_cast<std::uint16_t>(owner_->attention_ & ~loop::attention_foreign);
  }
  if (owner_->state_ == agent::state::parked && owner_->operation_ == this) {  // it has not suspended
    owner_->state_ = state_before_;
    owner_->operation_ = operation_before_;
    owner_->is_now(label_before_);
  }
  if (from_outside_) --loop_->outside().in_flight;
  if (progress_ == progress::parked && wake_up_ != nullptr) loop_->outside().withdraw(*wake_up_);
}

wake_up foreign_wait::begin_wake_up(wake_up& part_of_proxy) noexcept {
  wake_up_ = &part_of_proxy;
  return {this, from_outside_, false, loop_->context::run, owner_->id(), awaiting_.where};
}

void foreign_wait::resumed_here() { loop_->resume_from_foreign(*owner_, *this); }

bool foreign_wait::abandon(std::coroutine_handle<> proxy) {
  if (!open_) return false;
  loop_->outside().abandon(*std::exchange(wake_up_, nullptr), proxy);
  return true;
}

proxy_frame::promise_type::promise_type(foreign_wait& of) noexcept
    : owner(&of.owner()), home(&owner->outside()), leads_to(of.begin_wake_up(leads_to)) {}

void proxy_frame::promise_type::post() {
  if (current_loop() != owner) {
    home->post(leads_to);
  } else {
    leads_to.posted = true;
    if (leads_to.wait != nullptr) leads_to.wait->resumed_here();
  }
}

void foreign_wait::hand_inner_waits_to(agent& heir) {
  agent::rarities& mine = owner_->rare();
  if (mine.foreign == this) return;
  agent::rarities& theirs = heir.rare();
  theirs.foreign = mine.foreign;
  theirs.foreign_leaf = mine.foreign_leaf;
  theirs.foreign_frame = mine.foreign_frame;
  foreign_wait* outermost = mine.foreign;
  for (foreign_wait* at = mine.foreign; at != this; at = at->enclosing_) {
    at->owner_ = at->who_ = &heir;
    outermost = at;
  }
  mine.foreign = this;
  mine.foreign_leaf = std::exchange(outermost->enclosing_leaf_, nullptr);
  mine.foreign_frame = std::exchange(outermost->enclosing_frame_, &no_frame);
  outermost->enclosing_ = nullptr;
}

// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): the wait owns the proxy
proxy_frame make_proxy(foreign_wait&) { co_return; }

}  // namespace detail

// -- the loop's side --------------------------------------------------------------------------------------------------

// A step of a task that is inside something foreign, or of a foreign coroutine. It may end without an await of ours.
void loop::step_of_foreign(agent& who) {
  detail::touch(everything, access::write);
  note_step(who, who.step_label());
  who.is_now(nothing_awaited);
  who.leaf_.resume();
  if (next && follow()) return;
  agent& ran = *context::running;  // perhaps not `who` any more: see part_from_foreign()
  if (ran.step_label() != nothing_awaited) {
    return;
  } else if (const agent::rarities& rare = ran.rare(); rare.foreign != nullptr) {
    ran.state_ = agent::state::parked;
    ran.waits_at(*rare.foreign);
    ran.leaf_ = rare.foreign_leaf;
    ran.leaf_frame_ = rare.foreign_frame;
  } else {
    context::running = nullptr;  // it stood for a foreign coroutine that has gone its way; nobody awaits it
    ran.state_ = agent::state::done;
    release(ran);
  }
}

// Whether a foreign coroutine that runs now may wait in the name of `who`, the running task: who does nothing else, and
// is not about to.
bool loop::acts_for(agent& who) {
  if (!who.is_.in_foreign || next || who.leaf_frame_ != who.rare().foreign_frame) return false;
  return who.step_label() == nothing_awaited ||
         (who.state_ == agent::state::parked && who.operation_ == who.rare().foreign);
}

void loop::call_from_foreign(std::coroutine_handle<> callee, frame& callee_frame) {
  if (context::running == nullptr) detail::awaited_outside_of_tasks();
  agent& who = *context::running;
  if (acts_for(who)) {
    callee_frame.caller = who.leaf_frame_;
    next = callee;
    who.leaf_frame_ = &callee_frame;
    return;
  }
  agent& stand_in = adopt_foreign();
  stand_in.leaf_ = callee;
  stand_in.leaf_frame_ = &callee_frame;
  callee_frame.caller = &no_frame;
  ready_.push_back(&stand_in);
}

// Somebody else waits, is about to go on, or runs in the name of `who` while the wait around that has ended: it has an
// agent of its own from now on.
void loop::part_from_foreign(agent& who, detail::foreign_wait& ended) {
  const sparing_allocations of_what_cannot_fail;  // nobody is there who could be told
  agent** const seat = seat_of(who);
  const bool runs = seat != nullptr;
  agent* const was_running = std::exchange(context::running, &who);
  agent& stand_in = adopt_foreign();
  context::running = was_running;
  if (runs) *seat = &stand_in;
  ended.hand_inner_waits_to(stand_in);
  frame* const boundary = who.rare().foreign_frame;
  frame* const leaf = who.leaf_frame_;
  if (leaf != boundary) {
    frame* outermost = leaf;
    while (outermost->caller != boundary) outermost = outermost->caller;
    outermost->caller = &no_frame;
    stand_in.leaf_frame_ = leaf;
  }
  if (runs) {
    stand_in.is_now(nothing_awaited);
    return;
  }
  stand_in.state_ = who.state_;
  stand_in.attention_ |= who.attention_ & attention_retry;
  who.attention_ = static_cast<std::uint16_t>(who.attention_ & ~attention_retry);
  stand_in.leaf_ = who.leaf_;
  stand_in.operation_ = who.operation_;
  stand_in.is_now(who.step_label());
  if (stand_in.operation_ != nullptr) stand_in.operation_->pass_to(stand_in);
  for (std::size_t i = 0; i < ready_.size(); ++i) {
    if (ready_[i] == &who) ready_[i] = &stand_in;
  }
}

void loop::resume_from_foreign(agent& who, detail::foreign_wait& wait) {
  const agent::rarities& rare = who.rare();
  const bool something_else_is_under_way =
      rare.foreign != &wait ||
      (seat_of(who) != nullptr ? who.leaf_frame_ != rare.foreign_frame : who.operation_ != &wait);
  if (something_else_is_under_way) part_from_foreign(who, wait);
  who.waits_at(wait);
  who.leaf_ = who.rare().foreign_leaf;
  who.leaf_frame_ = who.rare().foreign_frame;
  grant(wait);
}

void loop::take_from_outside(bool run_ends) {
  const std::uint64_t under_way = inbox_->run();
  inbox::mail arrived = run_ends ? inbox_->close() : inbox_->take();
  for (inbox::complaint& each : arrived.complaints) {
    if (each.run != under_way) continue;
    agent* const who = each.use.task != 0 ? find(each.use.task) : nullptr;
    const std::string subject =
        who != nullptr ? fmt::format("task \"{}\"", who->name(detail::unseen)) : each.use.subject;
    report(verdict_kind::misuse, subject + " " + each.use.deed, each.use.where,
           who != nullptr ? std::vector<agent*>{who} : std::vector<agent*>{});
  }
  for (detail::foreign_wait* done : arrived.done) resume_from_foreign(*done->who(), *done);
  for (detail::job_state* done : arrived.jobs) done->arrive(under_way);
  for (agent* who : arrived.dropped) {
    kill(*who);
    release(*who);
  }
  for (const std::coroutine_handle<> unstarted : arrived.unstarted) unstarted.destroy();
  for (const std::shared_ptr<detail::scheduled_call>& call : arrived.calls) {
    if (!run_ends && !tearing_down_ && main_ != nullptr && !main_->finished(detail::unseen)) start_call(*call);
  }
}

}  // namespace lockstep
