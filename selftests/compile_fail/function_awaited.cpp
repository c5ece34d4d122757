// expect: call the coroutine
#include <lockstep/runtime/task.hpp>

lockstep::task<int> answer() { co_return 42; }

lockstep::task<void> test() {
  co_await answer;  // wrong
  co_await answer();
}
