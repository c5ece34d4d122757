// expect: with_timeout() takes a task: make one
#include <lockstep/lockstep.hpp>

lockstep::task<void> test() {
  lockstep::event ready;
  const auto wait = [&]() -> lockstep::task<void> { co_await ready.wait(); };
  lockstep::with_timeout(std::chrono::seconds(1), ready.wait());  // wrong
  co_await lockstep::with_timeout(std::chrono::seconds(1), wait());
}
