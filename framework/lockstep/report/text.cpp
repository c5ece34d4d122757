#include <lockstep/report/text.hpp>

#include <lockstep/report/table.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

namespace lockstep {

namespace {

// A report is read by people: of what there are many, it shows some and counts the rest.
constexpr std::size_t tasks_max = 64;
constexpr std::size_t names_max = 32;  // along a cycle

// The tasks that a table shows: those along the cycle before others, older ones before younger.
std::vector<bool> chosen(const std::vector<task_snapshot>& tasks, const std::vector<std::string>& cycle) {
  std::vector<bool> shown(tasks.size(), tasks.size() <= tasks_max);
  if (tasks.size() <= tasks_max) return shown;
  const std::set<std::string_view> along(cycle.begin(), cycle.end());
  std::size_t left = tasks_max;
  for (const bool in_cycle : {true, false}) {
    for (std::size_t i = 0; i < tasks.size() && left > 0; ++i) {
      if (shown[i] || (along.count(tasks[i].name) != 0) != in_cycle) continue;
      shown[i] = true;
      --left;
    }
  }
  return shown;
}

// The tree of those that are shown; one whose parent is not is below the nearest ancestor that is.
struct forest {
  std::vector<std::size_t> roots;
  std::vector<std::vector<std::size_t>> children;  // of each task
  std::size_t left_out = 0;

  forest(const std::vector<task_snapshot>& tasks, const std::vector<std::string>& cycle) : children(tasks.size()) {
    const std::vector<bool> shown = chosen(tasks, cycle);
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      if (!shown[i]) {
        ++left_out;
        continue;
      }
      std::optional<std::size_t> parent = tasks[i].parent;
      while (parent && !shown[*parent]) parent = tasks[*parent].parent;
      (parent ? children[*parent] : roots).push_back(i);
    }
  }

  void add(std::size_t at, std::size_t depth, std::vector<detail::branch>& branches) const {
    branches.push_back({at, depth, {}});
    for (const std::size_t child : children[at]) add(child, depth + 1, branches);
  }
};

std::string text_of_cycle(const std::vector<std::string>& names) {
  const std::size_t shown = std::min(names.size(), names_max);
  const std::string rest = shown < names.size() ? fmt::format(" -> ... {} more", names.size() - shown) : "";
  const auto begin = names.begin();
  return fmt::format("{}{} -> {}", fmt::join(begin, begin + static_cast<std::ptrdiff_t>(shown), " -> "), rest, *begin);
}

// How many bytes the character takes that begins here; 0 if that is none.
std::size_t character_at(std::string_view text) {
  const auto byte = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Written longer than it need be, a surrogate, or beyond the last.
  const unsigned second = byte(1);
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;
  if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;
  return length;
}

}  // namespace

std::string in_utf8(std::string_view text) {
  std::string valid;
  while (!text.empty()) {
    const std::size_t length = character_at(text);
    if (length == 0) {
      valid += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    } else {
      valid += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return valid;
}

std::string tree_of(const std::vector<task_snapshot>& tasks, const std::vector<std::string>& cycle) {
  const forest of(tasks, cycle);
  std::vector<detail::branch> branches;
  for (const std::size_t root : of.roots) of.add(root, 0, branches);
  return detail::table_of(tasks, branches, of.left_out);
}

std::string to_text(const verdict& found) {
  std::string text = fmt::format("{} at {}{}, step {}: {}\n", name_of(found.kind), to_text(found.at.time_since_epoch()),
                                 found.at_real_time ? "" : " (virtual)", found.step, in_utf8(found.message));
  text += tree_of(found.tasks, found.cycle);
  if (!found.cycle.empty()) text += fmt::format("  cycle: {}\n", detail::in_one_line(text_of_cycle(found.cycle)));
  return text;
}

}  // namespace lockstep
