// expect: a task runs once: std::move() it
#include <lockstep/runtime/task.hpp>

lockstep::task<int> answer() { co_return 42; }

lockstep::task<void> test() {
  auto first = answer();
  auto second = first;  // wrong
  co_await std::move(first);
}
