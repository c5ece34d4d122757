// expect: a lambda that captures goes through co_invoke()
#include <lockstep/runtime/spawn.hpp>

lockstep::task<void> test() {
  int counter = 0;
  const auto count = [&counter]() -> lockstep::task<void> {
    ++counter;
    co_return;
  };
  auto wrong = lockstep::spawn(count, "counter");  // wrong
  auto handle = lockstep::spawn(lockstep::co_invoke(count), "counter");
  co_await handle.join();
}
