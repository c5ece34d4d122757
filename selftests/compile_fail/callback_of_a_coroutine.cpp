// expect: a callback is a function that returns at once; to run a task, spawn() it
#include <lockstep/runtime/callback.hpp>

lockstep::task<void> work() { co_return; }

void test() {
  lockstep::call_soon(work);  // wrong
  lockstep::call_soon([] {});
}
