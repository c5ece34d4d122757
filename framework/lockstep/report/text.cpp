#include <lockstep/report/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

namespace lockstep {

namespace {

// A report is read by people: of what there are many, it shows some and counts the rest.
constexpr std::size_t tasks_max = 64;
constexpr std::size_t frames_max = 32;  // of one stack: half of them innermost, half outermost
constexpr std::size_t names_max = 32;   // along a cycle
constexpr std::size_t width_max = 60;   // of a cell that the others of its column are padded to

struct row {
  std::string task;
  std::string doing;
  std::string where;
  std::string remark;
};

std::string doing(const task_snapshot& task) {
  switch (task.state) {
    case task_snapshot::condition::running: return "running";
    case task_snapshot::condition::ready: return "ready";
    case task_snapshot::condition::finished: return "finished";
    case task_snapshot::condition::failed: return "failed";
    case task_snapshot::condition::cancelled: return "cancelled";
    case task_snapshot::condition::waiting: return task.waits_for;
  }
  return {};
}

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
};

void add_stack(const std::vector<place>& stack, std::vector<row>& rows) {
  for (std::size_t i = 1; i < stack.size(); ++i) {
    if (stack.size() > frames_max && i == frames_max / 2) {
      rows.push_back({"", "", fmt::format("... {} more", stack.size() - frames_max), ""});
      i = stack.size() - frames_max / 2;
    }
    rows.push_back({"", i == 1 ? "called from" : "", file_and_line(stack[i]), ""});
  }
}

void add_rows(const std::vector<task_snapshot>& tasks, const forest& of, std::size_t at, std::size_t depth,
              std::vector<row>& rows) {
  const task_snapshot& task = tasks[at];
  const std::string indent(depth > 0 ? 2 * (depth - 1) : 0, ' ');
  row made;
  made.task = indent + (depth > 0 ? "└ " : "") + task.name;
  made.doing = doing(task);
  if (!task.stack.empty()) made.where = file_and_line(task.stack.front());
  if (!task.held_by.empty()) made.remark = "held by " + task.held_by;
  if (!task.fed_by.empty()) made.remark = "fed by " + task.fed_by;
  rows.push_back(made);
  add_stack(task.stack, rows);
  if (!task.threw.empty()) rows.push_back({"", "threw", task.threw, ""});
  if (task.spawned_at.line() != 0) rows.push_back({"", "spawned at", file_and_line(task.spawned_at), ""});
  for (const std::string& note : task.notes) rows.push_back({"", "note", note, ""});
  for (const std::size_t child : of.children[at]) add_rows(tasks, of, child, depth + 1, rows);
}

// What users have written must not break the table.
std::string in_one_line(const std::string& text) {
  std::string line;
  for (const char c : in_utf8(text)) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '\n') {
      line += "\\n";
    } else if (code < 0x20 || code == 0x7F) {
      line += fmt::format("\\x{:02x}", code);
    } else {
      line += c;
    }
  }
  return line;
}

// The width on a terminal: UTF-8 continuation bytes take none.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t to) {
  return text + std::string(to > width(text) ? to - width(text) : 0, ' ');
}

// The width that a cell asks of its column: none if it is so long that it had better stand out.
std::size_t asked_width(const std::string& cell) {
  const std::size_t wide = width(cell);
  return wide <= width_max ? wide : 0;
}

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
  std::vector<row> rows;
  const forest of(tasks, cycle);
  for (const std::size_t root : of.roots) add_rows(tasks, of, root, 0, rows);
  for (row& each : rows) {
    for (std::string* cell : {&each.task, &each.doing, &each.where, &each.remark}) *cell = in_one_line(*cell);
  }
  std::size_t task_width = 0;
  std::size_t doing_width = 0;
  std::size_t where_width = 0;
  for (const row& each : rows) {
    task_width = std::max(task_width, asked_width(each.task));
    doing_width = std::max(doing_width, asked_width(each.doing));
    where_width = std::max(where_width, asked_width(each.where));
  }
  std::string text;
  for (const row& each : rows) {
    std::string line = "  " + padded(each.task, task_width) + "  " + padded(each.doing, doing_width) + "  " +
                       padded(each.where, where_width) + "  " + each.remark;
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  if (of.left_out > 0) text += fmt::format("  ... and {} more tasks\n", of.left_out);
  return text;
}

std::string to_text(const verdict& found) {
  std::string text = fmt::format("{} at {}{}, step {}: {}\n", name_of(found.kind), to_text(found.at.time_since_epoch()),
                                 found.at_real_time ? "" : " (virtual)", found.step, in_utf8(found.message));
  text += tree_of(found.tasks, found.cycle);
  if (!found.cycle.empty()) text += fmt::format("  cycle: {}\n", in_one_line(text_of_cycle(found.cycle)));
  return text;
}

}  // namespace lockstep
