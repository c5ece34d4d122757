// expect: coroutine
#include <lockstep/runtime/task.hpp>

lockstep::task<int> answer() { co_return 42; }

int test() {
  return co_await answer();  // wrong
  return 0;
}
