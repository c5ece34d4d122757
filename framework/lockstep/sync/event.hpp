// event: a flag that tasks wait for.
#pragma once

#include <lockstep/sync/mutex.hpp>

#include <utility>

namespace lockstep {

// Starts unset. Requires that no task waits for it when it dies; misuse otherwise.
// Source: asyncio.Event.
class event final : public object {
 public:
  explicit event(label name = {}) : object(std::move(name)) {}
  ~event() { detail::orphan_waiters(waiters_, *this, false); }
  std::string_view noun() const noexcept override { return "event"; }

  // Wakes all that wait now, in the order in which they came, even if it is cleared before they run.
  void set(source where = source::current());
  // Those that come from now on wait.
  void clear(source where = source::current()) {
    enter_if_used("was cleared", where);
    set_ = false;
  }
  bool is_set() const noexcept {
    touch(access::read);
    return set_;
  }

  class waiting;
  // Returns at once if it is set, else when it is set. Cancellation ends the wait.
  LOCKSTEP_AWAIT_IT waiting wait(source where = source::current());

 private:
  bool set_ = false;
  wait_list waiters_;
};

class event::waiting final : public primitive<event::waiting> {
 public:
  explicit waiting(event& wanted) noexcept : primitive(operation_kind::wait_event, wanted), event_(wanted) {}

  bool try_now() const noexcept { return event_.set_; }
  void enqueue() noexcept override { event_.waiters_.push_back(*this); }
  void withdraw() noexcept override { unlink(); }
  void result() const noexcept {}

 private:
  event& event_;
};

inline event::waiting event::wait(source where) {
  enter("was waited for", where);
  return waiting(*this);
}

inline void event::set(source where) {
  loop& owner = *enter_to_change("was set", where).owner;
  set_ = true;
  while (!waiters_.empty()) owner.grant(waiters_.pop_front());
}

}  // namespace lockstep
