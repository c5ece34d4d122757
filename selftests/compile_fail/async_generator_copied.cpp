// expect: a generator has one owner: std::move() it
#include <lockstep/lockstep.hpp>

lockstep::async_generator<int> numbers() { co_yield 1; }

lockstep::task<void> test() {
  auto first = numbers();
  auto second = first;  // wrong
  co_await first.next();
}
