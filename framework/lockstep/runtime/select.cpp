#include <lockstep/runtime/select.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace lockstep {

// -- the loop's side --------------------------------------------------------------------------------------------------

void loop::grant_arm(operation& arm) noexcept { detail::selection::of(arm).grant_arm(arm); }

void operation::leave_selection() noexcept { detail::selection::of(*this).lose_arm(); }

namespace detail {

selection& selection::of(const operation& waiting) noexcept {
  return static_cast<selection&>(*waiting.who_->operation_);
}

// -- taking and trying ------------------------------------------------------------------------------------------------

void selection::let_go() noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    if (waits(*arms_[i])) arms_[i]->progress_ = progress::fresh;
  }
}

void selection::take(operation* const* arms, std::size_t count, const source& where) {
  arms_ = arms;
  if (count == 0) here().owner->misused("select() among no operations would wait for ever", where);
  for (; count_ < count; ++count_) {
    operation& arm = *arms[count_];
    if (arm.progress_ != progress::fresh) {
      let_go();
      here().owner->misused("select() of an operation that was awaited before, or is given twice", where);
    }
    arm.progress_ = progress::arm;
  }
}

// Those that always wait for the clock, or for quiet, need not be asked about.
std::size_t selection::first_to_try() const {
  const auto can_be_now = [](const operation* arm) {
    return arm->kind() != operation_kind::sleep && arm->kind() != operation_kind::settle;
  };
  const auto candidates = static_cast<std::size_t>(std::count_if(arms_, arms_ + count_, can_be_now));
  if (candidates < 2) return 0;
  std::size_t left = current_context->owner->pick_arm(candidates);
  std::size_t at = 0;
  while (!can_be_now(arms_[at]) || left-- != 0) ++at;
  return at;
}

bool selection::try_in_turn() {
  const std::size_t first = first_to_try();
  for (std::size_t i = 0; i < count_; ++i) {
    const std::size_t at = (first + i) % count_;
    if (!waits(*arms_[at]) || !arms_[at]->attempt()) continue;
    settle_on(at);
    return true;
  }
  return false;
}

// Its step is that of the arm: it touches the same object.
void selection::settle_on(std::size_t at) noexcept {
  operation& arm = *arms_[at];
  granted_ = at;
  arm.progress_ = progress::granted;
  what_ = arm.what_;
  label_ = trace::label(operation_kind::select, what_ != nullptr ? what_->number() : 0);
  if (progress_ != progress::fresh) who_->is_now(label_);
}

// -- waiting ----------------------------------------------------------------------------------------------------------

// A sleep whose time has come grants itself, and those behind it are not enqueued any more.
void selection::enqueue() noexcept {
  while (enqueued_ < count_ && granted_ == none) {
    operation& arm = *arms_[enqueued_++];
    if (!waits(arm)) continue;  // its object has died
    arm.who_ = who_;
    arm.enqueue();
  }
}

void selection::withdraw() noexcept {
  for (std::size_t left = std::exchange(enqueued_, 0), i = 0; i < left; ++i) {
    if (!waits(*arms_[i])) continue;
    if (current_context->observer != nullptr) arms_[i]->touch_end();
    arms_[i]->withdraw();
  }
}

void selection::grant_arm(operation& arm) noexcept {
  if (enqueued_ == 0) {  // they are being withdrawn, which has let this one through
    arm.progress_ = progress::granted;
    arm.revoke();
    return;
  }
  settle_on(static_cast<std::size_t>(std::find(arms_, arms_ + count_, &arm) - arms_));
  current_context->owner->grant(*this);
  withdraw();
}

void selection::touch_end() const noexcept {
  for (std::size_t i = 0; i < count_; ++i) arms_[i]->touch_end();
}

// -- objects that die, tasks that take over ---------------------------------------------------------------------------

void selection::lose_arm() noexcept {
  if (std::none_of(arms_, arms_ + count_, [](const operation* arm) { return waits(*arm); })) {
    progress_ = progress::stopped;
  }
}

bool selection::part_from(const object& dying, wait_list& orphans) noexcept {
  if (progress_ == progress::granted) {
    const bool lost = arms_[granted_]->part_from(dying, orphans);
    if (lost) {
      orphan();
    } else {
      what_ = arms_[granted_]->what_;
    }
    return lost;
  }
  if (progress_ != progress::switching) return false;
  bool others_wait = false;
  for (std::size_t i = 0; i < count_; ++i) {
    operation& arm = *arms_[i];
    if (!waits(arm)) continue;
    if (arm.what_ != &dying) {
      others_wait = true;
    } else {
      arm.who_ = who_;
      orphans.push_back(arm);
    }
  }
  if (!others_wait) progress_ = progress::parked;
  return !others_wait;
}

void selection::pass_to(agent& heir) noexcept {
  operation::pass_to(heir);
  for (std::size_t i = 0; i < enqueued_; ++i) arms_[i]->who_ = &heir;
}

// -- reports ----------------------------------------------------------------------------------------------------------

std::string selection::describe() const {
  std::vector<std::string> waited_for;
  for (std::size_t i = 0; i < count_; ++i) {
    waited_for.push_back(arms_[i]->describe() + (arms_[i]->stopped() ? ", which is gone" : ""));
  }
  return fmt::format("select({})", fmt::join(waited_for, ", "));
}

// What `asked` says of each arm that waits, if it is the same of all.
template <class Answer>
Answer selection::common(Answer (*asked)(const operation&)) const noexcept {
  Answer found{};
  bool first = true;
  for (std::size_t i = 0; i < count_; ++i) {
    if (!waits(*arms_[i])) continue;
    const Answer next = asked(*arms_[i]);
    if (!std::exchange(first, false) && next != found) return {};
    found = next;
  }
  return found;
}

agent* selection::holder() const noexcept {
  return common<agent*>([](const operation& arm) { return arm.holder(); });
}

identity selection::feeder() const noexcept {
  return common<identity>([](const operation& arm) { return arm.feeder(); });
}

void selection::awaits(std::vector<agent*>& into) const {
  for (std::size_t i = 0; i < count_; ++i) {
    if (waits(*arms_[i])) arms_[i]->awaits(into);
  }
}

}  // namespace detail

}  // namespace lockstep
