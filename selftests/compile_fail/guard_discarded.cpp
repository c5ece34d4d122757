// expect: keep the guard in a variable: the lock ends with it
#include <lockstep/sync/mutex.hpp>

lockstep::mutex m;

lockstep::mutex_guard guard() { return lockstep::mutex_guard(m); }

void test() {
  guard();  // wrong
}
