#include <lockstep/runtime/onlooker.hpp>

#include <lockstep/runtime/crowd.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace lockstep::detail {

onlooker::onlooker(std::size_t tasks) : watches_(tasks) { ended_.reserve(tasks); }

// Delegates, so that the destructor takes the watches off if this throws.
onlooker::onlooker(const std::vector<const agent_owner*>& tasks, const source& where) : onlooker(tasks.size()) {
  touch(everything, access::write);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    agent& whom = tasks[i]->get(where);
    whom.require_here("was waited for", where);
    watch& made = watches_[i];
    made.by = this;
    made.place = i;
    if (whom.finished(detail::unseen)) {
      note_end(made, whom);
    } else {
      whom.add_watch(made);
      made.whom = &whom;
    }
  }
}

onlooker::~onlooker() {
  for (watch& each : watches_) {
    if (each.whom != nullptr) each.whom->take_off_watch(each);
  }
}

std::vector<agent*> onlooker::left() const {
  std::vector<agent*> found;
  for (const watch& each : watches_) {
    if (each.whom != nullptr) found.push_back(each.whom);
  }
  return found;
}

bool onlooker::has(const condition& wanted) const noexcept {
  return ended_.size() >= std::min(wanted.ended, size()) || (wanted.or_failure && failed_);
}

void onlooker::note_end(watch& of, const agent& who) noexcept {
  of.whom = nullptr;
  ended_.push_back(of.place);
  if (who.failure(detail::unseen) != nullptr) failed_ = true;
}

void onlooker::watch::finished(agent& who) noexcept {
  touch(everything, access::write);
  by->note_end(*this, who);
  if (by->waiter_ != nullptr && by->has(by->waiter_->wanted_)) by->waiter_->end();
}

onlooker::turn::turn(onlooker& of) : of_(of) {
  if (of.at_turn_ != nullptr) {
    here().owner->misused(fmt::format("next() of an as_completed, for whose next end task \"{}\" waits already: take "
                                      "its handles in one task",
                                      of.at_turn_->name(detail::unseen)),
                          users_line());
  }
  of.at_turn_ = &current_task();
}

void onlooker::wait::enqueue() noexcept {
  loop& owner = *current_context->owner;
  if (deadline() <= owner.now()) {
    owner.grant(*this);
    return;
  }
  by_.waiter_ = this;
  if (deadline() != time_point::max()) {
    owner.timers().arm(*this, deadline());
    who()->add_rescue(1);
  }
}

void onlooker::wait::withdraw() noexcept {
  by_.waiter_ = nullptr;
  if (!armed()) return;
  current_context->owner->timers().disarm(*this);
  who()->add_rescue(-1);
}

void onlooker::wait::end() noexcept {
  withdraw();
  current_context->owner->grant(*this);
}

void onlooker::wait::when_due(timer& due) noexcept {
  wait& late = static_cast<wait&>(due);
  late.by_.waiter_ = nullptr;
  late.who()->add_rescue(-1);
  current_context->owner->grant(late);
}

std::string onlooker::wait::describe() const { return fmt::format("wait({})", list_of(by_.left())); }

void onlooker::wait::awaits(std::vector<agent*>& into) const {
  for (agent* who : by_.left()) {
    if (!who->finished(detail::unseen)) into.push_back(who);
  }
}

agent* onlooker::wait::holder() const noexcept {
  const std::vector<agent*> left = by_.left();
  if (wanted_.or_failure || wanted_.ended < by_.size()) return left.size() == 1 ? left.front() : nullptr;
  return holder_among(left, *who());
}

}  // namespace lockstep::detail
