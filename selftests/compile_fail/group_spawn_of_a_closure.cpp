// expect: a lambda that captures goes through co_invoke()
#include <lockstep/runtime/task_group.hpp>

lockstep::task<void> test(lockstep::task_group& group) {
  int counter = 0;
  const auto count = [&counter]() -> lockstep::task<void> {
    ++counter;
    co_return;
  };
  group.spawn(count);  // wrong
  group.spawn(lockstep::co_invoke(count));
  co_await group.join();
}
