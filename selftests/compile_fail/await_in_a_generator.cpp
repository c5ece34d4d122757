// expect: a generator does not wait: make it an async_generator
#include <lockstep/lockstep.hpp>

lockstep::generator<int> numbers() {
  co_await lockstep::yield();  // wrong
  co_yield 1;
}
