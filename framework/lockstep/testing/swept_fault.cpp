#include <lockstep/testing/swept_fault.hpp>

#include <lockstep/testing/test_runs.hpp>

#include <fmt/format.h>

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep::detail {

namespace {

constexpr std::string_view of_call = "failed_call-";

bool is_of_sweep(const value_override& each) { return each.domain.starts_with(of_call); }

}  // namespace

token token_of(const swept_fault& fault, std::uint16_t test) {
  token made;
  made.test = test;
  made.value_overrides.push_back({fmt::format("{}{}", of_call, fault.calls), fault.number, fault.each_later ? 2U : 1U});
  return made;
}

std::variant<std::monostate, swept_fault, std::string> swept_fault_of(const token& replay) {
  std::optional<swept_fault> found;
  for (const value_override& each : replay.value_overrides) {
    if (!is_of_sweep(each)) continue;
    if (found) return "it has two calls that fail";
    if (each.value != 1 && each.value != 2) {
      return fmt::format("a call that fails has the value 1, or 2 for each later one as well, not {}", each.value);
    }
    found = swept_fault{each.domain.substr(of_call.size()), each.nth, each.value == 2};
  }
  if (!found) return std::monostate();
  return *std::move(found);
}

token without_swept_fault(token replay) {
  std::erase_if(replay.value_overrides, is_of_sweep);
  return replay;
}

std::string repeat_line_of(const swept_fault& fault) {
  const std::string test = full_name();
  return test.empty() ? "" : repeat_line(token_of(fault, test_hash(test)));
}

}  // namespace lockstep::detail
