// The bridge between cancellation and std::stop_token, where the standard library has it.
#pragma once

#include <lockstep/runtime/spawn.hpp>

#include <version>

#ifdef __cpp_lib_jthread
#include <stop_token>

namespace lockstep {

// A token that is stopped when the running task is cancelled, for code that understands only stop tokens. Within a
// shield it is stopped by what is asked for within it. Requires a running task.
inline std::stop_token current_stop_token(source where = source::current()) { return current_task(where).stop_token(); }

// Awaits `work`, as a task of its own, and cancels it when `token` is stopped; by one that is stopped already, before
// it starts. To stop it on another thread, while the work has not ended, is misuse: a verdict, and the work goes on.
// Returns its result or throws what left it: when it was cancelled, that is `cancelled` as a rule. Cancelling the
// caller cancels the work and waits for its end.
template <class T>
task<T> with_stop_token(std::stop_token token, task<T> work) {
  join_handle<T> handle = spawn(std::move(work), detail::users_line());
  std::stop_callback on_stop(token, [&handle] { handle.get().stop_requested(); });
  co_return co_await handle.join();
}

}  // namespace lockstep
#endif
