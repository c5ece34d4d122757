#include <lockstep/sync/point.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <exception>

namespace lockstep {

// -- point ------------------------------------------------------------------------------------------------------------

point_operation point(label name) { return point_operation(std::move(name)); }

bool point_operation::try_now() {
  within_ = static_cast<order*>(detail::current_context->owner->point_order);
  if (within_ == nullptr) return true;
  if (!within_->comes_later(name())) {
    within_->note_stranger(name());
    return true;
  }
  if (!within_->is_due(name())) return false;
  within_->pass();
  return true;
}

void point_operation::enqueue() noexcept { within_->waiters_.push_back(*this); }

std::string point_operation::describe() const {
  if (within_ == nullptr || within_->complete()) return fmt::format("point \"{}\"", name());
  return fmt::format("point \"{}\", which waits for \"{}\", number {} of {} in the order at {}", name(),
                     within_->names_[within_->reached_], within_->reached_ + 1, within_->names_.size(),
                     file_and_line(within_->where_));
}

// -- order ------------------------------------------------------------------------------------------------------------

order::order(std::vector<std::string> names, source where) : names_(std::move(names)), where_(where) {
  loop& owner = *detail::here().owner;
  if (names_.empty()) owner.misused("an order of points needs at least one", where);
  if (owner.point_order != nullptr) owner.misused("there is an order of points already; end it first", where);
  owner.point_order = this;
}

order::~order() {
  loop* owner = current_loop();
  if (owner == nullptr) return;
  owner->point_order = nullptr;
  const bool goes_on = !owner->tearing_down();
  if (!complete() && goes_on && std::uncaught_exceptions() == 0) {
    std::vector<agent*> held_up;
    for (operation& waiter : waiters_) held_up.push_back(waiter.who());
    owner->report(verdict_kind::unreached_point, what_is_missing(), where_, std::move(held_up));
  }
  while (!waiters_.empty()) {
    auto& waiter = static_cast<point_operation&>(waiters_.pop_front());
    waiter.within_ = nullptr;
    if (goes_on) {
      owner->grant(waiter);
    } else {
      waiter.orphan();
    }
  }
}

std::string order::what_is_missing() {
  std::string text = fmt::format("point \"{}\" was never reached, number {} of {} in the order", names_[reached_],
                                 reached_ + 1, names_.size());
  for (operation& waiting : waiters_) {
    const auto& waiter = static_cast<const point_operation&>(waiting);
    text += fmt::format("; task \"{}\" waits for it at \"{}\"", waiter.who()->name(), waiter.name());
  }
  if (!strangers_.empty()) {
    text += fmt::format("; points passed that the order does not name: \"{}\"", fmt::join(strangers_, "\", \""));
  }
  return text;
}

bool order::comes_later(std::string_view name) const noexcept {
  return std::find(names_.begin() + static_cast<std::ptrdiff_t>(reached_), names_.end(), name) != names_.end();
}

// Few are kept: they are there to show a name that was misspelt.
void order::note_stranger(std::string_view name) {
  constexpr std::size_t strangers_max = 5;
  if (complete() || strangers_.size() == strangers_max) return;
  const auto known = [name](const std::vector<std::string>& names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (!known(names_) && !known(strangers_)) strangers_.emplace_back(name);
}

void order::pass() {
  ++reached_;
  const auto goes_on = [this](const operation& waiting) {
    const std::string_view name = static_cast<const point_operation&>(waiting).name();
    return is_due(name) || !comes_later(name);
  };
  for (auto at = waiters_.begin(); at != waiters_.end();) {
    auto& waiter = static_cast<point_operation&>(*at);
    if (!goes_on(waiter)) {
      ++at;
      continue;
    }
    if (is_due(waiter.name())) ++reached_;
    waiter.unlink();
    detail::current_context->owner->grant(waiter);
    at = waiters_.begin();  // for some before it the turn may have come now
  }
}

}  // namespace lockstep
