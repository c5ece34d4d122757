#include <lockstep/runtime/foreign.hpp>

#include <lockstep/runtime/inbox.hpp>

namespace lockstep::detail {

foreign_wait::foreign_wait(frame& awaiting, bool from_outside) noexcept
    : primitive(from_outside ? operation_kind::outside : operation_kind::foreign), from_outside_(from_outside) {
  bind(awaiting, awaiting.where);
}

foreign_wait::~foreign_wait() { close(); }

std::string foreign_wait::describe() const { return std::string(name_of(kind())); }

// Nothing of ours can be withdrawn from a foreign awaitable: the request waits for the next await.
bool foreign_wait::cancel_requested() noexcept {
  owner_->keep_cancellation();
  return false;
}

bool foreign_wait::open(std::coroutine_handle<> self) {
  context& context = here();
  if (progress_ == progress::stopped) {
    context.owner->park(*this, self);
    return false;
  }
  loop_ = context.owner;
  owner_ = context.running;
  progress_ = progress::parked;
  who_ = owner_;
  agent::rarities& rare = owner_->rare();
  enclosing_ = std::exchange(rare.foreign, this);
  enclosing_leaf_ = std::exchange(rare.foreign_leaf, self);
  owner_->in_foreign_ = true;
  owner_->operation_ = this;
  owner_->leaf_ = self;
  open_ = true;
  if (from_outside_) ++loop_->outside().in_flight;
  return true;
}

void foreign_wait::close() noexcept {
  if (!std::exchange(open_, false)) return;
  agent::rarities& rare = owner_->rare();
  rare.foreign = enclosing_;
  rare.foreign_leaf = enclosing_leaf_;
  owner_->in_foreign_ = enclosing_ != nullptr;
  if (from_outside_) --loop_->outside().in_flight;
}

void foreign_wait::post() {
  if (current_loop() != loop_) {
    loop_->outside().post(*this);
    return;
  }
  loop_->resume_from_foreign(*owner_, *this);
}

void call_from_foreign(context& context, std::coroutine_handle<> callee, frame& callee_frame) {
  agent* who = context.running;
  if (who == nullptr) no_loop_here();
  if (who->in_foreign_ && who->state_ == agent::state::running && !context.next) {
    context.next = callee;
    context.innermost = &callee_frame;
    return;
  }
  agent& stand_in = context.owner->adopt({}, nullptr, callee_frame.where);
  stand_in.leaf_ = callee;
  stand_in.start_frame_ = &callee_frame;
  stand_in.in_foreign_ = true;
}

proxy_frame make_proxy(foreign_wait& wait) {
  wait.post();
  co_return;
}

}  // namespace lockstep::detail
