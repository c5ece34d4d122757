// The names in a directory, each with what it leads to, in the order in which they were made.
//
// Who reads them holds a place that others' changes do not move: names that stay are met once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lockstep::sim {

class inode;

class directory_entries {
 public:
  struct entry {
    const std::string* name = nullptr;  // null if it was removed
    inode* to = nullptr;
  };

  bool empty() const noexcept { return places_.empty(); }
  std::size_t size() const noexcept { return places_.size(); }
  // Null if there is none.
  inode* find(std::string_view name) const noexcept;
  // Requires that there is none of that name. Throws std::bad_alloc.
  void add(std::string_view name, inode& to);
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
  struct hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept { return std::hash<std::string_view>()(name); }
  };

  void close_gaps();

  std::unordered_map<std::string, std::uint32_t, hash, std::equal_to<>> places_;
  std::vector<entry> entries_;
  std::uint32_t readers_ = 0;
};

}  // namespace lockstep::sim
