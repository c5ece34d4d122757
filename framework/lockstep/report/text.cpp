#include <lockstep/report/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace lockstep {

namespace {

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

void add_rows(const std::vector<task_snapshot>& tasks, std::size_t at, std::size_t depth, std::vector<row>& rows) {
  const task_snapshot& task = tasks[at];
  const std::string indent(depth > 0 ? 2 * (depth - 1) : 0, ' ');
  row made;
  made.task = indent + (depth > 0 ? "└ " : "") + task.name;
  made.doing = doing(task);
  if (!task.stack.empty()) made.where = file_and_line(task.stack.front());
  if (!task.held_by.empty()) made.remark = "held by " + task.held_by;
  if (!task.fed_by.empty()) made.remark = "fed by " + task.fed_by;
  rows.push_back(made);
  for (std::size_t i = 1; i < task.stack.size(); ++i) {
    rows.push_back({"", i == 1 ? "called from" : "", file_and_line(task.stack[i]), ""});
  }
  if (!task.threw.empty()) rows.push_back({"", "threw", task.threw, ""});
  if (task.spawned_at.line() != 0) rows.push_back({"", "spawned at", file_and_line(task.spawned_at), ""});
  for (const std::string& note : task.notes) rows.push_back({"", "note", note, ""});
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (tasks[i].parent == at) add_rows(tasks, i, depth + 1, rows);
  }
}

// What users have written must not break the table.
std::string in_one_line(const std::string& text) {
  std::string line;
  for (const char c : text) {
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

}  // namespace

std::string tree_of(const std::vector<task_snapshot>& tasks) {
  std::vector<row> rows;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (!tasks[i].parent) add_rows(tasks, i, 0, rows);
  }
  for (row& each : rows) {
    for (std::string* cell : {&each.task, &each.doing, &each.where, &each.remark}) *cell = in_one_line(*cell);
  }
  std::size_t task_width = 0;
  std::size_t doing_width = 0;
  std::size_t where_width = 0;
  for (const row& each : rows) {
    task_width = std::max(task_width, width(each.task));
    doing_width = std::max(doing_width, width(each.doing));
    where_width = std::max(where_width, width(each.where));
  }
  std::string text;
  for (const row& each : rows) {
    std::string line = "  " + padded(each.task, task_width) + "  " + padded(each.doing, doing_width) + "  " +
                       padded(each.where, where_width) + "  " + each.remark;
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

std::string to_text(const verdict& found) {
  std::string text = fmt::format("{} at {} (virtual), step {}: {}\n", name_of(found.kind),
                                 to_text(found.at.time_since_epoch()), found.step, found.message);
  text += tree_of(found.tasks);
  if (!found.cycle.empty()) {
    const std::string cycle = fmt::format("{} -> {}", fmt::join(found.cycle, " -> "), found.cycle.front());
    text += fmt::format("  cycle: {}\n", in_one_line(cycle));
  }
  return text;
}

}  // namespace lockstep
