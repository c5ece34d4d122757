// What a change does to an image, and what it is in words.
#include <lockstep/sim/crash_log.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace lockstep::sim {

void crash_log::copy(disk_image& to, const micro_operation& what, std::uint64_t begin, std::uint64_t end) {
  if (!to.bad_.empty()) [[unlikely]]
    to.bad_.changed(what.file, begin, end, what.number, what.before);
  set_times(to.file(what.file), what);
  file_content& content = to.file(what.file).content;
  if (what.pages.empty()) {
    content.write(*to.pages_, what.text.data() + (begin - what.offset), static_cast<std::size_t>(end - begin), begin);
    return;
  }
  const std::uint64_t first = what.offset / page_bytes;
  while (begin < end) {
    const std::uint64_t page = begin / page_bytes;
    const std::uint64_t until = std::min(end, (page + 1) * page_bytes);
    const page_reference& from = what.pages[page - first];
    if (until - begin == page_bytes) {
      content.put_page(page, from);
      content.set_size(std::max(content.size(), until));
    } else {
      constexpr static std::byte zeros[page_bytes]{};  // behind what there is memory for
      const std::uint64_t there = std::clamp(begin - begin % page_bytes + from.size(), begin, until);
      if (there != begin) content.write(*to.pages_, from.bytes() + begin % page_bytes, there - begin, begin);
      if (there != until) content.write(*to.pages_, zeros, until - there, there);
    }
    begin = until;
  }
}

// A change that comes to the disk before an earlier one has the later time.
void crash_log::set_times(image_file& of, const micro_operation& what) noexcept {
  of.attributes.modified = std::max(of.attributes.modified, what.at);
  of.attributes.changed = std::max(of.attributes.changed, what.at);
}

// What it clears, or what was written, is good there with it.
void crash_log::mend(disk_image& to, const micro_operation& what) noexcept {
  if (to.bad_.empty()) [[likely]]
    return;
  const bool resizes = what.what == micro_operation::kind::resize;
  if (!resizes && what.what != micro_operation::kind::punch && what.what != micro_operation::kind::write) return;
  const std::uint64_t begin = resizes ? what.after : what.offset;
  const std::uint64_t end = resizes ? ~std::uint64_t{0} : what.offset + what.size;
  to.bad_.changed(what.file, begin, end, what.number, what.before);
}

void crash_log::apply(disk_image& to, const micro_operation& what) const {
  switch (what.what) {
    case micro_operation::kind::write: {
      if (!what.dropped) return copy(to, what, what.offset, what.offset + what.size);
      set_times(to.file(what.file), what);
      file_content& content = to.file(what.file).content;
      content.set_size(std::max(content.size(), what.after));
      return;
    }
    case micro_operation::kind::resize:
      mend(to, what);
      set_times(to.file(what.file), what);
      return to.file(what.file).content.resize(*to.pages_, what.after);
    case micro_operation::kind::punch: {
      set_times(to.file(what.file), what);
      file_content& content = to.file(what.file).content;
      content.punch(*to.pages_, what.offset, what.size);
      mend(to, what);
      return;
    }
    case micro_operation::kind::set_aside: {
      set_times(to.file(what.file), what);
      file_content& content = to.file(what.file).content;
      content.set_aside(what.pages[0], what.offset, what.size);
      if (what.grows()) content.set_size(std::max(content.size(), what.after));
      return;
    }
    case micro_operation::kind::attributes: to.file(what.file).attributes = *what.attributes; return;
    case micro_operation::kind::name: {
      image_file& file = to.file(what.file);
      const file_state& state = *state_of(what.file);
      if (file.attributes.mode == 0) {
        const auto modified = file.attributes.modified;  // by what was written before it had its name
        file.attributes = state.made_as;
        file.attributes.modified = std::max(file.attributes.modified, modified);
      }
      file.attributes.changed = std::max({file.attributes.changed, file.attributes.modified, what.at});
      if (file.target.empty()) file.target = state.target;
      image_file& directory = to.file(what.directory);
      directory.names[what.text] = what.file;
      set_times(directory, what);
      return;
    }
    case micro_operation::kind::unname: {
      image_file& directory = to.file(what.directory);
      const auto found = directory.names.find(what.text);
      if (found != directory.names.end() && found->second == what.file) directory.names.erase(found);
      set_times(directory, what);
      return;
    }
  }
}

crash_log::name_map crash_log::names() const {
  name_map last;
  for (const auto& [number, each] : durable_.files()) {
    for (const auto& [name, to] : each.names) last.try_emplace(to, name_in{number, name});
  }
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    const micro_operation& each = operations_[i];
    if (each.what == micro_operation::kind::name) last[each.file] = {each.directory, each.text};
  }
  return last;
}

// What was moved into what had been in it before has no path that is of one time.
std::string crash_log::path_of(std::uint64_t file, const name_map& names) {
  if (file == disk_image::root) return "/";
  auto at = names.find(file);
  if (at == names.end()) return fmt::format("file {}", file);
  std::string path;
  for (std::size_t depth = 0; at != names.end() && at->first != disk_image::root && depth < names.size(); ++depth) {
    path = fmt::format("/{}{}", at->second.name, path);
    at = names.find(at->second.directory);
  }
  return path;
}

std::string crash_log::text_of(const micro_operation& what, const name_map& names) {
  const auto name_of = [&names](std::uint64_t file) { return path_of(file, names); };
  switch (what.what) {
    case micro_operation::kind::write:
      return fmt::format("write {} at {} to {}", what.size, what.offset, name_of(what.file));
    case micro_operation::kind::resize: return fmt::format("resize {} to {}", name_of(what.file), what.after);
    case micro_operation::kind::punch:
      return fmt::format("punch {} at {} in {}", what.size, what.offset, name_of(what.file));
    case micro_operation::kind::set_aside:
      return fmt::format("space for {} at {} in {}", what.size, what.offset, name_of(what.file));
    case micro_operation::kind::attributes: return fmt::format("attributes of {}", name_of(what.file));
    case micro_operation::kind::name: return fmt::format("name {} in {}", what.text, name_of(what.directory));
    case micro_operation::kind::unname: return fmt::format("end of name {} in {}", what.text, name_of(what.directory));
  }
  return {};
}

}  // namespace lockstep::sim
