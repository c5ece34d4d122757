// expect: is not a constant expression
#include <lockstep/base/label.hpp>

lockstep::label test() {
  const char local[] = "gone when the name is read";
  lockstep::label wrong(local);  // wrong
  return lockstep::label("stays");
}
