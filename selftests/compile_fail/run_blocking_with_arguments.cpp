// expect: bind the arguments
#include <lockstep/lockstep.hpp>

int twice(int value) { return 2 * value; }

lockstep::task<void> test() {
  co_await lockstep::run_blocking(twice);  // wrong
  co_await lockstep::run_blocking([] { return twice(21); });
}
