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
  for (auto at = first(file, offset); at != all_.end() && at->first.first == file.number(); ++at) {
    const std::uint64_t begin = at->first.second * page_bytes;
    if (begin >= offset + size) break;
    if (!at->second.is_readable) return static_cast<std::size_t>(std::max(begin, offset) - offset);
  }
  return size;
}

std::size_t bad_sectors::writable(const inode& file, std::size_t size, std::uint64_t offset) const noexcept {
  for (auto at = first(file, offset); at != all_.end() && at->first.first == file.number(); ++at) {
    const std::uint64_t begin = at->first.second * page_bytes;
    if (begin >= offset + size) break;
    const bool is_whole = begin >= offset && offset + size >= std::min(begin + page_bytes, file.content.size());
    if (!at->second.is_readable && !is_whole) return static_cast<std::size_t>(std::max(begin, offset) - offset);
  }
  return size;
}

void bad_sectors::show(const inode& file, std::byte* bytes, std::size_t size, std::uint64_t offset) const noexcept {
  for (auto at = first(file, offset); at != all_.end() && at->first.first == file.number(); ++at) {
    const std::uint64_t wrong = at->first.second * page_bytes + at->second.within;
    if (wrong >= offset + size) break;
    if (at->second.is_readable && wrong >= offset) bytes[wrong - offset] = at->second.wrong;
  }
}

void bad_sectors::show(disk_image& in) const {
  if (all_.empty()) return;
  for (const auto& [where, what] : all_) {
    image_file* const file = in.find(where.first);
    const std::uint64_t wrong = where.second * page_bytes + what.within;
    if (!what.is_readable || file == nullptr || wrong >= file->content.size()) continue;
    file->content.write(in.pages(), &what.wrong, 1, wrong);
  }
  bad_sectors of_image = *this;
  of_image.keep_those_of(in);
  in.set_bad(std::move(of_image));
}

std::vector<std::uint64_t> bad_sectors::unreadable(std::uint64_t file) const {
  std::vector<std::uint64_t> found;
  for (auto at = all_.lower_bound({file, 0}); at != all_.end() && at->first.first == file; ++at) {
    if (!at->second.is_readable) found.push_back(at->first.second * page_bytes);
  }
  return found;
}

void bad_sectors::rewritten(const inode& file, std::uint64_t size, std::uint64_t offset) noexcept {
  for (auto at = first(file, offset); at != all_.end() && at->first.first == file.number();) {
    const std::uint64_t begin = at->first.second * page_bytes;
    if (begin >= offset + size) break;
    const std::uint64_t wrong = begin + at->second.within;
    const bool stays = at->second.is_readable && (wrong < offset || wrong >= offset + size);
    at = stays ? std::next(at) : all_.erase(at);
  }
}

void bad_sectors::cut(const inode& file, std::uint64_t size) noexcept {
  for (auto at = first(file, size); at != all_.end() && at->first.first == file.number();) {
    const bool stays = at->first.second * page_bytes + (at->second.is_readable ? at->second.within : 0) < size;
    at = stays ? std::next(at) : all_.erase(at);
  }
}

void bad_sectors::keep_those_of(const disk_image& left) noexcept {
  std::erase_if(all_, [&left](const auto& each) {
    const auto file = left.files().find(each.first.first);
    const std::uint64_t begin = each.first.second * page_bytes + (each.second.is_readable ? each.second.within : 0);
    return file == left.files().end() || begin >= file->second.content.size();
  });
}

}  // namespace lockstep::sim
