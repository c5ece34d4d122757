// What is said of changes that a power cut has lost.
#include <lockstep/sim/crash_log.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace lockstep::sim {

std::map<std::uint64_t, std::string> crash_log::names() const {
  std::map<std::uint64_t, std::string> found{{disk_image::root, "/"}};
  for (const auto& [number, each] : durable_.files()) {
    for (const auto& [name, to] : each.names) found.try_emplace(to, name);
  }
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    const micro_operation& each = operations_[i];
    if (each.what == micro_operation::kind::name) found[each.file] = each.text;
  }
  return found;
}

std::string crash_log::text_of(const micro_operation& what, const std::map<std::uint64_t, std::string>& names) {
  const auto name_of = [&names](std::uint64_t file) {
    const auto found = names.find(file);
    return found != names.end() ? found->second : fmt::format("file {}", file);
  };
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
