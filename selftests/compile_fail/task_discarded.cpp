// expect: co_await the task or spawn() it
#include <lockstep/runtime/task.hpp>

lockstep::task<int> answer() { co_return 42; }

lockstep::task<void> test() {
  answer();  // wrong
  co_await answer();
}
