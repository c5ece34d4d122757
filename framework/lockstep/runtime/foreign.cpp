#include <lockstep/runtime/foreign.hpp>

#include <lockstep/runtime/inbox.hpp>

namespace lockstep::detail {

foreign_wait::foreign_wait(frame& awaiting, bool from_outside) noexcept
    : primitive(from_outside ? operation_kind::outside : operation_kind::foreign), awaiting_(awaiting),
      from_outside_(from_outside) {}

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
    context.owner->park_unusually(*this, self, &awaiting_);
    return false;
  }
  loop_ = context.owner;
  owner_ = context.running;
  progress_ = progress::parked;
  who_ = owner_;
  agent::rarities& rare = owner_->rare();
  enclosing_ = std::exchange(rare.foreign, this);
  enclosing_leaf_ = std::exchange(rare.foreign_leaf, self);
  enclosing_frame_ = std::exchange(rare.foreign_frame, &awaiting_);
  owner_->in_foreign_ = true;
  owner_->attention_ |= loop::attention_foreign;
  owner_->state_ = agent::state::parked;
  owner_->operation_ = this;
  owner_->leaf_ = self;
  owner_->leaf_frame_ = &awaiting_;
  open_ = true;
  if (from_outside_) ++loop_->outside().in_flight;
  return true;
}

void foreign_wait::close() noexcept {
  if (!std::exchange(open_, false)) return;
  agent::rarities& rare = owner_->rare();
  rare.foreign = enclosing_;
  rare.foreign_leaf = enclosing_leaf_;
  rare.foreign_frame = enclosing_frame_;
  owner_->in_foreign_ = enclosing_ != nullptr;
  if (!owner_->in_foreign_) {
    owner_->attention_ = static_cast<std::uint16_t>(owner_->attention_ & ~loop::attention_foreign);
  }
  if (owner_->state_ == agent::state::parked && owner_->operation_ == this) owner_->state_ = agent::state::ready;
  if (from_outside_) --loop_->outside().in_flight;
}

void foreign_wait::post() {
  if (current_loop() != loop_) {
    loop_->outside().post(*this);
    return;
  }
  loop_->resume_from_foreign(*owner_, *this);
}

proxy_frame make_proxy(foreign_wait& wait) {
  wait.post();
  co_return;
}

}  // namespace lockstep::detail
