#include <lockstep/report/columns.hpp>

#include <lockstep/report/table.hpp>
#include <lockstep/time/clock.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <numeric>
#include <set>
#include <string_view>

namespace lockstep {

namespace {

using detail::cut;
using detail::in_one_line;
using detail::padded;
using detail::width_of;

constexpr std::size_t none = ~std::size_t{0};
constexpr std::size_t indent = 3;  // of every line
constexpr std::size_t gap = 3;     // between columns
constexpr std::size_t column_width_min = 16;
constexpr std::size_t column_width_fair = 24;
constexpr std::string_view mark = "  *";

// -- rows -------------------------------------------------------------------------------------------------------------

// A line of the report, if it is shown: a step, time that moved before the next one, something that happened, or steps
// that repeat those above.
struct row {
  std::size_t record;
  std::uint32_t task;
  bool is_step;
  bool marked = false;
  std::size_t repeats = 0;  // that it stands for
  const trace_event* event = nullptr;
  std::string text{};  // once it is known that it is shown

  bool is_time() const noexcept { return !is_step && repeats == 0 && event == nullptr; }
};

struct rows_of_run {
  std::vector<row> all;
  // Of a value that was picked, the step in which it was; `none` of what is in no step.
  std::vector<std::size_t> of_record;
};

std::string place_of(const trace_record& step) {
  return is_internal(step.where()) ? std::string() : file_and_line(step.where());
}

// The same below the task's title, which names the function of its first step.
std::string short_place_of(const trace_record& step, const task_title& title) {
  const bool named = step.where().line() == 0 && title.given.empty() && title.path != "main" &&
                     title.function == function_of(step.where());
  return named ? std::string(file_of(step.where())) : place_of(step);
}

std::string text_of_time(const trace_record& moved) {
  return to_text(duration(static_cast<duration::rep>(moved.payload)));
}

// What the task awaited before the step; nothing if it only goes on.
std::string text_of_operation(const recorded_run& run, const trace_record& step) {
  const operation_kind kind = step.operation();
  if (kind == operation_kind::start || kind == operation_kind::yield) return {};
  const std::string text(name_of(kind));
  if (step.object() == 0) return text;
  const auto named = run.objects.find(step.object());
  return named != run.objects.end() ? fmt::format("{} \"{}\"", text, named->second)
                                    : fmt::format("{} #{}", text, step.object());
}

// Those of one record, which are in a row.
std::pair<std::vector<trace_note>::const_iterator, std::vector<trace_note>::const_iterator> notes_of(
    const recorded_run& run, std::size_t record) {
  const auto before = [record](const trace_note& each) { return each.record < record; };
  const auto first = std::partition_point(run.notes.begin(), run.notes.end(), before);
  return {first,
          std::find_if(first, run.notes.end(), [record](const trace_note& each) { return each.record != record; })};
}

// Whether it is what an assertion has thrown, and the step says already which one failed.
bool repeats_the_failure(const trace_note& note, const std::vector<std::string>& parts) {
  return note.subject == "threw" && note.text.find(": Failure\n") != std::string::npos && !parts.empty() &&
         parts.back().starts_with("failed at ");
}

std::string text_of_step(const recorded_run& run, std::size_t record, const std::vector<task_title>& titles) {
  const trace_record& step = run.records[record];
  std::string operation = text_of_operation(run, step);
  std::vector<std::string> parts;
  const auto [first, end] = notes_of(run, record);
  for (auto note = first; note != end; ++note) {
    if (note->subject == trace_note::awaited) {
      operation = note->text;
    } else if (!repeats_the_failure(*note, parts)) {
      parts.push_back(note->subject + (note->text.empty() ? "" : " ") + note->text);
    }
  }
  const std::string place = step.task < titles.size() ? short_place_of(step, titles[step.task]) : place_of(step);
  if (place.empty() && operation.empty() && parts.empty()) operation = name_of(step.operation());
  if (!operation.empty()) parts.insert(parts.begin(), std::move(operation));
  return in_one_line(fmt::format("{}{}{}", place, place.empty() || parts.empty() ? "" : "  ", fmt::join(parts, ", ")));
}

rows_of_run rows_of(const recorded_run& run, const std::vector<bool>& marked) {
  rows_of_run rows;
  rows.of_record.assign(run.records.size(), none);
  std::map<std::uint32_t, std::size_t> last_of;
  auto event = run.events.begin();
  const auto add_events_before = [&](std::size_t record) {
    for (; event != run.events.end() && event->record <= record; ++event) {
      rows.all.push_back({.record = event->record, .task = 0, .is_step = false, .event = &*event});
    }
  };
  for (std::size_t i = 0; i < run.records.size(); ++i) {
    add_events_before(i);
    const trace_record& record = run.records[i];
    if (record.operation() == operation_kind::time_moved) {
      if (!rows.all.empty() && rows.all.back().is_time()) rows.all.pop_back();
      rows.all.push_back({i, 0, false});
    } else if (record.is_step()) {
      last_of[record.task] = rows.of_record[i] = rows.all.size();
      rows.all.push_back({i, record.task, true});
    } else if (const auto step = last_of.find(record.task);
               step != last_of.end() && record.operation() == operation_kind::value_picked) {
      rows.of_record[i] = step->second;
    }
    if (i < marked.size() && marked[i] && rows.of_record[i] != none) rows.all[rows.of_record[i]].marked = true;
  }
  add_events_before(run.records.size());
  return rows;
}

// Whether the two say the same.
bool alike(const recorded_run& run, const row& one, const row& other) {
  if (one.event != nullptr && other.event != nullptr) return one.event->text == other.event->text;
  if (!one.is_step || !other.is_step) return false;
  const trace_record& first = run.records[one.record];
  const trace_record& second = run.records[other.record];
  if (one.marked != other.marked || first.word() != second.word()) return false;
  if (first.payload != second.payload) return false;
  const auto [note, end] = notes_of(run, one.record);
  const auto [other_note, other_end] = notes_of(run, other.record);
  return std::equal(note, end, other_note, other_end, [](const trace_note& here, const trace_note& there) {
    return here.subject == there.subject && here.text == there.text;
  });
}

// How many rows from that one on repeat those that are `period` before them. What decides repeats nothing.
std::size_t repeats_at(const recorded_run& run, const std::vector<row>& rows, std::size_t from, std::size_t period,
                       const std::vector<std::size_t>& deciding) {
  std::size_t to = from;
  while (to < rows.size() && alike(run, rows[to], rows[to - period]) &&
         std::find(deciding.begin(), deciding.end(), to) == deciding.end()) {
    ++to;
  }
  return to - from;
}

// Replaces rows that repeat those above them, one by one or a few together, by one row that counts them.
void fold(const recorded_run& run, rows_of_run& rows, const std::vector<std::size_t>& deciding) {
  constexpr std::size_t period_max = 4;
  std::vector<row> kept;
  std::vector<std::size_t> becomes;  // of each row, its number among those that are kept
  for (std::size_t at = 0; at < rows.all.size();) {
    std::size_t repeats = 0;
    for (std::size_t period = 1; period <= period_max && 2 * period <= at && repeats == 0; ++period) {
      if (repeats_at(run, rows.all, at - period, period, deciding) < period) continue;  // once is not often
      const std::size_t found = repeats_at(run, rows.all, at, period, deciding);
      if (found > std::max<std::size_t>(period, 2)) repeats = found;
    }
    row next = rows.all[at];
    if (repeats != 0) {
      next.is_step = false;
      next.event = nullptr;
      next.repeats = repeats;
    }
    becomes.insert(becomes.end(), std::max<std::size_t>(repeats, 1), kept.size());
    kept.push_back(std::move(next));
    at += std::max<std::size_t>(repeats, 1);
  }
  rows.all = std::move(kept);
  for (std::size_t& each : rows.of_record) {
    if (each != none) each = becomes[each];
  }
}

// -- which are shown --------------------------------------------------------------------------------------------------

constexpr std::size_t never = none;

// The lower, the sooner a row is shown: what decides, the end, what is marked, went wrong or was lost, the beginning,
// and what is around these. Where something decides, `never` the steps of tasks that have nothing of this, unless there
// is room for all.
std::vector<std::size_t> urgencies_of(const std::vector<row>& rows, const std::vector<std::size_t>& deciding,
                                      std::size_t lines_max) {
  constexpr std::size_t per_row = 3;
  std::set<std::uint32_t> related{rows.back().task, 0};  // 0 is the main task
  std::vector<std::size_t> of(rows.size(), never - per_row);
  of.front() = 8;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].event != nullptr && rows[i].event->grave) of[i] = 5;
    if (!rows[i].marked) continue;
    of[i] = 5;
    related.insert(rows[i].task);
  }
  for (const std::size_t each : deciding) related.insert(rows[each].task);
  of.back() = 1;
  for (const std::size_t each : deciding) of[each] = 0;
  for (std::size_t i = 1; i < of.size(); ++i) of[i] = std::min(of[i], of[i - 1] + per_row);
  for (std::size_t i = of.size() - 1; i > 0; --i) of[i - 1] = std::min(of[i - 1], of[i] + per_row);
  if (deciding.empty() || rows.size() <= lines_max) return of;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (related.count(rows[i].task) == 0) of[i] = never;
  }
  return of;
}

// Those for which there is room, where a line stands for each gap.
std::vector<bool> chosen(const std::vector<std::size_t>& urgencies, std::size_t lines_max) {
  const std::size_t count = urgencies.size();
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t one, std::size_t other) { return urgencies[one] < urgencies[other]; });
  std::vector<bool> shown(count);
  const auto parts = [&](std::size_t i) {  // what is left of the gap in which it is
    return (i > 0 && !shown[i - 1] ? 1u : 0u) + (i + 1 < count && !shown[i + 1] ? 1u : 0u);
  };
  std::size_t lines = 1;
  for (const std::size_t each : order) {
    if (urgencies[each] == never || lines + parts(each) > lines_max) continue;
    lines += parts(each);
    shown[each] = true;
  }
  return shown;
}

// -- columns ----------------------------------------------------------------------------------------------------------

struct column {
  std::string title;
  std::size_t width = 0;  // that it asks for, then that it gets
  std::size_t start = 0;
};

// Gives the columns their places. As a line holds one cell, a long cell runs on to the right: so they may be narrower
// than what is in them, the last one less so. Returns whether there is room for them.
bool fit(std::vector<column>& columns, std::size_t width_max) {
  for (std::size_t most = width_max; most >= column_width_min; --most) {
    const std::size_t most_of_last = std::max(most, width_max / (most >= column_width_fair ? 2 : 3));
    std::vector<column> placed = columns;
    std::size_t end = 0;
    for (column& each : placed) {
      each.start = end == 0 ? indent : end + gap;
      each.width = std::min(each.width, &each == &placed.back() ? most_of_last : most);
      end = each.start + each.width;
    }
    if (end > width_max) continue;
    columns = std::move(placed);
    return true;
  }
  return false;
}

// What each task is called: by its path as well, where two have one name, and with its host, where there are several.
std::vector<std::string> texts_of(const recorded_run& run, const std::vector<task_title>& titles) {
  std::map<std::string, std::size_t> times;
  for (const task_title& each : titles) ++times[each.short_text()];
  std::vector<std::string> texts;
  for (const task_title& each : titles) {
    texts.push_back(in_one_line(times[each.short_text()] > 1 ? each.text() : each.short_text()));
  }
  std::set<std::string_view> hosts;
  for (const auto& [task, host] : run.hosts) hosts.insert(host);
  for (const auto& [task, host] : run.hosts) {
    if (hosts.size() > 1 && task < texts.size() && texts[task] != host) texts[task] += " on " + in_one_line(host);
  }
  return texts;
}

// The tasks that have steps to show, in the order of the first, with what speaks for a column of their own.
struct shown_task {
  std::uint32_t number;
  std::size_t weight = 0;
};

std::vector<shown_task> tasks_of(const std::vector<row>& rows, const std::vector<bool>& shown,
                                 const std::vector<std::size_t>& deciding) {
  std::vector<shown_task> tasks;
  std::map<std::uint32_t, std::size_t> index;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!shown[i] || !rows[i].is_step) continue;
    const auto [at, is_new] = index.emplace(rows[i].task, tasks.size());
    if (is_new) tasks.push_back({rows[i].task});
    std::size_t& weight = tasks[at->second].weight;
    weight += rows[i].marked ? 1000 : 1;
    if (std::find(deciding.begin(), deciding.end(), i) != deciding.end()) weight += 1'000'000;
  }
  return tasks;
}

class report {
 public:
  report(const recorded_run& run, const column_options& how) : report(run, how, titles_of(run)) {}

  std::string text() {
    if (rows_.empty()) return {};
    std::string header;
    for (const column& each : columns_) header = padded(header, each.start) + cut(each.title, each.width);
    add(header);
    for (std::size_t i = 0; i < rows_.size();) {
      if (shown_[i]) {
        add_row(i++);
      } else {
        i = add_gap(i);
      }
    }
    return std::move(text_);
  }

 private:
  report(const recorded_run& run, const column_options& how, const std::vector<task_title>& titles)
      : how_(how), titles_(texts_of(run, titles)), of_run_(rows_of(run, how.marked)), rows_(of_run_.all) {
    if (rows_.empty()) return;
    fold(run, of_run_, deciding());
    deciding_ = deciding();
    const std::size_t others = deciding_.empty() ? 1 : 2;  // the header, and the remark if it needs a line
    const std::size_t lines_max = how.lines_max > others ? how.lines_max - others : 1;
    shown_ = chosen(urgencies_of(rows_, deciding_, lines_max), lines_max);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      row& each = rows_[i];
      if (each.repeats != 0) {
        each.text = fmt::format("... {} more like these ...", each.repeats);
      } else if (each.event != nullptr) {
        each.text = in_one_line(each.event->text);
      } else if (!each.is_step) {
        each.text = text_of_time(run.records[each.record]);
      } else if (shown_[i]) {
        each.text = text_of_step(run, each.record, titles);
      }
    }
    make_columns();
    if (deciding_.size() == 2) {
      const row& later = rows_[deciding_[1]];
      const std::string place = in_one_line(place_of(run.records[later.record]));
      remark_ = fmt::format("<- before {} {}", title_of(later.task), place.empty() ? "went on" : "reached " + place);
    } else {
      remark_ = "<- before a step that was not made";
    }
  }

  // The rows of the steps that decide, the earlier first; one, if the run has not come to the later; or none.
  std::vector<std::size_t> deciding() const {
    if (!how_.deciding) return {};
    const auto row_of = [this](std::size_t record) {
      return record < of_run_.of_record.size() ? of_run_.of_record[record] : none;
    };
    const auto [earlier, later] = std::minmax(how_.deciding->first, how_.deciding->second);
    const std::size_t first = row_of(earlier);
    const std::size_t second = row_of(later);
    if (first == none || first == second) return {};
    if (later >= of_run_.of_record.size()) return {first};
    return second == none ? std::vector<std::size_t>() : std::vector<std::size_t>{first, second};
  }

  std::string title_of(std::uint32_t task) const { return task < titles_.size() ? titles_[task] : "task"; }

  // As many columns as there is room for; the last is that of all tasks which have none.
  void make_columns() {
    const std::vector<shown_task> tasks = tasks_of(rows_, shown_, deciding_);
    std::vector<std::size_t> order(tasks.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t one, std::size_t other) { return tasks[one].weight > tasks[other].weight; });
    for (std::size_t own = tasks.size() + 1; own-- > 0;) {
      std::vector<bool> has_own(tasks.size());
      for (std::size_t i = 0; i < own; ++i) has_own[order[i]] = true;
      columns_.clear();
      column_of_.clear();
      for (std::size_t i = 0; i < tasks.size(); ++i) {
        if (!has_own[i]) continue;
        column_of_[tasks[i].number] = columns_.size();
        columns_.push_back({title_of(tasks[i].number)});
      }
      const std::size_t others = tasks.size() - own;
      if (others > 0) columns_.push_back({fmt::format("{} other{}", others, others > 1 ? "s" : "")});
      for (column& each : columns_) each.width = width_of(each.title);
      for (std::size_t i = 0; i < rows_.size(); ++i) {
        if (!shown_[i] || !rows_[i].is_step) continue;
        std::size_t& width = column_of(rows_[i]).width;
        width = std::max(width, width_of(cell_of(rows_[i])) + (rows_[i].marked ? mark.size() : 0));
      }
      if (fit(columns_, how_.width_max)) return;
    }
  }

  bool has_own_column(const row& of) const { return column_of_.count(of.task) != 0; }
  column& column_of(const row& of) { return has_own_column(of) ? columns_[column_of_.at(of.task)] : columns_.back(); }
  std::string cell_of(const row& of) const {
    return has_own_column(of) ? of.text : fmt::format("{}: {}", title_of(of.task), of.text);
  }
  std::size_t width() const { return columns_.empty() ? indent : columns_.back().start + columns_.back().width; }

  void add(std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    text_ += line + '\n';
  }

  void add_row(std::size_t i) {
    const row& each = rows_[i];
    std::string line(indent, ' ');
    if (each.repeats != 0) return add(line + each.text + (each.marked ? std::string(mark) : ""));
    if (each.event != nullptr) return add(line + cut("~~ " + each.text, how_.width_max - indent));
    if (!each.is_step) {
      line += fmt::format("── {} ──", each.text);
      while (width_of(line) < width()) line += "─";
      return add(line);
    }
    const column& in = column_of(each);
    const std::size_t room = how_.width_max - in.start - (each.marked ? mark.size() : 0);
    const std::size_t within = in.width - (each.marked ? std::min(mark.size(), in.width) : 0);
    line = std::string(in.start, ' ') + padded(cut(cell_of(each), room), within);
    if (each.marked) line += mark;
    if (deciding_.empty() || i != deciding_.front()) return add(line);
    line += "  ";
    if (width_of(line) + width_of(remark_) <= how_.width_max) return add(line + remark_);
    add(line);
    const std::string remark = cut(remark_, how_.width_max - indent);
    add(std::string(std::min(in.start, how_.width_max - width_of(remark)), ' ') + remark);
  }

  // Returns the row after it.
  std::size_t add_gap(std::size_t from) {
    std::size_t steps = 0;
    std::size_t events = 0;
    std::string until;
    for (; from < rows_.size() && !shown_[from]; ++from) {
      if (rows_[from].is_step || rows_[from].repeats != 0) {
        steps += std::max<std::size_t>(rows_[from].repeats, 1);
      } else if (rows_[from].event != nullptr) {
        ++events;
      } else {
        until = ", until " + rows_[from].text;
      }
    }
    const bool of_events = steps == 0 && events != 0;
    const std::size_t count = of_events ? events : steps;
    add(fmt::format("{}... {} {}{}{} ...", std::string(indent, ' '), count, of_events ? "event" : "step",
                    count == 1 ? "" : "s", until));
    return from;
  }

  const column_options& how_;
  std::vector<std::string> titles_;
  rows_of_run of_run_;
  std::vector<row>& rows_;
  std::vector<std::size_t> deciding_;  // the rows of both steps, or none
  std::vector<bool> shown_;
  std::vector<column> columns_;
  std::map<std::uint32_t, std::size_t> column_of_;
  std::string remark_;
  std::string text_;
};

}  // namespace

std::string columns_of(const recorded_run& run, const column_options& how) { return report(run, how).text(); }

}  // namespace lockstep
