// expect: with_timeout() takes a task or an operation of ours: make a task
#include <lockstep/lockstep.hpp>

lockstep::task<void> test() {
  const auto wait = []() -> lockstep::task<void> { co_await std::suspend_never(); };
  lockstep::with_timeout(std::chrono::seconds(1), std::suspend_never());  // wrong
  co_await lockstep::with_timeout(std::chrono::seconds(1), wait());
}
