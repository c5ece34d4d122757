// expect: an async_generator by its next()
#include <lockstep/lockstep.hpp>

lockstep::async_generator<int> numbers() { co_yield 1; }

lockstep::task<void> test() {
  auto all = numbers();
  co_await numbers();  // wrong
  co_await all.next();
}
