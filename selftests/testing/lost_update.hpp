// A program whose race does what its caller says: for tests of searches, in processes of their own or not.
#pragma once

#include <lockstep/runtime/sleep.hpp>
#include <lockstep/runtime/spawn.hpp>
#include <lockstep/runtime/task.hpp>

#include <functional>

namespace lockstep {

// Adds one to `value`, unless somebody has been here meanwhile: then it calls `lost` first.
inline task<void> add_one(int& value, std::function<void()> lost) {
  const int seen = value;
  co_await yield();
  if (value != seen) lost();
  value = seen + 1;
}

// The plain run passes: the second reads when the first has written.
inline task<void> add_two(std::function<void()> lost) {
  int value = 0;
  auto first = spawn(add_one(value, lost));
  co_await yield();
  auto second = spawn(add_one(value, lost));
  co_await first.join();
  co_await second.join();
}

}  // namespace lockstep
