#include <lockstep/runtime/shield.hpp>

#include <utility>

namespace lockstep {

namespace {

constexpr std::uint16_t about_cancellation = loop::attention_cancel | loop::attention_swallow;

}  // namespace

shield_scope::shield_scope(source where)
    : owner_(current_task(where)), outer_(owner_.shield()), requests_(std::exchange(owner_.cancel_requests_, 0)),
      attention_(static_cast<std::uint16_t>(owner_.attention_ & about_cancellation)) {
  agent::rarities& rare = owner_.rare();
  rare.shield = this;
  reason_ = std::exchange(rare.cancel_reason, {});
#ifdef __cpp_lib_jthread
  stop_ = std::exchange(rare.stop, {});
#endif
  owner_.attention_ = static_cast<std::uint16_t>(owner_.attention_ & ~about_cancellation);
}

void shield_scope::make_room(agent& who) { who.rare(); }

shield_scope::~shield_scope() {
  agent::rarities& rare = owner_.rare();
  rare.shield = outer_;
  rare.cancel_reason = std::move(reason_);
  owner_.cancel_requests_ = requests_;
  owner_.attention_ = static_cast<std::uint16_t>((owner_.attention_ & ~about_cancellation) | attention_);
#ifdef __cpp_lib_jthread
  rare.stop = std::move(stop_);
  if (rare.stop && requests_ != 0) rare.stop->request_stop();
#endif
}

shield_scope& shield_scope::within(const shield_scope* outer) noexcept {
  shield_scope* at = this;
  while (at->outer_ != outer) at = at->outer_;
  return *at;
}

void shield_scope::keep_request(label reason, bool replace_reason) {
  if (replace_reason || requests_ == 0) reason_ = std::move(reason);
  ++requests_;
  attention_ |= loop::attention_cancel;
}

bool shield_scope::take_request_back() noexcept {
  if (requests_ == 0) return false;
  if (--requests_ == 0) attention_ = 0;
  return true;
}

}  // namespace lockstep
