// expect: co_await in a lockstep::task needs a task
#include <lockstep/runtime/task.hpp>

lockstep::task<void> test() {
  co_await 42;  // wrong
  co_return;
}
