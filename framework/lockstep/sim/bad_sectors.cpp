#include <lockstep/sim/bad_sectors.hpp>

#include <lockstep/base/hash.hpp>
#include <lockstep/sim/disk_image.hpp>

#include <algorithm>
#include <array>
#include <climits>
#include <iterator>
#include <string_view>

namespace lockstep::sim {

std::optional<std::uint64_t> bad_sectors::rot(const inode& file, std::uint64_t sector) {
  const std::uint64_t begin = sector * page_bytes;
  if (begin >= file.content.size() || all_.count({file.number(), sector}) != 0) return std::nullopt;
  std::array<char, page_bytes> bytes;
  const std::size_t count = file.content.read(bytes.data(), bytes.size(), begin);
  const std::uint64_t seed = hash_of(hash_of(file.number(), sector), hash_of(std::string_view(bytes.data(), count)));
  const std::size_t within = static_cast<std::size_t>(seed / CHAR_BIT % count);
  const auto bit = static_cast<std::byte>(1u << (seed % CHAR_BIT));
  all_[{file.number(), sector}] = {true, within, static_cast<std::byte>(bytes[within]) ^ bit};
  return begin + within;
}

std::size_t bad_sectors::readable(const inode& file, std::size_t size, std::uint64_t offset) const noexcept {
  for (auto at = first(file.number(), offset); at != all_.end() && at->first.first == file.number(); ++at) {
    const std::uint64_t begin = at->first.second * page_bytes;
    if (begin >= offset + size) break;
    if (!at->second.is_readable) return static_cast<std::size_t>(std::max(begin, offset) - offset);
  }
  return size;
}

std::size_t bad_sectors::writable(const inode& file, std::size_t size, std::uint64_t offset) const noexcept {
  for (auto at = first(file.number(), offset); at != all_.end() && at->first.first == file.number(); ++at) {
    const std::uint64_t begin = at->first.second * page_bytes;
    if (begin >= offset + size) break;
    const bool is_whole = begin >= offset && offset + size >= std::min(begin + page_bytes, file.content.size());
    if (!at->second.is_readable && !is_whole) return static_cast<std::size_t>(std::max(begin, offset) - offset);
  }
  return size;
}

void bad_sectors::show(std::uint64_t file, std::byte* bytes, std::size_t size, std::uint64_t offset) const noexcept {
  for (auto at = first(file, offset); at != all_.end() && at->first.first == file; ++at) {
    const std::uint64_t wrong = at->first.second * page_bytes + at->second.within;
    if (wrong >= offset + size) break;
    if (at->second.is_readable && wrong >= offset) bytes[wrong - offset] = at->second.wrong;
  }
}

std::vector<std::uint64_t> bad_sectors::unreadable(std::uint64_t file) const {
  std::vector<std::uint64_t> found;
  for (auto at = all_.lower_bound({file, 0}); at != all_.end() && at->first.first == file; ++at) {
    if (!at->second.is_readable) found.push_back(at->first.second * page_bytes);
  }
  return found;
}

std::uint64_t bad_sectors::fingerprint(std::uint64_t file) const noexcept {
  std::uint64_t hash = 0;
  for (auto at = first(file, 0); at != all_.end() && at->first.first == file; ++at) {
    const flaw& bad = at->second;
    const auto wrong = static_cast<std::uint64_t>(bad.wrong);
    hash = hash_of(hash_of(hash, at->first.second), bad.is_readable ? hash_of(bad.within, wrong) : page_bytes);
  }
  return hash;
}

void bad_sectors::rewritten(const inode& file, std::uint64_t size, std::uint64_t offset) noexcept {
  for (auto at = first(file.number(), offset); at != all_.end() && at->first.first == file.number();) {
    const std::uint64_t begin = at->first.second * page_bytes;
    if (begin >= offset + size) break;
    const std::uint64_t wrong = begin + at->second.within;
    const bool stays = at->second.is_readable && (wrong < offset || wrong >= offset + size);
    at = stays ? std::next(at) : all_.erase(at);
  }
}

void bad_sectors::cut(const inode& file, std::uint64_t size) noexcept {
  for (auto at = first(file.number(), size); at != all_.end() && at->first.first == file.number();) {
    const bool stays = at->first.second * page_bytes + (at->second.is_readable ? at->second.within : 0) < size;
    at = stays ? std::next(at) : all_.erase(at);
  }
}

void bad_sectors::forget(std::uint64_t file) noexcept {
  std::erase_if(all_, [file](const auto& each) { return each.first.first == file; });
}

void bad_sectors::note_rewritten(const bad_sectors& memory, const inode& file, std::uint64_t change) noexcept {
  for (auto at = all_.lower_bound({file.number(), 0}); at != all_.end() && at->first.first == file.number(); ++at) {
    if (at->second.rewritten_by == 0 && memory.all_.count(at->first) == 0) at->second.rewritten_by = change;
  }
}

void bad_sectors::give_back(bad_sectors& memory, const inode& file) {
  memory.forget(file.number());
  for (auto at = all_.lower_bound({file.number(), 0}); at != all_.end() && at->first.first == file.number(); ++at) {
    at->second.rewritten_by = 0;
    memory.all_[at->first] = at->second;
  }
}

void bad_sectors::changed(std::uint64_t file, std::uint64_t begin, std::uint64_t end, std::uint64_t change,
                          std::uint64_t size_before) noexcept {
  const auto is_good = [&](const auto& each) {
    const auto& [where, bad] = each;
    if (where.first != file || bad.rewritten_by == 0 || bad.rewritten_by > change) return false;
    const std::uint64_t sector = where.second * page_bytes;
    const std::uint64_t first = sector + bad.within;
    const std::uint64_t last = bad.is_readable ? first + 1 : std::min(sector + page_bytes, size_before);
    return begin <= first && last <= end;
  };
  std::erase_if(all_, is_good);
}

void bad_sectors::synced(std::uint64_t file) noexcept {
  if (all_.empty()) return;
  std::erase_if(all_, [file](const auto& each) { return each.first.first == file && each.second.rewritten_by != 0; });
}

void bad_sectors::synced_all(const std::set<std::uint64_t>& but) noexcept {
  std::erase_if(all_,
                [&but](const auto& each) { return each.second.rewritten_by != 0 && but.count(each.first.first) == 0; });
}

void bad_sectors::settle(const disk_image& left) noexcept {
  for (auto& each : all_) each.second.rewritten_by = 0;
  std::erase_if(all_, [&left](const auto& each) {
    const auto file = left.files().find(each.first.first);
    const std::uint64_t begin = each.first.second * page_bytes + each.second.within;
    return file == left.files().end() || begin >= file->second.content.size();
  });
}

}  // namespace lockstep::sim
