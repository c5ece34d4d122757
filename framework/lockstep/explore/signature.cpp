#include <lockstep/explore/signature.hpp>

#include <fmt/format.h>

#include <set>

namespace lockstep {

std::string without_numbers(std::string_view text) {
  std::string without;
  bool in_number = false;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit) without += c;
    if (digit && !in_number) without += '#';
    in_number = digit;
  }
  return without;
}

std::string signature_of(const verdict& found) {
  std::set<std::string> blocked;
  std::string thrown;
  for (const task_snapshot& each : found.tasks) {
    const std::string where = each.stack.empty() ? "" : file_and_line(each.stack.front());
    if (each.state == task_snapshot::condition::waiting) blocked.insert(each.name + " at " + where);
    if (each.state == task_snapshot::condition::failed && thrown.empty()) thrown = where;
  }
  std::string text(name_of(found.kind));
  if (found.where.line() != 0) text += " at " + file_and_line(found.where);
  if (!thrown.empty()) text += " thrown at " + thrown;
  // Of a standstill, the tasks say all; other messages tell what was done wrong.
  const bool standstill = found.kind == verdict_kind::deadlock || found.kind == verdict_kind::partial_deadlock;
  if (standstill) return text + fmt::format(": {}", fmt::join(blocked, ", "));
  const std::string_view message = found.message;
  return text + ": " + without_numbers(message.substr(0, message.find('\n')));
}

std::string signature_of_assertion(std::string_view file, int line) {
  return fmt::format("assertion at {}:{}", file, line);
}

}  // namespace lockstep
