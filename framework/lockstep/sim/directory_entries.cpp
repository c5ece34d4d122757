#include <lockstep/sim/directory_entries.hpp>

#include <lockstep/base/hash.hpp>

#include <algorithm>
#include <bit>
#include <utility>

namespace lockstep::sim {

namespace {

constexpr std::size_t few = 8;

}  // namespace

const directory_entries::entry* directory_entries::entry_of(std::string_view name) const noexcept {
  if (index_.empty()) {
    for (const entry& each : entries_) {
      if (each.to != nullptr && each.name == name) return &each;
    }
    return nullptr;
  }
  const std::uint64_t hash = hash_of(name);
  const std::size_t mask = index_.size() - 1;
  for (std::size_t at = hash & mask; index_[at] != 0; at = (at + 1) & mask) {
    const entry& each = entries_[index_[at] - 1];
    if (each.hash == hash && each.to != nullptr && each.name == name) return &each;
  }
  return nullptr;
}

void directory_entries::add(std::string_view name, inode& to) {
  const bool has_gaps = entries_.size() > few && entries_.size() > 2 * size_;
  const bool is_full = !index_.empty() ? entries_.size() >= index_.size() / 2 : entries_.size() >= few;
  if (is_full || (has_gaps && readers_ == 0)) make_room();
  entries_.push_back({std::string(name), hash_of(name), &to});
  ++size_;
  if (index_.empty()) return;
  const std::size_t mask = index_.size() - 1;
  std::size_t at = entries_.back().hash & mask;
  while (index_[at] != 0) at = (at + 1) & mask;
  index_[at] = static_cast<std::uint32_t>(entries_.size());
}

inode* directory_entries::remove(std::string_view name) noexcept {
  auto& gone = const_cast<entry&>(*entry_of(name));
  gone.name.clear();
  --size_;
  return std::exchange(gone.to, nullptr);
}

inode* directory_entries::replace(std::string_view name, inode& to) noexcept {
  return std::exchange(const_cast<entry&>(*entry_of(name)).to, &to);
}

// Closes the gaps, unless somebody reads, and makes the index anew, for twice as many names.
void directory_entries::make_room() {
  constexpr std::size_t load = 4;
  if (readers_ == 0) std::erase_if(entries_, [](const entry& each) { return each.to == nullptr; });
  if (entries_.size() < few) {
    index_.clear();
    return;
  }
  index_.assign(std::bit_ceil(load * entries_.size()), 0);
  const std::size_t mask = index_.size() - 1;
  for (std::size_t place = 0; place < entries_.size(); ++place) {
    std::size_t at = entries_[place].hash & mask;
    while (index_[at] != 0) at = (at + 1) & mask;
    index_[at] = static_cast<std::uint32_t>(place + 1);
  }
}

}  // namespace lockstep::sim
