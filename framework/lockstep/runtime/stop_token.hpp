// The bridge between cancellation and std::stop_token, where the standard library has it.
#pragma once

#include <lockstep/runtime/spawn.hpp>

#include <version>

#ifdef __cpp_lib_jthread
#include <stop_token>

namespace lockstep {

// A token that is stopped when the running task is cancelled, for code that understands only stop tokens.
inline std::stop_token current_stop_token() { return current_task().stop_token(); }

// Awaits `work`, and cancels it when `token` is stopped, which must happen on the loop's thread. Throws `cancelled`
// then.
template <class T>
task<T> with_stop_token(std::stop_token token, task<T> work) {
  join_handle<T> handle = spawn(std::move(work));
  std::stop_callback on_stop(token, [&handle] { handle.cancel("stop requested"); });
  co_return co_await handle.join();
}

}  // namespace lockstep
#endif
