// Small programs that tests of searches run.
#pragma once

#include <lockstep/explore/world_program.hpp>
#include <lockstep/lockstep.hpp>

#include <stdexcept>
#include <vector>

namespace lockstep::searched {

inline void require(bool holds, const char* otherwise) {
  if (!holds) throw std::logic_error(otherwise);
}

// Two tasks that each read a counter, let others run, and write it back; `steps` times.
inline task<void> count(int& counter, mutex& log, int steps) {
  for (int i = 0; i < steps; ++i) {
    const int seen = counter;
    { const mutex_guard entry = co_await log.lock(); }
    counter = seen + 1;
  }
}
inline task<void> loses_an_update() {
  int counter = 0;
  mutex log("log");
  co_await when_all(count(counter, log, 1), count(counter, log, 1));
  require(counter == 2, "an update was lost");
}

// The same under a lock.
inline task<void> count_locked(mutex& lock, int& counter) {
  const mutex_guard held = co_await lock.lock();
  const int seen = counter;
  co_await yield();
  counter = seen + 1;
}
inline task<void> keeps_all_updates() {
  mutex lock;
  int counter = 0;
  co_await when_all(count_locked(lock, counter), count_locked(lock, counter));
  require(counter == 2, "an update was lost");
}

inline task<void> takes(mutex& first, mutex& second) {
  const mutex_guard outer = co_await first.lock();
  const mutex_guard inner = co_await second.lock();
}
inline task<void> locks_in_opposite_orders() {
  mutex left("left");
  mutex right("right");
  co_await when_all(takes(left, right), takes(right, left));
}

// Fails for one value of a thousand, and only where the second task is first.
inline task<void> draws(std::vector<int>& order, int& drawn) {
  order.push_back(1);
  drawn = random_int("value", 0, 999);
  co_return;
}
inline task<void> comes_first(std::vector<int>& order) {
  order.push_back(2);
  co_return;
}
inline task<void> needs_a_value_and_an_order() {
  std::vector<int> order;
  int drawn = 0;
  co_await when_all(draws(order, drawn), comes_first(order));
  require(order.front() == 1 || drawn < 500, "large, and second");
}

}  // namespace lockstep::searched
