#include <lockstep/runtime/verdict.hpp>

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
    case verdict_kind::slow_step: return "slow step";
  }
  return "unknown verdict";
}

}  // namespace lockstep
