#include <lockstep/report/table.hpp>

#include <lockstep/report/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace lockstep::detail {

namespace {

constexpr std::size_t frames_max = 32;  // of one stack: half of them innermost, half outermost
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

void add_stack(const std::vector<place>& stack, std::vector<row>& rows) {
  for (std::size_t i = 1; i < stack.size(); ++i) {
    if (stack.size() > frames_max && i == frames_max / 2) {
      rows.push_back({"", "", fmt::format("... {} more", stack.size() - frames_max), ""});
      i = stack.size() - frames_max / 2;
    }
    rows.push_back({"", i == 1 ? "called from" : "", file_and_line(stack[i]), ""});
  }
}

void add_rows(const task_snapshot& task, const branch& at, std::vector<row>& rows) {
  row made;
  made.task = std::string(at.depth > 0 ? 2 * (at.depth - 1) : 0, ' ') + (at.depth > 0 ? "└ " : "") + task.name;
  if (!at.again.empty()) {
    made.doing = at.again;
    rows.push_back(made);
    return;
  }
  made.doing = doing(task);
  if (!task.stack.empty()) made.where = file_and_line(task.stack.front());
  if (!task.held_by.empty()) made.remark = "held by " + task.held_by;
  if (!task.fed_by.empty()) made.remark = "fed by " + task.fed_by;
  rows.push_back(made);
  add_stack(task.stack, rows);
  if (!task.threw.empty()) rows.push_back({"", "threw", task.threw, ""});
  if (task.spawned_at.line() != 0) rows.push_back({"", "spawned at", file_and_line(task.spawned_at), ""});
  for (const std::string& note : task.notes) rows.push_back({"", "note", note, ""});
}

// The width that a cell asks of its column: none if it is so long that it had better stand out.
std::size_t asked_width(const std::string& cell) {
  const std::size_t wide = width_of(cell);
  return wide <= width_max ? wide : 0;
}

}  // namespace

// UTF-8 continuation bytes take none.
std::size_t width_of(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t to) {
  const std::size_t width = width_of(text);
  return text + std::string(to > width ? to - width : 0, ' ');
}

std::string cut(const std::string& text, std::size_t to) {
  if (width_of(text) <= to) return text;
  std::string begin = text;
  while (width_of(begin) + 1 > to && !begin.empty()) begin.pop_back();
  while (!begin.empty() && (static_cast<unsigned char>(text[begin.size()]) & 0xC0) == 0x80) begin.pop_back();
  return to > 0 ? begin + "…" : std::string();
}

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

std::string table_of(const std::vector<task_snapshot>& tasks, const std::vector<branch>& branches,
                     std::size_t left_out) {
  std::vector<row> rows;
  for (const branch& each : branches) add_rows(tasks[each.task], each, rows);
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
  if (left_out > 0) text += fmt::format("  ... and {} more tasks\n", left_out);
  return text;
}

}  // namespace lockstep::detail
