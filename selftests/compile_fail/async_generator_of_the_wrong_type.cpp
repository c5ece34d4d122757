// expect: this value does not convert to that
#include <lockstep/lockstep.hpp>

#include <string>

lockstep::async_generator<int> numbers() {
  co_yield 1;
  co_yield std::string("2");  // wrong
}
