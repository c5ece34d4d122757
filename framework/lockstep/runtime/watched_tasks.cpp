#include <lockstep/runtime/watched_tasks.hpp>

#include <algorithm>
#include <iterator>

namespace lockstep::detail {

void watched_tasks::add(agent& who, finish_listener& listener) {
  constexpr std::size_t few = 16;
  if (walks_ == 0 && places_.size() > 2 * count_ + few) close_gaps();
  places_.push_back(&who);
  ++count_;
  who.keep_at(static_cast<std::uint32_t>(places_.size() - 1));
  who.listen(&listener);
}

void watched_tasks::remove(agent& who) noexcept {
  who.listen(nullptr);
  places_[who.kept_at()] = nullptr;
  --count_;
  while (!places_.empty() && places_.back() == nullptr) places_.pop_back();
}

std::vector<agent*> watched_tasks::all() const {
  std::vector<agent*> found;
  found.reserve(count_);
  std::copy_if(places_.begin(), places_.end(), std::back_inserter(found), [](agent* who) { return who != nullptr; });
  return found;
}

void watched_tasks::add_to(std::vector<agent*>& others) const {
  std::copy_if(places_.begin(), places_.end(), std::back_inserter(others),
               [](agent* who) { return who != nullptr && !who->finished(detail::unseen); });
}

// As many were removed since the last time as are moved now.
void watched_tasks::close_gaps() {
  places_ = all();
  for (std::size_t i = 0; i < places_.size(); ++i) places_[i]->keep_at(static_cast<std::uint32_t>(i));
}

}  // namespace lockstep::detail
