// expect: any_int() draws integers: divide the result, or take any_bool()
#include <lockstep/runtime/any.hpp>

bool test() {
  return lockstep::any_int("heads", false, true);  // wrong
  return lockstep::any_bool("heads");
}
