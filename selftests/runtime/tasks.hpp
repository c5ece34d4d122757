// Small tasks that tests of waiting and ending are made of.
#pragma once

#include <lockstep/lockstep.hpp>

#include <stdexcept>
#include <string>
#include <utility>

namespace lockstep {

inline task<void> pass(duration length) { co_await sleep_for(length); }
inline task<void> wait_for_ever() { co_await sleep_until(time_point::max()); }

template <class T>
task<T> value_after(duration delay, T value) {
  co_await sleep_for(delay);
  co_return value;
}

template <class T = void>
task<T> fail_after(duration delay, std::string text = "disk full") {
  co_await sleep_for(delay);
  throw std::runtime_error(text);
}

// Waits for ever; notes how it ended, after a clean-up of `needed`.
template <class T = void>
task<T> until_cancelled(std::string& log, duration needed = {}) {
  std::string reason;
  try {
    co_await wait_for_ever();
  } catch (const cancelled& why) {
    reason = why.reason();
  }
  co_await shield(pass(needed));
  log += "[" + reason + "]";
  throw cancelled(reason);
}

inline task<void> lock_both(mutex& first, mutex& second) {
  const mutex_guard one = co_await first.lock();
  co_await sleep_for(std::chrono::milliseconds(1));  // for another to take the second
  const mutex_guard two = co_await second.lock();
}

// Ends in a cycle of "reader", which holds the mutex "rx", and "writer", which holds "tx".
inline task<void> lock_each_other_out() {
  mutex tx("tx");
  mutex rx("rx");
  auto reader = spawn(lock_both(rx, tx), "reader");
  auto writer = spawn(lock_both(tx, rx), "writer");
  co_await reader.join();
  co_await writer.join();
}

// Lets `work` run for a second, cancels it, and waits for what it comes to.
template <class T>
task<T> shut_down_in_a_second(task<T> work) {
  auto handle = spawn(std::move(work));
  co_await sleep_for(std::chrono::seconds(1));
  handle.cancel("shutdown");
  co_return co_await handle.join();
}

}  // namespace lockstep
