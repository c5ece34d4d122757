#include <lockstep/sim/directory_entries.hpp>

#include <utility>

namespace lockstep::sim {

inode* directory_entries::find(std::string_view name) const noexcept {
  const auto found = places_.find(name);
  return found == places_.end() ? nullptr : entries_[found->second].to;
}

void directory_entries::add(std::string_view name, inode& to) {
  constexpr std::size_t gaps_min = 32;
  if (readers_ == 0 && entries_.size() > gaps_min && entries_.size() > 2 * places_.size()) close_gaps();
  entries_.reserve(entries_.size() + 1 > entries_.capacity() ? 2 * entries_.size() + 4 : 0);
  const auto made = places_.emplace(name, static_cast<std::uint32_t>(entries_.size())).first;
  entries_.push_back({&made->first, &to});
}

inode* directory_entries::remove(std::string_view name) noexcept {
  const auto found = places_.find(name);
  entry& gone = entries_[found->second];
  inode* const before = gone.to;
  gone = {};
  places_.erase(found);
  if (places_.empty() && readers_ == 0) entries_.clear();
  return before;
}

inode* directory_entries::replace(std::string_view name, inode& to) noexcept {
  return std::exchange(entries_[places_.find(name)->second].to, &to);
}

void directory_entries::close_gaps() {
  std::vector<entry> kept;
  kept.reserve(places_.size());
  for (const entry& each : entries_) {
    if (each.name == nullptr) continue;
    places_.find(*each.name)->second = static_cast<std::uint32_t>(kept.size());
    kept.push_back(each);
  }
  entries_ = std::move(kept);
}

}  // namespace lockstep::sim
