// Which pages of a disk's files were written and have not come to the disk yet: what they cost of its time is due when
// a sync asks for them, or when there is no room for more.
#pragma once

#include <lockstep/sim/page.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

namespace lockstep::sim {

class page_cache {
 public:
  // Room for so many bytes in whole pages, of one at least.
  void set_bytes_max(std::uint64_t bytes) noexcept { pages_max_ = std::max<std::uint64_t>(bytes / page_bytes, 1); }

  // These bytes of a file, by number, are written. Returns how many bytes go to the disk to make room: the oldest.
  std::uint64_t wrote(std::uint64_t file, std::uint64_t offset, std::uint64_t size);
  // What there is of that file, or of all, goes to the disk. Returns how many bytes.
  std::uint64_t clean(std::uint64_t file) noexcept { return remove(file, 0); }
  std::uint64_t clean_all() noexcept;
  // What is in the file from there on never does.
  void cut(std::uint64_t file, std::uint64_t size) noexcept { remove(file, (size + page_bytes - 1) / page_bytes); }

 private:
  using page_of_file = std::pair<std::uint64_t, std::uint64_t>;

  std::uint64_t remove(std::uint64_t file, std::uint64_t from_page) noexcept;

  std::uint64_t pages_max_ = 512;
  std::uint64_t count_ = 0;                      // of all that ever came
  std::map<page_of_file, std::uint64_t> pages_;  // and when, of those that are here
  std::map<std::uint64_t, page_of_file> by_age_;
};

}  // namespace lockstep::sim
