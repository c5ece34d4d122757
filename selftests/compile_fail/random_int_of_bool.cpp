// expect: random_int() draws integers: divide the result, or compare it with 0 for a bool
#include <lockstep/runtime/random.hpp>

bool test() {
  return lockstep::random_int("heads", false, true);  // wrong
  return lockstep::random_int("heads", 0, 1) == 0;
}
