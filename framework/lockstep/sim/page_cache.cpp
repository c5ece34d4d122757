#include <lockstep/sim/page_cache.hpp>

namespace lockstep::sim {

std::uint64_t page_cache::wrote(std::uint64_t file, std::uint64_t offset, std::uint64_t size) {
  if (size == 0) return 0;
  std::uint64_t written_back = 0;
  for (std::uint64_t page = offset / page_bytes; page <= (offset + size - 1) / page_bytes; ++page) {
    const auto [at, is_new] = pages_.try_emplace({file, page}, count_);
    if (!is_new) continue;
    by_age_.emplace_hint(by_age_.end(), count_++, at->first);
    if (pages_.size() <= pages_max_) continue;
    pages_.erase(by_age_.begin()->second);
    by_age_.erase(by_age_.begin());
    written_back += page_bytes;
  }
  return written_back;
}

std::uint64_t page_cache::clean_all() noexcept {
  const std::uint64_t bytes = pages_.size() * page_bytes;
  pages_.clear();
  by_age_.clear();
  return bytes;
}

std::uint64_t page_cache::remove(std::uint64_t file, std::uint64_t from_page) noexcept {
  std::uint64_t bytes = 0;
  auto at = pages_.lower_bound({file, from_page});
  while (at != pages_.end() && at->first.first == file) {
    by_age_.erase(at->second);
    at = pages_.erase(at);
    bytes += page_bytes;
  }
  return bytes;
}

}  // namespace lockstep::sim
