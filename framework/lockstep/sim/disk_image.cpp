#include <lockstep/sim/disk_image.hpp>

#include <lockstep/base/hash.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <vector>

namespace lockstep::sim {

image_file* disk_image::find(std::uint64_t number) noexcept {
  const auto found = files_.find(number);
  return found == files_.end() ? nullptr : &found->second;
}

void disk_image::repair() {
  std::set<std::uint64_t> reached{root};
  std::vector<std::uint64_t> left{root};
  while (!left.empty()) {
    image_file& directory = files_[left.back()];
    left.pop_back();
    for (auto at = directory.names.begin(); at != directory.names.end();) {
      const image_file* const to = find(at->second);
      const bool is_new = to != nullptr && reached.insert(at->second).second;
      if (to == nullptr || (to->attributes.is_directory() && !is_new)) {
        at = directory.names.erase(at);
        continue;
      }
      if (is_new && to->attributes.is_directory()) left.push_back(at->second);
      ++at;
    }
  }
  std::erase_if(files_, [&](const auto& each) { return reached.count(each.first) == 0; });
}

const image_file* disk_image::find(std::string_view path) const noexcept {
  std::uint64_t number = root;
  for (;;) {
    const std::size_t begin = path.find_first_not_of('/');
    if (begin == std::string_view::npos) break;
    path.remove_prefix(begin);
    const std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(name.size());
    const auto directory = files_.find(number);
    if (directory == files_.end()) return nullptr;
    const auto found = directory->second.names.find(name);
    if (found == directory->second.names.end()) return nullptr;
    number = found->second;
  }
  const auto found = files_.find(number);
  return found == files_.end() ? nullptr : &found->second;
}

std::size_t disk_image::read(std::uint64_t file, std::vector<char>& into, std::uint64_t offset) const {
  const std::size_t count = files_.at(file).content.read(into.data(), into.size(), offset);
  bad_.show(file, reinterpret_cast<std::byte*>(into.data()), count, offset);
  return count;
}

std::string disk_image::text_of(std::string_view path) const {
  const image_file* const file = find(path);
  if (file == nullptr) return {};
  std::string text(file->content.size(), '\0');
  file->content.read(text.data(), text.size(), 0);
  if (bad_.empty()) return text;
  const auto number =
      std::find_if(files_.begin(), files_.end(), [&](const auto& each) { return &each.second == file; });
  bad_.show(number->first, reinterpret_cast<std::byte*>(text.data()), text.size(), 0);
  return text;
}

std::map<std::string, std::uint64_t> disk_image::paths() const {
  std::map<std::string, std::uint64_t> all;
  std::vector<std::pair<std::string, std::uint64_t>> left{{"/", root}};
  while (!left.empty()) {
    const auto [path, number] = left.back();
    left.pop_back();
    const auto directory = files_.find(number);
    if (directory == files_.end()) continue;
    for (const auto& [name, to] : directory->second.names) {
      const auto found = files_.find(to);
      if (found == files_.end()) continue;
      const bool is_directory = found->second.attributes.is_directory();
      std::string below = fmt::format("{}{}{}", path, name, is_directory ? "/" : "");
      if (is_directory) left.emplace_back(below, to);
      all.emplace(std::move(below), to);
    }
  }
  return all;
}

namespace {

std::string line_of(const std::string& path, const image_file& file) {
  if (file.attributes.is_link()) return fmt::format("{} -> {}", path, file.target);
  if (file.attributes.is_regular()) return fmt::format("{} {} bytes", path, file.content.size());
  return path;
}

std::uint64_t hash_of_attributes(const file_attributes& of) {
  const auto ticks = [](wall_clock::time_point at) {
    return static_cast<std::uint64_t>(at.time_since_epoch().count());
  };
  const std::uint64_t owner = hash_of(of.user, of.group);
  const std::uint64_t times = hash_of(ticks(of.accessed), hash_of(ticks(of.modified), ticks(of.changed)));
  return hash_of(of.mode, hash_of(owner, times));
}

std::string words_of(const file_attributes& of) {
  return fmt::format("mode {:o} of {}:{}", of.mode, of.user, of.group);
}

std::string words_of(const std::vector<std::uint64_t>& unreadable) {
  std::string text;
  for (const std::uint64_t offset : unreadable) text += fmt::format("{}{}", text.empty() ? "" : " ", offset);
  return text.empty() ? "none" : text;
}

// Eight at a time.
std::uint64_t hash_of_bytes(const char* bytes, std::size_t count) {
  std::uint64_t hash = count;
  for (std::size_t at = 0; at < count; at += sizeof hash) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + at, std::min(sizeof word, count - at));
    hash = roll_fast(hash, word);
  }
  return mix(hash);
}

}  // namespace

std::uint64_t disk_image::first_difference(std::uint64_t file, const disk_image& other,
                                           std::uint64_t file_there) const {
  const std::uint64_t end = std::min(files_.at(file).content.size(), other.files_.at(file_there).content.size());
  std::vector<char> mine(page_bytes);
  std::vector<char> others(page_bytes);
  for (std::uint64_t offset = 0; offset < end; offset += page_bytes) {
    const auto count = static_cast<std::ptrdiff_t>(read(file, mine, offset));
    other.read(file_there, others, offset);
    const auto last = mine.begin() + count;
    const auto found = std::mismatch(mine.begin(), last, others.begin()).first;
    if (found != last) return offset + static_cast<std::uint64_t>(found - mine.begin());
  }
  return end;
}

std::string disk_image::fingerprint() const {
  std::string made;
  std::vector<char> bytes(page_bytes);
  std::map<std::uint64_t, std::uint64_t> met;  // files, by number, and the how manieth each was
  for (const auto& [path, number] : paths()) {
    const image_file& file = files_.at(number);
    const std::uint64_t which = met.try_emplace(number, met.size()).first->second;
    std::uint64_t hash = hash_of(which, hash_of(hash_of_attributes(file.attributes), file.content.size()));
    const std::uint64_t end = (file.content.size() + page_bytes - 1) / page_bytes;
    for (std::uint64_t page = file.content.next_page(0); page < end; page = file.content.next_page(page + 1)) {
      const std::uint64_t offset = page * page_bytes;
      const std::size_t count = file.content.read(bytes.data(), page_bytes, offset);
      hash = hash_of(hash, hash_of(offset, hash_of_bytes(bytes.data(), count)));
    }
    if (!bad_.empty()) hash = hash_of(hash, bad_.fingerprint(number));
    made += fmt::format("{}={:x}{} ", path, hash, file.target);
  }
  return made;
}

std::string disk_image::tree() const {
  std::string text;
  for (const auto& [path, number] : paths()) text += line_of(path, files_.at(number)) + '\n';
  return text;
}

std::string disk_image::difference(const disk_image& other) const {
  std::string text;
  const std::map<std::string, std::uint64_t> mine = paths();
  const std::map<std::string, std::uint64_t> others = other.paths();
  for (const auto& [path, number] : mine) {
    const image_file& file = files_.at(number);
    const auto found = others.find(path);
    if (found == others.end()) {
      text += fmt::format("- {}\n", line_of(path, file));
      continue;
    }
    const image_file& there = other.files_.at(found->second);
    if (line_of(path, file) != line_of(path, there)) {
      text += fmt::format("- {}\n+ {}\n", line_of(path, file), line_of(path, there));
    } else if (!file.content.same_as(there.content) ||
               bad_.fingerprint(number) != other.bad_.fingerprint(found->second)) {
      const std::uint64_t from = first_difference(number, other, found->second);
      if (from != file.content.size()) text += fmt::format("~ {}: from byte {} on\n", path, from);
    } else if (words_of(file.attributes) != words_of(there.attributes)) {
      text += fmt::format("~ {}: {}, {}\n", path, words_of(file.attributes), words_of(there.attributes));
    }
    const std::string unreadable = words_of(bad_.unreadable(number));
    const std::string unreadable_there = words_of(other.bad_.unreadable(found->second));
    if (unreadable != unreadable_there) {
      text += fmt::format("~ {}: unreadable at {}, at {}\n", path, unreadable, unreadable_there);
    }
  }
  for (const auto& [path, number] : others) {
    if (mine.count(path) == 0) text += fmt::format("+ {}\n", line_of(path, other.files_.at(number)));
  }
  return text;
}

}  // namespace lockstep::sim
