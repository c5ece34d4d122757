#include <lockstep/sync/point.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <exception>

namespace lockstep {

point_operation::point_operation(label name, order* within) noexcept
    : primitive(operation_kind::point), name_(std::move(name)), within_(within) {}

bool point_operation::try_now() {
  if (within_ == nullptr || !within_->comes_later(name())) return true;
  if (!within_->is_due(name())) return false;
  within_->pass();
  return true;
}

void point_operation::enqueue() noexcept { within_->waiters_.push_back(*this); }

std::string point_operation::describe() const {
  if (within_ == nullptr || within_->complete()) return fmt::format("point \"{}\"", name());
  return fmt::format("point \"{}\", after \"{}\"", name(), within_->names_[within_->reached_]);
}

point_operation point(label name) {
  return point_operation(std::move(name), static_cast<order*>(detail::here().owner->point_order));
}

order::order(std::vector<std::string> names, source where) : names_(std::move(names)), where_(where) {
  loop& owner = *detail::here().owner;
  if (owner.point_order != nullptr) owner.misused("there is an order of points already; end it first", where);
  owner.point_order = this;
}

order::~order() {
  loop* owner = current_loop();
  if (owner == nullptr) return;
  owner->point_order = nullptr;
  if (!complete()) {
    std::string text = fmt::format("the order of points did not come about: \"{}\" was never reached (number {} of {})",
                                   names_[reached_], reached_ + 1, names_.size());
    // A run that came to a standstill did so, perhaps, for this reason.
    if (owner->tearing_down() && (owner->deadlocked() || owner->limit_reached())) {
      owner->report(verdict_kind::unreached_point, std::move(text), where_);
    } else {
      owner->report_end(verdict_kind::unreached_point, std::move(text), where_, {});
    }
  }
  while (!waiters_.empty()) {
    operation& waiter = waiters_.pop_front();
    static_cast<point_operation&>(waiter).within_ = nullptr;
    if (!owner->tearing_down()) owner->grant(waiter);
  }
}

bool order::is_due(std::string_view name) const noexcept { return names_[reached_] == name; }

bool order::comes_later(std::string_view name) const noexcept {
  return std::find(names_.begin() + static_cast<std::ptrdiff_t>(reached_), names_.end(), name) != names_.end();
}

void order::pass() {
  ++reached_;
  for (bool again = true; again && !complete();) {
    again = false;
    for (operation& waiting : waiters_) {
      auto& waiter = static_cast<point_operation&>(waiting);
      if (!is_due(waiter.name())) continue;
      waiter.unlink();
      ++reached_;
      detail::current_context->owner->grant(waiter);
      again = true;
      break;
    }
  }
}

}  // namespace lockstep
