// expect: a coroutine does not block, so co_await it
#include <lockstep/lockstep.hpp>

lockstep::task<int> answer() { co_return 42; }

lockstep::task<void> test() {
  co_await lockstep::run_blocking(answer);  // wrong
  co_await answer();
}
