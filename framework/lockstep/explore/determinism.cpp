#include <lockstep/explore/determinism.hpp>

#include <lockstep/time/clock.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace lockstep {

recorded_run copy_of(const trace& history) {
  return {history.recent(), history.hashes(), history.names(), history.objects(),
          history.notes(),  history.events(), history.hosts()};
}

std::string task_title::short_text() const {
  if (!given.empty()) return given;
  return path == "main" ? path : fmt::format("{} {}", function, path);
}

std::string task_title::text() const { return given.empty() ? short_text() : fmt::format("{} ({})", given, path); }

// Records hold hashes of the paths; each is recognised as the one that the next child of a known task has.
std::vector<task_title> titles_of(const recorded_run& run) {
  struct next_child {
    identity parent;
    std::string path_of_parent;
    std::uint32_t nth;
  };
  std::map<identity, next_child> expected;
  std::vector<task_title> titles;
  for (const trace_record& record : run.records) {
    if (record.operation() == operation_kind::start && record.task < titles.size() && !is_internal(record.where())) {
      titles[record.task].function = function_of(record.where());
    }
    if (record.operation() != operation_kind::task_made) continue;
    std::string path = "main";
    if (const auto found = expected.extract(record.payload)) {
      next_child& next = found.mapped();
      path = fmt::format("{}{}{}", next.path_of_parent, next.path_of_parent.empty() ? "" : ".", next.nth);
      const identity after = task_identity(next.parent, ++next.nth);
      expected.emplace(after, std::move(next));
    }
    expected.emplace(task_identity(record.payload, 1), next_child{record.payload, path == "main" ? "" : path, 1});
    if (titles.size() <= record.task) titles.resize(record.task + std::size_t{1}, {"", "", "task"});
    titles[record.task].path = std::move(path);
  }
  for (const auto& [number, given] : run.names) {
    if (number < titles.size()) titles[number].given = given;
  }
  return titles;
}

std::string text_of_record(const recorded_run& run, std::size_t at) {
  if (at >= run.records.size()) return "the run had ended";
  const trace_record& record = run.records[at];
  if (record.operation() == operation_kind::time_moved) {
    return fmt::format("time moved to {}", to_text(duration(static_cast<duration::rep>(record.payload))));
  }
  const std::vector<task_title> titles = titles_of(run);
  const std::string task = record.task < titles.size() ? titles[record.task].text() : "task";
  switch (record.operation()) {
    case operation_kind::value_picked: return fmt::format("{}: drew the value {}", task, record.payload);
    case operation_kind::task_made: return fmt::format("{}: was made", task);
    case operation_kind::fault_fired: return fmt::format("{}: fault {:016x}", task, record.payload);
    case operation_kind::object_made:
      return fmt::format("{}: made object #{}, {:016x}", task, record.object(), record.payload);
    default: break;
  }
  std::string what(name_of(record.operation()));
  if (const auto known = run.objects.find(record.object()); known != run.objects.end()) {
    what += fmt::format(" \"{}\"", known->second);
  } else if (record.object() != 0) {
    what += fmt::format(" #{}", record.object());
  }
  std::string where = file_and_line(record.where());
  if (!where.empty()) where.insert(0, " at ");
  return fmt::format("{}: {}{}", task, what, where);
}

std::optional<std::string> first_difference(const recorded_run& first, const recorded_run& second) {
  const std::size_t both = std::min(first.hashes.size(), second.hashes.size());
  std::size_t at = 0;
  while (at < both && first.hashes[at] == second.hashes[at]) ++at;
  if (at == both && first.hashes.size() == second.hashes.size()) return std::nullopt;
  std::uint64_t steps = 0;
  duration now{};
  for (std::size_t i = 0; i < at; ++i) {
    const trace_record& same = first.records[i];
    if (same.is_step()) ++steps;
    if (same.operation() == operation_kind::time_moved) now = duration(static_cast<duration::rep>(same.payload));
  }
  return fmt::format(
      "the same choices gave another run; they differ first at {} (virtual), after step {}\n"
      "  first run:  {}\n  second run: {}",
      to_text(now), steps, text_of_record(first, at), text_of_record(second, at));
}

}  // namespace lockstep
