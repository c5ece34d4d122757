// Work that cancellation must not interrupt: clean-up, a commit.
//
// A shield keeps requests that come from outside of it. Those that a timeout or a group makes within it reach the
// work: shield(with_timeout(1s, clean_up())) is clean-up that has a second.
#pragma once

#include <lockstep/runtime/spawn.hpp>
#include <lockstep/runtime/task.hpp>

#include <cstdint>

namespace lockstep {

// While it lives, requests to cancel the running task are kept for later; one that was made before it counts as such.
// The building block of shield(). Scopes of one task end in the reverse order of their beginning.
class shield_scope {
 public:
  // Requires a running task.
  explicit shield_scope(source where = source::current());
  shield_scope(const shield_scope&) = delete;
  shield_scope& operator=(const shield_scope&) = delete;
  ~shield_scope();
  // So that the next one that the task makes, perhaps in its clean-up, does not fail. Throws std::bad_alloc.
  static void make_room(agent& who);

 private:
  friend class agent;

  // This or an outer shield: the outermost of those within `outer`, null for all.
  shield_scope& within(const shield_scope* outer) noexcept;
  void keep_request(label reason, bool replace_reason);
  // False if it keeps none.
  bool take_request_back() noexcept;

  // What is known of the cancellation of the task outside of the shield, while the task knows of that inside.
  agent& owner_;
  shield_scope* outer_;
  std::uint16_t requests_;
  std::uint16_t attention_;
  label reason_;
#ifdef __cpp_lib_jthread
  std::optional<std::stop_source> stop_;
#endif
};

// Awaits `work` to its end even if the running task is cancelled meanwhile; the cancellation is delivered at the next
// await after it, or the task is cancelled when it returns. Also what a cancelled task awaits its clean-up in.
// Returns the result of the work, or throws what left it.
// Unlike asyncio.shield, the work stays the caller's: nothing goes on in the background. To stop waiting for a task
// without cancelling it, use join_handle::join_shielded().
// Source: trio's CancelScope(shield=True).
template <class T>
task<T> shield(task<T> work) {
  const shield_scope scope;
  co_return co_await std::move(work);
}

}  // namespace lockstep
