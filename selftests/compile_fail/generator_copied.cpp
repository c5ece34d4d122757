// expect: a generator has one owner: std::move() it
#include <lockstep/lockstep.hpp>

lockstep::generator<int> numbers() { co_yield 1; }

int test() {
  auto first = numbers();
  auto second = first;  // wrong
  return *first.begin();
}
