// The names in a directory, each with what it leads to, in the order in which they were made.
//
// Who reads them holds a place that others' changes do not move: names that stay are met once. A few names are looked
// through; more are found by an index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::sim {

class inode;

class directory_entries {
 public:
  struct entry {
    std::string name;
    std::uint64_t hash = 0;  // once there is an index
    inode* to = nullptr;     // null if it was removed

    // Most names are short: a call costs more than to look.
    bool leads_on(std::string_view wanted) const noexcept {
      constexpr std::size_t short_max = 16;
      if (name.size() != wanted.size() || to == nullptr) return false;
      if (wanted.size() > short_max) return name == wanted;
      std::size_t same = 0;
      while (same != wanted.size() && name[same] == wanted[same]) ++same;
      return same == wanted.size();
    }
  };

  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }
  // Null if there is none.
  inode* find(std::string_view name) const noexcept {
    const entry* const found = entry_of(name);
    return found == nullptr ? nullptr : found->to;
  }
  // Requires that there is none of that name. Throws std::bad_alloc; then nothing has changed.
  void add(std::string_view name, inode& to);
  void clear() noexcept;
  // Requires that there is one. Returns what it led to.
  inode* remove(std::string_view name) noexcept;
  // Requires that there is one. Returns what it led to before.
  inode* replace(std::string_view name, inode& to) noexcept;

  // By place, from 0 to places() - 1, with gaps.
  std::size_t places() const noexcept { return entries_.size(); }
  const entry& at(std::size_t place) const noexcept { return entries_[place]; }
  // While somebody reads, places stay.
  void begin_reading() noexcept { ++readers_; }
  void end_reading() noexcept { --readers_; }

 private:
  const entry* entry_of(std::string_view name) const noexcept {
    if (!index_.empty()) return entry_by_index(name);
    for (const entry& each : entries_) {
      if (each.leads_on(name)) return &each;
    }
    return nullptr;
  }
  // Where a name is, and some of its hash, so that others are told apart without a look at them.
  struct index_slot {
    std::uint32_t place = 0;  // + 1; 0 if it is free
    std::uint32_t part = 0;
  };

  const entry* entry_by_index(std::string_view name) const noexcept;
  void put_into_index(std::size_t place) noexcept;
  void make_room();

  std::vector<entry> entries_;
  std::vector<index_slot> index_;  // found from hash on; empty for few names
  std::size_t size_ = 0;
  std::uint32_t readers_ = 0;
};

}  // namespace lockstep::sim
