#include <lockstep/sync/shared_mutex.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace lockstep {

shared_mutex::~shared_mutex() {
  if (guard_ != nullptr) guard_->held_ = nullptr;
  while (!guards_.empty()) guards_.pop_front().held_ = nullptr;
  part(locked() || !readers_.empty());
}

bool shared_mutex::take_if_free() {
  if (holder_ != 0 || !readers_.empty()) return false;
  holder_ = taker();
  return true;
}

bool shared_mutex::share_if_free() {
  const identity who = taker();
  reserve_for_one_more();
  if (holder_ != 0 || !waiters_.empty()) return false;
  readers_.push_back(who);
  return true;
}

bool shared_mutex::try_lock_shared(source where) {
  enter_to_change("was locked", where);
  return share_if_free();
}

void shared_mutex::reserve_for_one_more() {
  const std::size_t needed = readers_.size() + readers_waiting_ + 1;
  if (needed > readers_.capacity()) readers_.reserve(2 * needed);
}

void shared_mutex::hand_over_shared(identity by) noexcept {
  touch(access::write);
  readers_.erase(std::find(readers_.begin(), readers_.end(), by));
  if (readers_.empty()) admit();
}

void shared_mutex::admit() noexcept {
  while (!waiters_.empty() && holder_ == 0) {
    operation& next = waiters_.front();
    if (next.kind() == operation_kind::lock) {
      if (!readers_.empty()) return;
      holder_ = next.who()->id();
    } else {
      readers_.push_back(next.who()->id());
      --readers_waiting_;
    }
    waiters_.pop_front();
    detail::current_context->owner->grant(next);
  }
}

void shared_mutex::unlock(source where) {
  const unlocking by = begin_unlock(where);
  if (by.who != 0 && holder_ == by.who) {
    hand_over();
  } else if (!by.is_excused) {
    const bool reads = detail::shared_hold::is_held(*this, by.who);
    refuse_unlock(reads ? "unlock() instead of unlock_shared()" : "unlock()", where);
  }
}

void shared_mutex::unlock_shared(source where) {
  const unlocking by = begin_unlock(where);
  if (detail::shared_hold::is_held(*this, by.who)) {
    hand_over_shared(by.who);
  } else if (!by.is_excused) {
    const bool writes = by.who != 0 && holder_ == by.who;
    refuse_unlock(writes ? "unlock_shared() instead of unlock()" : "unlock_shared()", where);
  }
}

agent* shared_mutex::reader_before(const agent* waiter) const noexcept {
  loop* const owner = current_loop();
  if (owner == nullptr) return nullptr;
  const auto rank = [waiter](const agent& reader) {
    if (&reader == waiter) return 3;
    const operation* const at = reader.parked_at(detail::unseen);
    if (at == nullptr) return 0;
    return at->kind() == operation_kind::sleep ? 1 : 2;
  };
  agent* found = nullptr;
  for (const identity each : readers_) {
    agent* const reader = owner->find(each);
    if (reader != nullptr && (found == nullptr || rank(*reader) > rank(*found))) found = reader;
  }
  return found;
}

std::string shared_mutex::described_holder() const {
  if (holder_ != 0 || readers_.empty()) return lockable::described_holder();
  loop* const owner = current_loop();
  std::vector<agent*> alive;
  for (const identity each : readers_) {
    agent* const reader = owner != nullptr ? owner->find(each) : nullptr;
    if (reader != nullptr && std::find(alive.begin(), alive.end(), reader) == alive.end()) alive.push_back(reader);
  }
  if (alive.empty()) return "a task that has ended";
  return alive.size() == 1 ? fmt::format("task \"{}\"", alive.front()->name(detail::unseen))
                           : fmt::format("tasks {}", list_of(alive));
}

agent* shared_mutex::locking::holder() const noexcept {
  if (what() == nullptr) return nullptr;
  const shared_mutex& wanted = subject<shared_mutex>();
  return wanted.locked() ? wanted.lockable::holder() : wanted.reader_before(who());
}

agent* shared_mutex::locking_shared::holder() const noexcept {
  if (what() == nullptr) return nullptr;
  shared_mutex& wanted = subject<shared_mutex>();
  if (wanted.locked()) return wanted.lockable::holder();
  agent* writer = nullptr;
  for (operation& each : wanted.waiters_) {
    if (&each == this) break;
    if (each.kind() == operation_kind::lock) writer = each.who();
  }
  return writer;
}

std::string shared_mutex::locking::describe() const {
  const shared_mutex& wanted = subject<shared_mutex>();
  std::string text = "lock of " + wanted.described();
  if (wanted.readers() > 1 || holder() == nullptr) text += ", held by " + wanted.described_holder();
  return text;
}

}  // namespace lockstep
