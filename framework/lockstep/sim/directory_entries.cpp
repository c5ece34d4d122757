#include <lockstep/sim/directory_entries.hpp>

#include <lockstep/base/hash.hpp>

#include <algorithm>
#include <bit>
#include <utility>

namespace lockstep::sim {

namespace {

constexpr std::size_t few = 8;

constexpr std::uint32_t part_of(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash >> 32); }

}  // namespace

const directory_entries::entry* directory_entries::entry_by_index(std::string_view name) const noexcept {
  const std::uint64_t hash = hash_of(name);
  const std::size_t mask = index_.size() - 1;
  for (std::size_t at = hash & mask; index_[at].place != 0; at = (at + 1) & mask) {
    if (index_[at].part != part_of(hash)) continue;
    const entry& each = entries_[index_[at].place - 1];
    if (each.leads_on(name)) return &each;
  }
  return nullptr;
}

void directory_entries::put_into_index(std::size_t place) noexcept {
  const std::uint64_t hash = entries_[place].hash;
  const std::size_t mask = index_.size() - 1;
  std::size_t at = hash & mask;
  while (index_[at].place != 0) at = (at + 1) & mask;
  index_[at] = {static_cast<std::uint32_t>(place + 1), part_of(hash)};
}

void directory_entries::add(std::string_view name, inode& to) {
  const bool has_gaps = entries_.size() > few && entries_.size() > 2 * size_;
  const bool is_full = !index_.empty() ? entries_.size() >= index_.size() / 2 : entries_.size() >= few;
  if (is_full || (has_gaps && readers_ == 0)) make_room();
  entry& made = entries_.emplace_back(entry{std::string(name), 0, &to});
  ++size_;
  if (index_.empty()) return;
  made.hash = hash_of(name);
  put_into_index(entries_.size() - 1);
}

void directory_entries::clear() noexcept {
  entries_.clear();
  index_.clear();
  size_ = 0;
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
  const std::size_t left = readers_ == 0 ? size_ : entries_.size();
  std::vector<index_slot> index(left < few ? 0 : std::bit_ceil(load * left));
  if (left < entries_.size()) std::erase_if(entries_, [](const entry& each) { return each.to == nullptr; });
  const bool had_none = index_.empty();
  index_ = std::move(index);
  if (index_.empty()) return;
  if (had_none) {
    for (entry& each : entries_) each.hash = hash_of(each.name);
  }
  for (std::size_t place = 0; place < entries_.size(); ++place) put_into_index(place);
}

}  // namespace lockstep::sim
