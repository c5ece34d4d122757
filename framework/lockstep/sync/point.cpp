#include <lockstep/sync/point.hpp>

#include <lockstep/runtime/disturbance.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace lockstep {

// -- point ------------------------------------------------------------------------------------------------------------

point_operation point(label name) { return point_operation(std::move(name)); }

point_operation::~point_operation() {
  if (within_ != nullptr && within_->handed_ == this) within_->handed_ = nullptr;
}

bool point_operation::try_now() {
  auto* current = static_cast<order*>(detail::current_context->owner->point_order);
  if (current == nullptr) return true;
  if (!current->comes_later(name())) {
    current->note_stranger(name());
    return true;
  }
  if (!current->is_due(name())) {
    within_ = current;
    return false;
  }
  current->pass();
  return true;
}

void point_operation::enqueue() noexcept { within_->waiters_.push_back(*this); }

void point_operation::withdraw() noexcept {
  unlink();
  within_ = nullptr;
}

bool point_operation::revoke() noexcept {
  if (within_ == nullptr) return true;
  order& left = *std::exchange(within_, nullptr);
  left.handed_ = nullptr;
  left.hand_on();
  return true;
}

void point_operation::result() noexcept {
  touch_what();
  if (within_ == nullptr) return;
  order& passed = *std::exchange(within_, nullptr);
  passed.handed_ = nullptr;
  passed.pass();
}

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
  detail::touch(the_points, access::write);
}

order::~order() {
  loop* owner = current_loop();
  if (owner == nullptr) return;
  owner->point_order = nullptr;
  detail::touch(the_points, access::write);
  if (handed_ != nullptr) {  // its task has come to the point, and only has to run
    handed_->within_ = nullptr;
    ++reached_;
  }
  const bool goes_on = !owner->tearing_down();
  if (!complete() && std::uncaught_exceptions() == 0) {
    const sparing_allocations of_reports;
    std::vector<agent*> held_up;
    for (operation& waiter : waiters_) held_up.push_back(waiter.who());
    // A run that came to a standstill did so, perhaps, for this reason.
    if (!goes_on && owner->at_standstill()) {
      owner->report(verdict_kind::unreached_point, what_is_missing(), where_, std::move(held_up));
    } else {
      owner->report_end(verdict_kind::unreached_point, what_is_missing(), where_, std::move(held_up));
    }
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
    text += fmt::format("; task \"{}\" waits for it at \"{}\"", waiter.who()->name(detail::unseen), waiter.name());
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
  const sparing_allocations of_reports;
  if (complete() || strangers_.size() == strangers_max) return;
  const auto known = [name](const std::vector<std::string>& names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (!known(names_) && !known(strangers_)) strangers_.emplace_back(name);
}

void order::pass() noexcept {
  ++reached_;
  hand_on();
}

void order::hand_on() noexcept {
  for (auto at = waiters_.begin(); at != waiters_.end();) {
    auto& waiter = static_cast<point_operation&>(*at);
    const bool due = is_due(waiter.name());
    if (!due && comes_later(waiter.name())) {
      ++at;
      continue;
    }
    waiter.unlink();
    if (due) {
      handed_ = &waiter;
    } else {
      waiter.within_ = nullptr;
    }
    detail::current_context->owner->grant(waiter);
    at = waiters_.begin();  // others may have left with it, of the same select()
  }
}

}  // namespace lockstep
