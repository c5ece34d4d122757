#include <lockstep/explore/determinism.hpp>

#include <lockstep/time/clock.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace lockstep {

recorded_run copy_of(const trace& history) { return {history.recent(), history.hashes()}; }

std::string to_text(const trace_record& record) {
  switch (record.operation()) {
    case operation_kind::time_moved:
      return fmt::format("time moved to {}", to_text(duration(static_cast<duration::rep>(record.payload))));
    case operation_kind::value_picked: return fmt::format("task {} drew the value {}", record.task, record.payload);
    case operation_kind::task_made: return fmt::format("task {} was made, {:016x}", record.task, record.payload);
    case operation_kind::object_made:
      return fmt::format("task {} made object #{}, {:016x}", record.task, record.object(), record.payload);
    default: break;
  }
  const std::string object = record.object() != 0 ? fmt::format(" #{}", record.object()) : std::string();
  const std::string where = record.where().line() != 0 ? " at " + file_and_line(record.where()) : std::string();
  return fmt::format("task {} {}{}{}", record.task, name_of(record.operation()), object, where);
}

std::optional<std::string> first_difference(const recorded_run& first, const recorded_run& second) {
  const std::size_t both = std::min(first.hashes.size(), second.hashes.size());
  std::size_t at = 0;
  while (at < both && first.hashes[at] == second.hashes[at]) ++at;
  if (at == both && first.hashes.size() == second.hashes.size()) return std::nullopt;
  const auto record_of = [at](const recorded_run& run) {
    return at < run.records.size() ? to_text(run.records[at]) : std::string("the run had ended");
  };
  return fmt::format(
      "the same choices gave another run; they differ first at record {}\n  first run:  {}\n  second run: {}", at + 1,
      record_of(first), record_of(second));
}

}  // namespace lockstep
