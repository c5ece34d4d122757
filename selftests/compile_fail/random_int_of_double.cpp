// expect: random_int() draws integers: divide the result
#include <lockstep/runtime/random.hpp>

double test() {
  return lockstep::random_int("load", 0.0, 1.0);  // wrong
  return lockstep::random_int("load", 0, 1000) / 1000.0;
}
