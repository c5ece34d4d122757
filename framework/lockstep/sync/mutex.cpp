#include <lockstep/sync/mutex.hpp>

namespace lockstep {

std::string mutex::locking::describe() const {
  const mutex& wanted = subject<mutex>();
  const bool left = wanted.locked() && wanted.holder() == nullptr;
  return operation::describe() + (left ? ", held by a task that has ended" : "");
}

mutex::~mutex() {
  if (guard_ != nullptr) guard_->held_ = nullptr;
  part(locked());
}

void mutex::unlock(source where) {
  const unlocking by = begin_unlock(where);
  if (by.who != 0 && holder_ == by.who) {
    hand_over();
  } else if (!by.is_excused) {
    refuse_unlock("unlock()", where);
  }
}

}  // namespace lockstep
