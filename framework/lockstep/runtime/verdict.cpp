#include <lockstep/runtime/verdict.hpp>

#include <lockstep/runtime/snapshot.hpp>

#include <algorithm>

namespace lockstep {

std::string_view name_of(verdict_kind kind) noexcept {
  switch (kind) {
    case verdict_kind::unhandled_exception: return "unhandled exception";
    case verdict_kind::unread_exception: return "unread exception";
    case verdict_kind::unawaited_task: return "unawaited task";
    case verdict_kind::leaked_task: return "leaked task";
    case verdict_kind::dropped_handle: return "dropped handle";
    case verdict_kind::deadlock: return "deadlock";
    case verdict_kind::partial_deadlock: return "partial deadlock";
    case verdict_kind::step_limit: return "livelock";
    case verdict_kind::time_limit: return "virtual-time limit";
    case verdict_kind::swallowed_cancellation: return "swallowed cancellation";
    case verdict_kind::misuse: return "misuse";
    case verdict_kind::unreached_point: return "unreached point";
    case verdict_kind::leaked_descriptor: return "leaked descriptor";
    case verdict_kind::unfired_fault: return "unfired fault";
    case verdict_kind::unmatched_request: return "unmatched request";
    case verdict_kind::unmet_expectation: return "unmet expectation";
    case verdict_kind::slow_step: return "slow step";
  }
  return "unknown verdict";
}

// Of a long chain of tasks, each of which was ended by the next, those where it began: or else each task through which
// an exception comes would copy all that it has come through.
void add_trail(std::vector<task_snapshot>& tasks, std::optional<std::size_t> parent,
               const std::vector<task_snapshot>& trail) {
  constexpr std::size_t chain_max = 32;
  std::size_t left_out = 0;
  const auto is_link = [&trail](std::size_t at) {
    return at + 1 < trail.size() && trail[at + 1].parent == at &&
           std::none_of(trail.begin() + static_cast<std::ptrdiff_t>(at) + 2, trail.end(),
                        [at](const task_snapshot& each) { return each.parent == at; });
  };
  while (trail.size() - left_out > chain_max && is_link(left_out)) ++left_out;
  const std::size_t first = tasks.size();
  for (std::size_t i = left_out; i < trail.size(); ++i) {
    tasks.push_back(trail[i]);
    const bool is_of_them = i > left_out && trail[i].parent;
    tasks.back().parent = is_of_them ? std::optional(first + *trail[i].parent - left_out) : parent;
  }
  if (left_out == 0) return;
  constexpr std::string_view note = "the tasks through which it came next are left out";
  if (std::vector<std::string>& notes = tasks[first].notes; notes.empty() || notes.back() != note) {
    notes.emplace_back(note);
  }
}

}  // namespace lockstep
