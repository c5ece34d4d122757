// What is wrong with a run, as data: the runtime finds it, the report module words it.
//
// A verdict is complete when it is made: it holds no pointer to tasks or objects, which may be gone when it is read.
#pragma once

#include <lockstep/base/source.hpp>
#include <lockstep/choice/operation_kind.hpp>
#include <lockstep/time/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

enum class verdict_kind {
  unhandled_exception,     // left the main task, or a daemon
  unread_exception,        // a task failed and nobody looked
  unawaited_task,          // a task was made and never awaited or spawned
  leaked_task,             // a task was still alive at the end
  dropped_handle,          // a handle or group died before its task
  deadlock,                // every task waits
  partial_deadlock,        // some tasks wait for each other in a cycle; others go on
  step_limit,              // livelock, or a limit too low
  time_limit,              // virtual time ran out
  swallowed_cancellation,  // cancelled was caught, and the task awaits again as if nothing had been
  misuse,                  // a mistake in the use of the library
  unreached_point,         // an order of points that did not come about
  leaked_descriptor,       // a socket or file was still open at the end
  unfired_fault,           // a fault was injected and never happened
  unmatched_request,       // a mock was asked for what it has no answer to
  unmet_expectation,       // a mock was not asked as often as it was to be
  slow_step,               // one step took too much real time
};

std::string_view name_of(verdict_kind kind) noexcept;

// One task as it stood when the verdict was made.
struct task_snapshot {
  std::string name;
  source spawned_at;
  enum class condition { running, ready, waiting, finished, failed, cancelled } state = condition::ready;
  std::string waits_for;              // "mutex \"tx\"", "join(reader)", "sleep until 3 s"; empty unless waiting
  std::string held_by;                // who could end the wait, where that is known
  std::string fed_by;                 // who has ended such waits so far, where that is known
  std::vector<place> stack;           // where it waits, or where what ended it was thrown, innermost first
  std::string threw;                  // what its exception says, where it is one of several
  std::vector<std::string> notes;     // the annotations in force, outermost first, and what is said of its exception
  std::optional<std::size_t> parent;  // its place in verdict::tasks
  bool daemon = false;
};

struct verdict {
  verdict_kind kind = verdict_kind::misuse;
  std::string message;  // one sentence: lower case, no period
  source where;         // the line to look at first
  time_point at{};
  bool at_real_time = false;  // by a real clock, and not in virtual time
  std::uint64_t step = 0;
  // Those concerned; all of them for a deadlock. Below one that failed: those that its exception had ended before.
  std::vector<task_snapshot> tasks;
  std::vector<std::string> cycle;  // the names along a cycle of waits
};

// Receives verdicts while a run goes on. Called on the loop's thread, and must not throw.
class monitor {
 public:
  monitor() = default;
  monitor(const monitor&) = delete;
  monitor& operator=(const monitor&) = delete;

  virtual void report(verdict found) noexcept = 0;

 protected:
  ~monitor() = default;
};

}  // namespace lockstep
