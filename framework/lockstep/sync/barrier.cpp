#include <lockstep/sync/barrier.hpp>

#include <string>
#include <utility>

namespace lockstep {

barrier::barrier(std::size_t parties, label name, source where) : object(std::move(name)), parties_(parties) {
  const auto number = static_cast<std::ptrdiff_t>(parties);  // which may have been negative
  if (number < 1) {
    detail::here().owner->misused("a barrier needs at least 1 party, not " + std::to_string(number), where);
  }
}

void barrier::release_all(bool broken) {
  std::size_t place = 0;
  while (!waiters_.empty()) {
    auto& waiter = static_cast<waiting&>(waiters_.pop_front());
    waiter.place_ = place++;
    waiter.broken_ = broken;
    detail::current_context->owner->grant(waiter);
  }
  arrived_ = 0;
}

void barrier::reset(source where) {
  enter_to_change("was reset", where);
  broken_ = false;
  release_all(true);
}

void barrier::abort(source where) {
  enter_to_change("was aborted", where);
  broken_ = true;
  release_all(true);
}

}  // namespace lockstep
