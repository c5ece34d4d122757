// Work that cancellation must not interrupt: clean-up, a commit.
#pragma once

#include <lockstep/runtime/spawn.hpp>
#include <lockstep/runtime/task.hpp>

namespace lockstep {

// While it lives, requests to cancel the running task are kept for later. The building block of shield().
class shield_scope {
 public:
  shield_scope();
  shield_scope(const shield_scope&) = delete;
  shield_scope& operator=(const shield_scope&) = delete;
  ~shield_scope();

 private:
  agent& owner_;
};

// Awaits `work` to its end even if the running task is cancelled meanwhile; the cancellation is delivered at the next
// await after it. Also what a cancelled task awaits its clean-up in.
// Unlike asyncio's, the work stays the caller's: nothing goes on in the background. To stop waiting for a task without
// cancelling it, use join_handle::join_shielded().
template <class T>
task<T> shield(task<T> work) {
  const shield_scope scope;
  co_return co_await std::move(work);
}

}  // namespace lockstep
