// expect: spawn() takes a task: call the coroutine
#include <lockstep/runtime/spawn.hpp>

lockstep::task<int> answer() { co_return 42; }

lockstep::task<void> test() {
  auto wrong = lockstep::spawn(42);  // wrong
  auto handle = lockstep::spawn(answer());
  co_await handle.join();
}
