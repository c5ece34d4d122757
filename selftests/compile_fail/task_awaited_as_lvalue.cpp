// expect: a task runs once: co_await std::move() of it
#include <lockstep/runtime/task.hpp>

lockstep::task<int> answer() { co_return 42; }

lockstep::task<void> test() {
  auto made = answer();
  co_await made;  // wrong
  co_await std::move(made);
}
